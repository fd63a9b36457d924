//! A log taken up again by somebody who has its files and no key.

use audit_core::Digest;
use serde_json::Value;

use crate::builder::{Builder, Files, lines_of};
use crate::honest::{Honest, frontier_of};
use crate::oracle::{records_of, segments};
use crate::player::{account, forged_seals, open_segment};
use crate::sealing::OPENED;

/// Goes on with a log, of which these are the first records, as a writer does who opens it. Somebody
/// without its key forges its seals.
pub(crate) fn resumed(honest: &Honest, files: Files) -> Builder {
    let mut log = Builder::empty();
    let (name, bytes) = segments(&files).next_back().unwrap();
    log.file.clone_from(name);
    log.seq = first_seq(name) + records_of(bytes).len() as u64;
    let leaves = honest.leaves(log.seq);
    log.frontier = frontier_of(leaves);
    log.prev_hash = leaves.last().copied().unwrap_or(Digest::ZERO);
    if honest.is_sealed {
        forge_seals(&mut log, bytes);
    }
    log.files = files;
    log
}

/// Takes over what the newest segment says of seals and of what was deleted.
fn forge_seals(log: &mut Builder, newest: &[u8]) {
    let events = lines_of(newest).into_iter().filter_map(|line| event_of(&line));
    for event in events {
        let hash = |value: &Value| Digest::from_hex(value.as_str()?.as_bytes());
        if let Some(vkey) = event["key"]["vkey"].as_str() {
            let since = event["key"]["since"].as_u64();
            log.sealing = Some(forged_seals(vkey.to_owned(), since));
            log.sealed_from = event["sealed_from"].as_u64();
            let pruned = &event["pruned"];
            log.pruned = pruned["seq"]
                .as_u64()
                .zip(hash(&pruned["last_hash"]))
                .map(|(seq, last_hash)| (seq, pruned["last_seq"].as_u64().unwrap(), last_hash));
        }
    }
}

fn event_of(line: &[u8]) -> Option<Value> {
    let record: Value = serde_json::from_slice(line).ok()?;
    Some(record["event"].clone())
}

/// The next writer opens the log: what a crash, or whoever cut the log off, left without a seal is
/// declared.
pub(crate) fn open(log: &mut Builder) {
    let counted: usize = records_of(&log.files[&log.file]).iter().map(Vec::len).sum();
    let tail = Some(account(log, counted)).filter(|account| account.bytes > 0);
    let declared = tail.map(|account| account.event());
    open_segment(log, &declared.into_iter().chain([OPENED.to_owned()]).collect::<Vec<_>>());
}

pub(crate) fn first_seq(segment: &str) -> u64 {
    segment[..20].parse().unwrap()
}

//! What a log that seals says of segments that are no longer there: every record is accounted for.

use audit_core::{Digest, Frontier};

use crate::accounts::Pruned;
use crate::builder::{Builder, hash_of, lines_of};

/// Seq and hash of what the prune before deleted last.
pub(crate) type After = Option<(u64, Digest)>;

/// What an exact prune says besides.
#[derive(Clone)]
pub(crate) struct Exact {
    pub(crate) pruned: Pruned,
    /// The last seq of each file.
    pub(crate) last_seqs: Vec<Option<u64>>,
    pub(crate) after: After,
}

impl Exact {
    pub(crate) fn event(&self) -> String {
        let mut event = self.pruned.event();
        for (name, last_seq) in self.pruned.files.iter().zip(&self.last_seqs) {
            let Some(last_seq) = last_seq else { continue };
            let (before, after) = event.split_once(&format!("\"{name}\"")).unwrap();
            let after = after.replacen('}', &format!(",\"last_seq\":{last_seq}}}"), 1);
            event = format!("{before}\"{name}\"{after}");
        }
        let after = self.after.map_or_else(String::new, |(last_seq, hash)| {
            format!(r#","after":{{"last_seq":{last_seq},"last_hash":"{hash}"}}"#)
        });
        let rest = format!(r#"{after},"before":"2026-01-02T00:00:00.000000000Z"}}"#);
        format!("{}{rest}", event.strip_suffix('}').unwrap())
    }
}

/// Declares that the first segments of a log are deleted, so many, with the last one ending at the
/// beginning of the newest; seq, last seq and last hash of that record.
pub(crate) fn prune(
    log: &mut Builder,
    files: usize,
    falsify: impl FnOnce(&mut Exact),
) -> (u64, u64, Digest) {
    let mut exact = of_first(log, files);
    falsify(&mut exact);
    let seq = log.seq;
    log.record_sealed(&exact.event());
    (seq, exact.pruned.last_seq, exact.pruned.last_hash)
}

/// The truth about the first segments of a log.
fn of_first(log: &Builder, count: usize) -> Exact {
    let names: Vec<_> = log.files.keys().filter(|name| name.ends_with("jsonl")).cloned().collect();
    let firsts: Vec<u64> = names.iter().map(|name| name[..20].parse().unwrap()).collect();
    let mut frontier = Frontier::new();
    let mut last_hash = Digest::ZERO;
    for name in &names[..count] {
        for line in lines_of(&log.files[name]) {
            last_hash = hash_of(&line).unwrap();
            frontier.push(last_hash);
        }
    }
    let last_seq = firsts[count] - 1;
    let pruned = Pruned {
        last_seq,
        last_hash,
        roots: frontier.roots().to_vec(),
        files: names[..count].to_vec(),
    };
    let last_seqs = firsts[1..=count].iter().map(|first| Some(first - 1)).collect();
    Exact { pruned, last_seqs, after: None }
}

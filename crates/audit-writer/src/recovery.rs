//! Where a log ends: the newest segment is read from the disk, and its tail accounted for.
//!
//! The tail of a segment is everything after its longest prefix of whole, linked records. A tail
//! that a crash leaves is declared in the next segment and never touched; any other is damage, and
//! going on after it would bury evidence, so that needs the word of whoever runs the service.

mod damage;
mod frame;
mod glance;
mod holder;
mod inspect;
mod json;
mod keys;
mod line;
mod marks;
mod order;
mod own;
mod read;
mod retention;
mod scan;
mod tail;
mod tree;

use audit_core::lifecycle::{LifecycleEvent, LogId, PreviousSegment, PrunedFile};
use audit_core::{Digest, OnDamage, ServiceId};

use crate::chain::Chain;
use crate::error::OpenError;
use crate::segment::SegmentName;
use crate::store::{SegmentFile, Store};
pub use damage::Damage;
pub use glance::{Glance, NewestRecord, NewestSegment, glance};
pub(crate) use holder::holder;
use holder::newest_log_opened;
pub use inspect::{Inspection, inspect};
pub(crate) use keys::successor;
use read::{read_range, read_records};
pub(crate) use retention::{Left, Old, prunable};
pub use retention::{PruneError, PrunePlan, plan_prune};
use scan::{Opened, Scan};
pub(crate) use tree::root_at;

/// Longest tail that is looked at, in bytes, whatever its writer stated: bounds memory.
const TAIL_BYTES_MAX: u64 = 16 << 20;

/// What a writer needs to go on after a log.
#[derive(Debug)]
pub(crate) struct Recovered<F> {
    pub(crate) service_id: ServiceId,
    pub(crate) log_id: LogId,
    pub(crate) chain: Chain,
    pub(crate) previous: PreviousSegment,
    /// The newest segment, to be sealed when the next one is there.
    pub(crate) file: F,
    /// The record that accounts for its tail.
    pub(crate) account: Option<LifecycleEvent>,
    /// What a deletion by retention, the newest that it declares, may have left.
    pub(crate) pruned: Vec<PrunedFile>,
    /// The size of the last checkpoint that the newest segment tells of.
    pub(crate) checkpoint_recorded: Option<u64>,
    /// The id of the last key that the newest segment names.
    pub(crate) key_named: Option<String>,
}

/// What stands behind the whole records of a segment.
#[derive(Debug)]
enum Tail {
    Empty,
    /// What a crash leaves, and the record that accounts for it.
    Crash(LifecycleEvent),
    Damage(Damage),
}

/// Reads the end of a log; `None` when it has no segment.
pub(crate) fn recover<S: Store>(
    store: &mut S,
    on_damage: OnDamage,
) -> Result<Option<Recovered<S::Segment>>, OpenError> {
    let segments = segments(store)?;
    let Some((newest, older)) = segments.split_last() else { return Ok(None) };
    // A writer that was killed between naming a segment and syncing the directory leaves a name
    // that a power cut takes away.
    store.sync_dir().map_err(OpenError::io("sync the directory"))?;
    let name = newest.to_string();
    let mut file = store.open(&name).map_err(OpenError::io("open the newest segment"))?;
    // Bytes that a crash left in the cache alone must not be taken for durable: sync, then read
    // what the disk has.
    file.sync().map_err(OpenError::io("sync the newest segment"))?;
    file.drop_cache().map_err(OpenError::io("drop the newest segment from the cache"))?;

    let mut scan = Scan::new(*newest);
    let end = read_records(&file, |line| scan.take(line))?;
    let offset = scan.offset;
    if let Some(version) = scan.other_version {
        return Err(OpenError::OtherVersion { file: name, version });
    }
    let damaged = |damage| OpenError::Damaged { file: name.clone(), offset, damage };
    let (Some(Opened { service_id, log_id, .. }), Some(head)) = (scan.opened, scan.chain.head())
    else {
        return Err(damaged(Damage::OpeningMissing));
    };
    let account = match tail(store, older, &name, &file, &scan, end)? {
        Tail::Empty => None,
        Tail::Crash(recovered) => Some(recovered),
        Tail::Damage(damage) => match on_damage {
            OnDamage::Refuse => return Err(damaged(damage)),
            OnDamage::ContinueInNewSegment => {
                let (file, code) = (name.clone(), damage.code().to_owned());
                Some(LifecycleEvent::DamageFound { file, offset, code })
            }
        },
    };
    let previous = PreviousSegment { file: name, last_seq: head.seq, last_hash: head.hash };
    // Where somebody has touched the log, nothing more of it is deleted.
    let is_damaged = matches!(account, Some(LifecycleEvent::DamageFound { .. }));
    let Scan { chain, pruned, checkpoint_recorded, key_named, .. } = scan;
    let pruned = if is_damaged { Vec::new() } else { pruned };
    Ok(Some(Recovered {
        service_id,
        log_id,
        chain,
        previous,
        file,
        account,
        pruned,
        checkpoint_recorded,
        key_named,
    }))
}

/// Judges what a scan of a segment, which ends at `end`, has left.
fn tail<S: Store>(
    store: &S,
    older: &[SegmentName],
    name: &str,
    file: &S::Segment,
    scan: &Scan,
    end: u64,
) -> Result<Tail, OpenError> {
    if scan.owes_log_opened {
        return Ok(Tail::Damage(Damage::OpeningIncomplete));
    }
    let bytes = end.saturating_sub(scan.offset);
    if bytes == 0 {
        return Ok(Tail::Empty);
    }
    if scan.closed {
        return Ok(Tail::Damage(Damage::BytesAfterClose));
    }
    let stated = match scan.unsynced_bytes_max {
        Some(stated) => stated,
        None => newest_log_opened(store, older)?.map_or(0, |opened| opened.unsynced_bytes_max),
    };
    if bytes > stated.min(TAIL_BYTES_MAX) {
        return Ok(Tail::Damage(Damage::TailTooLong));
    }
    let found = read_range(file, scan.offset, bytes)?;
    Ok(match tail::examine(&found, scan.offset) {
        Err(damage) => Tail::Damage(damage),
        Ok(kind) => Tail::Crash(LifecycleEvent::LogRecovered {
            file: name.to_owned(),
            offset: scan.offset,
            bytes,
            sha256: Digest::of(&found),
            valid_records: kind.valid_records,
            kind: kind.looks,
        }),
    })
}

fn segments<S: Store>(store: &S) -> Result<Vec<SegmentName>, OpenError> {
    let names = store.names().map_err(OpenError::io("list the directory"))?;
    let mut segments: Vec<_> = names.iter().filter_map(|name| SegmentName::parse(name)).collect();
    segments.sort_unstable();
    Ok(segments)
}

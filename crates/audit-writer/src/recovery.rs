//! Where a log ends: the newest segment is read from the disk, and its tail accounted for.
//!
//! The tail of a segment is everything after its longest prefix of whole, linked records. A tail
//! that a crash leaves is declared in the next segment and never touched; any other is damage, and
//! going on after it would bury evidence, so that needs the word of whoever runs the service.

mod copied;
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
mod recent;
mod retention;
mod scan;
mod tail;
mod tree;
mod vouched;
mod whole;

use std::sync::Arc;

use audit_core::lifecycle::{
    LifecycleEvent, NewestPrune, PreviousSegment, PrunedFile, SegmentOpened,
};
use audit_core::limits::TAIL_BYTES_MAX;
use audit_core::{Digest, OnDamage, SealKey, ServiceId};

use crate::broken::{self, Broken};
use crate::chain::Chain;
use crate::error::OpenError;
use crate::segment::SegmentName;
use crate::store::{SegmentFile, Store};
pub use copied::Copied;
pub(crate) use copied::place_of;
pub use damage::Damage;
pub use glance::{Glance, NewestRecord, NewestSegment, glance};
pub(crate) use holder::holder;
use holder::newest_log_opened;
pub use inspect::{Inspection, inspect};
pub(crate) use keys::{predecessor, successor};
pub(crate) use line::CheckpointRecord;
use read::{read_range, read_records};
pub use retention::{ClockTrust, PruneError, PrunePlan, plan_prune};
pub(crate) use retention::{
    Prunable, agrees_with_rest, is_allowed, is_as_declared, is_of_signed_log, prunable,
    pruned_files,
};
pub(crate) use scan::Known;
use scan::{Opened, Scan, SealedEnd};
pub(crate) use tree::root_at;
pub(crate) use vouched::{first_seq, has_sealed_opening, last_right_seal, newest_right_seal};
pub(crate) use whole::{Old, Opening, newest_prune};

/// What a writer needs to go on after a log.
#[derive(Debug)]
pub(crate) struct Recovered<F> {
    pub(crate) service_id: ServiceId,
    pub(crate) chain: Chain,
    pub(crate) previous: PreviousSegment,
    /// The newest segment, to be sealed when the next one is there.
    pub(crate) file: F,
    /// The record that accounts for its tail.
    pub(crate) account: Option<LifecycleEvent>,
    /// Where it was copied from.
    pub(crate) copied: Option<Copied>,
    pub(crate) found: Found,
}

/// What the newest segment says of itself and of the log.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) opened: SegmentOpened,
    /// The last seal, of a segment that is sealed.
    seal: Option<SealedEnd>,
    /// The newest prune that it tells of itself, and its files.
    pub(crate) pruned: Option<(NewestPrune, Arc<[PrunedFile]>)>,
    /// The last checkpoint that it tells of.
    pub(crate) recorded: Option<Arc<CheckpointRecord>>,
    /// The id of the last key that it names.
    pub(crate) key_named: Option<Arc<str>>,
}

impl Found {
    /// Whether the last seal is of this key; a segment that is not sealed has none.
    pub(crate) fn is_sealed_with(&self, key: &SealKey) -> bool {
        self.seal.as_ref().is_some_and(|seal| seal.is_right(key))
    }

    /// Whether the log signs: it was sealed, or names a key.
    pub(crate) fn is_signed(&self) -> bool {
        self.opened.sealed_from.is_some() || self.opened.key.is_some() || self.key_named.is_some()
    }

    /// Forgets what the segment says behind an earlier end.
    pub(crate) fn cut_back(&mut self, end: &Known) {
        self.seal = None;
        self.pruned.clone_from(&end.pruned);
        self.recorded.clone_from(&end.recorded);
        self.key_named.clone_from(&end.key_named);
    }
}

/// What stands behind the whole records of a segment.
#[derive(Debug)]
enum Tail {
    Empty,
    /// What a crash leaves, and the record that accounts for it.
    Crash(Box<LifecycleEvent>),
    Damage(Damage),
}

/// Reads the end of a log; `None` when it has no segment. Seals are judged by their form.
pub(crate) fn recover<S: Store>(
    store: &mut S,
    on_damage: OnDamage,
) -> Result<Option<Recovered<S::Segment>>, OpenError> {
    let segments = segments(store)?;
    let Some(newest) = segments.last() else { return Ok(None) };
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
    let bytes = read_records(&file, |line| scan.take(line))?;
    if let Some(version) = scan.end().unwrap_or(&scan.known).other_version {
        return Err(OpenError::OtherVersion { file: name, version });
    }
    let damaged = |offset, damage| OpenError::Damaged { file: name.clone(), offset, damage };
    let Some(Opened { service_id, .. }) = scan.opened else {
        return Err(damaged(scan.known.offset, Damage::OpeningMissing));
    };
    let Some((end, head)) = scan.end().and_then(|end| Some((end, end.chain.head()?))) else {
        return Err(damaged(0, Damage::OpeningUnsealed));
    };
    let offset = end.offset;
    let account = match judge_tail(store, *newest, &file, &scan, bytes)? {
        Tail::Empty => None,
        Tail::Crash(recovered) => Some(*recovered),
        Tail::Damage(damage) => match on_damage {
            OnDamage::Refuse => return Err(damaged(offset, damage)),
            OnDamage::ContinueInNewSegment => {
                let (file, code) = (name.clone(), damage.code().to_owned());
                Some(LifecycleEvent::DamageFound { file, offset, code })
            }
        },
    };
    let previous = PreviousSegment { file: name, last_seq: head.seq, last_hash: head.hash };
    let Known { chain, pruned, recorded, key_named, .. } = end.clone();
    let Scan { opened, sealed: seal, .. } = scan;
    let Some(Opened { event: opened, .. }) = opened else { return Ok(None) };
    let seal = seal.filter(|_| opened.key.is_some());
    let found = Found { opened, seal, pruned, recorded, key_named };
    let copied = Copied::found(store, &file, found.opened.place);
    Ok(Some(Recovered { service_id, chain, previous, file, account, copied, found }))
}

/// Judges what a scan of a segment of so many bytes has left.
fn judge_tail<S: Store>(
    store: &S,
    segment: SegmentName,
    file: &S::Segment,
    scan: &Scan,
    bytes: u64,
) -> Result<Tail, OpenError> {
    let (Some(opened), Some(end)) = (&scan.opened, scan.end()) else {
        return Ok(Tail::Damage(Damage::OpeningMissing));
    };
    if end.order.check_opening().is_err() {
        return Ok(Tail::Damage(Damage::OpeningIncomplete));
    }
    let bytes = bytes.saturating_sub(end.offset);
    if bytes == 0 {
        return Ok(Tail::Empty);
    }
    if end.closed {
        return Ok(Tail::Damage(Damage::BytesAfterClose));
    }
    // Whole records that are linked and have no seal.
    let is_unsealed = end.offset < scan.known.offset;
    let stated = if let Some(stated) = end.unsynced_bytes_max {
        stated
    } else {
        // Where retention deleted the record that says it, nothing does.
        let mut older = segments(store)?;
        older.retain(|older| *older < segment);
        let opened = newest_log_opened(store, &older)?;
        opened.map_or(TAIL_BYTES_MAX, |opened| opened.unsynced_bytes_max)
    };
    if bytes > stated.min(TAIL_BYTES_MAX) && !broken::is(Broken::TailUnlimited) {
        let damage = if is_unsealed { Damage::SealMissing } else { Damage::TailTooLong };
        return Ok(Tail::Damage(damage));
    }
    let found = read_range(file, end.offset, bytes)?;
    let sealed = end.chain.head().filter(|_| opened.is_sealed());
    Ok(match tail::examine(&found, end.offset, sealed) {
        Err(_) if is_unsealed => Tail::Damage(Damage::SealMissing),
        Err(damage) => Tail::Damage(damage),
        Ok(kind) => Tail::Crash(Box::new(LifecycleEvent::LogRecovered {
            file: segment.to_string(),
            offset: end.offset,
            bytes,
            sha256: Digest::of(&found),
            valid_records: kind.valid_records,
            kind: kind.looks,
        })),
    })
}

pub(crate) fn segments<S: Store>(store: &S) -> Result<Vec<SegmentName>, OpenError> {
    let names = store.names().map_err(OpenError::io("list the directory"))?;
    let mut segments: Vec<_> = names.iter().filter_map(|name| SegmentName::parse(name)).collect();
    segments.sort_unstable();
    Ok(segments)
}

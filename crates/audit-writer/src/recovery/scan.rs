//! The walk over a segment's records, as far as they are whole and linked.

use std::sync::Arc;

use audit_core::digest::leaf_hash;
use audit_core::lifecycle::{LogId, NewestPrune, PrunedFile, SegmentOpened};
use audit_core::{Frontier, Seal, SealKey, ServiceId};

use super::line::{CheckpointRecord, Line, other_version};
use super::order::{Before, Order};
use super::own::Own;
use super::recent::Recent;
use crate::broken::{self, Broken};
use crate::chain::Chain;
use crate::segment::SegmentName;

/// The first record of a segment.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    pub(super) service_id: ServiceId,
    pub(super) event: SegmentOpened,
}

impl Opened {
    pub(super) fn log_id(&self) -> LogId {
        self.event.log_id
    }

    /// Whether the segment's writer seals it.
    pub(super) fn is_sealed(&self) -> bool {
        self.event.key.is_some()
    }
}

/// What is known after some records of a segment.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) chain: Chain,
    /// Where those records end.
    pub(crate) offset: u64,
    pub(super) unsynced_bytes_max: Option<u64>,
    /// Where in the order of a segment its records are.
    pub(super) order: Order,
    pub(super) closed: bool,
    /// The version of the format that the log goes on in, where that is another.
    pub(super) other_version: Option<u64>,
    /// The last `segments_pruned`, and the files that it names.
    pub(super) pruned: Option<(NewestPrune, Arc<[PrunedFile]>)>,
    /// The last checkpoint that the segment tells of.
    pub(super) recorded: Option<Arc<CheckpointRecord>>,
    /// The id of the last key that it names.
    pub(super) key_named: Option<Arc<str>>,
}

/// What is known at a record with a seal, and what its seal has to be checked against.
#[derive(Clone, Debug)]
pub(super) struct SealedEnd {
    pub(super) known: Known,
    /// The record up to its seal.
    unsealed: Vec<u8>,
    seal: Seal,
}

impl SealedEnd {
    pub(super) fn is_right(&self, key: &SealKey) -> bool {
        key.verifies(&leaf_hash(&self.unsealed), &self.seal)
    }
}

/// The walk over a segment's records.
#[derive(Debug)]
pub(super) struct Scan {
    name: SegmentName,
    /// What the segment has to begin after, where that is known.
    follows: Option<Chain>,
    /// The key whose seals count; without one, every seal does.
    key: Option<SealKey>,
    pub(super) opened: Option<Opened>,
    pub(super) known: Known,
    recent: Recent,
    /// What it says of deletions.
    pub(super) prunes: Vec<NewestPrune>,
    /// Whether it says that records are damaged or gone.
    pub(super) tells_of_fault: bool,
    /// The last record with a seal that counts.
    pub(super) sealed: Option<SealedEnd>,
}

impl Scan {
    pub(super) fn new(name: SegmentName) -> Self {
        let known = Known {
            chain: Chain::new(),
            offset: 0,
            unsynced_bytes_max: None,
            order: Order::after(Before::NotClosed),
            closed: false,
            other_version: None,
            pruned: None,
            recorded: None,
            key_named: None,
        };
        let (follows, key, opened, sealed) = (None, None, None, None);
        let (recent, prunes) = (Recent::new(Frontier::new()), Vec::new());
        Self { name, follows, key, opened, known, recent, prunes, tells_of_fault: false, sealed }
    }

    /// The walk over a segment that is to begin where another ended.
    pub(super) fn following(name: SegmentName, before: Option<Chain>) -> Self {
        Self { follows: before, ..Self::new(name) }
    }

    /// The walk over a segment of which only the seals of one key count.
    pub(super) fn sealed_with(name: SegmentName, key: SealKey) -> Self {
        Self { key: Some(key), ..Self::new(name) }
    }

    /// What is known at the end that counts: of a segment that is sealed, at its last seal. `None`
    /// where the segment has no such end.
    pub(super) fn end(&self) -> Option<&Known> {
        if self.opened.as_ref()?.is_sealed() && !broken::is(Broken::UnsealedContinued) {
            return self.sealed.as_ref().map(|sealed| &sealed.known);
        }
        Some(&self.known)
    }

    /// Takes the next line (without its line feed) if it is a whole record linked to the one before.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Option<()> {
        let Some(line) = Line::parse(bytes) else {
            if self.known.offset == 0 {
                self.known.other_version = other_version(bytes);
            }
            return None;
        };
        let order = self.known.order.step(&line).ok()?;
        if let Some(opened) = &self.opened {
            let known = &self.known;
            let linked = line.prev_hash == *known.chain.prev_hash()
                && Some(line.seq) == known.chain.next_seq()
                && line.service_id == opened.service_id.as_str()
                && line.agrees_with(&opened.event, self.name.first_seq)
                && self.goes_on_after_prune(&line, &opened.event)
                && line.checkpoint_signed().is_none_or(|signed| self.recent.allows(&signed));
            if !linked || known.closed || known.other_version.is_some() {
                return None;
            }
        } else {
            self.open(&line)?;
        }
        self.known.order = order;
        self.note(&line);
        self.recent.push(line.hash, self.known.chain.frontier());
        self.known.chain.push(line.hash);
        let length = u64::try_from(bytes.len()).ok()?.checked_add(1)?;
        self.known.offset = self.known.offset.checked_add(length)?;
        self.seal(&line);
        Some(())
    }

    /// Whether a prune goes on where the newest one before it ended, as far as the segment tells.
    fn goes_on_after_prune(&self, line: &Line<'_>, opened: &SegmentOpened) -> bool {
        let Some(pruned) = line.own().and_then(Own::pruned).filter(|it| it.has_before) else {
            return true;
        };
        let known = self.known.pruned.as_ref();
        let newest = known.map(|(newest, _)| newest).or(opened.pruned.as_ref());
        match (newest, &pruned.after) {
            (Some(newest), Some(after)) => {
                (newest.last_seq, newest.last_hash) == (after.last_seq, after.last_hash)
            }
            // One of before prunes said so does not say after what the next one comes.
            (Some(_), None) => known.is_some_and(|(_, files)| files.iter().all(is_old)),
            (None, Some(_)) => self.name.first_seq > 0,
            (None, None) => true,
        }
    }

    fn open(&mut self, line: &Line<'_>) -> Option<()> {
        let event = line.segment_opened()?;
        let frontier = Frontier::from_roots(line.seq, &event.merkle_frontier)?;
        if !line.is_first_of(self.name) {
            return None;
        }
        self.recent = Recent::new(frontier.clone());
        self.known.chain = Chain::after(line.prev_hash, frontier);
        if self.follows.as_ref().is_some_and(|before| *before != self.known.chain) {
            return None;
        }
        self.known.unsynced_bytes_max = event.unsynced_max_bytes;
        self.opened = Some(Opened { service_id: ServiceId::new(line.service_id).ok()?, event });
        Some(())
    }

    /// Takes note of what a record says of the log.
    fn note(&mut self, line: &Line<'_>) {
        let known = &mut self.known;
        if let Some(opened) = line.log_opened() {
            // What segment_opened says rules.
            known.unsynced_bytes_max.get_or_insert(opened.unsynced_bytes_max);
        }
        known.closed = line.is("log_closed");
        self.tells_of_fault |= matches!(line.own(), Some(Own::DamageFound | Own::SegmentMissing));
        known.other_version = line.format_changed();
        if let Some(pruned) = line.segments_pruned() {
            self.prunes.push(pruned.0);
            known.pruned = Some(pruned);
        }
        known.recorded = line.checkpoint_signed().map(Arc::new).or_else(|| known.recorded.take());
        known.key_named = line.key_id().map(Arc::from).or_else(|| known.key_named.take());
    }

    /// Keeps what is known at a seal that counts.
    fn seal(&mut self, line: &Line<'_>) {
        let Some(sealed) = line.sealed else { return };
        if self.key.as_ref().is_some_and(|key| !key.verifies(&sealed.digest(), &sealed.seal)) {
            return;
        }
        let mut unsealed = self.sealed.take().map(|before| before.unsealed).unwrap_or_default();
        unsealed.clear();
        unsealed.extend_from_slice(sealed.unsealed);
        self.sealed = Some(SealedEnd { known: self.known.clone(), unsealed, seal: sealed.seal });
    }
}

/// Whether a file is named as prunes did before they said where each ends.
fn is_old(file: &PrunedFile) -> bool {
    file.last_seq.is_none()
}

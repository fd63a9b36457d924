//! Segments read from their first record to their last, and whether one goes on behind another.

use audit_core::Digest;
use audit_core::Receipt;
use audit_core::lifecycle::{LifecycleEvent, NewestPrune, PrunedFile, SegmentOpened};
use chrono::{DateTime, Utc};

use super::line::{FoundTail, Line};
use super::own::Own;
use super::read::{read_and_hash, read_records};
use super::retention::agrees_with_rest;
use super::scan::{Opened, Scan};
use super::vouched::first_seq;
use super::{Tail, judge_tail, segments};
use crate::broken::{self, Broken};
use crate::error::OpenError;
use crate::segment::SegmentName;
use crate::store::Store;

/// The first records of a segment.
#[derive(Debug)]
pub(crate) struct Opening {
    timestamp: String,
    pub(crate) first_seq: u64,
    pub(super) prev_hash: Digest,
    service_id: String,
    event: SegmentOpened,
    tail: Option<FoundTail>,
    /// Whether a writer says that it opened the log here.
    is_announced: bool,
    /// Whether it names a key.
    pub(super) names_key: bool,
}

impl Opening {
    /// `None` where the segment does not begin with a record of its own.
    pub(super) fn read<S: Store>(
        store: &S,
        segment: SegmentName,
    ) -> Result<Option<Self>, OpenError> {
        let file = open(store, segment)?;
        let mut opening: Option<Self> = None;
        read_records(&file, |line| {
            let line = Line::parse(line)?;
            match &mut opening {
                None => opening = Some(Self::begin(&line)?),
                Some(opening) => opening.take(&line)?,
            }
            Some(())
        })?;
        Ok(opening.filter(|opening| opening.first_seq == segment.first_seq))
    }

    fn begin(line: &Line<'_>) -> Option<Self> {
        let event = line.segment_opened()?;
        Some(Self {
            timestamp: line.timestamp.to_owned(),
            first_seq: line.seq,
            prev_hash: line.prev_hash,
            service_id: line.service_id.to_owned(),
            names_key: event.key.is_some() || event.sealed_from.is_some(),
            event,
            tail: None,
            is_announced: false,
        })
    }

    /// Takes the next of them; `None` for a record behind them.
    fn take(&mut self, line: &Line<'_>) -> Option<()> {
        let own = line.own().filter(|_| !self.is_announced)?;
        if let Own::LogRecovered(found) = own {
            self.tail = Some(found.clone());
            return Some(());
        }
        let Own::LogOpened(opened) = own else { return None };
        self.is_announced = true;
        self.names_key |= opened.vkey.is_some();
        Some(())
    }

    /// When the segment was opened, as its first record says.
    pub(super) fn opened_at(&self) -> Option<DateTime<Utc>> {
        DateTime::parse_from_rfc3339(&self.timestamp).ok().map(|time| time.to_utc())
    }

    /// Whether its writer is of before a segment told all that a recovery needs.
    pub(super) fn is_of_before(&self) -> bool {
        self.event.unsynced_max_bytes.is_none()
    }

    pub(crate) fn frontier(&self) -> &[Digest] {
        &self.event.merkle_frontier
    }

    /// Whether it goes on behind the end of another segment, and says so rightly.
    fn follows(&self, before: &Scan, file: &str, tail: Option<&FoundTail>) -> bool {
        let (Some(Opened { service_id, event }), Some(end)) = (&before.opened, before.end()) else {
            return false;
        };
        if broken::is(Broken::SeamUnread) {
            return true;
        }
        let frontier = end.chain.frontier();
        let pruned = end.pruned.as_ref().map(|(newest, _)| *newest).or(event.pruned);
        // A writer of before the log repeated it did not know of it.
        let knows_prune =
            self.event.unsynced_max_bytes.is_some() && event.unsynced_max_bytes.is_some();
        let is_announced = self.is_announced || !(end.closed || tail.is_some());
        self.prev_hash == *end.chain.prev_hash()
            && frontier.size() == self.first_seq
            && frontier.roots() == self.event.merkle_frontier
            && self.service_id == service_id.as_str()
            && self.event.log_id == event.log_id
            && self.event.previous.as_ref().is_none_or(|previous| previous.file == file)
            && self.tail.as_ref() == tail
            && (!knows_prune || self.event.pruned == pruned)
            && is_announced
            && end.other_version.is_none()
    }
}

/// A segment that may be deleted.
#[derive(Clone, Debug)]
pub(crate) struct Old {
    pub(crate) file: PrunedFile,
    pub(crate) last: Receipt,
    /// The frontier of the records up to its last.
    pub(crate) frontier: Vec<Digest>,
}

impl Old {
    /// Reads a segment to its end; `None` when it is not whole up to where the next one goes on, or
    /// tells of records that are not.
    pub(crate) fn read<S: Store>(
        store: &S,
        segment: SegmentName,
        next: &Opening,
    ) -> Result<Option<Self>, OpenError> {
        let (name, file) = (segment.to_string(), open(store, segment)?);
        let mut scan = Scan::new(segment);
        let (size, hashed) = read_and_hash(&file, |line| scan.take(line))?;
        let tail = match judge_tail(store, segment, &file, &scan, size)? {
            Tail::Damage(_) => return Ok(None),
            Tail::Empty => None,
            Tail::Crash(event) => found_tail(*event),
        };
        let last = scan.end().and_then(|end| end.chain.head());
        let Some(last) = last.filter(|_| next.follows(&scan, &name, tail.as_ref())) else {
            return Ok(None);
        };
        // What it says of records that are damaged or gone nothing else may say.
        if scan.tells_of_fault && !broken::is(Broken::PruneTold) {
            return Ok(None);
        }
        // A prune that it tells of, and that contradicts what is left, is evidence like any other.
        for pruned in &scan.prunes {
            let is_judged = pruned.last_seq.saturating_add(1) >= first_seq(store)?;
            if is_judged && !agrees_with_rest(store, *pruned)? {
                return Ok(None);
            }
        }
        let sha256 = hashed.finish(&file)?;
        let file = PrunedFile { name, size, sha256, last_seq: Some(last.seq) };
        Ok(Some(Self { file, last, frontier: next.frontier().to_vec() }))
    }
}

fn found_tail(event: LifecycleEvent) -> Option<FoundTail> {
    let LifecycleEvent::LogRecovered { file, offset, bytes, sha256, valid_records, .. } = event
    else {
        return None;
    };
    Some(FoundTail { file, offset, bytes, sha256, valid_records })
}

/// The newest prune that a log tells of below a seq, whatever its segments repeat. What is behind
/// the beginning of an adopted range attests nothing.
pub(crate) fn newest_prune<S: Store>(
    store: &S,
    below: u64,
) -> Result<Option<NewestPrune>, OpenError> {
    let mut adopted_from = below;
    for segment in segments(store)?.into_iter().rev() {
        let mut prunes = Vec::new();
        read_records(&open(store, segment)?, |line| {
            let line = Line::parse(line)?;
            prunes.extend(line.segments_pruned().map(|(newest, _)| newest));
            adopted_from = adopted_from.min(line.adopted_from().unwrap_or(u64::MAX));
            Some(())
        })?;
        let newest = prunes.into_iter().rfind(|newest| newest.seq < adopted_from);
        if newest.is_some() {
            return Ok(newest);
        }
    }
    Ok(None)
}

fn open<S: Store>(store: &S, segment: SegmentName) -> Result<S::Segment, OpenError> {
    store.open(&segment.to_string()).map_err(OpenError::io("open a segment"))
}

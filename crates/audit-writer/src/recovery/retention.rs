//! What retention may delete: the oldest segments, as long as they are whole and old enough.

use std::io;
use std::path::Path;

use audit_core::lifecycle::PrunedFile;
use audit_core::{Digest, Receipt, RecordTime, RetentionPolicy};
use chrono::{DateTime, TimeDelta, Utc};

use super::line::{FoundTail, Line};
use super::read::{digest_from, read_records};
use super::scan::Scan;
use super::segments;
use crate::error::{OpenError, WriteError};
use crate::segment::SegmentName;
use crate::store::{RealStore, Store};

/// What a prune deletes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PrunePlan {
    /// The segments, oldest first.
    pub files: Vec<PrunedFile>,
    /// The newest record that goes; `None` when nothing does.
    pub last: Option<Receipt>,
}

impl PrunePlan {
    /// Bytes of the segments.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.size))
    }
}

/// Nothing was pruned, or not all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PruneError {
    /// The policy would delete records before it lets go of them. Nothing was done.
    #[error("records have to be kept for {min_retention_days} days, not {delete_after_days}")]
    TooYoung {
        /// Days after which records are to be deleted.
        delete_after_days: u32,
        /// Days for which they have to be kept.
        min_retention_days: u32,
    },
    /// The directory or a segment cannot be read. Nothing was done.
    #[error(transparent)]
    Look(Box<OpenError>),
    /// A segment that is old enough is not whole, or does not link to the next one: it is evidence
    /// of what happened to it, and neither it nor a later one is deleted. Nothing was done.
    #[error("{file} is not whole, or is not what the next segment follows: it is evidence")]
    Damaged {
        /// The segment.
        file: String,
    },
    /// The deletion could not be declared in the log. Nothing was deleted since.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A segment could not be deleted. The log says that it was; the next open or prune goes on.
    #[error("cannot delete {file}: {source}")]
    Delete {
        /// The segment.
        file: String,
        /// Why.
        source: io::Error,
    },
}

impl From<OpenError> for PruneError {
    fn from(error: OpenError) -> Self {
        Self::Look(Box::new(error))
    }
}

/// Says what a prune of a log would delete, and changes nothing.
///
/// # Errors
///
/// [`PruneError`], but [`PruneError::Write`] and [`PruneError::Delete`].
pub fn plan_prune(
    dir: impl AsRef<Path>,
    retention: RetentionPolicy,
    now: DateTime<Utc>,
) -> Result<PrunePlan, PruneError> {
    let store = RealStore::open_existing(dir.as_ref());
    let store = store.map_err(OpenError::io("open the directory"))?;
    let old = prunable(&store, retention, now)?;
    Ok(PrunePlan {
        last: old.last().map(|old| old.last),
        files: old.into_iter().map(|old| old.file).collect(),
    })
}

/// A segment that may be deleted.
#[derive(Clone, Debug)]
pub(crate) struct Old {
    pub(crate) file: PrunedFile,
    pub(crate) last: Receipt,
    /// The frontier of the records up to its last.
    pub(crate) frontier: Vec<Digest>,
}

/// The segments that a policy lets go, oldest first. The newest is never among them.
pub(crate) fn prunable<S: Store>(
    store: &S,
    retention: RetentionPolicy,
    now: DateTime<Utc>,
) -> Result<Vec<Old>, PruneError> {
    let RetentionPolicy { min_retention_days, delete_after_days, .. } = retention;
    if delete_after_days < min_retention_days {
        return Err(PruneError::TooYoung { delete_after_days, min_retention_days });
    }
    let kept = TimeDelta::days(i64::from(delete_after_days));
    let Some(cutoff) = now.checked_sub_signed(kept) else { return Ok(Vec::new()) };
    let cutoff = RecordTime::new(cutoff).to_string();
    let segments = segments(store)?;
    let mut prunable = Vec::new();
    for (&segment, &next) in segments.iter().zip(segments.iter().skip(1)) {
        let damaged = |segment: SegmentName| PruneError::Damaged { file: segment.to_string() };
        let next = Opening::read(store, next)?.ok_or_else(|| damaged(next))?;
        match Candidate::read(store, segment, &next)? {
            Some(Candidate { latest, old }) if latest < cutoff => prunable.push(old),
            // It was finished when the next one was begun, so it is old.
            None if next.timestamp < cutoff => return Err(damaged(segment)),
            Some(_) | None => break,
        }
    }
    Ok(prunable)
}

/// What is left of a segment whose deletion was declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    Nothing,
    /// It is as it was.
    All,
    /// It is there, and another one or not to be read.
    Other,
}

impl Left {
    pub(crate) fn of<S: Store>(store: &S, pruned: &PrunedFile) -> Self {
        match store.open(&pruned.name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Nothing,
            Err(_) => Self::Other,
            Ok(file) => match digest_from(&file, 0) {
                Ok(sha256) if sha256 == pruned.sha256 => Self::All,
                Ok(_) | Err(_) => Self::Other,
            },
        }
    }
}

/// The first records of a segment.
struct Opening {
    timestamp: String,
    first_seq: u64,
    prev_hash: Digest,
    frontier: Vec<Digest>,
    tail: Option<FoundTail>,
}

impl Opening {
    fn read<S: Store>(store: &S, segment: SegmentName) -> Result<Option<Self>, OpenError> {
        let file = open(store, segment)?;
        let mut opening: Option<Self> = None;
        read_records(&file, |line| {
            let line = Line::parse(line)?;
            if let Some(opening) = &mut opening {
                opening.tail = line.log_recovered();
                return None;
            }
            let frontier = line.segment_opened()?.merkle_frontier;
            let (timestamp, first_seq) = (line.timestamp.to_owned(), line.seq);
            let prev_hash = line.prev_hash;
            opening = Some(Self { timestamp, first_seq, prev_hash, frontier, tail: None });
            Some(())
        })?;
        Ok(opening.filter(|opening| opening.first_seq == segment.first_seq))
    }
}

/// A segment that was read to its end.
struct Candidate {
    /// The latest time of a record in it.
    latest: String,
    old: Old,
}

impl Candidate {
    /// `None` when it is not whole up to where the next one goes on.
    fn read<S: Store>(
        store: &S,
        segment: SegmentName,
        next: &Opening,
    ) -> Result<Option<Self>, OpenError> {
        let file = open(store, segment)?;
        let mut scan = Scan::new(segment);
        let size = read_records(&file, |line| scan.take(line))?;
        let Some(last) = scan.opened.and_then(|_| scan.chain.head()) else { return Ok(None) };
        let links = last.hash == next.prev_hash
            && scan.chain.frontier().size() == next.first_seq
            && scan.chain.frontier().roots() == next.frontier;
        let name = segment.to_string();
        let tail = FoundTail {
            file: name.clone(),
            offset: scan.offset,
            bytes: size.saturating_sub(scan.offset),
            sha256: digest_from(&file, scan.offset)?,
        };
        let is_accounted = tail.bytes == 0 || next.tail.as_ref() == Some(&tail);
        if !links || !is_accounted {
            return Ok(None);
        }
        let file = PrunedFile { name, size, sha256: digest_from(&file, 0)?, last_seq: None };
        let frontier = next.frontier.clone();
        Ok(Some(Self { latest: scan.latest, old: Old { file, last, frontier } }))
    }
}

fn open<S: Store>(store: &S, segment: SegmentName) -> Result<S::Segment, OpenError> {
    store.open(&segment.to_string()).map_err(OpenError::io("open a segment"))
}

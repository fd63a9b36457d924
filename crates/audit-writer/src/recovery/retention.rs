//! What retention may delete: the oldest segments, as long as they are whole and old enough.

use std::io;
use std::path::Path;

use audit_core::lifecycle::{NewestPrune, PrunedFile};
use audit_core::limits::SEGMENT_DAYS_MAX;
use audit_core::{Receipt, RetentionPolicy};
use chrono::{DateTime, TimeDelta, Utc};

use super::line::Line;
use super::own::{Own, SegmentsPruned};
use super::read::{digest_from, read_records};
use super::segments;
use super::whole::{Old, Opening};
use crate::broken::{self, Broken};
use crate::error::{OpenError, WriteError};
use crate::notes::Notes;
use crate::outbox::SinkFailure;
use crate::segment::SegmentName;
use crate::signing::SignError;
use crate::store::{RealStore, SegmentFile as _, Store};

/// What a prune deletes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PrunePlan {
    /// The segments, oldest first.
    pub files: Vec<PrunedFile>,
    /// The newest record that goes; `None` when nothing does.
    pub last: Option<Receipt>,
    /// Whether a segment stays that is old enough by the clock alone: see [`ClockTrust`].
    pub capped: bool,
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
    /// A segment that is old enough is not whole, does not link to the next one, or says that records
    /// are damaged or gone; or among those that an interrupted prune has left, one is not as it was
    /// declared, is gone, or is none of them. It is evidence of what happened to it, and neither it nor
    /// another one is deleted. Nothing was done.
    #[error(
        "{file} is not whole, not what the next segment follows, not what the log says of it, or \
         tells of damaged or missing records: it is evidence"
    )]
    Damaged {
        /// The segment.
        file: String,
    },
    /// The log signs, and was opened without its key. Nothing was done.
    #[error("a log that signs is not pruned without its key")]
    KeyMissing,
    /// The log does not begin with its first record, nor behind what the newest prune deleted, nor
    /// with a file that it names: somebody else removed records, and a prune would cover that up.
    /// Nothing was done.
    #[error("the log begins with record {begins}, and no prune explains that")]
    Gap {
        /// Seq of the first record that there is.
        begins: u64,
    },
    /// The deletion is declared, and no checkpoint covers the declaration yet. Nothing was deleted
    /// since; the next prune goes on.
    #[error("nothing is deleted before a checkpoint covers its declaration: {0}")]
    NotCovered(SignError),
    /// The deletion is declared, and a sink has not got the checkpoint that covers the declaration.
    /// Nothing was deleted since; the next prune goes on.
    #[error(
        "nothing is deleted before every sink has a checkpoint that covers its declaration: {0}"
    )]
    NotKept(SinkFailure),
    /// The deletion could not be declared in the log. Nothing was deleted since.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A segment could not be deleted. The log says that it was; the next prune goes on.
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

/// How far the times are believed by which a segment is told to be old.
///
/// One wrong reading of the clock must not make records old that are young. So the time between the
/// openings of two segments counts for 31 days at most, in which every writer begins a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockTrust {
    /// Up to 31 days between two segments.
    #[default]
    Capped,
    /// Whole: for a log that really had no record for longer.
    Whole,
}

/// Says what a prune of a log would delete, and changes nothing. Of a log that signs, the times of
/// openings are believed here without the key, so that the prune itself may keep more.
///
/// # Errors
///
/// [`PruneError::TooYoung`], [`PruneError::Look`] and [`PruneError::Damaged`].
pub fn plan_prune(
    dir: impl AsRef<Path>,
    retention: RetentionPolicy,
    trust: ClockTrust,
    now: DateTime<Utc>,
) -> Result<PrunePlan, PruneError> {
    let store = RealStore::open_existing(dir.as_ref());
    let store = store.map_err(OpenError::io("open the directory"))?;
    let Prunable { old, capped } = prunable(&store, retention, trust, now, |_, _| Ok(true))?;
    Ok(PrunePlan {
        last: old.last().map(|old| old.last),
        files: old.into_iter().map(|old| old.file).collect(),
        capped,
    })
}

/// What a policy lets go.
#[derive(Debug, Default)]
pub(crate) struct Prunable {
    /// The segments, oldest first.
    pub(crate) old: Vec<Old>,
    /// Whether one more would go if the clock were believed whole.
    pub(crate) capped: bool,
}

/// Whether a log signs, as the beginning of any of its segments says; of one of before that was said
/// there, any record, or that checkpoints lie beside it.
pub(crate) fn is_of_signed_log<S: Store>(store: &S) -> Result<bool, OpenError> {
    if broken::is(Broken::SignedUnseen) {
        return Ok(false);
    }
    let mut of_before = Vec::new();
    for segment in segments(store)? {
        let Some(opening) = Opening::read(store, segment)? else { continue };
        if opening.names_key {
            return Ok(true);
        }
        of_before.extend(opening.is_of_before().then_some(segment));
    }
    if of_before.is_empty() {
        return Ok(false);
    }
    let has_notes = Notes::find(store).and_then(|notes| notes.any());
    let mut names_key = has_notes.map_err(OpenError::io("look for checkpoints"))?;
    for segment in of_before {
        if names_key {
            break;
        }
        read_records(&open(store, segment)?, |line| {
            names_key |= Line::parse(line)?.key_id().is_some();
            Some(()).filter(|()| !names_key)
        })?;
    }
    Ok(names_key)
}

/// The segments that a policy lets go, oldest first. The newest is never among them. `counts` tells
/// whether the time is to be believed at which a segment was opened.
pub(crate) fn prunable<S: Store>(
    store: &S,
    retention: RetentionPolicy,
    trust: ClockTrust,
    now: DateTime<Utc>,
    mut counts: impl FnMut(SegmentName, Option<&Opening>) -> Result<bool, OpenError>,
) -> Result<Prunable, PruneError> {
    is_allowed(retention)?;
    let old_enough = TimeDelta::days(i64::from(retention.delete_after_days));
    let segments = segments(store)?;
    if !is_oldest_old(store, &segments, now, old_enough, &mut counts)? {
        return Ok(Prunable::default());
    }
    let mut openings = Vec::new();
    for &segment in &segments {
        openings.push(opening_of(store, segment)?);
    }
    let ages = ages(&openings, now, &mut counts)?;
    let mut prunable = Prunable::default();
    for ((segment, _), (next, age)) in openings.iter().zip(openings.iter().skip(1).zip(ages)) {
        let Age { by_clock, capped } = age;
        let is_whole = trust == ClockTrust::Whole || broken::is(Broken::AgeUncapped);
        let believed = if is_whole { by_clock } else { by_clock.min(capped) };
        if believed < old_enough {
            prunable.capped = by_clock >= old_enough;
            break;
        }
        let damaged = || PruneError::Damaged { file: segment.to_string() };
        let old = Old::read(store, *segment, &next.1)?.ok_or_else(damaged)?;
        prunable.old.push(old);
    }
    Ok(prunable)
}

fn opening_of<S: Store>(
    store: &S,
    segment: SegmentName,
) -> Result<(SegmentName, Opening), PruneError> {
    let damaged = || PruneError::Damaged { file: segment.to_string() };
    Ok((segment, Opening::read(store, segment)?.ok_or_else(damaged)?))
}

/// Whether the oldest segment is old enough by the clock, without which none is: so much can be told by
/// the next opening that counts.
fn is_oldest_old<S: Store>(
    store: &S,
    segments: &[SegmentName],
    now: DateTime<Utc>,
    old_enough: TimeDelta,
    counts: &mut impl FnMut(SegmentName, Option<&Opening>) -> Result<bool, OpenError>,
) -> Result<bool, PruneError> {
    let mut behind = segments.iter().skip(1).copied();
    let mut behind = || behind.next().map(|name| opening_of(store, name)).transpose();
    let mut named = behind()?;
    while let Some((segment, opening)) = named {
        let next = behind()?;
        if let Some(opened) = opening.opened_at()
            && counts(segment, next.as_ref().map(|(_, next)| next))?
        {
            return Ok(now.signed_duration_since(opened) >= old_enough);
        }
        named = next;
    }
    // Nothing tells how old it is.
    Ok(old_enough <= TimeDelta::zero())
}

/// Whether a policy keeps records for as long as it has to.
pub(crate) fn is_allowed(retention: RetentionPolicy) -> Result<(), PruneError> {
    let RetentionPolicy { min_retention_days, delete_after_days, .. } = retention;
    if delete_after_days < min_retention_days && !broken::is(Broken::PruneYoung) {
        return Err(PruneError::TooYoung { delete_after_days, min_retention_days });
    }
    Ok(())
}

/// How old a segment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Age {
    /// Since the next one was opened.
    by_clock: TimeDelta,
    /// The same, each time between two openings counted with at least nothing and at most 31 days.
    capped: TimeDelta,
}

/// The age of each segment but the newest. An opening that does not count is passed over: the next
/// one that does tells the age.
fn ages(
    openings: &[(SegmentName, Opening)],
    now: DateTime<Utc>,
    counts: &mut impl FnMut(SegmentName, Option<&Opening>) -> Result<bool, OpenError>,
) -> Result<Vec<Age>, OpenError> {
    let most = TimeDelta::days(SEGMENT_DAYS_MAX);
    let mut age = Age { by_clock: TimeDelta::zero(), capped: TimeDelta::zero() };
    let (mut ages, mut after, mut next) = (Vec::new(), now, None);
    for (segment, opening) in openings.iter().skip(1).rev() {
        if let Some(opened) = opening.opened_at()
            && counts(*segment, next)?
        {
            let gap = after.signed_duration_since(opened).clamp(TimeDelta::zero(), most);
            let capped = age.capped.checked_add(&gap).unwrap_or(TimeDelta::MAX);
            age = Age { by_clock: now.signed_duration_since(opened), capped };
            after = opened;
        }
        ages.push(age);
        next = Some(opening);
    }
    ages.reverse();
    Ok(ages)
}

/// The files that a prune of this seq names.
pub(crate) fn pruned_files<S: Store>(store: &S, seq: u64) -> Result<Vec<PrunedFile>, OpenError> {
    Ok(prune_at(store, seq)?.map(|pruned| pruned.files).unwrap_or_default())
}

/// Whether a prune agrees with the segment that begins where it ended, and that there is one.
pub(crate) fn agrees_with_rest<S: Store>(
    store: &S,
    newest: NewestPrune,
) -> Result<bool, OpenError> {
    let next = newest.last_seq.checked_add(1);
    let segment = segments(store)?.into_iter().find(|segment| Some(segment.first_seq) == next);
    let Some(segment) = segment else { return Ok(false) };
    let Some(opening) = Opening::read(store, segment)? else { return Ok(false) };
    // Its record may be deleted by now.
    let told = prune_at(store, newest.seq)?;
    let is_of_frontier = told.is_none_or(|told| told.merkle_frontier == opening.frontier());
    Ok(opening.prev_hash == newest.last_hash && is_of_frontier)
}

fn prune_at<S: Store>(store: &S, seq: u64) -> Result<Option<SegmentsPruned>, OpenError> {
    let segments = segments(store)?;
    let Some(segment) = segments.iter().rfind(|segment| segment.first_seq <= seq) else {
        return Ok(None);
    };
    let file = open(store, *segment)?;
    let mut found = None;
    read_records(&file, |line| {
        let line = Line::parse(line).filter(|line| line.seq <= seq)?;
        if line.seq == seq {
            found = line.own().and_then(Own::pruned).cloned();
        }
        Some(())
    })?;
    Ok(found)
}

/// Whether a segment whose deletion was declared is there, and as it was then.
pub(crate) fn is_as_declared<S: Store>(store: &S, pruned: &PrunedFile) -> bool {
    let Ok(file) = store.open(&pruned.name) else { return false };
    let is_as_long = || file.length().is_ok_and(|length| length == pruned.size);
    let is_same = || digest_from(&file, 0).is_ok_and(|sha256| sha256 == pruned.sha256);
    (is_as_long() && is_same()) || broken::is(Broken::PruneChanged)
}

fn open<S: Store>(store: &S, segment: SegmentName) -> Result<S::Segment, OpenError> {
    store.open(&segment.to_string()).map_err(OpenError::io("open a segment"))
}

//! Which record may follow which inside a segment. Pure.
//!
//! The order of a segment is `segment_opened`, then, where a writer opened the log there,
//! `log_recovered`, `log_opened` and what is due besides; then any events; `log_closed` and
//! `format_changed` are the last. A segment that is sealed has seals at the end of its opening
//! records, at each of the writer's own records behind them but `events_lost`, and at its end.

mod sealing;

use super::line::Line;
use super::own::Own;
use sealing::Sealing;

/// Where a segment is, after its records so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    before: Before,
    stage: Stage,
    sealing: Sealing,
}

/// How the segment before ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// With `log_closed`, so that a writer has opened the log since.
    Closed,
    /// Otherwise, or nothing is known of it.
    NotClosed,
}

/// What the next record may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    First,
    /// After `segment_opened`, at seq 0 or at another.
    Opened(Begins),
    /// After `log_recovered`.
    Recovered,
    /// After `log_opened`.
    LogOpened,
    /// After `records_adopted`.
    Adopted,
    /// Any event that is not among the opening records alone.
    Running,
    Closed,
    FormatChanged,
}

/// Where a segment begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begins {
    Log,
    Segment,
}

/// A record, as far as its place is judged by it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<'r> {
    seq: u64,
    /// Its event, where that is one of the writer's own.
    own: Option<&'r Own>,
    is_sealed: bool,
}

/// Why a record or an end cannot be where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misplaced {
    /// Nothing follows `log_closed`.
    AfterClose,
    /// Nothing follows `format_changed`.
    AfterFormatChange,
    SegmentOpenedMissing,
    SegmentOpened,
    LogRecovered,
    LogOpened,
    LogOpenedMissing,
    /// It is only among the opening records of a writer that opens the log, and once.
    OpeningRecord,
    /// A record with a seal, in a segment that is not sealed.
    Seal,
    SealMissing,
    /// The segment names a key that a `key_changed` among its opening records has to bring, and
    /// there is none, or it is another record.
    KeyChangedMissing,
}

impl<'r> From<&'r Line<'_>> for Step<'r> {
    fn from(line: &'r Line<'_>) -> Self {
        Self { seq: line.seq, own: line.own(), is_sealed: line.sealed.is_some() }
    }
}

impl Order {
    /// The order of a segment of which no record is read yet.
    pub(super) const fn after(before: Before) -> Self {
        Self { before, stage: Stage::First, sealing: Sealing::new() }
    }

    /// Takes the next record; the order with it.
    ///
    /// # Errors
    ///
    /// Why it cannot be the next one.
    pub(super) fn step<'r>(self, step: impl Into<Step<'r>>) -> Result<Self, Misplaced> {
        let step = step.into();
        let stage = self.next_stage(step.seq, step.own)?;
        Ok(Self { stage, sealing: self.sealing.step(&step)?, ..self })
    }

    /// Ends the segment, before the next one begins.
    ///
    /// # Errors
    ///
    /// What is missing in it. A writer that leaves a segment as missing or poisoned may leave it
    /// without its last seal.
    #[cfg_attr(not(test), expect(dead_code, reason = "an open reads the newest segment alone"))]
    pub(super) fn end(&self) -> Result<(), Misplaced> {
        self.check_opening()?;
        if self.sealing.is_owed() { Err(Misplaced::SealMissing) } else { Ok(()) }
    }

    /// Checks that the opening records are whole, as they are before their segment has a name.
    ///
    /// # Errors
    ///
    /// Which one is missing.
    pub(super) fn check_opening(&self) -> Result<(), Misplaced> {
        match self.stage {
            Stage::First => Err(Misplaced::SegmentOpenedMissing),
            Stage::Opened(_) | Stage::Recovered if self.owes_log_opened() => {
                Err(Misplaced::LogOpenedMissing)
            }
            Stage::Opened(_)
            | Stage::Recovered
            | Stage::LogOpened
            | Stage::Adopted
            | Stage::Running
            | Stage::Closed
            | Stage::FormatChanged => {
                if self.sealing.is_opening() {
                    Err(Misplaced::SealMissing)
                } else {
                    Ok(())
                }
            }
        }
    }

    /// Whether a writer must have opened the log here, so that its `log_opened` is due.
    fn owes_log_opened(&self) -> bool {
        match self.stage {
            Stage::Opened(begins) => begins == Begins::Log || self.before == Before::Closed,
            Stage::Recovered => true,
            Stage::First
            | Stage::LogOpened
            | Stage::Adopted
            | Stage::Running
            | Stage::Closed
            | Stage::FormatChanged => false,
        }
    }

    fn next_stage(&self, seq: u64, own: Option<&Own>) -> Result<Stage, Misplaced> {
        let begins = if seq == 0 { Begins::Log } else { Begins::Segment };
        match (self.stage, own) {
            (Stage::Closed, _) => Err(Misplaced::AfterClose),
            (Stage::FormatChanged, _) => Err(Misplaced::AfterFormatChange),
            (Stage::First, Some(Own::SegmentOpened(_))) => Ok(Stage::Opened(begins)),
            (Stage::First, _) => Err(Misplaced::SegmentOpenedMissing),
            (_, Some(Own::SegmentOpened(_))) => Err(Misplaced::SegmentOpened),
            (Stage::Opened(_), Some(Own::LogRecovered(_))) => Ok(Stage::Recovered),
            (_, Some(Own::LogRecovered(_))) => Err(Misplaced::LogRecovered),
            (Stage::Opened(_) | Stage::Recovered, Some(Own::LogOpened(_))) => Ok(Stage::LogOpened),
            (_, Some(Own::LogOpened(_))) => Err(Misplaced::LogOpened),
            (Stage::Opened(_) | Stage::Recovered, _) if self.owes_log_opened() => {
                Err(Misplaced::LogOpenedMissing)
            }
            (_, Some(Own::RecordsAdopted(_) | Own::LogCopied(_))) => self.next_at_opening(own),
            (_, Some(Own::LogClosed)) => Ok(Stage::Closed),
            (_, Some(Own::FormatChanged(_))) => Ok(Stage::FormatChanged),
            (_, _) => Ok(Stage::Running),
        }
    }

    /// What a writer has to say of the log when it opens it follows `log_opened`, in the same write.
    fn next_at_opening(&self, own: Option<&Own>) -> Result<Stage, Misplaced> {
        match (self.stage, own) {
            _ if self.sealing.is_behind_opening() => Err(Misplaced::OpeningRecord),
            (Stage::LogOpened, Some(Own::RecordsAdopted(_))) => Ok(Stage::Adopted),
            (Stage::LogOpened | Stage::Adopted, Some(Own::LogCopied(_))) => Ok(Stage::Running),
            (_, _) => Err(Misplaced::OpeningRecord),
        }
    }
}

#[cfg(test)]
mod tests;

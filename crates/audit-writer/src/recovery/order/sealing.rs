//! Where the records of a segment have seals, judged by their place alone.

use super::{Misplaced, Step};
use crate::recovery::own::Own;

/// Whether records have seals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sealing {
    /// Not known before the first record.
    Unknown,
    /// The segment has no key, so no record has a seal.
    Never,
    /// The opening records have none yet.
    Opening {
        newest: Place,
        /// Where `key_changed` has to bring the key that the segment names.
        key_due_at: Option<u64>,
    },
    /// The newest record has a seal.
    Sealed,
    /// The newest record has none, and is behind the opening records.
    Unsealed,
}

/// The order of opening records, which are one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    SegmentOpened,
    LogRecovered,
    LogOpened,
    RecordsAdopted,
    LogCopied,
    DamageFound,
    SegmentMissing,
    CheckpointSigned,
    KeyChanged,
}

impl Place {
    fn of(own: &Own) -> Option<Self> {
        match own {
            Own::SegmentOpened(_) => Some(Self::SegmentOpened),
            Own::LogRecovered(_) => Some(Self::LogRecovered),
            Own::LogOpened(_) => Some(Self::LogOpened),
            Own::RecordsAdopted(_) => Some(Self::RecordsAdopted),
            Own::LogCopied(_) => Some(Self::LogCopied),
            Own::DamageFound => Some(Self::DamageFound),
            Own::SegmentMissing => Some(Self::SegmentMissing),
            Own::CheckpointSigned(_) => Some(Self::CheckpointSigned),
            Own::KeyChanged(_) => Some(Self::KeyChanged),
            Own::EventsLost
            | Own::SegmentsPruned(_)
            | Own::ClockStepped
            | Own::DiskFull
            | Own::FormatChanged(_)
            | Own::LogClosed => None,
        }
    }

    /// Whether a record of the next place may come behind this one in the same write.
    fn allows(self, next: Self) -> bool {
        let repeats =
            matches!(next, Self::DamageFound | Self::SegmentMissing | Self::CheckpointSigned);
        self < next || (self == next && repeats)
    }
}

impl Sealing {
    pub(super) const fn new() -> Self {
        Self::Unknown
    }

    /// Whether the opening records still have to end with a seal.
    pub(super) const fn is_opening(self) -> bool {
        matches!(self, Self::Opening { .. })
    }

    /// Whether the opening records have ended with a seal.
    pub(super) const fn is_behind_opening(self) -> bool {
        matches!(self, Self::Sealed | Self::Unsealed)
    }

    /// Whether the newest record would need a seal, were it the last one.
    pub(super) const fn is_owed(self) -> bool {
        matches!(self, Self::Opening { .. } | Self::Unsealed)
    }

    /// Takes the next record.
    pub(super) fn step(self, step: &Step<'_>) -> Result<Self, Misplaced> {
        match self {
            Self::Unknown => Self::first(step),
            Self::Never if step.is_sealed => Err(Misplaced::Seal),
            Self::Never => Ok(Self::Never),
            Self::Opening { newest, key_due_at } => Self::of_opening(newest, key_due_at, step),
            Self::Sealed | Self::Unsealed if step.is_sealed => Ok(Self::Sealed),
            Self::Sealed | Self::Unsealed => match step.own {
                // These may share a write with what follows.
                None | Some(Own::EventsLost) => Ok(Self::Unsealed),
                Some(_) => Err(Misplaced::SealMissing),
            },
        }
    }

    fn first(step: &Step<'_>) -> Result<Self, Misplaced> {
        let Some(Own::SegmentOpened(opened)) = step.own else {
            return Err(Misplaced::SegmentOpenedMissing);
        };
        let Some(key) = &opened.key else { return Self::Never.step(step) };
        let key_due_at = Some(key.since).filter(|&since| since > step.seq);
        Self::after_opening(Place::SegmentOpened, key_due_at, step)
    }

    fn of_opening(
        newest: Place,
        key_due_at: Option<u64>,
        step: &Step<'_>,
    ) -> Result<Self, Misplaced> {
        // Any other record shows that the one before was the last of them, without a seal.
        let place = step.own.and_then(Place::of).filter(|&place| newest.allows(place));
        let place = place.ok_or(Misplaced::SealMissing)?;
        let brings_key = place == Place::KeyChanged;
        if brings_key && key_due_at.is_some_and(|due| due != step.seq) {
            return Err(Misplaced::KeyChangedMissing);
        }
        Self::after_opening(place, key_due_at.filter(|_| !brings_key), step)
    }

    fn after_opening(
        newest: Place,
        key_due_at: Option<u64>,
        step: &Step<'_>,
    ) -> Result<Self, Misplaced> {
        match (step.is_sealed, newest, key_due_at) {
            (true, _, Some(_)) => Err(Misplaced::KeyChangedMissing),
            (true, _, None) => Ok(Self::Sealed),
            // It is the last of them.
            (false, Place::KeyChanged, _) => Err(Misplaced::SealMissing),
            (false, _, _) => Ok(Self::Opening { newest, key_due_at }),
        }
    }
}

//! Whether the opening records of a segment agree with each other.

use audit_core::lifecycle::SegmentOpened;

use super::{KeyChanged, LogOpened, Own, SegmentsPruned};

impl Own {
    /// Whether it agrees with what the first record of its segment, of another seq, says. `seq` is
    /// that of its own record.
    pub(crate) fn agrees_with(&self, opened: &SegmentOpened, first_seq: u64, seq: u64) -> bool {
        let due = opened.key.as_ref().filter(|key| key.since > first_seq);
        match self {
            Self::LogOpened(log) => log_opened_agrees(log, opened, due.is_some()),
            Self::KeyChanged(KeyChanged { new_vkey, .. }) => {
                due.is_none_or(|due| due.since != seq || due.vkey == *new_vkey)
            }
            Self::RecordsAdopted(adopted) => {
                opened.key.is_some() && adopted.last_seq.checked_add(1) == Some(first_seq)
            }
            Self::SegmentsPruned(pruned) => prune_agrees(pruned, opened, first_seq),
            Self::SegmentOpened(_)
            | Self::LogRecovered(_)
            | Self::EventsLost
            | Self::SegmentMissing
            | Self::DamageFound
            | Self::LogCopied(_)
            | Self::ClockStepped
            | Self::DiskFull
            | Self::CheckpointSigned(_)
            | Self::FormatChanged(_)
            | Self::LogClosed => true,
        }
    }
}

/// Only segments before this one were deleted.
fn prune_agrees(pruned: &SegmentsPruned, opened: &SegmentOpened, first_seq: u64) -> bool {
    let SegmentsPruned { end, merkle_frontier, .. } = pruned;
    let is_before = || {
        let last = opened.previous.as_ref().is_none_or(|it| it.last_hash == end.last_hash);
        last && *merkle_frontier == opened.merkle_frontier
    };
    end.last_seq < first_seq && (end.last_seq.checked_add(1) != Some(first_seq) || is_before())
}

/// A writer says the same of itself as of its segment. Where its opening changes the key, its key is
/// still the old one.
fn log_opened_agrees(log: &LogOpened, opened: &SegmentOpened, changes_key: bool) -> bool {
    let limit = opened.unsynced_max_bytes;
    let is_key = |vkey: &str| opened.key.as_ref().is_none_or(|key| key.vkey == vkey);
    limit.is_none_or(|limit| limit == log.unsynced_max_bytes)
        && !(log.is_unsigned && opened.key.is_some())
        && (changes_key || log.vkey.as_deref().is_none_or(is_key))
}

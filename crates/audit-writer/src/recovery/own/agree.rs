//! Whether an event of the writer's own can be true of the log up to it.
//!
//! Only what one record shows is looked at: its seq, its `prev_hash`, and what it says.

use audit_core::lifecycle::{PrunedFile, SegmentOpened};
use audit_core::{Digest, Frontier};

use super::{Own, RecordsAdopted, SegmentsPruned};
use crate::segment::SegmentName;

impl Own {
    /// Whether it can be true in a record of this seq, which follows the one of this hash.
    pub(crate) fn can_be_true(&self, seq: u64, prev_hash: &Digest) -> bool {
        match self {
            Self::SegmentOpened(opened) => opening_can_be_true(opened, seq, prev_hash),
            Self::SegmentsPruned(pruned) => prune_can_be_true(pruned, seq),
            Self::CheckpointSigned(signed) => signed.size <= seq,
            Self::RecordsAdopted(RecordsAdopted { first_seq, last_seq, begins }) => {
                begins <= first_seq && first_seq <= last_seq && *last_seq < seq
            }
            Self::LogRecovered(_)
            | Self::LogOpened(_)
            | Self::EventsLost
            | Self::SegmentMissing
            | Self::DamageFound
            | Self::LogCopied(_)
            | Self::ClockStepped
            | Self::DiskFull
            | Self::KeyChanged(_)
            | Self::FormatChanged(_)
            | Self::LogClosed => true,
        }
    }
}

fn opening_can_be_true(opened: &SegmentOpened, seq: u64, prev_hash: &Digest) -> bool {
    let follows = opened.previous.as_ref().is_none_or(|previous| {
        previous.last_seq.checked_add(1) == Some(seq) && previous.last_hash == *prev_hash
    });
    let pruned_before =
        opened.pruned.is_none_or(|pruned| pruned.last_seq < pruned.seq && pruned.seq < seq);
    follows
        && pruned_before
        && (seq == 0) == (*prev_hash == Digest::ZERO)
        && (seq == 0 || opened.continues.is_none())
        && (opened.key.is_none() || opened.sealed_from.is_some())
        && opened.sealed_from.is_none_or(|from| from < seq || (from == seq && opened.key.is_some()))
        && Frontier::from_roots(seq, &opened.merkle_frontier).is_some()
}

fn prune_can_be_true(pruned: &SegmentsPruned, seq: u64) -> bool {
    let SegmentsPruned { end, merkle_frontier, files, after, has_before } = pruned;
    let last_seq = end.last_seq;
    let begins = after.map_or(Some(0), |after| after.last_seq.checked_add(1));
    last_seq < seq
        && Frontier::from_roots(last_seq.saturating_add(1), merkle_frontier).is_some()
        && (!has_before || begins.is_some_and(|begins| reaches(files, begins, last_seq)))
}

/// Whether each file goes on where the one before ends, from one seq to another.
fn reaches(files: &[PrunedFile], begins: u64, last_seq: u64) -> bool {
    let ends = files.iter().try_fold(begins, |due, file| {
        let name = SegmentName::parse(&file.name).filter(|name| name.first_seq == due)?;
        file.last_seq.filter(|&last_seq| last_seq >= name.first_seq)?.checked_add(1)
    });
    !files.is_empty() && ends == last_seq.checked_add(1)
}

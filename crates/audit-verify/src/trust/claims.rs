//! Checkpoints, each a claim of what root the tree has at a size, compared while records pass.

use std::ops::RangeInclusive;
use std::sync::Arc;

use audit_checkpoint::{Checkpoint, Note};
use audit_core::{Digest, Frontier};

use super::keys::Standing;
use crate::finding::{Code, Finding, Ledger, Notice, NoticeCode};
use crate::notes::path_of;

/// That the tree over the first `size` records has this root.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(super) checkpoint: Checkpoint,
    pub(super) by: By,
}

/// Where a claim is from.
#[derive(Debug)]
pub(super) enum By {
    /// A checkpoint beside the log, under this name.
    Beside { name: String, standing: Standing },
    /// One that was kept elsewhere.
    Given(Note),
    /// The one up to which the log was verified before.
    Since(Note),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    NotYet,
    /// The tree has that root.
    Held,
    /// It has, and bytes before cannot be read, so that nobody has seen all of these records.
    Agrees,
    Contradicted,
}

/// All claims, by size, and what came of them.
#[derive(Clone, Debug)]
pub(crate) struct Claims {
    by_size: Arc<[Claim]>,
    seen: Vec<Seen>,
    /// The first that is not compared yet, and that was not passed by.
    next: usize,
}

impl Claims {
    pub(super) fn new(mut claims: Vec<Claim>) -> Self {
        claims.sort_by_key(Claim::size);
        Self { seen: vec![Seen::NotYet; claims.len()], by_size: claims.into(), next: 0 }
    }

    /// Compares what is claimed of a tree of this size. A size that no frontier was known at is
    /// passed by. Whether all records of the tree were seen is told by `is_chained`.
    pub(crate) fn compare(&mut self, frontier: &Frontier, is_chained: bool, ledger: &mut Ledger) {
        while let (Some(claim), Some(seen)) =
            (self.by_size.get(self.next), self.seen.get_mut(self.next))
        {
            if claim.size() > frontier.size() {
                return;
            }
            if claim.size() == frontier.size() {
                let root = frontier.root();
                *seen = match *claim.checkpoint.root() == root {
                    true if is_chained => Seen::Held,
                    true => Seen::Agrees,
                    false => Seen::Contradicted,
                };
                if *seen == Seen::Contradicted {
                    ledger.find(claim.contradicted(root));
                }
            }
            self.next = self.next.saturating_add(1);
        }
    }

    /// The root at this size, where a claim of it was found true.
    pub(crate) fn root_at(&self, size: u64) -> Option<Digest> {
        let from = self.by_size.partition_point(|claim| claim.size() < size);
        let claims = self.by_size.iter().zip(&self.seen).skip(from);
        let mut of_size = claims.take_while(|(claim, _)| claim.size() == size);
        let held = of_size.find(|(_, seen)| matches!(seen, Seen::Held | Seen::Agrees));
        held.map(|(claim, _)| *claim.checkpoint.root())
    }

    /// All of them, by size, and whether they were found true.
    pub(super) fn outcomes(&self) -> impl DoubleEndedIterator<Item = (&Claim, bool)> {
        self.by_size.iter().zip(&self.seen).map(|(claim, seen)| (claim, *seen == Seen::Held))
    }

    /// The checkpoints beside the log over so many records: sizes and names.
    pub(crate) fn beside(&self, sizes: RangeInclusive<u64>) -> impl Iterator<Item = (u64, String)> {
        let of_sizes = self.by_size.iter().filter(move |claim| sizes.contains(&claim.size()));
        of_sizes.filter_map(|claim| match &claim.by {
            By::Beside { name, .. } => Some((claim.size(), name.clone())),
            By::Given(_) | By::Since(_) => None,
        })
    }

    /// Says of each claim that was not compared why it was not, once the log has been read: it has
    /// this many records, if that is known, of which so many were deleted since.
    pub(super) fn finish(&self, end: Option<u64>, gone: u64, ledger: &mut Ledger) {
        let mut passed = Vec::new();
        let claims = self.by_size.iter().zip(&self.seen);
        for (claim, _) in claims.filter(|(_, seen)| **seen == Seen::NotYet) {
            match (end, &claim.by) {
                (Some(end), _) if claim.size() > end => ledger.find(claim.beyond(end)),
                (_, By::Given(_) | By::Since(_)) if claim.size() < gone => {
                    let records = claim.size();
                    let message = format!(
                        "the given checkpoint over {records} records says nothing: they were deleted"
                    );
                    ledger.note(Notice::new(NoticeCode::PinInPruned, message));
                }
                (_, By::Given(_) | By::Since(_)) => ledger.find(claim.finding(Code::PinNotChecked)),
                (_, By::Beside { .. }) => passed.push(claim.size()),
            }
        }
        if let (Some(least), Some(most)) = (passed.first(), passed.last()) {
            let message = format!(
                "{} checkpoints, over {least} to {most} records, were not compared, since it is not \
                 known which records these are",
                passed.len()
            );
            ledger.note(Notice::new(NoticeCode::CheckpointsNotCompared, message));
        }
    }
}

impl Claim {
    pub(super) fn size(&self) -> u64 {
        self.checkpoint.size()
    }

    /// The seq of the last record that it covers.
    pub(super) fn last_seq(&self) -> Option<u64> {
        self.size().checked_sub(1)
    }

    fn finding(&self, code: Code) -> Finding {
        let finding = Finding::new(code, code.meaning()).seq(self.last_seq());
        match &self.by {
            By::Beside { name, .. } => finding.in_file(&path_of(name)),
            By::Given(_) | By::Since(_) => finding,
        }
    }

    fn contradicted(&self, root: Digest) -> Finding {
        let code = match self.by {
            By::Beside { .. } => Code::CheckpointMismatch,
            By::Given(_) | By::Since(_) => Code::PinMismatch,
        };
        let claimed = self.checkpoint.root_base64();
        self.finding(code).expected(claimed).found(super::base64(root))
    }

    fn beyond(&self, end: u64) -> Finding {
        let code = match self.by {
            By::Beside { .. } => Code::CheckpointBeyondEnd,
            By::Given(_) | By::Since(_) => Code::PinBeyondEnd,
        };
        let expected = format!("{} records", self.size());
        self.finding(code).expected(expected).found(format_args!("{end} records"))
    }
}

//! Heads that were kept elsewhere: a log has to hold them.

use std::ops::RangeInclusive;

use audit_core::{Digest, Receipt};

use crate::broken::{self, Broken};
use crate::finding::{Code, Finding, Ledger, Place};

/// The heads that were given, and which of them the log was found to hold.
#[derive(Clone, Debug)]
pub(crate) struct Heads {
    heads: Vec<(Receipt, Seen)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    NotYet,
    Held,
    Contradicted,
}

impl Heads {
    pub(crate) fn new(heads: &[Receipt]) -> Self {
        Self { heads: heads.iter().map(|&head| (head, Seen::NotYet)).collect() }
    }

    /// Compares a record whose hash is right.
    pub(crate) fn compare(
        &mut self,
        seq: u64,
        hash: Digest,
        place: Place<'_>,
        ledger: &mut Ledger,
    ) {
        for (head, seen) in self.heads.iter_mut().filter(|(head, _)| head.seq == seq) {
            if head.hash == hash {
                *seen = Seen::Held;
                continue;
            }
            *seen = Seen::Contradicted;
            ledger.find(
                Finding::new(Code::HeadMismatch, "the record has another hash than the given head")
                    .at(place)
                    .seq(seq)
                    .expected(head.hash)
                    .found(hash),
            );
        }
    }

    /// Whether a head is of one of these records.
    pub(crate) fn any_within(&self, seqs: RangeInclusive<u64>) -> bool {
        self.heads.iter().any(|(head, _)| seqs.contains(&head.seq))
    }

    /// The newest record that a head covers, of a log whose records from this seq on have no unbroken
    /// links back to its first.
    pub(crate) fn covered(&self, unlinked: Option<u64>) -> Option<u64> {
        let unlinked = broken::unless(Broken::GapHeadCovered, unlinked);
        let is_chained = |seq: u64| unlinked.is_none_or(|unlinked| seq < unlinked);
        let held = self.heads.iter();
        let held = held.filter(|(head, seen)| *seen == Seen::Held && is_chained(head.seq));
        held.map(|(head, _)| head.seq).max()
    }

    /// Says of each head that was not met why it was not, once the log has been read: it has this
    /// many records, as far as it can be read.
    pub(crate) fn finish(&self, records: u64, ledger: &mut Ledger) {
        for (head, _) in self.heads.iter().filter(|(_, seen)| *seen == Seen::NotYet) {
            if head.seq >= records {
                let last = records.checked_sub(1);
                let end = last.map_or("nothing".to_owned(), |last| format!("seq {last}"));
                ledger.find(
                    Finding::new(
                        Code::HeadBeyondEnd,
                        "the log ends before a record that a head proves to have existed",
                    )
                    .seq(head.seq)
                    .expected(head)
                    .found(end),
                );
            } else {
                ledger.find(
                    Finding::new(
                        Code::HeadNotChecked,
                        "the record of a head is not among those that can be read",
                    )
                    .seq(head.seq)
                    .expected(head),
                );
            }
        }
    }
}

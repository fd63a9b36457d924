//! What has become of the tickets: settled in order, but for critical records that overtook.

use std::collections::BTreeSet;

use crate::error::WriteError;

/// Which tickets are settled, and which of them badly.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// All up to this one are.
    up_to: u64,
    /// Beyond it, these are.
    early: BTreeSet<u64>,
    /// Of these it is not known that they are in the log, and why. One entry for a segment that
    /// somebody else has touched.
    failed: Vec<Failure>,
}

#[derive(Debug)]
struct Failure {
    tickets: Vec<u64>,
    cause: WriteError,
}

impl Settled {
    /// Settles a ticket.
    pub(super) fn add(&mut self, ticket: u64) {
        self.early.insert(ticket);
        while self.early.remove(&self.up_to.saturating_add(1)) {
            self.up_to = self.up_to.saturating_add(1);
        }
    }

    /// Remembers why tickets, which are in order, were settled badly.
    pub(super) fn note_failure(&mut self, tickets: Vec<u64>, cause: WriteError) {
        if !tickets.is_empty() {
            self.failed.push(Failure { tickets, cause });
        }
    }

    pub(super) fn up_to(&self) -> u64 {
        self.up_to
    }

    pub(super) fn early(&self) -> &BTreeSet<u64> {
        &self.early
    }

    pub(super) fn contains(&self, ticket: u64) -> bool {
        ticket <= self.up_to || self.early.contains(&ticket)
    }

    /// What keeps one of these tickets from being durable.
    pub(super) fn failure_within(&self, from: u64, to: u64) -> Option<WriteError> {
        let within = |failure: &&Failure| {
            let first = failure.tickets.partition_point(|&ticket| ticket < from);
            failure.tickets.get(first).is_some_and(|&ticket| ticket <= to)
        };
        self.failed.iter().find(within).map(|failure| failure.cause.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_that_overtook_is_settled_and_those_before_it_are_not() {
        let mut settled = Settled::default();
        settled.add(1);
        settled.add(4);
        assert_eq!((settled.up_to(), settled.early().len()), (1, 1));
        assert!(settled.contains(4) && !settled.contains(2) && !settled.contains(5));
        settled.add(3);
        settled.add(2);
        assert_eq!((settled.up_to(), settled.early().len()), (4, 0));
    }

    #[test]
    fn a_failure_is_found_by_those_whom_it_concerns() {
        let mut settled = Settled::default();
        settled.note_failure(vec![3, 5], WriteError::SeqExhausted);
        for (from, to, failed) in [(1, 2, false), (4, 4, false), (3, 3, true), (1, 9, true)] {
            assert_eq!(settled.failure_within(from, to).is_some(), failed, "{from} to {to}");
        }
    }
}

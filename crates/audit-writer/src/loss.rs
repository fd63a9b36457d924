//! Events that were offered and are not in the log, counted until they can be declared in it.

use audit_core::digest::Hasher;
use audit_core::lifecycle::{LifecycleEvent, LossReason};
use audit_core::{Digest, RecordTime};

/// An event that was offered and will not be in the log.
#[derive(Clone, Copy, Debug)]
pub struct Loss {
    /// Why.
    pub reason: LossReason,
    /// Whether it was critical, as far as that is known.
    pub critical: bool,
    /// SHA-256 of what was refused, where that is at hand.
    pub sha256: Option<Digest>,
}

/// Losses that the log is still to be told of, a tally for each reason.
#[derive(Debug, Default)]
pub(crate) struct Losses(Vec<LossTally>);

impl Losses {
    /// Counts a loss.
    pub(crate) fn add(&mut self, at: RecordTime, loss: Loss) {
        match self.of(loss.reason) {
            Some(tally) => tally.add(at, loss),
            None => self.0.push(LossTally::new(at, loss)),
        }
    }

    /// Counts those of a tally again, whose own declaration will not be in the log.
    pub(crate) fn absorb(&mut self, lost: &LossTally) {
        match self.of(lost.reason) {
            Some(tally) => tally.absorb(lost),
            None => self.0.push(lost.clone()),
        }
    }

    fn of(&mut self, reason: LossReason) -> Option<&mut LossTally> {
        self.0.iter_mut().find(|tally| tally.reason == reason)
    }

    /// Takes the newest tally.
    pub(crate) fn pop(&mut self) -> Option<LossTally> {
        self.0.pop()
    }

    /// Takes all, in the order of their first losses.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = LossTally> {
        self.0.drain(..)
    }
}

/// Losses of one kind, in a row.
#[derive(Clone, Debug)]
pub(crate) struct LossTally {
    reason: LossReason,
    count: u64,
    critical_count: u64,
    first: RecordTime,
    last: RecordTime,
    only: Option<Digest>,
    digests: Hasher,
}

impl LossTally {
    /// Begins to count losses of the kind of the first one.
    pub(crate) fn new(at: RecordTime, loss: Loss) -> Self {
        let mut tally = Self {
            reason: loss.reason,
            count: 0,
            critical_count: 0,
            first: at,
            last: at,
            only: None,
            digests: Hasher::default(),
        };
        tally.add(at, loss);
        tally
    }

    /// Counts another one.
    fn add(&mut self, at: RecordTime, loss: Loss) {
        self.count = self.count.saturating_add(1);
        self.critical_count = self.critical_count.saturating_add(u64::from(loss.critical));
        self.last = at;
        if let Some(digest) = loss.sha256 {
            self.only = Some(digest);
            self.digests.update(digest.as_bytes());
        }
    }

    /// Counts those of another tally of the same kind, whose own declaration is not in the log: its
    /// digest stands for theirs.
    fn absorb(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.critical_count = self.critical_count.saturating_add(other.critical_count);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        if let Some(digest) = other.sha256() {
            self.only = Some(digest);
            self.digests.update(digest.as_bytes());
        }
    }

    fn sha256(&self) -> Option<Digest> {
        let together = || self.digests.clone().finish();
        self.only.map(|only| if self.count == 1 { only } else { together() })
    }

    /// The record that declares them. Its `sha256` is that of the refused line; where several are
    /// declared at once, that of their digests (32 bytes each) in order.
    pub(crate) fn event(&self) -> LifecycleEvent {
        LifecycleEvent::EventsLost {
            count: self.count,
            critical_count: self.critical_count,
            reason: self.reason,
            first: self.first,
            last: self.last,
            sha256: self.sha256(),
        }
    }
}

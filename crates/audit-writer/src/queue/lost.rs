//! What was lost: counted for ever, and kept until the log has been told.

use audit_core::RecordTime;

use super::frames::Frames;
use crate::loss::{Loss, Losses};

/// The events that will not be in the log.
#[derive(Debug, Default)]
pub(super) struct Lost {
    /// What the log is still to be told.
    undeclared: Losses,
    events: u64,
    critical: u64,
}

impl Lost {
    /// Counts an event, and keeps it to be declared.
    pub(super) fn add(&mut self, now: RecordTime, loss: Loss) {
        self.count(loss);
        self.undeclared.add(now, loss);
    }

    /// Counts one that the worker declares itself.
    pub(super) fn count(&mut self, loss: Loss) {
        self.events = self.events.saturating_add(1);
        self.critical = self.critical.saturating_add(u64::from(loss.critical));
    }

    /// Declares what was lost, before whatever comes next.
    pub(super) fn declare(&mut self, now: RecordTime, frames: &mut Frames) {
        for tally in self.undeclared.drain() {
            frames.push_loss(now, tally);
        }
    }

    pub(super) fn events(&self) -> u64 {
        self.events
    }

    pub(super) fn critical(&self) -> u64 {
        self.critical
    }
}

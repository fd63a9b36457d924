//! What is due: when the worker has something to do, and what that is.

use std::time::Duration;

use audit_core::RecordTime;
use audit_core::limits::{BATCH_BYTES_MAX, QUEUE_RECORDS_MAX};

use super::super::frames::Frames;
use super::State;
use crate::error::WriteError;
use crate::flush::{self, Unsynced};
use crate::writer::Space;

impl State {
    /// Asks for a commit of all that waits.
    pub(crate) fn hurry(&mut self) {
        self.urgent = !self.frames.is_empty();
    }

    /// Whether a sleeping worker has to be woken; from then on it counts as awake.
    pub(crate) fn wakes_worker(&mut self) -> bool {
        let due = if self.stalled.is_some() { self.overtakes() } else { self.due(Duration::ZERO) };
        let due = due || self.wants_checkpoint();
        let wakes = self.worker_sleeps && due;
        self.worker_sleeps &= !wakes;
        wakes
    }

    /// Whether somebody waits for what may go before a batch that waits for space. Where a batch
    /// waits for anything else, nothing can go before it.
    pub(crate) fn overtakes(&self) -> bool {
        self.urgent && self.stalled.as_ref().is_some_and(WriteError::is_refused_for_space)
    }

    /// Whether what waits is to be committed, when its oldest record has this age.
    fn due(&self, oldest_age: Duration) -> bool {
        let events = u32::try_from(self.frames.events()).unwrap_or(u32::MAX);
        let waiting = Unsynced { events, critical: false, oldest_age: Some(oldest_age) };
        !self.frames.is_empty()
            && (self.urgent
                || self.frames.bytes() >= BATCH_BYTES_MAX
                || self.frames.events() >= QUEUE_RECORDS_MAX
                || flush::due(self.flush_mode, waiting))
    }

    /// Moves what is to be committed now into `batch`, which is empty; whether anything is.
    pub(crate) fn take(
        &mut self,
        now: Duration,
        wall: impl FnOnce() -> RecordTime,
        batch: &mut Frames,
    ) -> bool {
        if self.is_closing() {
            self.lost.declare(wall(), &mut self.frames);
        }
        let age = self.oldest.map_or(Duration::ZERO, |oldest| now.saturating_sub(oldest));
        if self.frames.is_empty() || !(self.is_closing() || self.due(age)) {
            return false;
        }
        std::mem::swap(&mut self.frames, batch);
        self.oldest_taken = self.oldest.take();
        self.urgent = false;
        true
    }

    /// Moves the critical events that wait into `batch`.
    pub(crate) fn take_critical(&mut self, batch: &mut Frames) {
        self.frames.take_critical(batch);
        self.urgent = false;
    }

    /// Whether somebody waits for a checkpoint that can be signed now.
    pub(crate) fn wants_checkpoint(&self) -> bool {
        self.checkpoints.is_wanted(self.settled.up_to())
    }

    /// When the worker has to look again if nobody wakes it: when the oldest record reaches the
    /// interval, or, as an event that comes in meanwhile wakes nobody, an interval from now; or when
    /// a checkpoint is due.
    pub(crate) fn look_again(&self, now: Duration) -> Option<Duration> {
        let since = self.oldest.unwrap_or(now);
        let interval = flush::interval(self.flush_mode);
        let commit = interval.map(|interval| since.saturating_add(interval));
        [commit, self.checkpoints.due()].into_iter().flatten().min()
    }

    /// Notes that the worker has nothing left, or why it has.
    pub(crate) fn note_batch(&mut self, stalled: Option<WriteError>, space: Space) {
        self.space = space;
        if stalled.is_none() {
            self.oldest_taken = None;
        }
        self.stalled = stalled;
    }
}

//! Checkpoints: who waits for one, when one is due, and what became of the last.

use std::time::Duration;

use audit_checkpoint::Checkpoint;

use crate::health::NotesBeside;
use crate::outbox::{LastFailure, SinkFailure};
use crate::signing::SignError;

/// What the callers and the worker know of checkpoints.
#[derive(Debug, Default)]
pub(crate) struct Checkpoints {
    /// The last round that is done, counted from 1, and what it came to.
    done: u64,
    answer: Option<Result<Checkpoint, SignError>>,
    /// The newest ticket that the next round has to cover, where somebody waits for it.
    wanted: Option<u64>,
    /// Whether somebody waits for the round after that.
    wanted_again: bool,
    /// When a record will have been uncovered for the interval.
    due: Option<Duration>,
    newest: Option<Checkpoint>,
    failure: Option<SignError>,
    sinks: LastFailure,
    beside: NotesBeside,
}

impl Checkpoints {
    pub(crate) fn new(newest: Option<Checkpoint>, sinks: LastFailure, beside: NotesBeside) -> Self {
        Self { newest, sinks, beside, ..Self::default() }
    }

    /// What is wrong with the notes beside the log.
    pub(crate) fn beside(&self) -> NotesBeside {
        self.beside
    }

    /// Asks for a checkpoint that covers a ticket; the round that will.
    pub(crate) fn ask(&mut self, ticket: u64) -> u64 {
        let next = self.done.saturating_add(1);
        if *self.wanted.get_or_insert(ticket) >= ticket {
            return next;
        }
        self.wanted_again = true;
        next.saturating_add(1)
    }

    /// What a round came to, if it is done.
    pub(crate) fn answer(&self, round: u64) -> Option<Result<Checkpoint, SignError>> {
        self.answer.clone().filter(|_| self.done >= round)
    }

    /// Whether somebody waits for one, and all is settled that it has to cover.
    pub(crate) fn is_wanted(&self, settled: u64) -> bool {
        self.wanted.is_some_and(|ticket| ticket <= settled)
    }

    /// Whether a record has been uncovered for the interval.
    pub(crate) fn is_due(&self, now: Duration) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// When one will have been.
    pub(crate) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// Ends a round. Whoever asked meanwhile waits for the next, which covers everything so far.
    pub(crate) fn end_round(&mut self, answer: Result<Checkpoint, SignError>, accepted: u64) {
        self.done = self.done.saturating_add(1);
        self.answer = Some(answer);
        self.wanted = std::mem::take(&mut self.wanted_again).then_some(accepted);
    }

    /// Notes how the log stands.
    pub(crate) fn note(
        &mut self,
        newest: Option<&Checkpoint>,
        failure: Option<&SignError>,
        due: Option<Duration>,
    ) {
        self.newest = newest.cloned();
        self.failure = failure.cloned();
        self.due = due;
    }

    /// The newest checkpoint.
    pub(crate) fn newest(&self) -> Option<&Checkpoint> {
        self.newest.as_ref()
    }

    /// Which sink did not take the newest.
    pub(crate) fn sink_failure(&self) -> Option<SinkFailure> {
        self.sinks.look()
    }

    /// Why there is none since.
    pub(crate) fn failure(&self) -> Option<&SignError> {
        self.failure.as_ref()
    }
}

//! What the callers and the worker have in common, and how they wait for each other.

use std::time::Duration;

use audit_checkpoint::Checkpoint;
use audit_core::{AuditEvent, FlushMode, Marks, Receipt, RecordTime};

use super::frames::Frames;
use super::patience::Patience;
use super::progress::Progress;
use super::state::{Checkpoints, Outcome, State};
use crate::clock::Clock;
use crate::error::{QueueError, WriteError};
use crate::loss::Loss;
use crate::signing::SignError;
use crate::sync::{
    Arc, AtomicBool, Condvar, Mutex, MutexGuard, Ordering, lock, thread, wait, wait_for,
};
use crate::writer::Space;

/// What the callers and the worker have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) flush_mode: FlushMode,
    state: Mutex<State>,
    pub(super) progress: Progress,
    /// Whether a record was settled that may not be in the log.
    pub(super) has_failures: AtomicBool,
    /// There is something for the worker to do.
    pub(super) work: Condvar,
    /// The worker has taken what was in the queue.
    pub(super) room: Condvar,
    /// A checkpoint was signed, or could not be.
    pub(super) signed: Condvar,
    /// The log has ended.
    pub(super) ended: Condvar,
}

impl Shared {
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        flush_mode: FlushMode,
        durable: Option<Receipt>,
        checkpoints: Checkpoints,
    ) -> Self {
        Self {
            clock,
            flush_mode,
            state: Mutex::new(State::new(flush_mode, durable, checkpoints)),
            progress: Progress::default(),
            has_failures: AtomicBool::new(false),
            work: Condvar::new(),
            room: Condvar::new(),
            signed: Condvar::new(),
            ended: Condvar::new(),
        }
    }
}

/// What the worker is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Commit the batch, and go on.
    Commit,
    /// Sign a checkpoint.
    Checkpoint,
    /// Commit the batch, to which nothing will be added, and close the log when it was empty.
    Close,
}

/// What the callers do.
impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(super) fn now(&self) -> RecordTime {
        RecordTime::new(self.clock.now())
    }

    pub(super) fn accept(
        &self,
        state: &mut State,
        event: &AuditEvent<'_>,
        sanitized: &Marks,
    ) -> u64 {
        state.accept(self.now(), || self.clock.monotonic(), event, sanitized)
    }

    pub(super) fn refuse(&self, state: &mut State, event: &AuditEvent<'_>) -> QueueError {
        let (reason, critical) = (state.reason_of_no_room(), event.is_critical());
        state.lost().add(self.now(), Loss { reason, critical, sha256: None });
        QueueError::QueueFull
    }

    pub(super) fn wait_for_room<'s>(
        &self,
        mut state: MutexGuard<'s, State>,
        patience: &mut Patience<'_>,
    ) -> MutexGuard<'s, State> {
        state.waiting_for_room = state.waiting_for_room.saturating_add(1);
        let mut state = wait_for(&self.room, state, patience.nap());
        state.waiting_for_room = state.waiting_for_room.saturating_sub(1);
        state
    }

    /// Wakes the worker if it has something to do.
    pub(super) fn wake_worker(&self, mut state: MutexGuard<'_, State>) {
        let wakes = state.wakes_worker();
        drop(state);
        if wakes {
            self.work.notify_one();
        }
    }
}

/// What the worker does.
impl Shared {
    /// Notes which thread the worker is.
    pub(crate) fn note_worker(&self) {
        self.lock().worker = Some(thread::current().id());
    }

    /// Sleeps until there is something to do, and puts it into `batch`, which is empty.
    pub(crate) fn take(&self, batch: &mut Frames) -> Turn {
        let mut state = self.lock();
        loop {
            let now = self.clock.monotonic();
            if state.take(now, || self.now(), batch) {
                if state.waiting_for_room > 0 {
                    self.room.notify_all();
                }
                return Turn::Commit;
            }
            if state.is_closing() {
                return Turn::Close;
            }
            if state.wants_checkpoint() || state.checkpoints.is_due(now) {
                return Turn::Checkpoint;
            }
            state = self.sleep(state, now);
        }
    }

    /// Sleeps until somebody wakes the worker, or it is time to look again.
    fn sleep<'s>(&self, mut state: MutexGuard<'s, State>, now: Duration) -> MutexGuard<'s, State> {
        let look_again = state.look_again(now);
        state.worker_sleeps = true;
        while state.worker_sleeps && !state.is_closing() {
            state = match look_again.map(|until| self.clock.nap(until)) {
                None => wait(&self.work, state),
                Some(Duration::ZERO) => break,
                Some(nap) => wait_for(&self.work, state, nap),
            };
        }
        state.worker_sleeps = false;
        state
    }

    /// Sleeps until a write that failed may be tried again, or a critical event waits. The last try
    /// is made at once.
    pub(crate) fn wait_to_retry(&self, pause: Duration) -> Turn {
        let until = self.clock.monotonic().saturating_add(pause);
        let mut state = self.lock();
        state.worker_sleeps = !state.overtakes();
        let turn = loop {
            if state.is_closing() {
                break Turn::Close;
            }
            let nap = self.clock.nap(until);
            if nap.is_zero() || !state.worker_sleeps {
                break Turn::Commit;
            }
            state = wait_for(&self.work, state, nap);
        };
        state.worker_sleeps = false;
        turn
    }

    /// Moves the critical events that wait into `batch`: on a full disk they go first.
    pub(crate) fn take_critical(&self, batch: &mut Frames) {
        self.lock().take_critical(batch);
    }

    /// Tells that records, by their tickets, are durable.
    pub(crate) fn settle(&self, records: &[(u64, Receipt)], last_durable: Option<Receipt>) {
        let mut told = Vec::new();
        let mut state = self.lock();
        state.settle(records, last_durable, &mut told);
        self.progress.advance(state.settled().up_to(), state.settled().early());
        drop(state);
        for (slot, receipt) in told {
            slot.resolve(Ok(receipt));
        }
    }

    /// Tells that records, by their tickets in order, may not be in the log.
    pub(crate) fn settle_badly(&self, tickets: Vec<u64>, cause: &WriteError) {
        let mut state = self.lock();
        let told = state.settle_badly(tickets, cause);
        self.has_failures.store(true, Ordering::Release);
        self.progress.advance(state.settled().up_to(), state.settled().early());
        drop(state);
        for slot in told {
            slot.resolve(Err(cause.clone()));
        }
    }

    /// Counts an event that was accepted and will not be in the log.
    pub(crate) fn note_lost(&self, loss: Loss) {
        self.lock().lost().count(loss);
    }

    /// Tells whether the batch is done, or what keeps it.
    pub(crate) fn note_batch(&self, stalled: Option<WriteError>, space: Space) {
        self.lock().note_batch(stalled, space);
    }

    /// Whether somebody waits for a checkpoint that can be signed now.
    pub(crate) fn wants_checkpoint(&self) -> bool {
        self.lock().wants_checkpoint()
    }

    /// Tells whoever waits for a checkpoint what became of it.
    pub(crate) fn answer_checkpoint(&self, answer: Result<Checkpoint, SignError>) {
        let mut state = self.lock();
        let accepted = state.accepted();
        state.checkpoints.end_round(answer, accepted);
        drop(state);
        self.signed.notify_all();
    }

    /// Tells how the log stands with checkpoints, and in how long the next is due.
    pub(crate) fn note_checkpoints(
        &self,
        newest: Option<&Checkpoint>,
        failure: Option<&SignError>,
        due_in: Option<Duration>,
    ) {
        let due = due_in.map(|left| self.clock.monotonic().saturating_add(left));
        self.lock().checkpoints.note(newest, failure, due);
    }

    /// Tells that the log has ended, and how.
    pub(crate) fn end(&self, outcome: Outcome) {
        let unsettled = self.lock().end(outcome.clone());
        self.progress.end();
        self.room.notify_all();
        self.signed.notify_all();
        self.ended.notify_all();
        // Where it ended well, every ticket is settled.
        if let Err(cause) = outcome {
            for slot in unsettled {
                slot.resolve(Err(cause.clone()));
            }
        }
    }
}

//! The queue in front of the writer: what a caller on any thread meets.
//!
//! Callers encode into one buffer and get a ticket; the worker swaps that buffer with its own, links
//! and writes what was in it at once, syncs once, and then settles the tickets. No lock is held over
//! an operation of the disk, and nobody waits longer than the deadline says.

mod call;
mod frames;
mod lost;
mod patience;
mod progress;
mod receipt;
mod settled;
mod shared;
mod slots;
mod state;

use std::time::Duration;

use audit_checkpoint::Checkpoint;
use audit_core::limits::DROP_DEADLINE_SECS;
use audit_core::{AuditEvent, Marks, OverflowPolicy, Receipt, ServiceId};

use call::Place;
pub(crate) use frames::{Content, Frames};
pub use receipt::PendingReceipt;
pub(crate) use shared::{Shared, Turn};
use state::Checkpoints;
pub(crate) use state::Closed;

use crate::clock::Clock;
use crate::error::{OpenError, QueueError, ShutdownError, WriteError};
use crate::health::Health;
use crate::loss::Loss;
use crate::recovery::Copied;
use crate::signing::SignError;
use crate::store::Store;
use crate::sync::{Arc, thread, wait_for};
use crate::worker;
use crate::writer::AuditFileWriter;

/// A writer behind a queue, for any number of threads, with one worker thread of its own.
///
/// Of records that [`emit`](Self::emit) has accepted and that are not durable there are never more
/// than the flush mode's count, none of them older than its interval: the worker starts a sync when
/// the oldest reaches it, with no further event needed.
///
/// Dropping it is a [`shutdown`](Self::shutdown) of 5 seconds that has nobody to tell of an error.
/// On the worker's own thread, which runs the wakers of receipts, it does not wait.
#[derive(Debug)]
pub struct QueuedWriter {
    shared: Arc<Shared>,
    overflow: OverflowPolicy,
    copied: Option<Copied>,
    tells_copies: bool,
    /// The process that has the worker.
    pid: u32,
}

impl QueuedWriter {
    /// Starts the worker.
    ///
    /// # Errors
    ///
    /// [`OpenError::ServiceMismatch`] when the log belongs to another service,
    /// [`OpenError::KeyMissing`] when it signs and was given no key, [`OpenError::Io`] when no thread
    /// can be started. The log is unchanged.
    pub fn start<S, C>(
        writer: AuditFileWriter<S, C>,
        service_id: ServiceId,
        overflow: OverflowPolicy,
    ) -> Result<Self, OpenError>
    where
        S: Store<Segment: Send> + Send + 'static,
        C: Clock + Clone + 'static,
    {
        if let Some(log) = writer.service_id().filter(|&log| log != service_id) {
            return Err(OpenError::ServiceMismatch { log, given: service_id });
        }
        if writer.lacks_key() {
            return Err(OpenError::KeyMissing);
        }
        let clock = Arc::new(writer.clock().clone());
        let checkpoints = Checkpoints::new(
            writer.last_checkpoint().cloned(),
            writer.last_sink_failure(),
            writer.notes_beside(),
        );
        let shared = Shared::new(clock, writer.flush_mode(), writer.durable(), checkpoints);
        let shared = Arc::new(shared);
        let (copied, tells_copies) = (writer.copied(), writer.tells_copies());
        worker::start(Arc::clone(&shared), writer, service_id)?;
        Ok(Self { shared, overflow, copied, tells_copies, pid: std::process::id() })
    }

    /// Records an event that was made safe before, as durably as the flush mode says for it.
    /// Allocates nothing in steady state, and wakes no thread unless the batch is full or the
    /// event has to be durable.
    ///
    /// # Errors
    ///
    /// [`QueueError`]; each variant says whether the event is in the log.
    pub fn emit(&self, event: &AuditEvent<'_>, sanitized: &Marks) -> Result<(), QueueError> {
        let mut patience = self.patience(self.overflow.deadline());
        let (state, Place { ticket, awaited }) = self.accept(event, sanitized, &mut patience)?;
        self.shared.wake_worker(state);
        self.wait_settled(awaited, ticket, &mut patience)?;
        // Whoever waits for the record itself is told what became of it.
        if awaited < ticket { Ok(()) } else { self.check_within(ticket, ticket) }
    }

    /// As [`emit`](Self::emit), and gives the receipt: already resolved where the record has to be
    /// durable, and otherwise resolved once it is.
    ///
    /// # Errors
    ///
    /// As for [`emit`](Self::emit).
    pub fn emit_with_receipt(
        &self,
        event: &AuditEvent<'_>,
        sanitized: &Marks,
    ) -> Result<PendingReceipt, QueueError> {
        let mut patience = self.patience(self.overflow.deadline());
        let (mut state, Place { ticket, awaited }) =
            self.accept(event, sanitized, &mut patience)?;
        let slot = state.slot(ticket).unwrap_or_default();
        let is_worker = state.worker == Some(thread::current().id());
        self.shared.wake_worker(state);
        let receipt = PendingReceipt::new(slot, Arc::clone(&self.shared.clock));
        if awaited < ticket {
            self.wait_settled(awaited, ticket, &mut patience)?;
        } else {
            // Threads are told that a ticket is durable a moment before its receipt is resolved.
            let deadline = if is_worker { Duration::ZERO } else { patience.left() };
            receipt.wait(deadline)?;
        }
        Ok(receipt)
    }

    /// Records an event that was made safe before, and never waits. The receipt tells when it is
    /// durable; until then nothing is promised.
    ///
    /// # Errors
    ///
    /// [`QueueError`], except [`QueueError::Pending`]. The event is not in the log.
    pub fn try_emit(
        &self,
        event: &AuditEvent<'_>,
        sanitized: &Marks,
    ) -> Result<PendingReceipt, QueueError> {
        self.own_process()?;
        let mut state = self.shared.lock();
        state.usable()?;
        if !state.has_room(event.is_critical()) {
            return Err(self.shared.refuse(&mut state, event));
        }
        let ticket = self.shared.accept(&mut state, event, sanitized);
        let slot = state.slot(ticket).unwrap_or_default();
        self.shared.wake_worker(state);
        Ok(PendingReceipt::new(slot, Arc::clone(&self.shared.clock)))
    }

    /// Counts an event that will not be in the log. It is declared there before the next event
    /// that is accepted, or when the log is closed.
    ///
    /// # Errors
    ///
    /// [`QueueError`]: it is not counted then.
    pub fn record_loss(&self, loss: Loss) -> Result<(), QueueError> {
        self.own_process()?;
        let mut state = self.shared.lock();
        state.usable()?;
        state.lost().add(self.shared.now(), loss);
        Ok(())
    }

    /// Makes every record that was accepted durable.
    ///
    /// # Errors
    ///
    /// [`QueueError::Pending`] with the receipt of the newest record when the disk has not answered
    /// within the deadline; otherwise [`QueueError`] as for [`emit`](Self::emit).
    pub fn flush(&self) -> Result<(), QueueError> {
        self.own_process()?;
        let mut state = self.shared.lock();
        state.usable()?;
        state.hurry();
        let (oldest, newest) = (state.settled().up_to().saturating_add(1), state.accepted());
        self.shared.wake_worker(state);
        let mut patience = self.patience(self.overflow.deadline());
        self.wait_settled(newest, newest, &mut patience)?;
        self.check_within(oldest, newest)
    }

    /// Signs a checkpoint over every record that was accepted before, after making these durable.
    /// Where one covers all but what the log says of itself, that one is returned.
    ///
    /// # Errors
    ///
    /// [`SignError`]; each variant says what was done.
    pub fn checkpoint(&self) -> Result<Checkpoint, SignError> {
        self.own_process().map_err(|_| SignError::Write(WriteError::Forked))?;
        let mut state = self.shared.lock();
        if let Some(Err(cause)) = state.outcome() {
            return Err(SignError::Write(cause));
        }
        state.usable().map_err(|_| SignError::Closed)?;
        state.hurry();
        let accepted = state.accepted();
        let round = state.checkpoints.ask(accepted);
        self.shared.wake_worker(state);
        let mut patience = self.patience(self.overflow.deadline());
        let mut state = self.shared.lock();
        loop {
            if let Some(answer) = state.checkpoints.answer(round) {
                return answer;
            }
            match state.outcome() {
                Some(Err(cause)) => return Err(SignError::Write(cause)),
                Some(Ok(_)) => return Err(SignError::Closed),
                None => {}
            }
            if patience.is_over() || state.worker == Some(thread::current().id()) {
                return Err(SignError::Deadline);
            }
            state = wait_for(&self.shared.signed, state, patience.nap());
        }
    }

    /// Writes what is in the queue, declares what was lost, records `log_closed`, makes everything
    /// durable and gives the lock back. Returns the head of the log; a log without a record has
    /// none. Nothing is accepted any more. Again it changes nothing and returns the same.
    ///
    /// # Errors
    ///
    /// [`ShutdownError::Deadline`] when the disk has not answered by then: the worker goes on, and
    /// what it comes to, another call returns. [`ShutdownError::Write`] when the log could not be
    /// closed: it is as after a crash. [`ShutdownError::Forked`] when another process has it.
    pub fn shutdown(&self, deadline: Duration) -> Result<Option<Receipt>, ShutdownError> {
        self.own_process().map_err(|_| ShutdownError::Forked)?;
        let mut patience = self.patience(deadline);
        self.shared.lock().close();
        self.shared.work.notify_one();
        self.shared.room.notify_all();
        let mut state = self.shared.lock();
        loop {
            if let Some(outcome) = state.outcome() {
                return match outcome? {
                    Closed { head, lost: 0 } => Ok(head),
                    Closed { head, lost: events } => Err(ShutdownError::Lost { events, head }),
                };
            }
            let last_durable = state.last_durable();
            if patience.is_over() || state.worker == Some(thread::current().id()) {
                return Err(ShutdownError::Deadline { last_durable });
            }
            state = wait_for(&self.shared.ended, state, patience.nap());
        }
    }

    /// How the log is doing.
    #[must_use]
    pub fn health(&self) -> Health {
        // In a fork the lock may be held by a thread that this process does not have.
        let health = match self.own_process() {
            Ok(()) => self.shared.lock().health(self.shared.clock.monotonic()),
            Err(_) => Health::of_fork(),
        };
        Health { copied: self.copied, tells_copies: self.tells_copies, ..health }
    }
}

impl Drop for QueuedWriter {
    fn drop(&mut self) {
        // Nobody is left to be told; the next open accounts for whatever this leaves.
        drop(self.shutdown(Duration::from_secs(DROP_DEADLINE_SECS)));
    }
}

//! The queue in front of the writer: what a caller on any thread meets.
//!
//! Callers encode into one buffer and get a ticket; the worker swaps that buffer with its own, links
//! and writes what was in it at once, syncs once, and then settles the tickets. No lock is held over
//! an operation of the disk, and nobody waits longer than the deadline says.

mod frames;
mod progress;
mod receipt;
mod settled;
mod state;

use std::time::Duration;

use audit_core::limits::DROP_DEADLINE_SECS;
use audit_core::{AuditEvent, FlushMode, Marks, OverflowPolicy, Receipt, RecordTime, ServiceId};

pub(crate) use frames::{Content, Frames};
pub use receipt::PendingReceipt;

use crate::clock::Clock;
use crate::error::{OpenError, QueueError, ShutdownError, WriteError};
use crate::flush;
use crate::health::{Condition, Health, Reserve};
use crate::loss::Loss;
use crate::store::Store;
use crate::sync::{
    Arc, AtomicBool, Condvar, Mutex, MutexGuard, Ordering, lock, thread, wait, wait_for,
};
use crate::worker;
use crate::writer::{AuditFileWriter, Space};
use progress::{Progress, Waited};
pub(crate) use state::Closed;
use state::{Outcome, State};

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
    /// The process that has the worker.
    pid: u32,
}

/// What the callers and the worker have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    clock: Arc<dyn Clock>,
    flush_mode: FlushMode,
    state: Mutex<State>,
    progress: Progress,
    /// Whether a record was settled that may not be in the log.
    has_failures: AtomicBool,
    /// There is something for the worker to do.
    work: Condvar,
    /// The worker has taken what was in the queue.
    room: Condvar,
    /// The log has ended.
    ended: Condvar,
}

/// The place of an event that was accepted.
#[derive(Clone, Copy, Debug)]
struct Place {
    ticket: u64,
    /// The ticket that has to be durable before its call returns.
    awaited: u64,
}

/// What the worker is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Commit the batch, and go on.
    Commit,
    /// Commit the batch, to which nothing will be added, and close the log when it was empty.
    Close,
}

impl QueuedWriter {
    /// Starts the worker.
    ///
    /// # Errors
    ///
    /// [`OpenError::ServiceMismatch`] when the log belongs to another service, [`OpenError::Io`]
    /// when no thread can be started. The log is unchanged.
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
        let shared = Arc::new(Shared {
            clock: Arc::new(writer.clock().clone()),
            flush_mode: writer.flush_mode(),
            state: Mutex::new(State::new(writer.flush_mode(), writer.durable())),
            progress: Progress::default(),
            has_failures: AtomicBool::new(false),
            work: Condvar::new(),
            room: Condvar::new(),
            ended: Condvar::new(),
        });
        worker::start(Arc::clone(&shared), writer, service_id)?;
        Ok(Self { shared, overflow, pid: std::process::id() })
    }

    /// Records an event that was made safe before, as durably as the flush mode says for it.
    /// Allocates nothing in steady state, and wakes no thread unless the batch is full or the
    /// event has to be durable.
    ///
    /// # Errors
    ///
    /// [`QueueError`]; each variant says whether the event is in the log.
    pub fn emit(&self, event: &AuditEvent<'_>, sanitized: &Marks) -> Result<(), QueueError> {
        let mut patience = Patience::new(&self.shared, self.overflow.deadline());
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
        let mut patience = Patience::new(&self.shared, self.overflow.deadline());
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
        state.lose(self.shared.now(), loss);
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
        let mut patience = Patience::new(&self.shared, self.overflow.deadline());
        self.wait_settled(newest, newest, &mut patience)?;
        self.check_within(oldest, newest)
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
        let mut patience = Patience::new(&self.shared, deadline);
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
        if self.own_process().is_ok() {
            return self.shared.lock().health(self.shared.clock.monotonic());
        }
        // The lock may be held by a thread that this process does not have.
        Health {
            condition: Condition::Forked,
            queued_records: 0,
            queued_bytes: 0,
            oldest_unsynced_age: None,
            last_durable: None,
            accepted: 0,
            durable: 0,
            lost: 0,
            lost_critical: 0,
            free_bytes: None,
            reserve: Reserve::Allocated,
        }
    }

    /// Waits for room and puts an event into the queue.
    fn accept<'s>(
        &'s self,
        event: &AuditEvent<'_>,
        sanitized: &Marks,
        patience: &mut Patience<'_>,
    ) -> Result<(MutexGuard<'s, State>, Place), QueueError> {
        self.own_process()?;
        let mut state = self.shared.lock();
        loop {
            state.usable()?;
            if state.has_room(event.is_critical()) {
                break;
            }
            if self.overflow == OverflowPolicy::Reject
                || patience.is_over()
                || state.worker == Some(thread::current().id())
            {
                return Err(self.shared.refuse(&mut state, event));
            }
            state = self.shared.wait_for_room(state, patience);
        }
        let ticket = self.shared.accept(&mut state, event, sanitized);
        let window = flush::window(self.shared.flush_mode);
        let slack = if state.waits_for_disk(event.is_critical()) { 0 } else { window };
        Ok((state, Place { ticket, awaited: ticket.saturating_sub(slack) }))
    }

    /// A forked child has the memory but not the worker, and the log is its parent's.
    fn own_process(&self) -> Result<(), QueueError> {
        if std::process::id() == self.pid { Ok(()) } else { Err(QueueError::Forked) }
    }

    /// Fails if one of these tickets, which are settled, is not durable.
    fn check_within(&self, from: u64, to: u64) -> Result<(), QueueError> {
        if !self.shared.has_failures.load(Ordering::Acquire) {
            return Ok(());
        }
        let failure = self.shared.lock().settled().failure_within(from, to);
        failure.map_or(Ok(()), |cause| Err(QueueError::Write(cause)))
    }

    /// Waits for a ticket to be settled; for `mine` a receipt is given to who gives up.
    fn wait_settled(
        &self,
        awaited: u64,
        mine: u64,
        patience: &mut Patience<'_>,
    ) -> Result<(), QueueError> {
        let Shared { progress, clock, .. } = &*self.shared;
        if progress.is_settled(awaited) {
            return Ok(());
        }
        let is_worker = self.shared.lock().worker == Some(thread::current().id());
        let until = if is_worker { Duration::ZERO } else { patience.until() };
        let waited = progress.wait(&**clock, awaited, until);
        if waited == Waited::Reached {
            return Ok(());
        }
        let mut state = self.shared.lock();
        if let Some(Err(cause)) = state.outcome() {
            return Err(QueueError::Write(cause));
        }
        match state.slot(mine) {
            None => Ok(()),
            Some(slot) => Err(QueueError::Pending(PendingReceipt::new(slot, Arc::clone(clock)))),
        }
    }
}

impl Drop for QueuedWriter {
    fn drop(&mut self) {
        // Nobody is left to be told; the next open accounts for whatever this leaves.
        drop(self.shutdown(Duration::from_secs(DROP_DEADLINE_SECS)));
    }
}

/// What the callers do.
impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn now(&self) -> RecordTime {
        RecordTime::new(self.clock.now())
    }

    fn accept(&self, state: &mut State, event: &AuditEvent<'_>, sanitized: &Marks) -> u64 {
        state.accept(self.now(), || self.clock.monotonic(), event, sanitized)
    }

    fn refuse(&self, state: &mut State, event: &AuditEvent<'_>) -> QueueError {
        let (reason, critical) = (state.reason_of_no_room(), event.is_critical());
        state.lose(self.now(), Loss { reason, critical, sha256: None });
        QueueError::QueueFull
    }

    fn wait_for_room<'s>(
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
    fn wake_worker(&self, mut state: MutexGuard<'_, State>) {
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
        for (_, slot) in told {
            slot.resolve(Err(cause.clone()));
        }
    }

    /// Counts an event that was accepted and will not be in the log.
    pub(crate) fn note_lost(&self, loss: Loss) {
        self.lock().count_lost(loss);
    }

    /// Tells whether the batch is done, or what keeps it.
    pub(crate) fn note_batch(&self, stalled: Option<WriteError>, space: Space) {
        self.lock().note_batch(stalled, space);
    }

    /// Tells that the log has ended, and how.
    pub(crate) fn end(&self, outcome: Outcome) {
        let unsettled = self.lock().end(outcome.clone());
        self.progress.end();
        self.room.notify_all();
        self.ended.notify_all();
        // Where it ended well, every ticket is settled.
        if let Err(cause) = outcome {
            for (_, slot) in unsettled {
                slot.resolve(Err(cause.clone()));
            }
        }
    }
}

/// How long a call waits, from its first wait on.
struct Patience<'s> {
    shared: &'s Shared,
    deadline: Duration,
    until: Option<Duration>,
}

impl<'s> Patience<'s> {
    fn new(shared: &'s Shared, deadline: Duration) -> Self {
        Self { shared, deadline, until: None }
    }

    fn until(&mut self) -> Duration {
        let Self { shared, deadline, .. } = *self;
        *self.until.get_or_insert_with(|| shared.clock.monotonic().saturating_add(deadline))
    }

    /// What is left of it.
    fn left(&mut self) -> Duration {
        let until = self.until();
        until.saturating_sub(self.shared.clock.monotonic())
    }

    /// How long to sleep before looking again.
    fn nap(&mut self) -> Duration {
        let until = self.until();
        self.shared.clock.nap(until)
    }

    fn is_over(&mut self) -> bool {
        self.nap().is_zero()
    }
}

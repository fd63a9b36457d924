//! What the callers and the worker share, under one lock. Nothing here waits, and nothing is done
//! to the disk.

use std::collections::VecDeque;
use std::time::Duration;

use audit_core::lifecycle::LossReason;
use audit_core::limits::{BATCH_BYTES_MAX, QUEUE_BYTES_MAX, QUEUE_RECORDS_MAX, RECORD_BYTES_MAX};
use audit_core::record::{write_lifecycle_payload, write_payload};
use audit_core::{AuditEvent, FlushMode, Marks, Receipt, RecordTime};

use super::frames::{Content, Frames};
use super::receipt::Slot;
use super::settled::Settled;
use crate::broken::{self, Broken};
use crate::error::{QueueError, WriteError};
use crate::flush::{self, Unsynced};
use crate::health::{Condition, Health, Reserve};
use crate::loss::{Loss, LossTally};
use crate::sync::{Arc, thread};
use crate::writer::Space;

/// Bytes that have to be free for the next event, whose length is known only when it is encoded:
/// those of the longest, and of the losses that are declared before it.
const ROOM_BYTES: usize = 2 * RECORD_BYTES_MAX;

/// Records and bytes that critical events may have in the queue beyond what routine ones may.
const CRITICAL_EXTRA: (usize, usize) = (QUEUE_RECORDS_MAX / 8, QUEUE_BYTES_MAX / 8);

/// How a log ended: closed, or why nothing works any more.
pub(super) type Outcome = Result<Closed, WriteError>;

/// A log that is closed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Closed {
    /// Its newest record.
    pub(crate) head: Option<Receipt>,
    /// Events that were accepted and could not be written; the log says so.
    pub(crate) lost: u64,
}

#[derive(Debug)]
pub(super) struct State {
    flush_mode: FlushMode,
    phase: Phase,
    /// What waits for the worker.
    frames: Frames,
    /// When the oldest frame was accepted, of those that wait and of those that the worker has.
    oldest: Option<Duration>,
    oldest_taken: Option<Duration>,
    /// Whether somebody waits for what is in the queue, so that no interval is waited for.
    urgent: bool,
    accepted: u64,
    settled: Settled,
    /// How many tickets are durable.
    durable: u64,
    last_durable: Option<Receipt>,
    /// Who wants to know what became of a ticket, in the order of tickets.
    receipts: VecDeque<(u64, Arc<Slot>)>,
    losses: Vec<LossTally>,
    lost: u64,
    lost_critical: u64,
    stalled: Option<WriteError>,
    space: Space,
    /// Whether the worker sleeps and has not been woken.
    pub(super) worker_sleeps: bool,
    pub(super) worker: Option<thread::ThreadId>,
    /// Callers that sleep until there is room.
    pub(super) waiting_for_room: u32,
}

#[derive(Debug)]
enum Phase {
    Open,
    Closing,
    Ended(Outcome),
}

impl State {
    pub(super) fn new(flush_mode: FlushMode, last_durable: Option<Receipt>) -> Self {
        Self {
            flush_mode,
            phase: Phase::Open,
            frames: Frames::for_window(flush::window_records(flush_mode)),
            oldest: None,
            oldest_taken: None,
            urgent: false,
            accepted: 0,
            settled: Settled::default(),
            durable: 0,
            last_durable,
            receipts: VecDeque::new(),
            losses: Vec::new(),
            lost: 0,
            lost_critical: 0,
            stalled: None,
            space: Space::default(),
            worker_sleeps: false,
            worker: None,
            waiting_for_room: 0,
        }
    }

    /// Whether events are taken.
    pub(super) fn usable(&self) -> Result<(), QueueError> {
        match &self.phase {
            Phase::Open => Ok(()),
            Phase::Closing | Phase::Ended(Ok(_)) => Err(QueueError::Closed),
            Phase::Ended(Err(cause)) => Err(QueueError::Write(cause.clone())),
        }
    }

    /// Whether an event can be taken. Routine ones cannot fill the queue so that no critical one
    /// finds room, as they would while the disk is full.
    pub(super) fn has_room(&self, is_critical: bool) -> bool {
        let (records, bytes) = if is_critical { CRITICAL_EXTRA } else { (0, 0) };
        let records = records.saturating_add(usize::from(broken::is(Broken::QueueBound)));
        self.frames.events() < QUEUE_RECORDS_MAX.saturating_add(records)
            && self.frames.bytes().saturating_add(ROOM_BYTES)
                <= QUEUE_BYTES_MAX.saturating_add(bytes)
    }

    /// Takes an event, for which there is room. Returns its ticket, counted from 1.
    pub(super) fn accept(
        &mut self,
        now: RecordTime,
        monotonic: impl FnOnce() -> Duration,
        event: &AuditEvent<'_>,
        sanitized: &Marks,
    ) -> u64 {
        self.declare_losses(now);
        let (ticket, critical) = (self.accepted.saturating_add(1), event.is_critical());
        let content = Content::Event { ticket, critical };
        self.frames.push(content, now, |out| write_payload(out, event, sanitized));
        self.accepted = ticket;
        self.oldest.get_or_insert_with(monotonic);
        self.urgent |= self.waits_for_disk(critical);
        ticket
    }

    /// Whether a call that records such an event returns only when it is durable.
    pub(super) fn waits_for_disk(&self, is_critical: bool) -> bool {
        let oldest_age = Some(Duration::ZERO);
        flush::due(self.flush_mode, Unsynced { events: 0, critical: is_critical, oldest_age })
    }

    /// The newest ticket that was given.
    pub(super) fn accepted(&self) -> u64 {
        self.accepted
    }

    /// Why an event is lost for which there is no room.
    pub(super) fn reason_of_no_room(&self) -> LossReason {
        match &self.stalled {
            Some(cause) if cause.is_for_space() => LossReason::DiskFull,
            Some(_) => LossReason::IoError,
            None => LossReason::QueueFull,
        }
    }

    /// Counts an event that will not be in the log.
    pub(super) fn lose(&mut self, now: RecordTime, loss: Loss) {
        self.count_lost(loss);
        match self.losses.iter_mut().find(|tally| tally.reason() == loss.reason) {
            Some(tally) => tally.add(now, loss),
            None => self.losses.push(LossTally::new(now, loss)),
        }
    }

    /// Counts one that the worker declares itself.
    pub(super) fn count_lost(&mut self, loss: Loss) {
        self.lost = self.lost.saturating_add(1);
        self.lost_critical = self.lost_critical.saturating_add(u64::from(loss.critical));
    }

    /// Asks for a commit of all that waits.
    pub(super) fn hurry(&mut self) {
        self.urgent = !self.frames.is_empty();
    }

    /// Takes no event any more.
    pub(super) fn close(&mut self) {
        if matches!(self.phase, Phase::Open) {
            self.phase = Phase::Closing;
        }
    }

    pub(super) fn is_closing(&self) -> bool {
        !matches!(self.phase, Phase::Open)
    }

    /// How the log ended, if it has.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        match &self.phase {
            Phase::Open | Phase::Closing => None,
            Phase::Ended(outcome) => Some(outcome.clone()),
        }
    }

    pub(super) fn last_durable(&self) -> Option<Receipt> {
        self.last_durable
    }

    /// Whether a sleeping worker has to be woken; from then on it counts as awake.
    pub(super) fn wakes_worker(&mut self) -> bool {
        let due = if self.stalled.is_some() { self.overtakes() } else { self.due(Duration::ZERO) };
        let wakes = self.worker_sleeps && due;
        self.worker_sleeps &= !wakes;
        wakes
    }

    /// Whether somebody waits for what may go before a batch that waits for space. Where a batch
    /// waits for anything else, nothing can go before it.
    pub(super) fn overtakes(&self) -> bool {
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
    pub(super) fn take(
        &mut self,
        now: Duration,
        wall: impl FnOnce() -> RecordTime,
        batch: &mut Frames,
    ) -> bool {
        if self.is_closing() {
            self.declare_losses(wall());
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
    pub(super) fn take_critical(&mut self, batch: &mut Frames) {
        self.frames.take_critical(batch);
        self.urgent = false;
    }

    /// When the worker has to look again if nobody wakes it: when the oldest record reaches the
    /// interval, or, as an event that comes in meanwhile wakes nobody, an interval from now.
    pub(super) fn look_again(&self, now: Duration) -> Option<Duration> {
        let since = self.oldest.unwrap_or(now);
        flush::interval(self.flush_mode).map(|interval| since.saturating_add(interval))
    }

    /// Notes records as durable. Puts into `told` who wants to know.
    pub(super) fn settle(
        &mut self,
        records: &[(u64, Receipt)],
        last_durable: Option<Receipt>,
        told: &mut Vec<(Arc<Slot>, Receipt)>,
    ) {
        for &(ticket, record) in records {
            self.settled.add(ticket);
            self.durable = self.durable.saturating_add(1);
            told.extend(self.take_slots(ticket).map(|(_, slot)| (slot, record)));
        }
        self.last_durable = last_durable;
    }

    /// Notes that records may not be in the log. Returns who wants to know.
    pub(super) fn settle_badly(
        &mut self,
        tickets: Vec<u64>,
        cause: &WriteError,
    ) -> Vec<(u64, Arc<Slot>)> {
        let mut told = Vec::new();
        for &ticket in &tickets {
            self.settled.add(ticket);
            told.extend(self.take_slots(ticket));
        }
        self.settled.note_failure(tickets, cause.clone());
        told
    }

    fn take_slots(&mut self, ticket: u64) -> impl Iterator<Item = (u64, Arc<Slot>)> {
        let from = self.receipts.partition_point(|(other, _)| *other < ticket);
        let to = self.receipts.partition_point(|(other, _)| *other <= ticket);
        self.receipts.drain(from..to)
    }

    pub(super) fn settled(&self) -> &Settled {
        &self.settled
    }

    /// Notes that the worker has nothing left, or why it has.
    pub(super) fn note_batch(&mut self, stalled: Option<WriteError>, space: Space) {
        self.space = space;
        if stalled.is_none() {
            self.oldest_taken = None;
        }
        self.stalled = stalled;
    }

    /// The slot for what becomes of a ticket; `None` when it is settled.
    pub(super) fn slot(&mut self, ticket: u64) -> Option<Arc<Slot>> {
        if self.settled.contains(ticket) {
            return None;
        }
        let slot = Arc::new(Slot::default());
        let place = self.receipts.partition_point(|(other, _)| *other <= ticket);
        self.receipts.insert(place, (ticket, Arc::clone(&slot)));
        Some(slot)
    }

    /// Ends it all. Returns who still wants to know about a ticket.
    pub(super) fn end(&mut self, outcome: Outcome) -> VecDeque<(u64, Arc<Slot>)> {
        self.phase = Phase::Ended(outcome);
        self.frames.clear();
        (self.oldest, self.oldest_taken) = (None, None);
        std::mem::take(&mut self.receipts)
    }

    pub(super) fn health(&self, now: Duration) -> Health {
        let condition = match (&self.phase, &self.stalled) {
            (Phase::Open, None) => Condition::Working,
            (Phase::Open, Some(cause)) => Condition::Stalled(cause.clone()),
            (Phase::Closing, _) => Condition::Closing,
            (Phase::Ended(Ok(_)), _) => Condition::Closed,
            (Phase::Ended(Err(cause)), _) => Condition::Failed(cause.clone()),
        };
        let oldest = self.oldest_taken.or(self.oldest);
        Health {
            condition,
            queued_records: self.frames.events(),
            queued_bytes: self.frames.bytes(),
            oldest_unsynced_age: oldest.map(|oldest| now.saturating_sub(oldest)),
            last_durable: self.last_durable,
            accepted: self.accepted,
            durable: self.durable,
            lost: self.lost,
            lost_critical: self.lost_critical,
            free_bytes: self.space.free_bytes,
            reserve: if self.space.unsupported { Reserve::Threshold } else { Reserve::Allocated },
        }
    }

    /// Declares what was lost, before whatever comes next.
    fn declare_losses(&mut self, now: RecordTime) {
        for tally in self.losses.drain(..) {
            let event = tally.event();
            self.frames.push(Content::Loss, now, |out| write_lifecycle_payload(out, &event));
        }
    }
}

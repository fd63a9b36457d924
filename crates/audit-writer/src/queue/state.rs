//! What the callers and the worker share, under one lock. Nothing here waits, and nothing is done
//! to the disk.

mod checkpoints;
mod due;
mod settling;

use std::time::Duration;

use audit_core::lifecycle::LossReason;
use audit_core::limits::{QUEUE_BYTES_MAX, QUEUE_RECORDS_MAX, RECORD_BYTES_MAX};
use audit_core::record::write_payload;
use audit_core::{AuditEvent, FlushMode, Marks, Receipt, RecordTime};

pub(super) use checkpoints::Checkpoints;

use super::frames::{Content, Frames};
use super::lost::Lost;
use super::receipt::Slot;
use super::settled::Settled;
use super::slots::Slots;
use crate::broken::{self, Broken};
use crate::error::{QueueError, WriteError};
use crate::flush::{self, Unsynced};
use crate::health::{Condition, Health, Reserve};
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
    slots: Slots,
    lost: Lost,
    pub(super) checkpoints: Checkpoints,
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
    pub(super) fn new(
        flush_mode: FlushMode,
        last_durable: Option<Receipt>,
        checkpoints: Checkpoints,
    ) -> Self {
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
            slots: Slots::default(),
            lost: Lost::default(),
            checkpoints,
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
        self.lost.declare(now, &mut self.frames);
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

    /// The events that will not be in the log.
    pub(super) fn lost(&mut self) -> &mut Lost {
        &mut self.lost
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

    /// Ends it all. Returns who still wants to know about a ticket.
    pub(super) fn end(&mut self, outcome: Outcome) -> impl Iterator<Item = Arc<Slot>> + use<> {
        self.phase = Phase::Ended(outcome);
        self.frames.clear();
        (self.oldest, self.oldest_taken) = (None, None);
        self.slots.take_all()
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
            lost: self.lost.events(),
            lost_critical: self.lost.critical(),
            last_checkpoint: self.checkpoints.newest().cloned(),
            notes_beside: self.checkpoints.beside(),
            checkpoint_failure: self.checkpoints.failure().cloned(),
            sink_failure: self.checkpoints.sink_failure(),
            free_bytes: self.space.free_bytes,
            reserve: if self.space.unsupported { Reserve::Threshold } else { Reserve::Allocated },
            ..Health::of_fork()
        }
    }
}

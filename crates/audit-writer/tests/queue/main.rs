//! Many callers, one worker, and what can go wrong between them and the disk.
//!
//! The disk is simulated and does what the test says; the clock stands until the test moves it.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests, and small numbers"
)]

#[path = "../common/mod.rs"]
mod common;

mod failed;
mod full_disk;
mod full_queue;
mod hung_disk;
mod order;
mod own_file;
mod receipts;
mod reserve;
mod silence;
mod steered;
mod window;

use std::sync::Arc;
use std::time::Duration;

use audit_core::{AuditEvent, FlushMode, Marks, OnDamage, OverflowPolicy, RotationPolicy};
use audit_writer::{AuditFileWriter, PendingReceipt, QueueError, QueuedWriter, SimClock, SimDisk};
use common::{clock_at, service};
use steered::{SteeredStore, Steering};

const HYBRID: FlushMode =
    FlushMode::Hybrid { batch_size: 100, batch_interval_secs: 60, critical_immediate: true };
const LAZY: FlushMode = FlushMode::Batched { size: u32::MAX, interval_secs: u32::MAX };

/// By the machine's time, for what is sure to happen.
const PATIENCE: Duration = Duration::from_mins(5);

/// A log in memory and everything that a test turns.
#[derive(Clone)]
struct Rig {
    disk: SimDisk,
    steering: Steering,
    clock: SimClock,
    /// Goes before the queue, whose end waits for the disk.
    _answers: Arc<Answers>,
    queue: Arc<QueuedWriter>,
}

/// Lets a disk that hangs answer at last, so that a test which fails meanwhile comes to its end.
struct Answers(Steering);

impl Drop for Answers {
    fn drop(&mut self) {
        self.0.answer();
    }
}

impl Rig {
    fn new(flush: FlushMode) -> Self {
        Self::with(flush, OverflowPolicy::default(), RotationPolicy::Daily)
    }

    fn with(flush: FlushMode, overflow: OverflowPolicy, rotation: RotationPolicy) -> Self {
        Self::on(SimDisk::default(), flush, overflow, rotation)
    }

    fn on(
        disk: SimDisk,
        flush: FlushMode,
        overflow: OverflowPolicy,
        rotation: RotationPolicy,
    ) -> Self {
        let (steering, clock) = (Steering::default(), clock_at("2026-01-02T03:04:05Z"));
        let store = SteeredStore::new(&disk, &steering);
        let writer =
            AuditFileWriter::with(store, clock.clone(), rotation, flush, OnDamage::Refuse).unwrap();
        let queue = Arc::new(QueuedWriter::start(writer, service(), overflow).unwrap());
        Self { disk, clock, _answers: Arc::new(Answers(steering.clone())), steering, queue }
    }

    fn routine(&self, number: u64) -> Result<(), QueueError> {
        self.queue.emit(&routine(number), &Marks::none())
    }

    fn critical(&self, number: u64) -> Result<(), QueueError> {
        self.queue.emit(&critical(number), &Marks::none())
    }

    fn try_routine(&self, number: u64) -> Result<PendingReceipt, QueueError> {
        self.queue.try_emit(&routine(number), &Marks::none())
    }

    /// The lines of the log.
    fn lines(&self) -> Vec<String> {
        let all: Vec<u8> = self.disk.files().into_values().flatten().collect();
        String::from_utf8(all).unwrap().lines().map(str::to_owned).collect()
    }
}

fn routine(number: u64) -> AuditEvent<'static> {
    common::routine(number).event
}

fn critical(number: u64) -> AuditEvent<'static> {
    common::critical(number).event
}

//! Queue and worker under a scheduler that tries many interleavings.
//!
//! The sources of the crate are compiled once more, with `sync.rs` of this directory in the place of
//! theirs. A step that is missed, a wake-up that is lost or a lock that is taken twice is a failed
//! assertion or a deadlock. Every schedule comes from a seed, and a failure tells the command that plays
//! it again.

#![expect(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the sources are a library, of which the model uses a part"
)]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, and small numbers"
)]

mod disk;
mod models;
mod soak;
mod sync;

#[path = "../../src"]
mod sources {
    pub(crate) mod broken;
    pub(crate) mod chain;
    pub(crate) mod clock;
    pub(crate) mod error;
    pub(crate) mod flush;
    pub(crate) mod health;
    pub(crate) mod loss;
    pub(crate) mod notes;
    pub(crate) mod outbox;
    pub(crate) mod queue;
    pub(crate) mod recovery;
    pub(crate) mod rotation;
    pub(crate) mod segment;
    pub(crate) mod signing;
    pub(crate) mod sinks;
    pub(crate) mod store;
    pub(crate) mod worker;
    pub(crate) mod writer;
}

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::Duration;

use audit_core::{
    AuditEvent, EventTime, FlushMode, Marks, OnDamage, OverflowPolicy, RotationPolicy, ServiceId,
};
use chrono::DateTime;

use audit_testkit::soak::go_through;
use clock::SimClock;
use disk::{Facts, ModelStore};
use error::QueueError;
use queue::{PendingReceipt, QueuedWriter};
use sources::{
    broken, chain, clock, error, flush, health, loss, notes, outbox, queue, recovery, rotation,
    segment, signing, sinks, store, worker, writer,
};
use store::SimDisk;
use sync::{Arc, thread};
use writer::AuditFileWriter;

/// Schedules of each model.
const SCHEDULES: u64 = 5_000;

/// Where the seeds of a normal run begin.
const SEED: u64 = 1;

/// The clock stands still, so this is for ever.
const FOR_EVER: Duration = Duration::from_secs(1);

fn event() -> AuditEvent<'static> {
    AuditEvent::SealVerified {
        timestamp: EventTime::from(DateTime::UNIX_EPOCH),
        shard_id: "shard-1".into(),
        worker_id: "worker-1".into(),
    }
}

fn batched(size: u32) -> FlushMode {
    FlushMode::Batched { size, interval_secs: 60 }
}

struct Model {
    queue: Arc<QueuedWriter>,
    facts: Arc<Facts>,
    disk: SimDisk,
}

impl Model {
    fn new(flush: FlushMode, deadline: Duration, failing_sync: usize) -> Self {
        let (disk, facts) = (SimDisk::default(), Facts { failing_sync, ..Facts::default() });
        let facts = Arc::new(facts);
        let clock = SimClock::at(DateTime::UNIX_EPOCH);
        let store = ModelStore::new(&disk, &facts);
        let writer =
            AuditFileWriter::with(store, clock, RotationPolicy::Daily, flush, OnDamage::Refuse)
                .unwrap();
        let overflow = OverflowPolicy::Block { deadline };
        let service = ServiceId::new("bank.teller-1").unwrap();
        let queue = Arc::new(QueuedWriter::start(writer, service, overflow).unwrap());
        Self { queue, facts, disk }
    }

    fn synced(&self) -> usize {
        self.facts.synced.load(Ordering::SeqCst)
    }

    fn emit(&self) -> Result<(), QueueError> {
        self.queue.emit(&event(), &Marks::none())
    }

    fn try_emit(&self) -> Result<PendingReceipt, QueueError> {
        self.queue.try_emit(&event(), &Marks::none())
    }
}

/// Runs on so many threads, and returns what each came to.
fn on_threads<T: Send + 'static>(
    count: usize,
    run: impl Fn(usize) -> T + Send + Sync + 'static,
) -> Vec<T> {
    let run = Arc::new(run);
    let threads: Vec<_> = (0..count)
        .map(|number| {
            let run = Arc::clone(&run);
            thread::spawn(move || run(number))
        })
        .collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

/// Plays so many schedules of a model, a seed each.
///
/// # Panics
///
/// The model does: with the command that plays that schedule again.
fn play(model: fn(), first: u64, schedules: u64) {
    let failed = std::sync::Mutex::new(None);
    go_through(first..first.saturating_add(schedules), |seed| {
        let schedule = || shuttle::check_random_with_seed(model, seed, 1);
        if catch_unwind(AssertUnwindSafe(schedule)).is_ok() {
            return ControlFlow::Continue(());
        }
        failed.lock().unwrap().get_or_insert(seed);
        ControlFlow::Break(())
    });
    if let Some(seed) = failed.into_inner().unwrap() {
        panic!("again: cargo xtask soak model --schedules 4 --seed {seed}");
    }
}

#[test]
fn what_is_durable_and_what_is_open_is_as_the_mode_says() {
    play(models::what_is_durable_and_what_is_open_is_as_the_mode_says, SEED, SCHEDULES);
}

#[test]
fn every_receipt_resolves_whoever_flushes_or_closes() {
    play(models::every_receipt_resolves_whoever_flushes_or_closes, SEED, SCHEDULES);
}

#[test]
fn whoever_gives_up_has_a_receipt_that_resolves() {
    play(models::whoever_gives_up_has_a_receipt_that_resolves, SEED, SCHEDULES);
}

#[test]
fn after_a_failed_sync_everybody_has_the_cause_and_nothing_is_done() {
    play(models::after_a_failed_sync_everybody_has_the_cause_and_nothing_is_done, SEED, SCHEDULES);
}

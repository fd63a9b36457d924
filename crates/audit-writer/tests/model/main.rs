//! Queue and worker under a scheduler that tries many interleavings.
//!
//! The sources of the crate are compiled once more, with `sync.rs` of this directory in the place of
//! theirs. A step that is missed, a wake-up that is lost or a lock that is taken twice is a failed
//! assertion or a deadlock, and the scheduler prints how to repeat it.

#![expect(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the sources are a library, of which the model uses a part"
)]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "helpers of tests, and small numbers"
)]

mod disk;
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
    pub(crate) mod queue;
    pub(crate) mod recovery;
    pub(crate) mod rotation;
    pub(crate) mod segment;
    pub(crate) mod store;
    pub(crate) mod worker;
    pub(crate) mod writer;
}

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use audit_core::{
    AuditEvent, EventTime, FlushMode, Marks, OverflowPolicy, RotationPolicy, ServiceId,
};
use chrono::DateTime;
use shuttle::rand::Rng as _;

use clock::SimClock;
use disk::{Facts, ModelStore};
use error::{QueueError, ShutdownError, WriteError};
use queue::{PendingReceipt, QueuedWriter};
use sources::{
    broken, chain, clock, error, flush, health, loss, queue, recovery, rotation, segment, store,
    worker, writer,
};
use store::SimDisk;
use sync::{Arc, thread};
use writer::AuditFileWriter;

/// Schedules of each model; there are four.
const SCHEDULES: usize = 5_000;

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
        let writer = AuditFileWriter::with(store, clock, RotationPolicy::Daily, flush).unwrap();
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

#[test]
fn what_is_durable_and_what_is_open_is_as_the_mode_says() {
    shuttle::check_random(
        || {
            let size = shuttle::rand::thread_rng().gen_range(0..3_u32);
            let mode = if size == 0 { FlushMode::Immediate } else { batched(size) };
            let model = Arc::new(Model::new(mode, FOR_EVER, 0));
            let returned = Arc::new(AtomicUsize::new(0));
            let shared = Arc::clone(&model);
            on_threads(3, move |_| {
                for _ in 0..2 {
                    shared.emit().unwrap();
                    let accepted = returned.fetch_add(1, Ordering::SeqCst) + 1;
                    assert!(accepted <= shared.synced() + size as usize, "{mode:?}");
                }
            });
            let head = model.queue.shutdown(FOR_EVER).unwrap().unwrap();
            // `segment_opened`, `log_opened`, the events, `log_closed`.
            assert_eq!((head.seq, model.synced()), (8, 6));
        },
        SCHEDULES,
    );
}

#[test]
fn every_receipt_resolves_whoever_flushes_or_closes() {
    shuttle::check_random(
        || {
            let model = Arc::new(Model::new(batched(100), FOR_EVER, 0));
            let shared = Arc::clone(&model);
            let receipts = on_threads(3, move |number| {
                let receipt = shared.try_emit();
                match number {
                    0 => drop(shared.queue.flush()),
                    1 => drop(shared.queue.shutdown(FOR_EVER).unwrap()),
                    _ => {}
                }
                receipt
            });
            let head = model.queue.shutdown(FOR_EVER).unwrap();
            let mut taken = 0;
            for receipt in receipts {
                match receipt {
                    Ok(receipt) => {
                        assert!(Some(receipt.wait(FOR_EVER).unwrap().seq) < head.map(|h| h.seq));
                        taken += 1;
                    }
                    Err(QueueError::Closed) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            assert_eq!(model.synced(), taken);
        },
        SCHEDULES,
    );
}

#[test]
fn whoever_gives_up_has_a_receipt_that_resolves() {
    shuttle::check_random(
        || {
            let model = Arc::new(Model::new(FlushMode::Immediate, Duration::ZERO, 0));
            let shared = Arc::clone(&model);
            let emitted = on_threads(3, move |_| match shared.emit() {
                Ok(()) => None,
                Err(QueueError::Pending(receipt)) => Some(receipt),
                Err(error) => panic!("{error}"),
            });
            for receipt in emitted.into_iter().flatten() {
                receipt.wait(FOR_EVER).unwrap();
            }
            assert_eq!(model.synced(), 3);
            assert!(model.queue.shutdown(FOR_EVER).unwrap().is_some());
        },
        SCHEDULES,
    );
}

#[test]
fn after_a_failed_sync_everybody_has_the_cause_and_nothing_is_done() {
    shuttle::check_random(
        || {
            let failing = shuttle::rand::thread_rng().gen_range(1..4_usize);
            let model = Arc::new(Model::new(FlushMode::Immediate, FOR_EVER, failing));
            let shared = Arc::clone(&model);
            let acknowledged: usize = on_threads(3, move |_| {
                let receipt = shared.try_emit();
                let emitted = shared.emit();
                let outcomes = [receipt.and_then(|r| r.wait(FOR_EVER).map(drop)), emitted];
                let durable = outcomes.into_iter().filter(|outcome| match outcome {
                    Ok(()) => true,
                    Err(QueueError::Write(WriteError::Poisoned { .. })) => false,
                    Err(error) => panic!("{error}"),
                });
                durable.count()
            })
            .into_iter()
            .sum();
            assert!(acknowledged <= model.synced());
            let syncs = model.facts.syncs.load(Ordering::SeqCst);
            let operations = model.facts.operations.load(Ordering::SeqCst);
            let closed = model.queue.shutdown(FOR_EVER);
            if syncs >= failing {
                assert!(matches!(closed, Err(ShutdownError::Write(_))), "{closed:?}");
                assert_eq!(model.facts.operations.load(Ordering::SeqCst), operations);
                assert_eq!(model.facts.syncs.load(Ordering::SeqCst), failing);
            }
        },
        SCHEDULES,
    );
}

//! What is modelled: callers on three threads, the worker, and a disk.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use audit_core::FlushMode;
use shuttle::rand::Rng as _;

use super::error::{QueueError, ShutdownError, WriteError};
use super::sync::Arc;
use super::{FOR_EVER, Model, batched, on_threads};

/// All models, by the names of their tests.
pub(crate) const ALL: [(&str, fn()); 4] = [
    (
        "what_is_durable_and_what_is_open_is_as_the_mode_says",
        what_is_durable_and_what_is_open_is_as_the_mode_says,
    ),
    (
        "every_receipt_resolves_whoever_flushes_or_closes",
        every_receipt_resolves_whoever_flushes_or_closes,
    ),
    ("whoever_gives_up_has_a_receipt_that_resolves", whoever_gives_up_has_a_receipt_that_resolves),
    (
        "after_a_failed_sync_everybody_has_the_cause_and_nothing_is_done",
        after_a_failed_sync_everybody_has_the_cause_and_nothing_is_done,
    ),
];

pub(crate) fn what_is_durable_and_what_is_open_is_as_the_mode_says() {
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
}

pub(crate) fn every_receipt_resolves_whoever_flushes_or_closes() {
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
}

pub(crate) fn whoever_gives_up_has_a_receipt_that_resolves() {
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
}

pub(crate) fn after_a_failed_sync_everybody_has_the_cause_and_nothing_is_done() {
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
}

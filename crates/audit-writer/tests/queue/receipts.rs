//! A call that waits as its mode says, and gives a receipt: it says too much, or waits for too little.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use audit_core::{FlushMode, Marks, OverflowPolicy, RotationPolicy};
use audit_writer::{PendingReceipt, QueueError};

use super::{HYBRID, LAZY, PATIENCE, Rig, critical, routine};
use crate::common::{verify_with_heads, wait_until};

fn with_receipt(rig: &Rig, number: u64) -> Result<PendingReceipt, QueueError> {
    rig.queue.emit_with_receipt(&routine(number), &Marks::none())
}

#[test]
fn where_the_record_has_to_be_durable_the_receipt_is_resolved() {
    for flush in [FlushMode::Immediate, HYBRID] {
        let rig = Rig::new(flush);
        let mut receipts = Vec::new();
        for number in 0..50 {
            let given = rig.queue.emit_with_receipt(&critical(number), &Marks::none()).unwrap();
            receipts.push(given.outcome().expect("resolved").unwrap());
        }
        receipts.extend(rig.queue.shutdown(PATIENCE).unwrap());
        let report = verify_with_heads(rig.disk.files(), &receipts);
        assert_eq!((report.verdict.exit_code(), report.events), (0, 50), "{report}");
    }
}

#[test]
fn where_it_has_not_the_receipt_is_resolved_by_the_sync_that_comes() {
    let rig = Rig::new(LAZY);
    let receipts: Vec<_> = (0..5).map(|number| with_receipt(&rig, number).unwrap()).collect();
    assert!(receipts.iter().all(|receipt| receipt.outcome().is_none()));
    assert_eq!(rig.steering.synced(), 0);
    rig.queue.flush().unwrap();
    let seqs: Vec<_> = receipts.iter().map(|receipt| receipt.wait(PATIENCE).unwrap().seq).collect();
    assert_eq!(seqs, [2, 3, 4, 5, 6]);
}

/// Whoever looks while a sync runs sees no receipt resolved that it is to cover.
#[test]
fn no_receipt_is_resolved_before_the_sync_that_covers_it() {
    let rig = Rig::new(HYBRID);
    let receipts: Arc<Mutex<Vec<PendingReceipt>>> = Arc::default();
    let looks = Arc::new(AtomicUsize::new(0));
    let (seen, looked) = (Arc::clone(&receipts), Arc::clone(&looks));
    rig.steering.watch(move |plan| {
        let seen = seen.lock().unwrap();
        let resolved = seen.iter().filter(|receipt| receipt.outcome().is_some()).count();
        assert!(resolved <= plan.synced, "{resolved} are resolved and {} synced", plan.synced);
        looked.fetch_add(usize::from(seen.len() > plan.synced), Ordering::SeqCst);
    });
    for round in 0..5 {
        for number in 0..4 {
            let receipt = rig.try_routine(round * 10 + number).unwrap();
            receipts.lock().unwrap().push(receipt);
        }
        rig.queue.flush().unwrap();
        let all = receipts.lock().unwrap().clone();
        assert!(all.iter().all(|receipt| receipt.wait(PATIENCE).is_ok()));
    }
    assert!(looks.load(Ordering::SeqCst) > 5, "nothing was observed");
}

#[test]
fn the_count_of_the_mode_bounds_what_has_an_unresolved_receipt() {
    let rig = Rig::new(FlushMode::Batched { size: 3, interval_secs: 60 });
    rig.steering.hang();
    let mut receipts: Vec<_> = (0..3).map(|number| with_receipt(&rig, number).unwrap()).collect();
    wait_until(|| rig.steering.is_hanging());
    thread::scope(|scope| {
        let fourth = scope.spawn(|| with_receipt(&rig, 3));
        wait_until(|| rig.queue.health().queued_records == 1);
        wait_until(|| rig.clock.has_sleeper(Duration::from_secs(5)));
        assert!(!fourth.is_finished(), "more than the count is accepted");
        rig.steering.answer();
        receipts.push(fourth.join().unwrap().unwrap());
    });
    assert!(receipts[0].wait(PATIENCE).is_ok());
    rig.queue.shutdown(PATIENCE).unwrap();
    assert!(receipts.iter().all(|receipt| matches!(receipt.outcome(), Some(Ok(_)))));
}

#[test]
fn giving_up_returns_a_receipt_and_the_record_is_not_lost() {
    let rig = Rig::new(FlushMode::Immediate);
    with_receipt(&rig, 0).unwrap();
    rig.clock.pass(Duration::from_secs(1));
    rig.steering.hang();
    let late = thread::scope(|scope| {
        let second = scope.spawn(|| with_receipt(&rig, 1));
        wait_until(|| rig.clock.has_sleeper(Duration::from_secs(6)));
        rig.clock.pass(Duration::from_secs(5));
        second.join().unwrap()
    });
    let Err(QueueError::Pending(receipt)) = late else { panic!("{late:?}") };
    rig.steering.answer();
    assert_eq!(receipt.wait(PATIENCE).unwrap().seq, 3);
    assert_eq!(rig.queue.health().lost, 0);
}

#[test]
fn a_failed_sync_is_the_error_of_the_call_and_of_the_receipts_before_it() {
    let rig = Rig::new(HYBRID);
    rig.critical(0).unwrap();
    rig.steering.fail_sync(rig.steering.count("sync") + 1);
    let before = with_receipt(&rig, 1).unwrap();
    let failed = rig.queue.emit_with_receipt(&critical(2), &Marks::none());
    assert!(matches!(failed, Err(QueueError::Write(_))), "{failed:?}");
    assert!(matches!(before.wait(PATIENCE), Err(QueueError::Write(_))));
    assert!(matches!(with_receipt(&rig, 3), Err(QueueError::Write(_))));
}

#[test]
fn without_room_the_event_is_refused_and_counted() {
    let rig = Rig::with(LAZY, OverflowPolicy::Reject, RotationPolicy::Daily);
    rig.critical(0).unwrap();
    rig.steering.hang();
    let refused = (1..40_000).map(|number| with_receipt(&rig, number)).find_map(Result::err);
    assert!(matches!(refused, Some(QueueError::QueueFull)), "{refused:?}");
    assert_eq!(rig.queue.health().lost, 1);
    rig.steering.answer();
}

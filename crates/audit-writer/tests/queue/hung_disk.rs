//! The disk does not answer.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use audit_verify::Verdict;
use audit_writer::{Condition, QueueError, ShutdownError};

use super::{HYBRID, PATIENCE, Rig};
use crate::common::{verify_with_heads, wait_until};

const SECOND: Duration = Duration::from_secs(1);

/// Lets the clock pass once somebody waits for that long.
fn pass_when_awaited(rig: &Rig, now: Duration, wait: Duration) {
    wait_until(|| rig.clock.has_sleeper(now + wait));
    rig.clock.pass(wait);
}

#[test]
fn calls_return_at_their_deadlines_and_nothing_is_lost() {
    let rig = Rig::new(HYBRID);
    rig.critical(0).unwrap();
    // What that one waited for is over, so that whoever waits from now on is another.
    rig.clock.pass(SECOND);
    let durable = rig.queue.health().last_durable;
    assert!(durable.is_some());
    rig.steering.hang();
    let early = rig.try_routine(1).unwrap();

    let emitted = thread::scope(|scope| {
        let emitting = scope.spawn(|| rig.critical(2));
        pass_when_awaited(&rig, SECOND, 5 * SECOND);
        emitting.join().unwrap()
    });
    let Err(QueueError::Pending(late)) = emitted else { panic!("{emitted:?}") };
    let flushed = thread::scope(|scope| {
        let flushing = scope.spawn(|| rig.queue.flush());
        pass_when_awaited(&rig, 6 * SECOND, 5 * SECOND);
        flushing.join().unwrap()
    });
    assert!(matches!(flushed, Err(QueueError::Pending(_))), "{flushed:?}");
    let waited = thread::scope(|scope| {
        let waiting = scope.spawn(|| late.wait(SECOND));
        pass_when_awaited(&rig, 11 * SECOND, SECOND);
        waiting.join().unwrap()
    });
    assert!(matches!(waited, Err(QueueError::Pending(_))), "{waited:?}");
    let closed = thread::scope(|scope| {
        let closing = scope.spawn(|| rig.queue.shutdown(3 * SECOND));
        pass_when_awaited(&rig, 12 * SECOND, 3 * SECOND);
        closing.join().unwrap()
    });
    let Err(ShutdownError::Deadline { last_durable }) = closed else { panic!("{closed:?}") };
    assert_eq!(last_durable, durable);
    let health = rig.queue.health();
    assert_eq!((health.lost, early.outcome().is_none()), (0, true));
    assert!(matches!(health.condition, Condition::Closing), "{health:?}");

    rig.steering.answer();
    let receipts = [early.wait(PATIENCE).unwrap(), late.wait(PATIENCE).unwrap()];
    assert_eq!(receipts[1].seq, receipts[0].seq + 1);
    let head = rig.queue.shutdown(PATIENCE).unwrap().unwrap();
    let report = verify_with_heads(rig.disk.files(), &[receipts[0], receipts[1], head]);
    assert_eq!((report.verdict, report.events_lost), (Verdict::Intact, 0), "{report}");
    assert_eq!(report.events, 3);
}

#[test]
fn a_receipt_that_nobody_waits_for_changes_nothing() {
    let rig = Rig::new(HYBRID);
    rig.critical(0).unwrap();
    rig.steering.hang();
    for number in 1..4 {
        drop(rig.try_routine(number).unwrap());
    }
    let kept = rig.try_routine(4).unwrap();
    rig.steering.answer();
    rig.queue.flush().unwrap();
    let receipt = kept.wait(PATIENCE).unwrap();
    let head = rig.queue.shutdown(PATIENCE).unwrap().unwrap();
    let report = verify_with_heads(rig.disk.files(), &[receipt, head]);
    assert_eq!((report.verdict, report.events), (Verdict::Intact, 5), "{report}");
}

#[test]
fn dropping_the_log_waits_five_seconds_and_no_longer() {
    let rig = Rig::new(HYBRID);
    rig.critical(0).unwrap();
    rig.clock.pass(SECOND);
    rig.steering.hang();
    let receipt = rig.try_routine(1).unwrap();
    let Rig { disk, steering, clock, queue, .. } = rig;
    let queue = Arc::into_inner(queue).unwrap();
    thread::scope(|scope| {
        let dropping = scope.spawn(move || drop(queue));
        wait_until(|| clock.has_sleeper(6 * SECOND));
        assert!(!dropping.is_finished());
        clock.pass(5 * SECOND);
    });
    // The worker goes on without its callers.
    steering.answer();
    let receipt = receipt.wait(PATIENCE).unwrap();
    wait_until(|| disk.trace().last().is_some_and(|last| last.starts_with("seal")));
    let report = verify_with_heads(disk.files(), &[receipt]);
    assert_eq!((report.verdict, report.events), (Verdict::Consistent, 2), "{report}");
}

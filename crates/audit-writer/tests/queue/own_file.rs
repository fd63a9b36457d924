//! Somebody removes the segment while callers wait for its records.

use audit_writer::{Condition, QueueError, WriteError};

use super::{HYBRID, PATIENCE, Rig};

const FIRST: &str = "00000000000000000000.2026-01-02.audit.jsonl";

fn is_missing<T: std::fmt::Debug>(outcome: &Result<T, QueueError>) -> bool {
    matches!(outcome, Err(QueueError::Write(WriteError::SegmentMissing { .. })))
}

#[test]
fn receipts_of_a_removed_segment_have_the_error_and_the_log_goes_on() {
    let rig = Rig::new(HYBRID);
    rig.critical(0).unwrap();
    rig.disk.unlink(FIRST);
    let routine = rig.try_routine(1).unwrap();
    let critical = rig.critical(2);
    assert!(is_missing(&critical), "{critical:?}");
    let outcome = routine.wait(PATIENCE);
    assert!(is_missing(&outcome), "{outcome:?}");

    assert!(matches!(rig.queue.health().condition, Condition::Working));
    rig.critical(3).unwrap();
    let receipt = rig.try_routine(4).unwrap();
    rig.queue.flush().unwrap();
    let head = rig.queue.shutdown(PATIENCE).unwrap().unwrap();
    assert_eq!(receipt.wait(PATIENCE).unwrap().seq + 1, head.seq);
    assert!(rig.lines()[1].contains(r#""event_type":"segment_missing""#));
}

#[test]
fn a_flush_that_waited_for_a_removed_segment_fails() {
    let rig = Rig::new(HYBRID);
    rig.critical(0).unwrap();
    rig.routine(1).unwrap();
    rig.disk.unlink(FIRST);
    let flushed = rig.queue.flush();
    assert!(is_missing(&flushed), "{flushed:?}");
    rig.queue.flush().unwrap();
    rig.routine(2).unwrap();
    rig.queue.flush().unwrap();
}

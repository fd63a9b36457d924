//! Nobody calls any more.

use std::time::Duration;

use audit_core::FlushMode;

use super::{HYBRID, PATIENCE, Rig};
use crate::common::wait_until;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_record_has_the_time_at_which_its_event_was_accepted() {
    let rig = Rig::new(HYBRID);
    rig.routine(1).unwrap();
    assert_eq!(rig.steering.operations(), [""; 0], "it waits in the queue");
    rig.clock.pass(61 * SECOND);
    wait_until(|| rig.steering.synced() == 1);
    let lines = rig.lines();
    let line = lines.iter().find(|line| line.contains("\"seal_verified\"")).unwrap();
    assert!(line.contains(r#""timestamp":"2026-01-02T03:04:05.000000000Z""#), "{line}");
}

#[test]
fn one_routine_event_and_then_silence_is_synced_at_its_interval() {
    let rig = Rig::new(HYBRID);
    wait_until(|| rig.clock.has_sleeper(60 * SECOND));
    rig.clock.pass(20 * SECOND);
    rig.routine(1).unwrap();
    assert_eq!(rig.queue.health().oldest_unsynced_age, Some(Duration::ZERO));

    // It wakes nobody: the worker looks when it had meant to, and then when the event is old.
    wait_until(|| rig.clock.has_sleeper(60 * SECOND));
    rig.clock.pass(40 * SECOND);
    wait_until(|| rig.clock.has_sleeper(80 * SECOND));
    rig.clock.pass(19 * SECOND);
    wait_until(|| rig.clock.has_sleeper(80 * SECOND));
    assert_eq!(rig.steering.operations(), [""; 0], "too early");
    assert_eq!(rig.queue.health().oldest_unsynced_age, Some(59 * SECOND));

    rig.clock.pass(SECOND);
    wait_until(|| rig.steering.synced() == 1);
    wait_until(|| rig.queue.health().oldest_unsynced_age.is_none());
}

#[test]
fn an_idle_log_is_not_touched() {
    let rig = Rig::new(HYBRID);
    for minute in 1..5 {
        wait_until(|| rig.clock.has_sleeper(60 * minute * SECOND));
        rig.clock.pass(60 * SECOND);
    }
    assert_eq!(rig.queue.shutdown(PATIENCE).unwrap(), None);
    assert_eq!(rig.steering.operations(), [""; 0]);
}

#[test]
fn a_full_batch_does_not_wait_for_the_interval_and_is_one_write() {
    let rig = Rig::new(FlushMode::Batched { size: 10, interval_secs: 60 });
    wait_until(|| rig.clock.has_sleeper(60 * SECOND));
    for number in 0..9 {
        rig.routine(number).unwrap();
    }
    assert_eq!(rig.steering.operations(), [""; 0], "too early");
    rig.routine(9).unwrap();
    wait_until(|| rig.steering.synced() == 10);
    // The new segment is one write, the batch another.
    assert_eq!(rig.steering.count("append"), 2);
}

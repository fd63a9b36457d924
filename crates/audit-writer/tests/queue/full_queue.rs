//! Events come faster than the disk takes them.

use std::thread;
use std::time::Duration;

use audit_core::limits::{BATCH_BYTES_MAX, QUEUE_BYTES_MAX, QUEUE_RECORDS_MAX};
use audit_core::{Marks, OverflowPolicy, RotationPolicy};
use audit_writer::QueueError;

use super::{LAZY, PATIENCE, Rig, critical};
use crate::common::{verify_consistent, wait_until};

/// A log whose worker has taken one batch and hangs, and whose queue is full: with how many events
/// that were accepted.
fn filled(overflow: OverflowPolicy) -> (Rig, u64) {
    let rig = Rig::with(LAZY, overflow, RotationPolicy::Daily);
    rig.steering.hang();
    let mut accepted = 0;
    let mut fill = |rig: &Rig| {
        while rig.queue.health().queued_records < QUEUE_RECORDS_MAX {
            rig.try_routine(accepted).unwrap();
            accepted += 1;
            if accepted == QUEUE_RECORDS_MAX as u64 {
                wait_until(|| rig.steering.is_hanging());
            }
        }
    };
    fill(&rig);
    (rig, accepted)
}

#[test]
fn a_full_queue_rejects_and_the_log_says_how_many() {
    let (rig, accepted) = filled(OverflowPolicy::Reject);
    // Critical events have some room of their own.
    let critical_room = QUEUE_RECORDS_MAX as u64 / 8;
    for number in 0..critical_room {
        rig.critical(number).unwrap();
    }
    for number in 0..7 {
        assert!(matches!(rig.routine(number), Err(QueueError::QueueFull)));
        assert!(matches!(rig.try_routine(number), Err(QueueError::QueueFull)));
    }
    for number in 0..3 {
        assert!(matches!(rig.critical(number), Err(QueueError::QueueFull)));
    }
    let health = rig.queue.health();
    assert_eq!((health.lost, health.lost_critical), (17, 3));
    rig.steering.answer();
    rig.queue.flush().unwrap();
    rig.routine(1_000_000).unwrap();
    rig.queue.shutdown(PATIENCE).unwrap();

    let report = verify_consistent(rig.disk.files());
    let events = accepted + critical_room + 1;
    assert_eq!((report.events, report.events_lost), (events, 17), "{report}");
    let lines = rig.lines();
    let is_loss = |line: &&String| line.contains(r#""event_type":"events_lost""#);
    let losses: Vec<_> = lines.iter().filter(is_loss).collect();
    assert_eq!(losses.len(), 1);
    let told = r#""count":17,"critical_count":3,"reason":"queue_full""#;
    assert!(losses[0].contains(told), "{}", losses[0]);
    // Between what was accepted before and what was accepted after.
    let place = |text: &str| lines.iter().position(|line| line.contains(text)).unwrap();
    let last_before = place(&format!("\"token-{}\"", critical_room - 1));
    assert_eq!(place("events_lost"), last_before + 1);
    assert_eq!(place("\"shard-1000000\""), last_before + 2);
}

#[test]
fn a_full_queue_blocks_until_the_deadline_and_then_counts() {
    let deadline = Duration::from_secs(2);
    let (rig, accepted) = filled(OverflowPolicy::Block { deadline });
    let start = audit_writer::Clock::monotonic(&rig.clock);
    thread::scope(|scope| {
        let blocked = scope.spawn(|| rig.routine(1));
        wait_until(|| rig.clock.has_sleeper(start + deadline));
        assert!(!blocked.is_finished());
        rig.clock.pass(deadline);
        assert!(matches!(blocked.join().unwrap(), Err(QueueError::QueueFull)));
        let patient = scope.spawn(|| rig.routine(2_000_000));
        wait_until(|| rig.clock.has_sleeper(start + 2 * deadline));
        rig.steering.answer();
        patient.join().unwrap().unwrap();
    });
    rig.queue.shutdown(PATIENCE).unwrap();
    let report = verify_consistent(rig.disk.files());
    assert_eq!((report.events, report.events_lost), (accepted + 1, 1), "{report}");
}

#[test]
fn with_64_producers_accepted_and_lost_are_what_was_offered() {
    let (rig, filled) = filled(OverflowPolicy::Reject);
    assert!(matches!(rig.routine(0), Err(QueueError::QueueFull)));
    let accepted: u64 = thread::scope(|scope| {
        let offering: Vec<_> = (0..64)
            .map(|producer| {
                let rig = &rig;
                scope.spawn(move || {
                    if producer == 32 {
                        rig.steering.answer();
                    }
                    let offered = (0..500).filter(|&number| match rig.routine(number) {
                        Ok(()) => true,
                        Err(QueueError::QueueFull) => false,
                        Err(error) => panic!("{error}"),
                    });
                    offered.count() as u64
                })
            })
            .collect();
        offering.into_iter().map(|offering| offering.join().unwrap()).sum()
    });
    rig.queue.shutdown(PATIENCE).unwrap();
    let report = verify_consistent(rig.disk.files());
    assert_eq!(report.events, filled + accepted);
    assert_eq!(report.events + report.events_lost, filled + 1 + 64 * 500, "{report}");
    assert_eq!(rig.queue.health().lost, report.events_lost);
}

#[test]
fn bytes_fill_the_queue_as_records_do() {
    let rig = Rig::with(LAZY, OverflowPolicy::Reject, RotationPolicy::Daily);
    rig.steering.hang();
    let reason = "x".repeat(8_000);
    let large = || audit_core::AuditEvent::AuthFailure {
        timestamp: audit_core::EventTime::from(chrono::DateTime::UNIX_EPOCH),
        attempted_user: None,
        reason: reason.as_str().into(),
        ip: "192.0.2.7".into(),
        path: "/login".into(),
        service_id: "bank.teller-1".into(),
    };
    let mut accepted = 0_usize;
    while rig.queue.try_emit(&large(), &Marks::none()).is_ok() {
        accepted += 1;
        // They are critical, which have some room of their own.
        assert!(rig.queue.health().queued_bytes <= QUEUE_BYTES_MAX / 8 * 9);
        if accepted * 8_000 == BATCH_BYTES_MAX.next_multiple_of(8_000) {
            wait_until(|| rig.steering.is_hanging());
        }
    }
    assert!(accepted * 8_000 > QUEUE_BYTES_MAX, "{accepted} were taken");
    let refused = rig.queue.try_emit(&critical(0), &Marks::none());
    assert!(matches!(refused, Err(QueueError::QueueFull)));
    rig.steering.answer();
    rig.queue.shutdown(PATIENCE).unwrap();
    let report = verify_consistent(rig.disk.files());
    assert_eq!((report.events, report.events_lost), (accepted as u64, 2), "{report}");
}

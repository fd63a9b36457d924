//! The disk fills up under a queue: critical events overtake, and nothing is lost in silence.

use std::thread;
use std::time::Duration;

use audit_core::lifecycle::LossReason;
use audit_core::limits::{CLOSING_BYTES, RESERVE_BYTES};
use audit_core::{Digest, Marks, OverflowPolicy, RotationPolicy};
use audit_verify::Verdict;
use audit_writer::{
    Clock as _, Condition, Loss, PendingReceipt, QueueError, ShutdownError, SimDisk,
};

use super::{HYBRID, PATIENCE, Rig, critical};
use crate::common::{verify_with_heads, wait_until};

/// Routine events that wait together: more than the space beside the reserve takes.
const WAITING: u64 = 60;

/// A log on a disk of so many bytes, with a critical event in it and routine ones that wait.
fn filling_up(capacity: u64) -> (Rig, Vec<PendingReceipt>) {
    let disk = SimDisk::default();
    disk.limit(Some(capacity));
    let rig = Rig::on(disk, HYBRID, OverflowPolicy::default(), RotationPolicy::Daily);
    rig.critical(0).unwrap();
    let waiting = (0..WAITING).map(|number| rig.try_routine(number).unwrap()).collect();
    (rig, waiting)
}

#[test]
fn a_critical_event_overtakes_routine_ones_that_wait_for_space() {
    // Beside the reserve there is space for the opening records and one event.
    let (rig, waiting) = filling_up(RESERVE_BYTES + 1_500);
    thread::scope(|scope| {
        let flushing = scope.spawn(|| rig.queue.flush());
        wait_until(|| matches!(rig.queue.health().condition, Condition::Stalled(_)));
        rig.critical(9).unwrap();
        assert!(waiting.iter().all(|receipt| receipt.outcome().is_none()));
        rig.disk.limit(None);
        wait_until(|| {
            // Time passes whenever the worker has looked at it and waits for the next try.
            if rig.clock.has_sleeper(rig.clock.monotonic() + Duration::from_secs(1)) {
                rig.clock.pass(Duration::from_secs(1));
            }
            waiting.iter().all(|receipt| receipt.outcome().is_some())
        });
        // Its deadline may have passed meanwhile.
        let flushed = flushing.join().unwrap();
        assert!(matches!(flushed, Ok(()) | Err(QueueError::Pending(_))), "{flushed:?}");
    });
    let mut heads: Vec<_> = waiting.iter().map(|receipt| receipt.wait(PATIENCE).unwrap()).collect();
    heads.extend(rig.queue.shutdown(PATIENCE).unwrap());
    let report = verify_with_heads(rig.disk.files(), &heads);
    assert_eq!((report.verdict, report.events), (Verdict::Intact, WAITING + 2), "{report}");
    let lines = rig.lines();
    let place = |text: &str| lines.iter().position(|line| line.contains(text)).unwrap();
    assert!(place("\"token-9\"") < place("\"shard-0\""));
    assert_eq!(place("disk_full") + 1, place("\"token-9\""));
}

/// The declaration that the reserve is used is written in part, and the event behind it is not.
#[test]
fn a_critical_event_is_not_taken_for_the_declaration_before_it_that_is_unfinished() {
    let (rig, waiting) = filling_up(RESERVE_BYTES + 1_500);
    let critical = thread::scope(|scope| {
        let flushing = scope.spawn(|| rig.queue.flush());
        wait_until(|| matches!(rig.queue.health().condition, Condition::Stalled(_)));
        rig.steering.leave_room(Some(40));
        let critical = rig.queue.try_emit(&critical(9), &Marks::none()).unwrap();
        wait_until(|| rig.lines().iter().any(|line| !line.ends_with('}')));
        rig.steering.leave_room(None);
        rig.disk.limit(None);
        wait_until(|| {
            if rig.clock.has_sleeper(rig.clock.monotonic() + Duration::from_secs(1)) {
                rig.clock.pass(Duration::from_secs(1));
            }
            waiting.iter().all(|receipt| receipt.outcome().is_some())
        });
        drop(flushing.join().unwrap());
        critical.wait(PATIENCE).unwrap()
    });
    let head = rig.queue.shutdown(PATIENCE).unwrap().unwrap();
    let report = verify_with_heads(rig.disk.files(), &[critical, head]);
    assert_eq!((report.verdict, report.events), (Verdict::Intact, WAITING + 2), "{report}");
    let line = rig.lines().swap_remove(usize::try_from(critical.seq).unwrap());
    assert!(line.contains("\"token-9\""), "{line}");
}

#[test]
fn at_the_end_everything_may_use_the_reserve() {
    let (rig, waiting) = filling_up(RESERVE_BYTES + 16_000);
    let head = rig.queue.shutdown(PATIENCE).unwrap().unwrap();
    let mut heads: Vec<_> = waiting.iter().map(|receipt| receipt.wait(PATIENCE).unwrap()).collect();
    heads.push(head);
    assert_eq!(verify_with_heads(rig.disk.files(), &heads).verdict, Verdict::Intact);
}

#[test]
fn what_has_no_space_by_the_end_is_counted_in_the_log() {
    let (rig, waiting) = filling_up(CLOSING_BYTES + 4_000);
    let closed = rig.queue.shutdown(PATIENCE);
    let Err(ShutdownError::Lost { events, head: Some(head) }) = closed else {
        panic!("{closed:?}")
    };
    assert_eq!(events, WAITING);
    for receipt in waiting {
        assert!(matches!(receipt.wait(PATIENCE), Err(QueueError::Write(_))));
    }
    assert_eq!((rig.queue.health().lost, rig.queue.health().lost_critical), (WAITING, 0));
    let report = verify_with_heads(rig.disk.files(), &[head]);
    assert_eq!((report.verdict, report.events_lost), (Verdict::Intact, WAITING), "{report}");
    assert!(rig.lines().iter().any(|line| line.contains(r#""reason":"disk_full""#)));
    assert!(rig.lines().last().unwrap().contains("log_closed"));
}

/// The queue had declarations of earlier losses, and they were given up like the events around them.
#[test]
fn a_loss_whose_declaration_has_no_space_by_the_end_is_counted_in_the_log() {
    let (rig, _) = filling_up(CLOSING_BYTES + 4_000);
    let mut refused: Vec<_> = (0..9).map(|number| Digest::from_bytes([number; 32])).collect();
    for sha256 in &refused {
        let sha256 = Some(*sha256);
        rig.queue
            .record_loss(Loss { reason: LossReason::Refused, critical: false, sha256 })
            .unwrap();
        rig.try_routine(0).unwrap();
    }
    let Err(ShutdownError::Lost { events, head: Some(head) }) = rig.queue.shutdown(PATIENCE) else {
        panic!("there was space")
    };
    assert_eq!(events, WAITING + 9);
    let report = verify_with_heads(rig.disk.files(), &[head]);
    assert_eq!((report.verdict, report.events_lost), (Verdict::Intact, events + 9), "{report}");
    assert_eq!(rig.queue.health().lost, events + 9);
    let lines = rig.lines();
    let line = lines.iter().find(|line| line.contains(r#""reason":"refused""#)).unwrap();
    let digests = refused.drain(..).flat_map(|digest| *digest.as_bytes()).collect::<Vec<_>>();
    assert!(line.contains(&Digest::of(&digests).to_string()), "{line}");
}

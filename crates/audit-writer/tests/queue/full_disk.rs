//! A write fails, and later ones do not.

use std::thread;
use std::time::Duration;

use audit_verify::Verdict;
use audit_writer::{Condition, QueueError, ShutdownError, WriteError};

use super::{HYBRID, PATIENCE, Rig};
use crate::common::{verify_with_heads, wait_until};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn what_was_accepted_waits_until_there_is_space() {
    // No byte fits, a part of a line, one line and a part.
    for room in [0, 100, 700] {
        let rig = Rig::new(HYBRID);
        rig.critical(0).unwrap();
        rig.steering.leave_room(Some(room));
        let early: Vec<_> = (1..4).map(|number| rig.try_routine(number).unwrap()).collect();
        let emitted = thread::scope(|scope| {
            let emitting = scope.spawn(|| rig.critical(4));
            wait_until(|| matches!(rig.queue.health().condition, Condition::Stalled(_)));
            // The next try is as vain as the first.
            wait_until(|| rig.clock.has_sleeper(SECOND));
            rig.clock.pass(SECOND);
            wait_until(|| rig.clock.has_sleeper(2 * SECOND));
            assert!(!emitting.is_finished());
            rig.steering.leave_room(None);
            rig.clock.pass(SECOND);
            emitting.join().unwrap()
        });
        emitted.unwrap();
        let mut heads: Vec<_> =
            early.iter().map(|receipt| receipt.wait(PATIENCE).unwrap()).collect();
        heads.extend(rig.queue.shutdown(PATIENCE).unwrap());
        let report = verify_with_heads(rig.disk.files(), &heads);
        assert_eq!((report.verdict, report.events), (Verdict::Intact, 5), "{room}: {report}");
        assert_eq!(report.events_lost, 0);
    }
}

#[test]
fn a_log_that_closes_without_space_says_so_and_does_not_claim_to_be_closed() {
    let rig = Rig::new(HYBRID);
    rig.critical(0).unwrap();
    rig.steering.leave_room(Some(0));
    let receipt = rig.try_routine(1).unwrap();
    let closed = rig.queue.shutdown(PATIENCE);
    let Err(ShutdownError::Write(WriteError::Io { cause, .. })) = closed else {
        panic!("{closed:?}")
    };
    assert_eq!(cause.kind(), std::io::ErrorKind::StorageFull);
    assert!(matches!(receipt.wait(PATIENCE), Err(QueueError::Write(WriteError::Io { .. }))));
    assert!(!rig.lines().iter().any(|line| line.contains("log_closed")));
}

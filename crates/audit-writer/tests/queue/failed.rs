//! A sync fails, or the worker panics: the first such error is the last.

use std::thread;

use audit_core::{FlushMode, OnDamage, RotationPolicy};
use audit_verify::Verdict;
use audit_writer::{
    AuditFileWriter, Condition, OpenError, QueueError, QueuedWriter, ShutdownError, WriteError,
};

use super::{HYBRID, PATIENCE, Rig};
use crate::common::{clock_at, open, routine, service, verify_with_heads, wait_until};

fn cause(error: WriteError) -> String {
    let WriteError::Poisoned { cause, .. } = error else { panic!("{error}") };
    cause.to_string()
}

fn assert_out_of_use(rig: &Rig, why: &str) {
    let operations = rig.steering.operations();
    let refused = [rig.routine(90), rig.critical(91), rig.queue.flush()];
    for refused in refused.into_iter().chain([rig.try_routine(92).map(drop)]) {
        let Err(QueueError::Write(error)) = refused else { panic!("{refused:?}") };
        assert_eq!(cause(error), why);
    }
    let closed = rig.queue.shutdown(PATIENCE);
    let Err(ShutdownError::Write(error)) = closed else { panic!("{closed:?}") };
    assert_eq!(cause(error), why);
    assert!(matches!(rig.queue.health().condition, Condition::Failed(_)));
    assert_eq!(rig.steering.operations(), operations, "the disk was touched again");
}

#[test]
fn the_fifth_sync_fails_and_none_follows() {
    let rig = Rig::new(FlushMode::Immediate);
    rig.steering.fail_sync(5);
    // The first sync is that of the new segment.
    let receipts: Vec<_> =
        (1..4).map(|number| rig.try_routine(number).unwrap().wait(PATIENCE).unwrap()).collect();
    let emitted = rig.routine(4);
    let Err(QueueError::Write(error)) = emitted else { panic!("{emitted:?}") };
    assert_eq!(cause(error), "the disk is broken");
    assert_eq!(rig.steering.operations().last(), Some(&"sync"));
    assert_out_of_use(&rig, "the disk is broken");
    assert_eq!(rig.steering.count("sync"), 5);

    let clock = clock_at("2026-01-02T04:00:00Z");
    let mut writer = open(&rig.disk, &clock, RotationPolicy::Daily, HYBRID).unwrap();
    writer.write_event(&routine(5)).unwrap();
    let head = writer.close().unwrap();
    let heads: Vec<_> = receipts.into_iter().chain(head).collect();
    let report = verify_with_heads(rig.disk.files(), &heads);
    assert_eq!((report.verdict, report.segments), (Verdict::Intact, 2), "{report}");
}

#[test]
fn everybody_who_waits_gets_the_cause_of_a_failed_sync() {
    let rig = Rig::new(HYBRID);
    rig.critical(0).unwrap();
    let receipt = rig.try_routine(1).unwrap();
    rig.steering.hang();
    thread::scope(|scope| {
        let waiting: Vec<_> = (2..10)
            .map(|number| {
                let rig = &rig;
                scope.spawn(move || rig.critical(number))
            })
            .collect();
        wait_until(|| rig.steering.is_hanging());
        rig.steering.fail_sync(rig.steering.count("sync") + 1);
        rig.steering.answer();
        for waiting in waiting {
            let emitted = waiting.join().unwrap();
            let Err(QueueError::Write(error)) = emitted else { panic!("{emitted:?}") };
            assert_eq!(cause(error), "the disk is broken");
        }
    });
    let resolved = receipt.wait(PATIENCE);
    let Err(QueueError::Write(error)) = resolved else { panic!("{resolved:?}") };
    assert_eq!(cause(error), "the disk is broken");
    assert_out_of_use(&rig, "the disk is broken");
}

#[test]
fn a_panic_in_the_store_is_as_bad_as_a_failed_sync() {
    let rig = Rig::new(HYBRID);
    rig.critical(0).unwrap();
    rig.steering.panic_next();
    let emitted = rig.critical(1);
    let Err(QueueError::Write(error)) = emitted else { panic!("{emitted:?}") };
    assert_eq!(cause(error), "the store panics");
    assert_out_of_use(&rig, "the store panics");
}

#[test]
fn a_panic_while_closing_is_told() {
    let rig = Rig::new(HYBRID);
    rig.critical(0).unwrap();
    rig.steering.panic_next();
    let closed = rig.queue.shutdown(PATIENCE);
    let Err(ShutdownError::Write(error)) = closed else { panic!("{closed:?}") };
    assert_eq!(cause(error), "the store panics");
}

#[test]
fn the_log_of_another_service_is_not_opened() {
    let rig = Rig::new(HYBRID);
    rig.critical(0).unwrap();
    rig.queue.shutdown(PATIENCE).unwrap();
    let before = rig.disk.files();
    let clock = clock_at("2026-01-02T04:00:00Z");
    let store = rig.disk.store();
    let writer =
        AuditFileWriter::with(store, clock, RotationPolicy::Daily, HYBRID, OnDamage::Refuse)
            .unwrap();
    let other = "bank.teller-2".parse().unwrap();
    let started = QueuedWriter::start(writer, other, audit_core::OverflowPolicy::Reject);
    let Err(OpenError::ServiceMismatch { log, given }) = started else { panic!("{started:?}") };
    assert_eq!((log, given), (service(), other));
    assert_eq!(rig.disk.files(), before);
}

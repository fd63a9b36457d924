//! A forked child has a copy of the parent's writer, and of its lock. The log is the parent's alone.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use audit_log::core::lifecycle::LossReason;
use audit_log::writer::Loss;
use audit_log::{
    AuditEventEnvelope, AuditFileWriter, AuditLogger, Condition, EmitError, FlushMode, OpenError,
    ShutdownError, WriteError,
};
use audit_testkit::fork::fork;
use audit_verify::Verdict;

use super::{
    NEVER, PATIENCE, PATIENT, count_of, critical, holder_of, holder_told, opened, place, records,
    routine, segments, service, verified,
};

const LOSS: Loss = Loss { reason: LossReason::Refused, critical: true, sha256: None };

/// An exit code that tells which check was the first to fail, from 1; 0 when none did.
fn first_failed(checks: &[bool]) -> u8 {
    let failed = checks.iter().position(|is_right| !is_right);
    failed.map_or(0, |at| u8::try_from(at + 1).unwrap())
}

#[track_caller]
fn assert_all_right(status: ExitStatus) {
    assert_eq!(status.code(), Some(0), "the number of the check that failed: {status}");
}

/// What a child meets that uses the logger of its parent, whatever the parent's threads were doing.
fn use_logger_of_parent(log: &AuditLogger) -> [bool; 8] {
    [
        matches!(log.emit(routine("child-1")), Err(EmitError::Forked)),
        matches!(log.emit(critical("child-2")), Err(EmitError::Forked)),
        matches!(log.emit_with_receipt(critical("child-3")), Err(EmitError::Forked)),
        matches!(log.try_emit(routine("child-4")), Err(EmitError::Forked)),
        matches!(log.flush(), Err(EmitError::Forked)),
        matches!(log.record_loss(LOSS), Err(EmitError::Forked)),
        matches!(log.shutdown(Duration::from_secs(1)), Err(ShutdownError::Forked)),
        log.health().is_some_and(|health| matches!(health.condition, Condition::Forked)),
    ]
}

/// Everything in a directory.
fn bytes_of(dir: &Path) -> Vec<Vec<u8>> {
    segments(dir).iter().map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn a_child_that_uses_or_drops_the_logger_of_its_parent_changes_nothing() {
    let (_parent, dir) = place();
    let mut log = Some(opened(&dir, PATIENT).unwrap());
    let of_parent = |log: &Option<AuditLogger>, name| log.as_ref().unwrap().emit(critical(name));
    of_parent(&log, "parent-1").unwrap();
    let waiting = log.as_ref().unwrap().emit_with_receipt(routine("parent-2")).unwrap();
    let before = bytes_of(&dir);
    let child = fork(|| {
        let log = log.take().unwrap();
        let used = first_failed(&use_logger_of_parent(&log));
        drop(log);
        used
    });
    assert_all_right(child.wait());
    assert_eq!(bytes_of(&dir), before);
    assert!(waiting.outcome().is_none(), "the child settled nothing");

    // The child's end has not given the lock away.
    assert!(holder_told(&dir).ends_with(&holder_of(std::process::id())));
    let child =
        fork(|| first_failed(&[matches!(opened(&dir, PATIENT), Err(OpenError::Locked { .. }))]));
    assert_all_right(child.wait());

    of_parent(&log, "parent-3").unwrap();
    let head = log.unwrap().shutdown(PATIENCE).unwrap().unwrap();
    let report = verified(&dir, &[head]);
    assert_eq!((report.verdict, report.notices_total), (Verdict::Intact, 0), "{report}");
    assert_eq!((report.events, report.events_lost), (3, 0), "{report}");
    let records = records(&dir);
    let names: Vec<_> = records.iter().filter_map(|record| record.name()).collect();
    assert_eq!(names, ["parent-1", "parent-2", "parent-3"]);
    assert_eq!(count_of(&records, "log_closed"), 1);
}

#[test]
fn a_child_that_is_forked_in_the_midst_of_emitting_never_waits_for_a_lock() {
    const CHILDREN: usize = 30;
    let (_parent, dir) = place();
    let log = opened(&dir, FlushMode::default()).unwrap();
    let enough = AtomicBool::new(false);
    let emit = || {
        let mut emitted = 0;
        while !enough.load(Ordering::SeqCst) {
            log.emit(if emitted % 10 == 9 { critical("c") } else { routine("r") }).unwrap();
            emitted += 1;
        }
        emitted
    };
    let (emitted, failed) = thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(emit)).collect();
        let mut children = (0..CHILDREN).map(|_| {
            let child = fork(|| first_failed(&use_logger_of_parent(&log)));
            child.wait()
        });
        let failed = children.find(|status| !status.success());
        enough.store(true, Ordering::SeqCst);
        (threads.into_iter().map(|thread| thread.join().unwrap()).sum::<u64>(), failed)
    });
    if let Some(status) = failed {
        assert_all_right(status);
    }
    let head = log.shutdown(PATIENCE).unwrap().unwrap();
    let report = verified(&dir, &[head]);
    assert_eq!((report.verdict, report.events), (Verdict::Intact, emitted), "{report}");
}

#[test]
fn a_child_that_uses_or_drops_the_bare_writer_of_its_parent_changes_nothing() {
    let (_parent, dir) = place();
    let mut writer = Some(AuditFileWriter::new(&dir, NEVER, PATIENT).unwrap());
    let event = |name: &'static str| AuditEventEnvelope::new(service(), routine(name));
    let mine = writer.as_mut().unwrap();
    let first = mine.write_event(&event("parent-1")).unwrap();
    let before = bytes_of(&dir);
    let of_parent = |done: Result<(), WriteError>| matches!(done, Err(WriteError::Forked));
    let child = fork(|| {
        let mut writer = writer.take().unwrap();
        let used = [
            of_parent(writer.write_event(&event("child-1")).map(drop)),
            of_parent(writer.record_loss(service(), LOSS)),
            of_parent(writer.flush()),
            of_parent(writer.flush_if_due().map(drop)),
            writer.head() == Some(first),
            of_parent(writer.close().map(drop)),
        ];
        first_failed(&used)
    });
    assert_all_right(child.wait());
    let child = fork(|| {
        drop(writer.take());
        0
    });
    assert_all_right(child.wait());
    assert_eq!(bytes_of(&dir), before);
    assert!(holder_told(&dir).ends_with(&holder_of(std::process::id())), "it is still locked");

    let mut writer = writer.unwrap();
    writer.write_event(&event("parent-2")).unwrap();
    let head = writer.close().unwrap().unwrap();
    let report = verified(&dir, &[head]);
    assert_eq!(
        (report.verdict, report.events, report.events_lost),
        (Verdict::Intact, 2, 0),
        "{report}"
    );
}

#[test]
fn a_log_that_is_closed_can_be_opened_while_a_child_lives_that_was_forked_before() {
    let (_parent, dir) = place();
    let (mut told, mut tell) = std::io::pipe().unwrap();
    let log = opened(&dir, PATIENT).unwrap();
    log.emit(critical("first")).unwrap();
    let child = fork(|| first_failed(&[matches!(told.read(&mut [0]), Ok(1))]));
    log.shutdown(PATIENCE).unwrap();
    let again = opened(&dir, PATIENT).unwrap();
    again.emit(critical("second")).unwrap();
    tell.write_all(b"x").unwrap();
    assert_all_right(child.wait());
    assert!(holder_told(&dir).ends_with(&holder_of(std::process::id())));
    again.shutdown(PATIENCE).unwrap();
    assert_eq!(verified(&dir, &[]).verdict, Verdict::Consistent);
}

//! Somebody removes or renames the log's directory, and puts another one in its place.

use std::fs;
use std::path::Path;

use audit_log::writer::QueueError;
use audit_log::{
    AuditLogger, Condition, EmitError, FlushMode, OpenError, ShutdownError, WriteError,
};
use audit_verify::Verdict;

use super::{
    PATIENCE, PATIENT, critical, opened, place, records, routine, segments, shell, verified,
};

fn open(dir: &Path) -> AuditLogger {
    opened(dir, PATIENT).unwrap()
}

fn is_out_of_use(error: &WriteError) -> bool {
    matches!(error, WriteError::Poisoned { action: "find the directory", .. })
}

/// The logger takes nothing any more, and says why each time.
fn assert_out_of_use(log: &AuditLogger) {
    for _ in 0..2 {
        let error = log.emit(critical("late")).unwrap_err();
        assert!(matches!(&error, EmitError::Write(error) if is_out_of_use(error)), "{error}");
    }
    assert!(matches!(log.flush(), Err(EmitError::Write(error)) if is_out_of_use(&error)));
    let condition = log.health().unwrap().condition;
    assert!(matches!(&condition, Condition::Failed(error) if is_out_of_use(error)));
    let closed = log.shutdown(PATIENCE);
    assert!(matches!(closed, Err(ShutdownError::Write(error)) if is_out_of_use(&error)));
}

#[test]
fn a_writer_whose_directory_was_made_anew_writes_nothing_into_the_new_one() {
    let (_parent, dir) = place();
    let first = open(&dir);
    first.emit(critical("before")).unwrap();
    let unresolved = first.emit_with_receipt(routine("unsynced")).unwrap();
    shell("rm -r \"$0\" && mkdir \"$0\"", &dir);
    // Another directory has another lock.
    let second = open(&dir);
    second.emit(critical("second-1")).unwrap();

    let error = first.emit(critical("during")).unwrap_err();
    assert!(matches!(&error, EmitError::Write(error) if is_out_of_use(error)), "{error}");
    let waited = unresolved.wait(PATIENCE);
    assert!(matches!(&waited, Err(QueueError::Write(error)) if is_out_of_use(error)), "{waited:?}");
    assert_out_of_use(&first);
    drop(first);

    second.emit(critical("second-2")).unwrap();
    assert!(matches!(opened(&dir, PATIENT), Err(OpenError::Locked { .. })));
    let head = second.shutdown(PATIENCE).unwrap().unwrap();
    let report = verified(&dir, &[head]);
    assert_eq!((report.verdict, report.events), (Verdict::Intact, 2), "{report}");
    let records = records(&dir);
    let names: Vec<_> = records.iter().filter_map(|record| record.name()).collect();
    assert_eq!(names, ["second-1", "second-2"]);
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1, "nothing but that segment");
}

#[test]
fn a_directory_that_is_gone_is_found_at_the_next_commit_and_not_made_again() {
    for written_before in [false, true] {
        let (_parent, dir) = place();
        let log = open(&dir);
        if written_before {
            log.emit(critical("before")).unwrap();
        }
        shell("rm -r \"$0\"", &dir);
        assert_out_of_use(&log);
        drop(log);
        assert!(!dir.exists());
        let again = open(&dir);
        again.emit(critical("again")).unwrap();
        drop(again);
        assert_eq!(verified(&dir, &[]).verdict, Verdict::Consistent);
    }
}

#[test]
fn a_log_whose_directory_is_renamed_goes_on_in_it_and_only_there() {
    let (_parent, dir) = place();
    let moved = dir.with_file_name("moved");
    let log = open(&dir);
    log.emit(critical("before")).unwrap();
    log.emit(routine("unsynced")).unwrap();
    shell("mv \"$0\" \"$0/../moved\"", &dir);
    log.emit(critical("after")).unwrap();
    assert!(!dir.exists(), "it was not made again");
    // Who has it is the directory's, whatever that is called.
    assert!(matches!(opened(&moved, PATIENT), Err(OpenError::Locked { .. })));
    let other = open(&dir);
    other.emit(critical("other")).unwrap();
    log.emit(critical("last")).unwrap();

    let (head, others) = (log.shutdown(PATIENCE).unwrap(), other.shutdown(PATIENCE).unwrap());
    let report = verified(&moved, &[head.unwrap()]);
    assert_eq!((report.verdict, report.events), (Verdict::Intact, 4), "{report}");
    let report = verified(&dir, &[others.unwrap()]);
    assert_eq!((report.verdict, report.events), (Verdict::Intact, 1), "{report}");
    assert_eq!((segments(&moved).len(), segments(&dir).len()), (1, 1));
}

#[test]
fn a_copy_of_the_directory_in_its_place_is_not_written_to() {
    let (_parent, dir) = place();
    let first = open(&dir);
    first.emit(critical("before")).unwrap();
    shell("cp -r \"$0\" \"$0.copy\" && rm -r \"$0\" && mv \"$0.copy\" \"$0\"", &dir);
    let before = fs::read(&segments(&dir)[0]).unwrap();
    assert_out_of_use(&first);
    assert_eq!(fs::read(&segments(&dir)[0]).unwrap(), before, "not even to a copy of its segment");
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
    let flush = opened(&dir, FlushMode::Immediate).unwrap();
    flush.emit(routine("goes-on")).unwrap();
    flush.shutdown(PATIENCE).unwrap();
    assert_eq!(verified(&dir, &[]).verdict, Verdict::Consistent);
}

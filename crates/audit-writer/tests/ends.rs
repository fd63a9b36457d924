//! A process ends with its log open, or may not write files as large as its log.

#![expect(clippy::unwrap_used, reason = "a test fails")]

#[expect(dead_code, reason = "each scenario file uses what it needs")]
mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio, exit};
use std::sync::{Arc, Mutex};
use std::thread;

use audit_core::{FileSystems, FlushMode, Marks, OpenPolicy, OverflowPolicy, RotationPolicy};
use audit_testkit::fork::fork;
use audit_verify::{Report, Verdict, VerifyOptions, verify_dir};
use audit_writer::{AuditFileWriter, QueuedWriter};
use common::{routine, service};
use rustix::process::{Resource, Rlimit, setrlimit};

/// Names the directory of logs to the process, and what it does.
const DIR: &str = "AUDIT_ENDS_TEST_DIR";
const DEED: &str = "AUDIT_ENDS_TEST_DEED";

const EVENTS: u64 = 50;

/// Logs that are not dropped.
static LOGS: Mutex<Vec<Arc<QueuedWriter>>> = Mutex::new(Vec::new());

/// Opens a log that syncs an hour later, and records into it.
fn record(dir: &Path, events: u64) -> Arc<QueuedWriter> {
    let flush = FlushMode::Batched { size: 1_000, interval_secs: 3_600 };
    let policy = OpenPolicy { file_systems: FileSystems::Any, ..OpenPolicy::default() };
    let writer = AuditFileWriter::open(dir, RotationPolicy::Daily, flush, policy).unwrap();
    let log = QueuedWriter::start(writer, service(), OverflowPolicy::default()).unwrap();
    let log = Arc::new(log);
    QueuedWriter::close_at_exit(&log);
    for number in 0..events {
        log.emit(&routine(number).event, &Marks::none()).unwrap();
    }
    log
}

fn keep(log: Arc<QueuedWriter>) {
    LOGS.lock().unwrap().push(log);
}

#[test]
#[ignore = "it is no test of its own: the others start it"]
fn the_process() {
    let dir = PathBuf::from(std::env::var_os(DIR).unwrap());
    match &*std::env::var(DEED).unwrap() {
        "returns" => keep(record(&dir.join("1"), EVENTS)),
        "exits" => {
            keep(record(&dir.join("1"), EVENTS));
            exit(0);
        }
        "exits in a thread" => {
            keep(record(&dir.join("1"), EVENTS));
            thread::spawn(|| exit(0)).join().unwrap();
        }
        "exits with three logs" => {
            drop(record(&dir.join("1"), EVENTS));
            keep(record(&dir.join("2"), EVENTS));
            keep(record(&dir.join("3"), EVENTS));
            exit(0);
        }
        "has a child that exits" => {
            keep(record(&dir.join("1"), EVENTS));
            assert!(fork(|| exit(0)).wait().success());
        }
        "may write small files" => {
            let limit = Some(SMALL_BYTES);
            setrlimit(Resource::Fsize, Rlimit { current: limit, maximum: limit }).unwrap();
            drop(record(&dir.join("1"), MANY));
        }
        other => panic!("{other}"),
    }
}

/// What a process leaves that does this.
fn done(deed: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut process = Command::new(std::env::current_exe().unwrap());
    process.args(["the_process", "--exact", "--ignored"]);
    process.env(DIR, dir.path()).env(DEED, deed).stdout(Stdio::null()).stderr(Stdio::null());
    let status = process.status().unwrap();
    assert!(status.success(), "{deed}: {status}");
    dir
}

fn judged(dir: &Path) -> Report {
    let report = verify_dir(dir, &VerifyOptions::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Consistent, "{report}");
    report
}

fn text(dir: &Path) -> String {
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}

#[test]
fn a_normal_end_of_the_process_loses_nothing() {
    for (deed, logs) in [
        ("returns", 1),
        ("exits", 1),
        ("exits in a thread", 1),
        ("exits with three logs", 3),
        ("has a child that exits", 1),
    ] {
        let dir = done(deed);
        for log in 1..=logs {
            let log = dir.path().join(log.to_string());
            assert_eq!(judged(&log).events, EVENTS, "{deed}");
            assert_eq!(text(&log).matches("\"log_closed\"").count(), 1, "{deed}");
        }
    }
}

const SMALL_BYTES: u64 = 100 * 1_024;
const MANY: u64 = 1_500;

#[test]
fn a_limit_of_the_size_of_files_begins_new_segments_and_ends_no_process() {
    let dir = done("may write small files");
    let log = dir.path().join("1");
    assert_eq!(judged(&log).events, MANY);
    let sizes = fs::read_dir(&log).unwrap().map(|file| file.unwrap().metadata().unwrap().len());
    let sizes: Vec<_> = sizes.collect();
    assert!(sizes.len() > 3 && sizes.iter().all(|&bytes| bytes <= SMALL_BYTES), "{sizes:?}");
}

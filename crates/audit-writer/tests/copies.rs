//! A log that was copied says so, and no other does.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test fails or says why it was skipped"
)]

#[expect(dead_code, reason = "each scenario file uses what it needs")]
mod common;
#[path = "seals/log.rs"]
#[expect(dead_code, reason = "each scenario file uses what it needs")]
mod log;

use std::fs;
use std::path::Path;

use audit_core::{Copies, FlushMode, OnDamage, OpenPolicy, OverflowPolicy, RotationPolicy};
use audit_verify::{NoticeCode, Verdict, VerifyOptions, verify_dir};
use audit_writer::{
    AuditFileWriter, Condition, OpenError, QueuedWriter, RealStore, SimDisk, Store as _, glance,
    inspect,
};
use common::{routine, service, verify_consistent};
use log::{bare, signed, write};
use serde_json::Value;

/// What the events of a type say, of a log whose records are these.
fn said(text: &str, event_type: &str) -> Vec<Value> {
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let events = records.map(|mut record| record["event"].take());
    events.filter(|event| event["event_type"] == event_type).collect()
}

fn recorded(disk: &SimDisk) -> u64 {
    let mut log = bare(disk, OnDamage::Refuse).unwrap();
    write(&mut log, 2);
    log.close().unwrap().unwrap().seq
}

#[test]
fn a_copy_goes_on_and_says_so_once() {
    let disk = SimDisk::default();
    recorded(&disk);
    recorded(&disk);
    let text = log::text(&disk);
    assert_eq!(said(&text, "log_copied"), [Value::Null; 0]);
    let copy = disk.copied();
    for _ in 0..3 {
        recorded(&copy);
    }
    let text = log::text(&copy);
    let places: Vec<_> =
        said(&text, "segment_opened").iter().map(|it| it["place"].clone()).collect();
    let copied = said(&text, "log_copied");
    let [copied] = copied.as_slice() else { panic!("{copied:?}") };
    assert_eq!(copied["from"], places[1]);
    assert_eq!(copied["to"]["dir"], places[2]["dir"]);
    assert_ne!(copied["from"], copied["to"]);
    let report = verify_consistent(copy.files());
    let told = report.notices.iter().filter(|notice| notice.code == NoticeCode::LogCopied);
    assert_eq!(told.count(), 1, "{report:#?}");
}

#[test]
fn what_a_crash_or_a_power_cut_leaves_is_no_copy() {
    let disk = SimDisk::default();
    let mut log = bare(&disk, OnDamage::Refuse).unwrap();
    write(&mut log, 2);
    log::kill(&disk, log);
    let after = disk.after_crash(|_| audit_writer::store::Fate::Lost);
    recorded(&after);
    assert_eq!(said(&log::text(&after), "log_copied"), [Value::Null; 0]);
}

#[test]
fn in_a_log_that_signs_the_copy_is_told_among_the_sealed_opening_records() {
    let disk = SimDisk::default();
    let mut log = signed(&disk).unwrap();
    write(&mut log, 2);
    log.close().unwrap();
    let copy = disk.copied();
    let mut log = signed(&copy).unwrap();
    write(&mut log, 1);
    log.close().unwrap();
    let (_, bytes) = log::newest(&copy);
    let lines = log::lines(&bytes);
    let opening = lines.iter().position(|line| log::is_sealed(line)).unwrap();
    let opening = String::from_utf8(lines.get(..=opening).unwrap().concat()).unwrap();
    assert_eq!(said(&opening, "log_copied").len(), 1, "{opening}");
    verify_consistent(copy.files());
    drop(signed(&copy).unwrap());
}

#[test]
fn where_the_file_system_says_nothing_nothing_is_said() {
    let disk = SimDisk::default();
    recorded(&disk);
    let files = disk.files().into_iter();
    let untold = files.map(|(name, bytes)| {
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains("\"place\":"), "{text}");
        (name, text.into_bytes())
    });
    let untold = SimDisk::with_files(untold.collect());
    recorded(&untold);
    assert_eq!(said(&log::text(&untold), "log_copied"), [Value::Null; 0]);
}

fn open_real(dir: &Path, copies: Copies) -> Result<AuditFileWriter, OpenError> {
    let policy = OpenPolicy { copies, ..OpenPolicy::default() };
    AuditFileWriter::open(dir, RotationPolicy::Daily, FlushMode::Immediate, policy)
}

fn record_real(dir: &Path) {
    let mut log = open_real(dir, Copies::Declare).unwrap();
    log.write_event(&routine(0)).unwrap();
    log.close().unwrap();
}

fn real_text(dir: &Path) -> String {
    let mut paths: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

fn copy_to(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Whether the file system says when a file was made; a line says where it does not.
fn tells_copies(dir: &Path) -> bool {
    let tells = RealStore::open_existing(dir).unwrap().id().is_some();
    if !tells {
        println!("skipped: the file system of {} tells no file from its copy", dir.display());
    }
    tells
}

#[test]
fn a_copy_on_a_real_disk_is_told_by_everybody_and_refused_where_that_is_asked() {
    let parent = tempfile::tempdir().unwrap();
    if !tells_copies(parent.path()) {
        return;
    }
    let (dir, copy) = (parent.path().join("log"), parent.path().join("copy"));
    record_real(&dir);
    record_real(&dir);
    // A directory that gets another name is no copy.
    let moved = parent.path().join("moved");
    fs::rename(&dir, &moved).unwrap();
    record_real(&moved);
    assert!(!real_text(&moved).contains("log_copied"));
    assert_eq!(glance(&moved).unwrap().newest.unwrap().copied, None);

    copy_to(&moved, &copy);
    let before = real_text(&copy);
    assert!(matches!(open_real(&copy, Copies::Refuse), Err(OpenError::Copied(_))));
    assert_eq!(real_text(&copy), before);
    assert!(inspect(&copy).unwrap().copied.is_some());
    assert!(glance(&copy).unwrap().newest.unwrap().copied.is_some());

    let log = open_real(&copy, Copies::Declare).unwrap();
    let log = QueuedWriter::start(log, service(), OverflowPolicy::Reject).unwrap();
    log.emit(&routine(0).event, &routine(0).sanitized).unwrap();
    let health = log.health();
    assert!(health.copied.is_some() && health.tells_copies, "{health:?}");
    assert!(matches!(health.condition, Condition::Working));
    drop(log);
    let copied = said(&real_text(&copy), "log_copied");
    assert_eq!(copied.len(), 1, "{copied:?}");
    // As long as its newest segment is the one that says so.
    assert!(glance(&copy).unwrap().newest.unwrap().copied.is_some());
    assert_eq!(inspect(&copy).unwrap().copied, None);
    drop(open_real(&copy, Copies::Refuse).unwrap());
    let report = verify_dir(&copy, &VerifyOptions::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Consistent, "{report:#?}");
}

#[test]
fn a_newest_segment_in_whose_place_a_copy_of_it_is_makes_a_copy() {
    let dir = tempfile::tempdir().unwrap();
    if !tells_copies(dir.path()) {
        return;
    }
    record_real(dir.path());
    let path = fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
    let copy = dir.path().join("copy");
    fs::copy(&path, &copy).unwrap();
    fs::rename(&copy, &path).unwrap();
    record_real(dir.path());
    let copied = said(&real_text(dir.path()), "log_copied");
    let [copied] = copied.as_slice() else { panic!("{copied:?}") };
    assert_eq!(copied["from"]["dir"], copied["to"]["dir"]);
    assert_ne!(copied["from"]["file"], copied["to"]["file"]);
}

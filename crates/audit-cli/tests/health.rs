//! `audit health`: what is wrong with a log, at a glance.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails or says why it was skipped"
)]

mod common;

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use common::{Key, Log, audit, events, told};
use serde_json::Value;

/// What the command says as JSON; the same has to be said to a person.
fn health(dir: &str, more: &[&str]) -> (i32, Value) {
    let done = audit(&[&["health", dir, "--format", "json"], more].concat(), "");
    let said: Value = serde_json::from_slice(&done.stdout).unwrap_or_else(|_| told(&done).into());
    let page = audit(&[&["health", dir], more].concat(), "");
    assert_eq!(page.status.code(), done.status.code());
    let page = String::from_utf8(page.stdout).unwrap();
    for problem in said["problems"].as_array().into_iter().flatten() {
        assert!(page.contains(problem.as_str().unwrap()), "{page}");
    }
    (done.status.code().unwrap(), said)
}

fn problems(dir: &str, more: &[&str]) -> Vec<String> {
    let (status, said) = health(dir, more);
    let problems = said["problems"].as_array().unwrap().iter();
    let problems: Vec<_> = problems.map(|problem| problem.as_str().unwrap().to_owned()).collect();
    assert_eq!(status, i32::from(!problems.is_empty()), "{said}");
    assert_eq!(said["status"], if problems.is_empty() { "ok" } else { "failing" });
    problems
}

#[test]
fn a_closed_log_is_in_order_and_says_how_old_it_is() {
    let log = Log::new();
    let recorded = log.record(&events(5), &[]);
    let (status, said) = health(log.path(), &["--max-age", "600"]);
    assert_eq!(status, 0, "{said}");
    assert!(told(&recorded).contains(&format!("head     {}", said["head"].as_str().unwrap())));
    assert_eq!((&said["closed"], &said["holder"]), (&Value::Bool(true), &Value::Null));
    assert_eq!(said["segments"], 1);
    let bytes: u64 = log.segments().iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert_eq!(said["bytes"], bytes);
    assert!((0..600).contains(&said["age_seconds"].as_i64().unwrap()));
}

#[test]
fn what_was_asked_for_and_is_not_so_is_wrong() {
    let log = Log::new();
    log.record(&events(5), &[]);
    assert_eq!(problems(log.path(), &["--writer"]), ["no_writer"]);
    let space = u64::MAX.to_string();
    assert_eq!(problems(log.path(), &["--min-free", &space]), ["little_space"]);
    // Ages are counted in whole seconds.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    assert_eq!(problems(log.path(), &["--max-age", "0"]), ["stale"]);
}

#[test]
fn a_log_that_is_being_written_is_in_order_and_its_writer_is_named() {
    let log = Log::new();
    let (mut child, _stdin, receipt) = log.hold();
    let (status, said) = health(log.path(), &["--writer", "--max-age", "600"]);
    assert_eq!(status, 0, "{said}");
    let holder = format!("process {} on host", child.id());
    assert!(said["holder"].as_str().unwrap().contains(&holder), "{said}");
    assert_eq!((&said["closed"], &said["head"]), (&false.into(), &receipt.into()));

    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(problems(log.path(), &[]), ["not_closed"]);
    log.record(&events(1), &[]);
    assert_eq!(problems(log.path(), &[]), [""; 0]);
}

#[test]
fn an_end_that_is_no_record_is_wrong_and_no_log_is_too() {
    let log = Log::new();
    log.record(&events(5), &[]);
    let path = log.segments().remove(0);
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"v\":1,").unwrap();
    let (_, said) = health(log.path(), &[]);
    assert_eq!(said["rest_bytes"], 7);
    assert_eq!(problems(log.path(), &[]), ["not_closed"]);
    file.write_all(b"}\n").unwrap();
    assert_eq!(problems(log.path(), &["--max-age", "600"]), ["end_unreadable", "stale"]);

    let empty = tempfile::tempdir().unwrap();
    assert_eq!(problems(empty.path().to_str().unwrap(), &[]), ["no_log"]);
    let missing = empty.path().join("missing");
    let (status, said) = health(missing.to_str().unwrap(), &[]);
    assert_eq!(status, 2);
    assert!(said.as_str().unwrap().contains("cannot open the directory"), "{said}");
}

#[test]
fn what_came_after_the_newest_checkpoint_is_counted() {
    let (unsigned, log) = (Log::new(), Log::new());
    let key = Key::new("audit.example/host-1");
    let covered = |said: &Value| {
        (said["checkpoint_size"].as_u64(), said["records_after_checkpoint"].as_u64())
    };
    unsigned.record(&events(5), &[]);
    assert_eq!(covered(&health(unsigned.path(), &[]).1), (None, None));
    log.record(&events(5), &["--key", key.path()]);
    log.record(&events(5), &["--key", key.path()]);
    let records = u64::try_from(log.text().lines().count()).unwrap();
    assert_eq!(covered(&health(log.path(), &[]).1), (Some(records), Some(0)));
    log.record(&events(2), &["--unsigned"]);
    let more = u64::try_from(log.text().lines().count()).unwrap() - records;
    let (status, said) = health(log.path(), &[]);
    assert_eq!((status, covered(&said)), (0, (Some(records), Some(more))), "{said}");
    let page = String::from_utf8(audit(&["health", log.path()], "").stdout).unwrap();
    assert!(
        page.contains(&format!("{records} records by a checkpoint, {more} after it")),
        "{page}"
    );

    // Its end is cut off, which only a checkpoint shows.
    for path in log.segments().iter().skip(1) {
        fs::remove_file(path).unwrap();
    }
    assert_eq!(problems(log.path(), &[]), ["checkpoint_beyond_end"]);
    assert_eq!(covered(&health(log.path(), &[]).1), (Some(records), None));
    let folder = log.segments().remove(0).with_file_name("checkpoints");
    fs::rename(&folder, folder.with_file_name("elsewhere")).unwrap();
    fs::write(&folder, "").unwrap();
    assert_eq!(health(log.path(), &[]).0, 2);
}

#[test]
fn more_after_the_newest_checkpoint_than_was_asked_for_is_wrong() {
    let (log, key) = (Log::new(), Key::new("audit.example/host-1"));
    log.record(&events(5), &["--key", key.path()]);
    for limit in ["0", "0s", "10m"] {
        assert_eq!(problems(log.path(), &["--max-unsigned", limit]), [""; 0], "{limit}");
    }
    // Without a checkpoint, all records are without one.
    let log = Log::new();
    log.record(&events(5), &["--rotate", "size:1500"]);
    let records = log.text().lines().count();
    let limited = |limit: &str| problems(log.path(), &["--max-unsigned", limit]);
    assert_eq!(limited(&records.to_string()), [""; 0]);
    assert_eq!(limited(&(records.checked_sub(1).unwrap()).to_string()), ["unsigned"]);
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    assert_eq!(limited("1h"), [""; 0]);
    assert_eq!(limited("1s"), ["unsigned"]);
    // A checkpoint that another log had: what it covers counts, and what came after is that old.
    let folder = log.segments().remove(0).with_file_name("checkpoints");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join(format!("{:020}.note", 3)), "").unwrap();
    assert_eq!(limited(&records.checked_sub(3).unwrap().to_string()), [""; 0]);
    assert_eq!(limited("1h"), [""; 0]);
    assert_eq!(limited("1s"), ["unsigned"]);
    let done = audit(&["health", log.path(), "--max-unsigned", "1d"], "");
    assert_eq!(done.status.code(), Some(2));
}

#[test]
fn a_copy_is_warned_of_and_refused_where_that_is_asked() {
    let log = Log::new();
    log.record(&events(5), &[]);
    let parent = tempfile::tempdir().unwrap();
    let copy = parent.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for path in log.segments() {
        fs::copy(&path, copy.join(path.file_name().unwrap())).unwrap();
    }
    let copy = copy.to_str().unwrap();
    let warns = |dir: &str| {
        let (status, said) = health(dir, &[]);
        assert_eq!(status, 0, "{said}");
        let page = String::from_utf8(audit(&["health", dir], "").stdout).unwrap();
        assert_eq!(page.contains("warning   the log is a copy"), said["copied"] == true, "{page}");
        said["copied"] == true
    };
    assert!(!warns(log.path()));
    if !log.text().contains("\"place\":") {
        println!("skipped: the file system tells no file from its copy");
        return;
    }
    assert!(warns(copy));
    let record = |more: &[&str]| {
        audit(&[&["record", "--dir", copy, "--service", "web.shop-1"], more].concat(), &events(1))
    };
    let refused = record(&["--on-copy", "refuse"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(told(&refused).contains("the log is a copy: "), "{}", told(&refused));
    let dry = audit(&["recover", "--dry-run", copy], "");
    assert!(String::from_utf8(dry.stdout).unwrap().contains("copied"));
    let recorded = record(&[]);
    assert_eq!(recorded.status.code(), Some(0));
    assert!(told(&recorded).contains("warning: the log is a copy"), "{}", told(&recorded));
    assert!(warns(copy), "the newest segment says it");
    let again = record(&["--on-copy", "refuse"]);
    assert_eq!((again.status.code(), told(&again).contains("warning")), (Some(0), false));
    assert!(!warns(copy));
}

//! Retention in a log that signs.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audit_core::{FlushMode, Keyless, OnDamage, RetentionPolicy, RotationPolicy};
use audit_writer::segment::SegmentName;
use audit_writer::{
    AuditFileWriter, CheckpointSink, ClockTrust, OpenError, PruneError, Signing, SimClock, SimDisk,
};

use crate::common::{SimWriter, routine};
use crate::log::{forged_all, frontier_up_to, key, lines, newest, noon, receipt, text};

const DAY: Duration = Duration::from_hours(24);

fn policy() -> RetentionPolicy {
    RetentionPolicy { min_retention_days: 30, archive_after_days: 0, delete_after_days: 30 }
}

fn open(disk: &SimDisk, clock: &SimClock) -> SimWriter {
    let (rotation, flush) = (RotationPolicy::Daily, FlushMode::Immediate);
    AuditFileWriter::with(disk.store(), clock.clone(), rotation, flush, OnDamage::Refuse).unwrap()
}

fn signed(disk: &SimDisk, clock: &SimClock, signing: Signing) -> SimWriter {
    let mut log = open(disk, clock);
    log.sign(signing).unwrap();
    log
}

fn live(log: &mut SimWriter, clock: &SimClock, days: u64) {
    for number in 0..days {
        log.write_event(&routine(number)).unwrap();
        clock.pass(DAY);
    }
}

fn daily(days: u64) -> (SimDisk, SimClock) {
    let (disk, clock) = (SimDisk::default(), noon());
    let mut log = signed(&disk, &clock, Signing::new(key()));
    live(&mut log, &clock, days);
    log.close().unwrap();
    (disk, clock)
}

fn segments(disk: &SimDisk) -> usize {
    disk.files().keys().filter(|name| SegmentName::parse(name).is_some()).count()
}

#[test]
fn what_is_deleted_is_declared_and_covered_before() {
    let (disk, clock) = daily(40);
    let before = segments(&disk);
    let mut log = signed(&disk, &clock, Signing::new(key()));
    let plan = log.prune(policy(), ClockTrust::Capped).unwrap();
    let declared = text(&disk).matches(r#""event_type":"segments_pruned""#).count();
    assert_eq!((plan.files.len(), declared), (10, 1));
    assert_eq!(segments(&disk), before + 1 - 10);
    log.close().unwrap();
    let trace = disk.trace();
    let place = |start: &str| trace.iter().rposition(|line| line.starts_with(start)).unwrap();
    let first_removal = trace.iter().position(|line| line.starts_with("remove 0")).unwrap();
    let noted = trace[..first_removal].iter().any(|line| line.starts_with("publish checkpoints/"));
    assert!(noted && place("remove 0") > first_removal);
    // The next segment tells of the newest prune.
    signed(&disk, &clock, Signing::new(key())).write_event(&routine(1)).unwrap();
    assert!(text(&disk).contains(r#""pruned":{"seq":"#));
}

#[test]
fn without_its_key_nothing_is_deleted() {
    let (disk, clock) = daily(40);
    let mut log = open(&disk, &clock);
    log.go_without_key(Keyless::Unsigned);
    let before = disk.files();
    let error = log.prune(policy(), ClockTrust::Capped).unwrap_err();
    assert!(matches!(error, PruneError::KeyMissing), "{error}");
    assert_eq!(disk.files(), before);
}

/// A sink that answers, and takes nothing while it is shut.
#[derive(Clone, Debug, Default)]
struct Shut(Arc<Mutex<bool>>);

impl CheckpointSink for Shut {
    fn name(&self) -> String {
        "shut".to_owned()
    }

    fn newest(&mut self) -> io::Result<Option<Vec<u8>>> {
        Ok(None)
    }

    fn put(&mut self, _: &str) -> io::Result<()> {
        if *self.0.lock().unwrap() { Err(io::ErrorKind::ConnectionRefused.into()) } else { Ok(()) }
    }
}

#[test]
fn nothing_is_deleted_while_a_sink_lacks_the_checkpoint_and_the_next_prune_finishes() {
    let (disk, clock) = daily(40);
    let before = segments(&disk);
    let sink = Shut::default();
    *sink.0.lock().unwrap() = true;
    let mut log = signed(&disk, &clock, Signing::new(key()).to(sink.clone()));
    let error = log.prune(policy(), ClockTrust::Capped).unwrap_err();
    assert!(matches!(&error, PruneError::NotKept(failure) if failure.sink == "shut"), "{error}");
    log.close().unwrap();
    assert_eq!(segments(&disk), before + 1);

    *sink.0.lock().unwrap() = false;
    let mut log = signed(&disk, &clock, Signing::new(key()).to(sink));
    assert_eq!(log.prune(policy(), ClockTrust::Capped).unwrap().files.len(), 10);
    log.close().unwrap();
    let declared = text(&disk).matches(r#""event_type":"segments_pruned""#).count();
    assert_eq!(declared, 1, "it was declared before");
}

/// A sink that never says what it has, so that nothing is signed.
#[derive(Debug)]
struct Silent;

impl CheckpointSink for Silent {
    fn name(&self) -> String {
        "silent".to_owned()
    }

    fn newest(&mut self) -> io::Result<Option<Vec<u8>>> {
        Err(io::ErrorKind::ConnectionRefused.into())
    }

    fn put(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn records_that_no_checkpoint_covers_stay() {
    let (disk, clock) = (SimDisk::default(), noon());
    let mut log = signed(&disk, &clock, Signing::new(key()).to(Silent));
    live(&mut log, &clock, 40);
    assert!(log.last_checkpoint().is_none());
    let before = disk.files();
    assert!(log.prune(policy(), ClockTrust::Capped).unwrap().files.is_empty());
    assert_eq!(disk.files(), before);
}

#[test]
fn times_that_anybody_may_have_written_make_nothing_old() {
    let (disk, clock) = (SimDisk::default(), noon());
    let mut log = open(&disk, &clock);
    live(&mut log, &clock, 40);
    log.close().unwrap();
    let mut log = open(&disk, &clock);
    let OpenError::Unvouched(unvouched) = log.sign(Signing::new(key())).unwrap_err() else {
        panic!()
    };
    drop(log);
    let mut log = signed(&disk, &clock, Signing::new(key()).adopt(unvouched.head));
    log.checkpoint().unwrap();
    assert!(log.prune(policy(), ClockTrust::Capped).unwrap().files.is_empty());
    clock.pass(DAY * 30);
    assert_eq!(log.prune(policy(), ClockTrust::Capped).unwrap().files.len(), 41);
    log.close().unwrap();
}

#[test]
fn a_gap_behind_the_newest_prune_is_not_covered_up() {
    let (disk, clock) = daily(45);
    let mut log = signed(&disk, &clock, Signing::new(key()));
    log.prune(policy(), ClockTrust::Capped).unwrap();
    log.close().unwrap();
    let first = disk.files().into_keys().find(|name| SegmentName::parse(name).is_some()).unwrap();
    disk.unlink(&first);
    clock.pass(DAY * 5);
    let mut log = signed(&disk, &clock, Signing::new(key()));
    let before = segments(&disk);
    let error = log.prune(policy(), ClockTrust::Capped).unwrap_err();
    assert!(matches!(error, PruneError::Gap { .. }), "{error}");
    assert_eq!(segments(&disk), before);
}

#[test]
fn a_log_that_signs_is_not_pruned_without_its_key_whatever_its_newest_segment_says() {
    let (disk, clock) = daily(40);
    // Somebody without the key appends a segment as of a log that never signed.
    let (name, bytes) = newest(&disk);
    let head = receipt(lines(&bytes).last().unwrap());
    let opened: serde_json::Value = serde_json::from_slice(&lines(&bytes)[0]).unwrap();
    let opening = format!(
        r#"{{"event_type":"segment_opened","log_id":{},"merkle_frontier":{},"previous":{{"file":"{name}","last_seq":{},"last_hash":"{}"}}}}"#,
        opened["event"]["log_id"],
        frontier_up_to(&disk),
        head.seq,
        head.hash
    );
    let writer = r#"{"event_type":"log_opened","writer":"x","flush_mode":"hybrid","unsynced_max_bytes":1048576}"#;
    let life = forged_all(&head, &[&opening, writer]);
    disk.replace(&format!("{:020}.2026-01-01.audit.jsonl", head.seq + 1), life);
    let mut log = open(&disk, &clock);
    log.write_event(&routine(1)).unwrap();
    let before = segments(&disk);
    let error = log.prune(policy(), ClockTrust::Capped).unwrap_err();
    assert!(matches!(error, PruneError::KeyMissing), "{error}");
    assert_eq!(segments(&disk), before);
}

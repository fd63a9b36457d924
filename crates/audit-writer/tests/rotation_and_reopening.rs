//! The chain goes on through every seam.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a helper of tests fails where it stands"
)]

#[expect(dead_code, reason = "each scenario file uses what it needs")]
mod common;
#[path = "seals/log.rs"]
#[expect(dead_code, reason = "each scenario file uses what it needs")]
mod log;

use std::time::Duration;

use audit_core::limits::SEQ_MAX;
use audit_core::{Digest, FlushMode, Receipt, RotationPolicy, ServiceId};
use audit_writer::segment::SegmentName;
use audit_writer::{SimDisk, WriteError};
use chrono::TimeDelta;
use common::{clock_at, open, routine, verify_consistent};

const FLUSH: FlushMode = FlushMode::Batched { size: 10, interval_secs: 60 };

fn segments(disk: &SimDisk) -> Vec<SegmentName> {
    disk.files().keys().map(|name| SegmentName::parse(name).unwrap()).collect()
}

#[test]
fn a_log_of_a_thousand_rotations_and_a_hundred_reopenings_is_one_chain() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-02T23:00:00Z"));
    let policy = RotationPolicy::Both { bytes_max: 2_600 };
    let mut number = 0;
    for opening in 0..100_i32 {
        let mut writer = open(&disk, &clock, policy, FLUSH).unwrap();
        for _ in 0..50 {
            writer.write_event(&routine(number)).unwrap();
            number += 1;
            clock.pass(Duration::from_mins(1));
        }
        if opening % 3 == 0 {
            writer.close().unwrap();
        } else {
            drop(writer);
        }
        // Over midnight and back again, and now and then a day and more.
        clock.step(TimeDelta::hours(if opening % 7 == 0 { -30 } else { 1 }));
    }
    let names = segments(&disk);
    assert!(names.len() > 1_100, "only {} segments", names.len());
    assert!(names.iter().zip(&names[1..]).any(|(a, b)| b.date < a.date), "no clock went back");
    let report = verify_consistent(disk.files());
    assert_eq!((report.events, report.segments), (5_000, names.len() as u64));
}

#[test]
fn a_segment_is_begun_when_the_date_changes() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-02T23:59:59Z"));
    let mut writer = open(&disk, &clock, RotationPolicy::Daily, FLUSH).unwrap();
    writer.write_event(&routine(0)).unwrap();
    clock.pass(Duration::from_secs(1));
    writer.write_event(&routine(1)).unwrap();
    writer.write_event(&routine(2)).unwrap();
    clock.step(TimeDelta::hours(-2));
    writer.write_event(&routine(3)).unwrap();
    writer.close().unwrap();
    let names: Vec<_> = disk.files().into_keys().collect();
    assert_eq!(
        names,
        [
            "00000000000000000000.2026-01-02.audit.jsonl",
            "00000000000000000003.2026-01-03.audit.jsonl",
        ]
    );
    verify_consistent(disk.files());
}

#[test]
fn a_segment_is_left_after_31_days_whatever_its_size() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-02T12:00:00Z"));
    let policy = RotationPolicy::SizeLimit { bytes_max: 1 << 20 };
    let mut writer = open(&disk, &clock, policy, FLUSH).unwrap();
    for (days, expected) in [(31, 1), (1, 2)] {
        writer.write_event(&routine(0)).unwrap();
        clock.step(TimeDelta::days(days));
        writer.write_event(&routine(1)).unwrap();
        assert_eq!(segments(&disk).len(), expected, "{days}");
    }
    writer.close().unwrap();
    verify_consistent(disk.files());
}

#[test]
fn under_both_either_the_date_or_the_size_begins_a_segment() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-02T12:00:00Z"));
    let policy = RotationPolicy::Both { bytes_max: 4_000 };
    let mut writer = open(&disk, &clock, policy, FLUSH).unwrap();
    writer.write_event(&routine(0)).unwrap();
    clock.step(TimeDelta::days(1));
    writer.write_event(&routine(1)).unwrap();
    assert_eq!(disk.files().len(), 2, "the date alone, far from the limit");
    let mut number = 2;
    while disk.files().len() == 2 {
        writer.write_event(&routine(number)).unwrap();
        number += 1;
        assert!(number < 20, "the size alone, on one day");
    }
    drop(writer);
    let names = segments(&disk);
    let days: Vec<_> = names.iter().map(|name| name.date.to_string()).collect();
    assert_eq!(days, ["2026-01-02", "2026-01-03", "2026-01-03"]);
    verify_consistent(disk.files());
}

#[test]
fn no_segment_grows_beyond_the_limit_unless_one_record_does() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-02T03:04:05Z"));
    let policy = RotationPolicy::SizeLimit { bytes_max: 3_000 };
    let mut writer = open(&disk, &clock, policy, FLUSH).unwrap();
    for number in 0..100 {
        writer.write_event(&routine(number)).unwrap();
    }
    writer.close().unwrap();
    assert!(disk.files().len() > 10);
    for (name, bytes) in disk.files() {
        assert!(bytes.len() <= 3_000, "{name} has {} bytes", bytes.len());
    }
    verify_consistent(disk.files());
}

#[test]
fn a_limit_smaller_than_a_record_still_takes_one_a_segment() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-02T03:04:05Z"));
    let policy = RotationPolicy::SizeLimit { bytes_max: 1 };
    let mut writer = open(&disk, &clock, policy, FLUSH).unwrap();
    for number in 0..5 {
        writer.write_event(&routine(number)).unwrap();
    }
    drop(writer);
    assert_eq!(disk.files().len(), 6, "five events and log_closed");
    verify_consistent(disk.files());
}

#[test]
fn opening_and_closing_without_an_event_changes_nothing() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-02T03:04:05Z"));
    let mut writer = open(&disk, &clock, RotationPolicy::Daily, FLUSH).unwrap();
    writer.write_event(&routine(0)).unwrap();
    let head = writer.close().unwrap();
    let before = disk.files();
    let writer = open(&disk, &clock, RotationPolicy::Daily, FLUSH).unwrap();
    assert_eq!(writer.close().unwrap(), head);
    assert_eq!(disk.files(), before);
}

#[test]
fn a_log_belongs_to_one_service_across_reopenings() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-02T03:04:05Z"));
    let mut writer = open(&disk, &clock, RotationPolicy::Daily, FLUSH).unwrap();
    writer.write_event(&routine(0)).unwrap();
    let mut other = routine(1);
    other.service_id = ServiceId::new("bank.teller-2").unwrap();
    assert!(matches!(writer.write_event(&other), Err(WriteError::ServiceMismatch { .. })));
    drop(writer);
    let mut writer = open(&disk, &clock, RotationPolicy::Daily, FLUSH).unwrap();
    assert!(matches!(writer.write_event(&other), Err(WriteError::ServiceMismatch { .. })));
    writer.write_event(&routine(2)).unwrap();
    drop(writer);
    assert_eq!(verify_consistent(disk.files()).events, 2);
}

#[test]
fn the_previous_segment_is_durable_before_the_next_one_exists() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-02T03:04:05Z"));
    let policy = RotationPolicy::SizeLimit { bytes_max: 3_000 };
    let lazy = FlushMode::Batched { size: u32::MAX, interval_secs: u32::MAX };
    let mut writer = open(&disk, &clock, policy, lazy).unwrap();
    for number in 0..40 {
        writer.write_event(&routine(number)).unwrap();
    }
    drop(writer);
    let mut writer = open(&disk, &clock, policy, lazy).unwrap();
    writer.write_event(&routine(40)).unwrap();
    drop(writer);
    let trace = disk.trace();
    let mut dirty = None;
    let mut created = 0;
    for operation in &trace {
        if operation == "create" {
            assert_eq!(dirty, None, "a segment was made on an unsynced one: {trace:#?}");
            created += 1;
        } else if let Some(file) = operation.strip_prefix("append ") {
            dirty = Some(file);
        } else if operation.strip_prefix("sync ").is_some_and(|file| dirty == Some(file)) {
            dirty = None;
        }
    }
    assert!(created > 5);
}

#[test]
fn a_segment_is_durable_before_it_has_a_name_and_its_name_before_anything_follows() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-02T03:04:05Z"));
    let policy = RotationPolicy::SizeLimit { bytes_max: 3_000 };
    let mut writer = open(&disk, &clock, policy, FLUSH).unwrap();
    for number in 0..40 {
        writer.write_event(&routine(number)).unwrap();
    }
    drop(writer);
    let trace = disk.trace();
    let is_of_order = |operation: &&String| {
        ["create", "append", "sync", "publish"].iter().any(|name| operation.starts_with(name))
    };
    let steps: Vec<_> = trace.iter().filter(is_of_order).collect();
    let named = steps.windows(4).filter(|around| around[2].starts_with("publish"));
    for around in named.clone() {
        let synced = around[0].replace("append", "sync");
        assert_eq!((around[1], around[3].as_str()), (&synced, "sync_dir"), "{trace:#?}");
    }
    assert!(named.count() > 5);
}

/// What is only in the cache may be lost, and what a failed write-back left there is not on disk.
#[test]
fn the_end_of_a_log_is_read_from_the_disk_once_it_is_synced() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-02T03:04:05Z"));
    let mut writer = open(&disk, &clock, RotationPolicy::Daily, FLUSH).unwrap();
    writer.write_event(&routine(0)).unwrap();
    drop(writer);
    let before = disk.trace().len();
    drop(open(&disk, &clock, RotationPolicy::Daily, FLUSH).unwrap());
    let mut trace = disk.trace().split_off(before);
    trace.dedup();
    let opened = "open 00000000000000000000.2026-01-02.audit.jsonl";
    let expected = ["names", "sync_dir", opened, "sync file 0", "drop_cache file 0", "read file 0"];
    assert_eq!(trace[..expected.len()], expected);
    // Then the space that was allocated ahead is given back.
    assert_eq!(trace.len(), expected.len() + 1);
    assert!(trace[expected.len()].starts_with("release "), "{trace:?}");
}

#[test]
fn a_log_whose_sequence_numbers_are_used_up_takes_no_event_and_is_unchanged() {
    // Its last segment, those before having been deleted: nobody waits for 2^53 records.
    let first_seq = SEQ_MAX - 3;
    let roots: Vec<_> = (0..first_seq.count_ones()).map(|root| format!("{root:064x}")).collect();
    let frontier = serde_json::to_string(&roots).unwrap();
    let opened = format!(
        r#"{{"event_type":"segment_opened","log_id":"00112233445566778899aabbccddeeff","merkle_frontier":{frontier}}}"#
    );
    let writer = r#"{"event_type":"log_opened","writer":"x","flush_mode":"immediate","unsynced_max_bytes":1048576}"#;
    let before = Receipt { seq: first_seq - 1, hash: Digest::of(b"the record before") };
    let lines = log::forged_all(&before, &[&opened, writer, r#"{"event_type":"x"}"#]);
    let name = format!("{first_seq:020}.2026-01-01.audit.jsonl");
    let disk = SimDisk::with_files([(name, lines)].into());
    let files = disk.files();
    let clock = clock_at("2026-01-02T12:00:00Z");
    for _ in 0..2 {
        let mut writer = open(&disk, &clock, RotationPolicy::Daily, FLUSH).unwrap();
        assert_eq!(writer.head().unwrap().seq, SEQ_MAX - 1);
        let error = writer.write_event(&routine(0)).unwrap_err();
        assert!(matches!(error, WriteError::SeqExhausted), "{error}");
        drop(writer);
        assert_eq!(disk.files(), files);
    }
}

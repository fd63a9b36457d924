//! The disk fills up: what is kept for critical records, and what happens when space returns.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail where they stand")]

#[expect(dead_code, reason = "each scenario file uses what it needs")]
mod common;

use audit_core::limits::{ALLOCATION_STEP_BYTES, RESERVE_BYTES};
use audit_core::{AuditEvent, AuditEventEnvelope, EventTime, FlushMode, RotationPolicy};
use audit_verify::Verdict;
use audit_writer::{SimDisk, WriteError};
use chrono::DateTime;
use common::{clock_at, critical, open, routine, service, verify_consistent, verify_with_heads};

const MODE: FlushMode =
    FlushMode::Hybrid { batch_size: 100, batch_interval_secs: 60, critical_immediate: true };

/// A routine event of about so many bytes.
fn large(bytes: usize) -> AuditEventEnvelope<'static> {
    let event = AuditEvent::SealVerified {
        timestamp: EventTime::from(DateTime::UNIX_EPOCH),
        shard_id: "x".repeat(bytes).into(),
        worker_id: "worker-1".into(),
    };
    AuditEventEnvelope::new(service(), event)
}

fn count(disk: &SimDisk, text: &str) -> usize {
    let all: Vec<u8> = disk.files().into_values().flatten().collect();
    String::from_utf8(all).unwrap().lines().filter(|line| line.contains(text)).count()
}

#[test]
fn critical_records_go_on_where_routine_ones_are_refused_and_both_resume() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-02T03:04:05Z"));
    disk.limit(Some(RESERVE_BYTES * 3 / 2));
    let mut writer = open(&disk, &clock, RotationPolicy::Daily, MODE).unwrap();
    let (mut offered, mut written) = (0, 0);
    let refused = loop {
        offered += 1;
        match writer.write_event(&large(1_000)) {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, WriteError::Io { .. }), "{refused}");
    assert!(written > 100, "only {written} of {offered} were written");
    assert_eq!(count(&disk, r#""event_type":"disk_full""#), 0, "nothing had to be used so far");

    let mut receipts = Vec::new();
    for number in 0..1_000 {
        receipts.push(writer.write_event(&critical(number)).unwrap());
    }
    assert_eq!(writer.durable(), receipts.last().copied());
    assert_eq!(count(&disk, r#""event_type":"disk_full""#), 1, "it is said once");
    assert!(writer.write_event(&routine(0)).is_err(), "the reserve is not for this one");

    disk.limit(None);
    writer.write_event(&routine(1)).unwrap();
    receipts.extend(writer.close().unwrap());
    let report = verify_with_heads(disk.files(), &receipts);
    assert_eq!(report.verdict, Verdict::Intact, "{report}");
    assert_eq!(report.events, written + 1_000 + 1);
}

#[test]
fn a_log_is_closed_on_what_is_left_of_the_reserve() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-02T03:04:05Z"));
    disk.limit(Some(RESERVE_BYTES * 3 / 2));
    let mut writer = open(&disk, &clock, RotationPolicy::Daily, MODE).unwrap();
    let mut number = 0;
    writer.write_event(&routine(0)).unwrap();
    while writer.write_event(&critical(number)).is_ok() {
        number += 1;
    }
    assert!(number > 1_000, "only {number} critical events were written");
    let head = writer.close().unwrap().unwrap();
    assert_eq!(verify_with_heads(disk.files(), &[head]).verdict, Verdict::Intact);
    assert_eq!(count(&disk, r#""event_type":"log_closed""#), 1);
}

#[test]
fn a_rotation_without_space_is_postponed_and_loses_nothing() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-02T03:04:05Z"));
    let policy = RotationPolicy::SizeLimit { bytes_max: 2_000 };
    disk.limit(Some(RESERVE_BYTES + 100_000));
    let mut writer = open(&disk, &clock, policy, MODE).unwrap();
    for number in 0..20 {
        writer.write_event(&routine(number)).unwrap();
    }
    assert_eq!(disk.files().len(), 1, "there is no space for a second segment and its reserve");
    disk.limit(None);
    for number in 20..40 {
        writer.write_event(&routine(number)).unwrap();
    }
    assert!(disk.files().len() > 5, "space is back");
    writer.close().unwrap();
    assert_eq!(verify_consistent(disk.files()).events, 40);
}

/// What a writer that was killed had allocated is the space that the next one opens with.
#[test]
fn a_log_opens_on_a_full_disk_with_the_space_that_the_last_writer_had() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-02T03:04:05Z"));
    let mut writer = open(&disk, &clock, RotationPolicy::Daily, MODE).unwrap();
    writer.write_event(&critical(0)).unwrap();
    disk.limit(Some(RESERVE_BYTES + ALLOCATION_STEP_BYTES));
    assert_eq!(disk.free_bytes(), 0);
    std::mem::forget(writer);
    let mut writer = open(&disk, &clock, RotationPolicy::Daily, MODE).unwrap();
    let receipt = writer.write_event(&critical(1)).unwrap();
    writer.write_event(&routine(2)).unwrap();
    writer.close().unwrap();
    assert_eq!(verify_with_heads(disk.files(), &[receipt]).verdict, Verdict::Consistent);
}

#[test]
fn a_sealed_segment_keeps_no_space_that_it_does_not_use() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-02T03:04:05Z"));
    let room = 10 * (RESERVE_BYTES + ALLOCATION_STEP_BYTES);
    disk.limit(Some(room));
    let policy = RotationPolicy::SizeLimit { bytes_max: 2_000 };
    let mut writer = open(&disk, &clock, policy, MODE).unwrap();
    for number in 0..100 {
        writer.write_event(&routine(number)).unwrap();
    }
    assert!(disk.files().len() > 20);
    writer.close().unwrap();
    let stored: usize = disk.files().values().map(Vec::len).sum();
    assert_eq!(disk.free_bytes(), room - stored as u64);
}

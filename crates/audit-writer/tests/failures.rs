//! Operations fail, and nothing that was promised is lost, nor anything pretended.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails where it stands")]

#[expect(dead_code, reason = "each scenario file uses what it needs")]
mod common;

use std::time::Duration;

use audit_core::lifecycle::LossReason;
use audit_core::limits::RESERVE_BYTES;
use audit_core::{Digest, FlushMode, Receipt, RotationPolicy};
use audit_verify::Verdict;
use audit_writer::store::{Failure, Fault, Lasting};
use audit_writer::{Loss, OpenError, SimDisk, WriteError};
use common::{
    SimWriter, clock_at, critical, open, routine, service, verify_consistent, verify_with_heads,
};
use rustix::io::Errno;

const LAZY: FlushMode = FlushMode::Batched { size: u32::MAX, interval_secs: u32::MAX };
const HYBRID: FlushMode =
    FlushMode::Hybrid { batch_size: 4, batch_interval_secs: 60, critical_immediate: true };
const POLICY: RotationPolicy = RotationPolicy::SizeLimit { bytes_max: 4_000 };

const BROKEN: Failure = Failure::Errno(Errno::IO.raw_os_error());

fn open_now(disk: &SimDisk, flush: FlushMode) -> Result<SimWriter, OpenError> {
    open(disk, &clock_at("2026-01-02T03:04:05Z"), POLICY, flush)
}

fn begun(flush: FlushMode) -> (SimWriter, SimDisk) {
    let disk = SimDisk::default();
    let mut writer = open_now(&disk, flush).unwrap();
    writer.write_event(&routine(0)).unwrap();
    (writer, disk)
}

fn lines_with(disk: &SimDisk, text: &str) -> Vec<String> {
    let files = disk.files();
    let all: Vec<u8> = files.into_values().flatten().collect();
    let all = String::from_utf8(all).unwrap();
    all.lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
}

fn reopen_and_write(disk: &SimDisk) -> Receipt {
    let clock = clock_at("2026-01-02T04:00:00Z");
    let mut writer = open(disk, &clock, POLICY, FlushMode::Immediate).unwrap();
    let receipt = writer.write_event(&routine(99)).unwrap();
    drop(writer);
    receipt
}

#[test]
fn after_a_failed_sync_nothing_is_written_any_more() {
    let (mut writer, disk) = begun(LAZY);
    writer.write_event(&routine(1)).unwrap();
    let durable = writer.durable();
    disk.fail_next(BROKEN);
    assert!(matches!(writer.flush(), Err(WriteError::Poisoned { .. })));
    let (before, operations) = (disk.files(), disk.operations());
    assert!(matches!(writer.write_event(&routine(2)), Err(WriteError::Poisoned { .. })));
    assert!(matches!(writer.flush(), Err(WriteError::Poisoned { .. })));
    assert!(matches!(writer.flush_if_due(), Err(WriteError::Poisoned { .. })));
    let loss = Loss { reason: LossReason::Refused, critical: false, sha256: None };
    assert!(matches!(writer.record_loss(service(), loss), Err(WriteError::Poisoned { .. })));
    assert_eq!(writer.durable(), durable, "a failed sync makes nothing durable");
    assert!(matches!(writer.close(), Err(WriteError::Poisoned { .. })));
    assert_eq!((disk.files(), disk.operations()), (before, operations));
    reopen_and_write(&disk);
    verify_consistent(disk.files());
}

#[test]
fn a_write_that_fails_before_its_first_byte_leaves_no_trace() {
    let (mut writer, disk) = begun(LAZY);
    let head = writer.head().unwrap();
    disk.fail_next(BROKEN);
    assert!(matches!(writer.write_event(&routine(1)), Err(WriteError::Io { .. })));
    assert_eq!(writer.head(), Some(head));
    let receipt = writer.write_event(&routine(2)).unwrap();
    assert_eq!(receipt.seq, head.seq + 1);
    writer.close().unwrap();
    assert!(lines_with(&disk, "shard-1").is_empty());
    assert_eq!(verify_consistent(disk.files()).events, 2);
}

#[test]
fn a_record_written_in_part_is_finished_before_anything_else() {
    for room in [1, 100, 300] {
        let (mut writer, disk) = begun(LAZY);
        disk.leave_writable(room);
        let error = writer.write_event(&routine(1)).unwrap_err();
        let WriteError::Unfinished { receipt, .. } = error else { panic!("{error}") };
        // Still no room: nothing goes in between.
        let error = writer.write_event(&routine(2)).unwrap_err();
        assert!(matches!(error, WriteError::Io { .. }), "{error}");
        assert!(writer.flush().is_err());
        disk.limit(None);
        let next = writer.write_event(&routine(3)).unwrap();
        assert_eq!(next.seq, receipt.seq + 1);
        writer.close().unwrap();
        let report = verify_with_heads(disk.files(), &[receipt, next]);
        assert_eq!((report.verdict, report.events), (Verdict::Consistent, 3), "{report:#?}");
    }
}

#[test]
fn a_disk_that_takes_a_few_bytes_at_a_time_changes_no_record() {
    let disk = SimDisk::default();
    let mut writer = open_now(&disk, LAZY).unwrap();
    let mut events = 0;
    while events < 5 {
        disk.leave_writable(97);
        match writer.write_event(&routine(events)) {
            Ok(_) | Err(WriteError::Unfinished { .. }) => events += 1,
            // A new segment is made whole or not at all.
            Err(WriteError::Io { .. }) if writer.head().is_none() => {
                disk.limit(None);
                writer.write_event(&routine(events)).unwrap();
                events += 1;
            }
            Err(WriteError::Io { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    disk.limit(None);
    writer.close().unwrap();
    assert_eq!(verify_consistent(disk.files()).events, 5);
}

#[test]
fn a_critical_record_written_in_part_is_made_durable_by_the_next_call() {
    let (mut writer, disk) = begun(HYBRID);
    writer.flush().unwrap();
    disk.leave_writable(100);
    let error = writer.write_event(&critical(1)).unwrap_err();
    let WriteError::Unfinished { receipt, .. } = error else { panic!("{error}") };
    disk.limit(None);
    assert_eq!(writer.flush_if_due().unwrap(), None);
    assert_eq!(writer.durable(), Some(receipt));
}

#[test]
fn a_log_does_not_open_when_its_newest_segment_cannot_be_synced() {
    let (writer, disk) = begun(FlushMode::Immediate);
    drop(writer);
    let (begin, before) = (disk.operations(), disk.files());
    open_now(&disk, LAZY).unwrap();
    let count = disk.operations() - begin;
    // The last operation gives back what was allocated ahead: where that fails, only space is lost.
    for operation in 0..count - 1 {
        let at = disk.operations() + operation;
        disk.inject(Some(Fault { at, failure: BROKEN, lasting: Lasting::Once }));
        let opened = open_now(&disk, LAZY);
        assert!(matches!(opened, Err(OpenError::Io { .. })), "operation {operation}: {opened:?}");
    }
    assert_eq!(disk.files(), before);
}

#[test]
fn lost_events_are_declared_before_the_next_one() {
    let (mut writer, disk) = begun(LAZY);
    let refused = |critical, text: &[u8]| Loss {
        reason: LossReason::Refused,
        critical,
        sha256: Some(Digest::of(text)),
    };
    writer.record_loss(service(), refused(false, b"one")).unwrap();
    writer.write_event(&routine(1)).unwrap();
    writer.record_loss(service(), refused(true, b"two")).unwrap();
    writer.record_loss(service(), refused(false, b"three")).unwrap();
    writer
        .record_loss(service(), Loss { reason: LossReason::DiskFull, critical: true, sha256: None })
        .unwrap();
    writer.close().unwrap();

    assert_eq!(verify_consistent(disk.files()).events_lost, 4);
    let lost = lines_with(&disk, r#""event_type":"events_lost""#);
    assert_eq!(lost.len(), 3);
    let alone = format!(
        r#""count":1,"critical_count":0,"reason":"refused","first":"2026-01-02T03:04:05.000000000Z","last":"2026-01-02T03:04:05.000000000Z","sha256":"{}""#,
        Digest::of(b"one")
    );
    assert!(lost[0].contains(&alone), "{}", lost[0]);
    let both = [*Digest::of(b"two").as_bytes(), *Digest::of(b"three").as_bytes()].concat();
    let together = format!(r#""sha256":"{}""#, Digest::of(&both));
    let of_two = lost.iter().find(|line| line.contains(r#""count":2,"critical_count":1"#)).unwrap();
    assert!(of_two.contains(&together), "{of_two}");
    let full = r#""count":1,"critical_count":1,"reason":"disk_full""#;
    assert!(lost.iter().any(|line| line.contains(full)), "{lost:?}");
    let order: Vec<_> = lines_with(&disk, "\"event\"")
        .iter()
        .filter(|line| line.contains("events_lost") || line.contains("shard-1\""))
        .map(|line| line.contains("events_lost"))
        .collect();
    assert_eq!(order, [true, false, true, true]);
}

#[test]
fn a_loss_alone_begins_a_log_and_is_declared_in_it() {
    let disk = SimDisk::default();
    let mut writer = open_now(&disk, LAZY).unwrap();
    let loss = Loss { reason: LossReason::QueueFull, critical: false, sha256: None };
    writer.record_loss(service(), loss).unwrap();
    drop(writer);
    let report = verify_consistent(disk.files());
    assert_eq!((report.events, report.events_lost), (0, 1));
}

#[test]
fn a_loss_is_not_forgotten_when_its_declaration_fails() {
    let (mut writer, disk) = begun(LAZY);
    let loss = Loss { reason: LossReason::Refused, critical: false, sha256: None };
    writer.record_loss(service(), loss).unwrap();
    disk.fail_next(BROKEN);
    assert!(writer.write_event(&routine(1)).is_err());
    disk.leave_writable(50);
    assert!(matches!(writer.write_event(&routine(2)), Err(WriteError::Io { .. })));
    disk.limit(None);
    writer.write_event(&routine(3)).unwrap();
    writer.close().unwrap();
    let report = verify_consistent(disk.files());
    assert_eq!((report.events, report.events_lost), (2, 1));
}

/// What says that the reserve is used is written in part: the event that was to use it is not in the
/// log, whatever place that record has.
#[test]
fn an_event_is_not_taken_for_the_declaration_before_it_that_is_unfinished() {
    let disk = SimDisk::default();
    disk.limit(Some(RESERVE_BYTES + 1_500));
    let mut writer = open_now(&disk, HYBRID).unwrap();
    let refused = (0..9).find(|&number| writer.write_event(&routine(number)).is_err());
    let events = refused.expect("the disk is full");
    disk.leave_writable(40);
    let error = writer.write_event(&critical(50)).unwrap_err();
    assert!(matches!(error, WriteError::Io { .. }), "{error}");
    assert!(lines_with(&disk, "token-50").is_empty());
    disk.limit(None);
    let receipt = writer.write_event(&critical(51)).unwrap();
    let head = writer.close().unwrap().unwrap();
    let report = verify_with_heads(disk.files(), &[receipt, head]);
    assert_eq!((report.verdict, report.events), (Verdict::Intact, events + 1), "{report}");
    assert_eq!(lines_with(&disk, "disk_full").len(), 1);
}

#[test]
fn time_spent_with_an_unfinished_record_counts() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-02T03:04:05Z"));
    let mut writer = open(&disk, &clock, POLICY, HYBRID).unwrap();
    writer.write_event(&routine(0)).unwrap();
    writer.flush().unwrap();
    disk.leave_writable(10);
    assert!(writer.write_event(&routine(1)).is_err());
    disk.limit(None);
    clock.pass(Duration::from_secs(59));
    assert_eq!(writer.flush_if_due().unwrap(), Some(Duration::from_secs(1)));
    clock.pass(Duration::from_secs(1));
    assert_eq!(writer.flush_if_due().unwrap(), None);
    assert_eq!(writer.durable(), writer.head());
}

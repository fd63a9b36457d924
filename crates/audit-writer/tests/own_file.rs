//! Somebody else removes, renames, replaces or resizes the segment that is being written.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "helpers of tests fail where they stand"
)]

#[expect(dead_code, reason = "each scenario file uses what it needs")]
mod common;

use audit_core::lifecycle::MissingReason;
use audit_core::{FlushMode, RotationPolicy};
use audit_verify::Verdict;
use audit_writer::{SimDisk, WriteError};
use common::{clock_at, critical, open, routine, verify, verify_with_heads};

const FIRST: &str = "00000000000000000000.2026-01-02.audit.jsonl";

/// What somebody does to the segment, and what is then said of it.
type Deed = (&'static str, fn(&SimDisk), MissingReason);

fn deeds() -> [Deed; 5] {
    [
        ("removed", |disk| disk.unlink(FIRST), MissingReason::Unlinked),
        ("replaced", |disk| disk.replace(FIRST, b"other".to_vec()), MissingReason::Replaced),
        (
            "replaced by a copy",
            |disk| disk.replace(FIRST, disk.files()[FIRST].clone()),
            MissingReason::Replaced,
        ),
        ("emptied", |disk| disk.resize(FIRST, 0), MissingReason::SizeChanged),
        (
            "made longer",
            |disk| disk.resize(FIRST, disk.files()[FIRST].len() + 1),
            MissingReason::SizeChanged,
        ),
    ]
}

/// The lines of the segment that begins with this record.
fn lines_from(disk: &SimDisk, first_seq: u64) -> Vec<serde_json::Value> {
    let files = disk.files();
    let name = format!("{first_seq:020}.2026-01-02.audit.jsonl");
    let text = String::from_utf8(files[&name].clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_was_written_to_a_file_that_is_not_the_log_any_more_is_not_called_durable() {
    for (deed, act, expected) in deeds() {
        let (disk, clock) = (SimDisk::default(), clock_at("2026-01-02T03:04:05Z"));
        let mut writer = open(&disk, &clock, RotationPolicy::Daily, FlushMode::Immediate).unwrap();
        writer.write_event(&routine(0)).unwrap();
        act(&disk);
        let error = writer.write_event(&critical(1)).unwrap_err();
        let WriteError::SegmentMissing { file, reason } = error else { panic!("{deed}: {error}") };
        assert_eq!((file.as_str(), reason), (FIRST, expected), "{deed}");

        // `segment_opened`, `log_opened`, two events; then the chain goes on elsewhere.
        let opening = lines_from(&disk, 4);
        assert_eq!(opening[0]["event"]["previous"]["last_seq"], 3, "{deed}");
        let missing = &opening[1]["event"];
        assert_eq!(missing["event_type"], "segment_missing", "{deed}");
        assert_eq!(missing["file"], FIRST);
        assert_eq!((&missing["first_seq"], &missing["last_seq"]), (&0.into(), &3.into()));
        assert_eq!(missing["last_hash"], opening[0]["prev_hash"]);
        assert_eq!(missing["reason"], serde_json::to_value(expected).unwrap());

        let next = writer.write_event(&critical(2)).unwrap();
        assert_eq!(next.seq, 6, "{deed}");
        let head = writer.close().unwrap().unwrap();
        let report = verify_with_heads(disk.files(), &[next, head]);
        assert!(
            matches!(report.verdict, Verdict::Truncated | Verdict::Tampered),
            "{deed}: {report:#?}"
        );
    }
}

#[test]
fn a_flush_that_finds_the_file_gone_fails_and_the_next_one_does_not() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-02T03:04:05Z"));
    let mode = FlushMode::Batched { size: 10, interval_secs: 60 };
    let mut writer = open(&disk, &clock, RotationPolicy::Daily, mode).unwrap();
    for number in 0..4 {
        writer.write_event(&routine(number)).unwrap();
    }
    disk.unlink(FIRST);
    assert!(matches!(writer.flush(), Err(WriteError::SegmentMissing { .. })));
    writer.flush().unwrap();
    assert_eq!(writer.durable(), writer.head(), "what says so is durable at once");
    writer.write_event(&routine(4)).unwrap();
    writer.flush().unwrap();
}

#[test]
fn a_log_that_is_closed_when_its_file_is_gone_says_so_and_is_closed_in_another() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-02T03:04:05Z"));
    let mut writer = open(&disk, &clock, RotationPolicy::Daily, FlushMode::Immediate).unwrap();
    writer.write_event(&routine(0)).unwrap();
    disk.unlink(FIRST);
    assert!(matches!(writer.close(), Err(WriteError::SegmentMissing { .. })));
    let lines = lines_from(&disk, 4);
    let types: Vec<_> = lines.iter().map(|line| line["event"]["event_type"].as_str()).collect();
    assert_eq!(types, [Some("segment_opened"), Some("segment_missing"), Some("log_closed")]);
    let verdict = verify(disk.files()).verdict;
    assert!(matches!(verdict, Verdict::Truncated | Verdict::Tampered), "{verdict:?}");
}

#[test]
fn a_file_that_is_gone_again_and_again_is_declared_each_time() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-02T03:04:05Z"));
    let mut writer = open(&disk, &clock, RotationPolicy::Daily, FlushMode::Immediate).unwrap();
    writer.write_event(&routine(0)).unwrap();
    for number in 1..6 {
        let name = disk.files().into_keys().next_back().unwrap();
        disk.unlink(&name);
        assert!(matches!(
            writer.write_event(&routine(number)),
            Err(WriteError::SegmentMissing { file, .. }) if file == name
        ));
    }
    writer.write_event(&routine(6)).unwrap();
    let newest = disk.files().into_values().next_back().unwrap();
    assert!(String::from_utf8(newest).unwrap().contains("shard-6"));
}

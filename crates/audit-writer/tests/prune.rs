//! Retention: what may be deleted, what the log says of it first, and a crash at any point of it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a helper of tests fails where it stands"
)]

#[expect(dead_code, reason = "each scenario file uses what it needs")]
mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use audit_core::digest::leaf_hash;
use audit_core::{FlushMode, RetentionPolicy, RotationPolicy};
use audit_verify::{NoticeCode, Verdict};
use audit_writer::segment::SegmentName;
use audit_writer::store::{Failure, Fate, Fault, Lasting};
use audit_writer::{ClockTrust, PruneError, SimClock, SimDisk};
use chrono::TimeDelta;
use common::{SimWriter, clock_at, open, routine, verify, verify_consistent};

const DAY: Duration = Duration::from_hours(24);

/// One event a segment.
const EACH: RotationPolicy = RotationPolicy::SizeLimit { bytes_max: 1 };

fn days(days: u32) -> RetentionPolicy {
    RetentionPolicy { min_retention_days: 30, archive_after_days: 0, delete_after_days: days }
}

fn opened(disk: &SimDisk, clock: &SimClock) -> SimWriter {
    open(disk, clock, EACH, FlushMode::Immediate).unwrap()
}

/// A log with an event a day, a segment each, and one more that says it was closed, a day later.
fn daily(events: u64) -> (SimDisk, SimClock) {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-01T12:00:00Z"));
    let mut log = opened(&disk, &clock);
    for number in 0..events {
        log.write_event(&routine(number)).unwrap();
        clock.pass(DAY);
    }
    log.close().unwrap();
    (disk, clock)
}

fn segments(disk: &SimDisk) -> Vec<String> {
    disk.files().into_keys().filter(|name| SegmentName::parse(name).is_some()).collect()
}

#[test]
fn the_older_half_goes_and_what_remains_verifies() {
    let (disk, clock) = daily(300);
    let before = disk.files();
    let events = verify_consistent(before.clone()).events;
    let mut log = opened(&disk, &clock);
    let plan = log.prune(days(150), ClockTrust::Capped).unwrap();
    log.write_event(&routine(300)).unwrap();
    log.close().unwrap();

    assert_eq!(plan.files.len(), 150);
    let names: Vec<_> = plan.files.iter().map(|file| file.name.clone()).collect();
    assert_eq!(names, before.keys().take(150).cloned().collect::<Vec<_>>());
    let after = disk.files();
    assert!(before.iter().skip(150).all(|(name, bytes)| after.get(name) == Some(bytes)));
    assert!(names.iter().all(|name| !after.contains_key(name)));
    let report = verify_consistent(after);
    assert_eq!(report.events, events - 150 + 1);
    assert!(report.notices.iter().any(|notice| notice.code == NoticeCode::PrunedPrefix));
    assert_eq!(plan.bytes(), names.iter().map(|name| before[name].len() as u64).sum::<u64>());
}

#[test]
fn more_segments_than_one_record_names_are_declared_in_turn() {
    let (disk, clock) = daily(600);
    let mut log = opened(&disk, &clock);
    assert_eq!(log.prune(days(30), ClockTrust::Capped).unwrap().files.len(), 570);
    log.close().unwrap();
    let files = disk.files();
    let text: String = files.values().map(|bytes| String::from_utf8_lossy(bytes)).collect();
    assert_eq!(text.matches(r#""event_type":"segments_pruned""#).count(), 3);
    verify_consistent(files);
}

#[test]
fn a_second_prune_goes_on_where_the_first_ended() {
    let (disk, clock) = daily(60);
    let mut log = opened(&disk, &clock);
    assert_eq!(log.prune(days(40), ClockTrust::Capped).unwrap().files.len(), 20);
    assert_eq!(
        log.prune(days(40), ClockTrust::Capped).unwrap().files.len(),
        0,
        "nothing has grown old since"
    );
    clock.pass(DAY * 5);
    assert_eq!(log.prune(days(40), ClockTrust::Capped).unwrap().files.len(), 5);
    log.close().unwrap();
    verify_consistent(disk.files());
}

#[test]
fn what_the_policy_keeps_is_not_deleted_and_the_newest_never_is() {
    let (disk, clock) = daily(40);
    let before = disk.files();
    let mut log = opened(&disk, &clock);
    let error = log.prune(days(29), ClockTrust::Capped).unwrap_err();
    assert!(
        matches!(error, PruneError::TooYoung { delete_after_days: 29, min_retention_days: 30 }),
        "{error}"
    );
    assert!(log.prune(days(40), ClockTrust::Capped).unwrap().files.is_empty());
    log.close().unwrap();
    assert_eq!(disk.files(), before, "an open that finds nothing to delete writes nothing");

    clock.pass(DAY * 10_000);
    let mut log = opened(&disk, &clock);
    assert_eq!(log.prune(days(30), ClockTrust::Capped).unwrap().files.len(), 40);
    drop(log);
    assert!(segments(&disk).contains(before.keys().next_back().unwrap()));
    verify_consistent(disk.files());
}

#[test]
fn a_young_record_keeps_its_segment_wherever_the_clock_went() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-01T12:00:00Z"));
    let mut log = opened(&disk, &clock);
    for number in 0..10 {
        // The fifth is written with a clock that is a year ahead, which is put right afterwards.
        let ahead = TimeDelta::days(if number == 4 { 365 } else { 0 });
        clock.step(ahead);
        log.write_event(&routine(number)).unwrap();
        clock.step(-ahead);
    }
    log.close().unwrap();
    clock.pass(DAY * 100);
    let mut log = opened(&disk, &clock);
    // The fourth is as old as the opening of the fifth says.
    assert_eq!(log.prune(days(30), ClockTrust::Whole).unwrap().files.len(), 3);
    log.close().unwrap();
    verify_consistent(disk.files());
}

#[test]
fn one_step_of_the_clock_makes_nothing_more_than_31_days_older() {
    let (disk, clock) = daily(5);
    clock.pass(DAY * 5);
    // Ten years ahead, for good.
    clock.step(TimeDelta::days(3_650));
    let mut log = opened(&disk, &clock);
    let plan = log.prune(days(60), ClockTrust::Capped).unwrap();
    assert_eq!((plan.files.len(), plan.capped), (0, true));
    // Of the days that passed before, all count.
    assert_eq!(log.prune(days(34), ClockTrust::Capped).unwrap().files.len(), 2);
    assert_eq!(log.prune(days(60), ClockTrust::Whole).unwrap().files.len(), 3);
    log.close().unwrap();
    verify_consistent(disk.files());
}

#[test]
fn a_log_whose_first_records_somebody_removed_is_not_pruned() {
    let (disk, clock) = daily(60);
    let first = segments(&disk);
    disk.unlink(&first[0]);
    let before = disk.files();
    let mut log = opened(&disk, &clock);
    let error = log.prune(days(30), ClockTrust::Capped).unwrap_err();
    assert!(matches!(error, PruneError::Gap { begins: 3 }), "{error}");
    drop(log);
    assert_eq!(disk.files(), before);
}

#[test]
fn a_segment_that_is_not_whole_is_evidence_and_stays_with_all_that_follow() {
    for damage in [flip, cut, empty] {
        let (disk, clock) = daily(60);
        let third = segments(&disk).swap_remove(2);
        let mut bytes = disk.files()[&third].clone();
        damage(&mut bytes);
        disk.replace(&third, bytes);
        let before = disk.files();
        let mut log = opened(&disk, &clock);
        let error = log.prune(days(30), ClockTrust::Capped).unwrap_err();
        assert!(matches!(&error, PruneError::Damaged { file } if *file == third), "{error}");
        drop(log);
        assert_eq!(disk.files(), before);
    }
}

/// Without a key anybody can put it there, and a prune must not be what takes it away again.
#[test]
fn a_segment_that_tells_of_damaged_or_missing_records_is_evidence_and_stays() {
    let (nothing, file) = ("00".repeat(32), "00000000000000000000.2026-01-01.audit.jsonl");
    let told = [
        format!(
            r#"{{"event_type":"segment_missing","file":"{file}","first_seq":0,"last_seq":2,"last_hash":"{nothing}","reason":"acknowledged","text":"moved"}}"#
        ),
        format!(
            r#"{{"event_type":"damage_found","file":"{file}","offset":0,"code":"hash_wrong"}}"#
        ),
    ];
    for event in told {
        let (disk, clock) = (SimDisk::default(), clock_at("2026-01-01T12:00:00Z"));
        let mut log = opened(&disk, &clock);
        log.write_event(&routine(0)).unwrap();
        log.close().unwrap();
        let last = segments(&disk).pop().unwrap();
        let mut lines = lines_of(&disk, &last);
        let closed = lines.pop().unwrap();
        lines.push(forged(&closed, r#"{"event_type":"log_closed"}"#, &event));
        disk.replace(&last, lines.concat().into_bytes());
        clock.pass(DAY);
        let mut log = opened(&disk, &clock);
        log.write_event(&routine(1)).unwrap();
        log.close().unwrap();
        clock.pass(DAY * 100);
        let verdict = verify(disk.files()).verdict;
        assert!(verdict >= Verdict::Truncated, "{verdict}");

        let mut log = opened(&disk, &clock);
        let error = log.prune(days(30), ClockTrust::Whole).unwrap_err();
        assert!(matches!(&error, PruneError::Damaged { file } if *file == last), "{error}");
        log.close().unwrap();
        assert_eq!(verify(disk.files()).verdict, verdict);
    }
}

#[expect(clippy::ptr_arg, reason = "the others change the length")]
fn flip(bytes: &mut Vec<u8>) {
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
}

fn cut(bytes: &mut Vec<u8>) {
    bytes.truncate(bytes.len() - 3);
}

fn empty(bytes: &mut Vec<u8>) {
    bytes.clear();
}

#[test]
fn a_recovered_tail_goes_with_its_segment() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-01T12:00:00Z"));
    let mut log = opened(&disk, &clock);
    log.write_event(&routine(0)).unwrap();
    disk.crash_at(0);
    drop(log);
    disk.crash_at(u64::MAX);
    let name = segments(&disk).remove(0);
    let mut torn = disk.files()[&name].clone();
    torn.extend_from_slice(b"{\"v\":1,\"seq\":3,");
    disk.replace(&name, torn.clone());
    let mut log = opened(&disk, &clock);
    log.write_event(&routine(1)).unwrap();
    log.close().unwrap();
    clock.pass(DAY * 100);
    let mut log = opened(&disk, &clock);
    let plan = log.prune(days(30), ClockTrust::Capped).unwrap();
    log.close().unwrap();
    assert_eq!(plan.files[0].size, torn.len() as u64);
    verify_consistent(disk.files());
}

/// The power goes at every operation of a prune, and whatever no sync has covered is there or not.
#[test]
fn a_crash_at_any_point_of_a_prune_is_gone_on_after() {
    let (disk, clock) = daily(45);
    let end = verify(disk.files()).head.unwrap().seq + 1;
    disk.remember();
    let mut log = opened(&disk, &clock);
    assert_eq!(log.prune(days(30), ClockTrust::Capped).unwrap().files.len(), 15);
    disk.crash_at(0);
    drop(log);
    let moments = disk.moments();
    assert!(moments.len() > 30, "{}", moments.len());
    let (mut resumed, mut begun) = (0, 0);
    for moment in moments {
        for seed in 0..20 {
            let found = moment.disk.after_crash(|unsynced| match seed {
                0 => Fate::Lost,
                1 => Fate::Kept,
                _ => unsynced.fate(seed),
            });
            let before = found.files();
            let report = verify(before.clone());
            assert!(report.verdict <= Verdict::Torn, "{report:#?}");
            let left = old_segments(&before, end);
            let mut log = opened(&found, &clock);
            assert_eq!(old_segments(&found.files(), end), left, "an open deletes nothing");
            resumed += u32::from(declares(&before) && left > 31);
            begun += u32::from(left < 46);
            log.write_event(&routine(45)).unwrap();
            log.prune(days(30), ClockTrust::Capped).unwrap();
            log.close().unwrap();
            verify_consistent(found.files());
            assert_eq!(old_segments(&found.files(), end), 31);
        }
    }
    assert!(resumed > 100 && begun > 100, "{resumed} and {begun}");
}

/// Segments of the log as it was before anything was pruned.
fn old_segments(files: &BTreeMap<String, Vec<u8>>, end: u64) -> usize {
    let is_old = |name: &&String| SegmentName::parse(name).is_some_and(|name| name.first_seq < end);
    files.keys().filter(is_old).count()
}

fn declares(files: &BTreeMap<String, Vec<u8>>) -> bool {
    let newest = files.iter().rev().find(|(name, _)| SegmentName::parse(name).is_some()).unwrap();
    String::from_utf8_lossy(newest.1).contains(r#""event_type":"segments_pruned""#)
}

#[test]
fn where_a_file_that_was_declared_is_changed_gone_or_joined_by_another_nothing_is_deleted() {
    let (disk, clock) = daily(45);
    let before = disk.files();
    disk.remember();
    let mut log = opened(&disk, &clock);
    log.prune(days(30), ClockTrust::Capped).unwrap();
    disk.crash_at(0);
    drop(log);
    // Declared, and nothing deleted.
    let moments = disk.moments();
    let declared = moments.iter().find(|moment| declares(&moment.disk.files())).unwrap();
    let names: Vec<_> = before.keys().cloned().collect();
    let joining = SegmentName { first_seq: 4, ..SegmentName::parse(&names[1]).unwrap() };
    let mut changed = before[&names[5]].clone();
    flip(&mut changed);
    for (file, bytes) in [
        (names[5].clone(), Some(changed)),
        (names[5].clone(), None),
        (joining.to_string(), Some(before[&names[5]].clone())),
    ] {
        let found = declared.disk.after_crash(|_| Fate::Kept);
        match bytes {
            Some(bytes) => found.replace(&file, bytes),
            None => found.unlink(&file),
        }
        let left = found.files();
        let mut log = opened(&found, &clock);
        log.write_event(&routine(45)).unwrap();
        let error = log.prune(days(30), ClockTrust::Capped).unwrap_err();
        assert!(matches!(&error, PruneError::Damaged { file: it } if *it == file), "{error}");
        drop(log);
        let (now, segments) = (found.files(), old_segments(&left, u64::MAX));
        let is_there = |(name, bytes): &(&String, &Vec<u8>)| now.get(*name) == Some(*bytes);
        assert_eq!(left.iter().filter(is_there).count(), segments);
    }
}

#[test]
fn a_deletion_that_fails_is_told_and_the_next_prune_goes_on() {
    let (disk, clock) = daily(45);
    let mut log = opened(&disk, &clock);
    let first = segments(&disk).remove(0);
    let at = first_removal();
    disk.inject(Some(Fault { at, failure: Failure::Errno(1), lasting: Lasting::Once }));
    let error = log.prune(days(30), ClockTrust::Capped).unwrap_err();
    assert!(matches!(&error, PruneError::Delete { file, .. } if *file == first), "{error}");
    verify_consistent(disk.files());
    assert_eq!(log.prune(days(30), ClockTrust::Capped).unwrap().files.len(), 15);
    log.close().unwrap();
    verify_consistent(disk.files());
}

/// The operation that removes the first segment, in the same life of the same log.
fn first_removal() -> u64 {
    let (disk, clock) = daily(45);
    opened(&disk, &clock).prune(days(30), ClockTrust::Capped).unwrap();
    let is_removal = |line: &String| line.starts_with("remove 0");
    disk.trace().iter().position(is_removal).unwrap() as u64
}

/// A record with another event, and the hash that it has to have.
fn forged(line: &str, from: &str, to: &str) -> String {
    let (body, _) = line.split_once(",\"hash\":\"").unwrap();
    let body = body.replacen(from, to, 1);
    let hash = leaf_hash(body.as_bytes());
    format!("{body},\"hash\":\"{hash}\"}}\n")
}

/// The lines of a segment.
fn lines_of(disk: &SimDisk, name: &str) -> Vec<String> {
    let text = String::from_utf8(disk.files()[name].clone()).unwrap();
    text.split_inclusive('\n').map(str::to_owned).collect()
}

#[test]
fn a_prune_that_contradicts_what_is_left_is_not_gone_on_after() {
    let (disk, clock) = daily(60);
    let first = segments(&disk).remove(0);
    // The first segment is removed, and a record forged at the end that says it was pruned.
    let newest = segments(&disk).pop().unwrap();
    let lines = lines_of(&disk, &newest);
    let event = |hash: &str| {
        format!(
            r#"{{"event_type":"segments_pruned","first_seq":0,"last_seq":2,"last_hash":"{hash}","merkle_frontier":["{hash}","{hash}"],"files":[],"reason":"older than 30 days"}}"#
        )
    };
    let end = lines.last().unwrap();
    let another = "11".repeat(32);
    let end = forged(end, r#"{"event_type":"log_closed"}"#, &event(&another));
    let mut bytes = lines[..lines.len() - 1].concat();
    bytes.push_str(&end);
    disk.replace(&newest, bytes.into_bytes());
    disk.unlink(&first);
    assert_eq!(verify(disk.files()).verdict, Verdict::Tampered);
    let before = segments(&disk);
    let mut log = opened(&disk, &clock);
    log.write_event(&routine(1)).unwrap();
    let error = log.prune(days(30), ClockTrust::Capped).unwrap_err();
    assert!(matches!(error, PruneError::Gap { begins: 3 }), "{error}");
    drop(log);
    assert_eq!(segments(&disk)[..before.len()], before);
    assert_eq!(verify(disk.files()).verdict, Verdict::Tampered);
}

#[test]
fn a_segment_that_the_next_one_does_not_follow_is_evidence_and_stays() {
    let (disk, clock) = daily(40);
    // The second segment names another one before it. Its last record is the newest of the log.
    let names = segments(&disk);
    for name in &names[2..] {
        disk.unlink(name);
    }
    let lines = lines_of(&disk, &names[1]);
    let opening = forged(&lines[0], &names[0], &names[0].replace("2026-01-01", "2026-01-09"));
    disk.replace(&names[1], opening.into_bytes());
    assert_eq!(verify(disk.files()).verdict, Verdict::Tampered);
    let mut log = opened(&disk, &clock);
    log.write_event(&routine(1)).unwrap();
    let error = log.prune(days(30), ClockTrust::Capped).unwrap_err();
    assert!(matches!(&error, PruneError::Damaged { file } if *file == names[0]), "{error}");
    log.close().unwrap();
    assert_eq!(verify(disk.files()).verdict, Verdict::Tampered);
}

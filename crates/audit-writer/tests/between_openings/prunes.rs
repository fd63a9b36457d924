//! Records deleted by somebody else than retention, and what retention then makes of it.

use std::time::Duration;

use audit_core::{FlushMode, Keyless, OnDamage, RetentionPolicy, RotationPolicy};
use audit_verify::Verdict;
use audit_writer::segment::SegmentName;
use audit_writer::{
    AuditFileWriter, ClockTrust, OpenError, PruneError, Signing, SimClock, SimDisk,
};

use crate::common::{SimWriter, routine};
use crate::log::{files, forged, forged_all, key, kill, lines, newest, noon, receipt};
use crate::said::{CANNOT, Due, Files, Kept, hold};

use Verdict::{Consistent, Tampered, Unverifiable};

const DAY: Duration = Duration::from_hours(24);

/// A log of a segment a day, its writer killed, and that it is of that age.
fn daily(signs: bool) -> (SimDisk, SimClock) {
    let (disk, clock) = (SimDisk::default(), noon());
    let mut log = opened(&disk, &clock, signs).unwrap();
    for number in 0..6 {
        log.write_event(&routine(number)).unwrap();
        clock.pass(DAY);
    }
    if signs {
        log.checkpoint().unwrap();
    }
    kill(&disk, log);
    (disk, clock)
}

fn opened(disk: &SimDisk, clock: &SimClock, signs: bool) -> Result<SimWriter, OpenError> {
    let (rotation, flush) = (RotationPolicy::Daily, FlushMode::Immediate);
    let mut log =
        AuditFileWriter::with(disk.store(), clock.clone(), rotation, flush, OnDamage::Refuse)?;
    if signs {
        log.sign(Signing::new(key()))?;
    }
    Ok(log)
}

fn segments(files: &Files) -> Vec<String> {
    files.keys().filter(|name| SegmentName::parse(name).is_some()).cloned().collect()
}

/// Everything that is older than a day, and what is kept for seven years.
fn policies() -> [RetentionPolicy; 2] {
    let all =
        RetentionPolicy { min_retention_days: 0, archive_after_days: 0, delete_after_days: 0 };
    [all, RetentionPolicy::default()]
}

/// Which segments are removed by hand.
type Remove = fn(&[String]) -> Vec<String>;

const REMOVED: [(&str, Remove); 3] = [
    ("the first", |names| names[..1].to_vec()),
    ("the first three", |names| names[..3].to_vec()),
    ("all but the newest", |names| names[..names.len() - 1].to_vec()),
];

#[test]
fn segments_removed_by_hand_are_covered_up_by_no_prune() {
    for signs in [true, false] {
        for (name, remove) in REMOVED {
            for (policy, years) in policies().into_iter().zip([0, 8]) {
                let (disk, clock) = daily(signs);
                let kept = signs.then(|| Kept::of(&disk));
                for removed in remove(&segments(&disk.files())) {
                    disk.unlink(&removed);
                }
                clock.pass(DAY * 366 * years);
                let before = disk.files();
                let mut log = opened(&disk, &clock, signs).unwrap();
                let error = log.prune(policy, ClockTrust::Whole).unwrap_err();
                assert!(matches!(error, PruneError::Gap { .. }), "{name}: {error}");
                assert_eq!(disk.files(), before, "{name}: nothing is declared or deleted");
                log.write_event(&routine(9)).unwrap();
                log.close().unwrap();
                let due: [Due; 3] = [(Tampered, "head_missing"); 3];
                match kept {
                    Some(kept) => hold(name, &kept, &disk.files(), due),
                    None => assert_head_missing(name, &disk),
                }
            }
        }
    }
}

#[track_caller]
fn assert_head_missing(name: &str, disk: &SimDisk) {
    let report = crate::common::verify(disk.files());
    assert_eq!(report.verdict, Tampered, "{name}\n{report}");
    assert!(report.to_string().contains("head_missing"), "{name}\n{report}");
}

/// A segment in the middle is not missed by an open, which does not read it, but by a prune that
/// comes to it, and by whoever verifies.
#[test]
fn a_gap_in_the_middle_stays_what_it_was_whatever_is_written_and_signed_after_it() {
    let (disk, clock) = daily(true);
    let kept = Kept::of(&disk);
    disk.unlink(&segments(&disk.files())[2]);
    let gap: [Due; 3] = [(Tampered, "records_missing"); 3];
    hold("before", &kept, &disk.files(), gap);
    let mut log = opened(&disk, &clock, true).unwrap();
    log.write_event(&routine(9)).unwrap();
    log.checkpoint().unwrap();
    let [all, _] = policies();
    let error = log.prune(all, ClockTrust::Whole).unwrap_err();
    assert!(matches!(error, PruneError::Damaged { .. } | PruneError::Gap { .. }), "{error}");
    log.close().unwrap();
    hold("after", &kept, &disk.files(), gap);
    // Neither the key nor what was kept covers anything behind the gap.
    for (report, signed) in kept.said(&disk.files()).iter().zip([None, Some(5), Some(5)]) {
        assert_eq!((report.signed_up_to, report.covered_up_to), (signed, None), "{report}");
    }
}

/// What a forged record says of the segments that are gone.
fn account(files: &Files, gone: usize) -> String {
    let names = segments(files);
    let gone = &names[..gone];
    let mut frontier = audit_core::Frontier::new();
    let mut last = None;
    for line in gone.iter().flat_map(|name| lines(&files[name])) {
        let line = receipt(&line);
        frontier.push(line.hash);
        last = Some(line);
    }
    let (last, digest) = (last.unwrap(), audit_core::Digest::of(b""));
    let listed: Vec<_> = gone
        .iter()
        .map(|name| format!(r#"{{"name":"{name}","size":1,"sha256":"{digest}"}}"#))
        .collect();
    format!(
        r#"{{"event_type":"segments_pruned","first_seq":0,"last_seq":{},"last_hash":"{}","merkle_frontier":{},"files":[{}],"reason":"older than 1 days"}}"#,
        last.seq,
        last.hash,
        serde_json::to_string(frontier.roots()).unwrap(),
        listed.join(",")
    )
}

/// Deletes the first segments, and puts a true account of that, which only the writer may give, behind
/// the last record.
fn delete_with_an_account(disk: &SimDisk, before: &Files) {
    let (name, bytes) = newest(disk);
    let after = receipt(lines(&bytes).last().unwrap());
    let (line, _) = forged(&after, &account(before, 3));
    disk.replace(&name, [bytes, line].concat());
    segments(before)[..3].iter().for_each(|name| disk.unlink(name));
}

/// A true account of a deletion behind the last seal.
#[test]
fn a_prune_forged_at_the_end_excuses_nothing_and_the_writer_does_not_go_on() {
    let (disk, clock) = daily(true);
    let kept = Kept::of(&disk);
    let before = disk.files();
    delete_with_an_account(&disk, &before);
    let attacked = files(&disk);
    let error = opened(&disk, &clock, true).map(drop).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    assert_eq!(files(&disk), attacked);
    hold("in the tail", &kept, &attacked, [(Tampered, "seal_missing"); 3]);
}

/// The same in a life of its own that somebody without the key appends.
#[test]
fn a_prune_forged_in_a_life_without_the_key_is_not_gone_on_after() {
    let (disk, clock) = daily(true);
    let kept = Kept::of(&disk);
    let before = disk.files();
    let mut log = opened(&disk, &clock, false).unwrap();
    log.go_without_key(Keyless::Unsigned);
    log.write_event(&routine(9)).unwrap();
    kill(&disk, log);
    delete_with_an_account(&disk, &before);
    let attacked = files(&disk);
    let error = opened(&disk, &clock, true).map(drop).unwrap_err();
    let OpenError::Unvouched(unvouched) = error else { panic!("{error}") };
    assert!(unvouched.begins > 0 && unvouched.to_string().contains("the log begins with record"));
    assert_eq!(files(&disk), attacked);
    let gone = (Consistent, "records up to seq 8 were deleted, as the log says");
    let not_attested = (Tampered, "prune_not_attested");
    hold("a life", &kept, &attacked, [gone, not_attested, not_attested]);
    // An operator who adopts it takes over the log as it begins, and the report says by whose word.
    let mut log = opened(&disk, &clock, false).unwrap();
    log.sign(Signing::new(key()).adopt(unvouched.head)).unwrap();
    log.write_event(&routine(10)).unwrap();
    log.close().unwrap();
    let adopted = "that an operator adopted";
    let [_, by_key, _] = kept.said(&disk.files());
    assert!(by_key.coverage.contains(adopted) && by_key.coverage.contains(CANNOT), "{by_key}");
}

/// All that was sealed is gone, and a life that never sealed says that it was pruned.
#[test]
fn a_log_of_which_all_that_was_sealed_is_gone_is_not_signed_again() {
    let (disk, clock) = daily(true);
    let kept = Kept::of(&disk);
    let before = disk.files();
    let names = segments(&before);
    let (name, bytes) = newest(&disk);
    let head = receipt(lines(&bytes).last().unwrap());
    let opened_by: serde_json::Value = serde_json::from_slice(&lines(&bytes)[0]).unwrap();
    let account = account(&before, names.len());
    let said: serde_json::Value = serde_json::from_str(&account).unwrap();
    let opening = format!(
        r#"{{"event_type":"segment_opened","log_id":{},"merkle_frontier":{},"previous":{{"file":"{name}","last_seq":{},"last_hash":"{}"}}}}"#,
        opened_by["event"]["log_id"], said["merkle_frontier"], head.seq, head.hash
    );
    let writer = r#"{"event_type":"log_opened","writer":"x","flush_mode":"hybrid","unsynced_max_bytes":1048576}"#;
    let life = forged_all(&head, &[&opening, writer, &account, r#"{"event_type":"forged"}"#]);
    disk.replace(&format!("{:020}.2026-01-01.audit.jsonl", head.seq + 1), life);
    for name in &names {
        disk.unlink(name);
    }
    let attacked = files(&disk);
    let error = opened(&disk, &clock, true).map(drop).unwrap_err();
    assert!(matches!(error, OpenError::RolledBack { .. }), "{error}");
    assert_eq!(files(&disk), attacked);
    let gone = (Consistent, "were deleted, as the log says");
    let unsigned = (Consistent, "4 records at the end are covered by no checkpoint");
    let not_there = (Unverifiable, "head_not_checked");
    hold("all is gone", &kept, &attacked, [gone, unsigned, not_there]);
}

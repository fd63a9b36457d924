//! A real directory: locks, modes, and whatever lies about in it.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails where it stands")]

#[expect(dead_code, reason = "each scenario file uses what it needs")]
mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use audit_core::record::{RecordHead, write_record};
use audit_core::{
    FileSystems, FlushMode, OnDamage, OpenPolicy, RecordTime, RotationPolicy, ServiceId,
};
use audit_verify::{Verdict, VerifyOptions, verify_dir};
use audit_writer::segment::{NEW_SEGMENT, SegmentName};
use audit_writer::{AuditFileWriter, Damage, OpenError, WriteError};
use chrono::{TimeDelta, Utc};
use common::{routine, service};

fn writer(dir: &Path) -> Result<AuditFileWriter, OpenError> {
    AuditFileWriter::new(dir, RotationPolicy::Daily, FlushMode::Immediate)
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| SegmentName::parse(path.file_name().unwrap().to_str().unwrap()).is_some())
        .collect();
    paths.sort();
    paths
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn verdict(dir: &Path) -> Verdict {
    verify_dir(dir, &VerifyOptions::default()).unwrap().verdict
}

#[test]
fn a_log_is_private_and_what_is_finished_is_read_only() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("log");
    let mut log = writer(&dir).unwrap();
    log.write_event(&routine(0)).unwrap();
    assert_eq!(mode(&dir), 0o700);
    assert_eq!(mode(&segments(&dir)[0]), 0o600);
    log.close().unwrap();
    assert_eq!(mode(&segments(&dir)[0]), 0o400);
    assert_eq!(verdict(&dir), Verdict::Consistent);
}

#[test]
fn a_segment_is_sealed_when_the_next_one_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let policy = RotationPolicy::SizeLimit { bytes_max: 4_000 };
    let mut log = AuditFileWriter::new(dir.path(), policy, FlushMode::Immediate).unwrap();
    for number in 0..30 {
        log.write_event(&routine(number)).unwrap();
    }
    let paths = segments(dir.path());
    let (newest, older) = paths.split_last().unwrap();
    assert!(older.len() > 2);
    assert!(older.iter().all(|path| mode(path) == 0o400));
    assert_eq!(mode(newest), 0o600);
}

#[test]
fn what_a_crash_left_unsealed_the_next_open_seals() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = writer(dir.path()).unwrap();
    log.write_event(&routine(0)).unwrap();
    drop(log);
    let first = segments(dir.path()).remove(0);
    fs::set_permissions(&first, fs::Permissions::from_mode(0o600)).unwrap();
    let mut log = writer(dir.path()).unwrap();
    assert_eq!(mode(&first), 0o600, "opening alone changes nothing");
    log.write_event(&routine(1)).unwrap();
    assert_eq!(mode(&first), 0o400);
}

#[test]
fn a_file_in_the_place_of_the_next_segment_is_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = writer(dir.path()).unwrap();
    let today = Utc::now().date_naive();
    let names = [today, today + TimeDelta::days(1)].map(|date| SegmentName { first_seq: 0, date });
    for name in names {
        fs::write(dir.path().join(name.to_string()), b"precious").unwrap();
    }
    assert!(matches!(log.write_event(&routine(0)), Err(WriteError::Poisoned { .. })));
    assert!(matches!(log.write_event(&routine(0)), Err(WriteError::Poisoned { .. })));
    for name in names {
        assert_eq!(fs::read(dir.path().join(name.to_string())).unwrap(), b"precious");
    }
}

#[test]
fn a_log_of_another_service_is_not_continued() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = writer(dir.path()).unwrap();
    log.write_event(&routine(0)).unwrap();
    drop(log);
    let mut log = writer(dir.path()).unwrap();
    let mut other = routine(1);
    other.service_id = ServiceId::new("bank.teller-2").unwrap();
    assert!(matches!(log.write_event(&other), Err(WriteError::ServiceMismatch { .. })));
    drop(log);
    assert_eq!(segments(dir.path()).len(), 1);
}

#[test]
fn a_second_writer_is_told_who_holds_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = writer(dir.path()).unwrap();
    log.write_event(&routine(0)).unwrap();
    let error = writer(dir.path()).unwrap_err();
    let OpenError::Locked { holder } = error else { panic!("{error}") };
    assert!(holder.contains(&format!("process {}", std::process::id())), "{holder}");
    drop(log);
    writer(dir.path()).unwrap();
}

#[test]
fn a_lock_is_free_again_when_its_holder_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let first = writer(dir.path()).unwrap();
    assert!(matches!(writer(dir.path()), Err(OpenError::Locked { .. })));
    drop(first);
    assert!(writer(dir.path()).is_ok());
}

#[test]
fn a_segment_left_in_the_making_means_nothing() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(NEW_SEGMENT), b"half a reco").unwrap();
    let mut log = writer(dir.path()).unwrap();
    log.write_event(&routine(0)).unwrap();
    drop(log);
    assert!(!dir.path().join(NEW_SEGMENT).exists());
    assert_eq!(verdict(dir.path()), Verdict::Consistent);
}

#[test]
fn a_link_planted_where_the_next_segment_is_made_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let victim = dir.path().join("victim");
    fs::write(&victim, b"precious").unwrap();
    symlink(&victim, dir.path().join(NEW_SEGMENT)).unwrap();
    let mut log = writer(dir.path()).unwrap();
    log.write_event(&routine(0)).unwrap();
    drop(log);
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
}

#[test]
fn a_newest_segment_that_is_no_file_is_refused_and_never_waited_for() {
    let name = "00000000000000000000.2026-01-02.audit.jsonl";
    let plant: [fn(&Path); 3] = [
        |path| fs::create_dir(path).unwrap(),
        |path| symlink("/dev/null", path).unwrap(),
        |path| {
            let fifo = rustix::fs::FileType::Fifo;
            rustix::fs::mknodat(rustix::fs::CWD, path, fifo, 0o600.into(), 0).unwrap();
        },
    ];
    for plant in plant {
        let dir = tempfile::tempdir().unwrap();
        plant(&dir.path().join(name));
        assert!(matches!(writer(dir.path()), Err(OpenError::Io { .. })));
    }
}

#[test]
fn a_link_in_the_place_of_the_newest_segment_is_not_followed() {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut log = writer(dir.path()).unwrap();
    log.write_event(&routine(0)).unwrap();
    drop(log);
    let path = segments(dir.path()).remove(0);
    let moved = elsewhere.path().join("segment");
    fs::rename(&path, &moved).unwrap();
    symlink(&moved, &path).unwrap();
    assert!(matches!(writer(dir.path()), Err(OpenError::Io { .. })));
}

#[test]
fn a_missing_parent_is_an_error_and_nothing_is_made() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("not/there");
    assert!(matches!(writer(&dir), Err(OpenError::Io { .. })));
    assert!(fs::read_dir(parent.path()).unwrap().next().is_none());
}

#[test]
fn a_damaged_end_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = writer(dir.path()).unwrap();
    for number in 0..5 {
        log.write_event(&routine(number)).unwrap();
    }
    drop(log);
    let path = segments(dir.path()).remove(0);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, &bytes).unwrap();
    let error = writer(dir.path()).unwrap_err();
    let OpenError::Damaged { file, offset, .. } = &error else { panic!("{error}") };
    assert_eq!(path.file_name().unwrap().to_str(), Some(file.as_str()));
    assert!(usize::try_from(*offset).unwrap() <= middle);
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(segments(dir.path()).len(), 1);
}

/// What the verifier calls tampering is not buried by going on after it.
#[test]
fn a_record_taken_out_is_damage_and_no_crash() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = writer(dir.path()).unwrap();
    for number in 0..5 {
        log.write_event(&routine(number)).unwrap();
    }
    let path = segments(dir.path()).remove(0);
    let text = fs::read_to_string(&path).unwrap();
    let name = path.file_name().unwrap();
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    let without = |taken: usize| -> String {
        let kept = lines.iter().enumerate().filter(|(index, _)| *index != taken);
        kept.map(|(_, line)| *line).collect()
    };
    // The first record, log_opened, and one in the middle.
    for taken in [0, 1, 4] {
        let copy = tempfile::tempdir().unwrap();
        fs::write(copy.path().join(name), without(taken)).unwrap();
        assert_eq!(verdict(copy.path()), Verdict::Tampered, "line {taken}");
        let opened = writer(copy.path());
        assert!(matches!(opened, Err(OpenError::Damaged { .. })), "line {taken}: {opened:?}");
    }
    let copy = tempfile::tempdir().unwrap();
    fs::write(copy.path().join(name), lines[0]).unwrap();
    assert_eq!(verdict(copy.path()), Verdict::Tampered);
    assert!(matches!(writer(copy.path()), Err(OpenError::Damaged { .. })), "log_opened is absent");
}

fn writer_that_goes_on(dir: &Path) -> Result<AuditFileWriter, OpenError> {
    let policy = OpenPolicy { on_damage: OnDamage::ContinueInNewSegment, ..OpenPolicy::default() };
    AuditFileWriter::open(dir, RotationPolicy::Daily, FlushMode::Immediate, policy)
}

/// The bytes of a segment that was not closed, and its name.
fn unclosed_segment() -> (String, Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let mut log = writer(dir.path()).unwrap();
    for number in 0..5 {
        log.write_event(&routine(number)).unwrap();
    }
    let path = segments(dir.path()).remove(0);
    (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap())
}

fn closed_segment() -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let mut log = writer(dir.path()).unwrap();
    log.write_event(&routine(0)).unwrap();
    log.close().unwrap();
    fs::read(segments(dir.path()).remove(0)).unwrap()
}

#[test]
fn who_is_told_to_go_on_after_damage_declares_it_and_the_log_stays_tampered() {
    let (name, whole) = unclosed_segment();
    let lines: Vec<_> = whole.split_inclusive(|&byte| byte == b'\n').collect();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let damages = [
        (Damage::LineNotARecord, flipped),
        (Damage::RecordNotLinked, [&lines[..4], &lines[5..]].concat().concat()),
        (Damage::ByteAfterRecord, [&whole[..whole.len() - 1], b"x"].concat()),
        (Damage::LineTooLong, [&whole[..], &vec![b'x'; (1 << 16) + 1]].concat()),
        (Damage::NulsWithinBlock, [&whole[..whole.len() - 100], &[0; 7], b"x"].concat()),
        (Damage::TailTooLong, [&whole[..], &vec![b'x'; (1 << 20) + 1]].concat()),
        (Damage::BytesAfterClose, [&closed_segment()[..], b"x"].concat()),
        (Damage::OpeningIncomplete, lines[0].to_vec()),
    ];
    for (damage, bytes) in damages {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(&name);
        fs::write(&path, &bytes).unwrap();
        let refused = writer(dir.path()).unwrap_err();
        let OpenError::Damaged { damage: found, offset, .. } = &refused else {
            panic!("{damage:?}: {refused}")
        };
        assert_eq!(*found, damage);

        let mut log = writer_that_goes_on(dir.path()).unwrap();
        log.write_event(&routine(9)).unwrap();
        log.close().unwrap();
        assert_eq!(fs::read(&path).unwrap(), bytes, "{damage:?}: what was found is evidence");
        let new = fs::read_to_string(segments(dir.path()).remove(1)).unwrap();
        // Where the file system tells a copy from its original.
        let types = new.lines().map(event_type).filter(|event_type| *event_type != "log_copied");
        let types: Vec<_> = types.collect();
        let opening = ["segment_opened", "log_opened", "damage_found"];
        assert_eq!(types[..3], opening, "{damage:?}");
        assert_eq!(types[3..], ["seal_verified", "log_closed"], "{damage:?}");
        let told = format!(
            r#"{{"event_type":"damage_found","file":"{name}","offset":{offset},"code":"{}"}}"#,
            damage.code()
        );
        assert!(new.contains(&told), "{damage:?}: {new}");
        assert_eq!(verdict(dir.path()), Verdict::Tampered, "{damage:?}");

        // The end of the log is whole again; its past is not.
        let mut log = writer(dir.path()).unwrap();
        log.write_event(&routine(10)).unwrap();
        log.close().unwrap();
        assert_eq!(verdict(dir.path()), Verdict::Tampered, "{damage:?}");
        let newest = fs::read_to_string(segments(dir.path()).remove(2)).unwrap();
        assert!(!newest.contains("damage_found"), "{damage:?}: it was declared already");
    }
}

#[test]
fn a_writer_goes_on_beside_an_older_segment_that_cannot_be_read() {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..2 {
        let mut log = writer(dir.path()).unwrap();
        log.write_event(&routine(number)).unwrap();
        log.close().unwrap();
    }
    let oldest = segments(dir.path()).remove(0);
    fs::remove_file(&oldest).unwrap();
    fs::create_dir(&oldest).unwrap();
    let mut log = writer(dir.path()).unwrap();
    log.write_event(&routine(2)).unwrap();
    log.close().unwrap();
    assert_eq!(segments(dir.path()).len(), 3);
    assert_eq!(verdict(dir.path()), Verdict::Tampered);
}

fn event_type(line: &str) -> &str {
    let (_, rest) = line.split_once(r#""event_type":""#).unwrap();
    rest.split_once('"').unwrap().0
}

#[test]
fn a_segment_without_a_beginning_leaves_nothing_to_go_on_after() {
    let (name, whole) = unclosed_segment();
    let dir = tempfile::tempdir().unwrap();
    for bytes in [&b""[..], &whole[1..]] {
        fs::write(dir.path().join(&name), bytes).unwrap();
        let error = writer_that_goes_on(dir.path()).unwrap_err();
        let is_said = matches!(error, OpenError::Damaged { damage: Damage::OpeningMissing, .. });
        assert!(is_said, "{error}");
    }
}

#[test]
fn a_file_system_that_is_not_known_as_local_is_refused_unless_it_is_allowed() {
    let proc = Path::new("/proc/self");
    let refused = writer(proc).unwrap_err();
    let OpenError::NotLocal { file_system } = &refused else { panic!("{refused}") };
    assert_eq!(file_system.to_string(), "a file system of the kind 0x9fa0");
    let policy = OpenPolicy { file_systems: FileSystems::Any, ..OpenPolicy::default() };
    let opened = AuditFileWriter::open(proc, RotationPolicy::Daily, FlushMode::Immediate, policy);
    assert!(!matches!(opened, Err(OpenError::NotLocal { .. })), "{opened:?}");
}

#[test]
fn an_interrupted_record_is_accounted_for_in_the_next_segment() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = writer(dir.path()).unwrap();
    for number in 0..5 {
        log.write_event(&routine(number)).unwrap();
    }
    let path = segments(dir.path()).remove(0);
    let whole = fs::read(&path).unwrap();
    // As after a kill: neither closed nor dropped, but the lock given up with the descriptor.
    let copy = tempfile::tempdir().unwrap();
    fs::write(copy.path().join(path.file_name().unwrap()), &whole[..whole.len() - 100]).unwrap();
    assert_eq!(verdict(copy.path()), Verdict::Torn);
    let mut log = writer(copy.path()).unwrap();
    let receipt = log.write_event(&routine(5)).unwrap();
    drop(log);
    assert_eq!(verdict(copy.path()), Verdict::Consistent);
    let newest = fs::read_to_string(segments(copy.path()).remove(1)).unwrap();
    // Where the file system tells a copy from its original.
    let told = u64::from(newest.lines().any(|line| event_type(line) == "log_copied"));
    assert_eq!(receipt.seq, 9 + told, "2 opening records, 4 whole events, 3 opening records");
}

/// A segment that ends with the announcement of another version of the format, and its name.
fn segment_before_another_version() -> (String, Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let mut log = writer(dir.path()).unwrap();
    let last = log.write_event(&routine(0)).unwrap();
    let path = segments(dir.path()).remove(0);
    let mut bytes = fs::read(&path).unwrap();
    let (seq, timestamp) = (last.seq.saturating_add(1), RecordTime::new(Utc::now()));
    let audit_id = format!("audit-{}-{seq:016}", service());
    let head = RecordHead { seq, audit_id: &audit_id, timestamp, service_id: service() };
    write_record(&mut bytes, &head, br#"{"event_type":"format_changed","to":2}"#, &last.hash);
    (path.file_name().unwrap().to_str().unwrap().to_owned(), bytes)
}

#[test]
fn a_log_that_goes_on_in_another_version_of_the_format_is_never_appended_to() {
    let (name, announced) = segment_before_another_version();
    let torn = [&announced[..], br#"{"v":1,"seq":4,"#].concat();
    let next = "00000000000000000004.2999-01-01.audit.jsonl".to_owned();
    let other = b"{\"v\":2,\"seq\":4,\"unlike\":\"version 1\"}\n".to_vec();
    for (newest, files) in [
        (&name, vec![(&name, &announced)]),
        (&name, vec![(&name, &torn)]),
        (&next, vec![(&name, &announced), (&next, &other)]),
    ] {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in &files {
            fs::write(dir.path().join(name), bytes).unwrap();
        }
        for opened in [writer(dir.path()), writer_that_goes_on(dir.path())] {
            let error = opened.unwrap_err();
            let said = format!(
                "{newest}: the log goes on in version 2 of the format, which is not known here"
            );
            assert_eq!(error.to_string(), said);
        }
        assert_eq!(segments(dir.path()).len(), files.len());
        assert!(
            files.iter().all(|(name, bytes)| fs::read(dir.path().join(name)).unwrap() == **bytes)
        );
    }
}

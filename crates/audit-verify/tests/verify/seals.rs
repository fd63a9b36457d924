//! Where a log that signs has seals, and where it has none.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use audit_core::Digest;
use audit_verify::{
    Code, Jobs, MemorySource, Report, Verdict, VerifyOptions, View, Viewer, verify_source,
};

use crate::accounts::Account;
use crate::builder::{Builder, Files, codes, lines_of, seal_from, verify};
use crate::sealing::{CLOSED, OPENED, UNSIGNED, sealed_log};
use crate::signed::{Change, codes_of, key, notices_of, strip, with_key};

const DISK_FULL: &str = r#"{"event_type":"disk_full","available_bytes":1}"#;
const LOST: &str = r#"{"event_type":"events_lost","count":1,"critical_count":0,"reason":"queue_full","first":"2026-01-02T00:00:00.000000000Z","last":"2026-01-02T00:00:01.000000000Z"}"#;
const DAMAGE: &str =
    r#"{"event_type":"damage_found","file":"x","offset":3,"code":"hash_mismatch"}"#;

/// What a sealed log is found to be that has something more at its end.
#[track_caller]
fn found(act: impl FnOnce(&mut Builder)) -> Vec<(&'static str, u64)> {
    let mut log = Builder::sealed();
    log.write(2);
    act(&mut log);
    places(&log.files)
}

/// Codes and lines of what is found.
#[track_caller]
fn places(files: &Files) -> Vec<(&'static str, u64)> {
    let report = verify(files);
    let expected = if report.findings.is_empty() { Verdict::Consistent } else { Verdict::Tampered };
    assert_eq!(report.verdict, expected, "{report}");
    same_by_threads(files, &report);
    report.findings.iter().map(|it| (it.code.as_str(), it.line.unwrap_or_default())).collect()
}

/// Other threads find the same.
#[track_caller]
fn same_by_threads(files: &Files, report: &Report) {
    let jobs = Jobs::new(NonZeroUsize::new(2).unwrap());
    for bytes in [300, 700, 3_000] {
        let jobs = jobs.in_pieces_of(NonZeroUsize::new(bytes).unwrap());
        let options = VerifyOptions { jobs, ..VerifyOptions::default() };
        let source = MemorySource::new(files.clone());
        let other = verify_source(&source, &options, &mut |_| ()).unwrap();
        let json = |report: &Report| serde_json::to_string_pretty(report).unwrap();
        assert_eq!(json(&other), json(report), "{bytes}");
    }
}

#[test]
fn a_log_that_is_sealed_as_its_writers_do_is_whole() {
    let log = sealed_log();
    assert_eq!(places(&log.files), []);
    let report = with_key(&log.files, &key(1));
    assert_eq!((report.verdict, report.notices_total), (Verdict::Signed, 0), "{report}");
    assert_eq!((report.unsealed_records, report.adopted_ranges), (0, 0));
    let json = serde_json::to_string(&report).unwrap();
    assert!(!json.contains("unsealed_records") && !json.contains("adopted"), "{json}");
}

#[test]
fn the_last_opening_record_is_sealed_and_of_the_others_any() {
    let mut log = Builder::empty();
    log.seal_with(1);
    log.open_segment();
    log.record(OPENED);
    assert_eq!(places(&log.files), [("seal_missing", 2)]);
    log.record_sealed(&log.event_text());
    assert_eq!(places(&log.files), [("seal_missing", 2)]);
    // It is still expected where the opening goes on.
    let missing = found(|log| {
        log.open_segment();
        log.record(OPENED);
        log.record(DAMAGE);
        log.record_sealed(&log.event_text());
    });
    assert_eq!(missing, [("damage_found", 3), ("seal_missing", 3)]);
    let out_of_order = found(|log| {
        log.open_segment();
        log.record(OPENED);
        log.record(&crate::signed::checkpoint_signed(
            &key(1),
            0,
            audit_core::Frontier::new().root(),
        ));
        log.record_sealed(DAMAGE);
    });
    let of_order = [("seal_missing", 3), ("damage_found", 4), ("checkpoint_missing", 0)];
    assert_eq!(out_of_order, of_order);
}

#[test]
fn each_of_the_writers_own_records_is_sealed_but_for_lost_events() {
    let missing = found(|log| {
        log.record(DISK_FULL);
        log.record_sealed(&log.event_text());
    });
    assert_eq!(missing, [("seal_missing", 5)]);
    let lost = found(|log| {
        log.record(LOST);
        log.record_sealed(&log.event_text());
    });
    assert_eq!(lost, []);
    assert_eq!(found(|log| log.record_sealed(DISK_FULL)), []);
}

#[test]
fn a_change_of_the_key_is_sealed_also_where_it_ends_the_opening() {
    for is_sealed in [true, false] {
        let mut log = Builder::sealed();
        log.write(2);
        let (seq, before) = (log.seq + 1, log.clone());
        log.seal_with(2);
        log.sealing.as_mut().unwrap().since = Some(seq);
        log.open_segment();
        let event = Change::at(seq).event();
        if is_sealed {
            log.record_sealed(&event);
        } else {
            log.record(&event);
        }
        log.record_sealed(&log.event_text());
        assert!(before.seq + 3 == log.seq);
        let expected: &[_] = if is_sealed { &[] } else { &[("seal_missing", 2)] };
        assert_eq!(places(&log.files), expected);
    }
}

#[test]
fn the_last_record_before_the_next_segment_is_sealed() {
    let missing = found(|log| {
        log.events(2);
        log.rotate_sealed();
    });
    assert_eq!(missing, [("seal_missing", 6)]);
}

#[test]
fn a_segment_without_a_key_has_no_seals() {
    let mut log = Builder::new();
    log.seal_with(1);
    log.event();
    log.record_sealed(&log.event_text());
    log.record_sealed(DISK_FULL);
    assert_eq!(places(&log.files), [("seal_misplaced", 4), ("seal_misplaced", 5)]);
}

#[test]
fn a_seal_of_another_form_is_no_seal() {
    let mut log = sealed_log();
    let first = log.files.values_mut().find(|bytes| bytes.starts_with(b"{")).unwrap();
    let mut lines = lines_of(first);
    let at = lines[1].len() - 78;
    lines[1][at] = b'B';
    seal_from(&mut lines, 1);
    *first = lines.concat();
    strip(&mut log.files);
    let codes = codes(&log.files, Verdict::Tampered);
    assert_eq!(codes[0], "seal_malformed");
}

fn copied() -> String {
    let place = r#"{"dir":{"inode":1,"born":"2026-01-02T00:00:00.000000000Z"},"file":{"inode":2,"born":"2026-01-02T00:00:00.000000000Z"}}"#;
    format!(r#"{{"event_type":"log_copied","from":{place},"to":{place}}}"#)
}

#[test]
fn what_belongs_to_the_opening_is_nowhere_else() {
    let copied = copied();
    let adopted = r#"{"event_type":"records_adopted","first_seq":0,"last_seq":1,"begins":0,"why":"no_key_before"}"#;
    assert_eq!(found(|log| log.record_sealed(&copied)), [("opening_misplaced", 5)]);
    let misplaced = found(|log| log.record_sealed(adopted));
    assert_eq!(misplaced[0], ("opening_misplaced", 5));
    let mut log = Builder::new();
    log.event();
    log.record(&copied);
    assert_eq!(places(&log.files), [("opening_misplaced", 4)]);
    let mut log = Builder::new();
    log.record(&copied);
    assert_eq!(places(&log.files), []);
    // Behind a seal, the opening is over.
    let late = found(|log| {
        log.open_segment();
        log.record_sealed(OPENED);
        log.record_sealed(&copied);
    });
    assert_eq!(late, [("opening_misplaced", 3)]);
}

#[test]
fn records_at_the_end_that_are_not_sealed_yet_are_counted_and_do_not_count() {
    let mut log = Builder::sealed();
    log.write(3);
    log.sign(&key(1));
    let head = log.head();
    for (number, event) in [log.event_text(), LOST.to_owned(), log.event_text()].iter().enumerate()
    {
        log.record(event);
        assert_eq!(places(&log.files), []);
        let report = with_key(&log.files, &key(1));
        assert_eq!(report.verdict, Verdict::Consistent, "{report}");
        assert_eq!(report.unsealed_records, number as u64 + 1, "{report}");
        assert_eq!(report.head, Some(head));
        assert_eq!(notices_of(&report), ["unsealed_end"]);
        assert!(report.to_string().contains("not sealed yet"), "{report}");
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["unsealed_records"], number as u64 + 1);
    }
    log.append(br#"{"v":1,"seq"#);
    let report = verify(&log.files);
    assert_eq!(report.verdict, Verdict::Torn, "{report}");
    assert_eq!(report.unsealed_records, 3, "{report}");
}

#[test]
fn a_record_of_the_writers_own_is_in_no_unsealed_end() {
    for own in [DISK_FULL, CLOSED] {
        let missing = found(|log| {
            log.event();
            log.record(own);
        });
        assert_eq!(missing, [("seal_missing", 6)]);
    }
    let mut log = Builder::sealed();
    log.write(1);
    log.rotate_sealed();
    log.write(1);
    let pruned = crate::accounts::Pruned::all_of(&log);
    let first = pruned.files[0].clone();
    log.rotate_sealed();
    log.write(1);
    log.record(&pruned.event());
    log.files.remove(&first);
    assert_eq!(places(&log.files), [("seal_missing", 3)]);
}

#[test]
fn an_end_that_no_writer_leaves_unsealed_is_tampering() {
    assert_eq!(found(|log| log.events(14)), [("unsealed_too_long", 5)]);
    let behind_close = found(|log| {
        log.close_sealed();
        log.event();
    });
    assert_eq!(behind_close, [("record_after_close", 6)]);
    let not_torn = found(|log| {
        log.events(2);
        log.append(b"x\n");
    });
    assert_eq!(not_torn, [("line_not_a_record", 7)]);
    // What is whole, sealed and synced cannot be called an unsealed end by a change before it.
    let mut log = Builder::sealed();
    log.write(2);
    let at = log.length() - 300;
    log.write(2);
    log.files.get_mut(&log.file).unwrap()[at] ^= 1;
    assert_eq!(verify(&log.files).verdict, Verdict::Tampered);
}

/// A sealed log with a tail behind its seal, and the truth about it.
fn with_tail(tail: impl FnOnce(&mut Builder)) -> (Builder, Account) {
    let mut log = Builder::sealed();
    log.write(2);
    let (offset, before) = (log.length(), log.clone());
    tail(&mut log);
    let valid_records = log.seq - before.seq;
    let account = Account { kind: "unsealed", valid_records, ..Account::of(&log, offset) };
    (Builder { files: log.files, ..before }, account)
}

/// Goes on after it with an account.
fn resumed(mut log: Builder, account: &Account) -> Builder {
    log.open_with(&[account.event(), OPENED.to_owned()]);
    log.write(2);
    log
}

#[test]
fn an_unsealed_tail_that_is_accounted_for_is_a_notice() {
    let (log, account) = with_tail(|log| {
        log.events(2);
        log.record(LOST);
    });
    let log = resumed(log, &account);
    assert_eq!(places(&log.files), []);
    let report = verify(&log.files);
    assert_eq!(notices_of(&report), ["tail_recovered", "unclean_stop"]);
    assert!(report.notices[0].message.contains("with 3 records"), "{report}");
    // A writer without the key does the same.
    let (mut log, account) = with_tail(|log| log.events(2));
    log.seal_no_more();
    log.open_segment();
    log.record(&account.event());
    log.record(UNSIGNED);
    log.event();
    assert_eq!(places(&log.files), []);
    assert_eq!(notices_of(&verify(&log.files))[2], "unsigned_opening");
    // What lost blocks left is behind it.
    let (log, account) = with_tail(|log| {
        log.event();
        let zeros = (log.length() + 1).next_multiple_of(512) - log.length();
        log.append(&vec![0; zeros]);
    });
    assert_eq!(places(&resumed(log, &account).files), []);
}

#[test]
fn an_unsealed_tail_begins_behind_the_last_seal() {
    // Later: the record before it is not sealed.
    let (mut log, account) = with_tail(|log| log.events(2));
    let later = account.offset + lines_of(&log.files[&log.file][account.offset..])[0].len();
    let line = lines_of(&log.files[&log.file][account.offset..])[0].clone();
    let account = Account { kind: "unsealed", valid_records: 1, ..Account::of(&log, later) };
    log.prev_hash = crate::builder::hash_of(&line).unwrap();
    log.seq += 1;
    log.frontier.push(log.prev_hash);
    let file = log.file.clone();
    let log = resumed(log, &account);
    assert_eq!(places(&log.files), [("seal_missing", 5)]);
    assert!(log.files.contains_key(&file));
    // Earlier: it drops a record that is sealed.
    let mut log = Builder::sealed();
    let (before, offset) = (log.clone(), log.length());
    log.write(2);
    let valid_records = 2;
    let account = Account { kind: "unsealed", valid_records, ..Account::of(&log, offset) };
    let log = Builder { files: log.files, ..before };
    assert_eq!(places(&resumed(log, &account).files), [("recovery_of_sealed", 3)]);
}

#[test]
fn an_unsealed_tail_is_no_longer_than_a_writer_leaves_it_and_looks_like_a_crash() {
    let tails: [fn(&mut Builder); 4] = [
        |log| log.events(14),
        |log| log.record(DISK_FULL),
        |log| log.append(b"x\n"),
        |log| {
            log.event();
            log.append(b"abc\0\0");
        },
    ];
    for tail in tails {
        let (log, account) = with_tail(tail);
        assert_eq!(places(&resumed(log, &account).files), [("recovery_not_a_crash", 5)]);
    }
    let mut log = Builder::new();
    log.event();
    let (before, offset) = (log.clone(), log.length());
    log.event();
    let account = Account { kind: "unsealed", valid_records: 1, ..Account::of(&log, offset) };
    let mut log = Builder { files: log.files, ..before };
    log.open_segment();
    log.record(&account.event());
    log.log_opened();
    assert_eq!(places(&log.files), [("recovery_not_a_crash", 4)]);
}

#[test]
fn a_tail_is_called_unsealed_only_where_segments_have_seals() {
    let mut log = Builder::new();
    log.event();
    let offset = log.length();
    log.append(br#"{"v":1"#);
    for (kind, expected) in [("torn", &[][..]), ("unsealed", &[("recovery_not_a_crash", 4)])] {
        let mut log = log.clone();
        let account = Account { kind, ..Account::of(&log, offset) };
        log.open_segment();
        log.record(&account.event());
        log.log_opened();
        assert_eq!(places(&log.files), expected, "{kind}");
    }
}

#[test]
fn other_kinds_of_tails_are_behind_the_last_seal_too() {
    let (log, account) = with_tail(|log| log.append(br#"{"v":1"#));
    for kind in ["unsealed", "torn", "zeros", "superseded", "unreadable"] {
        let account = Account { kind, ..account.clone() };
        assert_eq!(places(&resumed(log.clone(), &account).files), [], "{kind}");
    }
    let (log, account) = with_tail(Builder::event);
    let account = Account { kind: "torn", ..account };
    assert_eq!(places(&resumed(log, &account).files), [("recovery_not_a_crash", 5)]);
}

#[test]
fn behind_a_wrong_seal_nothing_counts_and_the_log_is_tampered_with() {
    for (code, expected) in [
        ("seal_wrong", &[("damage_found", 3)][..]),
        ("seal_missing", &[("damage_found", 3)]),
        ("line_not_a_record", &[("seal_missing", 6), ("record_out_of_order", 1)]),
    ] {
        let mut log = Builder::sealed();
        log.write(2);
        let (before, offset) = (log.clone(), log.length());
        log.events(2);
        let mut log = Builder { files: log.files, ..before };
        let (file, offset) = (log.file.clone(), offset);
        let damage = format!(
            r#"{{"event_type":"damage_found","file":"{file}","offset":{offset},"code":"{code}"}}"#
        );
        log.open_with(&[OPENED.to_owned(), damage]);
        log.write(1);
        let found = places(&log.files);
        assert_eq!(&found[..expected.len()], expected, "{code}");
        if code.starts_with("seal") {
            assert_eq!(found.len(), 1, "{found:?}");
        }
    }
}

#[test]
fn an_acknowledged_gap_says_what_the_operator_said() {
    let zeros = Digest::ZERO;
    let missing = format!(
        r#"{{"event_type":"segment_missing","file":"{}","first_seq":0,"last_seq":3,"last_hash":"{zeros}","reason":"acknowledged","text":"a disk was lost"}}"#,
        crate::builder::segment_name(0)
    );
    let mut log = Builder::sealed();
    log.record_sealed(&missing);
    let report = verify(&log.files);
    assert_eq!(report.verdict, Verdict::Truncated, "{report}");
    assert_eq!(report.findings[0].code, Code::SegmentMissing);
    let found = report.findings[0].found.as_deref();
    assert_eq!(found, Some("acknowledged: a disk was lost"), "{report}");
}

#[test]
fn the_clock_and_a_copy_are_notices() {
    let stepped = r#"{"event_type":"clock_stepped","from":"2026-01-02T00:00:00.000000000Z","to":"2027-01-02T00:00:00.000000000Z"}"#;
    let mut log = Builder::sealed();
    log.record_sealed(stepped);
    let report = verify(&log.files);
    assert_eq!(notices_of(&report), ["clock_stepped"]);
    assert_eq!(codes_of(&report), [""; 0]);
    let mut log = Builder::new();
    log.record(&copied());
    assert_eq!(notices_of(&verify(&log.files)), ["log_copied"]);
}

/// How many records a view shows, and what it skips or finds, of a log that is read to its end.
fn viewed(files: &Files) -> (u64, Vec<&'static str>) {
    let (mut records, mut said) = (0, Vec::new());
    let mut viewer = Viewer::new(MemorySource::new(files.clone()));
    let mut visit = |view: View<'_>| {
        match view {
            View::Record(_) => records += 1,
            View::Faulty { findings, .. } => {
                said.extend(findings.iter().map(|it| it.code.as_str()));
            }
            View::Skipped(notice) => said.push(notice.code.as_str()),
            _ => said.push("another view"),
        }
        ControlFlow::Continue(())
    };
    assert!(viewer.read(&mut visit).unwrap().is_continue());
    viewer.finish(&mut visit);
    (records, said)
}

#[test]
fn a_view_shows_no_record_that_is_not_sealed_yet() {
    let whole = sealed_log();
    assert_eq!(viewed(&whole.files), (whole.seq, vec![]));
    let (log, account) = with_tail(|log| log.events(2));
    assert_eq!(viewed(&log.files), (4, vec!["unsealed_end"]));
    let resumed = resumed(log, &account);
    assert_eq!(viewed(&resumed.files), (resumed.seq, vec!["tail_recovered"]));
    let (log, _) = with_tail(|log| {
        log.event();
        log.append(br#"{"v":1"#);
    });
    assert_eq!(viewed(&log.files), (4, vec!["torn_tail"]));
    // What no writer leaves there is shown.
    let (log, _) = with_tail(|log| log.events(14));
    let (records, _) = viewed(&log.files);
    assert_eq!(records, 18);
}

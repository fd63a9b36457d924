//! How much of the end of a log that is signed has no signature.

use audit_verify::{Jobs, Report, UnsignedLimit, Verdict, VerifyOptions};

use crate::builder::{Builder, Files};
use crate::signed::{
    codes_of, key, note_path, pin, public, signed_log, strip, verify_by, with_key,
};

/// When the record of seq 0 was recorded.
const FIRST_SECS: u64 = 1_767_312_000;

/// Twenty signed records, and five more of the seconds 20 to 24.
fn log() -> Builder {
    let mut log = signed_log(&key(1));
    log.open_segment();
    log.log_opened();
    log.events(3);
    log
}

fn limited(files: &Files, limit: UnsignedLimit, now_secs: Option<u64>) -> Report {
    let options = VerifyOptions {
        keys: vec![public(&key(1))],
        max_unsigned: Some(limit),
        now_secs,
        ..VerifyOptions::default()
    };
    let report = verify_by(files, &options);
    let threads = Jobs::new(2.try_into().unwrap()).in_pieces_of(700.try_into().unwrap());
    let again = verify_by(files, &VerifyOptions { jobs: threads, ..options });
    assert_eq!(report.to_string(), again.to_string());
    report
}

#[test]
fn the_first_lines_say_how_many_records_at_the_end_are_not_signed() {
    for (files, records) in
        [(signed_log(&key(1)).files, 0), (log().files, 5), (Builder::new().files, 2)]
    {
        let report = with_key(&files, &key(1));
        assert_eq!(report.unsigned_records, Some(records), "{report}");
        let text = report.to_string();
        let third = text.lines().nth(2).unwrap();
        let due = format!("  unsigned  {records} records at the end");
        assert!(third.starts_with(&due), "{text}");
    }
    assert_eq!(verify_by(&log().files, &VerifyOptions::default()).unsigned_records, None);
}

#[test]
fn a_checkpoint_that_does_not_hold_or_is_by_another_key_signs_nothing() {
    let mut log = log();
    log.files.insert(note_path(25), log.note(&key(2)));
    assert_eq!(with_key(&log.files, &key(1)).unsigned_records, Some(5));
    // One that was kept elsewhere does, if the key signed it.
    let options = VerifyOptions {
        keys: vec![public(&key(1))],
        pins: vec![pin(&log.note(&key(1)))],
        ..VerifyOptions::default()
    };
    assert_eq!(verify_by(&log.files, &options).unsigned_records, Some(0));
}

#[test]
fn more_records_than_are_allowed_leave_it_unverifiable() {
    for (most, verdict) in [(5, Verdict::Consistent), (4, Verdict::Unverifiable)] {
        let report = limited(&log().files, UnsignedLimit::Records(most), None);
        assert_eq!(report.verdict, verdict, "{report}");
    }
    let report = limited(&log().files, UnsignedLimit::Records(4), None);
    assert_eq!(codes_of(&report), ["unsigned_end"], "{report}");
    assert_eq!(report.findings[0].seq, Some(20), "{report}");
    assert_eq!(report.findings[0].found.as_deref(), Some("5 records"));
    let all_signed = limited(&signed_log(&key(1)).files, UnsignedLimit::Records(0), None);
    assert_eq!(all_signed.verdict, Verdict::Signed, "{all_signed}");
}

#[test]
fn older_records_than_are_allowed_leave_it_unverifiable() {
    let first_unsigned = FIRST_SECS + 20;
    for (now, verdict) in [
        (first_unsigned + 60, Verdict::Consistent),
        (first_unsigned + 61, Verdict::Unverifiable),
        (first_unsigned - 60, Verdict::Consistent),
        (first_unsigned - 61, Verdict::Unverifiable),
    ] {
        let report = limited(&log().files, UnsignedLimit::Secs(60), Some(now));
        assert_eq!(report.verdict, verdict, "{now}\n{report}");
    }
    let report = limited(&log().files, UnsignedLimit::Secs(60), Some(FIRST_SECS + 1_000));
    assert_eq!(codes_of(&report), ["unsigned_end"], "{report}");
    let found = report.findings[0].found.as_deref();
    assert_eq!(found, Some("5 records, the first of 2026-01-02T00:00:20Z"), "{report}");
    // Of what is signed to its end, no age is asked.
    let report = limited(&signed_log(&key(1)).files, UnsignedLimit::Secs(0), Some(u64::MAX));
    assert_eq!(report.verdict, Verdict::Signed, "{report}");
}

#[test]
fn without_a_checkpoint_the_first_record_is_the_first_that_is_not_signed() {
    let mut files = log().files;
    strip(&mut files);
    for (now, codes) in [
        (FIRST_SECS + 60, vec!["no_checkpoint_by_key"]),
        (FIRST_SECS + 61, vec!["no_checkpoint_by_key", "unsigned_end"]),
    ] {
        let report = limited(&files, UnsignedLimit::Secs(60), Some(now));
        assert_eq!(codes_of(&report), codes, "{report}");
    }
}

/// What cannot be told is not allowed.
#[test]
fn without_a_time_or_a_key_what_is_not_signed_is_too_old() {
    let report = limited(&log().files, UnsignedLimit::Secs(u64::MAX), None);
    assert_eq!(codes_of(&report), ["unsigned_end"], "{report}");
    let options = VerifyOptions {
        max_unsigned: Some(UnsignedLimit::Records(24)),
        ..VerifyOptions::default()
    };
    assert_eq!(codes_of(&verify_by(&log().files, &options)), ["unsigned_end"]);
    let mut damaged = log();
    let (file, starts) =
        (damaged.file.clone(), crate::builder::line_starts(&damaged.files[&damaged.file]));
    damaged.files.get_mut(&file).unwrap()[starts[0] + 300] ^= 1;
    let report = limited(&damaged.files, UnsignedLimit::Secs(60), Some(FIRST_SECS + 20));
    assert!(codes_of(&report).contains(&"unsigned_end"), "{report}");
}

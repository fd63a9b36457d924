//! Checkpoints that were kept elsewhere.

use audit_checkpoint::Note;
use audit_core::Digest;
use audit_verify::{Verdict, VerifyOptions};

use crate::builder::twenty_records;
use crate::signed::{
    codes_of, key, note, note_path, notices_of, pin, public, signed_log, verify_by, with_key,
    with_pins,
};

#[test]
fn a_pin_of_the_end_makes_it_intact_and_an_older_one_says_up_to_where() {
    let log = signed_log(&key(1));
    let pins: Vec<_> = [7, 14, 20].map(|size| pin(&log.files[&note_path(size)])).into();
    for (pins, covered, verdict) in [
        (&pins[..1], 6, Verdict::Consistent),
        (&pins[..2], 13, Verdict::Consistent),
        (&pins[..], 19, Verdict::Intact),
    ] {
        let report = with_pins(&log.files, pins);
        assert_eq!((report.verdict, report.covered_up_to), (verdict, Some(covered)), "{report}");
        assert!(report.coverage.contains(&format!("seq {covered}")), "{report}");
        assert!(report.coverage.contains("by a given checkpoint"), "{report}");
        // It takes no key to believe what one has kept oneself.
        assert_eq!(report.signed_up_to, None);
    }
}

#[test]
fn with_a_key_a_pin_counts_only_if_the_key_signed_it() {
    let log = signed_log(&key(1));
    let options = |pin: Note| VerifyOptions {
        keys: vec![public(&key(1))],
        pins: vec![pin],
        ..VerifyOptions::default()
    };
    let report = verify_by(&log.files, &options(pin(&log.files[&note_path(20)])));
    assert_eq!(report.verdict, Verdict::Intact, "{report}");
    let mut forged = log.files[&note_path(20)].clone();
    let at = forged.len() - 20;
    forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
    for bytes in [log.note(&key(2)), forged] {
        let report = verify_by(&log.files, &options(pin(&bytes)));
        assert_eq!(report.verdict, Verdict::Unverifiable, "{report}");
        assert_eq!(codes_of(&report), ["pin_not_verified"], "{report}");
        assert_eq!(report.covered_up_to, None);
    }
}

#[test]
fn a_pin_of_other_records_or_beyond_the_end_is_found() {
    let log = signed_log(&key(1));
    let other = pin(&note(&key(1), 9, Digest::of(b"another")));
    let beyond = pin(&note(&key(1), 21, Digest::of(b"any")));
    let report = with_pins(&log.files, &[other]);
    assert_eq!((report.verdict, codes_of(&report)), (Verdict::Tampered, vec!["pin_mismatch"]));
    assert_eq!(report.findings[0].seq, Some(8));
    let report = with_pins(&log.files, &[beyond]);
    assert_eq!((report.verdict, codes_of(&report)), (Verdict::Truncated, vec!["pin_beyond_end"]));
}

#[test]
fn a_pin_of_a_deleted_prefix_says_nothing() {
    let mut log = crate::builder::Builder::new();
    log.event();
    let early = pin(&log.note(&key(1)));
    log.events(2);
    let pruned = crate::accounts::Pruned::all_of(&log);
    log.open_segment();
    log.record(&pruned.event());
    log.sign(&key(1));
    log.files.remove(&pruned.files[0]);
    let report = with_pins(&log.files, &[early]);
    assert_eq!(report.verdict, Verdict::Consistent, "{report}");
    assert!(notices_of(&report).contains(&"pin_in_pruned"), "{report}");
}

#[test]
fn what_is_no_checkpoint_is_no_pin() {
    let log = signed_log(&key(1));
    let mut text = Note::new("audit.example/teller-1\nnot a size\n").unwrap();
    text.sign(&key(1)).unwrap();
    let report = with_pins(&log.files, &[text]);
    assert_eq!(report.verdict, Verdict::Unverifiable, "{report}");
    assert_eq!(codes_of(&report), ["pin_not_verified"], "{report}");
}

#[test]
fn a_pin_shows_that_there_was_a_checkpoint_beside_the_log() {
    let log = twenty_records();
    let report = with_pins(&log.files, &[pin(&log.note(&key(1)))]);
    assert_eq!(report.verdict, Verdict::Truncated, "{report}");
    assert_eq!(codes_of(&report), ["checkpoint_missing"], "{report}");
}

#[test]
fn the_records_since_a_checkpoint_are_counted() {
    let log = signed_log(&key(1));
    let since = |size| VerifyOptions {
        since: Some(pin(&log.files[&note_path(size)])),
        ..VerifyOptions::default()
    };
    for (size, records, verdict) in [(14, 6, Verdict::Consistent), (20, 0, Verdict::Intact)] {
        let report = verify_by(&log.files, &since(size));
        assert_eq!((report.verdict, report.records_since), (verdict, Some(records)), "{report}");
    }
    assert_eq!(with_key(&log.files, &key(1)).records_since, None);
    let mut files = signed_log(&key(1)).files;
    files.remove(&note_path(20));
    let other = VerifyOptions {
        since: Some(pin(&note(&key(1), 14, Digest::of(b"another")))),
        ..VerifyOptions::default()
    };
    let report = verify_by(&files, &other);
    assert_eq!((report.verdict, report.records_since), (Verdict::Tampered, None), "{report}");
}

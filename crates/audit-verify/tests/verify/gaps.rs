//! What cannot be read accounts for nothing, and nothing behind it is covered.

use audit_verify::{MemorySource, Verdict, VerifyOptions, verify_source};

use crate::builder::{lines_of, segment_name};
use crate::checkpoints::verify_unreadable;
use crate::signed::{codes_of, key, pin, public, signed_log};

#[test]
fn nothing_behind_a_segment_that_cannot_be_read_is_covered() {
    let log = signed_log(&key(1));
    let names: Vec<_> = log.files.keys().filter(|name| name.ends_with("jsonl")).collect();
    let options = VerifyOptions {
        keys: vec![public(&key(1))],
        heads: vec![log.head()],
        pins: vec![pin(&log.note(&key(1)))],
        ..VerifyOptions::default()
    };
    for (name, signed) in names.iter().zip([None, Some(6), Some(13)]) {
        let report = verify_unreadable(&log.files, name, &options);
        // What is behind the last record that can be read is absent.
        let is_newest = **name == log.file;
        let due = if is_newest { Verdict::Truncated } else { Verdict::Unverifiable };
        assert_eq!(report.verdict, due, "{name}\n{report}");
        assert_eq!(report.signed_up_to, signed, "{name}\n{report}");
        assert_eq!(report.covered_up_to, None, "{name}\n{report}");
        let codes = codes_of(&report);
        assert!(codes.contains(&"segment_unreadable"), "{name}\n{report}");
    }
}

#[test]
fn a_checkpoint_of_other_records_is_found_behind_a_gap_too() {
    let mut log = signed_log(&key(1));
    let mut other = crate::builder::twenty_records();
    other.record(r#"{"event_type":"x"}"#);
    other.sign(&key(1));
    log.record(r#"{"event_type":"log_closed"}"#);
    let second = log.files.keys().nth(1).unwrap().clone();
    log.files.extend(other.files.into_iter().filter(|(name, _)| name.starts_with("checkpoints/")));
    let options = VerifyOptions { keys: vec![public(&key(1))], ..VerifyOptions::default() };
    let report = verify_unreadable(&log.files, &second, &options);
    assert!(codes_of(&report).contains(&"checkpoint_mismatch"), "{report}");
}

#[test]
fn nothing_behind_a_segment_that_holds_nothing_is_covered() {
    let log = signed_log(&key(1));
    let options = VerifyOptions { heads: vec![log.head()], ..VerifyOptions::default() };
    let verify = |files| verify_source(&MemorySource::new(files), &options, &mut |_| ()).unwrap();
    let before = verify(log.files.clone());
    assert_eq!(before.covered_up_to, Some(log.seq - 1), "{before}");
    let mut files = log.files.clone();
    files.insert("00000000000000000007.2026-01-01.audit.jsonl".to_owned(), Vec::new());
    let report = verify(files);
    assert_eq!((report.verdict, report.covered_up_to), (Verdict::Tampered, None), "{report}");
    assert!(codes_of(&report).contains(&"segment_empty"), "{report}");
}

#[test]
fn a_head_covers_nothing_before_a_damaged_record() {
    let log = signed_log(&key(1));
    let first = log.files.keys().next().unwrap().clone();
    let options = VerifyOptions { heads: vec![log.head()], ..VerifyOptions::default() };
    let lines = lines_of(&log.files[&first]);
    // Whatever is damaged: what is before it may be of any other past, as far as a head can tell.
    for damaged in 1..lines.len() {
        let mut lines = lines.clone();
        let at = memchr::memmem::find(&lines[damaged], b"\"timestamp\":\"2").unwrap() + 13;
        lines[damaged][at] = b'3';
        let mut files = log.files.clone();
        files.insert(first.clone(), lines.concat());
        let report = verify_source(&MemorySource::new(files), &options, &mut |_| ()).unwrap();
        let codes = codes_of(&report);
        assert!(codes.contains(&"hash_mismatch"), "{damaged}\n{report}");
        assert!(!codes.contains(&"head_mismatch"), "{damaged}\n{report}");
        assert_eq!(report.covered_up_to, None, "{damaged}\n{report}");
    }
}

#[test]
fn a_file_that_nobody_can_read_is_no_place_for_records_that_are_gone() {
    let log = crate::builder::twenty_records();
    let names: Vec<_> = log.files.keys().cloned().collect();
    // The first segment is gone; or the last record of it.
    let mut headless = log.files.clone();
    headless.remove(&names[0]);
    let mut cut = log.files.clone();
    let lines = lines_of(&cut[&names[0]]);
    cut.insert(names[0].clone(), lines[..lines.len() - 1].concat());
    for (files, code) in [(headless, "head_missing"), (cut, "records_missing")] {
        let before = crate::builder::verify(&files);
        assert_eq!(before.verdict, Verdict::Tampered, "{before}");
        for seq in [1, 6, 30] {
            let mut files = files.clone();
            let name = segment_name(seq);
            files.insert(name.clone(), Vec::new());
            let report = verify_unreadable(&files, &name, &VerifyOptions::default());
            assert_eq!(report.verdict, Verdict::Tampered, "{name}\n{report}");
            assert!(codes_of(&report).contains(&code), "{name}\n{report}");
        }
    }
}

#[test]
fn nothing_is_covered_from_a_record_on_that_stands_out_of_order() {
    let log = signed_log(&key(1));
    let options = VerifyOptions { keys: vec![public(&key(1))], ..VerifyOptions::default() };
    // The newest segment stands first, too, and seems to be where the log begins.
    let mut files = log.files.clone();
    let newest = files[&log.file].clone();
    files.insert("00000000000000000000.2026-01-01.audit.jsonl".to_owned(), newest);
    let report = verify_source(&MemorySource::new(files), &options, &mut |_| ()).unwrap();
    assert_eq!((report.verdict, report.signed_up_to), (Verdict::Tampered, None), "{report}");
}

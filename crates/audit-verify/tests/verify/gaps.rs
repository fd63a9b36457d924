//! What cannot be read accounts for nothing, and nothing behind it is covered.

use audit_verify::{Verdict, VerifyOptions};

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

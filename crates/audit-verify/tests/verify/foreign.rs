//! Records of a version that is not known: chain, tree and heads go on through them.

use audit_core::{Digest, Receipt};
use audit_verify::{Report, Verdict, VerifyOptions};

use crate::accounts::Account;
use crate::builder::{Builder, Files, lines_of, segment_name, verify};
use crate::signed::{codes_of, key, public, verify_by};

/// A log that goes on in another version, in two segments.
fn log() -> Builder {
    let mut log = Builder::new();
    log.events(2);
    log.change_format(2);
    (0..3).for_each(|_| log.foreign(2));
    log.file = segment_name(log.seq);
    log.files.insert(log.file.clone(), Vec::new());
    (0..2).for_each(|_| log.foreign(2));
    log
}

fn with_head(files: &Files, head: Receipt) -> Report {
    verify_by(files, &VerifyOptions { heads: vec![head], ..VerifyOptions::default() })
}

#[test]
fn heads_checkpoints_and_the_root_go_on_through_them() {
    let mut log = log();
    log.sign(&key(1));
    let heads = vec![log.head()];
    let keys = vec![public(&key(1))];
    let report = verify_by(&log.files, &VerifyOptions { keys, heads, ..VerifyOptions::default() });
    assert_eq!(codes_of(&report), ["version_unknown"], "{report}");
    assert_eq!(report.verdict, Verdict::Unverifiable);
    assert_eq!((report.head, report.root), (Some(log.head()), Some(log.frontier.root())));
    assert_eq!((report.signed_up_to, report.covered_up_to), (Some(9), Some(9)));
    assert_eq!(report.records, 10);
    let other = Receipt { seq: 6, hash: Digest::of(b"another") };
    assert_eq!(codes_of(&with_head(&log.files, other)), ["head_mismatch", "version_unknown"]);
}

#[test]
fn what_is_taken_out_of_them_moved_or_renamed_is_found() {
    let changed = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut log = log();
        let bytes = log.files.values_mut().nth(1).unwrap();
        let mut lines = lines_of(bytes);
        change(&mut lines);
        *bytes = lines.concat();
        codes_of(&verify(&log.files))
    };
    let found = changed(&|lines| drop(lines.remove(1)));
    assert_eq!(found, ["records_missing", "version_unknown"]);
    let found = changed(&|lines| lines.swap(0, 1));
    assert!(found.contains(&"segment_name_mismatch"), "{found:?}");
    let found = changed(&|lines| lines.insert(2, lines[1].clone()));
    assert!(found.contains(&"record_out_of_order"), "{found:?}");
    let mut log = log();
    let bytes = log.files.remove(&log.file).unwrap();
    log.files.insert(segment_name(log.seq + 7), bytes);
    assert_eq!(codes_of(&verify(&log.files)), ["segment_name_mismatch", "version_unknown"]);
}

#[test]
fn their_tail_is_that_of_any_version() {
    for (rest, expected) in [
        ("{\"v\":2,", &["version_unknown", "torn_tail"][..]),
        ("\0", &["version_unknown", "torn_tail"]),
        ("\0\n", &["line_not_a_record", "version_unknown"]),
        ("x\n", &["line_not_a_record", "version_unknown"]),
    ] {
        let mut log = log();
        log.append(rest.as_bytes());
        assert_eq!(codes_of(&verify(&log.files)), expected, "{rest:?}");
    }
    let mut log = log();
    let (line, _) = log.foreign_line(2);
    log.append(format!("{}x", line.trim_end()).as_bytes());
    assert_eq!(codes_of(&verify(&log.files)), ["line_unterminated", "version_unknown"]);
}

#[test]
fn their_recovered_tails_are_compared() {
    let recovered = |falsify: fn(&mut Account)| {
        let mut log = log();
        let offset = log.files[&log.file].len();
        log.append(b"{\"v\":2,");
        let mut account = Account::of(&log, offset);
        falsify(&mut account);
        let previous = std::mem::replace(&mut log.file, segment_name(log.seq));
        log.files.insert(log.file.clone(), Vec::new());
        for event in [log.segment_opened(&previous), account.event()] {
            let (line, _) = Builder::line(log.seq, &event, log.prev_hash);
            let body = line[..line.len() - 76].replacen(r#""v":1"#, r#""v":2"#, 1);
            let (line, hash) = crate::builder::seal(&body);
            log.append(line.as_bytes());
            log.seq += 1;
            log.prev_hash = hash;
        }
        codes_of(&verify(&log.files))
    };
    assert_eq!(recovered(|_| ()), ["version_unknown"]);
    let found = recovered(|account| account.sha256 = Digest::of(b"another").to_string());
    assert_eq!(found, ["recovery_mismatch", "version_unknown"]);
}

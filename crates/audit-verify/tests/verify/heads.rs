//! Heads that were kept elsewhere.

use audit_core::{Digest, Receipt};
use audit_verify::Verdict;

use crate::builder::{Builder, segment_name, twenty_records, verify_with};

#[test]
fn the_newest_head_makes_it_intact_and_an_older_one_says_up_to_where() {
    let mut log = Builder::new();
    log.event();
    let older = log.head();
    log.events(3);
    let report = verify_with(&log.files, &[log.head()]);
    assert_eq!((report.verdict, report.covered_up_to), (Verdict::Intact, Some(5)));
    let report = verify_with(&log.files, &[older, older]);
    assert_eq!((report.verdict, report.covered_up_to), (Verdict::Consistent, Some(2)));
    assert!(report.coverage.contains("up to seq 2"), "{report}");
    assert!(report.coverage.contains("cannot be excluded"), "{report}");
    let report = verify_with(&log.files, &[older, log.head()]);
    assert_eq!(report.verdict, Verdict::Intact);
}

#[test]
fn another_hash_at_the_seq_of_a_head_is_a_rewritten_history() {
    let log = twenty_records();
    let wrong = Receipt { seq: 8, hash: Digest::of(b"another") };
    let report = verify_with(&log.files, &[wrong, log.head()]);
    assert_eq!(report.verdict, Verdict::Tampered, "{report}");
    assert_eq!(report.findings[0].code.as_str(), "head_mismatch");
    assert_eq!(report.findings[0].file, Some(segment_name(7)));
    assert_eq!(report.findings[0].line, Some(2));
    assert_eq!(verify_with(&log.files, &[wrong]).covered_up_to, None);
}

#[test]
fn a_head_beyond_the_end_is_a_cut_tail() {
    let log = twenty_records();
    let beyond = Receipt { seq: 20, hash: Digest::of(b"any") };
    let report = verify_with(&log.files, &[log.head(), beyond]);
    assert_eq!(report.verdict, Verdict::Truncated, "{report}");
    assert_eq!(report.findings[0].code.as_str(), "head_beyond_end");
}

#[test]
fn a_torn_end_stays_torn_though_a_head_covers_all_before_it() {
    let mut log = Builder::new();
    log.events(3);
    let head = log.head();
    log.append(b"{\"v\":1,\"seq\":");
    assert_eq!(verify_with(&log.files, &[head]).verdict, Verdict::Torn);
    let lost = Receipt { seq: head.seq + 1, hash: head.hash };
    assert_eq!(verify_with(&log.files, &[lost]).verdict, Verdict::Truncated);
}

#[test]
fn a_whole_record_behind_a_lost_block_is_not_in_the_log() {
    let mut log = Builder::new();
    log.events(3);
    let start = log.files[&log.file].len();
    log.events(4);
    let lost = log.head();
    log.files.get_mut(&log.file).unwrap()[start..(start + 1).next_multiple_of(512)].fill(0);
    assert_eq!(verify_with(&log.files, &[]).verdict, Verdict::Torn);
    let report = verify_with(&log.files, &[lost]);
    assert_eq!(report.verdict, Verdict::Truncated, "{report}");
}

//! Segments removed, renamed, re-dated, swapped, added.

use audit_verify::{Verdict, VerifyOptions, verify_dir};

use crate::builder::{
    Builder, Files, codes, place, segment_name, twenty_records, verify, verify_with,
};

fn names(files: &Files) -> Vec<String> {
    files.keys().cloned().collect()
}

#[test]
fn a_removed_segment_is_found_where_the_next_one_begins() {
    let log = twenty_records();
    let names = names(&log.files);
    for (removed, next) in names.iter().zip(&names[1..]) {
        let mut files = log.files.clone();
        files.remove(removed);
        let report = verify(&files);
        assert_eq!(report.verdict, Verdict::Tampered, "{report}");
        assert_eq!(report.findings_total, 1, "{report}");
        assert_eq!(report.findings[0].file.as_deref(), Some(next.as_str()), "{report}");
    }
}

#[test]
fn the_newest_segment_is_missed_only_by_a_head() {
    let log = twenty_records();
    let mut files = log.files.clone();
    files.pop_last();
    let report = verify(&files);
    assert_eq!(report.verdict, Verdict::Consistent, "{report}");
    assert!(report.coverage.contains("cut tail"), "{report}");
    let report = verify_with(&files, &[log.head()]);
    assert_eq!(report.verdict, Verdict::Truncated, "{report}");
}

#[test]
fn all_segments_removed_leave_nothing_to_judge() {
    assert_eq!(codes(&Files::new(), Verdict::Unverifiable), ["no_records"]);
    let head = twenty_records().head();
    assert_eq!(verify_with(&Files::new(), &[head]).verdict, Verdict::Truncated);
}

#[test]
fn a_renamed_segment_is_found_in_its_first_line() {
    let log = twenty_records();
    for name in names(&log.files) {
        let seq: u64 = name[..20].parse().unwrap();
        for wrong in [seq + 1, seq + 2, 1_000, (1 << 53) - 1] {
            let mut files = log.files.clone();
            let bytes = files.remove(&name).unwrap();
            files.insert(segment_name(wrong), bytes);
            let report = verify(&files);
            assert_eq!(report.verdict, Verdict::Tampered, "{report}");
            let found = report.findings.iter().map(place);
            let found: Vec<_> = found.collect();
            assert!(found.contains(&(segment_name(wrong).as_str(), 1)), "{report}");
        }
    }
}

#[test]
fn a_segment_renamed_to_no_name_of_one_is_found() {
    let log = twenty_records();
    for name in names(&log.files) {
        let wrong = format!("x{name}");
        let mut files = log.files.clone();
        let bytes = files.remove(&name).unwrap();
        files.insert(wrong.clone(), bytes);
        let report = verify(&files);
        assert_eq!(report.verdict, Verdict::Tampered, "{report}");
        assert_eq!(report.findings[0].file.as_ref(), Some(&wrong), "{report}");
    }
}

#[test]
fn a_redated_segment_is_found_in_its_first_line() {
    let log = twenty_records();
    for name in names(&log.files) {
        let redated = name.replace("2026-01-02", "2026-01-03");
        let mut files = log.files.clone();
        let bytes = files.remove(&name).unwrap();
        files.insert(redated.clone(), bytes);
        let report = verify(&files);
        assert_eq!(report.verdict, Verdict::Tampered, "{report}");
        assert_eq!(report.findings_total, 1, "{report}");
        assert_eq!(place(&report.findings[0]), (redated.as_str(), 1), "{report}");
    }
}

#[test]
fn two_swapped_segments_are_found_in_the_first_line_of_the_first() {
    let log = twenty_records();
    let names = names(&log.files);
    for (first, second) in [(0, 1), (0, 2), (1, 2)] {
        let (first, second) = (&names[first], &names[second]);
        let mut files = log.files.clone();
        let (one, other) = (files[first].clone(), files[second].clone());
        files.insert(first.clone(), other);
        files.insert(second.clone(), one);
        let report = verify(&files);
        assert_eq!(report.verdict, Verdict::Tampered, "{report}");
        assert_eq!(place(&report.findings[0]), (first.as_str(), 1), "{report}");
    }
}

#[test]
fn a_copy_of_a_segment_under_another_name_is_found() {
    let log = twenty_records();
    for name in names(&log.files) {
        for copy in [segment_name(3), segment_name(500)] {
            let mut files = log.files.clone();
            files.insert(copy.clone(), files[&name].clone());
            let report = verify(&files);
            assert_eq!(report.verdict, Verdict::Tampered, "{report}");
            assert!(report.findings.iter().any(|finding| place(finding) == (copy.as_str(), 1)));
        }
    }
}

#[test]
fn a_segment_of_another_log_is_found() {
    let mut other = Builder::empty();
    other.log_id = "f".repeat(32);
    other.open_segment();
    other.log_opened();
    other.events(5);
    other.open_segment();
    other.events(6);
    let mut log = twenty_records();
    // Its records have the same places, and even the same number.
    let second = names(&log.files)[1].clone();
    log.files.insert(second.clone(), other.files[&second].clone());
    let report = verify(&log.files);
    assert_eq!(report.verdict, Verdict::Tampered, "{report}");
    assert_eq!(place(&report.findings[0]), (second.as_str(), 1), "{report}");
    let codes: Vec<_> = report.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert!(codes.contains(&"link_broken") && codes.contains(&"log_id_changed"), "{report}");
}

#[test]
fn other_files_are_told_and_are_nothing_wrong() {
    let mut log = twenty_records();
    log.files.insert("README\u{1b}[2J".to_owned(), b"?".to_vec());
    log.files.insert(".new-segment".to_owned(), b"?".to_vec());
    let report = verify(&log.files);
    assert_eq!(report.verdict, Verdict::Consistent, "{report}");
    let notices: Vec<_> = report.notices.iter().map(|notice| notice.code.as_str()).collect();
    assert_eq!(notices, ["leftover_segment", "unknown_file"]);
    assert!(report.to_string().bytes().all(|byte| byte != 0x1b));
}

#[test]
fn a_writer_whose_segment_cannot_be_read_is_not_said_to_have_stopped_without_a_word() {
    let mut log = Builder::new();
    log.open_segment();
    let unreadable = log.file.clone();
    log.close();
    log.open_segment();
    log.log_opened();
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in &log.files {
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    std::fs::remove_file(dir.path().join(&unreadable)).unwrap();
    std::fs::create_dir(dir.path().join(&unreadable)).unwrap();
    let report = verify_dir(dir.path(), &VerifyOptions::default()).unwrap();
    assert_eq!((report.findings_total, report.notices_total), (1, 0), "{report}");
    assert_eq!(report.findings[0].file, Some(unreadable), "{report}");
}

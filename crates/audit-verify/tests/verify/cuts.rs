//! Segments cut at every byte.

use audit_verify::Verdict;

use crate::builder::{Builder, line_starts, twenty_records, verify, verify_with};

#[test]
fn a_cut_of_the_newest_segment_is_a_torn_line_or_a_clean_end() {
    let mut opened = twenty_records();
    opened.open_segment();
    opened.log_opened();
    opened.events(3);
    // The opening records are one line where a segment was rotated in, two where a writer opened.
    for (log, opening) in [(twenty_records(), 1), (opened, 2)] {
        let starts = line_starts(&log.files[&log.file]);
        for cut in 0..log.files[&log.file].len() {
            let mut files = log.files.clone();
            files.get_mut(&log.file).unwrap().truncate(cut);
            let report = verify(&files);
            let told = || format!("cut at {cut}\n{report}");
            if cut < starts[opening] {
                assert_eq!(report.verdict, Verdict::Tampered, "{}", told());
            } else if starts.contains(&cut) {
                assert_eq!(report.verdict, Verdict::Consistent, "{}", told());
            } else {
                assert_eq!(report.verdict, Verdict::Torn, "{}", told());
                let line = starts.iter().filter(|start| **start <= cut).count();
                assert_eq!(report.findings[0].line, Some(line as u64), "{}", told());
                assert_eq!(report.findings_total, 1, "{}", told());
            }
            let with_head = verify_with(&files, &[log.head()]).verdict;
            assert!(with_head >= Verdict::Truncated, "{with_head} {}", told());
        }
    }
}

#[test]
fn a_cut_of_an_older_segment_is_tampering_wherever_it_is() {
    let log = twenty_records();
    let newest = &log.file;
    for (name, bytes) in log.files.iter().filter(|(name, _)| *name != newest) {
        for cut in 0..bytes.len() {
            let mut files = log.files.clone();
            files.get_mut(name).unwrap().truncate(cut);
            let report = verify(&files);
            assert_eq!(report.verdict, Verdict::Tampered, "{name} cut at {cut}\n{report}");
        }
    }
}

#[test]
fn bytes_added_to_an_older_segment_are_tampering() {
    let log = twenty_records();
    let (first, _) = log.files.first_key_value().unwrap();
    let (line, _) = Builder::line(7, r#"{"event_type":"x"}"#, log.prev_hash);
    for added in ["{\"v\":1", "\0", "\n", line.as_str(), line.trim_end()] {
        let mut files = log.files.clone();
        files.get_mut(first).unwrap().extend(added.as_bytes());
        assert_eq!(verify(&files).verdict, Verdict::Tampered, "{added:?}");
        // Not even when the newest one is torn where it could have accounted for them.
        let mut files = log.files.clone();
        let newest = files.get_mut(&log.file).unwrap();
        let second_line = line_starts(newest)[1];
        newest.truncate(second_line + 9);
        assert_eq!(verify(&files).verdict, Verdict::Torn);
        let second = files.keys().nth(1).unwrap().clone();
        files.get_mut(&second).unwrap().extend(added.as_bytes());
        assert_eq!(verify(&files).verdict, Verdict::Tampered, "{added:?}");
    }
}

#[test]
fn a_tail_longer_than_its_writer_leaves_unsynced_is_no_crash() {
    let mut log = Builder::new();
    log.event();
    let start = log.files[&log.file].len();
    for (bytes, verdict) in [(4_096, Verdict::Torn), (4_097, Verdict::Tampered)] {
        let mut files = log.files.clone();
        files.get_mut(&log.file).unwrap().resize(start + bytes, 0);
        assert_eq!(verify(&files).verdict, verdict, "{bytes}");
    }
}

#[test]
fn bytes_after_log_closed_are_no_crash() {
    let log = twenty_records();
    for added in ["{", "{\"v\":1,", "\0"] {
        let mut files = log.files.clone();
        files.get_mut(&log.file).unwrap().extend(added.as_bytes());
        assert_eq!(verify(&files).verdict, Verdict::Tampered, "{added:?}");
    }
}

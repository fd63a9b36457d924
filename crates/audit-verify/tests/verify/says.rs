//! What a report says: that a finding is there is not enough for whoever has to act on it.

use audit_core::Digest;
use audit_verify::{Finding, MemorySource, Progress, Report, VerifyOptions, verify_source};

use crate::builder::{Builder, Files, line_starts, segment_name, twenty_records, verify};

/// The only finding of a log: its code, what was expected, and what was found.
fn only(files: &Files) -> (String, String, String) {
    let report = verify(files);
    assert_eq!(report.findings.len(), 1, "{report}");
    let Finding { code, expected, found, .. } = &report.findings[0];
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    (code.to_string(), text(expected), text(found))
}

/// A log of three events, and where the second of them stands in its file.
fn three_events() -> (Builder, std::ops::Range<usize>) {
    let mut log = Builder::new();
    log.events(3);
    let starts = line_starts(&log.files[&log.file]);
    (log, starts[3]..starts[4])
}

fn bytes(log: &mut Builder) -> &mut Vec<u8> {
    log.files.get_mut(&log.file).unwrap()
}

#[test]
fn a_changed_record_says_which_hash_it_states_and_which_it_has() {
    let (mut log, line) = three_events();
    let stated = log.files[&log.file][line.end - 67..line.end - 3].to_vec();
    bytes(&mut log)[line.start + 20] ^= 1;
    let body = &log.files[&log.file][line.start..line.end - 76];
    let computed = audit_core::digest::leaf_hash(body).to_string();
    let stated = String::from_utf8(stated).unwrap();
    assert_eq!(only(&log.files), ("hash_mismatch".to_owned(), computed, stated));
}

#[test]
fn a_line_whose_hash_field_is_damaged_is_quoted() {
    let (log, line) = three_events();
    for from_end in [2, 30] {
        let mut log = log.clone();
        bytes(&mut log)[line.end - 1 - from_end] = b'Z';
        let (found_code, expected, found) = only(&log.files);
        assert_eq!((found_code.as_str(), expected.as_str()), ("line_not_a_record", ""));
        assert!(found.starts_with(r#"{"v":1,"seq":3,"#), "{found}");
    }
}

#[test]
fn a_broken_link_says_which_record_is_named_and_which_is_there() {
    let mut log = Builder::new();
    log.event();
    let before = log.prev_hash;
    log.prev_hash = Digest::of(b"another");
    log.event();
    let told = (before.to_string(), Digest::of(b"another").to_string());
    assert_eq!(only(&log.files), ("link_broken".to_owned(), told.0, told.1));
}

#[test]
fn a_seq_out_of_line_says_which_was_due() {
    let mut log = Builder::new();
    log.seq += 4;
    log.event();
    let told = ("seq 2".to_owned(), "seq 6".to_owned());
    assert_eq!(only(&log.files), ("seq_mismatch".to_owned(), told.0, told.1));
}

/// Line feeds put into a record make lines of it, of which the first is to blame, once.
#[test]
fn a_record_in_three_pieces_is_one_finding_and_the_next_one_is_not_blamed() {
    let (mut log, line) = three_events();
    let mid = line.start.midpoint(line.end);
    bytes(&mut log)[line.start + 40] = b'\n';
    bytes(&mut log)[mid] = b'\n';
    let report = verify(&log.files);
    assert_eq!(report.findings_total, 1, "{report}");
    assert_eq!(report.findings[0].seq, Some(3), "{report}");
    assert_eq!(report.head, Some(log.head()), "{report}");
}

/// A segment with an unfinished record at its end, and a next one, which is what is made of the
/// record that would open it.
fn unfinished_before(make: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Report {
    let mut log = Builder::new();
    log.events(2);
    let mut whole = log.clone();
    log.append(br#"{"v":1,"seq":4,"audit_"#);
    whole.open_segment();
    let opening = whole.files[&whole.file].clone();
    log.files.insert(whole.file, make(opening));
    verify(&log.files)
}

fn codes_of(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.code.as_str()).collect()
}

#[test]
fn a_tail_is_not_excused_by_a_segment_that_only_begins() {
    assert_eq!(codes_of(&unfinished_before(|opening| opening)), ["line_unterminated"]);
}

#[test]
fn a_tail_before_an_empty_segment_is_the_fault_of_that_segment() {
    assert_eq!(codes_of(&unfinished_before(|_| Vec::new())), ["segment_empty"]);
}

#[test]
fn a_tail_before_an_unfinished_first_record_is_the_fault_of_that_record() {
    let report = unfinished_before(|opening| opening[..24].to_vec());
    assert_eq!(report.findings[0].file.as_deref(), Some(segment_name(4).as_str()), "{report}");
    assert_eq!(report.findings_total, 1, "{report}");
}

#[test]
fn progress_counts_segments_and_bytes() {
    let log = twenty_records();
    let mut told = Vec::new();
    let source = MemorySource::new(log.files.clone());
    let mut note = |progress: Progress| told.push(progress);
    verify_source(&source, &VerifyOptions::default(), &mut note).unwrap();
    let counts: Vec<_> =
        told.iter().map(|told| (told.segments_done, told.segments_total)).collect();
    assert_eq!(counts, [(1, 3), (2, 3), (3, 3)]);
    let bytes: usize = log.files.values().map(Vec::len).sum();
    assert_eq!(told[2].bytes_done, bytes as u64);
}

#[test]
fn what_is_covered_is_said_for_a_torn_log_too() {
    let mut log = Builder::new();
    log.events(2);
    let heads = [log.head()];
    log.append(b"{");
    let options = VerifyOptions { heads: heads.to_vec(), ..VerifyOptions::default() };
    let report = verify_source(&MemorySource::new(log.files), &options, &mut |_| ()).unwrap();
    assert_eq!(report.verdict.as_str(), "torn");
    assert!(report.coverage.contains("up to the last one, seq 3, is covered"), "{report}");
}

#[test]
fn a_record_in_two_pieces_takes_one_seq_and_the_next_changed_one_is_named_by_its_own() {
    let (mut log, line) = three_events();
    bytes(&mut log)[line.start + 40] = b'\n';
    bytes(&mut log)[line.end + 20] ^= 1;
    log.event();
    let report = verify(&log.files);
    let seqs: Vec<_> = report.findings.iter().map(|finding| finding.seq).collect();
    assert_eq!(seqs, [Some(3), Some(4)], "{report}");
}

#[test]
fn a_tail_before_a_first_record_without_its_line_feed_is_the_fault_of_that_record() {
    let report = unfinished_before(|opening| opening[..opening.len() - 1].to_vec());
    let file = segment_name(4);
    assert!(report.findings.iter().all(|at| at.file.as_ref() == Some(&file)), "{report}");
    assert_eq!(report.findings_total, 1, "{report}");
}

/// A record with another byte in it, and a right hash over it: what is said of it, and what was
/// found there.
fn malformed(change: impl FnOnce(&str) -> String) -> (String, String) {
    let mut log = Builder::new();
    let event = r#"{"event_type":"x","b":1,"a":1,"a":2,"b":2}"#;
    let (line, _) = Builder::line(log.seq, event, log.prev_hash);
    let body = change(&line[..line.len() - 76]);
    log.append(crate::builder::seal(&body).0.as_bytes());
    let report = verify(&log.files);
    assert_eq!(report.findings_total, 1, "{report}");
    let finding = &report.findings[0];
    (finding.message.clone(), finding.found.clone().unwrap_or_default())
}

#[test]
fn a_malformed_prev_hash_is_told_where_the_hash_field_begins() {
    let mut bytes = 0;
    let (message, found) = malformed(|body| {
        bytes = body.len();
        body.replace(r#""prev_hash""#, r#""prev_hasH""#)
    });
    assert!(message.contains(&format!("At byte {bytes} of the line: prev_hash")), "{message}");
    assert_eq!(found, "");
}

#[test]
fn of_two_keys_that_stand_twice_the_one_that_stood_first_is_told() {
    let mut second = 0;
    let (message, found) = malformed(|body| {
        second = body.rfind(r#"b":2"#).unwrap();
        body.to_owned()
    });
    assert!(message.contains(&format!("At byte {second} of the line")), "{message}");
    assert!(found.starts_with(r#"b":2}"#), "{found}");
}

//! The text of a report for a person, as a whole.

use audit_verify::Part;

use crate::builder::{Builder, Files, line_starts, verify};

const CONSISTENT: &str = "\
CONSISTENT: nothing is wrong inside, and nothing trusted covers the end

  service   bank.teller-1
  log       0123456789abcdef0123456789abcdef
  begins    at seq 0
  segments  1, 1872 bytes
  records   5, 2 of them events, 1 critical
  written   2026-01-02T00:00:00.000000000Z to 2026-01-02T00:00:04.000000004Z
  head      4:ddd61916de48d23fa9bc82c66b3842debb32d654c1e662a2b2a6383bf2c0b228
  root      VprC2W0FFLhI5SUf0jnO+urAk1JenyqQfr5DfBcSE1s=
  coverage  Nothing kept elsewhere was given: a cut tail, a rollback to an older copy, \
or a rewrite of the whole log cannot be excluded. Give a checkpoint (--pin FILE) or a head (--head \
SEQ:HASH) that was kept elsewhere to exclude them up to it.
";

const TAMPERED: &str = "\
TAMPERED: bytes contradict the chain, a checkpoint, each other, or what was kept elsewhere

  first bad 00000000000000000000.2026-01-02.audit.jsonl line 3, byte 797, seq 2
  service   bank.teller-1
  log       0123456789abcdef0123456789abcdef
  begins    at seq 0
  segments  2, 3151 bytes
  records   6, 1 of them events, 0 critical
  lost      3 events, as the log says
  written   2026-01-02T00:00:00.000000000Z to 2026-01-02T00:00:06.000000006Z
  head      6:2a6b0e727853e7c13b15a9a6d7662c5286d586cb9d0fc032b16cf1d3d690862d
  root      vkYKoCgpFVJK5saUJpgIHzavirfTN4aXiateA4EyBl4=
  coverage  This is not the whole log as it was written: see the findings.

Findings: 2
  segment_name_invalid  1.audit.jsonl
      the name ends like a segment's, but is not one
      expected  <first seq, 20 digits>.<YYYY-MM-DD>.audit.jsonl
      found     1.audit.jsonl
  hash_mismatch  00000000000000000000.2026-01-02.audit.jsonl line 3 (seq 2)
      A record's hash is not that of its bytes: they were changed after they were written.
      expected  136bc11ffc857417ad44e6fa5e6480e66d72e93eca6eb7206ce9e25468eadbe0
      found     e14b95c8edab4d875c65ce53116436873a7e760b8101f0c9cfd0a9ab94809a08

Notices: 3
  unknown_file  notes.txt: not a file of the log, and not looked at
  events_lost  00000000000000000000.2026-01-02.audit.jsonl line 5 (seq 4): 3 events (1 critical) \
are not in the log: queue_full
  unclean_stop  00000000000000000005.2026-01-02.audit.jsonl line 2 (seq 6): by hand, process \
unknown on host unknown, opened the log, which the writer before had not closed
";

/// A log with a finding that has no line, one that has, and notices with and without a place.
fn tampered_log() -> Files {
    let mut log = Builder::new();
    log.events(2);
    log.record(
        r#"{"event_type":"events_lost","count":3,"critical_count":1,"reason":"queue_full","first":"2026-01-02T00:00:00.000000000Z","last":"2026-01-02T00:00:01.000000000Z"}"#,
    );
    log.open_segment();
    log.log_opened();
    let bytes = log.files.values_mut().next().unwrap();
    let third = line_starts(bytes)[2];
    bytes[third + 200] ^= 1;
    log.files.insert("1.audit.jsonl".to_owned(), Vec::new());
    log.files.insert("notes.txt".to_owned(), Vec::new());
    log.files
}

#[test]
fn the_text_of_a_consistent_log_has_its_facts_alone() {
    let mut log = Builder::new();
    log.event();
    log.record(r#"{"event_type":"auth_failure","reason":"x"}"#);
    log.close();
    assert_eq!(verify(&log.files).to_string(), CONSISTENT);
}

#[test]
fn the_text_of_a_tampered_log_names_the_first_line_and_lists_all_that_was_found() {
    assert_eq!(verify(&tampered_log()).to_string(), TAMPERED);
}

#[test]
fn only_the_verdict_the_first_place_and_the_codes_are_painted() {
    let paint = |part: Part, text: &str| match part {
        Part::Verdict(verdict) => format!("[{verdict:?} {text}]"),
        Part::FirstFault => format!("[first {text}]"),
        Part::FindingCode => format!("[code {text}]"),
        other => format!("[{other:?} {text}]"),
    };
    let painted = verify(&tampered_log()).painted(paint).to_string();
    let parts = painted.split('[').skip(1).filter_map(|part| part.split_once(']'));
    let parts: Vec<_> = parts.map(|(part, _)| part).collect();
    assert_eq!(
        parts,
        [
            "Tampered TAMPERED",
            "first 00000000000000000000.2026-01-02.audit.jsonl line 3, byte 797, seq 2",
            "code segment_name_invalid",
            "code hash_mismatch",
        ]
    );
}

/// A log in which so many records were changed, and so many other files lie.
fn with_findings_and_notices(count: usize) -> String {
    let mut log = Builder::new();
    log.events(count);
    let bytes = log.files.values_mut().next().unwrap();
    for byte in bytes.iter_mut().filter(|byte| **byte == b'@') {
        *byte = b'#';
    }
    log.event();
    for number in 0..count {
        log.files.insert(format!("{number}.txt"), Vec::new());
    }
    verify(&log.files).to_string()
}

#[test]
fn twenty_findings_and_notices_of_a_code_are_listed_and_the_rest_is_counted() {
    let text = with_findings_and_notices(20);
    assert_eq!(text.matches("  hash_mismatch  ").count(), 20, "{text}");
    assert_eq!(text.matches("  unknown_file  ").count(), 20, "{text}");
    assert_eq!(text.matches(" more of ").count(), 0, "{text}");
    let text = with_findings_and_notices(52);
    assert_eq!(text.matches("  hash_mismatch  ").count(), 20, "{text}");
    assert_eq!(text.matches("  unknown_file  ").count(), 20, "{text}");
    for code in ["hash_mismatch", "unknown_file"] {
        assert_eq!(text.matches(&format!("\n  and 32 more of {code}\n")).count(), 1, "{text}");
    }
}

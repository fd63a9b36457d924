//! Whatever lies in a directory: it is judged, in bounded memory, and never waited for.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use audit_core::Digest;
use audit_verify::{Verdict, VerifyOptions, verify_dir, verify_source};

use crate::builder::{Builder, codes, seal, segment_name, twenty_records, verify};
use crate::watched::{Fault, Watched};

#[test]
fn a_directory_that_is_not_there_or_is_a_file_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let options = VerifyOptions::default();
    let error = verify_dir(dir.path().join("none"), &options).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    fs::write(dir.path().join("file"), "").unwrap();
    let error = verify_dir(dir.path().join("file"), &options).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotADirectory);
    let report = verify_dir(dir.path(), &options).unwrap();
    assert_eq!(report.verdict, Verdict::Unverifiable);
}

#[test]
fn a_pipe_a_link_or_a_directory_in_place_of_a_segment_is_found_and_not_read() {
    let log = twenty_records();
    let plants: [fn(&str); 4] = [
        |path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
        |path| fs::create_dir(path).unwrap(),
        |path| symlink("/dev/zero", path).unwrap(),
        |path| symlink(format!("{path}.real"), path).unwrap(),
    ];
    for plant in plants {
        for replaced in log.files.keys() {
            let dir = tempfile::tempdir().unwrap();
            for (name, bytes) in &log.files {
                // A link to the very file that was there is still no segment.
                let suffix = if name == replaced { ".real" } else { "" };
                fs::write(dir.path().join(format!("{name}{suffix}")), bytes).unwrap();
            }
            plant(dir.path().join(replaced).to_str().unwrap());
            let report = verify_dir(dir.path(), &VerifyOptions::default()).unwrap();
            assert_eq!(report.verdict, Verdict::Tampered, "{report}");
            assert_eq!(report.findings[0].code.as_str(), "segment_not_a_file", "{report}");
            assert_eq!(report.findings[0].file.as_ref(), Some(replaced), "{report}");
        }
    }
}

#[test]
fn a_log_of_which_nothing_may_be_written_is_verified() {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in &twenty_records().files {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    }
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o500)).unwrap();
    let report = verify_dir(dir.path(), &VerifyOptions::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Consistent, "{report}");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
}

/// A right hash over whatever is put where an event belongs.
fn with_event(event: &str) -> Builder {
    let mut log = Builder::new();
    log.record(event);
    log.event();
    log
}

#[test]
fn what_a_right_hash_covers_is_still_judged() {
    let brackets = format!(r#"{{"event_type":"x","a":{}"#, "[".repeat(60_000));
    let deep = format!(r#"{{"event_type":"x","a":{}{}}}"#, "[".repeat(32), "]".repeat(32));
    for event in [
        brackets.as_str(),
        deep.as_str(),
        r#"{"event_type":"x","a":1,"a":1}"#,
        r#"{"event_type":"x","a":{"b":1,"\u0062":1}}"#,
        r#"{"event_type":"x","a":"\ud800"}"#,
        r#"{"event_type":"x" }"#,
        r#"{"a":1,"event_type":"x"}"#,
        "[]",
        "",
    ] {
        let log = with_event(event);
        let found = codes(&log.files, Verdict::Tampered);
        assert_eq!(found, ["event_malformed"], "{event:.80}");
    }
    let marked = with_event(r#"{"event_type":"x"},"sanitized":["a"]"#);
    assert_eq!(codes(&marked.files, Verdict::Tampered), ["sanitized_malformed"]);
    let padded = with_event(r#"{"event_type":"x"},"sanitized":["/a"],"more":1"#);
    assert_eq!(codes(&padded.files, Verdict::Tampered), ["sanitized_malformed"]);
}

#[test]
fn bytes_that_are_no_text_are_found_under_a_right_hash() {
    let mut log = Builder::new();
    let (line, _) = Builder::line(log.seq, r#"{"event_type":"x?"}"#, log.prev_hash);
    let mut body = line.as_bytes()[..line.len() - 76].to_vec();
    let at = body.iter().position(|&byte| byte == b'?').unwrap();
    body[at] = 0xff;
    let hash = audit_core::digest::leaf_hash(&body);
    body.extend(format!(",\"hash\":\"{hash}\"}}\n").bytes());
    log.append(&body);
    assert_eq!(codes(&log.files, Verdict::Tampered), ["record_malformed"]);
}

#[test]
fn a_line_longer_than_any_record_is_one_finding_and_the_log_goes_on() {
    let mut log = Builder::new();
    log.record(&format!(r#"{{"event_type":"x","a":"{}"}}"#, "x".repeat(3 << 20)));
    log.events(2);
    assert_eq!(codes(&log.files, Verdict::Tampered), ["line_too_long"]);
    // The longest record there is: 65,535 bytes.
    let (line, _) = Builder::line(2, r#"{"event_type":"x","a":""}"#, Digest::ZERO);
    let room = 65_535 - (line.len() - 1);
    for (extra, verdict) in [(0, Verdict::Consistent), (1, Verdict::Tampered)] {
        let text = "x".repeat(room + extra);
        let log = with_event(&format!(r#"{{"event_type":"x","a":"{text}"}}"#));
        assert_eq!(verify(&log.files).verdict, verdict, "{extra}");
    }
}

#[test]
fn all_findings_are_counted_and_the_first_are_listed() {
    let mut log = Builder::new();
    log.append("x\n".repeat(5_000).as_bytes());
    log.event();
    let report = verify(&log.files);
    assert_eq!(report.verdict, Verdict::Tampered);
    assert_eq!(report.findings.len(), 1, "lines after a bad one are the rest of it");
    let mut log = Builder::new();
    log.append("{\"v\":\n".repeat(5_000).as_bytes());
    let report = verify(&log.files);
    assert_eq!((report.findings_total, report.findings.len()), (5_000, 20));
    assert!(report.to_string().lines().count() < 300);
}

#[test]
fn what_a_report_quotes_can_move_no_cursor() {
    let mut log = Builder::new();
    log.append("\u{1b}[2J\u{202e}\u{7}\r evil\n".as_bytes());
    log.files.insert("\u{1b}]0;x\u{7}.audit.jsonl".to_owned(), Vec::new());
    let report = verify(&log.files);
    assert_eq!(report.findings_total, 2, "{report}");
    let json = serde_json::to_string(&report).unwrap();
    for text in [report.to_string(), json.replace("\\\\", "")] {
        assert!(!text.chars().any(|c| c != '\n' && audit_core::is_hostile(c)), "{text:?}");
        assert!(!text.contains("\\u"), "{text}");
    }
}

#[test]
fn white_space_and_line_ends_of_another_system_are_found() {
    let log = twenty_records();
    let (name, bytes) = log.files.first_key_value().unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    for changed in [
        text.replace('\n', "\r\n"),
        text.replace("\"v\":1", "\"v\": 1"),
        format!("\u{feff}{text}"),
        text.replace("}\n", "} \n"),
        text.replace('\n', "\n\n"),
    ] {
        let mut files = log.files.clone();
        files.insert(name.clone(), changed.into_bytes());
        assert_eq!(verify(&files).verdict, Verdict::Tampered);
    }
}

#[test]
fn a_segment_that_cannot_be_read_is_a_finding_and_hides_no_worse_one() {
    let log = twenty_records();
    for fault in [Fault::Denied, Fault::Unreadable(0), Fault::Unreadable(700)] {
        for name in log.files.keys() {
            let verify = |files: &crate::builder::Files| {
                let source = Watched::new(files.clone()).with(fault, name);
                verify_source(&source, &VerifyOptions::default(), &mut |_| ()).unwrap()
            };
            let report = verify(&log.files);
            assert_eq!(report.verdict, Verdict::Unverifiable, "{report}");
            assert_eq!(report.findings_total, 1, "{report}");
            assert_eq!(report.findings[0].code.as_str(), "segment_unreadable", "{report}");
            assert_eq!(report.findings[0].file.as_ref(), Some(name), "{report}");
            for other in log.files.keys().filter(|other| *other != name) {
                let mut files = log.files.clone();
                files.get_mut(other).unwrap()[300] ^= 1;
                let report = verify(&files);
                assert_eq!(report.verdict, Verdict::Tampered, "{report}");
                assert_eq!(report.findings_total, 2, "{report}");
            }
        }
    }
}

#[test]
fn a_tail_whose_account_cannot_be_read_is_not_called_tampering() {
    let log = crate::accounts::recovered_log();
    let source = Watched::new(log.files).with(Fault::Denied, &log.file);
    let report = verify_source(&source, &VerifyOptions::default(), &mut |_| ()).unwrap();
    assert_eq!((report.verdict, report.findings_total), (Verdict::Unverifiable, 1), "{report}");
}

#[test]
fn an_empty_segment_is_found() {
    let mut log = twenty_records();
    for name in log.files.keys().cloned().collect::<Vec<_>>() {
        let mut files = log.files.clone();
        files.insert(name.clone(), Vec::new());
        let report = verify(&files);
        assert_eq!(report.verdict, Verdict::Tampered, "{report}");
        assert_eq!(report.findings[0].code.as_str(), "segment_empty", "{report}");
        assert_eq!(report.findings[0].file.as_ref(), Some(&name), "{report}");
    }
    log.files.insert(segment_name(20), Vec::new());
    assert_eq!(codes(&log.files, Verdict::Tampered), ["segment_empty"]);
    let (line, _) = seal(r#"{"v":1}"#);
    log.files.insert(segment_name(20), line.into_bytes());
    assert_eq!(codes(&log.files, Verdict::Tampered), ["record_malformed"]);
}

//! The writer's own events, false or where they may not stand.

use audit_core::Digest;
use audit_verify::Verdict;

use crate::builder::{Builder, LOG_ID, codes, seal, verify};

/// What a log is found to be after something was done to a log of two segments.
fn after(act: impl Fn(&mut Builder)) -> (Verdict, Vec<&'static str>) {
    let mut log = Builder::new();
    log.events(2);
    log.open_segment();
    log.events(2);
    act(&mut log);
    let report = verify(&log.files);
    (report.verdict, report.findings.iter().map(|finding| finding.code.as_str()).collect())
}

fn tampered(code: &'static str) -> (Verdict, Vec<&'static str>) {
    (Verdict::Tampered, vec![code])
}

#[test]
fn nothing_done_is_nothing_found() {
    assert_eq!(after(|_| ()), (Verdict::Consistent, vec![]));
}

#[test]
fn opening_records_stand_only_where_they_belong() {
    let misplaced = after(|log| {
        let event = log.segment_opened(&log.file);
        log.record(&event);
    });
    assert_eq!(misplaced, tampered("segment_opened_misplaced"));
    assert_eq!(after(Builder::log_opened), tampered("log_opened_misplaced"));
    let again = after(|log| {
        log.open_segment();
        log.log_opened();
        log.log_opened();
    });
    assert_eq!(again, tampered("log_opened_misplaced"));
}

#[test]
fn a_segment_begins_with_segment_opened() {
    let missing = after(|log| {
        log.file = crate::builder::segment_name(log.seq);
        log.files.insert(log.file.clone(), Vec::new());
        log.event();
    });
    assert_eq!(missing, tampered("segment_opened_missing"));
}

#[test]
fn a_writer_says_when_it_opens_the_log() {
    let mut log = Builder::empty();
    log.open_segment();
    // It would have been written at once, so a log that ends here was cut.
    assert_eq!(codes(&log.files, Verdict::Tampered), ["log_opened_missing"]);
    log.event();
    assert_eq!(codes(&log.files, Verdict::Tampered), ["log_opened_missing"]);
    let after_close = after(|log| {
        log.close();
        log.open_segment();
        log.event();
    });
    assert_eq!(after_close, tampered("log_opened_missing"));
}

#[test]
fn nothing_follows_log_closed_or_format_changed_in_a_segment() {
    let closed = after(|log| {
        log.close();
        log.events(2);
    });
    assert_eq!(closed, tampered("record_after_close"));
    let changed = after(|log| {
        log.record(r#"{"event_type":"format_changed","to":2}"#);
        log.event();
    });
    assert_eq!(changed, tampered("format_change_misplaced"));
}

#[test]
fn a_clean_stop_is_no_notice_and_an_unclean_one_is() {
    let notices = |clean: bool| {
        let mut log = Builder::new();
        if clean {
            log.close();
        }
        log.open_segment();
        log.log_opened();
        let report = verify(&log.files);
        assert_eq!(report.verdict, Verdict::Consistent, "{report}");
        report.notices.iter().map(|notice| notice.code.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(notices(true), [""; 0]);
    assert_eq!(notices(false), ["unclean_stop"]);
}

/// A segment that begins with a `segment_opened` which was changed.
fn opened_with(change: impl Fn(&str) -> String) -> (Verdict, Vec<&'static str>) {
    after(|log| {
        let previous = std::mem::replace(&mut log.file, crate::builder::segment_name(log.seq));
        log.files.insert(log.file.clone(), Vec::new());
        let event = change(&log.segment_opened(&previous));
        log.record(&event);
        log.event();
    })
}

#[test]
fn what_a_segment_says_of_the_log_before_it_is_checked() {
    assert_eq!(opened_with(str::to_owned), (Verdict::Consistent, vec![]));
    let other = "f".repeat(32);
    assert_eq!(opened_with(|event| event.replace(LOG_ID, &other)), tampered("log_id_changed"));
    let zeros = Digest::ZERO.to_string();
    let frontier = |event: &str| {
        let (before, rest) = event.split_once(r#"_frontier":[""#).unwrap();
        format!(r#"{before}_frontier":["{zeros}{}"#, &rest[64..])
    };
    assert_eq!(opened_with(frontier), tampered("frontier_mismatch"));
    let one_more =
        |event: &str| event.replace(r#"_frontier":["#, &format!(r#"_frontier":["{zeros}","#));
    assert_eq!(opened_with(one_more), tampered("frontier_mismatch"));
    let wrong_seq = |event: &str| event.replace(r#""last_seq":6"#, r#""last_seq":5"#);
    assert_eq!(opened_with(wrong_seq), tampered("previous_mismatch"));
    let wrong_file = |event: &str| event.replace("00000004.2026", "00000003.2026");
    assert_eq!(opened_with(wrong_file), tampered("previous_mismatch"));
    let wrong_hash = |event: &str| {
        let (before, _) = event.split_once(r#""last_hash":""#).unwrap();
        format!(r#"{before}"last_hash":"{zeros}"}}}}"#)
    };
    assert_eq!(opened_with(wrong_hash), tampered("previous_mismatch"));
    let none = |event: &str| format!("{}}}", event.split_once(r#","previous""#).unwrap().0);
    assert_eq!(opened_with(none), (Verdict::Consistent, vec![]));
    let continues = |event: &str| {
        let from = format!(r#""continues":{{"log_id":"{other}","head":"7:{zeros}"}}"#);
        event.replace(r#""previous""#, &format!(r#"{from},"previous""#))
    };
    assert_eq!(opened_with(continues), tampered("previous_mismatch"));
}

#[test]
fn a_log_that_takes_over_from_another_says_so_at_its_beginning() {
    let mut log = Builder::empty();
    log.file = crate::builder::segment_name(0);
    log.files.insert(log.file.clone(), Vec::new());
    let (other, hash) = ("f".repeat(32), Digest::of(b"its last record"));
    let continues = format!(r#","continues":{{"log_id":"{other}","head":"7:{hash}"}}}}"#);
    let event = log.segment_opened("").replace("]}", &format!("]{continues}"));
    log.record(&event);
    log.log_opened();
    assert_eq!(codes(&log.files, Verdict::Consistent), [""; 0]);
}

#[test]
fn what_the_writer_declares_decides_the_verdict() {
    let zeros = Digest::ZERO;
    let missing = format!(
        r#"{{"event_type":"segment_missing","file":"{}","first_seq":0,"last_seq":3,"last_hash":"{zeros}","reason":"unlinked"}}"#,
        crate::builder::segment_name(0)
    );
    let found = after(|log| log.record(&missing));
    assert_eq!(found, (Verdict::Truncated, vec!["segment_missing"]));
    let damage = r#"{"event_type":"damage_found","file":"x","offset":3,"code":"hash_mismatch"}"#;
    assert_eq!(after(|log| log.record(damage)), tampered("damage_found"));
}

#[test]
fn lost_events_are_counted_and_told() {
    let mut log = Builder::new();
    for reason in ["refused", "disk_full"] {
        log.record(&format!(
            r#"{{"event_type":"events_lost","count":3,"critical_count":1,"reason":"{reason}","first":"2026-01-02T00:00:00.000000000Z","last":"2026-01-02T00:00:01.000000000Z"}}"#
        ));
    }
    let report = verify(&log.files);
    assert_eq!((report.verdict, report.events_lost, report.events), (Verdict::Consistent, 6, 0));
    assert_eq!(report.notices_total, 2);
    assert!(report.notices[0].message.contains("3 events (1 critical)"), "{report}");
}

#[test]
fn a_field_of_another_form_is_found() {
    for event in [
        r#"{"event_type":"log_opened"}"#,
        r#"{"event_type":"events_lost","count":1}"#,
        r#"{"event_type":"disk_full","available_bytes":-1}"#,
        r#"{"event_type":"format_changed","to":1}"#,
    ] {
        assert_eq!(after(|log| log.record(event)), tampered("lifecycle_malformed"), "{event}");
    }
}

#[test]
fn another_version_is_tampering_unless_it_was_announced() {
    assert_eq!(after(|log| log.foreign(2)), tampered("version_changed"));
    let announce = |log: &mut Builder| {
        log.change_format(2);
        (0..3).for_each(|_| log.foreign(2));
    };
    assert_eq!(after(announce), (Verdict::Unverifiable, vec!["version_unknown"]));
    let another = after(|log| {
        announce(log);
        log.event();
    });
    assert_eq!(another, (Verdict::Tampered, vec!["version_changed", "version_unknown"]));
    let changed = after(|log| {
        announce(log);
        let changed = log.foreign_line(2).0.replace("\"x\"", "\"y\"");
        log.append(changed.as_bytes());
    });
    assert_eq!(changed, (Verdict::Tampered, vec!["hash_mismatch", "version_unknown"]));
}

#[test]
fn another_service_is_found_at_its_first_record() {
    let spliced = after(|log| {
        let (line, _) = Builder::line(log.seq, r#"{"event_type":"x"}"#, log.prev_hash);
        let body = line.replace("bank.teller-1", "bank.teller-2");
        let (line, _) = seal(body.get(..body.len() - 76).unwrap());
        log.append(line.as_bytes());
    });
    assert_eq!(spliced, tampered("service_changed"));
}

#[test]
fn a_rewritten_record_with_a_right_hash_breaks_the_link_after_it() {
    let mut log = Builder::new();
    let (seq, prev_hash) = (log.seq, log.prev_hash);
    log.events(3);
    let mut lines = crate::builder::lines_of(&log.files[&log.file]);
    let at = usize::try_from(seq).unwrap();
    lines[at] = Builder::line(seq, r#"{"event_type":"forged"}"#, prev_hash).0.into_bytes();
    log.files.insert(log.file.clone(), lines.concat());
    let report = verify(&log.files);
    assert_eq!(codes(&log.files, Verdict::Tampered), ["link_broken"]);
    assert_eq!(report.findings[0].line, Some(seq + 2), "{report}");
}

#[test]
fn a_linked_record_with_a_wrong_seq_is_found() {
    for wrong in [0, 6, 8, 100] {
        let skipped = after(|log| {
            let (line, hash) = Builder::line(wrong, r#"{"event_type":"x"}"#, log.prev_hash);
            log.append(line.as_bytes());
            log.prev_hash = hash;
            log.seq = wrong + 1;
            log.event();
        });
        assert_eq!(skipped, tampered("seq_mismatch"), "{wrong}");
    }
}

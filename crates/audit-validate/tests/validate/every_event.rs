//! Every text of every event in the table is met, whatever it holds.

use std::collections::BTreeSet;

use audit_core::lifecycle::LIFECYCLE_TYPES;
use audit_core::{AuditEvent, TextPolicy};
use audit_validate::{restore, validate_event};
use serde_json::{Value, json};

use crate::sample::{
    assert_inert, assert_marks_lead_somewhere, differences, event_json, is_opaque, payload, read,
    texts, unknown_event_json, written,
};

const HOSTILE: [&str; 6] = [
    "root\u{1b}[2K\u{1b}[1A",
    "a\r\n2026-01-14 auth_success root",
    "gpj.\u{202e}exe",
    "ad\u{200b}min\u{e0041}",
    "\u{27e6}U+001B\u{27e7}",
    "~/\u{0}\u{10ffff}\u{85}",
];

/// Cleans an event and checks everything that must be true of the result.
fn check(before: &Value) -> Value {
    let mut event = read(before);
    let was_critical = event.is_critical();
    let before = written(&event);
    let marks = validate_event(&mut event, TextPolicy::Neutralise).unwrap();
    let after = written(&event);

    assert_inert(&after);
    assert_marks_lead_somewhere(&marks, &after);
    assert_eq!(event.is_critical(), was_critical);
    let marked: BTreeSet<String> = marks.iter().map(str::to_owned).collect();
    assert_eq!(marked, differences(&before, &after).into_iter().collect(), "{before}");
    for (before, after) in texts(&before).into_iter().zip(texts(&after)) {
        assert_eq!(restore(after).unwrap(), before);
    }
    assert_eq!(payload(&event, &marks)["event"], after);
    after
}

#[test]
fn hostile_text_anywhere_in_any_event_is_neutralised_and_marked() {
    for row in AuditEvent::TABLE {
        for text in HOSTILE {
            let event = event_json(row, text);
            assert!(!is_opaque(&read(&event)), "{event}");
            check(&event);
        }
    }
}

#[test]
fn an_event_that_the_table_does_not_know_is_cleaned_in_all_its_members() {
    for row in AuditEvent::TABLE {
        for text in HOSTILE {
            let event = unknown_event_json(row, text);
            assert!(is_opaque(&read(&event)), "{event}");
            check(&event);
        }
    }
}

#[test]
fn an_event_that_says_more_than_its_row_is_cleaned_and_stays_critical() {
    for row in AuditEvent::TABLE {
        for text in HOSTILE {
            let mut event = event_json(row, text);
            event["more"] = json!([text]);
            assert!(is_opaque(&read(&event)), "{event}");
            check(&event);
        }
    }
}

#[test]
fn clean_events_are_not_touched_under_either_policy() {
    for row in AuditEvent::TABLE {
        for json in [event_json, unknown_event_json] {
            let clean = read(&json(row, "m\u{fc}ller \u{200d} C:\\x \"y\""));
            for policy in [TextPolicy::Neutralise, TextPolicy::Reject] {
                let mut event = clean.clone();
                assert!(validate_event(&mut event, policy).unwrap().is_empty());
                assert_eq!(event, clean);
            }
        }
    }
}

#[test]
fn free_text_keeps_its_lines_and_identifiers_do_not() {
    let lines = "first\n\tsecond";
    for row in AuditEvent::TABLE {
        let after = check(&event_json(row, lines));
        for free in ["details", "reason", "violation", "validation_error"] {
            assert!(after.get(free).is_none_or(|text| text == lines), "{after}");
        }
        for identifier in ["path", "worker_id", "customer_id", "endpoint"] {
            assert!(after.get(identifier).is_none_or(|text| text != lines), "{after}");
        }
        for list in ["scope", "capabilities", "data_types", "pools_affected"] {
            assert!(after.get(list).is_none_or(|items| items[0] != lines), "{after}");
        }
        if let Some(result) = after.get("result") {
            assert_eq!(result["failure"]["reason"], lines);
        }
    }
}

#[test]
fn an_event_type_cannot_be_cleaned_into_a_critical_one_or_one_of_the_writers() {
    let hostile =
        ["auth_failure\u{200b}", "\u{feff}auth_failure", "custom\u{0}"].map(str::to_owned);
    let own = LIFECYCLE_TYPES.iter().map(|own| format!("{own}\u{200b}"));
    for text in hostile.into_iter().chain(own) {
        let after = check(&json!({ "event_type": text, "critical": true }));
        assert_eq!(restore(after["event_type"].as_str().unwrap()).unwrap(), text);
    }
}

#[test]
fn an_ip_address_that_is_none_is_kept_as_evidence() {
    let text = "203.0.113.9, <script>\u{1b}]0;x\u{7}";
    let row = AuditEvent::TABLE.iter().find(|row| row.event_type == "auth_failure").unwrap();
    let after = check(&event_json(row, text));
    assert_eq!(restore(after["ip"].as_str().unwrap()).unwrap(), text);
}

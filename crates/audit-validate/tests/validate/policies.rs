//! The policy to reject refuses exactly what would be changed otherwise, and changes nothing.

use audit_core::{AuditEvent, TextPolicy};
use audit_validate::{TextFault, decode_line, validate_event};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::sample::{any_text, event_json, read, text_pointers, unknown_event_json};

fn refusal(event: &Value) -> (String, TextFault) {
    let before = read(event);
    let mut event = before.clone();
    let error = validate_event(&mut event, TextPolicy::Reject).unwrap_err();
    assert_eq!(event, before);
    (error.pointer, error.fault)
}

fn attributes(value: &Value) -> Value {
    json!({
        "event_type": "custom",
        "name": "a.b",
        "timestamp": "2026-01-14T09:26:53Z",
        "critical": false,
        "attributes": value,
    })
}

#[test]
fn a_refusal_names_the_value_and_what_is_wrong_with_it() {
    let row = AuditEvent::TABLE.iter().find(|row| row.event_type == "permission_changed").unwrap();
    let with = |member: &str, value: Value| {
        let mut event = event_json(row, "x");
        event[member] = value;
        refusal(&event)
    };
    assert_eq!(
        with("subject", json!("bob\u{202e}")),
        ("/subject".to_owned(), TextFault::Hostile('\u{202e}'))
    );
    assert_eq!(
        with("subject", json!("\u{27e6}")),
        ("/subject".to_owned(), TextFault::Hostile('\u{27e6}'))
    );
    assert_eq!(
        with("subject", json!("\"".repeat(513))),
        ("/subject".to_owned(), TextFault::TooLong { bytes: 1_026, bytes_max: 1_024 })
    );
    assert_eq!(
        with("new_permissions", json!(["a", "b\u{7f}"])),
        ("/new_permissions/1".to_owned(), TextFault::Hostile('\u{7f}'))
    );
    assert_eq!(
        with("new_permissions", json!(vec!["a"; 65])),
        ("/new_permissions".to_owned(), TextFault::TooManyItems { items: 65, items_max: 64 })
    );
}

#[test]
fn one_hostile_text_anywhere_is_refused_where_it_stands_and_nothing_is_changed() {
    let hostile = TextFault::Hostile('\u{1b}');
    for row in AuditEvent::TABLE {
        for json in [event_json, unknown_event_json] {
            let clean = json(row, "x");
            for pointer in text_pointers(&clean, "x") {
                let mut event = clean.clone();
                *event.pointer_mut(&pointer).unwrap() = json!("y\u{1b}");
                assert_eq!(refusal(&event), (pointer.clone(), hostile));
                let mut event = read(&event);
                let marks = validate_event(&mut event, TextPolicy::Neutralise).unwrap();
                assert_eq!(marks.iter().collect::<Vec<_>>(), [pointer]);
            }
        }
    }
}

#[test]
fn a_refusal_points_into_json() {
    assert_eq!(
        refusal(&attributes(&json!({ "a/b": [1, { "c": "\u{feff}" }] }))),
        ("/attributes/a~1b/1/c".to_owned(), TextFault::Hostile('\u{feff}'))
    );
    assert_eq!(
        refusal(&attributes(&json!({ "k\n": 1 }))),
        ("/attributes/k\u{27e6}U+000A\u{27e7}".to_owned(), TextFault::Hostile('\n'))
    );
    let list = json!({ "list": vec![0; 20_000] });
    let bytes = list.to_string().len();
    assert_eq!(
        refusal(&attributes(&list)),
        ("/attributes".to_owned(), TextFault::TooLong { bytes, bytes_max: 32_768 })
    );
}

#[test]
fn a_line_that_had_to_be_repaired_is_refused_for_what_was_in_it() {
    let line = |text: &[u8]| {
        let mut line = br#"{"event_type":"x","k":""#.to_vec();
        line.extend_from_slice(text);
        line.extend_from_slice(br#""}"#);
        decode_line(&line, TextPolicy::Reject).map_err(|refusal| refusal.to_string())
    };
    assert_eq!(line(b"a\xc3").unwrap_err(), "/k holds the byte C3, which is not UTF-8");
    assert_eq!(line(br"a\udead").unwrap_err(), "/k holds the unpaired surrogate U+DEAD");
    assert_eq!(line(b"a\\u27e6\xff").unwrap_err(), "/k holds U+27E6");
    assert!(line(b"a\xc3\xa9").unwrap().sanitized.is_empty());
}

#[test]
fn a_refusal_shows_a_hostile_key_once_and_a_long_one_not_whole() {
    let refusal = |key: &str| {
        let line = json!({ "event_type": "x", key: 1 }).to_string();
        decode_line(line.as_bytes(), TextPolicy::Reject).unwrap_err().to_string()
    };
    assert_eq!(refusal("k\u{202e}"), "/k\u{27e6}U+202E\u{27e7} holds U+202E");
    assert_eq!(refusal(&"k".repeat(2_000)), format!("/{}...", "k".repeat(239)));
}

#[test]
fn a_value_too_deep_to_be_read_is_refused() {
    let deep = format!("{}{}", "[".repeat(17), "]".repeat(17));
    let refusal = |line: &str| {
        decode_line(line.as_bytes(), TextPolicy::Reject).map_err(|refusal| refusal.to_string())
    };
    let one = refusal(&format!(r#"{{"event_type":"x","k":{deep}}}"#));
    assert_eq!(one.unwrap_err(), "/k is nested deeper than 16 levels");
    let members: Vec<_> = (0..40).map(|index| format!(r#""k{index}":{deep}"#)).collect();
    let many = refusal(&format!(r#"{{"event_type":"x",{}}}"#, members.join(",")));
    assert_eq!(many.unwrap_err(), "the event is nested deeper than 16 levels");
}

proptest! {
    #[test]
    fn what_is_not_refused_is_not_changed(
        row in 0..AuditEvent::TABLE.len(),
        text in prop_oneof![any_text(), "[ -~]{0,8}"],
    ) {
        for json in [event_json, unknown_event_json] {
            let before = read(&json(&AuditEvent::TABLE[row], &text));
            let mut event = before.clone();
            let accepted = validate_event(&mut event, TextPolicy::Reject).is_ok();
            prop_assert_eq!(&event, &before);
            let marks = validate_event(&mut event, TextPolicy::Neutralise).unwrap();
            prop_assert_eq!(accepted, marks.is_empty());
            prop_assert_eq!(accepted, event == before);
        }
    }
}

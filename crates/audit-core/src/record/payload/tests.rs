//! What a payload is, whoever the caller is.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::*;
use crate::event::{EventName, OpaqueEvent};
use crate::marks::Pointer;
use crate::{Digest, is_hostile};

fn payload(event: &AuditEvent<'_>, marks: &Marks) -> String {
    let mut payload = Vec::new();
    write_payload(&mut payload, event, marks);
    assert!(payload.len() <= PAYLOAD_BYTES_MAX, "{}", payload.len());
    String::from_utf8(payload).unwrap()
}

fn opaque(event_type: &str, members: &Value) -> AuditEvent<'static> {
    let members = members.as_object().unwrap().clone();
    AuditEvent::Opaque(OpaqueEvent::new(event_type.to_owned(), Cow::Owned(members)).unwrap())
}

fn custom(attributes: Map<String, Value>) -> AuditEvent<'static> {
    AuditEvent::Custom {
        name: EventName::new("a.b").unwrap(),
        timestamp: EventTime::parse("2026-01-02T00:00:00Z").unwrap(),
        critical: true,
        actor: None,
        resource: None,
        attributes: Cow::Owned(attributes),
    }
}

/// What stands for an event whose JSON this would be.
fn oversized_json(json: &str) -> String {
    format!(r#""oversized":{{"bytes":{},"sha256":"{}"}}"#, json.len(), Digest::of(json.as_bytes()))
}

#[test]
fn an_event_that_does_not_fit_leaves_its_type_its_criticality_and_its_digest() {
    let long = "x".repeat(PAYLOAD_BYTES_MAX);
    let event = AuditEvent::InvalidTokenUsed {
        timestamp: EventTime::parse("2026-01-02T00:00:00Z").unwrap(),
        ip: "::1".into(),
        token_prefix: Cow::Borrowed(&long),
        endpoint: "/".into(),
    };
    let whole = serde_json::to_string(&event).unwrap();
    assert_eq!(
        payload(&event, &Marks::none()),
        format!(
            r#"{{"event_type":"invalid_token_used","timestamp":"2026-01-02T00:00:00Z",{}}},"sanitized":[""]"#,
            oversized_json(&whole)
        )
    );
}

#[test]
fn a_payload_of_exactly_the_limit_is_kept_and_one_more_byte_is_not() {
    let event = |len| AuditEvent::SealVerified {
        timestamp: EventTime::parse("2026-01-02T00:00:00Z").unwrap(),
        shard_id: Cow::Owned("x".repeat(len)),
        worker_id: "w".into(),
    };
    let overhead = serde_json::to_string(&event(0)).unwrap().len();
    let fits = PAYLOAD_BYTES_MAX.saturating_sub(overhead);
    let mut payload = Vec::new();
    write_payload(&mut payload, &event(fits), &Marks::none());
    assert_eq!(payload.len(), PAYLOAD_BYTES_MAX);
    payload.clear();
    write_payload(&mut payload, &event(fits.saturating_add(1)), &Marks::none());
    assert!(payload.len() < 200);
}

#[test]
fn encoding_appends_and_never_overwrites() {
    let mut out = b"before".to_vec();
    write_lifecycle_payload(&mut out, &LifecycleEvent::LogClosed);
    assert_eq!(out, br#"before{"event_type":"log_closed"}"#);
}

#[test]
fn criticality_that_only_a_member_states_is_kept_when_the_event_does_not_fit() {
    let long = "x".repeat(PAYLOAD_BYTES_MAX);
    let stated = custom(json!({ "long": long }).as_object().unwrap().clone());
    let more = opaque("custom", &json!({ "critical": true, "more": long }));
    for event in [stated, more] {
        assert!(event.is_critical());
        let payload = payload(&event, &Marks::none());
        assert!(payload.contains(r#","critical":true,"oversized":"#), "{payload}");
    }
    for routine in ["custom", "x"] {
        let event = opaque(routine, &json!({ "critical": false, "more": long }));
        assert!(!payload(&event, &Marks::none()).contains("critical"));
    }
}

#[test]
fn text_that_nobody_cleaned_is_escaped_so_that_no_hostile_code_point_stands_raw() {
    for c in ('\0'..=char::MAX).filter(|&c| is_hostile(c)) {
        let text = format!("a{c}b");
        let event = opaque(&text, &json!({ text.as_str(): [{ "k": text }] }));
        let mut marks = Marks::none();
        marks.add(&Pointer::member(&text));
        let payload = payload(&event, &marks);
        assert!(!payload.chars().any(is_hostile), "U+{:04X}", u32::from(c));
        let read: Value = serde_json::from_str(&format!("{{\"event\":{payload}}}")).unwrap();
        assert_eq!(read["event"]["event_type"], text);
        assert_eq!(read["event"][&text][0]["k"], text);
        assert_eq!(read["sanitized"][0], format!("/{text}"));
    }
}

#[test]
fn clean_text_is_written_as_it_is() {
    let text = "m\u{fc}ller \u{27e6}U+202E\u{27e7} \u{200d}\u{1f600}";
    let json = payload(&opaque("x", &json!({ "k": text })), &Marks::none());
    assert_eq!(json, format!(r#"{{"event_type":"x","k":"{text}"}}"#));
}

#[test]
fn a_type_that_nobody_shortened_does_not_outgrow_a_record() {
    for long in ["\u{e0001}".repeat(100_000), "\0".repeat(100_000), "y".repeat(100_000)] {
        let payload = payload(&opaque(&long, &json!({})), &Marks::none());
        let kept: String = long.chars().take(EVENT_TYPE_CHARS_KEPT).collect();
        let read: Value = serde_json::from_str(&format!("[{}]", event_of(&payload))).unwrap();
        assert_eq!(read[0]["event_type"], kept);
    }
}

fn event_of(payload: &str) -> &str {
    payload.strip_suffix(r#","sanitized":[""]"#).unwrap()
}

#[test]
fn marks_that_nobody_limited_do_not_outgrow_a_record() {
    let mut marks = Marks::none();
    (0..32).for_each(|index| marks.add(&Pointer::member("\0".repeat(50).as_str()).item(index)));
    let text = "x".repeat(PAYLOAD_BYTES_MAX.saturating_sub(5_000));
    assert!(payload(&opaque("x", &json!({ "k": text })), &marks).contains("oversized"));
}

#[test]
fn nesting_that_nobody_limited_leaves_the_digest() {
    let nested = |levels: usize| (1..levels).fold(json!([]), |inner, _| json!([inner, "]]}"]));
    let deepest = opaque("x", &json!({ "k": nested(RECORD_DEPTH_MAX - 1) }));
    let whole = serde_json::to_string(&deepest).unwrap();
    assert_eq!(payload(&deepest, &Marks::none()), whole);
    let deeper = opaque("x", &json!({ "k": nested(RECORD_DEPTH_MAX) }));
    let whole = serde_json::to_string(&deeper).unwrap();
    let expected = format!(r#"{{"event_type":"x",{}}},"sanitized":[""]"#, oversized_json(&whole));
    assert_eq!(payload(&deeper, &Marks::none()), expected);
}

#[test]
fn brackets_beside_each_other_and_in_texts_are_no_nesting() {
    let event = opaque("x", &json!({ "k": vec![json!(["[[[[{{{{\\\"[[["]); 100] }));
    let whole = serde_json::to_string(&event).unwrap();
    assert_eq!(payload(&event, &Marks::none()), whole);
}

//! What must be true of events made from the table, and texts to make them of.

use audit_core::limits::PAYLOAD_BYTES_MAX;
use audit_core::record::write_payload;
use audit_core::{AuditEvent, Marks, is_hostile};
use proptest::prelude::*;
use serde_json::{Map, Value};

pub(crate) use audit_testkit::events::{event_json, read, unknown_event_json};

pub(crate) fn is_opaque(event: &AuditEvent<'_>) -> bool {
    matches!(event, AuditEvent::Opaque(_))
}

pub(crate) fn written(event: &AuditEvent<'_>) -> Value {
    serde_json::to_value(event).unwrap()
}

/// The event and the `sanitized` list that a record of it would hold.
pub(crate) fn payload(event: &AuditEvent<'_>, marks: &Marks) -> Value {
    let mut payload = br#"{"event":"#.to_vec();
    write_payload(&mut payload, event, marks);
    payload.push(b'}');
    assert!(payload.len() - br#"{"event":}"#.len() <= PAYLOAD_BYTES_MAX, "{}", payload.len());
    serde_json::from_slice(&payload).unwrap()
}

/// Every text of a value, keys among them.
pub(crate) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(map) => {
            let values = map.values().flat_map(texts);
            map.keys().map(String::as_str).chain(values).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// Pointers to the values that are this text.
pub(crate) fn text_pointers(value: &Value, text: &str) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::String(found) if found == text => return vec![String::new()],
        Value::Array(items) => (0..).map(|index: usize| index.to_string()).zip(items).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    };
    let below = |(token, value): (String, &Value)| {
        text_pointers(value, text).into_iter().map(move |pointer| format!("/{token}{pointer}"))
    };
    inner.into_iter().flat_map(below).collect()
}

#[track_caller]
pub(crate) fn assert_inert(value: &Value) {
    for text in texts(value) {
        let raw = text.chars().find(|&c| is_hostile(c) && c != '\t' && c != '\n');
        assert_eq!(raw, None, "in {text:?}");
    }
}

#[track_caller]
pub(crate) fn assert_marks_lead_somewhere(marks: &Marks, event: &Value) {
    for pointer in marks.iter() {
        assert!(event.pointer(pointer).is_some(), "{pointer} leads nowhere in {event}");
    }
}

/// Pointers to what differs between two events of the same shape, keys under their new names.
pub(crate) fn differences(before: &Value, after: &Value) -> Vec<String> {
    match (before, after) {
        (Value::Array(before), Value::Array(after)) => {
            assert_eq!(before.len(), after.len());
            let items = before.iter().zip(after).enumerate();
            items
                .flat_map(|(index, (before, after))| below(&index.to_string(), before, after))
                .collect()
        }
        (Value::Object(before), Value::Object(after)) => members_that_differ(before, after),
        (before, after) if before == after => Vec::new(),
        _ => vec![String::new()],
    }
}

fn members_that_differ(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<String> {
    assert_eq!(before.len(), after.len(), "two keys became one");
    let mut found = Vec::new();
    for ((old, before), (new, after)) in before.iter().zip(after) {
        let token = new.replace('~', "~0").replace('/', "~1");
        if old != new {
            found.push(format!("/{token}"));
        }
        found.extend(below(&token, before, after));
    }
    found
}

fn below(token: &str, before: &Value, after: &Value) -> Vec<String> {
    differences(before, after).into_iter().map(|inner| format!("/{token}{inner}")).collect()
}

/// Characters of every kind that cleaning tells apart.
pub(crate) fn any_text() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        '\0',
        '\t',
        '\n',
        '\r',
        '\u{1b}',
        '\u{7f}',
        '\u{9b}',
        '"',
        '\\',
        '/',
        '~',
        '\u{200d}',
        '\u{202e}',
        '\u{feff}',
        '\u{27e6}',
        '\u{27e7}',
        '\u{e0041}',
        '\u{10ffff}',
        'U',
        '+',
        '0',
    ]);
    let char = prop_oneof![odd, any::<char>(), prop::char::range(' ', '~')];
    prop::collection::vec(char, 0..40).prop_map(String::from_iter)
}

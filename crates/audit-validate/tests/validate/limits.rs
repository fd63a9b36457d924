//! However much a caller hands in, a record has room for it.

use std::borrow::Cow;

use audit_core::event::{EventName, FieldKind, OpaqueEvent};
use audit_core::limits::{FREE_TEXT_BYTES_MAX, JSON_BYTES_MAX, TEXT_BYTES_MAX};
use audit_core::{AuditEvent, Digest, EventTime, Marks, TextPolicy};
use audit_validate::{RestoreError, decode_line, restore, validate_event};
use serde_json::{Value, json};

use crate::sample::{
    assert_inert, assert_marks_lead_somewhere, event_json, payload, read, texts,
    unknown_event_json, written,
};

/// Cleans an event, checks that its record has room for it, and returns what was kept.
fn kept(mut event: AuditEvent<'_>) -> (Value, Marks) {
    let was_critical = event.is_critical();
    let marks = validate_event(&mut event, TextPolicy::Neutralise).unwrap();
    let after = written(&event);
    assert_inert(&after);
    assert_marks_lead_somewhere(&marks, &after);
    assert_eq!(event.is_critical(), was_critical);
    payload(&event, &marks);
    (after, marks)
}

fn custom(attributes: &Value) -> AuditEvent<'_> {
    AuditEvent::Custom {
        name: EventName::new("a.b").unwrap(),
        timestamp: EventTime::parse("2026-01-14T09:26:53Z").unwrap(),
        critical: true,
        actor: None,
        resource: None,
        attributes: Cow::Borrowed(attributes.as_object().unwrap()),
    }
}

fn oversized(original: &Value) -> Value {
    let original = original.to_string();
    let sha256 = Digest::of(original.as_bytes()).to_string();
    json!({ "oversized": { "bytes": original.len(), "sha256": sha256 } })
}

fn pointers(marks: &Marks) -> Vec<&str> {
    marks.iter().collect()
}

#[test]
fn long_hostile_text_in_every_place_of_every_event() {
    for text in ["\u{1b}".repeat(8_192), "\"\u{e0041}".repeat(8_192), "\\".repeat(40_000)] {
        for row in AuditEvent::TABLE {
            for json in [event_json, unknown_event_json] {
                let (after, _) = kept(read(&json(row, &text)));
                let longest = |text: &&str| json!(text).to_string().len() - 2;
                let bytes = texts(&after).iter().map(longest).max().unwrap();
                assert!(bytes <= FREE_TEXT_BYTES_MAX, "{bytes} in {}", row.event_type);
            }
        }
    }
}

#[test]
fn a_text_and_a_free_text_use_their_limits_up() {
    let row = AuditEvent::TABLE.iter().find(|row| row.event_type == "policy_violation").unwrap();
    let (after, _) = kept(read(&event_json(row, &"x".repeat(10_000))));
    assert_eq!(after["policy"].as_str().unwrap().len(), TEXT_BYTES_MAX - 16);
    assert_eq!(after["details"].as_str().unwrap().len(), FREE_TEXT_BYTES_MAX - 16);
    let sha256 = Digest::of("x".repeat(10_000).as_bytes());
    assert_eq!(
        restore(after["policy"].as_str().unwrap()),
        Err(RestoreError::Shortened { bytes: 10_000 - 919, sha256 })
    );
}

#[test]
fn ten_thousand_items_become_sixty_four_and_one() {
    let items: Vec<String> = (0..10_000).map(|index| format!("p\u{1b}{index}")).collect();
    for row in AuditEvent::TABLE {
        let is_list = |kind| kind == FieldKind::TextList;
        for list in row.fields.iter().filter(|field| is_list(field.kind)) {
            let mut event = event_json(row, "x");
            event[list.name] = json!(items);
            let (after, marks) = kept(read(&event));
            let after = after[list.name].as_array().unwrap();
            assert_eq!(after.len(), 65);
            assert_eq!(restore(after[63].as_str().unwrap()).unwrap(), items[63]);
            let rest = serde_json::to_string(&items[64..]).unwrap();
            assert_eq!(
                restore(after[64].as_str().unwrap()),
                Err(RestoreError::Shortened {
                    bytes: rest.len(),
                    sha256: Digest::of(rest.as_bytes())
                })
            );
            assert!(marks.is_whole());
        }
    }
}

#[test]
fn the_item_that_stands_for_the_rest_is_marked_alone() {
    let row = AuditEvent::TABLE.iter().find(|row| row.event_type == "data_deleted").unwrap();
    let mut event = event_json(row, "x");
    event["data_types"] = json!(vec!["y"; 64]);
    assert_eq!(pointers(&kept(read(&event)).1), [""; 0]);
    event["data_types"] = json!(vec!["y"; 65]);
    assert_eq!(pointers(&kept(read(&event)).1), ["/data_types/64"]);
}

#[test]
fn a_long_list_of_numbers_leaves_the_type_and_the_digest() {
    let row = AuditEvent::TABLE.iter().find(|row| row.event_type == "pool_created").unwrap();
    let mut event = event_json(row, "x");
    event["gpu_devices"] = json!((0..100_000).collect::<Vec<u32>>());
    kept(read(&event));
}

#[test]
fn a_long_text_in_json_is_shortened_before_its_value_is_given_up() {
    let long = "\u{7}".repeat(300_000);
    let (after, marks) = kept(custom(&json!({ "a": 1, "long": long })));
    assert_eq!(pointers(&marks), ["/attributes/long"]);
    assert_eq!(after["attributes"]["a"], 1);
    let text = after["attributes"]["long"].as_str().unwrap();
    assert_eq!(text.chars().filter(|&c| c == '\u{27e6}').count(), 673 + 1);
}

#[test]
fn json_of_300_kilobytes_leaves_its_size_and_digest() {
    let entry = |index: u32| (format!("k\u{1b}{index}"), json!("v\u{202e}".repeat(10)));
    let attributes = Value::Object((0..5_000).map(entry).collect());
    let (after, marks) = kept(custom(&attributes));
    assert_eq!(after["attributes"], oversized(&attributes));
    assert_eq!(pointers(&marks), ["/attributes"]);

    let list = json!({ "list": vec!["\n"; 10_000] });
    let (after, marks) = kept(custom(&list));
    assert_eq!(after["attributes"], oversized(&list));
    assert_eq!(pointers(&marks), ["/attributes"]);
}

#[test]
fn the_limit_of_json_is_exact() {
    let overhead = json!({ "k": [""] }).to_string().len();
    let attributes = |bytes| {
        let parts = vec!["x".repeat(4_096 - 3); 7];
        let used: usize = parts.iter().map(|part| part.len() + 3).sum();
        let last = "x".repeat(bytes - overhead - used);
        json!({ "k": parts.into_iter().chain([last]).collect::<Vec<_>>() })
    };
    assert_eq!(attributes(JSON_BYTES_MAX).to_string().len(), JSON_BYTES_MAX);
    assert!(kept(custom(&attributes(JSON_BYTES_MAX))).1.is_empty());
    let (after, _) = kept(custom(&attributes(JSON_BYTES_MAX + 1)));
    assert_eq!(after["attributes"], oversized(&attributes(JSON_BYTES_MAX + 1)));
}

#[test]
fn depth_is_counted_alike_in_memory_and_in_a_line() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for (inner, marked) in [(15, &[][..]), (16, &["/attributes"])] {
        let attributes: Value = serde_json::from_str(&nested(inner)).unwrap();
        let attributes = json!({ "k": attributes });
        let (in_memory, marks) = kept(custom(&attributes));
        assert_eq!(pointers(&marks), marked);
        let line = written(&custom(&attributes)).to_string();
        let decoded = decode_line(line.as_bytes(), TextPolicy::Neutralise).unwrap();
        assert_eq!(pointers(&decoded.sanitized), marked);
        assert_eq!(written(&decoded.event), in_memory);
    }
}

#[test]
fn five_hundred_levels_leave_their_size_and_digest() {
    let mut deep = json!("\u{1b}");
    for level in 0..500 {
        deep = if level % 2 == 0 { json!([deep]) } else { json!({ "k": deep }) };
    }
    let (after, marks) = kept(custom(&deep));
    assert_eq!(after["attributes"], oversized(&deep));
    assert_eq!(pointers(&marks), ["/attributes"]);

    let members = json!({ "flat": 1, "deep\n": deep });
    let members = Cow::Borrowed(members.as_object().unwrap());
    let (after, marks) = kept(AuditEvent::Opaque(OpaqueEvent::new("x", members).unwrap()));
    assert_eq!(after["flat"], 1);
    assert_eq!(after["deep\u{27e6}U+000A\u{27e7}"], oversized(&deep));
    assert_eq!(pointers(&marks), ["/deep\u{27e6}U+000A\u{27e7}"]);
}

#[test]
fn long_keys_that_differ_at_their_end_stay_different() {
    let key = |end: &str| format!("{}{end}", "k".repeat(300_000));
    let (after, marks) = kept(custom(&json!({ key("a"): 1, key("b"): 2, key("c"): 3 })));
    let attributes = after["attributes"].as_object().unwrap();
    assert_eq!(attributes.values().collect::<Vec<_>>(), [1, 2, 3]);
    assert!(attributes.keys().all(|key| key.len() <= TEXT_BYTES_MAX));
    // Three pointers of a thousand bytes each are more than the list of marks holds.
    assert!(marks.is_whole());
}

#[test]
fn a_million_members_leave_a_record_that_fits() {
    let members: serde_json::Map<_, _> =
        (0..200_000).map(|index| (format!("{index}\u{0}"), json!("\u{0}"))).collect();
    let members = Cow::Owned(members);
    kept(AuditEvent::Opaque(OpaqueEvent::new("x\u{0}", members).unwrap()));
}

#[test]
fn an_integer_of_sixty_digits_is_kept_or_refused_and_never_rounded() {
    let digits = "1234567890".repeat(6);
    let line = format!(r#"{{"event_type":"x","n":{digits},"text":"\u001b"}}"#);
    match decode_line(line.as_bytes(), TextPolicy::Neutralise) {
        Ok(decoded) => {
            assert_eq!(written(&decoded.event)["n"].to_string(), digits);
            assert_eq!(pointers(&decoded.sanitized), ["/text"]);
        }
        Err(refusal) => {
            let cannot = format!("the number {} cannot be kept as it is written", &digits[..40]);
            assert_eq!(refusal.to_string(), cannot);
        }
    }
}

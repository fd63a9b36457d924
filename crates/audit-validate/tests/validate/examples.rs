//! The events of `examples/events.jsonl`, which documents and demonstrations use.

use std::collections::BTreeSet;

use audit_core::{AuditEvent, TextPolicy};
use audit_validate::decode_line;

use crate::sample::{is_opaque, written};

const EXAMPLES: &str = include_str!("../../../../examples/events.jsonl");

#[test]
fn every_line_is_an_event() {
    let mut times = Vec::new();
    for (number, line) in (1..).zip(EXAMPLES.lines()) {
        let decoded = decode_line(line.as_bytes(), TextPolicy::Neutralise);
        let event = decoded.unwrap_or_else(|refusal| panic!("line {number}: {refusal}")).event;
        times.push(event.timestamp().unwrap().instant());
    }
    assert!(times.is_sorted());
    assert!(EXAMPLES.is_ascii() && EXAMPLES.ends_with('\n'));
}

#[test]
fn every_event_of_the_table_occurs_with_its_optional_members_and_without() {
    let mut found = BTreeSet::new();
    for line in EXAMPLES.lines() {
        let event = decode_line(line.as_bytes(), TextPolicy::Neutralise).unwrap().event;
        if is_opaque(&event) {
            found.insert(("opaque", "", true));
            continue;
        }
        let json = serde_json::to_value(&event).unwrap();
        let row =
            AuditEvent::TABLE.iter().find(|row| row.event_type == event.event_type()).unwrap();
        found.insert((row.event_type, "", true));
        for field in row.fields {
            found.insert((row.event_type, field.name, json.get(field.name).is_some()));
        }
    }
    assert!(found.contains(&("opaque", "", true)));
    for row in AuditEvent::TABLE {
        assert!(found.contains(&(row.event_type, "", true)), "{}", row.event_type);
        for field in row.fields {
            let member = (row.event_type, field.name);
            assert!(found.contains(&(member.0, member.1, true)), "no {member:?}");
            assert!(!field.optional || found.contains(&(member.0, member.1, false)), "{member:?}");
        }
    }
}

#[test]
fn every_shape_of_a_member_occurs() {
    let mut found = BTreeSet::new();
    for line in EXAMPLES.lines() {
        let event = decode_line(line.as_bytes(), TextPolicy::Neutralise).unwrap().event;
        let json = written(&event);
        for (member, optional) in
            [("actor", "ip"), ("actor", "session_id"), ("resource", "parent_id")]
        {
            if let Some(value) = json.get(member) {
                found.insert(format!("{member}.{optional} {}", value.get(optional).is_some()));
            }
        }
        let result = &json["result"];
        found.extend(result.as_str().map(str::to_owned));
        found.extend(result.as_object().into_iter().flat_map(|result| result.keys().cloned()));
        if event.event_type() == "custom" {
            found.insert(format!("custom {}", event.is_critical()));
        }
    }
    for shape in [
        "actor.ip true",
        "actor.ip false",
        "actor.session_id true",
        "actor.session_id false",
        "resource.parent_id true",
        "resource.parent_id false",
        "success",
        "failure",
        "partial_success",
        "custom true",
        "custom false",
    ] {
        assert!(found.contains(shape), "{shape}");
    }
}

#[test]
fn the_hostile_ones_are_made_visible() {
    let mut shown = String::new();
    for line in EXAMPLES.lines() {
        let decoded = decode_line(line.as_bytes(), TextPolicy::Neutralise).unwrap();
        if !decoded.sanitized.is_empty() {
            shown.push_str(&serde_json::to_string(&decoded.event).unwrap());
        }
    }
    for hostile in ["U+001B", "U+202E", "U+000D", "U+200B"] {
        assert!(shown.contains(hostile), "{hostile}");
    }
}

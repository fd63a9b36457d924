//! The schema of a record, made from the event table: a new row needs no edit here.
//!
//! Every line that a writer can write fits it. So a member that may be absent may hold anything,
//! since what a caller put there is kept; and a value that was too large is its size and digest.

use audit_core::AuditEvent;
use audit_core::event::{EventRow, FieldRow};
use audit_core::limits::{FORMAT_VERSION, MARKS_MAX, SEQ_MAX, SERVICE_ID_BYTES_MAX};
use serde_json::{Map, Value, json};

use super::{kinds, lifecycle};

/// The schema of a line of a log.
pub(super) fn schema() -> Value {
    let service =
        format!("[A-Za-z0-9][A-Za-z0-9._-]{{0,{}}}", SERVICE_ID_BYTES_MAX.saturating_sub(1));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Record",
        "description": "A line of an audit log, version 1. A schema sees no bytes: whether a record \
                        is what was written, only its hash tells.",
        "type": "object",
        "properties": {
            "v": { "const": FORMAT_VERSION, "description": "Version of the format." },
            "seq": {
                "type": "integer", "minimum": 0, "maximum": SEQ_MAX,
                "description": "Place in the log, from 0, without a gap.",
            },
            "audit_id": { "type": "string", "pattern": format!("^audit-{service}-[0-9a-f]{{16}}$") },
            "timestamp": kinds::reference("RecordTime"),
            "service_id": { "type": "string", "pattern": format!("^{service}$") },
            "event": kinds::reference("Event"),
            "sanitized": {
                "description": "Pointers (RFC 6901) to the values of the event that were \
                                neutralised or shortened; a single \"\" when there were more.",
                "type": "array", "minItems": 1, "maxItems": MARKS_MAX, "uniqueItems": true,
                "items": { "type": "string", "pattern": "^(/([^~/]|~[01])*)*$" },
            },
            "prev_hash": kinds::reference("Sha256"),
            "seal": kinds::reference("Seal"),
            "hash": kinds::reference("Sha256"),
        },
        "required":
            ["v", "seq", "audit_id", "timestamp", "service_id", "event", "prev_hash", "hash"],
        "additionalProperties": false,
        "$defs": definitions(),
    })
}

fn definitions() -> Map<String, Value> {
    let callers = AuditEvent::TABLE.iter().map(|row| (row.event_type, event(row)));
    let writers = lifecycle::EVENTS.iter().map(|row| (row.event_type, row.schema()));
    let mut definitions = Map::new();
    definitions.insert("Event".to_owned(), any_event());
    for (name, schema) in kinds::definitions().into_iter().chain(callers).chain(writers) {
        definitions.insert(name.to_owned(), schema);
    }
    definitions
}

/// An event of any type: one that is known has the members of its type.
fn any_event() -> Value {
    let when = |event_type: &str, then: Value| json!({ "if": { "properties": { "event_type": { "const": event_type } } }, "then": then });
    let callers = AuditEvent::TABLE.iter().map(|row| {
        let forms = [kinds::reference(row.event_type), kinds::reference("OversizedEvent")];
        when(row.event_type, json!({ "anyOf": forms }))
    });
    let writers =
        lifecycle::EVENTS.iter().map(|row| when(row.event_type, kinds::reference(row.event_type)));
    let known: Vec<Value> = callers.chain(writers).collect();
    json!({
        "description": "What happened. Events of other types than these are recorded too.",
        "type": "object",
        "properties": { "event_type": { "type": "string" } },
        "required": ["event_type"],
        "allOf": known,
    })
}

/// The schema of an event of the table.
fn event(row: &EventRow) -> Value {
    let member = |field: &FieldRow| (field.name.to_owned(), kinds::member(field));
    let members: Map<String, Value> = row.fields.iter().map(member).collect();
    let required = row.fields.iter().filter(|field| !field.optional).map(|field| field.name);
    json!({
        "description": row.doc.trim(),
        "type": "object",
        "properties": members,
        "required": required.collect::<Vec<_>>(),
    })
}

//! What the members of events hold, as definitions of the record's schema.

use audit_core::event::{FieldKind, FieldRow, Severity};
use audit_core::limits::EVENT_NAME_BYTES_MAX;
use serde_json::{Value, json};

/// A reference to a definition.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// The schema of a member of an event.
pub(super) fn member(field: &FieldRow) -> Value {
    let otherwise = if field.optional { "AsItCame" } else { "Oversized" };
    either(name(field.kind), otherwise)
}

fn either(one: &str, other: &str) -> Value {
    json!({ "anyOf": [reference(one), reference(other)] })
}

/// The name of a kind's definition. Names of event types are in lower case, so they differ.
const fn name(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Text => "Text",
        FieldKind::TextList => "TextList",
        FieldKind::U32 => "U32",
        FieldKind::U64 => "U64",
        FieldKind::U32List => "U32List",
        FieldKind::Bool => "Bool",
        FieldKind::Time => "Time",
        FieldKind::Ip => "Ip",
        FieldKind::Json => "Json",
        FieldKind::Object => "Object",
        FieldKind::Name => "EventName",
        FieldKind::Actor => "Actor",
        FieldKind::Resource => "Resource",
        FieldKind::Result => "Result",
        FieldKind::Severity => "Severity",
    }
}

/// Every definition but those of the events.
pub(super) fn definitions() -> Vec<(&'static str, Value)> {
    [texts(), numbers(), compounds(), forms()].concat()
}

fn texts() -> Vec<(&'static str, Value)> {
    let text = |description: &str| json!({ "description": description, "type": "string" });
    let severities = [
        Severity::Info.as_str(),
        Severity::Low.as_str(),
        Severity::Medium.as_str(),
        Severity::High.as_str(),
        Severity::Critical.as_str(),
    ];
    let event_name =
        format!("1 to {EVENT_NAME_BYTES_MAX} of a-z 0-9 _ . or the text in their place.");
    vec![
        ("Text", text("Text whose hostile code points were made visible.")),
        ("Ip", text("An IP address, or the text that stood in its place.")),
        (
            "Severity",
            json!({ "description": "How bad it is.", "type": "string", "examples": severities }),
        ),
        ("EventName", text(&event_name)),
        ("Time", json!({ "type": "string", "format": "date-time" })),
        (
            "RecordTime",
            json!({
                "description": "When the writer accepted it. It may go back: order is by seq.",
                "type": "string",
                "format": "date-time",
                "pattern": "^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\\.[0-9]{9}Z$",
            }),
        ),
        ("Sha256", json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" })),
        // The last digit of 32 bytes in Base 64 has two bits that are not used.
        ("Root", json!({ "type": "string", "pattern": "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$" })),
        // The last digit of 16 bytes in base64url has four bits that are not used.
        (
            "Seal",
            json!({
                "description": "That who has the log's key made the record. Most have none.",
                "type": "string",
                "pattern": "^[A-Za-z0-9_-]{21}[AQgw]$",
            }),
        ),
        ("LogId", json!({ "type": "string", "pattern": "^[0-9a-f]{32}$" })),
        ("Head", json!({ "type": "string", "pattern": "^(0|[1-9][0-9]{0,15}):[0-9a-f]{64}$" })),
        (
            "SegmentName",
            json!({
                "type": "string",
                "pattern": "^[0-9]{20}\\.[0-9]{4}-[0-9]{2}-[0-9]{2}\\.audit\\.jsonl$",
            }),
        ),
    ]
}

/// A number beyond its range is kept as it came, but for those that a writer adds.
fn numbers() -> Vec<(&'static str, Value)> {
    let number = |bits: u32| {
        let description =
            format!("An unsigned integer of {bits} bits, or the number in its place.");
        json!({ "description": description, "type": "number" })
    };
    vec![
        ("U32", number(u32::BITS)),
        ("U64", number(u64::BITS)),
        ("Count", json!({ "type": "integer", "minimum": 0 })),
        ("Bool", json!({ "type": "boolean" })),
    ]
}

fn compounds() -> Vec<(&'static str, Value)> {
    let list = |of: &str| json!({ "type": "array", "items": reference(of) });
    let object = |description: &str, properties: Value, required: &[&str]| {
        json!({
            "description": description,
            "type": "object", "properties": properties, "required": required,
        })
    };
    let only = |name: &str, text: &str| {
        let inner = json!({
            "type": "object", "properties": { (text): reference("Text") }, "required": [text],
        });
        json!({ "type": "object", "properties": { (name): inner }, "required": [name] })
    };
    vec![
        ("TextList", list("Text")),
        ("U32List", list("U32")),
        ("Json", json!({ "description": "Any value." })),
        ("Object", json!({ "type": "object" })),
        (
            "Actor",
            object(
                "Who did it.",
                json!({
                    "user_id": reference("Text"),
                    "ip": either("Ip", "AsItCame"),
                    "auth_method": reference("Text"),
                    "session_id": either("Text", "AsItCame"),
                }),
                &["user_id", "auth_method"],
            ),
        ),
        (
            "Resource",
            object(
                "What it was done to.",
                json!({
                    "resource_type": reference("Text"),
                    "resource_id": reference("Text"),
                    "parent_id": either("Text", "AsItCame"),
                }),
                &["resource_type", "resource_id"],
            ),
        ),
        (
            "Result",
            json!({
                "description": "How it ended.",
                "anyOf": [
                    { "const": "success" },
                    only("failure", "reason"),
                    only("partial_success", "details"),
                ],
            }),
        ),
    ]
}

/// What stands for a value that is not as the table says.
fn forms() -> Vec<(&'static str, Value)> {
    let digest = json!({
        "type": "object",
        "properties": { "bytes": reference("Count"), "sha256": reference("Sha256") },
        "required": ["bytes", "sha256"],
    });
    vec![
        (
            "AsItCame",
            json!({ "description": "Anything: what a caller put in the place of a member that \
                                    may be absent is kept as it came." }),
        ),
        (
            "Oversized",
            json!({
                "description": "Size and digest of a value that was too large.",
                "type": "object",
                "properties": { "oversized": digest },
                "required": ["oversized"],
            }),
        ),
        (
            "OversizedEvent",
            json!({
                "description": "What stands for an event that did not fit a record.",
                "type": "object",
                "properties": {
                    "event_type": reference("Text"),
                    "timestamp": reference("Time"),
                    "critical": reference("Bool"),
                    "oversized": digest,
                },
                "required": ["event_type", "oversized"],
                "additionalProperties": false,
            }),
        ),
    ]
}

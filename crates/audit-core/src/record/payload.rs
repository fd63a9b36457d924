//! The payload: what a caller contributes to a record, and what holds of it whoever the caller is.
//!
//! Text is made safe before it comes here, by `audit-validate`. A caller of the writer can leave
//! that out, and then loses the marks and the way back to the original, but not the log: a payload
//! is always one line of JSON within the limits of the format, and no hostile code point stands in
//! it raw.

use std::borrow::Cow;

use serde::Serialize;

use crate::event::json::oversized;
use crate::event::{AuditEvent, is_critical_type};
use crate::hostile::escape_json;
use crate::lifecycle::LifecycleEvent;
use crate::limits::{EVENT_TYPE_CHARS_KEPT, PAYLOAD_BYTES_MAX, RECORD_DEPTH_MAX};
use crate::marks::Marks;
use crate::time::EventTime;

/// Appends the payload of an event. Should it not fit a record, its type, time, size and digest
/// stand in its place, so a record always fits. A hostile code point that nobody has cleaned is
/// written as its JSON escape. Allocates nothing once `out` has room, unless the event is oversized
/// or was not cleaned.
///
/// Recurses as deep as the JSON values of the event, which `audit-validate` limits.
pub fn write_payload(out: &mut Vec<u8>, event: &AuditEvent<'_>, sanitized: &Marks) {
    let start = out.len();
    write_json(out, event);
    let event_end = out.len();
    write_marks(out, sanitized);
    if fits(out.get(start..).unwrap_or_default()) {
        return;
    }
    let event_type = event.event_type();
    let kept = event_type.char_indices().nth(EVENT_TYPE_CHARS_KEPT).map_or(event_type.len(), first);
    let stub = Stub {
        event_type: event_type.get(..kept).unwrap_or_default(),
        timestamp: event.timestamp(),
        critical: event.is_critical() && !is_critical_type(event_type, || false),
        oversized: oversized(out.get(start..event_end).unwrap_or_default()).remove("oversized"),
    };
    out.truncate(start);
    write_json(out, &stub);
    write_marks(out, &Marks::whole());
}

/// Appends the payload of an event of the writer's own.
pub fn write_lifecycle_payload(out: &mut Vec<u8>, event: &LifecycleEvent) {
    write_json(out, event);
}

/// What stands for an event that does not fit.
#[derive(Serialize)]
struct Stub<'e> {
    event_type: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<EventTime>,
    /// Said where the type alone does not say it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    critical: bool,
    oversized: Option<serde_json::Value>,
}

fn first<T>((at, _): (usize, T)) -> usize {
    at
}

fn write_marks(out: &mut Vec<u8>, sanitized: &Marks) {
    if !sanitized.is_empty() {
        out.extend_from_slice(br#","sanitized":"#);
        write_json(out, sanitized);
    }
}

fn write_json(out: &mut Vec<u8>, value: &impl Serialize) {
    let start = out.len();
    // Maps with text keys, texts, integers and finite floats: none of them fails to encode, and
    // writing into a Vec does not either.
    let written = serde_json::to_writer(&mut *out, value);
    debug_assert!(written.is_ok());
    escape_hostile(out, start);
}

/// Writes each hostile code point of the JSON behind `start` as its escape. JSON escapes the
/// controls below U+0020 itself; the others stand in texts only.
fn escape_hostile(out: &mut Vec<u8>, start: usize) {
    let json = out.get(start..).unwrap_or_default();
    if json.is_ascii() && !json.contains(&0x7f) {
        return;
    }
    let Cow::Owned(escaped) = escape_json(&String::from_utf8_lossy(json)) else { return };
    out.truncate(start);
    out.extend_from_slice(escaped.as_bytes());
}

fn fits(payload: &[u8]) -> bool {
    payload.len() <= PAYLOAD_BYTES_MAX && !is_deeper(payload, RECORD_DEPTH_MAX)
}

/// Whether arrays and objects are nested in each other more than `depth_max` times in JSON.
fn is_deeper(json: &[u8], depth_max: usize) -> bool {
    let opens = |byte: &&u8| matches!(byte, b'[' | b'{');
    if json.iter().filter(opens).count() <= depth_max {
        return false;
    }
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    json.iter().any(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth = depth.saturating_add(1),
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > depth_max
    })
}

#[cfg(test)]
mod tests;

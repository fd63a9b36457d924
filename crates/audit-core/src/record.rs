//! The record line: one JSON object, built whole in the caller's buffer.
//!
//! ```text
//! {"v":1,"seq":N,"audit_id":"audit-S-H","timestamp":"T","service_id":"S","event":E[,"sanitized":F],"prev_hash":"P","hash":"D"} LF
//! |<------------------------------------------------- B ------------------------------------------------->|<--- 75 --->|
//! ```
//!
//! `D` is [`leaf_hash`] of `B`, the line without its last 75 bytes and its line feed. What a caller
//! contributes, `E[,"sanitized":F]`, is the *payload*: it needs neither seq nor link, so it can be
//! encoded before the record has its place.

use std::io::Write as _;

use serde::Serialize;

use crate::digest::{Digest, leaf_hash};
use crate::event::AuditEvent;
use crate::event::json::oversized;
use crate::lifecycle::LifecycleEvent;
use crate::limits::{FORMAT_VERSION, PAYLOAD_BYTES_MAX, RECORD_BYTES_MAX};
use crate::marks::Marks;
use crate::service::ServiceId;
use crate::time::{EventTime, RecordTime};

/// Bytes at the end of a line, before its line feed, that the hash does not cover.
pub const HASH_FIELD_BYTES: usize = 75;

/// What stands between the covered bytes and the 64 digits of the hash.
pub const HASH_FIELD_START: &[u8] = br#","hash":""#;

/// What stands after them.
pub const HASH_FIELD_END: &[u8] = br#""}"#;

/// What the writer puts before the payload.
#[derive(Clone, Copy, Debug)]
pub struct RecordHead<'a> {
    /// Place in the log.
    pub seq: u64,
    /// `audit-S-H`.
    pub audit_id: &'a str,
    /// When the writer accepted it.
    pub timestamp: RecordTime,
    /// The log's service.
    pub service_id: ServiceId,
}

/// Appends the payload of an event. Should it not fit a record, its type, time, size and digest
/// stand in its place, so a record always fits. Allocates nothing once `out` has room, unless the
/// event is oversized.
pub fn write_payload(out: &mut Vec<u8>, event: &AuditEvent<'_>, sanitized: &Marks) {
    let start = out.len();
    write_json(out, event);
    let event_end = out.len();
    write_marks(out, sanitized);
    if out.len().saturating_sub(start) <= PAYLOAD_BYTES_MAX {
        return;
    }
    let stub = Stub {
        event_type: event.event_type(),
        timestamp: event.timestamp(),
        critical: matches!(event, AuditEvent::Custom { .. }).then(|| event.is_critical()),
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

/// Appends a record with its line feed and returns its hash. `payload` is what one of the
/// functions above made.
pub fn write_record(
    out: &mut Vec<u8>,
    head: &RecordHead<'_>,
    payload: &[u8],
    prev_hash: &Digest,
) -> Digest {
    let start = out.len();
    let RecordHead { seq, audit_id, timestamp, service_id } = head;
    // Writing into a Vec does not fail.
    let written = write!(
        out,
        r#"{{"v":{FORMAT_VERSION},"seq":{seq},"audit_id":"{audit_id}","timestamp":"{timestamp}","service_id":"{service_id}","event":"#
    );
    debug_assert!(written.is_ok());
    out.extend_from_slice(payload);
    out.extend_from_slice(br#","prev_hash":""#);
    out.extend_from_slice(&prev_hash.to_hex());
    out.push(b'"');
    let hash = leaf_hash(out.get(start..).unwrap_or_default());
    out.extend_from_slice(HASH_FIELD_START);
    out.extend_from_slice(&hash.to_hex());
    out.extend_from_slice(HASH_FIELD_END);
    debug_assert!(out.len().saturating_sub(start) <= RECORD_BYTES_MAX, "a record always fits");
    out.push(b'\n');
    hash
}

#[derive(Serialize)]
struct Stub<'e> {
    event_type: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<EventTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    critical: Option<bool>,
    oversized: Option<serde_json::Value>,
}

fn write_marks(out: &mut Vec<u8>, sanitized: &Marks) {
    if !sanitized.is_empty() {
        out.extend_from_slice(br#","sanitized":"#);
        write_json(out, sanitized);
    }
}

fn write_json(out: &mut Vec<u8>, value: &impl Serialize) {
    // Maps with text keys, texts, integers and finite floats: none of them fails to encode, and
    // writing into a Vec does not either.
    let written = serde_json::to_writer(out, value);
    debug_assert!(written.is_ok());
}

#[cfg(test)]
mod tests;

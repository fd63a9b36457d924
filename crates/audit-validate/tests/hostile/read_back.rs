//! What lies in a segment, read with the reader for callers' JSON: a general one takes some keys for
//! its own.

use audit_core::lifecycle::is_lifecycle_type;
use audit_core::limits::RECORD_BYTES_MAX;
use audit_core::{AuditEvent, is_hostile};
use serde_json::Value;

/// The callers' events in a segment with their marks, in order.
pub(crate) fn events(segment: &[u8]) -> Vec<(Value, Value)> {
    let all = records(segment).into_iter();
    all.filter(|(event, _)| !is_lifecycle_type(event["event_type"].as_str().unwrap())).collect()
}

/// All events in a segment with their marks, those of the writer among them. Every line is short
/// enough, and nothing hostile stands raw in it.
pub(crate) fn records(segment: &[u8]) -> Vec<(Value, Value)> {
    let lines = segment.strip_suffix(b"\n").unwrap().split(|&byte| byte == b'\n');
    lines.map(record).collect()
}

fn record(line: &[u8]) -> (Value, Value) {
    assert!(line.len() <= RECORD_BYTES_MAX);
    let line = str::from_utf8(line).unwrap();
    assert!(!line.chars().any(is_hostile), "{line:.400}");
    let (_, rest) = line.split_once(r#","event":"#).unwrap();
    let (payload, _) = rest.rsplit_once(r#","prev_hash":""#).unwrap();
    let whole = format!(r#"{{"event_type":"record","event":{payload}}}"#);
    let (record, _) = AuditEvent::from_json(&whole).unwrap();
    let mut record = serde_json::to_value(&record).unwrap();
    (record["event"].take(), record["sanitized"].take())
}

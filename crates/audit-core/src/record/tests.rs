//! The record line, byte by byte.

use super::*;
use crate::lifecycle::{LogId, write_audit_id};
use crate::limits::{RECORD_FRAME_BYTES_MAX, SEQ_MAX};
use crate::seal::{SealKey, seal_record};
use crate::time::EventTime;

fn service() -> ServiceId {
    ServiceId::new("sshd.LabSZ").unwrap()
}

fn line(seq: u64, payload: &[u8], prev: &Digest) -> (String, Digest) {
    let mut audit_id = String::new();
    write_audit_id(&mut audit_id, service(), seq);
    let timestamp = RecordTime::new(EventTime::parse("2026-01-02T00:00:00Z").unwrap().instant());
    let head = RecordHead { seq, audit_id: &audit_id, timestamp, service_id: service() };
    let mut out = Vec::new();
    let hash = write_record(&mut out, &head, payload, prev);
    (String::from_utf8(out).unwrap(), hash)
}

#[test]
fn a_record_is_the_one_that_another_implementation_wrote() {
    let payload =
        br#"{"event_type":"segment_opened","log_id":"dd56de4137951d9c92681b03416ec15f","merkle_frontier":[]}"#;
    let (line, hash) = line(0, payload, &Digest::ZERO);
    assert_eq!(
        hash.to_string(),
        "2e5664b109192772a9de09331df5df6123ea95732979c8affa07df38371c0e9e"
    );
    let tail = format!(r#","hash":"{hash}"}}"#);
    assert_eq!(tail.len(), HASH_FIELD_BYTES);
    assert!(line.ends_with(&format!("{tail}\n")));
}

#[test]
fn the_frame_is_as_long_as_its_limit_says() {
    let service_id = ServiceId::new(&"s".repeat(41)).unwrap();
    let mut audit_id = String::new();
    write_audit_id(&mut audit_id, service_id, SEQ_MAX);
    let timestamp = RecordTime::new(chrono::DateTime::UNIX_EPOCH);
    let head = RecordHead { seq: SEQ_MAX, audit_id: &audit_id, timestamp, service_id };
    let mut out = Vec::new();
    let hash = write_record(&mut out, &head, b"", &Digest::ZERO);
    let key = SealKey::derive(&[0; 32], LogId::from_bytes([0; 16]));
    seal_record(&mut out, 0, &hash, &key);
    assert_eq!(out.len(), RECORD_FRAME_BYTES_MAX.saturating_add(1));
}

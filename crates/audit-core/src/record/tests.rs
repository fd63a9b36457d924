//! The record line, byte by byte.

use std::borrow::Cow;

use super::*;
use crate::lifecycle::write_audit_id;
use crate::limits::{RECORD_FRAME_BYTES_MAX, SEQ_MAX};

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
    write_record(&mut out, &head, b"", &Digest::ZERO);
    assert_eq!(out.len(), RECORD_FRAME_BYTES_MAX.saturating_add(1));
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
    let mut payload = Vec::new();
    write_payload(&mut payload, &event, &Marks::none());
    assert_eq!(
        String::from_utf8(payload).unwrap(),
        format!(
            concat!(
                r#"{{"event_type":"invalid_token_used","timestamp":"2026-01-02T00:00:00Z","#,
                r#""oversized":{{"bytes":{},"sha256":"{}"}}}},"sanitized":[""]"#
            ),
            whole.len(),
            Digest::of(whole.as_bytes())
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

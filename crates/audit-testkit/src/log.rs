//! Logs as a writer leaves them, made in memory without one: for what reads logs, whose tests must
//! not rest on the code that writes them.

#![expect(clippy::expect_used, reason = "a log that cannot be made is a mistake in this file")]

use audit_core::lifecycle::{LifecycleEvent, LogId, LogOpened, SegmentOpened, write_audit_id};
use audit_core::record::{RecordHead, write_lifecycle_payload, write_payload, write_record};
use audit_core::{AuditEvent, Digest, EventTime, Marks, RecordTime, ServiceId};

use crate::events::service_id;

/// The name of the only segment.
pub const SEGMENT_NAME: &str = "00000000000000000000.2026-01-14.audit.jsonl";

/// A closed log of one segment that holds at least `bytes_min` bytes: the events in turn, between
/// the writer's own.
///
/// # Panics
///
/// There are no events.
#[must_use]
pub fn of_bytes(events: &[AuditEvent<'_>], bytes_min: usize) -> Vec<u8> {
    assert!(!events.is_empty(), "a log of that size needs an event");
    let mut log = Log::new();
    let log_id = LogId::from_bytes([7; 16]);
    log.append_own(&LifecycleEvent::SegmentOpened(SegmentOpened::new(log_id, Vec::new())));
    let opened = LogOpened::new("audit-testkit".to_owned(), "hybrid".to_owned(), 1 << 20);
    log.append_own(&LifecycleEvent::LogOpened(opened));
    for event in events.iter().cycle() {
        if log.lines.len() >= bytes_min {
            break;
        }
        log.append(|payload| write_payload(payload, event, &Marks::none()));
    }
    log.append_own(&LifecycleEvent::LogClosed);
    log.lines
}

struct Log {
    lines: Vec<u8>,
    payload: Vec<u8>,
    audit_id: String,
    service_id: ServiceId,
    timestamp: RecordTime,
    seq: u64,
    prev_hash: Digest,
}

impl Log {
    fn new() -> Self {
        let time = EventTime::parse("2026-01-14T09:26:53.589793238Z").expect("a time");
        Self {
            lines: Vec::new(),
            payload: Vec::new(),
            audit_id: String::new(),
            service_id: service_id(),
            timestamp: RecordTime::new(time.instant()),
            seq: 0,
            prev_hash: Digest::ZERO,
        }
    }

    fn append_own(&mut self, event: &LifecycleEvent) {
        self.append(|payload| write_lifecycle_payload(payload, event));
    }

    fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let Self { service_id, timestamp, seq, .. } = *self;
        self.payload.clear();
        write(&mut self.payload);
        write_audit_id(&mut self.audit_id, service_id, seq);
        let head = RecordHead { seq, audit_id: &self.audit_id, timestamp, service_id };
        self.prev_hash = write_record(&mut self.lines, &head, &self.payload, &self.prev_hash);
        self.seq = seq.saturating_add(1);
    }
}

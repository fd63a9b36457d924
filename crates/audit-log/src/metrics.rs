//! How a log is doing, for the `metrics` facade. Behind the feature of that name.
//!
//! [`AuditLogger::record_metrics`](crate::AuditLogger::record_metrics) reads
//! [`Health`] and records the values below, each with the label [`SERVICE`]. Nothing
//! is recorded while an event is, so neither a slow recorder nor one that panics costs an event, and
//! the age of the oldest record grows where the disk hangs and no call returns. What is recorded goes
//! to whichever recorder is installed at that time.

use std::sync::atomic::{AtomicU64, Ordering};

use audit_core::ServiceId;
use audit_writer::Health;
use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

/// Label of all of them: the service that the log belongs to.
pub const SERVICE: &str = "service";

/// Counter: events that were accepted. A record for each is in the queue or in the log.
pub const EVENTS_ACCEPTED: &str = "audit_events_accepted_total";

/// Counter: events whose records are durable.
pub const EVENTS_DURABLE: &str = "audit_events_durable_total";

/// Counter: events that were offered and are lost. Alert on any.
pub const EVENTS_LOST: &str = "audit_events_lost_total";

/// Counter: critical ones among the lost.
pub const EVENTS_LOST_CRITICAL: &str = "audit_events_lost_critical_total";

/// Gauge: records that wait in the queue.
pub const QUEUE_RECORDS: &str = "audit_queue_records";

/// Gauge: bytes of their payloads.
pub const QUEUE_BYTES: &str = "audit_queue_bytes";

/// Gauge: seconds that the oldest record which is not durable has been waiting; 0 where none is.
/// Alert when it stays above the interval of the flush mode.
pub const OLDEST_UNSYNCED_SECONDS: &str = "audit_oldest_unsynced_seconds";

/// What the counters have been raised to, so that several callers do not raise them twice.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    accepted: AtomicU64,
    durable: AtomicU64,
    lost: AtomicU64,
    lost_critical: AtomicU64,
}

impl Recorded {
    pub(crate) fn record(&self, service: ServiceId, health: &Health) {
        describe();
        let counters = [
            (EVENTS_ACCEPTED, &self.accepted, health.accepted),
            (EVENTS_DURABLE, &self.durable, health.durable),
            (EVENTS_LOST, &self.lost, health.lost),
            (EVENTS_LOST_CRITICAL, &self.lost_critical, health.lost_critical),
        ];
        for (name, recorded, now) in counters {
            let before = recorded.fetch_max(now, Ordering::Relaxed);
            counter!(name, SERVICE => service.to_string()).increment(now.saturating_sub(before));
        }
        let age = health.oldest_unsynced_age.unwrap_or_default();
        let gauges = [
            (QUEUE_RECORDS, of_count(health.queued_records)),
            (QUEUE_BYTES, of_count(health.queued_bytes)),
            (OLDEST_UNSYNCED_SECONDS, age.as_secs_f64()),
        ];
        for (name, now) in gauges {
            gauge!(name, SERVICE => service.to_string()).set(now);
        }
    }
}

/// The queue holds no more than a `u32` counts.
fn of_count(count: usize) -> f64 {
    u32::try_from(count).unwrap_or(u32::MAX).into()
}

fn describe() {
    describe_counter!(EVENTS_ACCEPTED, Unit::Count, "Audit events that were accepted");
    describe_counter!(EVENTS_DURABLE, Unit::Count, "Audit events whose records are durable");
    describe_counter!(EVENTS_LOST, Unit::Count, "Audit events that are lost");
    describe_counter!(EVENTS_LOST_CRITICAL, Unit::Count, "Critical audit events that are lost");
    describe_gauge!(QUEUE_RECORDS, Unit::Count, "Audit records that wait in the queue");
    describe_gauge!(QUEUE_BYTES, Unit::Bytes, "Bytes of the audit records in the queue");
    describe_gauge!(
        OLDEST_UNSYNCED_SECONDS,
        Unit::Seconds,
        "Age of the oldest audit record that is not durable"
    );
}

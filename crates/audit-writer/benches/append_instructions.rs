//! Instructions that recording an event takes, on a simulated disk.

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on has no figure")]
#![expect(missing_docs, unused_qualifications, reason = "what the macros of gungraun write")]

use std::hint::black_box;

use audit_core::{AuditEvent, AuditEventEnvelope, FlushMode, OnDamage, Receipt, RotationPolicy};
use audit_testkit::events::{critical, custom, routine, service_id};
use audit_writer::{AuditFileWriter, Clock, SimDisk, SimStore};
use chrono::{DateTime, Utc};
use gungraun::{library_benchmark, library_benchmark_group, main};

/// Stands still, so that every run takes the same way.
#[derive(Debug)]
struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn monotonic(&self) -> std::time::Duration {
        std::time::Duration::ZERO
    }
}

type Writer = AuditFileWriter<SimStore, StoppedClock>;

/// A writer that has its segment, and the next event.
type Writing = (Writer, AuditEventEnvelope<'static>);

fn ready(event: AuditEvent<'static>) -> Writing {
    let store = SimDisk::default().store();
    let (rotation, flush) = (RotationPolicy::default(), FlushMode::default());
    let mut writer = Writer::with(store, StoppedClock, rotation, flush, OnDamage::Refuse)
        .expect("an empty disk");
    let envelope = AuditEventEnvelope::new(service_id(), event);
    writer.write_event(&envelope).expect("a disk without faults");
    (writer, envelope)
}

#[library_benchmark(setup = ready)]
#[bench::routine(routine())]
#[bench::critical(critical())]
#[bench::custom(custom())]
fn write_event((mut writer, envelope): Writing) -> (Writing, Option<Receipt>) {
    let receipt = writer.write_event(black_box(&envelope));
    ((writer, envelope), receipt.ok())
}

library_benchmark_group!(name = append; benchmarks = write_event);
main!(library_benchmark_groups = append);

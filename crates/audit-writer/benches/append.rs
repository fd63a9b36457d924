//! Speed of recording on a real directory, in each flush mode, by one producer.
//!
//! An iteration is 100 events, after which all of them are durable in every mode: the batches hold
//! 100, and the last event of a mix is critical.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has no figure")]

use std::time::Duration;

use audit_core::{AuditEventEnvelope, FlushMode, RotationPolicy};
use audit_testkit::events::{critical, routine, service_id};
use audit_writer::AuditFileWriter;
use criterion::{Criterion, Throughput};

const EVENTS: u32 = 100;

const BATCHED: FlushMode = FlushMode::Batched { size: EVENTS, interval_secs: 1 };

const HYBRID: FlushMode =
    FlushMode::Hybrid { batch_size: EVENTS, batch_interval_secs: 1, critical_immediate: true };

/// Midnight is no reason to begin a segment while time is measured.
const ONE_SEGMENT: RotationPolicy = RotationPolicy::SizeLimit { bytes_max: u64::MAX };

fn main() {
    let criterion = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4))
        .sample_size(20);
    let mut criterion = criterion.configure_from_args();
    let mut group = criterion.benchmark_group("append");
    group.throughput(Throughput::Elements(u64::from(EVENTS)));
    let modes = [
        ("immediate", FlushMode::Immediate, EVENTS),
        ("batched_100", BATCHED, EVENTS.saturating_add(1)),
        ("hybrid_100_routine", HYBRID, EVENTS.saturating_add(1)),
        ("hybrid_100_critical_5_percent", HYBRID, 20),
    ];
    for (name, mode, critical_every) in modes {
        // On the disk that the build is on: a temporary directory may be memory.
        let parent = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let mut writer =
            AuditFileWriter::new(parent.path().join("audit"), ONE_SEGMENT, mode).unwrap();
        let [routine, critical] =
            [routine(), critical()].map(|event| AuditEventEnvelope::new(service_id(), event));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for number in 1..=EVENTS {
                    let is_critical = number.is_multiple_of(critical_every);
                    let event = if is_critical { &critical } else { &routine };
                    writer.write_event(event).unwrap();
                }
                assert_eq!(writer.events_since_sync(), 0, "some are not durable");
            });
        });
    }
    group.finish();
    criterion.final_summary();
}

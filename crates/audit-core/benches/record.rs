//! Speed of the record: encoding an event, and linking it to the chain.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has no figure")]

use std::hint::black_box;
use std::time::Duration;

use audit_core::limits::RECORD_BYTES_MAX;
use audit_core::record::{RecordHead, write_payload, write_record};
use audit_core::{Digest, Frontier, Marks, RecordTime};
use audit_testkit::events::{service_id, usual};
use criterion::{Criterion, Throughput};

fn main() {
    let criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(50);
    let mut criterion = criterion.configure_from_args();
    encode(&mut criterion);
    link(&mut criterion);
    criterion.final_summary();
}

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    let mut payload = Vec::with_capacity(RECORD_BYTES_MAX);
    for (name, event) in usual() {
        payload.clear();
        write_payload(&mut payload, &event, &Marks::none());
        group.throughput(Throughput::Bytes(u64::try_from(payload.len()).unwrap()));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                payload.clear();
                write_payload(&mut payload, black_box(&event), &Marks::none());
            });
        });
    }
    group.finish();
}

fn link(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("link");
    let head = RecordHead {
        seq: 1_000_000,
        audit_id: "audit-bank.teller-1-00000000000f4240",
        timestamp: RecordTime::new(chrono::DateTime::UNIX_EPOCH),
        service_id: service_id(),
    };
    let (mut payload, mut line) = (Vec::new(), Vec::with_capacity(RECORD_BYTES_MAX));
    for (name, event) in usual() {
        payload.clear();
        line.clear();
        write_payload(&mut payload, &event, &Marks::none());
        write_record(&mut line, &head, &payload, &Digest::ZERO);
        group.throughput(Throughput::Bytes(u64::try_from(line.len()).unwrap()));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                line.clear();
                write_record(&mut line, black_box(&head), &payload, &Digest::ZERO)
            });
        });
    }
    let mut frontier = Frontier::new();
    group.throughput(Throughput::Elements(1));
    group.bench_function("frontier_push", |bencher| {
        bencher.iter(|| frontier.push(black_box(Digest::ZERO)));
    });
    group.finish();
}

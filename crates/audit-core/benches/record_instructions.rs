//! Instructions that encoding and linking a record take.

#![expect(missing_docs, unused_qualifications, reason = "what the macros of gungraun write")]

use std::hint::black_box;

use audit_core::limits::RECORD_BYTES_MAX;
use audit_core::record::{RecordHead, write_payload, write_record};
use audit_core::{AuditEvent, Digest, Frontier, Marks, RecordTime};
use audit_testkit::events::{critical, custom, routine, service_id, short};
use gungraun::{library_benchmark, library_benchmark_group, main};

/// An event, and a buffer with room for it.
type Encoding = (AuditEvent<'static>, Vec<u8>);

/// What comes before the payload, the payload, and a buffer with room for the line.
type Linking = (RecordHead<'static>, Vec<u8>, Vec<u8>);

fn with_buffer(event: AuditEvent<'static>) -> Encoding {
    (event, Vec::with_capacity(RECORD_BYTES_MAX))
}

fn encoded(event: AuditEvent<'static>) -> Linking {
    let (event, mut payload) = with_buffer(event);
    write_payload(&mut payload, &event, &Marks::none());
    let head = RecordHead {
        seq: 1_000_000,
        audit_id: "audit-bank.teller-1-00000000000f4240",
        timestamp: RecordTime::new(chrono::DateTime::UNIX_EPOCH),
        service_id: service_id(),
    };
    (head, payload, Vec::with_capacity(RECORD_BYTES_MAX))
}

fn tree(size: u64) -> Frontier {
    let mut frontier = Frontier::new();
    (0..size).for_each(|_| frontier.push(Digest::ZERO));
    frontier
}

#[library_benchmark(setup = with_buffer)]
#[bench::short(short())]
#[bench::routine(routine())]
#[bench::critical(critical())]
#[bench::custom(custom())]
fn encode((event, mut payload): Encoding) -> Encoding {
    write_payload(&mut payload, black_box(&event), &Marks::none());
    (event, payload)
}

#[library_benchmark(setup = encoded)]
#[bench::short(short())]
#[bench::routine(routine())]
fn link((head, payload, mut line): Linking) -> (Linking, Digest) {
    let hash = write_record(&mut line, black_box(&head), &payload, &Digest::ZERO);
    ((head, payload, line), hash)
}

#[library_benchmark(setup = tree)]
#[bench::no_carry(1_022)]
#[bench::ten_carries(1_023)]
fn push(mut frontier: Frontier) -> Frontier {
    frontier.push(black_box(Digest::ZERO));
    frontier
}

library_benchmark_group!(name = record; benchmarks = encode, link, push);
main!(library_benchmark_groups = record);

//! Instructions that verifying a small log takes.

#![expect(missing_docs, unused_qualifications, reason = "what the macros of gungraun write")]

use std::collections::BTreeMap;
use std::hint::black_box;

use audit_testkit::{events, log};
use audit_verify::{MemorySource, Report, Verdict, VerifyOptions, verify_source};
use gungraun::{library_benchmark, library_benchmark_group, main};

fn log_of_bytes(bytes_min: usize) -> MemorySource {
    let bytes = log::of_bytes(&events::usual().map(|(_, event)| event), bytes_min);
    let source = MemorySource::new(BTreeMap::from([(log::SEGMENT_NAME.to_owned(), bytes)]));
    let (_, report) = check(source.clone());
    assert!(report.is_some_and(|report| report.verdict == Verdict::Consistent));
    source
}

fn check(source: MemorySource) -> (MemorySource, Option<Report>) {
    let report = verify_source(black_box(&source), &VerifyOptions::default(), &mut |_| ());
    (source, report.ok())
}

#[library_benchmark(setup = log_of_bytes)]
#[bench::of_64_kib(64 << 10)]
fn verify(source: MemorySource) -> (MemorySource, Option<Report>) {
    check(source)
}

library_benchmark_group!(name = verify_log; benchmarks = verify);
main!(library_benchmark_groups = verify_log);

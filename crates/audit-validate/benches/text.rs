//! Speed of making text safe: a text alone, and all texts of an event.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has no figure")]

use std::hint::black_box;
use std::time::Duration;

use audit_core::TextPolicy;
use audit_testkit::events::{CLEAN_TEXT, HOSTILE_TEXT, of_every_type, usual};
use audit_validate::{sanitize, validate_event};
use criterion::{Criterion, Throughput};

fn main() {
    let criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(50);
    let mut criterion = criterion.configure_from_args();
    one_text(&mut criterion);
    one_event(&mut criterion);
    criterion.final_summary();
}

fn one_text(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sanitize");
    let ascii = "GET /v1/customers/4711/statements?page=7 HTTP/1.1 ".repeat(21);
    let kibibyte = ascii.get(..1_024).unwrap();
    let texts = [
        ("clean_short", "svc-inference@prod.example"),
        ("clean_not_ascii", CLEAN_TEXT),
        ("clean_1_kib", kibibyte),
        ("hostile", HOSTILE_TEXT),
    ];
    for (name, text) in texts {
        group.throughput(Throughput::Bytes(u64::try_from(text.len()).unwrap()));
        group.bench_function(name, |bencher| bencher.iter(|| sanitize(black_box(text))));
    }
    group.finish();
}

fn one_event(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("validate_event");
    group.throughput(Throughput::Elements(1));
    for (name, mut event) in usual() {
        group.bench_function(name, |bencher| {
            bencher.iter(|| validate_event(black_box(&mut event), TextPolicy::Neutralise));
        });
    }
    let of_that_type = |(name, _): &(&str, _)| *name == "authorization_granted";
    let (_, hostile) = of_every_type(HOSTILE_TEXT).into_iter().find(of_that_type).unwrap();
    group.bench_function("routine_hostile", |bencher| {
        bencher.iter_batched_ref(
            || hostile.clone(),
            |event| validate_event(event, TextPolicy::Neutralise),
            criterion::BatchSize::SmallInput,
        );
    });
    group.finish();
}

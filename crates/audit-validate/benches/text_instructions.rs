//! Instructions that making text safe takes.

#![expect(missing_docs, unused_qualifications, reason = "what the macros of gungraun write")]

use std::borrow::Cow;
use std::hint::black_box;

use audit_core::{AuditEvent, Marks, TextPolicy};
use audit_testkit::events::{HOSTILE_TEXT, custom, routine};
use audit_validate::ValidationError;
use gungraun::{library_benchmark, library_benchmark_group, main};

#[library_benchmark]
#[bench::clean("svc-inference@prod.example")]
#[bench::hostile(HOSTILE_TEXT)]
fn sanitize(text: &str) -> Result<Cow<'_, str>, ValidationError> {
    audit_validate::sanitize(black_box(text))
}

#[library_benchmark]
#[bench::routine(routine())]
#[bench::custom(custom())]
fn validate_event(
    mut event: AuditEvent<'static>,
) -> (Result<Marks, ValidationError>, AuditEvent<'static>) {
    let marks = audit_validate::validate_event(black_box(&mut event), TextPolicy::Neutralise);
    // Whoever asks gets the event back, lest dropping it be counted.
    (marks, event)
}

library_benchmark_group!(name = text; benchmarks = sanitize, validate_event);
main!(library_benchmark_groups = text);

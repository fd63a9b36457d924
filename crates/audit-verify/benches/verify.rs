//! Speed of verifying a log that the page cache holds.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has no figure")]

use std::time::Duration;

use audit_testkit::{events, log};
use audit_verify::{Verdict, VerifyOptions, verify_dir};
use criterion::{Criterion, Throughput};

/// More than any cache of a processor holds.
const LOG_BYTES: usize = 64 << 20;

fn main() {
    let criterion = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(8))
        .sample_size(15);
    let mut criterion = criterion.configure_from_args();
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let bytes = log::of_bytes(&events::usual().map(|(_, event)| event), LOG_BYTES);
    std::fs::write(dir.path().join(log::SEGMENT_NAME), &bytes).unwrap();

    let mut group = criterion.benchmark_group("verify");
    group.throughput(Throughput::Bytes(u64::try_from(bytes.len()).unwrap()));
    group.bench_function("64_mib", |bencher| {
        bencher.iter(|| {
            let report = verify_dir(dir.path(), &VerifyOptions::default()).unwrap();
            assert_eq!(report.verdict, Verdict::Consistent, "{report}");
        });
    });
    group.finish();
    criterion.final_summary();
}

//! What seals cost: two logs on one disk, one with a key and one without, that record in turn.
//!
//! `cargo xtask soak seals` takes the times, which no test asserts.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests, small numbers, and a report to print"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use audit_checkpoint::{KeyKind, KeyName, SigningKey};
use audit_core::{AuditEventEnvelope, FlushMode, OverflowPolicy, RotationPolicy};
use audit_testkit::events::{routine, service_id};
use audit_testkit::soak::number;
use audit_writer::{AuditFileWriter, QueuedWriter, Signing};
use serde_json::json;

/// Events between two looks at the clock, of which the last is durable in each mode.
const EVENTS: usize = 100;

const MODES: [(&str, FlushMode); 2] = [
    (
        "hybrid 100",
        FlushMode::Hybrid { batch_size: 100, batch_interval_secs: 1, critical_immediate: true },
    ),
    ("immediate", FlushMode::Immediate),
];

/// A log as services have it, and its worker.
fn opened(dir: &Path, mode: FlushMode, is_sealed: bool) -> QueuedWriter {
    let rotation = RotationPolicy::SizeLimit { bytes_max: u64::MAX };
    let mut log = AuditFileWriter::new(dir, rotation, mode).unwrap();
    if is_sealed {
        let name = KeyName::new("audit.example/host-1").unwrap();
        let key = SigningKey::from_seed(name, KeyKind::Ed25519, &[1; 32]).unwrap();
        log.sign(Signing::new(key)).unwrap();
    }
    let overflow = OverflowPolicy::Block { deadline: Duration::from_mins(1) };
    QueuedWriter::start(log, service_id(), overflow).unwrap()
}

fn record(log: &QueuedWriter) -> Duration {
    let event = AuditEventEnvelope::new(service_id(), routine());
    let started = Instant::now();
    for _ in 0..EVENTS {
        log.emit(&event.event, &event.sanitized).unwrap();
    }
    log.flush().unwrap();
    started.elapsed()
}

/// How long so many rounds take without seals and with them, one after the other in each round, the
/// first of a round being the one and the other in turn.
fn rounds(mode: FlushMode, count: u64) -> Vec<[Duration; 2]> {
    // On the disk that the build is on: a temporary directory may be memory.
    let parent = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let logs = [false, true].map(|is_sealed| {
        let log = opened(&parent.path().join(is_sealed.to_string()), mode, is_sealed);
        record(&log);
        log
    });
    let mut round = |number: u64| {
        let mut times = [Duration::ZERO; 2];
        for turn in 0..2 {
            let which = usize::from((number + turn).is_multiple_of(2));
            times[which] = record(&logs[which]);
        }
        times
    };
    (0..count).map(&mut round).collect()
}

/// The median of what is measured in each round.
fn median(rounds: &[[Duration; 2]], of: impl Fn(&[Duration; 2]) -> f64) -> f64 {
    let mut values: Vec<f64> = rounds.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[test]
fn records_of_a_log_with_a_key_have_seals_and_of_one_without_have_none() {
    for (_, mode) in MODES {
        assert_eq!(rounds(mode, 2).len(), 2);
    }
    let parent = tempfile::tempdir().unwrap();
    for is_sealed in [false, true] {
        let dir = parent.path().join(is_sealed.to_string());
        record(&opened(&dir, FlushMode::Immediate, is_sealed));
        let segments = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path());
        let text: String = segments
            .filter(|path| path.to_string_lossy().ends_with(".audit.jsonl"))
            .map(|path| std::fs::read_to_string(path).unwrap())
            .collect();
        assert_eq!(text.matches(",\"seal\":\"").count() >= EVENTS, is_sealed);
    }
}

#[test]
#[ignore = "takes as long as it is told to: cargo xtask soak seals"]
fn soak() {
    let count = number("AUDIT_SEALS_ROUNDS", 100);
    // The marks tell what is said here from what the test harness says.
    println!("\n<<<\n{count} rounds of {EVENTS} events in each log.\n");
    println!(
        "| mode | without seals | with seals | ratio of a round, median |\n|---|---:|---:|---:|"
    );
    for (name, mode) in MODES {
        let rounds = rounds(mode, count);
        let micros = |which: usize| median(&rounds, |times| times[which].as_secs_f64() * 1e6);
        let ratio = median(&rounds, |times| times[1].as_secs_f64() / times[0].as_secs_f64());
        let (without, with) = (micros(0), micros(1));
        println!("| {name} | {without:.0} us | {with:.0} us | {ratio:.4} |");
        let row = json!({
            "kind": "seals", "name": name, "rounds": count, "events": EVENTS,
            "without_median_us": without, "with_median_us": with, "ratio_median": ratio,
        });
        println!("{row}");
    }
    println!(">>>");
}

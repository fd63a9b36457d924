//! What a command reads does not grow with the log.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a helper of tests fails where it stands, or says why it was skipped"
)]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use audit_core::{AuditEventEnvelope, FlushMode, RotationPolicy};
use audit_log::checkpoint::SigningKey;
use audit_log::writer::{AuditFileWriter, Signing};
use audit_testkit::events::{routine, service_id};
use audit_testkit::usage::{self, Reads};
use common::Key;

/// Less than any two of the segments, each of which has a record or two.
const MORE_BYTES_MAX: u64 = 6 * 1_024;

/// Opens a log whose segments have a record each.
fn open(dir: &Path, key: Option<&Key>) -> AuditFileWriter {
    let each = RotationPolicy::SizeLimit { bytes_max: 1 };
    let mode = FlushMode::Batched { size: 10_000, interval_secs: 1 };
    let mut writer = AuditFileWriter::new(dir, each, mode).unwrap();
    if let Some(key) = key {
        let secret = fs::read_to_string(&key.path).unwrap();
        writer.sign(Signing::new(SigningKey::parse(secret.trim_end()).unwrap())).unwrap();
    }
    writer
}

fn write(writer: &mut AuditFileWriter, events: usize) {
    for _ in 0..events {
        writer.write_event(&AuditEventEnvelope::new(service_id(), routine())).unwrap();
    }
}

/// What a command reads, if the kernel tells.
fn reads(args: &[&str]) -> Option<Reads> {
    usage::of(Command::new(env!("CARGO_BIN_EXE_audit")).args(args)).unwrap().read
}

/// What each command reads of a log of so many segments, beside its writer and after that.
fn all_reads(segments: usize, key: Option<&Key>) -> Option<Vec<(&'static str, Reads)>> {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("log");
    let path = dir.to_str().unwrap();
    let signs: Vec<_> = key.iter().flat_map(|key| ["--key", key.path()]).collect();
    let service = service_id();
    let record = ["record", "--dir", path, "--service", service.as_str()];
    let record = [&record[..], &signs].concat();
    let prune = [&["prune", path, "--older-than", "3000"][..], &signs].concat();
    let mut writer = open(&dir, key);
    write(&mut writer, segments);
    writer.flush().unwrap();
    let mut all = vec![
        ("health, beside a writer", reads(&["health", path])?),
        ("record, beside a writer", reads(&record)?),
    ];
    writer.close().unwrap();
    all.extend([
        ("record", reads(&record)?),
        ("health", reads(&["health", path])?),
        ("recover", reads(&["recover", path, "--dry-run"])?),
        ("prune", reads(&prune)?),
    ]);
    if key.is_some() {
        all.push(("checkpoint", reads(&[&["checkpoint", path][..], &signs].concat())?));
    }
    Some(all)
}

#[test]
fn no_command_that_writes_reads_more_of_a_thousand_segments_than_of_ten() {
    let key = Key::new("audit.example/host-1");
    for key in [None, Some(&key)] {
        let [Some(few), Some(many)] = [10, 1_000].map(|segments| all_reads(segments, key)) else {
            println!("skipped: the kernel does not count what a process reads");
            return;
        };
        for ((name, few), (_, many)) in few.into_iter().zip(many) {
            println!("{name}, signed {}: {few:?}, {many:?}", key.is_some());
            assert_eq!(few.calls, many.calls, "{name}");
            // A longer log has a few more roots, and more digits.
            assert!(many.bytes < few.bytes + MORE_BYTES_MAX, "{name}");
        }
    }
}

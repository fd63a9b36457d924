//! One directory and more than one who would write to it: processes, threads, forks, and somebody
//! who puts another directory or another file in the place of the log's own.
//!
//! Everything here is real: files, locks, processes. The verifier is the judge.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, and small numbers"
)]

mod directory;
mod forks;
mod own_file;
mod processes;
mod threads;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use audit_log::{
    AuditConfig, AuditEvent, AuditLogger, EventTime, FlushMode, OpenError, Receipt, RotationPolicy,
    ServiceId,
};
use audit_verify::{Report, VerifyOptions, verify_dir};
use serde_json::Value;

/// Longer than any disk that a test runs on needs.
const PATIENCE: Duration = Duration::from_mins(1);

/// Nothing becomes durable of itself, but with a critical event.
const PATIENT: FlushMode = FlushMode::Hybrid {
    batch_size: 1_000_000,
    batch_interval_secs: 3_600,
    critical_immediate: true,
};

/// No segment ends because of the date.
const NEVER: RotationPolicy = RotationPolicy::SizeLimit { bytes_max: u64::MAX };

fn service() -> ServiceId {
    ServiceId::new("bank.teller-1").unwrap()
}

fn opened(dir: &Path, flush_mode: FlushMode) -> Result<AuditLogger, OpenError> {
    let config = AuditConfig::local(service(), dir);
    AuditLogger::open(Arc::new(AuditConfig { flush_mode, rotation_policy: NEVER, ..config }))
}

/// What the one who does not get the lock is told.
fn holder_told(dir: &Path) -> String {
    match opened(dir, PATIENT) {
        Err(OpenError::Locked { holder }) => holder,
        other => panic!("{} is not locked: {other:?}", dir.display()),
    }
}

fn routine(name: &str) -> AuditEvent<'_> {
    AuditEvent::SealVerified {
        timestamp: EventTime::parse("2026-01-02T03:04:05Z").unwrap(),
        shard_id: name.into(),
        worker_id: "worker-1".into(),
    }
}

fn critical(name: &str) -> AuditEvent<'_> {
    AuditEvent::InvalidTokenUsed {
        timestamp: EventTime::parse("2026-01-02T03:04:05Z").unwrap(),
        ip: "192.0.2.7".into(),
        token_prefix: name.into(),
        endpoint: "/accounts".into(),
    }
}

fn verified(dir: &Path, heads: &[Receipt]) -> Report {
    verify_dir(dir, &VerifyOptions { heads: heads.to_vec(), ..VerifyOptions::default() }).unwrap()
}

/// A directory for a log, which the log is to make; with what it lies in.
fn place() -> (tempfile::TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("log");
    (parent, dir)
}

/// Has a shell do something to a path, which is its `$0`.
fn shell(script: &str, path: &Path) {
    let done = Command::new("sh").arg("-ec").arg(script).arg(path).output().unwrap();
    assert!(done.status.success(), "{script}: {}", String::from_utf8_lossy(&done.stderr));
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.to_str().unwrap().ends_with(".audit.jsonl"));
    paths.sort();
    paths
}

/// What a test asks of a record.
#[derive(Clone, Debug, PartialEq)]
struct Record {
    receipt: Receipt,
    prev_hash: String,
    event: Value,
}

impl Record {
    /// `None` when the line is no record.
    fn parse(line: &str) -> Option<Self> {
        let mut line: Value = serde_json::from_str(line).ok()?;
        let hash = line["hash"].as_str()?;
        let receipt = format!("{}:{hash}", line["seq"]).parse().ok()?;
        let prev_hash = line["prev_hash"].as_str()?.to_owned();
        Some(Self { receipt, prev_hash, event: line["event"].take() })
    }

    /// What the test called the event; the writer's own have no name.
    fn name(&self) -> Option<&str> {
        self.event["shard_id"].as_str().or(self.event["token_prefix"].as_str())
    }

    fn is(&self, event_type: &str) -> bool {
        self.event["event_type"] == event_type
    }
}

/// The records of a segment; lines that are none are left out.
fn records_of(segment: &Path) -> Vec<Record> {
    let text = String::from_utf8_lossy(&fs::read(segment).unwrap()).into_owned();
    text.lines().filter_map(Record::parse).collect()
}

fn records(dir: &Path) -> Vec<Record> {
    segments(dir).iter().flat_map(|segment| records_of(segment)).collect()
}

fn count_of(records: &[Record], event_type: &str) -> usize {
    records.iter().filter(|record| record.is(event_type)).count()
}

/// What a holder is called that has this process id and is on this machine.
fn holder_of(pid: u32) -> String {
    let uname = rustix::system::uname();
    format!(", process {pid} on host {}", uname.nodename().to_str().unwrap())
}

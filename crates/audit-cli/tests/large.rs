//! A log of a million records: how long it takes to open and to sign, and how little proves one of
//! its records.
//!
//! `cargo xtask soak large` takes the times, which no test asserts.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests, small numbers, and a report to print"
)]

mod common;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use audit_core::{AuditEventEnvelope, FlushMode, RotationPolicy};
use audit_log::checkpoint::SigningKey;
use audit_log::writer::{AuditFileWriter, Signing};
use audit_testkit::dice::Dice;
use audit_testkit::events;
use audit_testkit::soak::number;
use audit_testkit::usage::Reads;
use common::{Key, audit, told};
use serde_json::{Value, json};
use tempfile::TempDir;

const MODE: FlushMode = FlushMode::Batched { size: 10_000, interval_secs: 1 };
/// Brings a record to about a thousand bytes.
const PADDING: usize = 420;
const SIGNED_IN_A_ROUND: usize = 10;
const PROVEN_IN_A_ROUND: usize = 5;
/// Bytes of a proof, at most.
const PROOF_BYTES_MAX: u64 = 1_500;
/// What an open reads beside the newest segment, at most: names and a checkpoint.
const READ_BESIDE_BYTES_MAX: u64 = 4 * 1_024;

/// A log in a directory, its key, and how large its segments are.
struct Large {
    dir: PathBuf,
    key: Key,
    segment_bytes: u64,
}

impl Large {
    /// Makes a log, and closes it.
    fn grown(dir: PathBuf, records: u64, segment_bytes: u64) -> Self {
        let log = Self { dir, key: Key::new("audit.example/host-1"), segment_bytes };
        let mut writer = log.open(&log.dir);
        while writer.head().is_none_or(|head| head.seq + 3 < records) {
            write(&mut writer);
        }
        writer.close().unwrap();
        log
    }

    /// Opens a copy of it for signing.
    fn open(&self, dir: &Path) -> AuditFileWriter {
        let policy = RotationPolicy::SizeLimit { bytes_max: self.segment_bytes };
        let mut writer = AuditFileWriter::new(dir, policy, MODE).unwrap();
        let secret = fs::read_to_string(&self.key.path).unwrap();
        writer.sign(Signing::new(SigningKey::parse(secret.trim_end()).unwrap())).unwrap();
        writer
    }

    fn segments(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.dir).unwrap().map(|entry| entry.unwrap().path());
        let mut paths: Vec<_> = entries.filter(|path| path.is_file()).collect();
        paths.sort();
        paths
    }

    fn bytes(&self) -> u64 {
        self.segments().iter().map(|path| fs::metadata(path).unwrap().len()).sum()
    }

    /// Records that the closing checkpoint covers.
    fn records(&self) -> u64 {
        let notes = fs::read_dir(self.dir.join("checkpoints")).unwrap();
        let sizes = notes.map(|note| {
            let name = note.unwrap().file_name().into_string().unwrap();
            name.trim_end_matches(".note").parse().unwrap()
        });
        sizes.max().unwrap()
    }

    fn copy(&self, parent: &Path) -> TempDir {
        let copy = tempfile::tempdir_in(parent).unwrap();
        copy_files(&self.dir, copy.path());
        let notes = copy.path().join("checkpoints");
        fs::create_dir(&notes).unwrap();
        copy_files(&self.dir.join("checkpoints"), &notes);
        copy
    }
}

fn copy_files(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

fn write(writer: &mut AuditFileWriter) {
    let mut event = events::routine();
    let details = "x".repeat(PADDING);
    if let audit_core::AuditEvent::AuthorizationGranted { action, .. } = &mut event {
        *action = details.into();
    }
    writer.write_event(&AuditEventEnvelope::new(events::service_id(), event)).unwrap();
}

/// Durations by what took them.
#[derive(Default)]
struct Times(BTreeMap<String, Vec<Duration>>);

impl Times {
    fn take<T>(&mut self, name: &str, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let done = work();
        self.0.entry(name.to_owned()).or_default().push(started.elapsed());
        done
    }

    fn rows(&self) -> impl Iterator<Item = Value> {
        let ms = |time: &Duration| time.as_secs_f64() * 1_000.0;
        self.0.iter().map(move |(name, times)| {
            let mut times = times.clone();
            times.sort();
            json!({
                "kind": "large", "name": name, "times": times.len(),
                "median_ms": times.get(times.len() / 2).map(ms),
                "least_ms": times.first().map(ms), "most_ms": times.last().map(ms),
            })
        })
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("| | times | median | least | most |\n|---|---:|---:|---:|---:|")?;
        for row in self.rows() {
            let ms = |name: &str| row[name].as_f64().unwrap();
            let [median, least, most] = ["median_ms", "least_ms", "most_ms"].map(ms);
            let name = row["name"].as_str().unwrap();
            let times = &row["times"];
            write!(f, "\n| {name} | {times} | {median:.2} ms | {least:.2} ms | {most:.2} ms |")?;
        }
        Ok(())
    }
}

/// Opens a copy of a cleanly closed log, and signs checkpoints there.
fn sign(log: &Large, parent: &Path, place: &str, times: &mut Times) {
    let copy = log.copy(parent);
    let newest = fs::metadata(log.segments().last().unwrap()).unwrap().len();
    let before = Reads::of_this_thread();
    let mut writer = times.take(&format!("open, {place}"), || log.open(copy.path()));
    match before.zip(Reads::of_this_thread()) {
        Some((before, after)) => {
            let read = after.bytes - before.bytes;
            assert!(read <= newest + READ_BESIDE_BYTES_MAX, "{read} bytes, {newest} in the newest");
        }
        None => println!("skipped: this kernel does not count what a thread reads"),
    }
    for _ in 0..SIGNED_IN_A_ROUND {
        write(&mut writer);
        writer.flush().unwrap();
        let before = Reads::of_this_thread();
        let signed = times.take(&format!("checkpoint, {place}"), || writer.checkpoint().unwrap());
        let read = Reads::of_this_thread()
            .zip(before)
            .map_or(0, |(after, before)| after.bytes - before.bytes);
        assert!(read <= READ_BESIDE_BYTES_MAX, "{read} bytes read to sign");
        assert_eq!(signed.size() + 1, writer.head().unwrap().seq + 1, "all but what records it");
    }
    writer.close().unwrap();
}

/// Proves records, and checks each proof where nothing else is; the bytes of the largest proof.
fn prove(log: &Large, dice: &mut Dice, times: &mut Times) -> u64 {
    let mut largest = 0;
    for _ in 0..PROVEN_IN_A_ROUND {
        let seq = dice.between(0, log.records() - 1);
        let out = tempfile::tempdir().unwrap();
        let (dir, place) = (log.dir.to_str().unwrap(), out.path().to_str().unwrap());
        let args = ["prove", dir, &seq.to_string(), "--out", place];
        let done = times.take("audit prove", || audit(&args, ""));
        assert_eq!(done.status.code(), Some(0), "{}", told(&done));
        let printed = String::from_utf8(done.stdout).unwrap();
        let proof = printed.lines().last().unwrap();
        largest = fs::metadata(proof).unwrap().len().max(largest);
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 2, "the proof and the record");
        let args = ["check-proof", proof, "--vkey", &log.key.vkey];
        let done = times.take("audit check-proof", || audit(&args, ""));
        assert_eq!(done.status.code(), Some(0), "{}", told(&done));
    }
    assert!(largest <= PROOF_BYTES_MAX, "{largest} bytes");
    largest
}

#[test]
fn opening_and_signing_read_no_more_than_the_newest_segment_and_proofs_stay_small() {
    let parent = tempfile::tempdir().unwrap();
    let log = Large::grown(parent.path().join("log"), 10_000, 1_000_000);
    assert!(log.segments().len() > 8);
    let mut times = Times::default();
    sign(&log, parent.path(), "here", &mut times);
    prove(&log, &mut Dice::new(1), &mut times);
}

#[test]
#[ignore = "takes as long as it is told to: cargo xtask soak large"]
fn soak() {
    let said = |name: &str, otherwise| number(&format!("AUDIT_LARGE_{name}"), otherwise);
    let (records, rounds) = (said("RECORDS", 1_000_000), said("ROUNDS", 7));
    let parent = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let log = Large::grown(parent.path().join("log"), records, 100_000_000);
    let (mut times, mut dice) = (Times::default(), Dice::new(said("SEED", 1)));
    let mut largest = 0;
    for _ in 0..rounds {
        sign(&log, parent.path(), "on disk", &mut times);
        sign(&log, Path::new("/dev/shm"), "in memory, where a sync costs nothing", &mut times);
        largest = prove(&log, &mut dice, &mut times).max(largest);
    }
    let (records, bytes, segments) = (log.records(), log.bytes(), log.segments().len());
    println!("\n<<<\n{records} records, {bytes} bytes in {segments} segments.");
    println!("The largest proof has {largest} bytes.\n\n{times}");
    println!(
        "{}",
        json!({
            "kind": "log", "records": records, "bytes": bytes, "segments": segments,
            "largest_proof_bytes": largest,
        })
    );
    times.rows().for_each(|row| println!("{row}"));
    println!(">>>");
}

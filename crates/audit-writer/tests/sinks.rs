//! Sinks: what is kept elsewhere, and that it neither holds up the log nor is forgotten.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails where it stands")]

#[expect(dead_code, reason = "each scenario file uses what it needs")]
mod common;

use std::fs;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use audit_checkpoint::{Checkpoint, KeyKind, KeyName, Note, SigningKey};
use audit_core::{FlushMode, RetentionPolicy, RotationPolicy};
use audit_writer::{
    CheckpointFault, CheckpointSink, ClockTrust, CommandSink, FileSink, OpenError, PruneError,
    SignError, Signing, SimClock, SimDisk,
};
use common::{SimWriter, clock_at, open, routine, wait_until};

fn signing(name: &str) -> Signing {
    let key =
        SigningKey::from_seed(KeyName::new(name).unwrap(), KeyKind::Ed25519, &[7; 32]).unwrap();
    Signing::new(key)
}

fn opened(disk: &SimDisk, clock: &SimClock, signing: Signing) -> Result<SimWriter, OpenError> {
    let mut log = open(disk, clock, RotationPolicy::Daily, FlushMode::default()).unwrap();
    log.sign(signing).map(|()| log)
}

/// A sink in memory, which a test holds up, or lets fail.
#[derive(Clone, Debug, Default)]
struct Memory(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    notes: Vec<String>,
    fails: bool,
    gate: Option<Receiver<()>>,
}

impl Memory {
    fn sizes(&self) -> Vec<u64> {
        let sizes = |note: &String| {
            let checkpoint: Checkpoint =
                Note::parse(note.as_bytes()).unwrap().text().parse().unwrap();
            checkpoint.size()
        };
        self.0.lock().unwrap().notes.iter().map(sizes).collect()
    }

    /// From now on a checkpoint is taken when this is told.
    fn hold_up(&self) -> Sender<()> {
        let (open, gate) = channel();
        self.0.lock().unwrap().gate = Some(gate);
        open
    }
}

impl CheckpointSink for Memory {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    fn newest(&mut self) -> io::Result<Option<Vec<u8>>> {
        let held = self.0.lock().unwrap();
        if held.fails {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        Ok(held.notes.last().map(|note| note.clone().into_bytes()))
    }

    fn put(&mut self, note: &str) -> io::Result<()> {
        let gate = self.0.lock().unwrap().gate.take();
        if let Some(gate) = gate {
            gate.recv().unwrap();
            self.0.lock().unwrap().gate = Some(gate);
        }
        let mut held = self.0.lock().unwrap();
        if held.fails {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        held.notes.push(note.to_owned());
        Ok(())
    }
}

#[test]
fn each_checkpoint_reaches_the_sinks_before_the_log_is_closed() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-01T12:00:00Z"));
    let sink = Memory::default();
    let mut log = opened(&disk, &clock, signing("a.example/1").to(sink.clone())).unwrap();
    log.write_event(&routine(1)).unwrap();
    log.checkpoint().unwrap();
    wait_until(|| sink.sizes() == [3]);
    log.close().unwrap();
    assert_eq!(sink.sizes(), [3, 5]);

    // One that a sink missed, the next open takes to it.
    sink.0.lock().unwrap().notes.clear();
    let log = opened(&disk, &clock, signing("a.example/1").to(sink.clone())).unwrap();
    wait_until(|| sink.sizes() == [5]);
    drop(log);
}

#[test]
fn a_sink_that_is_slow_holds_nothing_up_and_gets_the_newest() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-01T12:00:00Z"));
    let sink = Memory::default();
    let gate = sink.hold_up();
    let mut log = opened(&disk, &clock, signing("a.example/1").to(sink.clone())).unwrap();
    for number in 0..9 {
        log.write_event(&routine(number)).unwrap();
        log.checkpoint().unwrap();
    }
    assert_eq!(sink.sizes(), [0; 0]);
    (0..9).for_each(|_| gate.send(()).unwrap());
    log.close().unwrap();
    let sizes = sink.sizes();
    assert_eq!(sizes.last(), Some(&21), "the closing one: {sizes:?}");
    assert!(sizes.is_sorted() && sizes.len() < 10, "what another followed is left out: {sizes:?}");
}

#[test]
fn a_sink_that_fails_is_told_of_until_it_does_not() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-01T12:00:00Z"));
    let (sink, other) = (Memory::default(), Memory::default());
    let both = signing("a.example/1").to(sink.clone()).to(other.clone());
    let mut log = opened(&disk, &clock, both).unwrap();
    sink.0.lock().unwrap().fails = true;
    log.write_event(&routine(1)).unwrap();
    log.checkpoint().unwrap();
    wait_until(|| log.sink_failure().is_some());
    assert_eq!(log.sink_failure().unwrap().to_string(), "memory: connection refused");
    assert_eq!(other.sizes(), [3], "another sink is none the worse");
    sink.0.lock().unwrap().fails = false;
    log.write_event(&routine(2)).unwrap();
    log.checkpoint().unwrap();
    wait_until(|| log.sink_failure().is_none());
    assert_eq!(sink.sizes(), [5]);
}

#[test]
fn a_copy_that_is_older_than_what_a_sink_has_signs_nothing() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-01T12:00:00Z"));
    let sink = Memory::default();
    let open = |disk: &SimDisk, sink: &Memory| {
        opened(disk, &clock, signing("a.example/1").to(sink.clone()))
    };
    let mut log = open(&disk, &sink).unwrap();
    log.write_event(&routine(1)).unwrap();
    log.close().unwrap();
    // All of it, with its checkpoints: nothing in it tells that it is old.
    let backup = disk.files();
    let mut log = open(&disk, &sink).unwrap();
    log.write_event(&routine(2)).unwrap();
    log.close().unwrap();

    let restored = SimDisk::with_files(backup.clone());
    let error = open(&restored, &sink).unwrap_err();
    assert!(matches!(error, OpenError::RolledBack { size: 9, records: 4 }), "{error}");
    assert_eq!(restored.files(), backup, "nothing was changed");
    open(&restored, &Memory::default()).unwrap();

    sink.0.lock().unwrap().notes.push("junk".to_owned());
    let error = open(&disk, &sink).unwrap_err();
    let OpenError::Checkpoint { file, fault } = error else { panic!("{error}") };
    assert_eq!((file.as_str(), fault), ("memory", CheckpointFault::NotANote));
}

/// A log that was recorded in a sink as it was later, and is now an older copy of itself.
fn older_copy(clock: &SimClock, sink: &Memory) -> SimDisk {
    let disk = SimDisk::default();
    let live = |number| {
        let mut log = opened(&disk, clock, signing("a.example/1").to(sink.clone())).unwrap();
        log.write_event(&routine(number)).unwrap();
        log.close().unwrap();
    };
    live(1);
    let older = SimDisk::with_files(disk.files());
    live(2);
    older
}

#[test]
fn nothing_is_signed_until_each_sink_has_said_what_it_has() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-01T12:00:00Z"));
    let sink = Memory::default();
    sink.0.lock().unwrap().fails = true;
    let mut log = opened(&disk, &clock, signing("a.example/1").to(sink.clone())).unwrap();
    log.write_event(&routine(1)).unwrap();
    let error = log.checkpoint().unwrap_err();
    assert!(matches!(error, SignError::SinkSilent), "{error}");
    assert_eq!(log.sink_failure().unwrap().sink, "memory");
    assert!(!disk.files().keys().any(|name| name.starts_with("checkpoints/")));
    // Events go on, sealed.
    log.write_event(&routine(2)).unwrap();
    sink.0.lock().unwrap().fails = false;
    wait_until(|| log.checkpoint().is_ok());
    log.close().unwrap();
    assert!(!sink.sizes().is_empty());
}

#[test]
fn a_late_answer_that_contradicts_the_log_ends_all_signing_and_no_event() {
    let clock = clock_at("2026-01-01T12:00:00Z");
    let sink = Memory::default();
    let disk = older_copy(&clock, &sink);
    sink.0.lock().unwrap().fails = true;
    let mut log = opened(&disk, &clock, signing("a.example/1").to(sink.clone())).unwrap();
    log.write_event(&routine(3)).unwrap();
    let notes = sink.sizes();
    sink.0.lock().unwrap().fails = false;
    wait_until(|| matches!(log.checkpoint(), Err(SignError::Contradicted(_))));
    log.write_event(&routine(4)).unwrap();
    let next =
        SigningKey::from_seed(KeyName::new("a.example/1").unwrap(), KeyKind::Ed25519, &[8; 32]);
    assert!(matches!(log.change_key(next.unwrap()), Err(SignError::Contradicted(_))));
    log.close().unwrap();
    assert_eq!(sink.sizes(), notes, "what the sink has stays");
    let error = opened(&disk, &clock, signing("a.example/1").to(sink)).unwrap_err();
    assert!(matches!(error, OpenError::RolledBack { .. }), "{error}");
}

#[test]
fn an_older_copy_deletes_nothing_once_a_sink_contradicts_it() {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-01T12:00:00Z"));
    let sink = Memory::default();
    let fail = |fails| sink.0.lock().unwrap().fails = fails;
    let open =
        |disk: &SimDisk| opened(disk, &clock, signing("a.example/1").to(sink.clone())).unwrap();
    let policy =
        RetentionPolicy { min_retention_days: 30, archive_after_days: 0, delete_after_days: 30 };
    let mut log = open(&disk);
    for number in 0..40 {
        log.write_event(&routine(number)).unwrap();
        clock.pass(Duration::from_hours(24));
    }
    log.close().unwrap();
    // Declared and covered beside the log, and interrupted.
    let mut log = open(&disk);
    fail(true);
    let error = log.prune(policy, ClockTrust::Capped).unwrap_err();
    assert!(matches!(error, PruneError::NotKept(_)), "{error}");
    log.close().unwrap();
    let older = SimDisk::with_files(disk.files());
    fail(false);
    let mut log = open(&disk);
    log.write_event(&routine(1)).unwrap();
    log.close().unwrap();

    fail(true);
    let mut log = open(&older);
    let before = older.files();
    fail(false);
    wait_until(|| {
        let error = log.prune(policy, ClockTrust::Capped).unwrap_err();
        matches!(error, PruneError::NotCovered(SignError::Contradicted(_)))
    });
    let after = older.files();
    assert!(before.keys().all(|name| after.contains_key(name)), "something was deleted");
}

#[test]
fn a_file_holds_the_newest_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("newest.note");
    let mut sink = FileSink::new(&path);
    assert_eq!(sink.newest().unwrap(), None);
    for note in ["one", "two"] {
        sink.put(note).unwrap();
        assert_eq!(sink.newest().unwrap(), Some(note.as_bytes().to_vec()));
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left");
    let error = FileSink::new(dir.path().join("absent/newest.note")).put("one").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_command_gets_the_checkpoint_and_has_to_succeed_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("got");
    let shell = |script: &str| CommandSink::new("sh", ["-c", script]);
    shell(&format!("cat > {}", path.display())).put("a note\n").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "a note\n");
    let error = shell("cat > /dev/null; exit 3").put("a note\n").unwrap_err();
    assert!(error.to_string().contains("exit status: 3"), "{error}");
    assert!(CommandSink::new("no such program", [""; 0]).put("").is_err());
    let started = Instant::now();
    let error = shell("exec sleep 600").put("").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(started.elapsed().as_secs() < 300, "it was ended");
}

#[test]
fn a_file_sink_follows_no_link_and_waits_for_no_pipe() {
    let dir = tempfile::tempdir().unwrap();
    let [path, new, other] = ["kept", "kept.new", "other"].map(|name| dir.path().join(name));
    let pipe = |path: &std::path::Path| {
        let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
        assert!(made.success());
    };
    fs::write(&other, "of somebody else").unwrap();
    // Where the newest checkpoint is to be, and where the next one is made.
    pipe(&path);
    assert_eq!(FileSink::new(&path).newest().unwrap_err().kind(), io::ErrorKind::InvalidInput);
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(&other, &path).unwrap();
    assert!(FileSink::new(&path).newest().is_err());
    std::os::unix::fs::symlink(&other, &new).unwrap();
    FileSink::new(&path).put("a note\n").unwrap();
    pipe(&new);
    FileSink::new(&path).put("another\n").unwrap();
    assert_eq!(FileSink::new(&path).newest().unwrap().unwrap(), b"another\n");
    assert_eq!(fs::read_to_string(&other).unwrap(), "of somebody else");
}

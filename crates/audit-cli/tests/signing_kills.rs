//! Signing, killed at each system call with which it changes something: no two checkpoints that were
//! ever there contradict each other, and the log goes on and is signed.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails where it stands")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::{Key, Log, audit, can_trace, events, fed, killed_at, told};
use tempfile::TempDir;

/// The calls that write, sync and name a note, or a segment with the record of one; `rename` is that
/// of a sink.
const CALLS: [&str; 8] =
    ["openat", "write", "fdatasync", "fsync", "rename", "renameat2", "unlinkat", "fchmod"];

/// More of one kind than a short life has.
const CALLS_MAX: u32 = 200;

/// A signed log, and every checkpoint that was ever beside it or in a sink, by size.
struct Signed {
    log: Log,
    key: Key,
    elsewhere: TempDir,
    kept: BTreeMap<u64, String>,
}

impl Signed {
    fn new() -> Self {
        let (log, key) = (Log::new(), Key::new("audit.example/host-1"));
        let elsewhere = tempfile::tempdir().unwrap();
        Self { log, key, elsewhere, kept: BTreeMap::new() }
    }

    fn sink(&self) -> PathBuf {
        self.elsewhere.path().join("newest.note")
    }

    /// Records, signs at rotations and at the end, and is killed at a call; whether it came to close
    /// the log before.
    fn is_closed_before(&self, call: &str, number: u32) -> bool {
        let closings = || self.log.text().matches("\"log_closed\"").count();
        let before = if Path::new(self.log.path()).exists() { closings() } else { 0 };
        let mut strace = killed_at(call, number);
        strace.args(["record", "--dir", self.log.path(), "--service", "web.shop-1"]);
        strace.args(["--flush", "immediate", "--rotate", "size:2500", "--key", self.key.path()]);
        let done = fed(strace.arg("--sink-file").arg(self.sink()), events(6).as_bytes());
        assert!(done.status.success() || done.status.code().is_none(), "{}", told(&done));
        Path::new(self.log.path()).exists() && closings() > before
    }

    /// Keeps a copy of each checkpoint that is there now, and says which two contradict each other.
    fn keep_notes(&mut self) -> Result<(), String> {
        let folder = fs::read_dir(Path::new(self.log.path()).join("checkpoints"));
        let beside = folder.into_iter().flatten().map(|entry| entry.unwrap().path());
        let named = beside.filter(|path| path.extension().is_some_and(|end| end == "note"));
        for path in named.chain([self.sink()]).filter(|path| path.exists()) {
            let note = fs::read_to_string(path).unwrap();
            let size = note.lines().nth(1).unwrap().parse().unwrap();
            let first = self.kept.entry(size).or_insert_with(|| note.clone());
            if *first != note {
                return Err(format!("two checkpoints over {size} records:\n{first}\n{note}"));
            }
            fs::write(self.elsewhere.path().join(format!("{size}.pin")), note).unwrap();
        }
        Ok(())
    }

    /// Verifies with the key and with every checkpoint that was ever there.
    fn verified(&self) -> (i32, String) {
        let mut args = vec!["--vkey".to_owned(), self.key.vkey.clone()];
        for size in self.kept.keys() {
            let pin = self.elsewhere.path().join(format!("{size}.pin"));
            args.extend(["--pin".to_owned(), pin.to_str().unwrap().to_owned()]);
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let done = self.log.verify(&args);
        (done.status.code().unwrap(), String::from_utf8_lossy(&done.stdout).into_owned())
    }

    /// Judges what a kill left; lets a writer go on and sign, and judges it again. Whether it was
    /// covered to its last byte before.
    fn judge(&mut self) -> Result<bool, String> {
        self.keep_notes()?;
        let (status, printed) = self.verified();
        let is_missing = !Path::new(self.log.path()).exists();
        let is_unsigned = self.kept.is_empty() && (status == 3 || is_missing);
        if !(status == 0 || status == 4 || is_unsigned) {
            return Err(format!("the kill made it {printed}"));
        }
        let was_covered = printed.starts_with("INTACT: ");
        let sink = self.sink();
        let args = ["--key", self.key.path(), "--sink-file", sink.to_str().unwrap()];
        let done = self.log.record(&events(1), &args);
        if !done.status.success() {
            return Err(format!("the log does not go on: {}", told(&done)));
        }
        let done = audit(&["checkpoint", self.log.path(), "--key", self.key.path()], "");
        if !done.status.success() {
            return Err(format!("nothing is signed any more: {}", told(&done)));
        }
        self.keep_notes()?;
        let done = self.log.verify(&["--vkey", &self.key.vkey, "--require", "signed"]);
        let (status, printed) = self.verified();
        if !done.status.success() || status != 0 || !printed.starts_with("INTACT: ") {
            return Err(format!("the log that went on is {printed}"));
        }
        Ok(was_covered)
    }
}

#[test]
fn a_kill_at_any_point_of_signing_leaves_no_two_checkpoints_that_contradict_each_other() {
    if !can_trace() {
        return;
    }
    for call in CALLS {
        let mut signed = Signed::new();
        let mut killed = 0;
        for number in 1..=CALLS_MAX {
            let is_closed = signed.is_closed_before(call, number);
            let judged = signed.judge();
            let is_covered = judged.unwrap_or_else(|why| panic!("at {call} {number}: {why}"));
            // What the command does then, it prints.
            if is_closed && is_covered {
                break;
            }
            killed += 1;
        }
        assert!((1..CALLS_MAX).contains(&killed), "{killed} kills at {call}");
    }
}

#[test]
fn a_kill_at_any_point_of_a_change_of_the_key_leaves_one_key_that_the_log_goes_on_with() {
    if !can_trace() {
        return;
    }
    let new = Key::new("audit.example/host-1");
    let (mut taken, mut refused) = (0, 0);
    for call in ["write", "fdatasync", "fsync", "renameat2", "unlinkat", "fchmod"] {
        for number in 1..=CALLS_MAX {
            let Signed { log, key: old, .. } = Signed::new();
            log.record(&events(1), &["--key", old.path()]);
            let mut strace = killed_at(call, number);
            strace.args(["rotate-key", log.path(), "--key", old.path(), "--new-key", new.path()]);
            let was_killed = strace.output().unwrap().status.code().is_none();
            let done = audit(&["checkpoint", log.path(), "--key", old.path()], "");
            let is_changed = !done.status.success();
            if is_changed {
                let said = told(&done);
                let named = format!("goes on with another key, whose vkey is {}", new.vkey);
                assert!(said.contains(&named), "{call} {number}: {said}");
                refused += u32::from(was_killed);
            } else {
                taken += 1;
            }
            let key = if is_changed { &new } else { &old };
            let done = log.record(&events(1), &["--key", key.path()]);
            assert!(done.status.success(), "{call} {number}: {}", told(&done));
            let done = log.verify(&["--vkey", &old.vkey, "--require", "signed"]);
            assert!(done.status.success(), "{call} {number}: {}", told(&done));
            if !was_killed {
                assert!(is_changed);
                break;
            }
        }
    }
    assert!(taken > 5 && refused > 5, "{taken} {refused}");
}

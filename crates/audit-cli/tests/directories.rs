//! What somebody put into a log's directory stops no command.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails where it stands")]

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use common::{Key, Log, events, piped, told};
use rustix::fs::{CWD, FileType, Mode, mknodat};

/// Longer than any command needs, however busy the machine is.
const PATIENCE: Duration = Duration::from_mins(2);

fn make_pipe(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
}

type Put = fn(&Path);

/// What stands where a file is expected.
const OBSTACLES: [(&str, Put); 6] = [
    ("a pipe", make_pipe),
    ("a link to what never ends", |path| symlink("/dev/zero", path).unwrap()),
    ("a link to itself", |path| symlink(path, path).unwrap()),
    ("a link to nothing", |path| symlink("nowhere", path).unwrap()),
    ("a socket", |path| drop(UnixListener::bind(path).unwrap())),
    ("a directory", |path| fs::create_dir(path).unwrap()),
];

/// Where it stands in the log's directory.
const PLACES: [&str; 6] = [
    "checkpoints/00000000000000000999.note",
    "checkpoints/00000000000000000000.note.new-segment",
    "00000000000000000999.2026-01-02.audit.jsonl",
    "00000000000000000000.1999-01-02.audit.jsonl",
    ".new-segment",
    ".prune",
];

/// Waits for a command, which has to end by itself.
fn ended(mut child: Child, about: &str) -> Output {
    drop(child.stdin.take());
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        let is_late = started.elapsed() > PATIENCE;
        if is_late {
            child.kill().unwrap();
        }
        assert!(!is_late, "{about}: it hangs");
        thread::sleep(Duration::from_millis(2));
    }
    child.wait_with_output().unwrap()
}

#[test]
fn no_command_waits_for_what_stands_in_place_of_a_file() {
    let key = Key::new("audit.example/host-1");
    let out = tempfile::tempdir().unwrap();
    for place in PLACES {
        for (what, put) in OBSTACLES {
            let log = Log::new();
            log.record(&events(3), &["--key", key.path()]);
            put(&Path::new(log.path()).join(place));
            let (dir, key) = (log.path(), key.path());
            let beside = out.path().join("continued");
            for args in [
                &["verify", dir][..],
                &["show", dir],
                &["prove", dir, "0", "--out", out.path().to_str().unwrap()],
                &["health", dir],
                &["recover", dir, "--dry-run"],
                &["begin", beside.to_str().unwrap(), "--continues", dir],
                &["prune", dir, "--older-than", "3000", "--key", key],
                &["checkpoint", dir, "--key", key],
                &["record", "--dir", dir, "--service", "a", "--key", key],
                &["recover", dir],
            ] {
                let about = format!("{what} at {place}, {args:?}");
                let mut command = Command::new(env!("CARGO_BIN_EXE_audit"));
                let done = ended(piped(command.args(args)), &about);
                let code = done.status.code();
                assert!(code.is_some_and(|code| code <= 4), "{about}: {}", told(&done));
            }
        }
    }
}

//! What somebody put into a log's directory stops no command.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a helper of tests fails where it stands, or says why it was skipped"
)]

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
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

/// Every command that looks at a log.
fn commands<'a>(dir: &'a str, key: &'a str, out: &'a str, beside: &'a str) -> Vec<Vec<&'a str>> {
    vec![
        vec!["verify", dir],
        vec!["show", dir],
        vec!["prove", dir, "0", "--out", out],
        vec!["health", dir],
        vec!["recover", dir, "--dry-run"],
        vec!["begin", beside, "--continues", dir],
        vec!["prune", dir, "--older-than", "3000", "--key", key],
        vec!["checkpoint", dir, "--key", key],
        vec!["record", "--dir", dir, "--service", "a", "--key", key],
        vec!["recover", dir],
    ]
}

fn try_all(log: &Log, key: &Key, about: &str) {
    let out = tempfile::tempdir().unwrap();
    let beside = out.path().join("continued");
    let [out, beside] = [out.path(), beside.as_path()].map(|path| path.to_str().unwrap());
    for args in commands(log.path(), key.path(), out, beside) {
        let about = format!("{about}, {args:?}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_audit"));
        let done = ended(piped(command.args(args)), &about);
        let code = done.status.code();
        assert!(code.is_some_and(|code| code <= 4), "{about}: {}", told(&done));
    }
}

#[test]
fn no_command_waits_for_what_stands_in_place_of_a_file() {
    let key = Key::new("audit.example/host-1");
    for place in PLACES {
        for (what, put) in OBSTACLES {
            let log = Log::new();
            log.record(&events(3), &["--key", key.path()]);
            put(&Path::new(log.path()).join(place));
            try_all(&log, &key, &format!("{what} at {place}"));
        }
    }
}

/// A hole takes no room on the disk, and would take minutes to read.
#[test]
fn no_command_reads_what_is_not_on_the_disk() {
    const HOLE_BYTES: u64 = 1 << 40;
    let key = Key::new("audit.example/host-1");
    let named = |log: &Log, place: &str| {
        let path = Path::new(log.path());
        match place {
            "a note" => Some(path.join("checkpoints/00000000000000000999.note")),
            "the oldest segment" => log.segments().first().cloned(),
            _ => log.segments().last().cloned(),
        }
    };
    for place in ["a note", "the oldest segment", "the newest segment"] {
        let log = Log::new();
        log.record(&events(3), &["--key", key.path()]);
        log.record(&events(3), &["--key", key.path()]);
        let path = named(&log, place).unwrap();
        // A segment that is left has no permission to be written.
        if path.exists() {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let file = fs::OpenOptions::new().create(true).append(true).open(&path).unwrap();
        if let Err(error) = file.set_len(HOLE_BYTES) {
            println!("skipped: no file here can be that long: {error}");
            return;
        }
        try_all(&log, &key, place);
    }
}

//! What somebody put into a log's directory stops no command.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a helper of tests fails where it stands, or says why it was skipped"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use audit_testkit::hostile_directories::{HostileDirectory, hostile_directories};
use audit_testkit::soak::number;
use audit_testkit::usage::{self, Usage};
use common::{Key, Log, events};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::json;

/// Memory that a command may have, whatever lies in the directory.
const PEAK_BYTES_MAX: u64 = 64 << 20;

/// How often a command reads what is on the disk, at most, and what it reads beside that: its key,
/// the libraries it is linked with, and of a hole a mebibyte each time that it comes there.
const READ_TIMES_MAX: u64 = 4;
const READ_BESIDE_BYTES_MAX: u64 = 8 << 20;

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

/// Runs a command, which has to end by itself.
fn run(args: &[&str], on_disk: u64, about: &str) -> Usage {
    let used = usage::of(Command::new(env!("CARGO_BIN_EXE_audit")).args(args));
    assert!(used.is_some(), "{about}, {args:?}: it hangs");
    let used = used.unwrap();
    let code = used.status.code();
    assert!(code.is_some_and(|code| code <= 4), "{about}, {args:?}: {}", used.status);
    assert!(used.peak_bytes < PEAK_BYTES_MAX, "{about}, {args:?}: {} bytes", used.peak_bytes);
    // Not counted by some kernels.
    let read = used.read.map_or(0, |read| read.bytes);
    let most = on_disk.saturating_mul(READ_TIMES_MAX).saturating_add(READ_BESIDE_BYTES_MAX);
    assert!(read <= most, "{about}, {args:?}: {read} bytes read of {on_disk}");
    used
}

/// Room that the files of a log take on the disk, each counted once.
fn bytes_on_disk(dir: &Path) -> u64 {
    let entries = [dir.to_owned(), dir.join("checkpoints")].into_iter().flat_map(fs::read_dir);
    let files = entries.flatten().map(|entry| entry.unwrap().path().symlink_metadata().unwrap());
    let blocks: BTreeMap<_, _> = files.map(|file| (file.ino(), file.blocks())).collect();
    blocks.into_values().fold(0, |sum: u64, blocks| sum.saturating_add(blocks.saturating_mul(512)))
}

/// Runs every command; what each used.
fn try_all(log: &Log, key: &Key, about: &str) -> Vec<(String, Usage)> {
    let out = tempfile::tempdir().unwrap();
    let beside = out.path().join("continued");
    let [out, beside] = [out.path(), beside.as_path()].map(|path| path.to_str().unwrap());
    let commands = commands(log.path(), key.path(), out, beside);
    let name = |args: &[&str]| {
        let only_looks = if args.contains(&"--dry-run") { " --dry-run" } else { "" };
        format!("{}{only_looks}", args.first().unwrap())
    };
    let on_disk = bytes_on_disk(Path::new(log.path()));
    commands.iter().map(|args| (name(args), run(args, on_disk, about))).collect()
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
            "the oldest segment" | "a tail that is accounted for" => {
                log.segments().first().cloned()
            }
            _ => log.segments().last().cloned(),
        }
    };
    let places =
        ["a note", "the oldest segment", "the newest segment", "a tail that is accounted for"];
    for place in places {
        let log = Log::new();
        log.record(&events(3), &["--key", key.path()]);
        if place == "a tail that is accounted for" {
            // The end of `log_closed` is lost.
            let path = log.segments().remove(0);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
            file.set_len(file.metadata().unwrap().len() - 20).unwrap();
        }
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

/// A log of two lives, with much of something in its directory.
fn hostile(hostile: &HostileDirectory, amount: u64, key: &Key) -> Log {
    let log = Log::new();
    log.record(&events(3), &["--key", key.path()]);
    log.record(&events(3), &["--key", key.path()]);
    hostile.put(Path::new(log.path()), amount);
    log
}

#[test]
fn no_command_needs_much_for_what_somebody_put_into_a_directory() {
    let key = Key::new("audit.example/host-1");
    for kind in hostile_directories() {
        let amount = kind.much / 20;
        let log = hostile(&kind, amount, &key);
        try_all(&log, &key, &format!("{amount} {}", kind.name));
    }
}

#[test]
#[ignore = "takes as long as it is told to: cargo xtask soak directories"]
fn soak() {
    let parts = number("AUDIT_DIRECTORIES_PARTS", 1).max(1);
    let key = Key::new("audit.example/host-1");
    println!(
        "\n<<<\n| in the directory | command | processor time | memory | of a quarter |\n|---|---|---:|---:|---:|"
    );
    for kind in hostile_directories() {
        let much = kind.much / parts;
        let [some, all] = [much / 4, much].map(|amount| {
            let log = hostile(&kind, amount, &key);
            try_all(&log, &key, &format!("{amount} {}", kind.name))
        });
        for ((command, all), (_, some)) in all.into_iter().zip(some) {
            let (name, peak) = (kind.name, all.peak_bytes >> 20);
            let [cpu, of_quarter] = [all.cpu, some.cpu].map(|cpu| cpu.as_millis());
            println!("| {much} {name} | {command} | {cpu} ms | {peak} MiB | {of_quarter} ms |");
            let row = json!({
                "kind": "directory", "name": name, "amount": much, "command": command,
                "cpu_ms": u64::try_from(cpu).unwrap(), "peak_bytes": all.peak_bytes,
                "cpu_ms_of_a_quarter": u64::try_from(of_quarter).unwrap(),
                "peak_bytes_of_a_quarter": some.peak_bytes,
            });
            println!("{row}");
        }
    }
    println!(">>>");
}

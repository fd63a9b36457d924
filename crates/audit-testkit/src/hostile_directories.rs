//! What somebody can put into a log's directory, in any amount, so that whoever reads it needs much
//! time or memory.

#![expect(
    clippy::expect_used,
    reason = "a directory that cannot be written fails the test that asks"
)]

use std::ffi::OsString;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{BufWriter, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// The first seq, and size of a checkpoint, of what is put beside a log: none of its own.
const BEYOND: u64 = 900_000;

type Put = fn(&Path, u64);

/// One kind of them.
#[derive(Clone, Copy, Debug)]
pub struct HostileDirectory {
    /// What is put there.
    pub name: &'static str,
    /// How much of it is much.
    pub much: u64,
    put: Put,
}

impl HostileDirectory {
    /// Puts so much of it into the directory of a log that has a segment and a checkpoint.
    pub fn put(&self, dir: &Path, amount: u64) {
        (self.put)(dir, amount);
    }
}

/// All of them.
#[must_use]
pub fn hostile_directories() -> Vec<HostileDirectory> {
    let table: [(&'static str, u64, Put); 9] = [
        ("names of one checkpoint of a mebibyte", 2_000, linked_notes),
        ("checkpoints", 100_000, notes),
        ("segments", 20_000, segments),
        ("names of one segment", 20_000, linked_segments),
        ("empty segments", 20_000, empty_segments),
        ("files of other names", 100_000, other_files),
        ("names that are no text", 20_000, names_of_bytes),
        ("ends of records in an unfinished line", 14_000, ends),
        ("mebibytes of one line", 256, long_line),
    ];
    table.map(|(name, much, put)| HostileDirectory { name, much, put }).into()
}

fn note_path(dir: &Path, size: u64) -> PathBuf {
    dir.join(format!("checkpoints/{size:020}.note"))
}

fn segment_path(dir: &Path, first_seq: u64) -> PathBuf {
    dir.join(format!("{first_seq:020}.2026-01-02.audit.jsonl"))
}

/// The last of the files in a directory whose names end so.
fn newest(dir: &Path, end: &str) -> PathBuf {
    let entries = fs::read_dir(dir).expect("a directory");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.to_string_lossy().ends_with(end)).max().expect("a file of the log")
}

fn numbers(amount: u64) -> impl Iterator<Item = u64> {
    (1..=amount).map(|number| BEYOND.saturating_add(number))
}

fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("a file that can be written");
}

fn linked_notes(dir: &Path, amount: u64) {
    let first = note_path(dir, BEYOND);
    let mut bytes = fs::read(newest(&dir.join("checkpoints"), ".note")).expect("a checkpoint");
    while bytes.len() < 1_000_000 {
        bytes.extend_from_slice(
            "\u{2014} stranger.example QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=\n".as_bytes(),
        );
    }
    write(&first, &bytes);
    for size in numbers(amount) {
        fs::hard_link(&first, note_path(dir, size)).expect("a link");
    }
}

fn notes(dir: &Path, amount: u64) {
    let bytes = fs::read(newest(&dir.join("checkpoints"), ".note")).expect("a checkpoint");
    numbers(amount).for_each(|size| write(&note_path(dir, size), &bytes));
}

fn segments(dir: &Path, amount: u64) {
    let bytes = fs::read(newest(dir, ".audit.jsonl")).expect("a segment");
    numbers(amount).for_each(|seq| write(&segment_path(dir, seq), &bytes));
}

fn linked_segments(dir: &Path, amount: u64) {
    let first = newest(dir, ".audit.jsonl");
    for seq in numbers(amount) {
        fs::hard_link(&first, segment_path(dir, seq)).expect("a link");
    }
}

fn empty_segments(dir: &Path, amount: u64) {
    numbers(amount).for_each(|seq| write(&segment_path(dir, seq), b""));
}

fn other_files(dir: &Path, amount: u64) {
    numbers(amount).for_each(|number| write(&dir.join(format!("other-{number}")), b""));
}

fn names_of_bytes(dir: &Path, amount: u64) {
    for number in numbers(amount) {
        let mut name = b"\xff\xfe".to_vec();
        name.extend_from_slice(format!("{number}.audit.jsonl").as_bytes());
        write(&dir.join(OsString::from_vec(name)), b"");
    }
}

/// Appends so many times to the newest segment, which may not have the permission for that.
fn append(dir: &Path, amount: u64, bytes: &[u8]) {
    let path = newest(dir, ".audit.jsonl");
    fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("a segment of this user");
    let file = OpenOptions::new().append(true).open(path).expect("a segment");
    let mut file = BufWriter::new(file);
    (0..amount).for_each(|_| file.write_all(bytes).expect("room on the disk"));
    file.flush().expect("room on the disk");
}

fn ends(dir: &Path, amount: u64) {
    append(dir, amount, format!(",\"hash\":\"{}\"}}", "0".repeat(64)).as_bytes());
}

fn long_line(dir: &Path, amount: u64) {
    append(dir, amount, &vec![b'x'; 1 << 20]);
}

//! The checkpoints beside a log: compared with it, with and without their key.

use std::cell::Cell;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::process::Command;

use audit_checkpoint::Note;
use audit_core::limits::NOTE_BYTES_MAX;
use audit_core::{Digest, Receipt};
use audit_verify::{
    LogSource, MemoryFile, MemorySource, OpenError, Report, Verdict, VerifyOptions, verify_dir,
    verify_source,
};

use crate::builder::{Builder, Files, line_starts, twenty_records, verify};
use crate::signed::{
    codes_of, key, key_called, note, note_path, notices_of, public, signed_log, strip, verify_by,
    with_key,
};
use crate::watched::{Fault, Watched};

#[test]
fn a_log_whose_end_the_given_key_signed_is_signed_and_says_what_that_does_not_exclude() {
    let log = signed_log(&key(1));
    let report = with_key(&log.files, &key(1));
    assert_eq!(report.verdict, Verdict::Signed, "{report}");
    assert_eq!((report.signed_up_to, report.covered_up_to), (Some(19), None));
    assert_eq!((report.checkpoints, report.notices_total), (3, 0), "{report}");
    assert!(report.coverage.contains("a rewrite needs that key"), "{report}");
    assert!(report.coverage.contains("A rollback to an older copy"), "{report}");
    let heads = vec![log.head()];
    let keys = vec![public(&key(1))];
    let options = VerifyOptions { keys, heads, ..VerifyOptions::default() };
    assert_eq!(verify_by(&log.files, &options).verdict, Verdict::Intact);
}

#[test]
fn without_a_key_it_is_consistent_and_the_signatures_are_said_to_be_unverified() {
    let report = verify(&signed_log(&key(1)).files);
    assert_eq!(report.verdict, Verdict::Consistent, "{report}");
    assert_eq!((report.signed_up_to, report.checkpoints), (None, 3), "{report}");
    assert_eq!(notices_of(&report), ["checkpoints_not_verified"], "{report}");
}

#[test]
fn another_key_leaves_it_unverifiable_and_nothing_is_called_tampered() {
    let mut log = signed_log(&key(1));
    for other in [key(2), key_called("another.example", 1)] {
        let report = with_key(&log.files, &other);
        assert_eq!(report.verdict, Verdict::Unverifiable, "{report}");
        assert_eq!(codes_of(&report), ["no_checkpoint_by_key"], "{report}");
    }
    strip(&mut log.files);
    assert_eq!(with_key(&log.files, &key(1)).verdict, Verdict::Unverifiable);
}

#[test]
fn records_after_the_newest_checkpoint_of_the_key_are_said_to_be_uncovered() {
    let mut log = signed_log(&key(1));
    log.files.insert(note_path(20), log.note(&key(2)));
    let report = with_key(&log.files, &key(1));
    assert_eq!((report.verdict, report.signed_up_to), (Verdict::Consistent, Some(13)), "{report}");
    assert_eq!(notices_of(&report), ["checkpoints_of_other_keys"], "{report}");
    assert!(report.coverage.contains("Records up to seq 13 are covered"), "{report}");
    assert!(report.coverage.contains("rewritten after the last checkpoint"), "{report}");
}

#[test]
fn a_checkpoint_over_other_records_is_tampering_whoever_signed_it() {
    let mut other = Builder::new();
    other.record(r#"{"event_type":"another_history"}"#);
    other.events(17);
    other.sign(&key(1));
    for size in [7, 14, 20] {
        let mut files = signed_log(&key(1)).files;
        files.insert(note_path(size), note(&key(2), size, Digest::of(b"another tree")));
        let report = verify(&files);
        assert_eq!(report.verdict, Verdict::Tampered, "{report}");
        assert_eq!(codes_of(&report), ["checkpoint_mismatch"], "{report}");
        assert_eq!(report.findings[0].file, Some(note_path(size)), "{report}");
        assert_eq!(report.findings[0].seq, Some(size - 1), "{report}");
    }
    // Two hosts' checkpoints exchanged.
    let mut files = signed_log(&key(1)).files;
    files.insert(note_path(20), other.files[&note_path(20)].clone());
    assert_eq!(codes_of(&with_key(&files, &key(1))), ["checkpoint_mismatch"]);
}

#[test]
fn a_log_rewritten_from_any_record_contradicts_its_checkpoints() {
    let whole = signed_log(&key(1));
    for from in 2..18 {
        let mut forged = Builder::new();
        for seq in 2..20 {
            match seq {
                7 | 14 => forged.open_segment(),
                _ if seq == from => forged.record(r#"{"event_type":"forged"}"#),
                19 => forged.close(),
                _ => forged.event(),
            }
        }
        let notes = whole.files.iter().filter(|(name, _)| name.starts_with("checkpoints/"));
        forged.files.extend(notes.map(|(name, bytes)| (name.clone(), bytes.clone())));
        let report = verify(&forged.files);
        let is_opening = [7, 14].contains(&from);
        let expected = if is_opening { Verdict::Consistent } else { Verdict::Tampered };
        assert_eq!(report.verdict, expected, "{from}\n{report}");
    }
}

#[test]
fn a_tail_cut_at_any_byte_is_missed_by_a_checkpoint_that_covers_it() {
    let whole = signed_log(&key(1));
    let newest = whole.files[&whole.file].clone();
    let starts = line_starts(&newest);
    for end in starts[1]..newest.len() {
        let mut files = whole.files.clone();
        files.get_mut(&whole.file).unwrap().truncate(end);
        let report = verify(&files);
        assert_eq!(report.verdict, Verdict::Truncated, "{end}\n{report}");
        assert!(codes_of(&report).contains(&"checkpoint_beyond_end"), "{report}");
    }
    let mut none = whole.files;
    none.retain(|name, _| name.starts_with("checkpoints/"));
    let report = verify(&none);
    assert_eq!(report.verdict, Verdict::Truncated, "{report}");
}

/// Nothing is left of a checkpoint that can be changed without its key and be taken as before.
#[test]
fn a_checkpoint_with_any_bit_flipped_no_longer_counts() {
    let mut log = twenty_records();
    log.sign(&key(1));
    let whole = log.note(&key(1));
    let signature = whole.len() - "\u{2014} ".len() - ORIGIN_AND_REST;
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            log.files.insert(note_path(20), flipped);
            let report = with_key(&log.files, &key(1));
            // In the name and the id it becomes that of a key that nobody knows.
            let is_other_key = at >= signature;
            let worst = if is_other_key { Verdict::Unverifiable } else { Verdict::Tampered };
            assert!(report.verdict >= worst, "{at} {bit}\n{report}");
        }
    }
}

/// Bytes of the name of the key, a space, the Base 64 of id and signature, and a line feed.
const ORIGIN_AND_REST: usize = crate::signed::ORIGIN.len() + 1 + 92 + 1;

#[test]
fn what_has_the_name_of_a_checkpoint_and_is_none_is_tampering() {
    for bytes in [b"".to_vec(), b"a note\n".to_vec(), vec![b'a'; NOTE_BYTES_MAX + 1]] {
        let mut files = signed_log(&key(1)).files;
        files.insert(note_path(14), bytes);
        let report = verify(&files);
        assert_eq!(report.verdict, Verdict::Tampered, "{report}");
        assert_eq!(codes_of(&report), ["checkpoint_malformed"], "{report}");
    }
}

#[test]
fn of_a_checkpoint_no_more_is_read_than_one_may_have() {
    let mut files = Builder::new().files;
    files.insert(note_path(2), vec![b'a'; 8 * NOTE_BYTES_MAX]);
    let source = Watched::new(files);
    let report = verify_source(&source, &VerifyOptions::default(), &mut |_| ()).unwrap();
    assert_eq!(codes_of(&report), ["checkpoint_malformed"], "{report}");
    let read: usize = source.reads().iter().map(|(_, bytes)| bytes).sum();
    assert!((NOTE_BYTES_MAX..2 * NOTE_BYTES_MAX).contains(&read), "{read}");
}

#[test]
fn a_checkpoint_under_another_name_is_compared_and_the_name_is_found() {
    let log = signed_log(&key(1));
    for name in ["checkpoints/00000000000000000019.note", "checkpoints/14.note"] {
        let mut files = log.files.clone();
        let bytes = files.remove(&note_path(14)).unwrap();
        files.insert(name.to_owned(), bytes);
        assert_eq!(codes_of(&verify(&files)), ["checkpoint_name_mismatch"]);
        files.insert(name.to_owned(), note(&key(1), 14, Digest::of(b"another")));
        assert_eq!(codes_of(&verify(&files)), ["checkpoint_name_mismatch", "checkpoint_mismatch"]);
    }
}

#[test]
fn other_files_beside_the_checkpoints_are_told_and_are_nothing_wrong() {
    let mut files = signed_log(&key(1)).files;
    files.insert("checkpoints/README\u{1b}[2J".to_owned(), b"?".to_vec());
    files.insert("checkpoints/.new-segment".to_owned(), b"audit.exa".to_vec());
    let report = with_key(&files, &key(1));
    assert_eq!(report.verdict, Verdict::Signed, "{report}");
    assert_eq!(notices_of(&report), ["leftover_checkpoint", "unknown_file"], "{report}");
    assert!(report.to_string().bytes().all(|byte| byte != 0x1b));
}

#[test]
fn a_checkpoint_of_another_origin_is_told() {
    let mut files = signed_log(&key(1)).files;
    let log = signed_log(&key_called("another.example", 1));
    files.insert(note_path(14), log.files[&note_path(14)].clone());
    let report = verify(&files);
    assert_eq!(
        notices_of(&report),
        ["checkpoint_origin_differs", "checkpoints_not_verified"],
        "{report}"
    );
}

#[test]
fn one_flipped_byte_of_a_record_is_one_finding_though_checkpoints_cover_it() {
    let log = signed_log(&key(1));
    let mut files = log.files.clone();
    let (_, bytes) = files.iter_mut().next().unwrap();
    let third = line_starts(bytes)[2];
    bytes[third + 200] ^= 1;
    let report = with_key(&files, &key(1));
    assert_eq!(codes_of(&report), ["hash_mismatch"], "{report}");
}

/// A log whose first two segments were deleted as it says, with a checkpoint at each of its sizes.
fn pruned() -> (Builder, Files) {
    let mut log = Builder::new();
    let mut notes = Files::new();
    let mut note = |log: &Builder| drop(notes.insert(note_path(log.seq), log.note(&key(1))));
    log.events(2);
    note(&log);
    log.open_segment();
    log.events(2);
    note(&log);
    let pruned = crate::accounts::Pruned::all_of(&log);
    log.open_segment();
    log.record(&pruned.event());
    note(&log);
    log.files.retain(|name, _| !pruned.files.contains(name));
    (log, notes)
}

#[test]
fn a_checkpoint_over_a_deleted_prefix_is_said_not_to_be_compared() {
    let (log, notes) = pruned();
    let mut files = log.files.clone();
    files.extend(notes);
    let report = with_key(&files, &key(1));
    assert_eq!(report.verdict, Verdict::Signed, "{report}");
    assert!(notices_of(&report).contains(&"checkpoints_not_compared"), "{report}");
    // That of the size where the log now begins is.
    files.insert(note_path(7), note(&key(1), 7, Digest::of(b"another")));
    assert_eq!(codes_of(&with_key(&files, &key(1))), ["checkpoint_mismatch"]);
    // And one within it is none that the end is missed by.
    files.insert(note_path(4), note(&key(1), 4, Digest::of(b"another")));
    assert_eq!(codes_of(&with_key(&files, &key(1))), ["checkpoint_mismatch"]);
}

#[test]
fn a_record_that_is_proven_is_absent_also_where_the_end_cannot_be_read() {
    let mut log = Builder::new();
    let beyond = VerifyOptions {
        heads: vec![Receipt { seq: 100, hash: Digest::of(b"any") }],
        pins: vec![Note::parse(&note(&key(1), 101, Digest::of(b"any"))).unwrap()],
        ..VerifyOptions::default()
    };
    log.change_format(2);
    log.foreign(2);
    log.sign(&key(1));
    assert_eq!(verify(&log.files).verdict, Verdict::Unverifiable);
    // Records of any version can be counted.
    let report = verify_source(&MemorySource::new(log.files), &beyond, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Truncated, "{report}");
    assert_eq!(codes_of(&report)[..2], ["head_beyond_end", "pin_beyond_end"], "{report}");

    // Anybody can put a file there that nobody can read.
    let mut log = signed_log(&key(1));
    log.files.retain(|name, _| name.ends_with(".audit.jsonl"));
    let report = verify_unreadable(&log.files, &log.file, &VerifyOptions::default());
    assert_eq!(report.verdict, Verdict::Unverifiable, "{report}");
    assert_eq!(codes_of(&report), ["segment_unreadable"], "{report}");
    let report = verify_unreadable(&log.files, &log.file, &beyond);
    assert_eq!(report.verdict, Verdict::Truncated, "{report}");
    assert_eq!(
        codes_of(&report),
        ["head_beyond_end", "pin_beyond_end", "segment_unreadable"],
        "{report}"
    );
}

#[test]
fn a_checkpoint_that_cannot_be_read_is_a_finding() {
    let log = signed_log(&key(1));
    let report = verify_unreadable(&log.files, &note_path(14), &VerifyOptions::default());
    assert_eq!(report.verdict, Verdict::Unverifiable, "{report}");
    assert_eq!(codes_of(&report), ["checkpoint_unreadable"], "{report}");
    let report = verify_unreadable(&log.files, "checkpoints", &VerifyOptions::default());
    assert_eq!(codes_of(&report), ["checkpoint_unreadable"], "{report}");
}

pub(crate) fn verify_unreadable(files: &Files, name: &str, options: &VerifyOptions) -> Report {
    let source = Watched::new(files.clone()).with(Fault::Denied, name);
    verify_source(&source, options, &mut |_| ()).unwrap()
}

/// A log that changes after its checkpoints were read and its segments were listed.
#[derive(Debug)]
pub(crate) struct Changing {
    before: MemorySource,
    after: MemorySource,
    has_changed: Cell<bool>,
}

impl Changing {
    pub(crate) fn new(before: Files, after: Files) -> Self {
        let (before, after) = (MemorySource::new(before), MemorySource::new(after));
        Self { before, after, has_changed: Cell::new(false) }
    }

    fn now(&self) -> &MemorySource {
        if self.has_changed.get() { &self.after } else { &self.before }
    }
}

impl LogSource for Changing {
    type File<'s> = MemoryFile<'s>;

    fn visit_names(&self, visit: &mut dyn FnMut(&OsStr)) -> io::Result<()> {
        let shown = self.now().visit_names(visit);
        self.has_changed.set(true);
        shown
    }

    fn open(&self, name: &str) -> Result<MemoryFile<'_>, OpenError> {
        self.now().open(name)
    }

    fn visit_checkpoints(&self, visit: &mut dyn FnMut(&OsStr)) -> Result<(), OpenError> {
        self.now().visit_checkpoints(visit)
    }

    fn open_checkpoint(&self, name: &str) -> Result<MemoryFile<'_>, OpenError> {
        self.now().open_checkpoint(name)
    }
}

#[test]
fn a_log_that_is_being_written_does_not_look_cut_off() {
    let mut log = Builder::new();
    log.events(3);
    log.sign(&key(1));
    let before = log.files.clone();
    log.open_segment();
    log.events(3);
    log.sign(&key(1));
    let source = Changing::new(before, log.files);
    let report = verify_source(&source, &VerifyOptions::default(), &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Consistent, "{report}");
    assert_eq!((report.checkpoints, report.findings_total), (1, 0), "{report}");
}

fn write(dir: &std::path::Path, files: &Files) {
    fs::create_dir(dir.join("checkpoints")).unwrap();
    for (name, bytes) in files {
        fs::write(dir.join(name), bytes).unwrap();
    }
}

#[test]
fn a_pipe_a_link_or_a_directory_in_place_of_a_checkpoint_is_found_and_not_read() {
    let plants: [fn(&str); 4] = [
        |path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
        |path| fs::create_dir(path).unwrap(),
        |path| symlink("/dev/zero", path).unwrap(),
        |path| symlink(format!("{path}.real"), path).unwrap(),
    ];
    let log = signed_log(&key(1));
    for plant in plants {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &log.files);
        assert_eq!(verify_dir(dir.path(), &VerifyOptions::default()).unwrap().findings_total, 0);
        let path = dir.path().join(note_path(14));
        let path = path.to_str().unwrap();
        fs::rename(path, format!("{path}.real")).unwrap();
        plant(path);
        let report = verify_dir(dir.path(), &VerifyOptions::default()).unwrap();
        assert_eq!(report.verdict, Verdict::Tampered, "{report}");
        assert_eq!(codes_of(&report), ["checkpoint_not_a_file"], "{report}");
        assert_eq!(report.findings[0].file, Some(note_path(14)), "{report}");
    }
}

#[test]
fn a_link_a_file_or_a_pipe_in_place_of_the_folder_is_found_and_not_read() {
    let plants: [fn(&str); 3] = [
        |path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
        |path| fs::write(path, "").unwrap(),
        |path| symlink(format!("{path}.real"), path).unwrap(),
    ];
    let log = signed_log(&key(1));
    for plant in plants {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &log.files);
        let path = dir.path().join("checkpoints");
        let path = path.to_str().unwrap();
        fs::rename(path, format!("{path}.real")).unwrap();
        plant(path);
        let report = verify_dir(dir.path(), &VerifyOptions::default()).unwrap();
        assert_eq!(report.verdict, Verdict::Tampered, "{report}");
        assert_eq!(codes_of(&report), ["checkpoint_not_a_file"], "{report}");
        assert_eq!(report.findings[0].file.as_deref(), Some("checkpoints"), "{report}");
    }
    let mut files = log.files;
    strip(&mut files);
    files.insert("checkpoints".to_owned(), Vec::new());
    assert_eq!(codes_of(&verify(&files)), ["checkpoint_not_a_file"]);
}

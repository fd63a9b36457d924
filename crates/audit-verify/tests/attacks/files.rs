//! What lies in a real directory in place of a log's files, and files without end.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use audit_testkit::{CountingAllocator, count};
use audit_verify::{
    LogFile, LogSource, MemorySource, OpenError, Report, Verdict, VerifyOptions, verify_dir,
    verify_source,
};

use crate::builder::{Builder, Files, segment_name};
use crate::family::Level;
use crate::honest::Honest;
use crate::notes::older_edited;
use crate::oracle::segments;
use crate::player::Signer;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const GIB: u64 = 1 << 30;

fn write(files: &Files, dir: &Path) {
    fs::create_dir(dir.join("checkpoints")).unwrap();
    for (name, bytes) in files {
        fs::write(dir.join(name), bytes).unwrap();
    }
}

fn plain(dir: &Path) -> Report {
    verify_dir(dir, &VerifyOptions::default()).unwrap()
}

/// What is put where a file was, and the file's bytes are left beside it.
type Plant = fn(&Path, &Path);

#[test]
fn a_link_a_pipe_or_a_directory_in_place_of_any_file_is_tampering_at_every_level() {
    let plants: [Plant; 5] = [
        |path, _| assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
        |path, _| fs::create_dir(path).unwrap(),
        |path, _| symlink("/dev/zero", path).unwrap(),
        |path, beside| symlink(beside, path).unwrap(),
        |path, _| symlink(path, path).unwrap(),
    ];
    for honest in Honest::all() {
        for replaced in honest.files.keys() {
            for plant in plants {
                let dir = tempfile::tempdir().unwrap();
                write(&honest.files, dir.path());
                let (path, beside) = (dir.path().join(replaced), dir.path().join("beside"));
                fs::rename(&path, &beside).unwrap();
                plant(&path, &beside);
                for level in Level::ALL {
                    let report = verify_dir(dir.path(), honest.options(level)).unwrap();
                    assert_eq!(report.verdict, Verdict::Tampered, "{replaced}\n{report}");
                }
            }
        }
    }
}

/// A link to the same bytes is the same file; one to others is what these bytes are.
#[test]
fn a_hard_link_is_judged_by_its_bytes() {
    let honest = &Honest::all()[0];
    let other = honest.rewritten(0, Signer::Nobody).unwrap().files;
    for replaced in honest.files.keys() {
        for (bytes, verdict) in
            [(&honest.files[replaced], Verdict::Consistent), (&other[replaced], Verdict::Tampered)]
        {
            let dir = tempfile::tempdir().unwrap();
            write(&honest.files, dir.path());
            fs::remove_file(dir.path().join(replaced)).unwrap();
            fs::write(dir.path().join("elsewhere"), bytes).unwrap();
            fs::hard_link(dir.path().join("elsewhere"), dir.path().join(replaced)).unwrap();
            assert_eq!(plain(dir.path()).verdict, verdict, "{replaced}");
        }
    }
}

#[test]
fn the_active_file_unlinked_is_missed_by_what_was_kept_and_by_its_writer() {
    for honest in Honest::all() {
        let mut files = honest.files.clone();
        let newest = segments(&honest.files).next_back().unwrap().0;
        files.remove(newest);
        let source = MemorySource::new(files.clone());
        let said = crate::family::say(&honest, Level::Elsewhere, &source);
        assert!(said >= Verdict::Truncated, "{}: {said}", honest.name);
    }
    // A writer that finds its file gone says so in the next one.
    let mut log = Builder::new();
    log.open_segment();
    let (gone, seq) = (log.file.clone(), log.seq - 1);
    log.open_segment();
    log.record(&format!(
        r#"{{"event_type":"segment_missing","file":"{gone}","first_seq":{seq},"last_seq":{seq},"last_hash":"{}","reason":"unlinked"}}"#,
        log.prev_hash
    ));
    log.files.remove(&gone);
    let said = crate::builder::verify(&log.files);
    assert!(said.verdict >= Verdict::Truncated, "{said}");
}

#[test]
fn unknown_files_change_nothing_of_what_is_said() {
    for honest in Honest::all() {
        for level in Level::ALL {
            let say = |files: Files| {
                let source = MemorySource::new(files);
                verify_source(&source, honest.options(level), &mut |_| ()).unwrap()
            };
            let without = say(honest.files.clone());
            let mut files = honest.files.clone();
            for name in ["README", "zz.audit.jsonl.bak", ".hidden", "checkpoints/note.txt"] {
                files.insert(name.to_owned(), b"{\"v\":1}\n".to_vec());
            }
            let with = say(files);
            assert_eq!(with.verdict, without.verdict, "{with}");
            assert_eq!(with.findings_total, without.findings_total, "{with}");
            assert_eq!(with.notices_total, without.notices_total + 4, "{with}");
        }
    }
}

#[test]
fn an_older_checkpoint_with_any_bit_flipped_is_found_or_counts_for_nothing() {
    for honest in Honest::all() {
        for files in older_edited(&honest) {
            let source = MemorySource::new(files);
            let options = honest.options(Level::Key);
            let report = verify_source(&source, options, &mut |_| ()).unwrap();
            let notices = report.notices.iter().map(|notice| notice.code.as_str());
            let is_told = notices.into_iter().any(|code| code == "checkpoints_of_other_keys");
            assert!(report.verdict.exit_code() != 0 || is_told, "{report}");
        }
    }
}

/// What verifying allocates, in bytes, though nothing of it may be kept.
fn bytes_allocated(act: impl FnOnce()) -> u64 {
    count(act).bytes
}

const MEMORY_MAX_BYTES: u64 = 16 << 20;

#[test]
fn a_line_of_a_gibibyte_is_found_in_bounded_memory() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Builder::new();
    log.event();
    write(&log.files, dir.path());
    let file = fs::OpenOptions::new().write(true).open(dir.path().join(&log.file)).unwrap();
    // Without a block on the disk: it is read as NULs.
    file.set_len(GIB).unwrap();
    let allocated = bytes_allocated(|| {
        let report = plain(dir.path());
        assert_eq!(report.verdict, Verdict::Tampered, "{report}");
    });
    assert!(allocated < MEMORY_MAX_BYTES, "{allocated}");
}

/// A log whose only segment is one byte again and again.
#[derive(Debug)]
struct Endless {
    byte: u8,
    bytes: u64,
}

#[derive(Debug)]
struct EndlessFile<'s>(&'s Endless);

impl LogSource for Endless {
    type File<'s> = EndlessFile<'s>;

    fn visit_names(&self, visit: &mut dyn FnMut(&OsStr)) -> io::Result<()> {
        visit(OsStr::new(&segment_name(0)));
        Ok(())
    }

    fn open(&self, _: &str) -> Result<EndlessFile<'_>, OpenError> {
        Ok(EndlessFile(self))
    }

    fn visit_checkpoints(&self, _: &mut dyn FnMut(&OsStr)) -> Result<(), OpenError> {
        Ok(())
    }

    fn open_checkpoint(&self, _: &str) -> Result<EndlessFile<'_>, OpenError> {
        Err(io::Error::from(io::ErrorKind::NotFound).into())
    }
}

impl LogFile for EndlessFile<'_> {
    fn size(&self) -> io::Result<u64> {
        Ok(self.0.bytes)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.0.bytes.saturating_sub(offset)).unwrap().min(buffer.len());
        buffer[..room].fill(self.0.byte);
        Ok(room)
    }
}

#[test]
fn a_million_brackets_are_found_in_bounded_memory() {
    for byte in *b"[{\"\0" {
        let source = Endless { byte, bytes: 1_000_000 };
        let allocated = bytes_allocated(|| {
            let report = verify_source(&source, &VerifyOptions::default(), &mut |_| ()).unwrap();
            assert_eq!(report.verdict, Verdict::Tampered, "{report}");
        });
        assert!(allocated < MEMORY_MAX_BYTES, "{allocated} for {byte}");
    }
}

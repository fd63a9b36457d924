//! Files with several names, and names without a file.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use audit_verify::{
    Code, DirFile, DirSource, LogSource, NoticeCode, OpenError, Report, Verdict, VerifyOptions,
    View, Viewer, verify_dir, verify_source,
};

use crate::builder::{Builder, Files, segment_name, twenty_records};
use crate::signed::{key, note_path};

fn write(dir: &Path, files: &Files) {
    fs::create_dir(dir.join("checkpoints")).unwrap();
    for (name, bytes) in files {
        fs::write(dir.join(name), bytes).unwrap();
    }
}

fn verify(dir: &Path) -> Report {
    verify_dir(dir, &VerifyOptions::default()).unwrap()
}

/// Backups by hard links are honest.
#[test]
fn a_file_with_a_name_elsewhere_is_read_and_noted() {
    let parent = tempfile::tempdir().unwrap();
    let [dir, backup] = ["log", "backup"].map(|name| parent.path().join(name));
    fs::create_dir(&dir).unwrap();
    fs::create_dir(&backup).unwrap();
    let mut log = Builder::new();
    log.events(3);
    log.sign(&key(1));
    write(&dir, &log.files);
    for (number, name) in log.files.keys().enumerate() {
        fs::hard_link(dir.join(name), backup.join(number.to_string())).unwrap();
    }
    let report = verify(&dir);
    assert_eq!(report.verdict, Verdict::Consistent, "{report}");
    assert_eq!(report.notice_counts[&NoticeCode::HardLinked], 2);
}

#[test]
fn a_file_under_two_names_of_a_log_is_read_under_one_and_found_under_the_other() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path();
    let mut log = Builder::new();
    log.events(3);
    log.sign(&key(1));
    write(dir, &log.files);
    for size in 900..920 {
        fs::hard_link(dir.join(note_path(log.seq)), dir.join(note_path(size))).unwrap();
    }
    let report = verify(dir);
    assert_eq!(report.finding_counts[&Code::CheckpointNotAFile], 20, "{report}");
    assert_eq!(report.notice_counts[&NoticeCode::HardLinked], 1);
    let found = report.findings.iter().find(|it| it.code == Code::CheckpointNotAFile).unwrap();
    assert_eq!(found.found.as_deref(), Some("another name of a file that was read"));

    fs::hard_link(dir.join(&log.file), dir.join(segment_name(900))).unwrap();
    let report = verify(dir);
    assert_eq!((report.verdict, report.segments), (Verdict::Tampered, 2), "{report}");
    assert_eq!(report.finding_counts[&Code::SegmentNotAFile], 1);
    assert_eq!(report.records, log.seq);
}

/// A directory in which a segment is listed that is deleted as soon as it is asked for.
#[derive(Debug)]
struct Deleting {
    source: DirSource,
    /// How often it is listed yet.
    listed: std::cell::Cell<u32>,
}

impl LogSource for Deleting {
    type File<'s> = DirFile;

    fn visit_names(&self, visit: &mut dyn FnMut(&OsStr)) -> io::Result<()> {
        if let Some(left) = self.listed.get().checked_sub(1) {
            self.listed.set(left);
            visit(OsStr::new(&segment_name(900)));
        }
        self.source.visit_names(visit)
    }

    fn open(&self, name: &str) -> Result<DirFile, OpenError> {
        self.source.open(name)
    }

    fn visit_checkpoints(&self, visit: &mut dyn FnMut(&OsStr)) -> Result<(), OpenError> {
        self.source.visit_checkpoints(visit)
    }

    fn open_checkpoint(&self, name: &str) -> Result<DirFile, OpenError> {
        self.source.open_checkpoint(name)
    }
}

#[test]
fn where_a_listed_segment_is_gone_the_log_is_listed_again_three_times_at_most() {
    let dir = tempfile::tempdir().unwrap();
    let log = twenty_records();
    write(dir.path(), &log.files);
    let deleting = |listed: u32| Deleting {
        source: DirSource::open_dir(dir.path()).unwrap(),
        listed: listed.into(),
    };
    for (listed, is_read) in [(0, true), (1, true), (3, true), (4, false)] {
        let source = deleting(listed);
        let report = verify_source(&source, &VerifyOptions::default(), &mut |_| ()).unwrap();
        assert_eq!(report.verdict == Verdict::Consistent, is_read, "{listed}: {report}");
        assert_eq!(report.finding_counts.contains_key(&Code::SegmentUnreadable), !is_read);

        let (mut shown, mut faults) = (0, 0);
        let flow = Viewer::new(deleting(listed)).read(&mut |view| {
            match view {
                View::Record(_) => shown += 1,
                View::Faulty { .. } | View::Skipped(_) | _ => faults += 1,
            }
            ControlFlow::Continue(())
        });
        assert!(flow.unwrap().is_continue());
        assert_eq!((shown, faults), (20, u32::from(!is_read)), "{listed}");
    }
}

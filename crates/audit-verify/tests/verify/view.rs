//! The view of a log: line by line, on after a fault, and on while it grows.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use audit_testkit::dice::Dice;
use audit_verify::{
    DirSource, LogFile, LogSource, MemoryFile, MemorySource, OpenError, Verdict, VerifyOptions,
    View, Viewer, verify_source,
};

use crate::accounts::recovered_log;
use crate::agree::report_and_view_agree;
use crate::builder::{Builder, Files, codes, line_starts, twenty_records, verify};
use crate::second::mutants::change;
use crate::second::{files, logs};

/// What was shown, a text for each.
fn told(view: &View<'_>) -> String {
    match view {
        View::Record(record) => {
            format!("{} {} in line {}", record.seq, record.event_type, record.line_number)
        }
        View::Faulty { record, findings } => {
            let codes: Vec<_> = findings.iter().map(|finding| finding.code.as_str()).collect();
            let says = record.as_ref().map_or("?".to_owned(), |record| record.seq.to_string());
            format!("! {says} {}", codes.join(" "))
        }
        View::Skipped(notice) => format!("- {}", notice.code.as_str()),
        other => format!("{other:?}"),
    }
}

fn read<S: LogSource>(viewer: &mut Viewer<S>) -> Vec<String> {
    let mut shown = Vec::new();
    let flow = viewer.read(&mut |view| {
        shown.push(told(&view));
        ControlFlow::Continue(())
    });
    assert_eq!(flow.unwrap(), ControlFlow::Continue(()));
    shown
}

fn finish<S: LogSource>(viewer: Viewer<S>) -> Vec<String> {
    let mut shown = Vec::new();
    viewer.finish(&mut |view| {
        shown.push(told(&view));
        ControlFlow::Continue(())
    });
    shown
}

fn view(files: &Files) -> Vec<String> {
    let mut viewer = Viewer::new(MemorySource::new(files.clone()));
    let shown = read(&mut viewer);
    [shown, finish(viewer)].concat()
}

#[test]
fn every_record_is_shown_once_in_order_with_its_parts() {
    let log = twenty_records();
    let mut viewer = Viewer::new(MemorySource::new(log.files.clone()));
    let mut next = 0;
    let mut before = audit_core::Digest::ZERO;
    let flow = viewer.read(&mut |view| {
        let View::Record(record) = view else { panic!("{view:?}") };
        let bytes = &log.files[record.file];
        let at = usize::try_from(record.offset).unwrap();
        assert_eq!(record.seq, next);
        assert_eq!(bytes[at..at + record.line.len()], *record.line);
        assert_eq!(bytes[at + record.line.len()], b'\n');
        assert_eq!(line_starts(bytes)[usize::try_from(record.line_number).unwrap() - 1], at);
        let json: serde_json::Value = serde_json::from_slice(record.line).unwrap();
        let event: serde_json::Value = serde_json::from_slice(record.event).unwrap();
        assert_eq!(json["event"], event);
        assert_eq!(json["event"]["event_type"], *record.event_type);
        assert_eq!(json["audit_id"], record.audit_id);
        assert_eq!(json["timestamp"], record.timestamp);
        assert_eq!(json["service_id"], record.service_id);
        assert_eq!(json["hash"], record.hash.to_string());
        assert_eq!((record.prev_hash, record.sanitized), (before, None));
        before = record.hash;
        next += 1;
        ControlFlow::Continue(())
    });
    assert_eq!((flow.unwrap(), next), (ControlFlow::Continue(()), 20));
    assert!(finish(viewer).is_empty());
}

#[test]
fn what_was_cleaned_and_what_is_critical_is_told() {
    let mut log = Builder::new();
    let (line, _) = Builder::line(
        log.seq,
        r#"{"event_type":"auth_failure","reason":"x"},"sanitized":["/reason"]"#,
        log.prev_hash,
    );
    log.append(line.as_bytes());
    let mut viewer = Viewer::new(MemorySource::new(log.files.clone()));
    let mut last = None;
    let flow = viewer.read(&mut |view| {
        let View::Record(record) = view else { panic!("{view:?}") };
        last = Some((record.is_critical, record.sanitized.map(<[u8]>::to_vec)));
        ControlFlow::Continue(())
    });
    assert!(flow.unwrap().is_continue());
    assert_eq!(last, Some((true, Some(br#"["/reason"]"#.to_vec()))));
}

#[test]
fn a_changed_record_is_named_and_what_it_says_is_still_shown() {
    let mut log = twenty_records();
    let bytes = log.files.values_mut().nth(1).unwrap();
    let at = bytes.iter().position(|&byte| byte == b'@').unwrap();
    bytes[at] = b'#';
    let shown = view(&log.files);
    let faulty: Vec<_> = shown.iter().filter(|told| told.starts_with('!')).collect();
    assert_eq!(faulty, ["! 8 hash_mismatch"]);
    assert_eq!(shown.len(), 20);
}

#[test]
fn a_line_that_is_no_record_is_named_and_reading_goes_on() {
    let mut log = twenty_records();
    let bytes = log.files.values_mut().nth(1).unwrap();
    let second = line_starts(bytes)[1];
    bytes[second] = b'\n';
    let shown = view(&log.files);
    let faulty: Vec<_> = shown.iter().filter(|told| told.starts_with('!')).collect();
    assert_eq!(faulty, ["! ? line_not_a_record", "! ? line_not_a_record"]);
    assert_eq!(shown.len(), 21);
}

#[test]
fn what_the_verifier_finds_the_viewer_shows() {
    let log = twenty_records();
    for (name, bytes) in &log.files {
        for at in (0..bytes.len()).step_by(23) {
            let mut changed = log.files.clone();
            changed.get_mut(name).unwrap()[at] ^= 1;
            let report = verify(&changed);
            let mut worst = None;
            let mut viewer = Viewer::new(MemorySource::new(changed));
            let mut look = |view: View<'_>| {
                if let View::Faulty { findings, .. } = view {
                    assert!(!findings.is_empty());
                    worst = worst.max(findings.iter().map(|finding| finding.verdict).max());
                }
                ControlFlow::Continue(())
            };
            assert!(viewer.read(&mut look).unwrap().is_continue());
            viewer.finish(&mut look);
            assert_eq!(worst, Some(report.verdict), "{name} at {at}");
        }
    }
}

#[test]
fn report_and_view_say_the_same_of_the_corpus_and_of_ten_thousand_mutants() {
    let dice = &mut Dice::new(1);
    for dir in logs() {
        let source = DirSource::open_dir(&dir).unwrap();
        let report = verify_source(&source, &VerifyOptions::default(), &mut |_| ()).unwrap();
        let said = report_and_view_agree(&report, source);
        assert_eq!(said, Ok(()), "{}", dir.display());
        let honest = files(&dir);
        for _ in 0..80 {
            let mut changed = honest.clone();
            let told = change(&mut changed, dice);
            let said = report_and_view_agree(&verify(&changed), MemorySource::new(changed));
            assert_eq!(said, Ok(()), "{}: {told}", dir.display());
        }
    }
}

#[test]
fn a_tail_that_is_accounted_for_is_no_fault() {
    let shown = view(&recovered_log().files);
    assert_eq!(shown.iter().filter(|told| *told == "- tail_recovered").count(), 1);
    assert!(!shown.iter().any(|told| told.starts_with('!')), "{shown:?}");
}

#[test]
fn a_false_account_is_a_fault() {
    let mut log = recovered_log();
    let bytes = log.files.values_mut().next().unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    assert_eq!(codes(&log.files, Verdict::Tampered), ["recovery_mismatch"]);
    assert!(view(&log.files).contains(&"! ? recovery_mismatch".to_owned()));
}

#[test]
fn a_log_without_records_and_one_without_its_beginning_are_told_at_the_end() {
    assert_eq!(view(&Files::new()), ["! ? no_records"]);
    let mut log = twenty_records();
    log.files.pop_first();
    assert!(view(&log.files).contains(&"! ? head_missing".to_owned()));
}

/// Puts bytes at the end of a file.
fn append(dir: &Path, name: &str, bytes: &[u8]) {
    let file = OpenOptions::new().create(true).append(true).open(dir.join(name));
    file.unwrap().write_all(bytes).unwrap();
}

#[test]
fn a_log_that_grows_is_shown_as_far_as_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut viewer = Viewer::new(DirSource::open_dir(dir.path()).unwrap());
    assert!(read(&mut viewer).is_empty());
    let log = twenty_records();
    let mut shown = Vec::new();
    for (name, bytes) in &log.files {
        // A segment begins with whole records; then each line comes in two pieces.
        let starts = line_starts(bytes);
        append(dir.path(), name, &bytes[..starts[2]]);
        shown.extend(read(&mut viewer));
        for ends in starts[2..].windows(2) {
            let half = usize::midpoint(ends[0], ends[1]);
            append(dir.path(), name, &bytes[ends[0]..half]);
            assert!(read(&mut viewer).is_empty());
            append(dir.path(), name, &bytes[half..ends[1]]);
            shown.extend(read(&mut viewer));
        }
    }
    assert!(finish(viewer).is_empty());
    assert_eq!(shown, view(&log.files));
    assert_eq!(shown.len(), 20);
}

#[test]
fn an_unfinished_end_is_told_once_reading_ends() {
    let mut log = twenty_records();
    let bytes = log.files.values_mut().next_back().unwrap();
    let last = line_starts(bytes)[4];
    bytes.truncate(last + 30);
    let mut viewer = Viewer::new(MemorySource::new(log.files.clone()));
    assert_eq!(read(&mut viewer).len(), 18);
    assert!(read(&mut viewer).is_empty());
    assert_eq!(finish(viewer), ["! ? torn_tail"]);
}

#[test]
fn a_file_that_shrinks_is_a_fault_once() {
    let dir = tempfile::tempdir().unwrap();
    let log = twenty_records();
    let (name, bytes) = log.files.first_key_value().unwrap();
    append(dir.path(), name, bytes);
    let mut viewer = Viewer::new(DirSource::open_dir(dir.path()).unwrap());
    assert_eq!(read(&mut viewer).len(), 7);
    fs::write(dir.path().join(name), &bytes[..100]).unwrap();
    assert_eq!(read(&mut viewer), ["! ? segment_unreadable"]);
    assert!(read(&mut viewer).is_empty());
}

#[test]
fn a_visitor_that_stops_is_shown_the_rest_later() {
    let log = twenty_records();
    let mut viewer = Viewer::new(MemorySource::new(log.files.clone()));
    let mut shown = Vec::new();
    loop {
        let flow = viewer.read(&mut |view| {
            shown.push(told(&view));
            ControlFlow::Break(())
        });
        if flow.unwrap().is_continue() {
            break;
        }
    }
    assert_eq!(shown, view(&log.files));
}

#[test]
fn a_name_that_is_no_segments_is_told_once() {
    let mut log = twenty_records();
    log.files.insert("1.audit.jsonl".to_owned(), Vec::new());
    let mut viewer = Viewer::new(MemorySource::new(log.files));
    let shown = read(&mut viewer);
    assert_eq!((shown[0].as_str(), shown.len()), ("! ? segment_name_invalid", 21));
    assert!(read(&mut viewer).is_empty());
}

#[test]
fn an_unfinished_end_of_a_file_that_shrank_since_is_not_told() {
    let dir = tempfile::tempdir().unwrap();
    let log = twenty_records();
    let (name, bytes) = log.files.first_key_value().unwrap();
    append(dir.path(), name, bytes);
    append(dir.path(), name, br#"{"v":1,"seq":7,"#);
    let mut viewer = Viewer::new(DirSource::open_dir(dir.path()).unwrap());
    assert_eq!(read(&mut viewer).len(), 7);
    fs::write(dir.path().join(name), &bytes[..100]).unwrap();
    assert_eq!(read(&mut viewer), ["! ? segment_unreadable"]);
    assert!(finish(viewer).is_empty());
}

/// A log in memory that counts how often its bytes are read.
#[derive(Debug)]
struct Counted<'c> {
    source: MemorySource,
    reads: &'c AtomicU32,
}

#[derive(Debug)]
struct CountedFile<'c>(MemoryFile<'c>, &'c AtomicU32);

impl LogSource for Counted<'_> {
    type File<'s>
        = CountedFile<'s>
    where
        Self: 's;

    fn visit_names(&self, visit: &mut dyn FnMut(&OsStr)) -> io::Result<()> {
        self.source.visit_names(visit)
    }

    fn open(&self, name: &str) -> Result<CountedFile<'_>, OpenError> {
        self.source.open(name).map(|file| CountedFile(file, self.reads))
    }

    fn visit_checkpoints(&self, visit: &mut dyn FnMut(&OsStr)) -> Result<(), OpenError> {
        self.source.visit_checkpoints(visit)
    }

    fn open_checkpoint(&self, name: &str) -> Result<CountedFile<'_>, OpenError> {
        self.open(&format!("checkpoints/{name}"))
    }
}

impl LogFile for CountedFile<'_> {
    fn size(&self) -> io::Result<u64> {
        self.0.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.1.fetch_add(1, Relaxed);
        self.0.read_at(offset, buffer)
    }
}

/// Whoever follows a log asks often, and an unfinished end may stay for long.
#[test]
fn an_unfinished_end_is_not_read_again_before_it_grows() {
    let mut log = Builder::new();
    log.append(b"{");
    let reads = AtomicU32::new(0);
    let source = MemorySource::new(log.files);
    let mut viewer = Viewer::new(Counted { source, reads: &reads });
    assert_eq!(read(&mut viewer).len(), 2);
    let before = reads.swap(0, Relaxed);
    assert!(read(&mut viewer).is_empty());
    assert!(before > 0);
    assert_eq!(reads.load(Relaxed), 0);
    assert_eq!(finish(viewer), ["! ? torn_tail"]);
}

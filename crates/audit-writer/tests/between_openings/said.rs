//! The honest log, and what is said of it at each level.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use audit_checkpoint::{Note, VerifyingKey};
use audit_core::Receipt;
use audit_verify::{MemorySource, Report, Verdict, VerifyOptions, View, Viewer, verify_source};
use audit_writer::SimDisk;

use crate::log::{key, kill, lines, newest, receipt, signed, write};

pub(crate) type Files = BTreeMap<String, Vec<u8>>;

pub(crate) const FORGED: &str = r#"{"event_type":"forged"}"#;

/// What a report says without anything kept elsewhere.
pub(crate) const CANNOT: &str = "cannot be excluded";

/// What is known of a log before it was attacked.
pub(crate) struct Kept {
    pub(crate) vkey: VerifyingKey,
    /// Its newest record, of which a caller had a receipt.
    pub(crate) head: Receipt,
    /// Its newest checkpoint.
    pub(crate) pin: Note,
}

impl Kept {
    pub(crate) fn of(disk: &SimDisk) -> Self {
        let note = newest_note(disk).1;
        let head = receipt(lines(&newest(disk).1).last().unwrap());
        Self { vkey: key().verifying_key().clone(), head, pin: Note::parse(&note).unwrap() }
    }

    /// What is said of the log alone, with its key, and with the key and what was kept elsewhere.
    pub(crate) fn said(&self, files: &Files) -> [Report; 3] {
        let alone = VerifyOptions::default();
        let with_key = VerifyOptions { keys: vec![self.vkey.clone()], ..alone.clone() };
        let (heads, pins) = (vec![self.head], vec![self.pin.clone()]);
        let elsewhere = VerifyOptions { heads, pins, ..with_key.clone() };
        [alone, with_key, elsewhere].map(|options| {
            let source = MemorySource::new(files.clone());
            verify_source(&source, &options, &mut |_| ()).unwrap()
        })
    }
}

/// A log that signs: two events, a checkpoint, two events more, and its writer killed.
pub(crate) fn honest() -> SimDisk {
    let disk = SimDisk::default();
    let mut log = signed(&disk).unwrap();
    write(&mut log, 2);
    log.checkpoint().unwrap();
    write(&mut log, 2);
    kill(&disk, log);
    disk
}

/// The newest checkpoint beside a log: its name and its bytes.
pub(crate) fn newest_note(disk: &SimDisk) -> (String, Vec<u8>) {
    disk.files().into_iter().rfind(|(name, _)| name.starts_with("checkpoints/")).unwrap()
}

/// A verdict, and words of the report that have to be there.
pub(crate) type Due = (Verdict, &'static str);

/// Holds what is said at each level to what is due, and a mild verdict to saying what it does not
/// exclude.
#[track_caller]
pub(crate) fn hold(name: &str, kept: &Kept, files: &Files, due: [Due; 3]) {
    for (level, (report, (verdict, words))) in kept.said(files).into_iter().zip(due).enumerate() {
        assert_eq!(report.verdict, verdict, "{name}, L{level}\n{report}");
        let text = report.to_string();
        assert!(text.contains(words), "{name}, L{level}: {words}\n{text}");
        let is_mild = matches!(verdict, Verdict::Consistent | Verdict::Signed | Verdict::Torn);
        assert!(!is_mild || report.coverage.contains(CANNOT), "{name}, L{level}\n{text}");
        let end = report.head.map(|head| head.seq + report.unsealed_records);
        let is_covered = report.covered_up_to >= end || report.signed_up_to >= end;
        let is_right = !is_mild || is_covered == (verdict == Verdict::Signed);
        assert!(is_right, "{name}, L{level}\n{text}");
    }
}

/// Whether the records that count say this.
pub(crate) fn records_say(files: &Files, text: &str) -> bool {
    let mut is_said = false;
    let mut viewer = Viewer::new(MemorySource::new(files.clone()));
    let mut visit = |view: View<'_>| {
        if let View::Record(record) = view {
            is_said |= String::from_utf8_lossy(record.line).contains(text);
        }
        ControlFlow::Continue(())
    };
    assert!(viewer.read(&mut visit).unwrap().is_continue());
    viewer.finish(&mut visit);
    is_said
}

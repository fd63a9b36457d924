//! What a log says of its own checkpoints.

use std::cell::Cell;
use std::ffi::OsStr;
use std::io;

use audit_core::Digest;
use audit_verify::{
    LogSource, MemoryFile, MemorySource, OpenError, Verdict, VerifyOptions, verify_source,
};

use crate::builder::{Builder, codes, verify};
use crate::signed::{
    checkpoint_signed, codes_of, key, note, note_path, notices_of, recorded_log, with_key,
};

#[test]
fn a_removed_checkpoint_is_missed_if_none_is_newer() {
    let mut files = recorded_log(&key(1)).files;
    // Older ones may be thinned out, also the newest one recorded where a newer one lies there.
    for size in [5, 9, 14] {
        files.remove(&note_path(size));
        assert_eq!(codes(&files, Verdict::Consistent), [""; 0], "{size}");
    }
    files.remove(&note_path(17));
    let report = verify(&files);
    assert_eq!(report.verdict, Verdict::Truncated, "{report}");
    assert_eq!(report.findings[0].file, Some(note_path(14)), "{report}");
    files.insert(note_path(9), recorded_log(&key(1)).files[&note_path(9)].clone());
    assert_eq!(codes(&files, Verdict::Truncated), ["checkpoint_missing"]);
}

#[test]
fn a_checkpoint_signed_that_the_records_contradict_is_tampering() {
    for late in [0, 1, 63, 300] {
        let mut log = Builder::new();
        log.events(2);
        let (size, root) = (log.seq, log.frontier.root());
        // That of long ago is told by the checkpoint beside the log.
        if late > 100 {
            log.sign(&key(1));
        }
        log.events(late);
        log.sign(&key(1));
        let mut good = log.clone();
        good.record(&checkpoint_signed(&key(1), size, root));
        assert_eq!(codes(&good.files, Verdict::Consistent), [""; 0], "{late}");
        log.record(&checkpoint_signed(&key(1), size, Digest::of(b"another")));
        assert_eq!(codes(&log.files, Verdict::Tampered), ["checkpoint_record_false"], "{late}");
    }
}

#[test]
fn a_checkpoint_signed_cannot_cover_itself() {
    let mut log = Builder::new();
    log.events(2);
    log.record(&checkpoint_signed(&key(1), 5, Digest::of(b"any")));
    log.events(2);
    assert_eq!(codes(&log.files, Verdict::Tampered), ["checkpoint_record_false"]);
}

#[test]
fn a_checkpoint_signed_of_long_ago_is_said_not_to_be_compared() {
    let mut log = Builder::new();
    let (size, root) = (log.seq, log.frontier.root());
    log.events(300);
    log.record(&checkpoint_signed(&key(1), size, root));
    log.sign(&key(1));
    let report = verify(&log.files);
    assert_eq!(report.verdict, Verdict::Consistent, "{report}");
    assert!(notices_of(&report).contains(&"checkpoints_not_compared"), "{report}");
}

#[test]
fn a_root_is_32_bytes_in_base64() {
    for root in ["", "AA==", "jnXDcI47Fbg6+ZHitaZea8XTgOn3hEdRf2+dDGyTnHk"] {
        let mut log = Builder::new();
        log.record(&format!(
            r#"{{"event_type":"checkpoint_signed","size":2,"root":"{root}","key_id":"0c20ca15"}}"#
        ));
        assert_eq!(codes(&log.files, Verdict::Tampered), ["lifecycle_malformed"], "{root}");
    }
}

/// What is damaged in the log excuses nothing.
#[test]
fn a_flipped_byte_does_not_hide_that_a_checkpoint_is_missing() {
    let mut files = recorded_log(&key(1)).files;
    crate::signed::strip(&mut files);
    let bytes = files.values_mut().next().unwrap();
    let third = crate::builder::line_starts(bytes)[2];
    bytes[third + 200] ^= 1;
    assert_eq!(codes(&files, Verdict::Tampered), ["hash_mismatch", "checkpoint_missing"]);
}

/// A log whose checkpoint is made, and recorded, after those there were listed.
#[derive(Debug)]
struct Signing {
    files: MemorySource,
    listed: Cell<bool>,
}

impl LogSource for Signing {
    type File<'s> = MemoryFile<'s>;

    fn visit_names(&self, visit: &mut dyn FnMut(&OsStr)) -> io::Result<()> {
        self.files.visit_names(visit)
    }

    fn open(&self, name: &str) -> Result<MemoryFile<'_>, OpenError> {
        self.files.open(name)
    }

    fn visit_checkpoints(&self, visit: &mut dyn FnMut(&OsStr)) -> Result<(), OpenError> {
        if self.listed.replace(true) { self.files.visit_checkpoints(visit) } else { Ok(()) }
    }

    fn open_checkpoint(&self, name: &str) -> Result<MemoryFile<'_>, OpenError> {
        self.files.open_checkpoint(name)
    }
}

#[test]
fn a_checkpoint_that_is_made_meanwhile_is_not_missed() {
    let mut log = Builder::new();
    log.events(3);
    log.sign_and_record(&key(1));
    let verify = |files: &crate::builder::Files| {
        let source = Signing { files: MemorySource::new(files.clone()), listed: Cell::new(false) };
        verify_source(&source, &VerifyOptions::default(), &mut |_| ()).unwrap()
    };
    assert_eq!(verify(&log.files).verdict, Verdict::Consistent);
    // A name alone is no checkpoint.
    for bytes in [b"a note\n".to_vec(), note(&key(1), 3, Digest::of(b"any"))] {
        let mut files = log.files.clone();
        files.insert(note_path(5), bytes);
        assert_eq!(codes_of(&verify(&files)), ["checkpoint_missing"]);
    }
}

#[test]
fn a_log_that_records_its_checkpoints_is_covered_to_its_last_byte_once_closed() {
    let report = with_key(&recorded_log(&key(1)).files, &key(1));
    assert_eq!((report.verdict, report.signed_up_to), (Verdict::Signed, Some(16)), "{report}");
}

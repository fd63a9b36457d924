//! Checkpoints that somebody without a key of the log puts beside it.

use audit_checkpoint::{Checkpoint, Note, SigningKey};
use audit_core::Digest;
use audit_verify::{Report, Verdict, VerifyOptions};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::builder::{Builder, Files, verify};
use crate::signed::{
    Change, codes_of, key, key_called, named_log, note_path, notices_of, pin, public, recorded_log,
    strip, verify_by, with_key, with_pins,
};

/// A note over these records, by this key, with lines behind the root.
pub(crate) fn extended(size: u64, root: Digest, signer: &SigningKey) -> Vec<u8> {
    let text = Checkpoint::new(signer.name(), size, root).to_string();
    let mut note = Note::new(format!("{text}a line of mine\n")).unwrap();
    note.sign(signer).unwrap();
    note.to_string().into_bytes()
}

/// One that is said to be by a key, and is not.
fn claimed(size: u64, root: Digest, key: &SigningKey) -> Vec<u8> {
    let text = Checkpoint::new(key.name(), size, root).to_string();
    let signature = [key.id().as_bytes().as_slice(), &[7; 64]].concat();
    format!("{text}\n\u{2014} {} {}\n", key.name(), STANDARD.encode(signature)).into_bytes()
}

/// The log without its checkpoints, with this one in their place.
fn planted(log: &Builder, bytes: Vec<u8>) -> Files {
    let mut files = log.files.clone();
    strip(&mut files);
    files.insert(note_path(log.seq), bytes);
    files
}

#[test]
fn a_checkpoint_by_a_stranger_is_none_of_those_that_the_log_says_it_has() {
    let log = named_log(&key(1));
    let stranger = log.note(&key(9));
    let other_name = log.note(&key_called("another.example", 9));
    for bytes in [stranger, other_name] {
        let files = planted(&log, bytes);
        for report in [
            verify(&files),
            with_key(&files, &key(1)),
            with_pins(&files, &[pin(&log.files[&note_path(14)])]),
            with_pins(&files, &[pin(&log.files[&note_path(17)])]),
        ] {
            assert_eq!(report.verdict, Verdict::Truncated, "{report}");
            assert!(codes_of(&report).contains(&"checkpoint_missing"), "{report}");
            assert_eq!(report.signed_up_to, None, "{report}");
        }
    }
    // The log's own one is.
    let files = planted(&log, log.note(&key(1)));
    for report in [verify(&files), with_pins(&files, &[pin(&log.files[&note_path(14)])])] {
        assert_eq!((report.verdict, report.findings_total), (Verdict::Consistent, 0), "{report}");
    }
    assert_eq!(with_key(&files, &key(1)).verdict, Verdict::Signed);
}

#[test]
fn a_checkpoint_that_only_claims_to_be_by_the_logs_key_is_none_of_its_own() {
    let log = named_log(&key(1));
    let files = planted(&log, claimed(log.seq, log.frontier.root(), &key(1)));
    assert_eq!(codes_of(&verify(&files)), ["checkpoint_missing"]);
    let report = with_pins(&files, &[pin(&log.files[&note_path(17)])]);
    assert_eq!(report.verdict, Verdict::Tampered, "{report}");
    assert!(codes_of(&report).contains(&"checkpoint_signature_false"), "{report}");
}

#[test]
fn a_key_that_is_not_the_logs_makes_it_unverifiable_and_nothing_worse() {
    let log = named_log(&key(1));
    let report = with_key(&log.files, &key(9));
    assert_eq!(report.verdict, Verdict::Unverifiable, "{report}");
    assert_eq!(codes_of(&report), ["no_checkpoint_by_key"], "{report}");
    let options = VerifyOptions {
        keys: vec![public(&key(9))],
        pins: vec![pin(&log.files[&note_path(14)])],
        ..VerifyOptions::default()
    };
    let report = verify_by(&log.files, &options);
    assert_eq!(codes_of(&report), ["pin_not_verified", "no_checkpoint_by_key"], "{report}");
}

/// A pin shows which of all keys is the log's; from there on changes are followed.
#[test]
fn with_a_pin_its_key_and_the_successors_of_it_speak_for_the_log() {
    let mut log = Builder::naming(&key(1));
    log.events(2);
    log.sign_and_record(&key(1));
    let kept = pin(&log.files[&note_path(4)]);
    log.record(&Change::at(log.seq).event());
    log.sign_and_record(&key(2));
    log.event();
    for (signer, verdict) in [(2, Verdict::Consistent), (9, Verdict::Truncated)] {
        let files = planted(&log, log.note(&key(signer)));
        let report = with_pins(&files, std::slice::from_ref(&kept));
        assert_eq!(report.verdict, verdict, "{signer}\n{report}");
        assert_eq!((report.signed_up_to, report.covered_up_to), (None, Some(3)), "{report}");
    }
}

/// Old logs name no key, only its id, which anybody can write.
#[test]
fn where_a_log_names_no_key_a_checkpoint_has_to_say_that_it_is_by_the_recorded_one() {
    let log = recorded_log(&key(1));
    let files = planted(&log, log.note(&key(9)));
    let report = verify(&files);
    assert_eq!(report.verdict, Verdict::Truncated, "{report}");
    assert_eq!(codes_of(&report), ["checkpoint_missing"], "{report}");
    let files = planted(&log, claimed(log.seq, log.frontier.root(), &key(1)));
    assert_eq!(verify(&files).verdict, Verdict::Consistent);
}

#[test]
fn where_a_log_names_no_key_a_checkpoint_has_to_say_that_it_is_by_the_key_of_a_pin() {
    let log = recorded_log(&key(1));
    // The log does not tell of its newest one.
    let mut files = log.files.clone();
    files.insert(note_path(log.seq), log.note(&key(9)));
    assert_eq!(verify(&files).verdict, Verdict::Consistent);
    let report = with_pins(&files, &[pin(&log.files[&note_path(17)])]);
    assert_eq!(codes_of(&report), ["checkpoint_missing"], "{report}");
}

#[test]
fn a_checkpoint_with_lines_behind_its_root_is_none() {
    let log = named_log(&key(1));
    let root = log.frontier.root();
    for signer in [key(1), key(9)] {
        let mut files = log.files.clone();
        files.insert(note_path(17), extended(17, root, &signer));
        for report in [verify(&files), with_key(&files, &key(1))] {
            assert_eq!(report.verdict, Verdict::Tampered, "{report}");
            assert_eq!(codes_of(&report), ["checkpoint_malformed"], "{report}");
            assert!(report.signed_up_to < Some(16), "{report}");
        }
    }
}

/// What cannot be read speaks for nothing, whatever its name says.
#[test]
fn a_checkpoint_that_cannot_be_read_hides_no_missing_one() {
    use crate::watched::{Fault, Watched};
    let mut files = named_log(&key(1)).files;
    strip(&mut files);
    let missing = ["checkpoint_missing", "checkpoint_unreadable"];
    for name in [note_path(17), note_path(1_000), "checkpoints".to_owned()] {
        let mut files = files.clone();
        if name != "checkpoints" {
            files.insert(name.clone(), Vec::new());
        }
        let source = Watched::new(files).with(Fault::Denied, &name);
        let report =
            audit_verify::verify_source(&source, &VerifyOptions::default(), &mut |_| ()).unwrap();
        assert_eq!(report.verdict, Verdict::Truncated, "{report}");
        assert_eq!(codes_of(&report), missing, "{report}");
    }
}

#[test]
fn a_checkpoint_whose_name_is_no_text_is_told() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("checkpoints")).unwrap();
    let log = named_log(&key(1));
    for (name, bytes) in &log.files {
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    let path = dir.path().join("checkpoints").join(OsStr::from_bytes(b"\xff.note"));
    std::fs::write(path, "").unwrap();
    let report = audit_verify::verify_dir(dir.path(), &VerifyOptions::default()).unwrap();
    assert_eq!(notices_of(&report), ["unknown_file", "checkpoints_not_verified"], "{report}");
}

/// Neither a key that the log names nor one of a pin is a reason of coverage.
#[test]
fn what_speaks_for_the_log_signs_nothing_for_who_gave_no_key() {
    let log = named_log(&key(1));
    let report: Report = with_pins(&log.files, &[pin(&log.files[&note_path(14)])]);
    assert_eq!((report.verdict, report.signed_up_to), (Verdict::Consistent, None), "{report}");
    assert_eq!(report.covered_up_to, Some(13), "{report}");
    assert_eq!(report.unsigned_records, None, "{report}");
}

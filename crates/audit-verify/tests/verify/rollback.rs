//! What a chain alone accepts, and what meets it: logs cut off, older, rewritten, exchanged, gone.

use audit_verify::{Report, Verdict, VerifyOptions};

use crate::builder::{Builder, Files, lines_of, verify};
use crate::signed::{
    codes_of, key, key_called, note_path, pin, public, recorded_log, strip, verify_by, with_key,
    with_pins,
};

/// The sizes at which [`recorded_log`] has a checkpoint.
const SIZES: [u64; 4] = [5, 9, 14, 17];

fn pinned(whole: &Files, attacked: &Files, size: u64) -> Report {
    with_pins(attacked, &[pin(&whole[&note_path(size)])])
}

/// Every state of the directory on the way, as of each record, with the checkpoints of that time.
fn earlier_states() -> Vec<(u64, Files)> {
    let whole = recorded_log(&key(1));
    let records: usize = segments(&whole.files).map(|(_, bytes)| lines_of(bytes).len()).sum();
    (2..records as u64).map(|size| (size, cut(&whole.files, size))).collect()
}

fn segments(files: &Files) -> impl Iterator<Item = (&String, &Vec<u8>)> {
    files.iter().filter(|(name, _)| !name.starts_with("checkpoints/"))
}

/// The first records, and the checkpoints that cover no others.
fn cut(files: &Files, size: u64) -> Files {
    let mut left = usize::try_from(size).unwrap();
    let mut older = Files::new();
    for (name, bytes) in segments(files) {
        let lines = lines_of(bytes);
        let kept = left.min(lines.len());
        left -= kept;
        if kept > 0 {
            older.insert(name.clone(), lines[..kept].concat());
        }
    }
    let notes = SIZES.into_iter().filter(|signed| *signed <= size).map(note_path);
    older.extend(notes.map(|path| (path.clone(), files[&path].clone())));
    older
}

#[test]
fn the_whole_log_is_what_the_attacks_are_done_to() {
    let whole = recorded_log(&key(1));
    assert_eq!(verify(&whole.files).verdict, Verdict::Consistent);
    assert_eq!(with_key(&whole.files, &key(1)).verdict, Verdict::Signed);
    for size in SIZES {
        let report = pinned(&whole.files, &whole.files, size);
        let expected = if size == 17 { Verdict::Intact } else { Verdict::Consistent };
        assert_eq!(report.verdict, expected, "{report}");
    }
}

#[test]
fn a_rollback_to_any_earlier_state_is_met_by_every_pin_of_what_it_takes_away() {
    let whole = recorded_log(&key(1));
    for (size, older) in earlier_states() {
        for signed in SIZES.into_iter().filter(|signed| *signed > size) {
            let report = pinned(&whole.files, &older, signed);
            assert_eq!(report.verdict, Verdict::Truncated, "{size} {signed}\n{report}");
        }
        // Without, it is a log like any other, and says what cannot be excluded.
        let report = verify(&older);
        assert_eq!(report.verdict, Verdict::Consistent, "{size}\n{report}");
        assert!(report.coverage.contains("a rollback to an older copy"), "{report}");
        let report = with_key(&older, &key(1));
        let expected = match size {
            ..5 => Verdict::Unverifiable,
            5 | 9 | 14 => Verdict::Signed,
            _ => Verdict::Consistent,
        };
        assert_eq!(report.verdict, expected, "{size}\n{report}");
        if report.verdict.exit_code() == 0 {
            assert!(report.coverage.to_lowercase().contains("rollback"), "{report}");
        }
    }
}

#[test]
fn a_tail_cut_with_the_checkpoints_left_is_met_by_them_and_by_every_pin() {
    let whole = recorded_log(&key(1));
    for size in 2..17 {
        let mut files = cut(&whole.files, size);
        files.extend(SIZES.map(|size| (note_path(size), whole.files[&note_path(size)].clone())));
        assert_eq!(verify(&files).verdict, Verdict::Truncated, "{size}");
        for signed in SIZES {
            assert_eq!(pinned(&whole.files, &files, signed).verdict, Verdict::Truncated);
        }
    }
}

/// A log of the same shape with another history, signed by this key.
fn rewritten(signer: u8) -> Files {
    let mut log = Builder::new();
    log.record(r#"{"event_type":"another_history"}"#);
    log.events(14);
    log.sign(&key(signer));
    log.files
}

#[test]
fn a_rewrite_is_met_by_every_pin_whoever_signs_it() {
    let whole = recorded_log(&key(1));
    for signer in [1, 2] {
        let files = rewritten(signer);
        for size in SIZES {
            assert_eq!(pinned(&whole.files, &files, size).verdict, Verdict::Tampered, "{size}");
        }
    }
    // The key meets a rewrite by whoever has another one, and not one by whoever has it.
    assert_eq!(with_key(&rewritten(2), &key(1)).verdict, Verdict::Unverifiable);
    let stolen = with_key(&rewritten(1), &key(1));
    assert_eq!(stolen.verdict, Verdict::Signed);
    assert!(stolen.coverage.contains("whoever has the key"), "{stolen}");
}

#[test]
fn a_folder_that_was_deleted_is_missed_by_the_log_and_by_every_pin() {
    let whole = recorded_log(&key(1));
    let mut files = whole.files.clone();
    strip(&mut files);
    assert_eq!(codes_of(&verify(&files)), ["checkpoint_missing"]);
    let report = with_key(&files, &key(1));
    assert_eq!(codes_of(&report), ["checkpoint_missing", "no_checkpoint_by_key"], "{report}");
    for size in SIZES {
        assert_eq!(pinned(&whole.files, &files, size).verdict, Verdict::Truncated, "{size}");
    }
}

#[test]
fn a_log_that_was_deleted_is_met_by_every_pin() {
    let whole = recorded_log(&key(1));
    for mut files in [whole.files.clone(), Files::new()] {
        files.retain(|name, _| name.starts_with("checkpoints/"));
        for size in SIZES {
            assert_eq!(pinned(&whole.files, &files, size).verdict, Verdict::Truncated, "{size}");
        }
    }
    assert_eq!(with_key(&Files::new(), &key(1)).verdict, Verdict::Unverifiable);
}

#[test]
fn another_hosts_directory_in_its_place_is_met_by_every_pin_and_by_the_key() {
    let whole = recorded_log(&key(1));
    let mut other = Builder::new();
    other.record(r#"{"event_type":"of_another_host"}"#);
    other.events(20);
    other.sign(&key_called("audit.example/teller-2", 3));
    for size in SIZES {
        assert_eq!(pinned(&whole.files, &other.files, size).verdict, Verdict::Tampered, "{size}");
    }
    let report = with_key(&other.files, &key(1));
    assert_eq!(codes_of(&report), ["no_checkpoint_by_key"], "{report}");
    // Also with one that signs for both, since the origin belongs to one log alone.
    let keys = vec![public(&key(1)), public(&key(3))];
    let report = verify_by(&other.files, &VerifyOptions { keys, ..VerifyOptions::default() });
    assert_eq!(report.verdict, Verdict::Unverifiable, "{report}");
}

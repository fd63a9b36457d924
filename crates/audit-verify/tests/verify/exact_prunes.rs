//! Deletions that account for every record, and what has to cover them.

use audit_core::Digest;
use audit_verify::{Requirement, Verdict, VerifyOptions};

use crate::accounts::Pruned;
use crate::builder::{Builder, Files, segment_name, verify};
use crate::exact::{After, Exact, prune};
use crate::sealing::{OPENED, UNSIGNED};
use crate::signed::{
    codes_of, key, note, note_path, notices_of, pin, public, strip, verify_by, with_key,
};

/// Four segments; the last declares that the first two are deleted. A checkpoint covers that.
fn log(falsify: impl FnOnce(&mut Exact)) -> Builder {
    let mut log = Builder::sealed();
    log.write(3);
    log.rotate_sealed();
    log.write(4);
    log.rotate_sealed();
    log.write(2);
    log.rotate_sealed();
    prune(&mut log, 2, falsify);
    log.write(1);
    log.sign(&key(1));
    log
}

fn delete(files: &mut Files, count: usize) {
    let names: Vec<_> =
        files.keys().filter(|name| name.ends_with("jsonl")).take(count).cloned().collect();
    for name in names {
        files.remove(&name);
    }
}

#[test]
fn an_exact_deletion_is_a_notice_at_each_of_its_stages() {
    for deleted in 0..=2 {
        let mut log = log(|_| ());
        delete(&mut log.files, deleted);
        let report = with_key(&log.files, &key(1));
        assert_eq!(report.verdict, Verdict::Signed, "{report}");
        let notices: &[&str] = if deleted == 0 { &[] } else { &["pruned_prefix"] };
        assert_eq!(notices_of(&report), notices, "{report}");
    }
    let mut log = log(|_| ());
    delete(&mut log.files, 3);
    assert_eq!(codes_of(&verify(&log.files)), ["head_missing"]);
}

#[test]
fn its_files_reach_without_a_gap_to_its_last_record() {
    let falsify: [fn(&mut Exact); 7] = [
        |exact| exact.last_seqs[1] = None,
        |exact| exact.last_seqs[0] = exact.last_seqs[0].map(|last| last - 1),
        |exact| exact.last_seqs[1] = exact.last_seqs[1].map(|last| last + 1),
        |exact| drop(exact.pruned.files.remove(0)),
        |exact| exact.pruned.files.clear(),
        |exact| exact.pruned.files[1] = segment_name(4),
        |exact| exact.after = Some((0, Digest::ZERO)),
    ];
    for (number, falsify) in falsify.into_iter().enumerate() {
        for deleted in [0, 2] {
            let mut log = log(falsify);
            delete(&mut log.files, deleted);
            let report = verify(&log.files);
            assert_eq!(report.verdict, Verdict::Tampered, "{number}\n{report}");
            assert_eq!(codes_of(&report), ["prune_mismatch"], "{number}\n{report}");
        }
    }
}

/// Two prunes, of which the second says that it is after the first, or something else.
fn twice(after: impl Fn(u64, Digest) -> After) -> Builder {
    let mut log = Builder::sealed();
    log.write(3);
    log.rotate_sealed();
    let first = prune(&mut log, 1, |_| ());
    log.pruned = Some(first);
    log.write(2);
    log.rotate_sealed();
    log.write(1);
    let (_, last_seq, last_hash) = first;
    let second = prune(&mut log, 2, |exact| {
        exact.pruned.files.remove(0);
        exact.last_seqs.remove(0);
        exact.after = after(last_seq, last_hash);
    });
    log.pruned = Some(second);
    log.rotate_sealed();
    log.write(1);
    log.sign(&key(1));
    log
}

#[test]
fn a_deletion_begins_where_the_one_before_it_ended() {
    let mut log = twice(|last_seq, last_hash| Some((last_seq, last_hash)));
    for deleted in 0..2 {
        let report = with_key(&log.files, &key(1));
        assert_eq!(report.verdict, Verdict::Signed, "{deleted}\n{report}");
        delete(&mut log.files, 1);
    }
    // Where the record of the one before is gone, what is said of it counts as it is.
    let report = with_key(&log.files, &key(1));
    assert_eq!(report.verdict, Verdict::Signed, "{report}");
    let others: [fn(u64, Digest) -> After; 3] = [
        |_, _| None,
        |last_seq, _| Some((last_seq, Digest::ZERO)),
        |last_seq, hash| Some((last_seq - 1, hash)),
    ];
    for other in others {
        assert_eq!(codes_of(&verify(&twice(other).files)), ["prune_mismatch"]);
    }
}

#[test]
fn with_a_key_a_checkpoint_has_to_cover_the_record_before_anything_is_deleted() {
    let mut log = log(|_| ());
    strip(&mut log.files);
    // It covers what is deleted, and not the record that says so.
    let size = 14;
    log.files.insert(note_path(size), note(&key(1), size, root_at(&log, size)));
    let report = with_key(&log.files, &key(1));
    assert_eq!(report.verdict, Verdict::Consistent, "{report}");
    delete(&mut log.files, 2);
    let report = with_key(&log.files, &key(1));
    assert_eq!(report.verdict, Verdict::Tampered, "{report}");
    assert_eq!(codes_of(&report), ["prune_not_attested"], "{report}");
    // Nobody asks for the key.
    assert_eq!(verify(&log.files).verdict, Verdict::Consistent);
    // A checkpoint that is kept elsewhere covers it as well, and is missed beside the log.
    let kept = pin(&log.note(&key(1)));
    let keys = vec![public(&key(1))];
    let options = VerifyOptions { keys, pins: vec![kept], ..VerifyOptions::default() };
    assert_eq!(codes_of(&verify_by(&log.files, &options)), ["checkpoint_missing"]);
}

/// The root of the tree over the first records of a log.
fn root_at(log: &Builder, size: u64) -> Digest {
    let mut frontier = audit_core::Frontier::new();
    let lines = log.files.values().flat_map(|bytes| crate::builder::lines_of(bytes));
    for line in
        lines.filter(|line| line.starts_with(b"{\"v\"")).take(usize::try_from(size).unwrap())
    {
        frontier.push(crate::builder::hash_of(&line).unwrap());
    }
    frontier.root()
}

#[test]
fn a_pin_of_deleted_records_says_nothing_but_where_the_frontier_tells_its_root() {
    let whole = log(|_| ());
    let mut log = whole.clone();
    delete(&mut log.files, 2);
    let with_pin = |files: &Files, size: u64, root: Digest| {
        let pins = vec![pin(&note(&key(1), size, root))];
        verify_by(files, &VerifyOptions { pins, ..VerifyOptions::default() })
    };
    // Ten records are deleted: eight and two.
    for size in 1..=10 {
        let root = root_at(&whole, size);
        let report = with_pin(&log.files, size, root);
        assert_eq!(report.verdict, Verdict::Consistent, "{size}\n{report}");
        let decided = [8, 10].contains(&size);
        assert_eq!(report.covered_up_to, decided.then(|| size - 1), "{size}\n{report}");
        assert_eq!(notices_of(&report).contains(&"pin_in_pruned"), !decided, "{size}\n{report}");
        let other = with_pin(&log.files, size, Digest::of(b"another"));
        assert_eq!(other.verdict == Verdict::Tampered, decided, "{size}\n{other}");
    }
    // Where nothing says that they were deleted, it cannot be told.
    delete(&mut log.files, 1);
    let report = with_pin(&log.files, 5, root_at(&whole, 5));
    assert!(codes_of(&report).contains(&"pin_not_checked"), "{report}");
}

#[test]
fn a_gap_that_is_acknowledged_is_tampering_all_the_same() {
    let mut log = Builder::sealed();
    log.write(3);
    log.rotate_sealed();
    let (first, last_hash) = (segment_name(0), Digest::ZERO);
    log.record_sealed(&format!(
        r#"{{"event_type":"segment_missing","file":"{first}","first_seq":0,"last_seq":4,"last_hash":"{last_hash}","reason":"acknowledged","text":"a disk was lost"}}"#
    ));
    log.files.remove(&first);
    let report = verify(&log.files);
    assert_eq!(report.verdict, Verdict::Tampered, "{report}");
    assert_eq!(codes_of(&report), ["head_missing", "segment_missing"], "{report}");
}

#[test]
fn a_writer_before_seals_deleted_first() {
    let mut log = Builder::new();
    log.event();
    let pruned = Pruned::all_of(&log);
    log.open_segment();
    log.record(&pruned.event());
    log.files.pop_first();
    let report = with_key(&log.files, &key(1));
    assert_eq!(codes_of(&report), ["no_checkpoint_by_key"], "{report}");
    log.seal_with(1);
    let adopted = format!(
        r#"{{"event_type":"records_adopted","first_seq":3,"last_seq":{},"begins":3,"why":"no_key_before"}}"#,
        log.seq - 1
    );
    log.open_with(&[OPENED.to_owned(), adopted]);
    assert_eq!(codes_of(&verify(&log.files)), [""; 0]);
}

/// Whoever seals accounts exactly. An account in the old form is forged there, and would otherwise
/// need no checkpoint.
#[test]
fn in_a_log_that_seals_an_account_in_the_old_form_needs_a_checkpoint_too() {
    let forge = |seals: bool| {
        let mut log = Builder::sealed();
        log.write(3);
        let account = Pruned::all_of(&log);
        log.rotate_sealed();
        log.write(2);
        log.sign(&key(1));
        if seals {
            log.record_sealed(&account.event());
            return log;
        }
        log.seal_no_more();
        log.open_segment();
        log.record(UNSIGNED);
        log.record(&account.event());
        log
    };
    for seals in [true, false] {
        let mut log = forge(seals);
        delete(&mut log.files, 1);
        let report = with_key(&log.files, &key(1));
        assert_eq!(report.verdict, Verdict::Tampered, "{seals}\n{report}");
        assert_eq!(codes_of(&report), ["prune_not_attested"], "{seals}\n{report}");
        // Nobody asks for the key, or the key has signed it.
        assert_eq!(verify(&log.files).verdict, Verdict::Consistent);
        log.sign(&key(1));
        assert_eq!(with_key(&log.files, &key(1)).verdict, Verdict::Signed);
    }
}

/// Such a log cannot be told from one that never sealed and was pruned by a writer of then.
#[test]
fn where_nothing_is_left_that_seals_an_account_in_the_old_form_is_told_and_meets_no_requirement() {
    let mut log = Builder::sealed();
    log.write(3);
    log.sign(&key(1));
    let account = Pruned::all_of(&log);
    log.seal_no_more();
    log.sealed_from = None;
    log.open_segment();
    log.log_opened();
    log.record(&account.event());
    delete(&mut log.files, 1);
    let report = with_key(&log.files, &key(1));
    assert_eq!(report.verdict, Verdict::Consistent, "{report}");
    let text = report.to_string();
    assert!(
        text.contains("  unsigned  3 records at the end are covered by no checkpoint"),
        "{text}"
    );
    assert!(text.contains("at seq 5: records up to seq 4 were deleted, as the log says"), "{text}");
    let keys = vec![public(&key(1))];
    let require = Requirement::Signed;
    let report =
        verify_by(&log.files, &VerifyOptions { keys, require, ..VerifyOptions::default() });
    assert_eq!(codes_of(&report), ["requirement_not_met"], "{report}");
}

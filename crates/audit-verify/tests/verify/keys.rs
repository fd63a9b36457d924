//! Changes of a log's key.

use audit_core::Digest;
use audit_verify::{Report, Verdict, VerifyOptions, verify_source};

use crate::builder::Builder;
use crate::checkpoints::Changing;
use crate::signed::{
    Change, codes_of, key, note, note_path, notices_of, pin, public, verify_by, with_key,
};

/// A log that goes from one key to another, and ends with a checkpoint by the new one.
fn changed(falsify: impl Fn(&mut Change)) -> Builder {
    let mut log = Builder::new();
    log.events(2);
    log.sign_and_record(&key(1));
    let mut change = Change::at(log.seq);
    falsify(&mut change);
    log.record(&change.event());
    log.events(2);
    log.close();
    log.sign(&change.new);
    log
}

fn by_old(falsify: impl Fn(&mut Change)) -> Report {
    with_key(&changed(falsify).files, &key(1))
}

#[test]
fn a_new_key_counts_where_the_old_one_vouches_for_it() {
    let report = by_old(|_| ());
    assert_eq!(report.verdict, Verdict::Signed, "{report}");
    assert_eq!(report.notices_total, 0, "{report}");
    let report = by_old(|change| (change.new, change.new_signer) = (key(3), key(3)));
    assert_eq!(report.verdict, Verdict::Signed, "{report}");
}

#[test]
fn a_pin_by_the_new_key_counts_too() {
    let log = changed(|_| ());
    let options = VerifyOptions {
        keys: vec![public(&key(1))],
        pins: vec![pin(&log.note(&key(2)))],
        ..VerifyOptions::default()
    };
    assert_eq!(verify_by(&log.files, &options).verdict, Verdict::Intact);
}

#[test]
fn a_change_that_a_trusted_key_did_not_sign_is_tampering() {
    let falsify: [fn(&mut Change); 5] = [
        |change| change.old_signer = key(2),
        |change| change.new_signer = key(1),
        |change| change.seq += 1,
        |change| change.log_id = "f".repeat(32),
        |change| change.new_signer = key(3),
    ];
    for (number, falsify) in falsify.into_iter().enumerate() {
        let report = by_old(falsify);
        assert_eq!(report.verdict, Verdict::Tampered, "{number}\n{report}");
        assert_eq!(codes_of(&report), ["key_change_false"], "{number}\n{report}");
        assert_eq!(report.signed_up_to, Some(3), "{number}\n{report}");
    }
}

#[test]
fn a_change_from_a_key_that_is_not_trusted_is_not_followed() {
    // Key 2 says that key 3 takes over from key 2; key 1 alone is trusted.
    let report = by_old(|change| {
        (change.old, change.old_signer) = (key(2), key(2));
        (change.new, change.new_signer) = (key(3), key(3));
    });
    assert_eq!(report.verdict, Verdict::Consistent, "{report}");
    assert_eq!(report.signed_up_to, Some(3), "{report}");
    assert_eq!(
        notices_of(&report),
        ["key_change_not_followed", "checkpoints_of_other_keys"],
        "{report}"
    );
}

#[test]
fn who_trusts_the_new_key_alone_does_not_trust_the_old_one() {
    let report = with_key(&changed(|_| ()).files, &key(2));
    assert_eq!((report.verdict, report.signed_up_to), (Verdict::Signed, Some(8)), "{report}");
    let mut log = changed(|_| ());
    log.files.remove(&note_path(9));
    assert_eq!(with_key(&log.files, &key(2)).verdict, Verdict::Unverifiable);
    // The change says whose place the new key took, so one by that key over more is a thief's.
    log.sign(&key(1));
    assert_eq!(with_key(&log.files, &key(2)).verdict, Verdict::Tampered);
}

#[test]
fn a_false_signature_of_a_new_key_is_found_too() {
    let mut log = changed(|_| ());
    let bytes = log.files.get_mut(&note_path(9)).unwrap();
    let at = bytes.len() - 20;
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    let report = with_key(&log.files, &key(1));
    assert_eq!(report.verdict, Verdict::Tampered, "{report}");
    assert!(codes_of(&report).contains(&"checkpoint_signature_false"), "{report}");
}

/// What is said of a log whose newest checkpoint has these bytes when it is read again, with the key
/// that the log has gone over to meanwhile. When it was read first, an unknown key had signed it.
fn read_again(again: impl Fn(&Builder) -> Option<Vec<u8>>) -> Report {
    let log = changed(|_| ());
    let (mut before, mut after) = (log.files.clone(), log.files.clone());
    before.insert(note_path(9), log.note(&key(5)));
    after.remove(&note_path(9));
    after.extend(again(&log).map(|bytes| (note_path(9), bytes)));
    let options = VerifyOptions { keys: vec![public(&key(1))], ..VerifyOptions::default() };
    verify_source(&Changing::new(before, after), &options, &mut |_| ()).unwrap()
}

#[test]
fn a_checkpoint_that_got_a_signature_meanwhile_counts() {
    let report = read_again(|log| Some(log.note(&key(2))));
    assert_eq!((report.verdict, report.signed_up_to), (Verdict::Signed, Some(8)), "{report}");
}

#[test]
fn a_checkpoint_that_says_something_else_when_it_is_read_again_does_not_count() {
    let root = Digest::of(b"another");
    for other in [Some(note(&key(2), 9, root)), Some(note(&key(2), 8, root)), None] {
        let report = read_again(|_| other.clone());
        assert_eq!(report.verdict, Verdict::Consistent, "{report}");
        assert_eq!(report.signed_up_to, Some(3), "{report}");
        assert_eq!(notices_of(&report), ["checkpoints_of_other_keys"], "{report}");
    }
}

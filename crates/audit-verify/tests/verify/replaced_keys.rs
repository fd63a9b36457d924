//! A key whose place another took, and which somebody still uses.

use audit_checkpoint::SigningKey;
use audit_core::Digest;
use audit_verify::{Verdict, VerifyOptions};

use crate::builder::{Builder, Files};
use crate::signed::{
    Change, checkpoint_signed, codes_of, key, key_called, note, note_path, notices_of, pin, public,
    verify_by, with_key, with_pins,
};

/// Where the log goes over from key 1 to key 2.
const CHANGED_AT: u64 = 6;

fn changed() -> Builder {
    let mut log = Builder::naming(&key(1));
    log.events(3);
    log.sign_and_record(&key(1));
    assert_eq!(log.seq, CHANGED_AT);
    change(&mut log, || key(1), || key(2));
    log.events(2);
    log
}

fn change(log: &mut Builder, old: impl Fn() -> SigningKey, new: impl Fn() -> SigningKey) {
    let at = Change::at(log.seq);
    let change = Change { old: old(), old_signer: old(), new: new(), new_signer: new(), ..at };
    log.record(&change.event());
}

fn codes(files: &Files, number: u8) -> Vec<&'static str> {
    codes_of(&with_key(files, &key(number)))
}

#[test]
fn a_followed_change_is_counted_and_the_given_key_is_named() {
    let mut log = changed();
    log.sign(&key(2));
    for (number, changes) in [(1, 1), (2, 0)] {
        let report = with_key(&log.files, &key(number));
        assert_eq!((report.verdict, report.findings_total), (Verdict::Signed, 0), "{report}");
        assert_eq!(report.vkeys, [public(&key(number)).to_string()]);
        assert_eq!(report.key_changes_followed, changes, "{report}");
        assert_eq!(report.vouched_by, Some(public(&key(2)).to_string()), "{report}");
        assert!(
            report.to_string().contains(&format!("of the key: {changes} followed")),
            "{report}"
        );
    }
}

/// Up to the change it counts, and over one record more it is a thief's.
#[test]
fn a_checkpoint_by_the_old_key_counts_up_to_the_change_and_not_beyond() {
    let mut early = Builder::naming(&key(1));
    early.events(3);
    early.sign_and_record(&key(1));
    let at_change = early.note(&key(1));
    let log = changed();

    let mut files = log.files.clone();
    files.insert(note_path(CHANGED_AT), at_change);
    let report = with_key(&files, &key(1));
    assert_eq!((codes_of(&report).len(), report.signed_up_to), (0, Some(CHANGED_AT - 1)));

    for (number, size) in [(1, 9), (1, 7), (2, 9), (2, 7)] {
        let mut forged = changed();
        forged.files.insert(note_path(9), forged.note(&key(2)));
        let root = if size == 9 { forged.frontier.root() } else { root_at(size) };
        forged.files.insert(note_path(size), note(&key(1), size, root));
        let report = with_key(&forged.files, &key(number));
        assert_eq!(report.verdict, Verdict::Tampered, "{number} {size}\n{report}");
        assert!(codes_of(&report).contains(&"checkpoint_by_replaced_key"), "{report}");
        let at = report.findings.iter().find(|it| it.code.as_str() == "checkpoint_by_replaced_key");
        assert_eq!(at.unwrap().file, Some(note_path(size)), "{report}");
    }
}

fn root_at(size: u64) -> Digest {
    let mut log = Builder::naming(&key(1));
    log.events(3);
    log.sign_and_record(&key(1));
    change(&mut log, || key(1), || key(2));
    assert_eq!(log.seq, size);
    log.frontier.root()
}

#[test]
fn records_after_a_change_that_only_the_old_key_signed_are_not_covered() {
    let log = changed();
    let mut files = log.files.clone();
    files.insert(note_path(9), log.note(&key(1)));
    let report = with_key(&files, &key(1));
    assert_eq!(report.signed_up_to, Some(4), "{report}");
}

#[test]
fn a_checkpoint_signed_by_the_old_key_over_records_of_the_new_one_is_found() {
    for (size, codes) in [(CHANGED_AT, vec![]), (7, vec!["checkpoint_by_replaced_key"])] {
        let mut log = changed();
        let root = if size == 7 { root_at(7) } else { root_before_change() };
        log.record(&checkpoint_signed(&key(1), size, root));
        log.sign(&key(2));
        assert_eq!(self::codes(&log.files, 1), codes, "{size}");
        assert_eq!(self::codes(&log.files, 2), codes, "{size}");
    }
}

fn root_before_change() -> Digest {
    let mut log = Builder::naming(&key(1));
    log.events(3);
    log.sign_and_record(&key(1));
    log.frontier.root()
}

#[test]
fn a_change_by_a_replaced_key_is_found_by_who_trusts_it_its_successor_or_a_pin() {
    let mut log = changed();
    change(&mut log, || key(1), || key(3));
    log.sign(&key(3));
    for number in [1, 2] {
        let report = with_key(&log.files, &key(number));
        assert_eq!(report.verdict, Verdict::Tampered, "{number}\n{report}");
        assert!(codes_of(&report).contains(&"key_change_by_replaced_key"), "{report}");
    }
    let report = with_pins(&log.files, &[pin(&log.files[&note_path(5)])]);
    assert_eq!(report.verdict, Verdict::Tampered, "{report}");
    assert_eq!(codes_of(&report), ["key_change_by_replaced_key"], "{report}");
}

/// Who never trusted the old key is told, though its signature is false, too.
#[test]
fn a_change_that_only_names_a_replaced_key_is_found() {
    let mut log = changed();
    log.sign(&key(2));
    let at = Change::at(log.seq);
    log.record(&Change { old_signer: key(4), new: key(3), new_signer: key(3), ..at }.event());
    assert_eq!(codes(&log.files, 2), ["key_change_by_replaced_key"]);
    assert_eq!(codes(&log.files, 1), ["key_change_false"]);
}

#[test]
fn a_new_key_of_another_name_is_found_and_not_followed() {
    for number in [1, 4] {
        let mut log = Builder::naming(&key(1));
        log.events(2);
        log.sign_and_record(&key(1));
        let other = || key_called("audit.example/teller-9", 4);
        change(&mut log, || key(1), other);
        log.event();
        log.sign(&other());
        let given = if number == 1 { key(1) } else { other() };
        let report = with_key(&log.files, &given);
        assert_eq!(report.verdict, Verdict::Tampered, "{report}");
        assert!(codes_of(&report).contains(&"key_name_changed"), "{report}");
        if number == 1 {
            assert_eq!(report.signed_up_to, Some(3), "{report}");
        }
    }
}

#[test]
fn a_log_may_go_back_to_a_key_that_it_had() {
    let mut log = changed();
    log.sign(&key(2));
    change(&mut log, || key(2), || key(1));
    log.events(2);
    log.sign(&key(1));
    for number in [1, 2] {
        let report = with_key(&log.files, &key(number));
        assert_eq!((report.verdict, report.findings_total), (Verdict::Signed, 0), "{report}");
    }
    // Not over what the other key signed meanwhile.
    log.files.insert(note_path(9), changed().note(&key(1)));
    assert_eq!(codes(&log.files, 1), ["checkpoint_by_replaced_key"]);
}

#[test]
fn two_given_keys_of_one_log_are_no_fault() {
    let mut log = changed();
    log.sign(&key(2));
    let keys = vec![public(&key(1)), public(&key(2))];
    let options = VerifyOptions { keys, ..VerifyOptions::default() };
    let report = verify_by(&log.files, &options);
    assert_eq!((report.verdict, report.findings_total), (Verdict::Signed, 0), "{report}");
    change(&mut log, || key(2), || key(3));
    log.sign(&key(2));
    assert_eq!(codes_of(&verify_by(&log.files, &options)), ["checkpoint_by_replaced_key"]);
}

#[test]
fn a_change_that_is_there_twice_is_found_for_that_alone() {
    let mut log = changed();
    log.sign(&key(2));
    let file = log.files[&log.file].clone();
    let lines = crate::builder::lines_of(&file);
    let seq = usize::try_from(CHANGED_AT).unwrap();
    log.append(&lines[seq]);
    assert_eq!(codes(&log.files, 1), ["record_out_of_order"]);
}

#[test]
fn nothing_is_said_of_changes_where_nothing_is_trusted() {
    let mut log = changed();
    change(&mut log, || key(1), || key(3));
    log.sign(&key(3));
    let report = verify_by(&log.files, &VerifyOptions::default());
    assert_eq!(report.verdict, Verdict::Consistent, "{report}");
    assert_eq!(notices_of(&report), ["checkpoints_not_verified"], "{report}");
    assert_eq!(report.vkeys.len(), 0);
}

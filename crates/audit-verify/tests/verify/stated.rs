//! What the first records of a sealed segment say of the log, and where that is not so.

use audit_core::Digest;
use audit_verify::Verdict;

use crate::builder::{Builder, Files, verify};
use crate::sealing::{OPENED, UNSIGNED, sealed_log};
use crate::signed::{Change, codes_of, key, public};

/// What is found of a sealed log whose third segment says something else than its writer would.
#[track_caller]
fn third_says(from: &str, to: &str) -> Vec<&'static str> {
    let mut log = Builder::sealed();
    log.write(2);
    log.rotate_sealed();
    log.write(1);
    log.file = crate::builder::segment_name(log.seq);
    let previous = log.files.keys().last().unwrap().clone();
    let event = log.segment_opened(&previous);
    assert_eq!(event.matches(from).count(), 1, "{from} in {event}");
    log.files.insert(log.file.clone(), Vec::new());
    log.record_sealed(&event.replace(from, to));
    log.write(1);
    codes(&log.files)
}

#[track_caller]
fn codes(files: &Files) -> Vec<&'static str> {
    let report = verify(files);
    let codes = codes_of(&report);
    let expected = if codes.is_empty() { Verdict::Consistent } else { Verdict::Tampered };
    assert_eq!(report.verdict, expected, "{report}");
    codes
}

#[test]
fn where_seals_begin_never_changes_and_never_vanishes() {
    assert_eq!(third_says(r#""sealed_from":0"#, r#""sealed_from":0"#), [""; 0]);
    assert_eq!(third_says(r#""sealed_from":0"#, r#""sealed_from":4"#), ["sealed_from_false"]);
    assert_eq!(third_says(r#""sealed_from":0"#, r#""sealed_from":6"#), ["sealed_from_false"]);
    assert_eq!(third_says(r#","sealed_from":0"#, ""), ["sealed_from_false"]);
}

#[test]
fn seals_begin_with_the_first_sealed_opening() {
    let upgraded = |sealed_from: Option<u64>| {
        let mut log = Builder::new();
        log.event();
        log.close();
        log.seal_with(1);
        log.sealed_from = sealed_from;
        let adopted = r#"{"event_type":"records_adopted","first_seq":0,"last_seq":3,"begins":0,"why":"no_key_before"}"#;
        log.open_with(&[OPENED.to_owned(), adopted.to_owned()]);
        codes(&log.files)
    };
    assert_eq!(upgraded(None), [""; 0]);
    assert_eq!(upgraded(Some(0)), ["sealed_from_false"]);
    assert_eq!(upgraded(Some(3)), ["sealed_from_false"]);
    assert_eq!(upgraded(Some(5)), ["sealed_from_false"]);
    // A log that is not sealed says so nowhere.
    let mut log = Builder::empty();
    log.sealed_from = Some(0);
    log.open_segment();
    log.log_opened();
    assert_eq!(codes(&log.files), ["sealed_from_false"]);
    // One whose beginning was deleted may have been sealed before.
    let mut log = sealed_log();
    log.files.pop_first();
    assert_eq!(codes(&log.files), ["head_missing"]);
}

#[test]
fn a_key_is_named_since_the_record_that_first_named_it() {
    assert_eq!(third_says(r#""since":0"#, r#""since":1"#), ["segment_key_false"]);
    assert_eq!(third_says(r#""since":0"#, r#""since":6"#), ["segment_key_false"]);
    // Another key is another writer's, who says that it opened the log.
    let own = public(&key(1)).to_string();
    let other = public(&key(2)).to_string();
    let changed = |since: u64| {
        third_says(
            &format!(r#""vkey":"{own}","since":0"#),
            &format!(r#""vkey":"{other}","since":{since}"#),
        )
    };
    assert_eq!(changed(6), ["log_opened_missing"]);
    assert_eq!(changed(3), ["segment_key_false", "log_opened_missing"]);
    // It may come with a change of the key, which has to be there.
    assert_eq!(changed(7), ["segment_key_false"]);
}

#[test]
fn a_segment_without_its_key_is_another_writers() {
    let own = public(&key(1)).to_string();
    let member = format!(r#","key":{{"vkey":"{own}","since":0}}"#);
    let codes = third_says(&member, "");
    assert_eq!(codes[0], "seal_misplaced", "{codes:?}");
    assert!(codes.contains(&"log_opened_missing"), "{codes:?}");
}

/// A log whose key is changed in an opening, that names the key and since when.
fn with_change(named: u8, since: impl Fn(u64) -> u64, changes: bool) -> Vec<&'static str> {
    let mut log = Builder::sealed();
    log.write(2);
    let seq = log.seq + 1;
    log.seal_with(named);
    log.sealing.as_mut().unwrap().since = Some(since(seq));
    if changes {
        log.open_with(&[Change::at(seq).event()]);
    } else {
        log.open_with(&[OPENED.to_owned()]);
    }
    log.write(1);
    codes(&log.files)
}

#[test]
fn a_new_key_is_named_since_the_change_that_brings_it() {
    assert_eq!(with_change(2, |seq| seq, true), [""; 0]);
    assert_eq!(with_change(2, |seq| seq + 1, true), ["segment_key_false"]);
    assert_eq!(with_change(3, |seq| seq, true), ["segment_key_false"]);
    assert_eq!(with_change(2, |seq| seq, false), ["segment_key_false"]);
    // The old one, where the change is in the middle of what it seals.
    assert_eq!(with_change(1, |_| 0, true), [""; 0]);
}

#[test]
fn the_next_segment_has_the_key_that_the_log_changed_to() {
    let next = |seed: u8, since: u64| {
        let mut log = Builder::sealed();
        log.write(2);
        let seq = log.seq;
        log.record_sealed(&Change::at(seq).event());
        log.seal_with(seed);
        log.sealing.as_mut().unwrap().since = Some(since);
        log.rotate_sealed();
        assert_eq!(seq, 4);
        codes(&log.files)
    };
    assert_eq!(next(2, 4), [""; 0]);
    assert_eq!(next(2, 5), ["segment_key_false"]);
    assert_eq!(next(1, 0), ["log_opened_missing"]);
}

/// A sealed log that is opened again with this `log_opened`, with or without its key.
fn opened_again(opened: &str, with_key: bool) -> Vec<&'static str> {
    let mut log = Builder::sealed();
    log.write(2);
    log.close_sealed();
    if with_key {
        log.open_with(&[opened.to_owned()]);
    } else {
        log.seal_no_more();
        log.open_segment();
        log.record(opened);
    }
    codes(&log.files)
}

#[test]
fn a_writer_says_the_same_of_itself_twice() {
    let own = public(&key(1)).to_string();
    let more = |member: &str| OPENED.replace(":4096}", &format!(":4096,{member}}}"));
    assert_eq!(opened_again(OPENED, true), [""; 0]);
    assert_eq!(opened_again(&more(&format!(r#""vkey":"{own}""#)), true), [""; 0]);
    assert_eq!(opened_again(&more(r#""vkey":"another""#), true), ["opening_mismatch"]);
    assert_eq!(opened_again(&OPENED.replace("4096", "4097"), true), ["opening_mismatch"]);
    assert_eq!(opened_again(UNSIGNED, true), ["opening_mismatch"]);
    assert_eq!(opened_again(UNSIGNED, false), [""; 0]);
    assert_eq!(opened_again(OPENED, false), ["opening_mismatch"]);
}

#[test]
fn the_limit_in_segment_opened_rules() {
    let mut log = Builder::sealed();
    log.write(2);
    log.file = crate::builder::segment_name(log.seq);
    let event = log.segment_opened(log.files.keys().last().unwrap()).replace("4096", "9");
    log.files.insert(log.file.clone(), Vec::new());
    log.record_sealed(&event);
    log.event();
    assert_eq!(codes(&log.files), ["unsealed_too_long"]);
}

#[test]
fn a_copy_says_where_it_was_copied_from() {
    let place = |inode: u64| {
        let born = "2026-01-02T00:00:00.000000000Z";
        format!(
            r#"{{"dir":{{"inode":1,"born":"{born}"}},"file":{{"inode":{inode},"born":"{born}"}}}}"#
        )
    };
    let copied = |from: u64| {
        let mut log = Builder::empty();
        log.file = crate::builder::segment_name(0);
        log.files.insert(log.file.clone(), Vec::new());
        let placed = format!(r#"[],"place":{}"#, place(5));
        log.record(&log.segment_opened("").replace("[]", &placed));
        log.log_opened();
        log.open_segment();
        log.log_opened();
        let (from, to) = (place(from), place(9));
        log.record(&format!(r#"{{"event_type":"log_copied","from":{from},"to":{to}}}"#));
        codes(&log.files)
    };
    assert_eq!(copied(5), [""; 0]);
    assert_eq!(copied(6), ["opening_mismatch"]);
}

/// A log with an exact prune, in whose next segment `pruned` is what is given.
fn after_a_prune(
    pruned: impl Fn(u64, u64, Digest) -> Option<(u64, u64, Digest)>,
) -> Vec<&'static str> {
    let mut log = Builder::sealed();
    log.write(2);
    log.rotate_sealed();
    let (seq, last_seq, last_hash) = crate::exact::prune(&mut log, 1, |_| ());
    log.pruned = pruned(seq, last_seq, last_hash);
    log.rotate_sealed();
    codes(&log.files)
}

#[test]
fn the_newest_prune_is_the_one_that_later_segments_name() {
    assert_eq!(after_a_prune(|seq, last, hash| Some((seq, last, hash))), [""; 0]);
    assert_eq!(after_a_prune(|_, _, _| None), ["newest_prune_false"]);
    assert_eq!(
        after_a_prune(|seq, last, hash| Some((seq - 1, last, hash))),
        ["newest_prune_false"]
    );
    assert_eq!(
        after_a_prune(|seq, last, hash| Some((seq, last - 1, hash))),
        ["newest_prune_false"]
    );
    let other = Digest::of(b"another");
    assert_eq!(after_a_prune(|seq, last, _| Some((seq, last, other))), ["newest_prune_false"]);
    // A record that survives would have been read.
    let none = |pruned: (u64, u64, Digest)| {
        let mut log = Builder::sealed();
        log.write(2);
        log.pruned = Some(pruned);
        log.rotate_sealed();
        codes(&log.files)
    };
    assert_eq!(none((2, 1, other)), ["newest_prune_false"]);
}

//! Records that an operator took over: where, and what they attest from then on.

use audit_verify::{AdoptedRecords, Report, Requirement, Verdict, VerifyOptions};

use crate::accounts::Pruned;
use crate::builder::{Builder, Files, verify};
use crate::sealing::{OPENED, UNSIGNED};
use crate::signed::{
    Change, checkpoint_signed, codes_of, key, note_path, notices_of, public, strip, verify_by,
    with_key,
};

fn adopted(first_seq: u64, last_seq: u64, begins: u64, why: &str) -> String {
    format!(
        r#"{{"event_type":"records_adopted","first_seq":{first_seq},"last_seq":{last_seq},"begins":{begins},"why":"{why}"}}"#
    )
}

/// A log without a key.
fn unsigned() -> Builder {
    let mut log = Builder::new();
    log.events(3);
    log
}

/// A sealed log that a writer without the key opened, from the fifth record on.
fn opened_unsigned() -> Builder {
    let mut log = Builder::sealed();
    log.write(3);
    log.seal_no_more();
    log.open_segment();
    log.record(UNSIGNED);
    log.events(2);
    log
}

/// Opens a log with the key of this seed and adopts these records, then signs all.
fn adopt(mut log: Builder, seed: u8, event: &str) -> Builder {
    log.seal_with(seed);
    log.open_with(&[OPENED.to_owned(), event.to_owned()]);
    log.write(2);
    log.sign(&key(seed));
    log
}

#[track_caller]
fn codes(log: &Builder, seed: u8) -> Vec<&'static str> {
    codes_of(&with_key(&log.files, &key(seed)))
}

#[test]
fn adopted_records_are_named_in_words_and_in_numbers() {
    let log = adopt(unsigned(), 1, &adopted(0, 4, 0, "no_key_before"));
    let report = with_key(&log.files, &key(1));
    assert_eq!(report.verdict, Verdict::Signed, "{report}");
    assert_eq!((report.adopted_ranges, report.adopted_records), (1, 5));
    assert!(
        report.coverage.contains("5 records, in 1 ranges, that an operator adopted"),
        "{report}"
    );
    assert!(notices_of(&report).contains(&"records_adopted"), "{report}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!((&json["adopted_ranges"], &json["adopted_records"]), (&1.into(), &5.into()));
}

#[test]
fn what_is_required_is_not_met_by_adopted_records_unless_that_is_allowed() {
    let log = adopt(unsigned(), 1, &adopted(0, 4, 0, "no_key_before"));
    let with = |log: &Builder, require: Requirement, adopted: AdoptedRecords| -> Report {
        let (keys, heads) = (vec![public(&key(1))], vec![log.head()]);
        let options = VerifyOptions { keys, heads, require, adopted, ..VerifyOptions::default() };
        verify_by(&log.files, &options)
    };
    for require in [Requirement::Signed, Requirement::Intact] {
        let report = with(&log, require, AdoptedRecords::Refuse);
        assert_eq!(report.verdict, Verdict::Unverifiable, "{report}");
        assert_eq!(codes_of(&report), ["requirement_not_met"], "{report}");
        let report = with(&log, require, AdoptedRecords::Allow);
        assert_eq!(report.verdict, Verdict::Intact, "{report}");
        let none = with(&crate::sealing::sealed_log(), require, AdoptedRecords::Refuse);
        assert_eq!(none.verdict, Verdict::Intact, "{none}");
    }
    let least = with(&log, Requirement::Consistent, AdoptedRecords::Refuse);
    assert_eq!(least.verdict, Verdict::Intact, "{least}");
}

#[test]
fn a_range_is_all_that_nothing_of_the_key_covers() {
    let of_unsigned = |event: &str| codes(&adopt(unsigned(), 1, event), 1);
    assert_eq!(of_unsigned(&adopted(0, 4, 0, "no_key_before")), [""; 0]);
    assert_eq!(of_unsigned(&adopted(0, 4, 0, "before_seals")), [""; 0]);
    for wrong in [
        adopted(0, 3, 0, "no_key_before"),
        adopted(0, 5, 0, "no_key_before"),
        adopted(5, 4, 0, "no_key_before"),
        adopted(0, 4, 1, "no_key_before"),
        adopted(0, 4, 0, "other_key"),
        adopted(0, 4, 0, "unsigned_opening"),
    ] {
        assert_eq!(of_unsigned(&wrong), ["adoption_false"], "{wrong}");
    }
    let of_opened = |event: &str| codes(&adopt(opened_unsigned(), 1, event), 1);
    assert_eq!(of_opened(&adopted(5, 8, 0, "unsigned_opening")), [""; 0]);
    for wrong in [
        adopted(4, 8, 0, "unsigned_opening"),
        adopted(0, 8, 0, "unsigned_opening"),
        adopted(5, 8, 0, "before_seals"),
        adopted(5, 8, 0, "other_key"),
        adopted(5, 7, 0, "unsigned_opening"),
    ] {
        assert_eq!(of_opened(&wrong), ["adoption_false"], "{wrong}");
    }
}

#[test]
fn a_log_of_another_key_is_adopted_from_the_newest_own_checkpoint_on() {
    let other = || {
        let mut log = Builder::sealed();
        log.write(3);
        log.write(2);
        log
    };
    assert_eq!(codes(&adopt(other(), 2, &adopted(0, 6, 0, "other_key")), 2), [""; 0]);
    assert_eq!(
        codes(&adopt(other(), 2, &adopted(0, 6, 0, "unsigned_opening")), 2),
        ["adoption_false"]
    );
    // A checkpoint of the new key covers the first five.
    let mut signed = Builder::sealed();
    signed.write(3);
    signed.sign(&key(2));
    signed.write(2);
    assert_eq!(codes(&adopt(signed.clone(), 2, &adopted(5, 6, 0, "other_key")), 2), [""; 0]);
    let all = adopt(signed, 2, &adopted(0, 6, 0, "other_key"));
    assert_eq!(codes(&all, 2), ["checkpoint_in_adopted"]);
    // The other key's are no reason.
    let mut signed = Builder::sealed();
    signed.write(3);
    signed.sign(&key(1));
    signed.write(2);
    let report = with_key(&adopt(signed, 2, &adopted(0, 6, 0, "other_key")).files, &key(2));
    assert_eq!(codes_of(&report), [""; 0], "{report}");
}

#[test]
fn a_range_begins_later_only_where_a_checkpoint_ends() {
    let log = adopt(unsigned(), 1, &adopted(2, 4, 0, "before_seals"));
    assert_eq!(codes(&log, 1), ["adoption_false"]);
    // Without any note, nothing speaks against it but that they are gone.
    let mut stripped = log;
    strip(&mut stripped.files);
    assert_eq!(codes_of(&verify(&stripped.files)), [""; 0]);
    // The opening tells of the checkpoint.
    let mut log = unsigned();
    let root = {
        let mut first = Builder::new();
        first.sign(&key(1));
        log.files.insert(note_path(2), first.files[&note_path(2)].clone());
        first.frontier.root()
    };
    let with_note = adopt(log.clone(), 1, &adopted(2, 4, 0, "before_seals"));
    assert_eq!(codes(&with_note, 1), [""; 0]);
    log.files.remove(&note_path(2));
    log.seal_with(1);
    let said = checkpoint_signed(&key(1), 2, root);
    log.open_with(&[OPENED.to_owned(), adopted(2, 4, 0, "before_seals"), said]);
    log.sign(&key(1));
    assert_eq!(codes(&log, 1), [""; 0]);
}

#[test]
fn a_checkpoint_of_the_adopting_key_or_its_predecessors_is_nowhere_in_the_range() {
    let base = adopt(unsigned(), 1, &adopted(0, 4, 0, "no_key_before"));
    for size in 1..=5 {
        let mut part = Builder::new();
        part.events(usize::try_from(size).unwrap().saturating_sub(2));
        if part.seq != size {
            continue;
        }
        for (seed, expected) in [(1, &["checkpoint_in_adopted"][..]), (3, &[])] {
            let mut log = base.clone();
            part.sign(&key(seed));
            log.files.insert(note_path(size), part.files[&note_path(size)].clone());
            assert_eq!(codes_of(&verify(&log.files)), expected, "{size} by {seed}");
        }
    }
}

#[test]
fn a_checkpoint_of_a_key_before_the_adopting_one_is_nowhere_in_the_range() {
    let mut log = Builder::sealed();
    log.write(3);
    let seq = log.seq + 1;
    log.seal_with(2);
    log.sealing.as_mut().unwrap().since = Some(seq);
    log.open_with(&[Change::at(seq).event()]);
    log.write(2);
    log.seal_no_more();
    let first = log.seq;
    log.open_segment();
    log.record(UNSIGNED);
    let inside = log.clone();
    log.event();
    let said = adopted(first, log.seq - 1, 0, "unsigned_opening");
    let log = adopt(log, 2, &said);
    for (seed, expected) in [(1, &["checkpoint_in_adopted"][..]), (3, &[])] {
        let mut files = log.files.clone();
        files.insert(note_path(inside.seq), inside.note(&key(seed)));
        assert_eq!(codes_of(&verify(&files)), expected, "{seed}");
    }
}

#[test]
fn the_first_place_is_the_earliest_though_it_is_found_last() {
    let mut log = adopt(unsigned(), 1, &adopted(2, 4, 0, "before_seals"));
    let bytes = log.files.get_mut(&log.file).unwrap();
    let at = bytes.len() - 300;
    bytes[at] ^= 1;
    let report = with_key(&log.files, &key(1));
    assert_eq!(codes_of(&report)[..2], ["hash_mismatch", "adoption_false"], "{report}");
    let first = report.first_fault.unwrap();
    assert_eq!((first.code.as_str(), first.line), ("adoption_false", 3));
}

#[test]
fn adopted_records_attest_nothing() {
    // Neither that records were deleted,
    let mut log = Builder::new();
    log.events(2);
    let pruned = Pruned::all_of(&log);
    log.open_segment();
    log.record(&pruned.event());
    let (begins, last) = (4, log.seq - 1);
    log.files.pop_first();
    let excused = adopt(log.clone(), 1, &adopted(begins, last, begins, "no_key_before"));
    let report = with_key(&excused.files, &key(1));
    assert_eq!(codes_of(&report), [""; 0], "{report}");
    assert!(report.notices.iter().any(|it| it.message.contains("adopted the log as it begins")));
    // whose absence only an operator's word excuses, up to there,
    let not_excused = adopt(log, 1, &adopted(begins, last, 0, "no_key_before"));
    assert_eq!(codes(&not_excused, 1), ["head_missing", "adoption_false"]);
    // nor that a checkpoint was made.
    let mut log = unsigned();
    log.record(&checkpoint_signed(&key(1), log.seq, log.frontier.root()));
    assert_eq!(codes_of(&verify(&log.files)), ["checkpoint_missing"]);
    let last = log.seq - 1;
    let mut log = adopt(log, 1, &adopted(0, last, 0, "before_seals"));
    strip(&mut log.files);
    assert_eq!(codes_of(&verify(&log.files)), [""; 0]);
}

#[test]
fn only_a_sealed_opening_adopts() {
    let mut log = unsigned();
    log.open_segment();
    log.log_opened();
    log.record(&adopted(0, 4, 0, "no_key_before"));
    assert_eq!(codes_of(&verify(&log.files)), ["adoption_false"]);
    let mut twice = unsigned();
    twice.seal_with(1);
    let event = adopted(0, 4, 0, "no_key_before");
    twice.open_with(&[OPENED.to_owned(), event.clone(), event]);
    let codes = codes_of(&verify(&twice.files));
    assert_eq!(codes[0], "opening_misplaced", "{codes:?}");
}

#[test]
fn a_later_deletion_goes_beyond_what_was_adopted() {
    let log = adopt(unsigned(), 1, &adopted(0, 4, 0, "no_key_before"));
    let mut files: Files = log.files;
    files.pop_first();
    assert_eq!(codes_of(&verify(&files)), ["head_missing"]);
}

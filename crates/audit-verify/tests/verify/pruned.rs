//! Logs whose oldest segments were deleted: as a record in them says, or not.

use audit_core::Digest;
use audit_verify::Verdict;

use crate::accounts::Pruned;
use crate::builder::{Builder, codes, segment_name, verify};

/// Two segments, what deleting them would have to say, and two more that say it.
fn log(falsify: impl Fn(&mut Pruned)) -> (Builder, Vec<String>) {
    let mut log = Builder::new();
    log.events(3);
    log.open_segment();
    log.events(3);
    let mut pruned = Pruned::all_of(&log);
    let old = pruned.files.clone();
    falsify(&mut pruned);
    log.open_segment();
    log.events(3);
    log.open_segment();
    log.record(&pruned.event());
    log.event();
    (log, old)
}

#[test]
fn a_deletion_that_the_log_records_is_a_notice_at_each_of_its_stages() {
    let (mut log, old) = log(|_| ());
    assert_eq!(codes(&log.files, Verdict::Consistent), [""; 0]);
    for deleted in old {
        log.files.remove(&deleted);
        let report = verify(&log.files);
        assert_eq!(report.verdict, Verdict::Consistent, "{report}");
        assert_eq!(report.notices[0].code.as_str(), "pruned_prefix", "{report}");
        assert!(report.root.is_some(), "{report}");
    }
}

#[test]
fn a_deletion_that_nothing_records_is_found() {
    let mut log = Builder::new();
    log.events(3);
    log.open_segment();
    log.events(3);
    log.files.pop_first();
    assert_eq!(codes(&log.files, Verdict::Tampered), ["head_missing"]);
}

#[test]
fn a_deletion_goes_no_further_than_the_record_says() {
    let (mut log, old) = log(|_| ());
    log.files.retain(|name, _| !old.contains(name));
    log.files.pop_first();
    assert_eq!(codes(&log.files, Verdict::Tampered), ["head_missing"]);
}

#[test]
fn a_false_record_excuses_no_deletion() {
    let falsify: [fn(&mut Pruned); 6] = [
        |pruned| pruned.last_hash = Digest::of(b"another"),
        |pruned| pruned.roots[0] = Digest::of(b"another"),
        |pruned| pruned.roots.truncate(1),
        |pruned| pruned.last_seq -= 1,
        |pruned| pruned.last_seq = 7_000,
        |pruned| pruned.last_seq += 1,
    ];
    for (number, falsify) in falsify.into_iter().enumerate() {
        let (mut log, old) = log(falsify);
        log.files.retain(|name, _| !old.contains(name));
        let report = verify(&log.files);
        assert_eq!(report.verdict, Verdict::Tampered, "{number}\n{report}");
        assert_eq!(report.findings_total, 1, "{number}\n{report}");
    }
}

#[test]
fn an_interrupted_deletion_leaves_only_files_that_the_record_names() {
    let (mut log, old) = log(|pruned| drop(pruned.files.pop()));
    log.files.remove(&old[0]);
    assert_eq!(codes(&log.files, Verdict::Tampered), ["prune_mismatch"]);
}

#[test]
fn a_deletion_ends_where_a_segment_ends() {
    let mut log = Builder::new();
    log.events(3);
    let first = log.file.clone();
    log.open_segment();
    log.event();
    let mut pruned = Pruned::all_of(&log);
    pruned.files.push(log.file.clone());
    log.event();
    log.open_segment();
    log.record(&pruned.event());
    log.files.remove(&first);
    assert_eq!(codes(&log.files, Verdict::Tampered), ["prune_mismatch"]);
}

#[test]
fn a_later_deletion_attests_what_an_earlier_one_no_longer_can() {
    let mut log = Builder::new();
    log.events(3);
    let first = Pruned::all_of(&log);
    log.open_segment();
    log.record(&first.event());
    log.events(3);
    let second = Pruned::all_of(&log);
    log.open_segment();
    log.record(&second.event());
    log.event();
    for deleted in second.files {
        log.files.remove(&deleted);
        assert_eq!(codes(&log.files, Verdict::Consistent), [""; 0]);
    }
    assert_eq!(log.files.keys().next(), Some(&segment_name(second.last_seq + 1)));
}

#[test]
fn a_changed_bit_in_the_record_of_a_deletion_is_one_finding() {
    let (mut log, old) = log(|_| ());
    log.files.retain(|name, _| !old.contains(name));
    let start = crate::builder::line_starts(&log.files[&log.file]);
    for at in start[1]..start[2] {
        let mut files = log.files.clone();
        files.get_mut(&log.file).unwrap()[at] ^= 1;
        let report = verify(&files);
        assert_eq!(report.verdict, Verdict::Tampered, "{report}");
        assert_eq!(report.findings_total, 1, "{report}");
        assert_eq!(report.findings[0].line, Some(2), "{report}");
    }
}

/// A log with a changed record in it, so that its segments do not tell all, and what is found when
/// it has this account of a deletion.
fn damaged_with(falsify: impl Fn(&mut Pruned, u64)) -> Vec<&'static str> {
    let mut log = Builder::new();
    log.events(4);
    let mut pruned = Pruned::all_of(&log);
    falsify(&mut pruned, log.seq);
    log.record(&pruned.event());
    log.event();
    let bytes = log.files.values_mut().next().unwrap();
    let third = crate::builder::line_starts(bytes)[2];
    bytes[third + 200] ^= 1;
    codes(&log.files, Verdict::Tampered)
}

#[test]
fn damage_elsewhere_excuses_no_account_of_a_deletion_that_cannot_be_true() {
    assert_eq!(damaged_with(|_, _| ()), ["hash_mismatch"]);
    // It says that it was itself deleted. Seven records have three roots.
    let itself = |pruned: &mut Pruned, seq| {
        pruned.last_seq = seq;
        pruned.roots = vec![Digest::of(b"any"); 3];
    };
    assert_eq!(damaged_with(itself), ["hash_mismatch", "prune_mismatch"]);
    let too_few_roots = |pruned: &mut Pruned, _| pruned.roots.truncate(1);
    assert_eq!(damaged_with(too_few_roots), ["hash_mismatch", "prune_mismatch"]);
}

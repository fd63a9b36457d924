//! Keys that were stolen, replaced, or belong to another log.

use audit_checkpoint::{Checkpoint, KeyKind, KeyName, Policy, SigningKey};
use audit_core::{Frontier, OnDamage};
use audit_verify::{Identity, MemorySource, Report, Verdict, VerifyOptions, verify_source};
use audit_writer::segment::SegmentName;
use audit_writer::{OpenError, SignError, Signing, SimDisk};

use crate::log::{files, key, kill, lines, of_seed, receipt, signed, signed_as, write};
use crate::said::{CANNOT, Files, Kept, hold, honest};

use Verdict::{Consistent, Signed, Tampered, Unverifiable};

/// A log that signs, before and after its key was changed; the second writer was killed.
fn key_changed() -> (SimDisk, SimDisk) {
    let disk = SimDisk::default();
    let mut log = signed(&disk).unwrap();
    write(&mut log, 2);
    log.checkpoint().unwrap();
    let before = SimDisk::with_files(disk.files());
    log.change_key(of_seed(8)).unwrap();
    write(&mut log, 2);
    kill(&disk, log);
    (before, disk)
}

/// What is kept of a log whose key is the second one by now.
fn kept(disk: &SimDisk) -> Kept {
    Kept { vkey: of_seed(8).verifying_key().clone(), ..Kept::of(disk) }
}

#[test]
fn the_old_key_opens_nothing_after_its_change_and_what_it_signs_is_found() {
    let (_, disk) = key_changed();
    let (kept, before) = (kept(&disk), disk.files());
    let error = signed(&disk).unwrap_err();
    assert!(matches!(error, OpenError::KeyChanged { .. }), "{error}");
    assert_eq!(disk.files(), before);

    // Whoever has it signs all there is, and lays that beside the log.
    let (size, root) = tree(&before);
    let by_old = Checkpoint::new(key().name(), size, root).sign(&key()).unwrap().to_string();
    let planted = format!("checkpoints/{size:020}.note");
    disk.replace(&planted, by_old.clone().into_bytes());
    let mut log = signed_as(&disk, Signing::new(of_seed(8)), OnDamage::Refuse).unwrap();
    write(&mut log, 1);
    log.close().unwrap();
    assert_eq!(disk.files()[&planted], by_old.into_bytes(), "it is left where it lies");
    let replaced = (Tampered, "checkpoint_by_replaced_key");
    hold("old key", &kept, &disk.files(), [(Consistent, CANNOT), replaced, replaced]);
}

#[test]
fn a_log_cut_back_to_before_the_change_and_gone_on_with_the_old_key_is_not_taken_for_the_newest() {
    let (disk, whole) = key_changed();
    let kept = kept(&whole);
    let mut log = signed(&disk).unwrap();
    write(&mut log, 3);
    log.close().unwrap();
    let attacked = files(&disk);
    let error = signed_as(&disk, Signing::new(of_seed(8)), OnDamage::Refuse).unwrap_err();
    assert!(error.to_string().contains("cut back to before its change to this key"), "{error}");
    assert_eq!(files(&disk), attacked);
    let unknown = (Unverifiable, "no_checkpoint_by_key");
    hold(
        "cut back",
        &kept,
        &attacked,
        [(Consistent, CANNOT), unknown, (Tampered, "head_mismatch")],
    );
    // Whoever was given the old key alone is told what it does not exclude.
    let old = Kept { vkey: key().verifying_key().clone(), ..kept };
    let [_, by_old, _] = old.said(&attacked);
    assert_eq!(by_old.verdict, Signed, "{by_old}");
    assert!(by_old.coverage.contains("or a rewrite by whoever has the key"), "{by_old}");
}

#[test]
fn a_log_keeps_the_name_of_its_key() {
    let disk = honest();
    let kept = Kept::of(&disk);
    let mut log = signed(&disk).unwrap();
    write(&mut log, 1);
    let before = files(&disk);
    let error = log.change_key(named("audit.example/another", 8)).unwrap_err();
    assert!(matches!(error, SignError::OtherKey { .. }), "{error}");
    assert_eq!(files(&disk), before);
    log.close().unwrap();
    let after = (Signed, "a rollback went no further back");
    hold("name", &kept, &disk.files(), [(Consistent, CANNOT), (Signed, CANNOT), after]);
}

fn named(name: &str, seed: u8) -> SigningKey {
    SigningKey::from_seed(KeyName::new(name).unwrap(), KeyKind::Ed25519, &[seed; 32]).unwrap()
}

/// Size and root of the tree over all records.
fn tree(files: &Files) -> (u64, audit_core::Digest) {
    let mut frontier = Frontier::new();
    let mut size = 0;
    for (_, bytes) in files.iter().filter(|(name, _)| SegmentName::parse(name).is_some()) {
        for line in lines(bytes) {
            frontier.push(receipt(&line).hash);
            size += 1;
        }
    }
    (size, frontier.root())
}

/// What is said under a policy that knows these keys and asks for no witness.
fn by_policy(files: &Files, keys: &[&SigningKey], origin: Option<&str>) -> Report {
    let mut lines: Vec<_> = keys.iter().map(|key| format!("log {}", key.verifying_key())).collect();
    lines.push("quorum none\n".to_owned());
    let policy = Policy::parse(lines.join("\n").as_bytes()).unwrap();
    let identity = Identity { origin: origin.map(str::to_owned), ..Identity::default() };
    let options = VerifyOptions { policy: Some(policy), identity, ..VerifyOptions::default() };
    verify_source(&MemorySource::new(files.clone()), &options, &mut |_| ()).unwrap()
}

#[test]
fn two_logs_in_each_others_place_are_not_opened_and_a_report_names_whose_they_are() {
    let keys = [named("audit.example/one", 7), named("audit.example/two", 8)];
    let [one, two] = keys.each_ref().map(|key| {
        let disk = SimDisk::default();
        let mut log = signed_as(&disk, signing(key), OnDamage::Refuse).unwrap();
        write(&mut log, 2);
        log.close().unwrap();
        disk
    });
    let kept = Kept { vkey: keys[0].verifying_key().clone(), ..Kept::of(&one) };
    // The second log lies where the first was.
    let before = files(&two);
    let error = signed_as(&two, signing(&keys[0]), OnDamage::Refuse).unwrap_err();
    assert!(error.to_string().contains("they are sealed with another key"), "{error}");
    assert_eq!(files(&two), before);
    let unknown = (Unverifiable, "no_checkpoint_by_key");
    hold("swapped", &kept, &before, [(Consistent, CANNOT), unknown, (Tampered, "pin_mismatch")]);
    // A policy for both takes either, and the report says which it is.
    let both = [&keys[0], &keys[1]];
    let report = by_policy(&before, &both, None);
    assert_eq!((report.verdict, report.origin.as_deref()), (Signed, Some("audit.example/two")));
    let report = by_policy(&before, &both, Some("audit.example/one"));
    assert_eq!(report.verdict, Tampered, "{report}");
    assert!(report.to_string().contains("identity_mismatch"), "{report}");
}

fn signing(key: &SigningKey) -> Signing {
    let name = key.name().as_str();
    Signing::new(named(name, if name.ends_with("one") { 7 } else { 8 }))
}

#[test]
fn a_policy_without_witnesses_excludes_no_rollback_and_says_so() {
    let disk = honest();
    let older = SimDisk::with_files(files(&disk));
    let mut log = signed(&disk).unwrap();
    write(&mut log, 2);
    log.close().unwrap();
    let kept = Kept::of(&disk);
    // It goes on from the older copy, notes and all.
    let mut log = signed(&older).unwrap();
    write(&mut log, 1);
    log.close().unwrap();
    let report = by_policy(&files(&older), &[&key()], None);
    assert_eq!(report.verdict, Signed, "{report}");
    assert!(report.coverage.contains("A rollback to an older copy"), "{report}");
    let found = [(Consistent, CANNOT), (Signed, CANNOT), (Verdict::Truncated, "pin_beyond_end")];
    hold("rollback", &kept, &files(&older), found);
}

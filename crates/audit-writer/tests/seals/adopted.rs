//! Records that were there before the log had this key.

use audit_checkpoint::Checkpoint;
use audit_core::lifecycle::AdoptionReason;
use audit_core::{Frontier, OnDamage};
use audit_writer::{OpenError, Signing, SimDisk};

use crate::log::{
    bare, files, forged, key, kill, killed, lines, newest, of_seed, receipt, signed, text, write,
};

fn unsigned_log(events: u64) -> SimDisk {
    let disk = SimDisk::default();
    let mut log = bare(&disk, OnDamage::Refuse).unwrap();
    write(&mut log, events);
    log.close().unwrap();
    disk
}

#[test]
fn a_log_that_had_no_key_is_taken_over_by_a_word() {
    let disk = unsigned_log(3);
    let before = files(&disk);
    let OpenError::Unvouched(unvouched) = signed(&disk).unwrap_err() else { panic!() };
    assert_eq!(files(&disk), before);
    assert_eq!((unvouched.first_seq, unvouched.last_seq, unvouched.begins), (0, 5, 0));
    assert_eq!(unvouched.why, AdoptionReason::NoKeyBefore);
    assert!(unvouched.to_string().ends_with(&format!("adopt the head {}", unvouched.head)));
    let mut log = bare(&disk, OnDamage::Refuse).unwrap();
    log.sign(Signing::new(key()).adopt(unvouched.head)).unwrap();
    assert!(log.checkpoint().unwrap().size() > 6);
    log.close().unwrap();
    assert!(text(&disk).contains(r#""sealed_from":6"#) && text(&disk).contains(r#""since":6"#));
    assert!(text(&disk).contains(r#""why":"no_key_before""#));
    signed(&disk).unwrap();
}

#[test]
fn a_log_of_before_seals_needs_a_word_unless_its_key_signed_all_of_it() {
    // A log that was recorded without its key, and that the key signed up to a record.
    let signed_up_to = |size: usize| {
        let disk = unsigned_log(3);
        let mut frontier = Frontier::new();
        for line in &lines(&newest(&disk).1)[..size] {
            frontier.push(receipt(line).hash);
        }
        let size = frontier.size();
        let note = Checkpoint::new(key().name(), size, frontier.root()).sign(&key()).unwrap();
        disk.replace(&format!("checkpoints/{size:020}.note"), note.to_string().into_bytes());
        disk
    };
    let mut log = signed(&signed_up_to(6)).unwrap();
    write(&mut log, 1);
    log.close().unwrap();

    let disk = signed_up_to(3);
    let before = files(&disk);
    let OpenError::Unvouched(unvouched) = signed(&disk).unwrap_err() else { panic!() };
    assert_eq!(files(&disk), before);
    assert_eq!((unvouched.why, unvouched.first_seq), (AdoptionReason::BeforeSeals, 3));
    let said = unvouched.to_string();
    assert!(said.contains("they are of before this log was sealed"), "{said}");
    let mut log = bare(&disk, OnDamage::Refuse).unwrap();
    log.sign(Signing::new(key()).adopt(unvouched.head)).unwrap();
    write(&mut log, 1);
    log.close().unwrap();
    assert!(text(&disk).contains(r#""why":"before_seals""#));
    signed(&disk).unwrap();
}

#[test]
fn a_log_that_another_key_seals_may_have_been_cut_back() {
    let disk = killed(2);
    let mut log = bare(&disk, OnDamage::Refuse).unwrap();
    let OpenError::Unvouched(unvouched) = log.sign(Signing::new(of_seed(8))).unwrap_err() else {
        panic!()
    };
    assert_eq!((unvouched.why, unvouched.first_seq), (AdoptionReason::OtherKey, 0));
    assert!(unvouched.to_string().contains("cut back"), "{unvouched}");
}

#[test]
fn a_change_of_the_key_that_nobody_signed_keeps_no_key_out() {
    let disk = SimDisk::default();
    let mut log = bare(&disk, OnDamage::Refuse).unwrap();
    write(&mut log, 1);
    kill(&disk, log);
    let (name, bytes) = newest(&disk);
    let (old, new) = (key(), of_seed(9));
    let (old, new) = (old.verifying_key(), new.verifying_key());
    let signature = format!("{}==", "A".repeat(86));
    let change = format!(
        r#"{{"event_type":"key_changed","old_vkey":"{old}","new_vkey":"{new}","old_signature":"{signature}","new_signature":"{signature}"}}"#
    );
    let (line, _) = forged(&receipt(lines(&bytes).last().unwrap()), &change);
    disk.replace(&name, [bytes, line].concat());
    let error = signed(&disk).unwrap_err();
    assert!(matches!(error, OpenError::Unvouched(_)), "{error}");
}

#[test]
fn an_empty_log_needs_no_word_and_takes_none() {
    let disk = SimDisk::default();
    let mut log = bare(&disk, OnDamage::Refuse).unwrap();
    let head = "0:0000000000000000000000000000000000000000000000000000000000000000";
    let error = log.sign(Signing::new(key()).adopt(head.parse().unwrap())).unwrap_err();
    assert!(matches!(error, OpenError::NotThisEnd { head: None }), "{error}");
    signed(&disk).unwrap();
}

#[test]
fn a_key_is_given_before_the_first_record_and_once() {
    let disk = SimDisk::default();
    let mut log = bare(&disk, OnDamage::Refuse).unwrap();
    write(&mut log, 1);
    assert!(matches!(log.sign(Signing::new(key())), Err(OpenError::Writing)));
    let mut log = signed(&SimDisk::default()).unwrap();
    assert!(matches!(log.sign(Signing::new(key())), Err(OpenError::Writing)));
}

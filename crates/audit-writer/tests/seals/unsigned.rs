//! A log that signs, opened without its key.

use audit_checkpoint::SigningKey;
use audit_core::OnDamage;
use audit_core::lifecycle::AdoptionReason;
use audit_writer::{ClockTrust, OpenError, PruneError, Signing, WriteError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::common::routine;
use crate::log::{
    bare, files, forged_all, frontier_of, frontier_up_to, is_sealed, key, killed, lines, newest,
    of_seed, receipt, signed, text, unsigned, write,
};

#[test]
fn it_is_refused_at_the_first_record_unless_an_operator_says_so() {
    let disk = killed(2);
    let before = files(&disk);
    let mut log = bare(&disk, OnDamage::Refuse).unwrap();
    let error = log.write_event(&routine(9)).unwrap_err();
    assert!(matches!(error, WriteError::KeyMissing), "{error}");
    assert!(matches!(
        log.prune(audit_core::RetentionPolicy::default(), ClockTrust::Capped),
        Err(PruneError::KeyMissing)
    ));
    drop(log);
    assert_eq!(files(&disk), before);
}

#[test]
fn its_records_are_unsigned_and_say_so_and_the_key_takes_them_over_by_a_word_alone() {
    let disk = killed(2);
    let mut log = unsigned(&disk);
    write(&mut log, 2);
    log.close().unwrap();
    let (_, bytes) = newest(&disk);
    assert!(lines(&bytes).iter().all(|line| !is_sealed(line)));
    let opening = String::from_utf8(bytes.clone()).unwrap();
    assert!(opening.contains(r#""unsigned":true"#) && opening.contains(r#""sealed_from":0"#));
    assert!(!opening.contains(r#""key":"#));

    let before = files(&disk);
    let OpenError::Unvouched(unvouched) = signed(&disk).unwrap_err() else { panic!() };
    assert_eq!(files(&disk), before);
    let head = receipt(lines(&bytes).last().unwrap());
    assert_eq!((unvouched.first_seq, unvouched.last_seq, unvouched.head), (4, head.seq, head));
    assert_eq!(unvouched.why, AdoptionReason::UnsignedOpening);

    let mut wrong = head;
    wrong.seq -= 1;
    let mut log = bare(&disk, OnDamage::Refuse).unwrap();
    let error = log.sign(Signing::new(key()).adopt(wrong)).unwrap_err();
    assert!(
        matches!(error, OpenError::NotThisEnd { head: Some(there) } if there == head),
        "{error}"
    );

    let mut log = bare(&disk, OnDamage::Refuse).unwrap();
    log.sign(Signing::new(key()).adopt(head)).unwrap();
    write(&mut log, 1);
    log.close().unwrap();
    let adopted = format!(
        r#"{{"event_type":"records_adopted","first_seq":4,"last_seq":{},"begins":0,"why":"unsigned_opening"}}"#,
        head.seq
    );
    assert!(text(&disk).contains(&adopted), "{}", text(&disk));
    // The word was for that end alone, and is not needed again.
    signed(&disk).unwrap();
    let mut log = bare(&disk, OnDamage::Refuse).unwrap();
    assert!(log.sign(Signing::new(key()).adopt(head)).is_err());
}

#[test]
fn a_forged_unsigned_life_is_not_signed() {
    let disk = killed(2);
    signed(&disk).unwrap().close().unwrap();
    // Somebody appends a segment of their own, as a writer without a key would leave it.
    let (name, bytes) = newest(&disk);
    let head = receipt(lines(&bytes).last().unwrap());
    let opened: serde_json::Value = serde_json::from_slice(&lines(&bytes)[0]).unwrap();
    let frontier = frontier_of(&bytes);
    let opening = format!(
        r#"{{"event_type":"segment_opened","log_id":{},"merkle_frontier":{frontier},"previous":{{"file":"{name}","last_seq":{},"last_hash":"{}"}},"unsynced_max_bytes":1048576,"sealed_from":0}}"#,
        opened["event"]["log_id"], head.seq, head.hash
    );
    let writer = r#"{"event_type":"log_opened","writer":"x","flush_mode":"hybrid","unsynced_max_bytes":1048576,"unsigned":true}"#;
    let life = forged_all(&head, &[&opening, writer, r#"{"event_type":"forged"}"#]);
    disk.replace(&format!("{:020}.2026-01-01.audit.jsonl", head.seq + 1), life);
    let error = signed(&disk).unwrap_err();
    let OpenError::Unvouched(unvouched) = error else { panic!("{error}") };
    assert_eq!(unvouched.why, AdoptionReason::UnsignedOpening);
    assert_eq!((unvouched.first_seq, unvouched.last_seq), (head.seq + 1, head.seq + 3));
}

#[test]
fn a_key_that_was_replaced_does_not_change_the_key_again() {
    let disk = killed(2);
    let mut log = signed(&disk).unwrap();
    log.change_key(of_seed(8)).unwrap();
    log.close().unwrap();
    // Whoever stole the first key goes over to one of their own, with signatures that are right.
    let (name, bytes) = newest(&disk);
    let head = receipt(lines(&bytes).last().unwrap());
    let opened: serde_json::Value = serde_json::from_slice(&lines(&bytes)[0]).unwrap();
    let log_id = opened["event"]["log_id"].as_str().unwrap();
    let opening = format!(
        r#"{{"event_type":"segment_opened","log_id":"{log_id}","merkle_frontier":{},"previous":{{"file":"{name}","last_seq":{},"last_hash":"{}"}}}}"#,
        frontier_up_to(&disk),
        head.seq,
        head.hash
    );
    let (old, new) = (key(), of_seed(9));
    let (old_vkey, new_vkey) = (old.verifying_key().to_string(), new.verifying_key().to_string());
    let text = format!("audit key change v1\n{log_id}\n{}\n{old_vkey}\n{new_vkey}\n", head.seq + 2);
    let by = |key: &SigningKey| STANDARD.encode(key.sign(text.as_bytes()));
    let change = format!(
        r#"{{"event_type":"key_changed","old_vkey":"{old_vkey}","new_vkey":"{new_vkey}","old_signature":"{}","new_signature":"{}"}}"#,
        by(&old),
        by(&new)
    );
    let life = forged_all(&head, &[&opening, &change]);
    disk.replace(&format!("{:020}.2026-01-01.audit.jsonl", head.seq + 1), life);
    // The first key is told of the one that really took its place.
    let error = signed(&disk).unwrap_err();
    let second = of_seed(8).verifying_key().to_string();
    assert!(matches!(&error, OpenError::KeyChanged { vkey } if *vkey == second), "{error}");
    // And that one is not kept from its log, whose end it has not made.
    let mut log = bare(&disk, OnDamage::Refuse).unwrap();
    let error = log.sign(Signing::new(of_seed(8))).unwrap_err();
    assert!(matches!(&error, OpenError::Unvouched(it) if it.first_seq == head.seq + 1), "{error}");
}

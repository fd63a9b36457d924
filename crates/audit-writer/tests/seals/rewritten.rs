//! The end of the log rewritten between a kill and the next open.

use audit_core::OnDamage;
use audit_core::seal::seal_record;
use audit_writer::{Damage, OpenError, Signing, SimDisk};

use crate::log::{
    files, forged, is_sealed, key, kill, killed, lines, newest, receipt, rewrite, signed,
    signed_as, strangers_seal, text, write,
};

const FORGED: &str = r#"{"event_type":"forged"}"#;

fn refusal(disk: &SimDisk) -> OpenError {
    let before = files(disk);
    let error = signed(disk).unwrap_err();
    assert_eq!(files(disk), before, "a refused open changes nothing");
    error
}

#[test]
fn every_record_of_immediate_is_sealed_and_so_are_the_opening_records() {
    let disk = killed(3);
    let seals: Vec<_> = lines(&newest(&disk).1).iter().map(|line| is_sealed(line)).collect();
    assert_eq!(seals, [false, true, true, true, true], "segment_opened, log_opened, three events");
    assert!(text(&disk).contains(r#""key":{"vkey":"audit.example/bank+"#));
    assert!(text(&disk).contains(r#""since":0},"sealed_from":0"#));
}

#[test]
fn records_that_replace_the_last_ones_are_left_out_of_the_chain() {
    // They come after the third record, which was sealed: two events are gone, and three forged.
    let disk = killed(4);
    rewrite(&disk, 4, &[FORGED; 3]);
    let mut log = signed(&disk).unwrap();
    write(&mut log, 1);
    let signed_size = log.checkpoint().unwrap().size();
    log.close().unwrap();
    let (_, bytes) = newest(&disk);
    let opening = String::from_utf8(lines(&bytes)[..3].concat()).unwrap();
    assert!(opening.contains(r#""event_type":"log_recovered""#), "{opening}");
    assert!(opening.contains(r#""valid_records":3,"kind":"unsealed""#), "{opening}");
    assert!(opening.starts_with(r#"{"v":1,"seq":4,"#), "the chain continues behind the seal");
    assert!(signed_size > 4 && !String::from_utf8(bytes).unwrap().contains("forged"));
}

#[test]
fn a_forged_record_of_the_writers_own_is_nothing_that_a_crash_leaves() {
    for payload in [
        r#"{"event_type":"log_closed"}"#,
        r#"{"event_type":"format_changed","to":2}"#,
        r#"{"event_type":"segments_pruned","first_seq":0,"last_seq":1,"last_hash":"0000000000000000000000000000000000000000000000000000000000000000","merkle_frontier":["0000000000000000000000000000000000000000000000000000000000000000"],"files":[],"reason":"older than 1 days"}"#,
        r#"{"event_type":"checkpoint_signed","size":2,"root":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","key_id":"00000000"}"#,
    ] {
        let disk = killed(2);
        rewrite(&disk, 4, &[payload]);
        let error = refusal(&disk);
        assert!(
            matches!(error, OpenError::Damaged { damage: Damage::SealMissing, .. }),
            "{payload}: {error}"
        );
    }
}

#[test]
fn a_seal_that_is_not_of_the_key_is_damage_and_tells_where() {
    let disk = killed(3);
    let (name, bytes) = newest(&disk);
    let (mut line, made) = forged(&receipt(lines(&bytes).last().unwrap()), FORGED);
    seal_record(&mut line, 0, &made.hash, &strangers_seal());
    disk.replace(&name, [bytes.clone(), line].concat());
    let error = refusal(&disk);
    let right_end = bytes.len() as u64;
    assert!(
        matches!(error, OpenError::Damaged { offset, damage: Damage::SealWrong, .. } if offset == right_end),
        "{error}"
    );

    let mut log = signed_as(&disk, Signing::new(key()), OnDamage::ContinueInNewSegment).unwrap();
    write(&mut log, 1);
    log.close().unwrap();
    let (_, after) = newest(&disk);
    let after = String::from_utf8(after).unwrap();
    let declared = format!(r#""offset":{right_end},"code":"seal_wrong""#);
    assert!(after.contains(&declared), "{after}");
    assert!(after.starts_with(r#"{"v":1,"seq":5,"#), "{after}");
}

#[test]
fn seals_of_another_end_of_the_same_log_are_no_seals_of_this_one() {
    let disk = killed(3);
    let (name, bytes) = newest(&disk);
    let all = lines(&bytes);
    // The last record is put behind another one than it was sealed behind.
    let mut moved = all[..3].concat();
    moved.extend_from_slice(&all[4]);
    disk.replace(&name, moved);
    let error = refusal(&disk);
    assert!(
        matches!(
            error,
            OpenError::Damaged { damage: Damage::SealMissing | Damage::RecordNotLinked, .. }
        ),
        "{error}"
    );
}

#[test]
fn an_opening_without_a_right_seal_is_never_continued() {
    let disk = killed(3);
    let (name, bytes) = newest(&disk);
    // Everything is made anew by somebody without the key.
    let payloads: Vec<_> = lines(&bytes)
        .iter()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_slice(line).unwrap();
            line["event"].to_string()
        })
        .collect();
    let mut forged_log = Vec::new();
    let mut after: Option<audit_core::Receipt> = None;
    for payload in &payloads {
        let (line, made) = match &after {
            None => first(payload),
            Some(after) => forged(after, payload),
        };
        forged_log.extend(line);
        after = Some(made);
    }
    disk.replace(&name, forged_log);
    for on_damage in [OnDamage::Refuse, OnDamage::ContinueInNewSegment] {
        let error = signed_as(&disk, Signing::new(key()), on_damage).unwrap_err();
        assert!(
            matches!(error, OpenError::Damaged { damage: Damage::OpeningUnsealed, .. }),
            "{error}"
        );
        assert!(error.to_string().contains("first records"), "{error}");
    }
}

#[test]
fn an_opening_with_a_strangers_seal_is_never_continued() {
    let disk = killed(3);
    let (name, bytes) = newest(&disk);
    let opening = lines(&bytes);
    let opened: serde_json::Value = serde_json::from_slice(&opening[1]).unwrap();
    let (mut line, made) = forged(&receipt(&opening[0]), &opened["event"].to_string());
    seal_record(&mut line, 0, &made.hash, &strangers_seal());
    disk.replace(&name, [opening[0].clone(), line].concat());
    for on_damage in [OnDamage::Refuse, OnDamage::ContinueInNewSegment] {
        let error = signed_as(&disk, Signing::new(key()), on_damage).unwrap_err();
        assert!(
            matches!(error, OpenError::Damaged { damage: Damage::OpeningUnsealed, .. }),
            "{error}"
        );
    }
}

/// The first record of a log, by somebody without the key.
fn first(payload: &str) -> (Vec<u8>, audit_core::Receipt) {
    use audit_core::lifecycle::write_audit_id;
    use audit_core::record::{RecordHead, write_record};
    use audit_core::{Digest, EventTime, Receipt, RecordTime};
    let service_id = crate::common::service();
    let (mut audit_id, mut line) = (String::new(), Vec::new());
    write_audit_id(&mut audit_id, service_id, 0);
    let timestamp = RecordTime::new(EventTime::parse("2026-01-01T12:00:00Z").unwrap().instant());
    let head = RecordHead { seq: 0, audit_id: &audit_id, timestamp, service_id };
    let hash = write_record(&mut line, &head, payload.as_bytes(), &Digest::ZERO);
    (line, Receipt { seq: 0, hash })
}

#[test]
fn more_unsealed_records_than_may_be_unsynced_are_damage() {
    let disk = killed(2);
    let payload = format!(r#"{{"event_type":"forged","text":"{}"}}"#, "x".repeat(60_000));
    rewrite(&disk, 4, &[payload.as_str(); 20]);
    let error = refusal(&disk);
    assert!(matches!(error, OpenError::Damaged { damage: Damage::SealMissing, .. }), "{error}");
}

#[test]
fn an_open_and_close_without_an_event_signs_nothing_that_was_forged() {
    let disk = killed(2);
    rewrite(&disk, 4, &[FORGED]);
    let before = files(&disk);
    signed(&disk).unwrap().close().unwrap();
    assert_eq!(files(&disk), before);
    // And signing on demand declares first.
    let mut log = signed(&disk).unwrap();
    let checkpoint = log.checkpoint().unwrap();
    log.close().unwrap();
    assert!(text(&disk).contains(r#""kind":"unsealed""#));
    assert!(checkpoint.size() >= 7, "it covers the opening records: {}", checkpoint.size());
}

#[test]
fn a_note_that_is_gone_is_known_from_the_log() {
    let disk = SimDisk::default();
    let mut log = signed(&disk).unwrap();
    write(&mut log, 2);
    let size = log.checkpoint().unwrap().size();
    kill(&disk, log);
    let found = SimDisk::with_files(
        files(&disk).into_iter().filter(|(name, _)| !name.starts_with("checkpoints/")).collect(),
    );
    let log = signed(&found).unwrap();
    assert_eq!(log.last_checkpoint().map(audit_checkpoint::Checkpoint::size), Some(size));
    assert_eq!(log.notes_beside().missing, Some(size));
}

#[test]
fn a_kill_between_two_events_loses_neither() {
    let disk = killed(5);
    let mut log = signed(&disk).unwrap();
    write(&mut log, 1);
    kill(&disk, log);
    assert!(!text(&disk).contains("log_recovered"));
    assert_eq!(text(&disk).matches("seal_verified").count(), 6);
}

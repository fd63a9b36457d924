//! The language that a writer opens a log in: what the verifier calls a record is one, and what it
//! does not is none, whatever its hash.
//!
//! Both read lines with code of their own. A writer that let through what the verifier does not would
//! continue behind it, and its next records would vouch for it.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, and small numbers"
)]

#[expect(dead_code, reason = "each scenario file uses what it needs")]
mod common;

use std::collections::BTreeMap;

use audit_core::digest::leaf_hash;
use audit_core::record::{HASH_FIELD_BYTES, HASH_FIELD_END, HASH_FIELD_START};
use audit_core::{Digest, FlushMode, RotationPolicy};
use audit_testkit::dice::Dice;
use audit_testkit::hostile_lines::{HostileLine, Spot, hostile_lines, own_events};
use audit_verify::{Report, Verdict};
use audit_writer::{Damage, OpenError, SimDisk};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{clock_at, open, routine, service, verify};

type Files = BTreeMap<String, Vec<u8>>;

/// A log of some records that is not closed, and where its next record is to be.
fn unclosed() -> (Files, u64, Digest) {
    let disk = SimDisk::default();
    let clock = clock_at("2026-01-02T03:04:05Z");
    let mut log = open(&disk, &clock, RotationPolicy::Daily, FlushMode::Immediate).unwrap();
    let mut head = None;
    for number in 0..3 {
        head = Some(log.write_event(&routine(number)).unwrap());
    }
    // As after a kill: it is neither closed nor dropped.
    disk.crash_at(0);
    drop(log);
    let head = head.unwrap();
    (disk.files(), head.seq + 1, head.hash)
}

fn with_line(files: &Files, line: &[u8]) -> Files {
    let mut files = files.clone();
    files.last_entry().unwrap().get_mut().extend_from_slice(line);
    files
}

/// Opens a log and continues it. A log that is refused is left as it was.
fn continued(files: &Files) -> Result<Files, Damage> {
    let disk = SimDisk::with_files(files.clone());
    let clock = clock_at("2026-01-02T04:00:00Z");
    match open(&disk, &clock, RotationPolicy::Daily, FlushMode::Immediate) {
        Ok(mut log) => {
            log.write_event(&routine(9)).unwrap();
            log.close().unwrap();
            Ok(disk.files())
        }
        Err(OpenError::Damaged { damage, .. }) => {
            assert_eq!(disk.files(), *files, "a log that is refused is left as it was");
            Err(damage)
        }
        Err(error) => panic!("{error}"),
    }
}

/// Checks that the writer's answer to a log is the verifier's, before and after.
#[track_caller]
fn assert_agreement(files: &Files, is_well_formed: bool, story: &str) {
    let before = verify(files.clone());
    let is_sound = before.verdict == Verdict::Consistent;
    assert_eq!(is_sound, is_well_formed, "{story}: {before:#?}");
    match continued(files) {
        Ok(files) => {
            assert!(is_well_formed, "{story}: the writer continues behind it");
            let after = verify(files);
            assert_eq!(after.verdict, Verdict::Consistent, "{story}: {after:#?}");
            assert!(holds(&after, &before), "{story}: {after:#?}");
        }
        Err(damage) => assert!(!is_well_formed, "{story}: {damage}"),
    }
}

/// Whether a log still has the records that it had, and more.
fn holds(after: &Report, before: &Report) -> bool {
    after.records > before.records && after.log_id == before.log_id
}

#[test]
fn every_line_of_the_table_is_answered_as_the_verifier_does() {
    let (files, seq, prev_hash) = unclosed();
    let service_id = service();
    let spot = Spot { seq, service_id: service_id.as_str(), prev_hash };
    let (mut accepted, mut refused) = (0, 0);
    for line in hostile_lines() {
        let HostileLine { name, is_well_formed, is_sealed, .. } = &line;
        // The log has no key, so a seal has no place in it.
        let is_taken = *is_well_formed && !is_sealed;
        assert_agreement(&with_line(&files, &line.bytes(&spot)), is_taken, name);
        *if is_taken { &mut accepted } else { &mut refused } += 1;
    }
    assert!(accepted > 30 && refused > 150, "{accepted} accepted, {refused} refused");
}

/// A plain record with another event.
fn record(spot: &Spot<'_>, event: &str) -> Vec<u8> {
    let plain = hostile_lines().into_iter().find(|line| line.name == "plain").unwrap();
    let plain = String::from_utf8(plain.bytes(spot)).unwrap();
    let (body, _) = plain.split_once(",\"hash\":\"").unwrap();
    hashed(body.replace(r#"{"event_type":"x"}"#, event).as_bytes())
}

/// The line of a body, with its hash.
fn hashed(body: &[u8]) -> Vec<u8> {
    let hash = leaf_hash(body).to_hex();
    [body, HASH_FIELD_START, &hash, HASH_FIELD_END, b"\n"].concat()
}

#[test]
fn the_writers_own_events_are_answered_as_the_verifier_does() {
    let (files, seq, prev_hash) = unclosed();
    let service_id = service();
    let spot = Spot { seq, service_id: service_id.as_str(), prev_hash };
    // Those that may be anywhere behind the opening records, and of which only the form is judged.
    let types = ["events_lost", "disk_full", "key_changed", "clock_stepped"];
    let (mut accepted, mut refused) = (0, 0);
    for own in own_events() {
        if types.iter().any(|event_type| own.name.starts_with(event_type)) {
            let line = record(&spot, &own.event);
            assert_agreement(&with_line(&files, &line), own.is_well_formed, &own.name);
            *if own.is_well_formed { &mut accepted } else { &mut refused } += 1;
        }
    }
    assert!(accepted >= 8 && refused >= 16, "{accepted} accepted, {refused} refused");
}

/// Records with a right hash, changed in some bytes, which few of them survive.
#[test]
fn changed_records_are_answered_as_the_verifier_does() {
    let (files, seq, prev_hash) = unclosed();
    let service_id = service();
    let spot = Spot { seq, service_id: service_id.as_str(), prev_hash };
    let time = "2026-01-02T00:00:00.000000002Z";
    let events = [
        r#"{"event_type":"x","a":[-1.5e+3,{"b":null}],"c":"\u00e9\"\ud83d\ude00 ","d":true}"#
            .to_owned(),
        r#"{"event_type":"x","a":"b"},"sanitized":["/a","/b~0/1"]"#.to_owned(),
        format!(
            r#"{{"event_type":"events_lost","count":2,"critical_count":1,"reason":"refused","first":"{time}","last":"{time}"}}"#
        ),
        format!(r#"{{"event_type":"clock_stepped","from":"{time}","to":"{time}"}}"#),
    ];
    let mut dice = Dice::new(7);
    let (mut accepted, mut refused) = (0, 0);
    for round in 0..1_200 {
        let line = record(&spot, &events[round % events.len()]);
        let body = changed(&line[..line.len() - HASH_FIELD_BYTES - 1], &mut dice);
        let line = hashed(&body);
        let files = with_line(&files, &line);
        let is_taken = verify(files.clone()).verdict == Verdict::Consistent;
        assert_agreement(&files, is_taken, &String::from_utf8_lossy(&line));
        *if is_taken { &mut accepted } else { &mut refused } += 1;
    }
    assert!(accepted > 100 && refused > 300, "{accepted} accepted, {refused} refused");
}

/// Puts bytes that mean something to JSON in the place of others, takes some out or repeats some.
fn changed(body: &[u8], dice: &mut Dice) -> Vec<u8> {
    const BYTES: &[u8] = b"\"\\{}[],:0159+-.eEuntfabd /~\0\t\x7f\xc3\xff";
    let mut body = body.to_vec();
    // The frame is as long as the rest, and any change of it is fatal.
    let at =
        if dice.once_in(4) { dice.index(body.len()) } else { 150 + dice.index(body.len() - 240) };
    let end = (at + 1 + dice.index(6)).min(body.len());
    match dice.between(0, 3) {
        0 | 1 => body[at] = BYTES[dice.index(BYTES.len())],
        2 => drop(body.drain(at..end)),
        _ => {
            let twice = body[at..end].to_vec();
            body.splice(at..at, twice);
        }
    }
    body
}

/// Where an event of the writer's own is not one that comes next, neither side takes it.
#[test]
fn an_event_at_a_wrong_place_is_refused_as_the_verifier_does() {
    let (files, seq, prev_hash) = unclosed();
    let service_id = service();
    let spot = Spot { seq, service_id: service_id.as_str(), prev_hash };
    let whole = own_events().into_iter().filter(|own| own.name.ends_with(" whole"));
    let opening = ["segment_opened", "log_recovered", "log_opened"];
    let mut refused = 0;
    for own in whole.filter(|own| opening.iter().any(|event| own.name.starts_with(event))) {
        let files = with_line(&files, &record(&spot, &own.event));
        assert_eq!(verify(files.clone()).verdict, Verdict::Tampered, "{}", own.name);
        assert!(continued(&files).is_err(), "{}", own.name);
        refused += 1;
    }
    assert_eq!(refused, opening.len());
    let closed = with_line(&files, &record(&spot, r#"{"event_type":"log_closed"}"#));
    continued(&closed).unwrap();
    let body = closed.values().next_back().unwrap();
    let prev_hash = &body[body.len() - 67..body.len() - 3];
    let prev_hash = Digest::from_hex(prev_hash).unwrap();
    let spot = Spot { seq: seq + 1, prev_hash, ..spot };
    let files = with_line(&closed, &record(&spot, r#"{"event_type":"x"}"#));
    assert_eq!(verify(files.clone()).verdict, Verdict::Tampered);
    assert_eq!(continued(&files).unwrap_err(), Damage::BytesAfterClose);
}

/// What an event says of the log up to it can be false in its own record already.
#[test]
fn an_event_that_cannot_be_true_is_refused_as_the_verifier_does() {
    let (files, seq, prev_hash) = unclosed();
    let service_id = service();
    let spot = Spot { seq, service_id: service_id.as_str(), prev_hash };
    let root = "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=";
    let size = seq + 1;
    let event = format!(
        r#"{{"event_type":"checkpoint_signed","size":{size},"root":"{root}","key_id":"k"}}"#
    );
    let files = with_line(&files, &record(&spot, &event));
    assert_eq!(verify(files.clone()).verdict, Verdict::Tampered);
    assert_eq!(continued(&files).unwrap_err(), Damage::LineNotARecord);
}

/// The root of a checkpoint that the log tells of is that of its records.
#[test]
fn a_checkpoint_over_other_records_is_refused_as_the_verifier_does() {
    let (files, seq, prev_hash) = unclosed();
    let service_id = service();
    let spot = Spot { seq, service_id: service_id.as_str(), prev_hash };
    let root = |root: Digest| STANDARD.encode(root.as_bytes());
    let right = root(verify(files.clone()).root.unwrap());
    for (size, root, is_right) in
        [(seq, right.clone(), true), (seq, root(Digest::ZERO), false), (seq - 1, right, false)]
    {
        let event = format!(
            r#"{{"event_type":"checkpoint_signed","size":{size},"root":"{root}","key_id":"k"}}"#
        );
        let files = with_line(&files, &record(&spot, &event));
        let verdict = verify(files.clone()).verdict;
        // The note itself is not there.
        assert_eq!(verdict == Verdict::Truncated, is_right, "{size} {root}");
        // A log that tells of a checkpoint is gone on with by its key alone.
        let (disk, clock) = (SimDisk::with_files(files), clock_at("2026-01-02T04:00:00Z"));
        let opened = open(&disk, &clock, RotationPolicy::Daily, FlushMode::Immediate);
        assert_eq!(opened.is_ok(), is_right, "{size} {root}");
    }
}

/// The date in a segment's name is that of its first record.
#[test]
fn a_segment_under_another_date_is_refused_as_the_verifier_does() {
    let (files, ..) = unclosed();
    let (name, bytes) = files.into_iter().next_back().unwrap();
    let renamed = Files::from([(name.replace("2026-01-02", "2026-01-03"), bytes)]);
    assert_eq!(verify(renamed.clone()).verdict, Verdict::Tampered);
    assert_eq!(continued(&renamed).unwrap_err(), Damage::OpeningMissing);
}

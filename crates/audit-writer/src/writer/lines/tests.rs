//! Batches that a full disk cuts anywhere, in a log that seals.

#![expect(clippy::arithmetic_side_effects, reason = "small numbers of a test")]

use audit_checkpoint::{KeyKind, KeyName, SigningKey};
use audit_core::seal::split_seal;
use audit_core::{
    AuditEvent, EventTime, FlushMode, Marks, OnDamage, Receipt, RecordTime, RotationPolicy,
    ServiceId,
};
use chrono::DateTime;

use super::*;
use crate::clock::SimClock;
use crate::loss::Loss;
use crate::signing::Signing;
use crate::store::{SimDisk, SimStore};

type Writer = AuditFileWriter<SimStore, SimClock>;

fn service() -> ServiceId {
    ServiceId::new("bank.teller-1").unwrap()
}

fn payload() -> Vec<u8> {
    let event = AuditEvent::SealVerified {
        timestamp: EventTime::from(DateTime::UNIX_EPOCH),
        shard_id: "shard".into(),
        worker_id: "worker".into(),
    };
    let mut payload = Vec::new();
    audit_core::record::write_payload(&mut payload, &event, &Marks::none());
    payload
}

fn open(disk: &SimDisk) -> Writer {
    let flush = FlushMode::Batched { size: 100, interval_secs: 60 };
    let clock = SimClock::at(DateTime::UNIX_EPOCH);
    let (rotation, damage) = (RotationPolicy::Daily, OnDamage::Refuse);
    let mut log = Writer::with(disk.store(), clock, rotation, flush, damage).unwrap();
    let name = KeyName::new("audit.example/bank").unwrap();
    let key = SigningKey::from_seed(name, KeyKind::Ed25519, &[7; 32]).unwrap();
    log.sign(Signing::new(key)).unwrap();
    log
}

/// Appends so many records at once.
fn append(log: &mut Writer, records: usize) -> Result<(), WriteError> {
    let payload = payload();
    let record = (RecordTime::new(DateTime::UNIX_EPOCH), payload.as_slice());
    log.append_batch(service(), Claim::Routine, std::iter::repeat_n(record, records))
}

fn segment(disk: &SimDisk) -> Vec<u8> {
    disk.files().into_values().next().unwrap()
}

fn is_sealed(line: &[u8]) -> bool {
    split_seal(&line[..line.len() - 76]).is_some()
}

/// The last whole line of the log, and its hash.
fn last_line(disk: &SimDisk) -> Vec<u8> {
    let bytes = segment(disk);
    let mut lines = bytes.split_inclusive(|&byte| byte == b'\n');
    lines.rfind(|line| line.ends_with(b"\n")).unwrap().to_vec()
}

fn cut_anywhere(mut then: impl FnMut(&mut Writer, &SimDisk, Vec<Receipt>)) -> usize {
    let (mut cut, mut owed) = (0, 0);
    loop {
        let disk = SimDisk::default();
        let mut log = open(&disk);
        append(&mut log, 1).unwrap();
        log.flush().unwrap();
        disk.leave_writable(cut);
        let appended = append(&mut log, 3);
        let placed = log.placed().to_vec();
        if appended.is_ok() {
            return owed;
        }
        owed += usize::from(log.pending.owes_seal);
        disk.limit(None);
        then(&mut log, &disk, placed);
        cut += 1;
    }
}

#[test]
fn a_sync_counts_only_behind_a_seal_whatever_part_of_a_batch_was_written() {
    let owed = cut_anywhere(|log, disk, placed| {
        let before = log.durable();
        let flushed = log.flush();
        if log.pending.owes_seal {
            assert!(flushed.is_err() && log.durable() == before);
        } else {
            flushed.unwrap();
            assert!(is_sealed(&last_line(disk)), "{:?}", placed.len());
            assert_eq!(log.durable(), placed.last().copied().or(before));
        }
    });
    // Behind each of two lines, and within the last 76 bytes of each.
    assert!(owed > 100, "{owed}");
}

#[test]
fn the_next_record_carries_the_seal_that_is_owed() {
    cut_anywhere(|log, disk, placed| {
        append(log, 3 - placed.len()).unwrap();
        log.flush().unwrap();
        assert!(is_sealed(&last_line(disk)));
        assert_eq!(segment(disk).split(|&byte| byte == b'\n').count(), 2 + 1 + 3 + 1);
    });
}

#[test]
fn what_declares_the_lost_records_carries_the_seal_that_is_owed() {
    cut_anywhere(|log, disk, _| {
        if !log.pending.owes_seal {
            return;
        }
        let reason = audit_core::lifecycle::LossReason::DiskFull;
        log.record_loss(service(), Loss { reason, critical: false, sha256: None }).unwrap();
        log.flush().unwrap();
        let line = last_line(disk);
        assert!(is_sealed(&line) && String::from_utf8(line).unwrap().contains("events_lost"));
    });
}

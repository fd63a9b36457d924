//! A log that seals, on a simulated disk, and the ways to write into it without its key.

use std::collections::BTreeMap;

use audit_checkpoint::{KeyKind, KeyName, SigningKey};
use audit_core::lifecycle::{LogId, write_audit_id};
use audit_core::record::{RecordHead, write_record};
use audit_core::seal::split_seal;
use audit_core::{
    Digest, EventTime, FlushMode, Frontier, Keyless, OnDamage, Receipt, RecordTime, RotationPolicy,
    SealKey,
};
use audit_writer::segment::SegmentName;
use audit_writer::{AuditFileWriter, OpenError, Signing, SimClock, SimDisk};

use crate::common::{SimWriter, clock_at, routine, service};

pub(crate) const NAME: &str = "audit.example/bank";

pub(crate) fn key() -> SigningKey {
    of_seed(7)
}

pub(crate) fn of_seed(seed: u8) -> SigningKey {
    SigningKey::from_seed(KeyName::new(NAME).unwrap(), KeyKind::Ed25519, &[seed; 32]).unwrap()
}

pub(crate) fn noon() -> SimClock {
    clock_at("2026-01-01T12:00:00Z")
}

/// Opens a log without a key.
pub(crate) fn bare(disk: &SimDisk, on_damage: OnDamage) -> Result<SimWriter, OpenError> {
    let (rotation, flush) = (RotationPolicy::Daily, FlushMode::Immediate);
    AuditFileWriter::with(disk.store(), noon(), rotation, flush, on_damage)
}

/// Opens a log with its key.
pub(crate) fn signed(disk: &SimDisk) -> Result<SimWriter, OpenError> {
    signed_as(disk, Signing::new(key()), OnDamage::Refuse)
}

pub(crate) fn signed_as(
    disk: &SimDisk,
    signing: Signing,
    on_damage: OnDamage,
) -> Result<SimWriter, OpenError> {
    let mut log = bare(disk, on_damage)?;
    log.sign(signing)?;
    Ok(log)
}

/// Opens a log that signs without its key, as an operator may say.
pub(crate) fn unsigned(disk: &SimDisk) -> SimWriter {
    let mut log = bare(disk, OnDamage::Refuse).unwrap();
    log.go_without_key(Keyless::Unsigned);
    log
}

pub(crate) fn write(log: &mut SimWriter, events: u64) {
    for number in 0..events {
        log.write_event(&routine(number)).unwrap();
    }
}

/// A log of one segment whose writer was killed after so many events, all durable.
pub(crate) fn killed(events: u64) -> SimDisk {
    let disk = SimDisk::default();
    let mut log = signed(&disk).unwrap();
    write(&mut log, events);
    kill(&disk, log);
    disk
}

/// Ends a writer without another operation.
pub(crate) fn kill(disk: &SimDisk, log: SimWriter) {
    disk.crash_at(0);
    drop(log);
    disk.crash_at(u64::MAX);
}

/// The newest segment: its name and its bytes.
pub(crate) fn newest(disk: &SimDisk) -> (String, Vec<u8>) {
    let files = disk.files();
    files.into_iter().rfind(|(name, _)| SegmentName::parse(name).is_some()).unwrap()
}

/// The segments and notes that somebody without the key may look at.
pub(crate) fn files(disk: &SimDisk) -> BTreeMap<String, Vec<u8>> {
    disk.files()
}

pub(crate) fn text(disk: &SimDisk) -> String {
    disk.files().values().map(|bytes| String::from_utf8_lossy(bytes)).collect()
}

pub(crate) fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// Whether a line carries a seal.
pub(crate) fn is_sealed(line: &[u8]) -> bool {
    split_seal(&line[..line.len() - 76]).is_some()
}

/// What a line says of itself.
pub(crate) fn receipt(line: &[u8]) -> Receipt {
    let line: serde_json::Value = serde_json::from_slice(line).unwrap();
    let hash = Digest::from_hex(line["hash"].as_str().unwrap().as_bytes()).unwrap();
    Receipt { seq: line["seq"].as_u64().unwrap(), hash }
}

/// A record behind another one, right but for a seal: anybody can make it.
pub(crate) fn forged(after: &Receipt, payload: &str) -> (Vec<u8>, Receipt) {
    let (seq, mut audit_id, mut line) = (after.seq + 1, String::new(), Vec::new());
    write_audit_id(&mut audit_id, service(), seq);
    let timestamp = RecordTime::new(EventTime::parse("2026-01-01T12:00:00Z").unwrap().instant());
    let head = RecordHead { seq, audit_id: &audit_id, timestamp, service_id: service() };
    let hash = write_record(&mut line, &head, payload.as_bytes(), &after.hash);
    (line, Receipt { seq, hash })
}

/// Records behind another one, with these events.
pub(crate) fn forged_all(after: &Receipt, payloads: &[&str]) -> Vec<u8> {
    let mut after = *after;
    let forge = |payload: &&str| {
        let (line, receipt) = forged(&after, payload);
        after = receipt;
        line
    };
    payloads.iter().flat_map(forge).collect()
}

/// The key of the seals of another log, which somebody may own.
pub(crate) fn strangers_seal() -> SealKey {
    SealKey::derive(&[9; 32], LogId::from_bytes([9; 16]))
}

/// The frontier over all records of a log.
pub(crate) fn frontier_up_to(disk: &SimDisk) -> String {
    let bytes: Vec<u8> = files(disk)
        .into_iter()
        .filter(|(name, _)| SegmentName::parse(name).is_some())
        .flat_map(|(_, bytes)| bytes)
        .collect();
    frontier_of(&bytes)
}

pub(crate) fn frontier_of(bytes: &[u8]) -> String {
    let mut frontier = Frontier::new();
    for line in lines(bytes) {
        frontier.push(receipt(&line).hash);
    }
    serde_json::to_string(frontier.roots()).unwrap()
}

/// Puts forged records in the place of all but so many of the newest segment.
pub(crate) fn rewrite(disk: &SimDisk, kept: usize, payloads: &[&str]) {
    let (name, bytes) = newest(disk);
    let mut kept = lines(&bytes)[..kept].to_vec();
    let after = receipt(kept.last().unwrap());
    kept.push(forged_all(&after, payloads));
    disk.replace(&name, kept.concat());
}

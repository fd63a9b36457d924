//! What the scenario files share: how to open and judge a log on a disk in memory.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails where it stands")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use audit_core::{
    AuditEvent, AuditEventEnvelope, EventTime, FlushMode, OnDamage, Receipt, RotationPolicy,
    ServiceId,
};
use audit_verify::{MemorySource, Report, Verdict, VerifyOptions, verify_source};
use audit_writer::{AuditFileWriter, OpenError, SimClock, SimDisk, SimStore};
use chrono::DateTime;

/// A clock that stands at a time of day.
pub(crate) fn clock_at(time: &str) -> SimClock {
    SimClock::at(EventTime::parse(time).unwrap().instant())
}

pub(crate) type SimWriter = AuditFileWriter<SimStore, SimClock>;

pub(crate) fn service() -> ServiceId {
    ServiceId::new("bank.teller-1").unwrap()
}

/// Opens the log on a simulated disk.
pub(crate) fn open(
    disk: &SimDisk,
    clock: &SimClock,
    rotation: RotationPolicy,
    flush: FlushMode,
) -> Result<SimWriter, OpenError> {
    AuditFileWriter::with(disk.store(), clock.clone(), rotation, flush, OnDamage::Refuse)
}

/// A routine event that tells its number.
pub(crate) fn routine(number: u64) -> AuditEventEnvelope<'static> {
    let event = AuditEvent::SealVerified {
        timestamp: EventTime::from(DateTime::UNIX_EPOCH),
        shard_id: format!("shard-{number}").into(),
        worker_id: "worker-1".into(),
    };
    AuditEventEnvelope::new(service(), event)
}

/// A critical event that tells its number.
pub(crate) fn critical(number: u64) -> AuditEventEnvelope<'static> {
    let event = AuditEvent::InvalidTokenUsed {
        timestamp: EventTime::from(DateTime::UNIX_EPOCH),
        ip: "192.0.2.7".into(),
        token_prefix: format!("token-{number}").into(),
        endpoint: "/accounts".into(),
    };
    AuditEventEnvelope::new(service(), event)
}

/// Judges a directory in memory.
pub(crate) fn verify(files: BTreeMap<String, Vec<u8>>) -> Report {
    verify_with_heads(files, &[])
}

/// Judges a directory in memory that has to hold these records.
pub(crate) fn verify_with_heads(files: BTreeMap<String, Vec<u8>>, heads: &[Receipt]) -> Report {
    let options = VerifyOptions { heads: heads.to_vec(), ..VerifyOptions::default() };
    verify_source(&MemorySource::new(files), &options, &mut |_| ()).unwrap()
}

/// Judges a directory that nothing may be wrong with.
pub(crate) fn verify_consistent(files: BTreeMap<String, Vec<u8>>) -> Report {
    let report = verify(files);
    assert_eq!(report.verdict, Verdict::Consistent, "{report:#?}");
    report
}

/// Lets other threads run until something is so. Nothing is decided by how long that takes, as long
/// as it is sure to happen; where a promise is broken on purpose, it may never.
#[track_caller]
pub(crate) fn wait_until(mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    let is_broken = std::env::var_os("AUDIT_WRITER_BROKEN").is_some();
    let patience = Duration::from_secs(if is_broken { 3 } else { 300 });
    while !is_so() {
        assert!(started.elapsed() < patience, "waited in vain");
        std::thread::yield_now();
    }
}

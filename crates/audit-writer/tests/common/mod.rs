//! What the scenario files share: a clock that is set by hand, a disk in memory, the verifier.

#![expect(dead_code, reason = "each scenario file uses what it needs")]
#![expect(clippy::unwrap_used, reason = "a helper of tests fails where it stands")]
#![expect(clippy::arithmetic_side_effects, reason = "times near the present")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use audit_core::{
    AuditEvent, AuditEventEnvelope, EventTime, FlushMode, Receipt, RotationPolicy, ServiceId,
};
use audit_verify::{MemorySource, Report, Verdict, VerifyOptions, verify_source};
use audit_writer::{AuditFileWriter, Clock, OpenError, SimDisk, SimStore};
use chrono::{DateTime, TimeDelta, Utc};

/// A clock that stands still until it is told otherwise.
#[derive(Clone, Debug)]
pub(crate) struct HandClock {
    now: Rc<Cell<DateTime<Utc>>>,
    monotonic: Rc<Cell<Duration>>,
}

impl HandClock {
    /// Stands at a time of day.
    pub(crate) fn at(time: &str) -> Self {
        let now = EventTime::parse(time).unwrap().instant();
        Self { now: Rc::new(Cell::new(now)), monotonic: Rc::default() }
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, time: Duration) {
        self.now.set(self.now.get() + time);
        self.monotonic.set(self.monotonic.get() + time);
    }

    /// Sets the time of day, back or forth; monotonic time does not care.
    pub(crate) fn step(&self, by: TimeDelta) {
        self.now.set(self.now.get() + by);
    }
}

impl Clock for HandClock {
    fn now(&mut self) -> DateTime<Utc> {
        self.now.get()
    }

    fn monotonic(&mut self) -> Duration {
        self.monotonic.get()
    }
}

pub(crate) type SimWriter = AuditFileWriter<SimStore, HandClock>;

pub(crate) fn service() -> ServiceId {
    ServiceId::new("bank.teller-1").unwrap()
}

/// Opens the log on a simulated disk.
pub(crate) fn open(
    disk: &SimDisk,
    clock: &HandClock,
    rotation: RotationPolicy,
    flush: FlushMode,
) -> Result<SimWriter, OpenError> {
    AuditFileWriter::with(disk.store(), clock.clone(), rotation, flush)
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
    let options = VerifyOptions { heads: heads.to_vec() };
    verify_source(&MemorySource::new(files), &options, &mut |_| ()).unwrap()
}

/// Judges a directory that nothing may be wrong with.
pub(crate) fn verify_consistent(files: BTreeMap<String, Vec<u8>>) -> Report {
    let report = verify(files);
    assert_eq!(report.verdict, Verdict::Consistent, "{report:#?}");
    report
}

//! The events that only a writer adds, and the form of their fields.

mod form;
mod opening;
mod pruned;

use audit_core::Digest;
use audit_core::limits::FORMAT_VERSION;
use serde::Deserialize;

pub(crate) use form::{AdoptionReason, LogId, TailKind};
use form::{Hex, LossReason, MissingReason, Name, Root, Time, present};
pub(crate) use opening::{
    LogCopied, LogOpened, LogPlace, LogRecovered, NewestPrune, RecordsAdopted, SegmentKey,
    SegmentOpened,
};
pub(crate) use pruned::SegmentsPruned;

use crate::scan::SegmentName;

/// An event of the writer's own, with what the chain is checked against.
#[derive(Clone, Debug)]
pub(crate) enum Lifecycle {
    SegmentOpened(SegmentOpened),
    LogRecovered(LogRecovered),
    LogOpened(LogOpened),
    EventsLost(EventsLost),
    SegmentMissing(SegmentMissing),
    SegmentsPruned(SegmentsPruned),
    DamageFound(DamageFound),
    RecordsAdopted(RecordsAdopted),
    LogCopied(LogCopied),
    ClockStepped(ClockStepped),
    CheckpointSigned(CheckpointSigned),
    KeyChanged(KeyChanged),
    FormatChanged(FormatChanged),
    LogClosed,
    DiskFull,
    /// One whose fields have another form.
    Malformed,
}

impl Lifecycle {
    /// Reads an event; `Ok(None)` when its type is not one of these.
    ///
    /// # Errors
    ///
    /// What is wrong with its fields. The text may quote them.
    pub(crate) fn parse(event_type: &str, event: &[u8]) -> Result<Option<Self>, String> {
        Ok(Some(match event_type {
            "segment_opened" => Self::SegmentOpened(fields(event)?),
            "log_recovered" => Self::LogRecovered(fields(event)?),
            "log_opened" => Self::LogOpened(fields(event)?),
            "events_lost" => Self::EventsLost(EventsLost::checked(fields(event)?)?),
            "segment_missing" => Self::SegmentMissing(fields(event)?),
            "segments_pruned" => Self::SegmentsPruned(SegmentsPruned::checked(fields(event)?)?),
            "damage_found" => Self::DamageFound(fields(event)?),
            "records_adopted" => Self::RecordsAdopted(fields(event)?),
            "log_copied" => Self::LogCopied(fields(event)?),
            "clock_stepped" => Self::ClockStepped(fields(event)?),
            "disk_full" => fields(event).map(|DiskFull { .. }| Self::DiskFull)?,
            "checkpoint_signed" => Self::CheckpointSigned(fields(event)?),
            "key_changed" => Self::KeyChanged(fields(event)?),
            "format_changed" => Self::FormatChanged(FormatChanged::checked(fields(event)?)?),
            "log_closed" => Self::LogClosed,
            _ => return Ok(None),
        }))
    }
}

fn fields<'e, T: Deserialize<'e>>(event: &'e [u8]) -> Result<T, String> {
    serde_json::from_slice(event).map_err(|error| error.to_string())
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct EventsLost {
    pub(crate) count: u64,
    pub(crate) critical_count: u64,
    pub(crate) reason: LossReason,
    #[expect(dead_code, reason = "only its form is checked")]
    first: Time,
    #[expect(dead_code, reason = "only its form is checked")]
    last: Time,
    #[serde(default, deserialize_with = "present")]
    #[expect(dead_code, reason = "only its form is checked")]
    sha256: Option<Hex>,
}

impl EventsLost {
    fn checked(self) -> Result<Self, String> {
        if self.critical_count > self.count {
            return Err("more critical events are lost than events".to_owned());
        }
        Ok(self)
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SegmentMissing {
    file: Name,
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
    #[expect(dead_code, reason = "only its form is checked")]
    last_hash: Hex,
    pub(crate) reason: MissingReason,
    /// What an operator said who acknowledged it.
    #[serde(default, deserialize_with = "present")]
    pub(crate) text: Option<String>,
}

impl SegmentMissing {
    pub(crate) const fn file(&self) -> SegmentName {
        self.file.0
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct DamageFound {
    pub(crate) file: String,
    pub(crate) offset: u64,
    pub(crate) code: String,
}

impl DamageFound {
    /// Whether it speaks of this segment, and of one of these faults.
    pub(crate) fn is_of(&self, name: SegmentName, codes: &[&str]) -> bool {
        let file = SegmentName::parse(self.file.as_bytes());
        file.is_some_and(|file| file.first_seq == name.first_seq) && codes.contains(&&*self.code)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct FormatChanged {
    pub(crate) to: u64,
}

impl FormatChanged {
    fn checked(self) -> Result<Self, String> {
        if self.to <= u64::from(FORMAT_VERSION) {
            return Err(format!("a version does not change to {}", self.to));
        }
        Ok(self)
    }
}

/// That the clock jumped.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ClockStepped {
    pub(crate) from: Time,
    pub(crate) to: Time,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only the form is checked")]
struct DiskFull {
    available_bytes: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct CheckpointSigned {
    pub(crate) size: u64,
    root: Root,
    pub(crate) key_id: String,
}

impl CheckpointSigned {
    pub(crate) const fn root(&self) -> Digest {
        self.root.0
    }
}

/// That a log goes on with another key. What is no key that this verifier knows is not malformed.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct KeyChanged {
    pub(crate) old_vkey: String,
    pub(crate) new_vkey: String,
    /// In Base 64, like the other.
    pub(crate) old_signature: String,
    pub(crate) new_signature: String,
}

#[cfg(test)]
mod tests;

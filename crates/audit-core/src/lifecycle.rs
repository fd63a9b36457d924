//! The events that the writer itself adds. A caller cannot emit them.

mod log_id;
mod parts;

use serde::Serialize;

pub use log_id::LogId;
pub use parts::{
    AdoptionReason, ContinuedLog, FileId, LogOpened, LossReason, MissingReason, NewestPrune, Place,
    PreviousSegment, PrunedEnd, PrunedFile, SegmentKey, SegmentOpened, Storage, TailKind,
};

use crate::digest::Digest;
use crate::service::ServiceId;
use crate::time::RecordTime;

/// The wire names, sorted.
pub const LIFECYCLE_TYPES: [&str; 15] = [
    "checkpoint_signed",
    "clock_stepped",
    "damage_found",
    "disk_full",
    "events_lost",
    "format_changed",
    "key_changed",
    "log_closed",
    "log_copied",
    "log_opened",
    "log_recovered",
    "records_adopted",
    "segment_missing",
    "segment_opened",
    "segments_pruned",
];

/// Whether only the writer records events of this type.
#[must_use]
pub fn is_lifecycle_type(event_type: &str) -> bool {
    LIFECYCLE_TYPES.binary_search(&event_type).is_ok()
}

/// An event that the writer adds of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event_type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum LifecycleEvent {
    /// The first record of every segment, and nowhere else.
    SegmentOpened(SegmentOpened),
    /// What was found after the last whole record of the segment before.
    LogRecovered {
        /// That segment.
        file: String,
        /// Where its whole records end, in bytes.
        offset: u64,
        /// How many bytes follow them.
        bytes: u64,
        /// Their digest.
        sha256: Digest,
        /// Whole lines with a right hash among them.
        valid_records: u64,
        /// What they look like.
        kind: TailKind,
    },
    /// A writer opened the log.
    LogOpened(LogOpened),
    /// Events that were offered and are not in the log.
    EventsLost {
        /// How many.
        count: u64,
        /// How many of them were critical, as far as that is known.
        critical_count: u64,
        /// Why.
        reason: LossReason,
        /// When the first of them was lost.
        first: RecordTime,
        /// When the last of them was lost.
        last: RecordTime,
        /// Digest of the refused line; where several are declared at once, that of their digests
        /// (32 bytes each) in order.
        #[serde(skip_serializing_if = "Option::is_none")]
        sha256: Option<Digest>,
    },
    /// The writer found its own segment gone or altered by somebody else.
    SegmentMissing {
        /// That segment.
        file: String,
        /// Seq of its first record.
        first_seq: u64,
        /// Seq of the last record that was written to it.
        last_seq: u64,
        /// Hash of that record.
        last_hash: Digest,
        /// What was found.
        reason: MissingReason,
        /// What an operator said of it, who acknowledged the gap.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// A writer was told to go on after a segment that does not end as a crash leaves it.
    DamageFound {
        /// That segment.
        file: String,
        /// Where its whole records end, in bytes.
        offset: u64,
        /// What stands against a crash.
        code: String,
    },
    /// Segments that retention is about to delete, or has.
    SegmentsPruned {
        /// Always 0: everything up to `last_seq` is deleted with these.
        first_seq: u64,
        /// Seq of the last record that goes.
        last_seq: u64,
        /// Hash of that record.
        last_hash: Digest,
        /// The frontier of the records up to that one.
        merkle_frontier: Vec<Digest>,
        /// The segments, oldest first.
        files: Vec<PrunedFile>,
        /// Why.
        reason: String,
        /// The end of what the prune before deleted; absent for the first of a log.
        #[serde(skip_serializing_if = "Option::is_none")]
        after: Option<PrunedEnd>,
        /// Records of before this time were old enough. Logs of before seals lack it.
        #[serde(skip_serializing_if = "Option::is_none")]
        before: Option<RecordTime>,
    },
    /// Records that neither a checkpoint of the log's keys nor a seal covers, taken over by an
    /// operator's word.
    RecordsAdopted {
        /// Seq of the first of them.
        first_seq: u64,
        /// Seq of the last of them, the one before this segment's `segment_opened`.
        last_seq: u64,
        /// Seq of the first record that survived.
        begins: u64,
        /// Why nothing covers them.
        why: AdoptionReason,
    },
    /// The log is a copy: it lies at another place than its newest segment says.
    LogCopied {
        /// Where that segment says it is.
        from: Place,
        /// Where it is.
        to: Place,
    },
    /// The clock jumped by more than a day against the one that never jumps.
    ClockStepped {
        /// The time that was expected.
        from: RecordTime,
        /// The time that was read.
        to: RecordTime,
    },
    /// Space that is kept for critical records had to be used.
    DiskFull {
        /// Bytes that the file system had left beside it.
        available_bytes: u64,
    },
    /// A checkpoint is on disk, so that one that is removed is missed.
    CheckpointSigned {
        /// How many records it covers.
        size: u64,
        /// The root of the tree over them, in base64, as the checkpoint has it.
        root: String,
        /// The id of the key that signed it, in hex.
        key_id: String,
    },
    /// The key that checkpoints are signed with is another from here on.
    KeyChanged {
        /// The key until now.
        old_vkey: String,
        /// The key from now on, of the same name.
        new_vkey: String,
        /// The old key's signature of both, of the log and of the record, in base64.
        old_signature: String,
        /// The new key's signature of the same, in base64.
        new_signature: String,
    },
    /// A clean shutdown; the last record of its segment.
    LogClosed,
}

impl LifecycleEvent {
    /// The wire name.
    #[must_use]
    pub const fn event_type(&self) -> &'static str {
        match self {
            Self::SegmentOpened(_) => "segment_opened",
            Self::LogRecovered { .. } => "log_recovered",
            Self::LogOpened(_) => "log_opened",
            Self::EventsLost { .. } => "events_lost",
            Self::SegmentMissing { .. } => "segment_missing",
            Self::DamageFound { .. } => "damage_found",
            Self::SegmentsPruned { .. } => "segments_pruned",
            Self::RecordsAdopted { .. } => "records_adopted",
            Self::LogCopied { .. } => "log_copied",
            Self::ClockStepped { .. } => "clock_stepped",
            Self::DiskFull { .. } => "disk_full",
            Self::CheckpointSigned { .. } => "checkpoint_signed",
            Self::KeyChanged { .. } => "key_changed",
            Self::LogClosed => "log_closed",
        }
    }
}

/// Writes `audit-S-H` into a buffer that already has room for it: the audit id of record `seq`.
pub fn write_audit_id(out: &mut String, service_id: ServiceId, seq: u64) {
    use std::fmt::Write as _;
    out.clear();
    // Writing into a String does not fail.
    let written = write!(out, "audit-{service_id}-{seq:016x}");
    debug_assert!(written.is_ok());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_so_that_they_are_found() {
        assert!(LIFECYCLE_TYPES.is_sorted());
        assert!(LIFECYCLE_TYPES.iter().all(|name| is_lifecycle_type(name)));
        assert!(!is_lifecycle_type("auth_failure"));
    }

    #[test]
    fn a_lifecycle_event_is_written_as_the_format_says() {
        let lost = LifecycleEvent::EventsLost {
            count: 2,
            critical_count: 0,
            reason: LossReason::Refused,
            first: RecordTime::new(chrono::DateTime::UNIX_EPOCH),
            last: RecordTime::new(chrono::DateTime::UNIX_EPOCH),
            sha256: None,
        };
        assert_eq!(
            serde_json::to_string(&lost).unwrap(),
            concat!(
                r#"{"event_type":"events_lost","count":2,"critical_count":0,"reason":"refused","#,
                r#""first":"1970-01-01T00:00:00.000000000Z","last":"1970-01-01T00:00:00.000000000Z"}"#
            )
        );
        assert_eq!(
            serde_json::to_string(&LifecycleEvent::LogClosed).unwrap(),
            r#"{"event_type":"log_closed"}"#
        );
    }

    #[test]
    fn an_audit_id_never_outgrows_its_buffer() {
        let mut id = String::with_capacity(crate::limits::AUDIT_ID_BYTES_MAX);
        let service = ServiceId::new(&"s".repeat(41)).unwrap();
        write_audit_id(&mut id, service, u64::MAX);
        assert_eq!(id.len(), 64);
        assert_eq!(id.capacity(), 64);
    }
}

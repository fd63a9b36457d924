//! What a view of a log shows.

use std::borrow::Cow;

use audit_core::Digest;
use audit_core::event::is_critical_type;

use crate::check::Assessed;
use crate::finding::{Finding, Notice, Place};
use crate::parse::json::Scratch;
use crate::parse::record::Record;
use crate::scan::lines::{Line, Text};

/// What stands next in a log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum View<'v> {
    /// A record whose hash is right, and which follows from the one before.
    Record(RecordView<'v>),
    /// Something that is not as it was written: a line, a file, or a part of one.
    Faulty {
        /// What the line says, if it can be taken apart like a record. It may say anything: what is
        /// found speaks against it.
        record: Option<RecordView<'v>>,
        /// What is wrong. Never empty.
        findings: &'v [Finding],
    },
    /// Bytes that are not shown, for a reason that is no cause for alarm.
    Skipped(Notice),
}

/// A record, taken apart. No text in it is cleaned.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordView<'v> {
    /// Place in the log.
    pub seq: u64,
    /// `audit-<service>-<seq in 16 hex digits>`.
    pub audit_id: &'v str,
    /// When the writer accepted it, as it is written.
    pub timestamp: &'v str,
    /// The service.
    pub service_id: &'v str,
    /// The event's type, without escapes.
    pub event_type: Cow<'v, str>,
    /// Whether the event is critical.
    pub is_critical: bool,
    /// The event: a JSON object as it is stored, without a key that stands twice.
    pub event: &'v [u8],
    /// Which values of the event were neutralised or shortened: a JSON list as it is stored.
    pub sanitized: Option<&'v [u8]>,
    /// The hash of the record before, as this one says.
    pub prev_hash: Digest,
    /// The hash of its bytes.
    pub hash: Digest,
    /// The line as it is stored, without its line feed.
    pub line: &'v [u8],
    /// The segment's name.
    pub file: &'v str,
    /// The line's number in the segment, from 1.
    pub line_number: u64,
    /// Where the line begins, in bytes.
    pub offset: u64,
}

impl<'v> RecordView<'v> {
    /// What a line says, if it can be taken apart like a record.
    pub(super) fn of(
        line: &Line<'v>,
        assessed: &Assessed<'v>,
        place: Place<'v>,
        scratch: &mut Scratch,
    ) -> Option<Self> {
        let Text::Whole(text) = line.text else { return None };
        let (record, hash) = match assessed {
            Assessed::Record { record, hash, .. } => (record.clone(), *hash),
            Assessed::Damaged { hashed, .. } | Assessed::Rest { hashed } => {
                let hashed = hashed.as_ref()?;
                (Record::parse(hashed.body, scratch).ok()?, hashed.computed)
            }
            Assessed::Malformed { .. } | Assessed::Foreign { .. } => return None,
        };
        let Record { seq, audit_id, timestamp, service_id, event, prev_hash, .. } = record;
        let is_critical = is_critical_type(&record.event_type, || record.states_critical);
        Some(Self {
            seq,
            audit_id,
            timestamp,
            service_id,
            event_type: record.event_type,
            is_critical,
            event,
            sanitized: (!record.sanitized.is_empty()).then_some(record.sanitized),
            prev_hash,
            hash,
            line: text,
            file: place.file,
            line_number: place.line,
            offset: place.offset,
        })
    }
}

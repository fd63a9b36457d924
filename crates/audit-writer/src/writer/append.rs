//! One record, one write.

use std::io;
use std::sync::Arc;

use audit_core::lifecycle::{LifecycleEvent, write_audit_id};
use audit_core::limits::RECORD_FRAME_BYTES_MAX;
use audit_core::record::{RecordHead, write_lifecycle_payload, write_record};
use audit_core::{Receipt, RecordTime, ServiceId};

use super::AuditFileWriter;
use crate::clock::Clock;
use crate::error::WriteError;
use crate::rotation;
use crate::store::{SegmentFile, Store};

impl<S: Store, C: Clock> AuditFileWriter<S, C> {
    /// Appends a record of the writer's own.
    pub(super) fn append_lifecycle(
        &mut self,
        service_id: ServiceId,
        event: &LifecycleEvent,
    ) -> Result<(), WriteError> {
        let mut payload = Vec::new();
        write_lifecycle_payload(&mut payload, event);
        self.append(service_id, &payload).map(drop)
    }

    /// Declares the events that were lost since the last record.
    pub(super) fn declare_losses(&mut self, service_id: ServiceId) -> Result<(), WriteError> {
        while let Some(tally) = self.losses.pop() {
            match self.append_lifecycle(service_id, &tally.event()) {
                Ok(()) => {}
                // That record has its place; it is the caller's event that was not written.
                Err(WriteError::Unfinished { cause, .. }) => {
                    return Err(WriteError::Io { action: "declare lost events", cause });
                }
                Err(error) => {
                    self.losses.push(tally);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Appends a record, in a segment that it belongs into.
    pub(super) fn append(
        &mut self,
        service_id: ServiceId,
        payload: &[u8],
    ) -> Result<Receipt, WriteError> {
        let timestamp = RecordTime::new(self.clock.now());
        if self.rotation_due(payload, timestamp) {
            self.open_segment(service_id, timestamp)?;
        }
        let seq = self.chain.next_seq().ok_or(WriteError::SeqExhausted)?;
        write_audit_id(&mut self.audit_id, service_id, seq);
        let head = RecordHead { seq, audit_id: &self.audit_id, timestamp, service_id };
        self.line.clear();
        let hash = write_record(&mut self.line, &head, payload, self.chain.prev_hash());
        self.write_line(Receipt { seq, hash })
    }

    fn rotation_due(&self, payload: &[u8], now: RecordTime) -> bool {
        let Some(current) = &self.current else { return true };
        let incoming = payload.len().saturating_add(RECORD_FRAME_BYTES_MAX).saturating_add(1);
        let state = rotation::Current {
            date: current.name.date,
            bytes: current.bytes,
            records: current.records,
        };
        rotation::due(self.rotation_policy, state, now.date(), length(incoming))
    }

    /// Writes the line that was built, and links its record as soon as a byte of it is written.
    fn write_line(&mut self, receipt: Receipt) -> Result<Receipt, WriteError> {
        let bytes = length(self.line.len());
        let limit = self.flush_mode.unsynced_bytes_max();
        if self.pending.bytes.saturating_add(bytes) > limit {
            self.sync()?;
        }
        let Some(current) = &mut self.current else {
            let cause = Arc::new(io::ErrorKind::NotFound.into());
            return Err(WriteError::Io { action: "find the current segment", cause });
        };
        let (written, error) = put(&mut current.file, &self.line);
        if let (0, Some(cause)) = (written, &error) {
            return Err(WriteError::Io { action: "write a record", cause: Arc::clone(cause) });
        }
        current.bytes = current.bytes.saturating_add(bytes);
        current.records = current.records.saturating_add(1);
        self.chain.push(receipt.hash);
        self.pending.bytes = self.pending.bytes.saturating_add(bytes);
        if self.pending.since.is_none() {
            self.pending.since = Some(self.clock.monotonic());
        }
        match error {
            None => Ok(receipt),
            Some(cause) => {
                self.unfinished.extend_from_slice(self.line.get(written..).unwrap_or_default());
                Err(WriteError::Unfinished { receipt, cause })
            }
        }
    }

    /// Writes what is left of a line before anything else is written: the log never holds a line
    /// that was given up.
    pub(super) fn finish_line(&mut self) -> Result<(), WriteError> {
        let Some(current) = self.current.as_mut().filter(|_| !self.unfinished.is_empty()) else {
            return Ok(());
        };
        let (written, error) = put(&mut current.file, &self.unfinished);
        self.unfinished.drain(..written);
        let action = "finish the record before";
        error.map_or(Ok(()), |cause| Err(WriteError::Io { action, cause }))
    }
}

/// Writes until all is written or an error occurs; says how much was.
pub(super) fn put(file: &mut impl SegmentFile, bytes: &[u8]) -> (usize, Option<Arc<io::Error>>) {
    let mut written = 0_usize;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match file.append(rest) {
            Ok(0) => return (written, Some(Arc::new(io::ErrorKind::WriteZero.into()))),
            Ok(more) => written = written.saturating_add(more),
            Err(error) => return (written, Some(Arc::new(error))),
        }
    }
    (written, None)
}

/// A length as the format counts it.
pub(super) fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

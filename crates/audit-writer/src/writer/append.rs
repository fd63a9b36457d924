//! Records to lines: one by one, or any number in one write.

use audit_core::lifecycle::{LifecycleEvent, write_audit_id};
use audit_core::limits::{RECORD_FRAME_BYTES_MAX, SEQ_MAX};
use audit_core::record::{RecordHead, write_hashed, write_lifecycle_payload};
use audit_core::{Receipt, RecordTime, ServiceId};

use super::lines::length;
use super::{AuditFileWriter, Claim};
use crate::clock::Clock;
use crate::error::WriteError;
use crate::rotation;
use crate::store::Store;

impl<S: Store, C: Clock> AuditFileWriter<S, C> {
    /// Appends records whose payloads were made before, in one write where they fit into one
    /// segment and into what may be unsynced. [`placed`](Self::placed) then tells those that have
    /// their place, also when an error ended the batch; those behind them are not in the log.
    ///
    /// Nothing is durable before [`flush`](Self::flush).
    pub(crate) fn append_batch<'r>(
        &mut self,
        service_id: ServiceId,
        claim: Claim,
        mut records: impl Iterator<Item = (RecordTime, &'r [u8])>,
    ) -> Result<(), WriteError> {
        self.placed.clear();
        self.usable()?;
        self.check_service(service_id)?;
        self.ask_file_size();
        self.finish_line()?;
        if claim == Claim::Critical {
            let declared = self.declare_full(service_id);
            self.placed.clear();
            declared?;
        }
        self.lines.claim = claim;
        let added =
            records.try_for_each(|(at, payload)| self.add_line(service_id, at, payload).map(drop));
        // What was built before an error has its place; where a write was the error, nothing is.
        self.write_lines()?;
        added
    }

    /// The records that the last call gave their place in the log, durable or not.
    pub(crate) fn placed(&self) -> &[Receipt] {
        &self.placed
    }

    /// Appends a record of the writer's own.
    pub(super) fn append_lifecycle(
        &mut self,
        service_id: ServiceId,
        claim: Claim,
        event: &LifecycleEvent,
    ) -> Result<(), WriteError> {
        let mut payload = Vec::new();
        write_lifecycle_payload(&mut payload, event);
        self.append(service_id, claim, &payload).map(drop)
    }

    /// Appends a record behind the declaration of what was lost before it.
    pub(super) fn append_declared(
        &mut self,
        service_id: ServiceId,
        claim: Claim,
        payload: &[u8],
    ) -> Result<Receipt, WriteError> {
        self.declare_losses(service_id, claim)?;
        self.append(service_id, claim, payload)
    }

    /// Declares the events that were lost since the last record.
    pub(super) fn declare_losses(
        &mut self,
        service_id: ServiceId,
        claim: Claim,
    ) -> Result<(), WriteError> {
        while let Some(tally) = self.losses.pop() {
            match self.append_lifecycle(service_id, claim, &tally.event()) {
                Ok(()) => {}
                // That record has its place; it is the caller's event that was not written.
                Err(WriteError::Unfinished { cause, .. }) => {
                    return Err(WriteError::Io { action: "declare lost events", cause });
                }
                Err(error) => {
                    self.losses.absorb(&tally);
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
        claim: Claim,
        payload: &[u8],
    ) -> Result<Receipt, WriteError> {
        let timestamp = RecordTime::new(self.clock.now());
        self.append_at(service_id, claim, timestamp, payload)
    }

    /// Appends a record of this time.
    pub(super) fn append_at(
        &mut self,
        service_id: ServiceId,
        claim: Claim,
        timestamp: RecordTime,
        payload: &[u8],
    ) -> Result<Receipt, WriteError> {
        self.placed.clear();
        self.ask_file_size();
        self.lines.claim = claim;
        let built = self.add_line(service_id, timestamp, payload)?;
        self.write_lines()?;
        // A seal makes another hash of it.
        Ok(self.placed.last().copied().unwrap_or(built))
    }

    /// Builds the line of the next record. Lines before it are written first when it belongs into
    /// another segment, or when more would be unsynced than may be.
    fn add_line(
        &mut self,
        service_id: ServiceId,
        timestamp: RecordTime,
        payload: &[u8],
    ) -> Result<Receipt, WriteError> {
        let longest = payload.len().saturating_add(RECORD_FRAME_BYTES_MAX).saturating_add(1);
        if self.rotation_due(longest, timestamp) && self.has_room_for_segment() {
            self.write_lines()?;
            match self.open_segment(service_id, timestamp) {
                // Postponed: the current segment goes on.
                Err(error) if error.is_refused_for_space() && self.current.is_some() => {}
                opened => opened?,
            }
        }
        let built = length(self.lines.bytes.len());
        let unsynced = self.pending.bytes.saturating_add(built).saturating_add(length(longest));
        if unsynced > self.flush_mode.unsynced_bytes_max() {
            self.write_lines()?;
            self.sync()?;
        }
        let ahead = length(self.lines.built.len());
        let seq = self.chain.frontier().size().saturating_add(ahead);
        if seq > SEQ_MAX {
            return Err(WriteError::SeqExhausted);
        }
        let prev_hash = self.lines.built.last().map_or(*self.chain.prev_hash(), |(hash, _)| *hash);
        write_audit_id(&mut self.audit_id, service_id, seq);
        let head = RecordHead { seq, audit_id: &self.audit_id, timestamp, service_id };
        let (hash, hasher) = write_hashed(&mut self.lines.bytes, &head, payload, &prev_hash);
        self.lines.built.push((hash, self.lines.bytes.len()));
        self.lines.hasher = Some(hasher);
        Ok(Receipt { seq, hash })
    }

    fn rotation_due(&self, incoming_bytes: usize, now: RecordTime) -> bool {
        let Some(current) = &self.current else { return true };
        let built = &self.lines;
        let state = rotation::Current {
            date: current.name.date,
            bytes: current.bytes.saturating_add(length(built.bytes.len())),
            records: current.records.saturating_add(length(built.built.len())),
            file_bytes_max: self.space.file_bytes_max,
        };
        rotation::due(self.rotation_policy, state, now.date(), length(incoming_bytes))
    }
}

//! Lines on their way into the segment: built whole, written at once, and finished before anything
//! else where only a part of one was.

use std::io;
use std::sync::Arc;

use audit_core::digest::Hasher;
use audit_core::limits::{BATCH_BYTES_MAX, RECORD_FRAME_BYTES_MAX};
use audit_core::record::HASH_FIELD_BYTES;
use audit_core::seal::{seal_hashed, seal_record};
use audit_core::{Digest, Receipt, SealKey};

use super::{AuditFileWriter, Claim};
use crate::broken::{self, Broken};
use crate::clock::Clock;
use crate::error::WriteError;
use crate::store::{SegmentFile, Store};

/// Lines that are built, linked to each other, and not yet written.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) bytes: Vec<u8>,
    /// Of each line its hash, and where it ends.
    pub(super) built: Vec<(Digest, usize)>,
    /// What has hashed the last of them, as long as it has no seal.
    pub(super) hasher: Option<Hasher>,
    /// For whom they are.
    pub(super) claim: Claim,
}

impl Lines {
    /// Room for so many records, and for the bytes of a full batch in their frames.
    pub(super) fn with_capacity(records: usize) -> Self {
        let frames = records.saturating_mul(RECORD_FRAME_BYTES_MAX);
        let bytes = BATCH_BYTES_MAX.saturating_add(frames);
        Self {
            bytes: Vec::with_capacity(bytes),
            built: Vec::with_capacity(records),
            hasher: None,
            claim: Claim::Routine,
        }
    }

    /// Seals the last one.
    fn seal_last(&mut self, key: &SealKey) {
        if let (Some((hash, end)), Some(hasher)) = (self.built.last_mut(), self.hasher.take()) {
            *hash = seal_hashed(&mut self.bytes, hasher, hash, key);
            *end = self.bytes.len();
        }
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.built.clear();
        self.hasher = None;
    }
}

impl<S: Store, C: Clock> AuditFileWriter<S, C> {
    /// Writes the lines that were built, the last one sealed in a log that signs, and links each record
    /// of which a byte is written. None is left to be written afterwards.
    pub(super) fn write_lines(&mut self) -> Result<(), WriteError> {
        let mut lines = std::mem::take(&mut self.lines);
        if let Some(sealing) = self.sealing.as_ref().filter(|_| !broken::is(Broken::LastUnsealed)) {
            lines.seal_last(&sealing.key);
        }
        let written = self.write_taken(&lines);
        lines.clear();
        self.lines = lines;
        written
    }

    pub(super) fn write_taken(&mut self, lines: &Lines) -> Result<(), WriteError> {
        if lines.built.is_empty() {
            return Ok(());
        }
        self.make_room(length(lines.bytes.len()), lines.claim)?;
        let Some(current) = &mut self.current else {
            let cause = Arc::new(io::ErrorKind::NotFound.into());
            return Err(WriteError::Io { action: "find the current segment", cause });
        };
        let (written, error) = put(&mut current.file, &lines.bytes);
        let mut start = 0;
        let mut cut = None;
        let key = self.sealing.as_ref().map(|sealing| &sealing.key);
        for &(mut hash, end) in &lines.built {
            if start >= written {
                break;
            }
            let line = lines.bytes.get(start..end).unwrap_or_default();
            let is_last = end == lines.bytes.len();
            self.pending.owes_seal = key.is_some() && !is_last;
            if end > written {
                let begun = written.saturating_sub(start);
                self.unfinished.extend(line.get(begun..).unwrap_or_default());
                if let Some(key) = key.filter(|_| !is_last && may_be_sealed(line, begun)) {
                    // It is the last one of this write after all.
                    let mut line = line.to_vec();
                    hash = seal_record(&mut line, 0, &hash, key);
                    self.unfinished.clear();
                    self.unfinished.extend(line.get(begun..).unwrap_or_default());
                    self.pending.owes_seal = false;
                }
            }
            let Some(seq) = self.chain.next_seq() else { break };
            let receipt = Receipt { seq, hash };
            self.chain.push(hash);
            self.placed.push(receipt);
            current.records = current.records.saturating_add(1);
            cut = (end > written).then_some(receipt);
            start = end;
        }
        let bytes = length(written.saturating_add(self.unfinished.len()));
        current.bytes = current.bytes.saturating_add(bytes);
        self.pending.bytes = self.pending.bytes.saturating_add(bytes);
        if written > 0 && self.pending.since.is_none() {
            self.pending.since = Some(self.clock.monotonic());
        }
        if error.is_none() {
            self.note_written(lines.claim);
        }
        match (error, cut) {
            (None, _) => Ok(()),
            (Some(cause), None) => Err(WriteError::Io { action: "write a record", cause }),
            (Some(cause), Some(receipt)) => Err(WriteError::Unfinished { receipt, cause }),
        }
    }

    /// Writes what is left of a line before anything else is written: the log never holds a line
    /// that was given up.
    pub(super) fn finish_line(&mut self) -> Result<(), WriteError> {
        if self.unfinished.is_empty() {
            return Ok(());
        }
        self.ask_file_size();
        let Some(current) = &mut self.current else { return Ok(()) };
        self.space.may_end_at(current.bytes)?;
        let (written, error) = put(&mut current.file, &self.unfinished);
        self.unfinished.drain(..written);
        let action = "finish the record before";
        error.map_or(Ok(()), |cause| Err(WriteError::Io { action, cause }))
    }
}

/// Whether a line without a seal, of which so many bytes are written, can still be finished with one:
/// nothing of what follows `prev_hash` is written.
fn may_be_sealed(line: &[u8], begun: usize) -> bool {
    line.len().checked_sub(HASH_FIELD_BYTES.saturating_add(1)).is_some_and(|until| begun <= until)
}

/// Writes until all is written or an error occurs; says how much was.
pub(crate) fn put(file: &mut impl SegmentFile, bytes: &[u8]) -> (usize, Option<Arc<io::Error>>) {
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

#[cfg(test)]
mod tests;

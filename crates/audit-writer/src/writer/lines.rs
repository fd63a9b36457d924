//! Lines on their way into the segment: built whole, written at once, and finished before anything
//! else where only a part of one was.

use std::io;
use std::sync::Arc;

use audit_core::limits::{BATCH_BYTES_MAX, RECORD_FRAME_BYTES_MAX};
use audit_core::{Digest, Receipt};

use super::{AuditFileWriter, Claim};
use crate::clock::Clock;
use crate::error::WriteError;
use crate::store::{SegmentFile, Store};

/// Lines that are built, linked to each other, and not yet written.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) bytes: Vec<u8>,
    /// Of each line its hash, and where it ends.
    pub(super) built: Vec<(Digest, usize)>,
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
            claim: Claim::Routine,
        }
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.built.clear();
    }
}

impl<S: Store, C: Clock> AuditFileWriter<S, C> {
    /// Writes the lines that were built, and links each record of which a byte is written. None is
    /// left to be written afterwards.
    pub(super) fn write_lines(&mut self) -> Result<(), WriteError> {
        let mut lines = std::mem::take(&mut self.lines);
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
        for &(hash, end) in lines.built.iter().take_while(|(_, end)| {
            let begun = start < written;
            start = *end;
            begun
        }) {
            let Some(seq) = self.chain.next_seq() else { break };
            let receipt = Receipt { seq, hash };
            self.chain.push(hash);
            self.placed.push(receipt);
            current.records = current.records.saturating_add(1);
            if end > written {
                self.unfinished.extend(lines.bytes.get(written..end).unwrap_or_default());
                cut = Some(receipt);
            }
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

//! Space on the disk: allocated ahead, with a reserve that critical records alone may use.
//!
//! Allocating ahead also makes a sync cheaper, since the file's blocks are known before it. Where a
//! file system allocates nothing ahead, what it says to have left takes the place of the reserve.

use std::io;
use std::sync::Arc;

use audit_core::ServiceId;
use audit_core::lifecycle::LifecycleEvent;
use audit_core::limits::{ALLOCATION_STEP_BYTES, CLOSING_BYTES, RESERVE_BYTES};
use rustix::io::Errno;

use super::lines::length;
use super::{AuditFileWriter, Current};
use crate::broken::{self, Broken};
use crate::clock::Clock;
use crate::error::WriteError;
use crate::store::{SegmentFile, Store};

/// For whom space is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Claim {
    /// A routine record, and everything while there is space enough.
    #[default]
    Routine,
    /// A critical record, which may use the reserve.
    Critical,
    /// The writer's last words, which may use what is left.
    Closing,
}

impl Claim {
    /// What has to remain behind a record.
    const fn kept_bytes(self) -> u64 {
        match self {
            Self::Routine => RESERVE_BYTES,
            Self::Critical => CLOSING_BYTES,
            Self::Closing => 0,
        }
    }
}

/// What the writer knows about the space that is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Space {
    /// Whether the file system has refused to allocate ahead.
    pub(crate) unsupported: bool,
    /// What it said to have left when that was last asked.
    pub(crate) free_bytes: Option<u64>,
    /// How large in bytes a file may become for this process, as it was when that was last asked.
    pub(crate) file_bytes_max: Option<u64>,
    /// Whether the reserve is in use, as `disk_full` has said.
    declared_full: bool,
}

impl Space {
    /// Whether a segment may become so long: a write beyond the limit could end the process.
    pub(super) fn may_end_at(&self, bytes: u64) -> Result<(), WriteError> {
        if self.up_to_limit(bytes) == bytes {
            return Ok(());
        }
        // The limit may be raised: prlimit(1).
        let cause = Arc::new(Errno::FBIG.into());
        Err(WriteError::Io { action: "keep a segment within RLIMIT_FSIZE", cause })
    }

    /// A length, or what the limit leaves of it.
    fn up_to_limit(&self, bytes: u64) -> u64 {
        self.file_bytes_max.map_or(bytes, |limit| bytes.min(limit))
    }

    /// Allocates up to `end`, and a step beyond it if there is that much, neither beyond the limit of a
    /// file's size; how far.
    fn allocate(&self, file: &mut impl SegmentFile, from: u64, end: u64) -> io::Result<u64> {
        let beyond = self.up_to_limit(end.saturating_add(ALLOCATION_STEP_BYTES));
        if self.free_bytes.is_none_or(|free| free >= beyond.saturating_sub(from))
            && file.allocate(from, beyond).is_ok()
        {
            return Ok(beyond);
        }
        let end = self.up_to_limit(end);
        file.allocate(from, end).map(|()| end)
    }
}

impl<S: Store, C: Clock> AuditFileWriter<S, C> {
    /// Asks how large a file may become for this process.
    pub(super) fn ask_file_size(&mut self) {
        self.space.file_bytes_max =
            self.store.file_bytes_max().filter(|_| !broken::is(Broken::FileSizeUnasked));
    }

    /// Sees to it that so many bytes can be appended, and that what the claim has to leave remains, as
    /// far as the limit of a file's size lets it.
    pub(super) fn make_room(&mut self, bytes: u64, claim: Claim) -> Result<(), WriteError> {
        let Some(current) = &mut self.current else { return Ok(()) };
        let needed = current.bytes.saturating_add(bytes);
        self.space.may_end_at(needed)?;
        let end = self.space.up_to_limit(needed.saturating_add(claim.kept_bytes()));
        if current.allocated >= end {
            return Ok(());
        }
        let free = self.store.free_bytes().ok();
        self.space.free_bytes = free;
        if !self.space.unsupported {
            let from = current.allocated.max(current.bytes);
            match self.space.allocate(&mut current.file, from, end) {
                Ok(allocated) => {
                    current.allocated = allocated;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                    self.space.unsupported = true;
                }
                Err(error) => return Err(no_space(error)),
            }
        }
        let needed = bytes.saturating_add(claim.kept_bytes());
        if claim != Claim::Closing && free.is_some_and(|free| free < needed) {
            return Err(no_space(io::ErrorKind::StorageFull.into()));
        }
        Ok(())
    }

    /// Sees to it that a segment that is being made can hold its opening records and the reserve;
    /// where its space ends. The first segment of a writer goes without the reserve if it has to:
    /// critical records have no other place.
    pub(super) fn make_room_in_new(
        &mut self,
        file: &mut S::Segment,
        opening_bytes: usize,
    ) -> Result<u64, WriteError> {
        let opening = length(opening_bytes);
        self.ask_file_size();
        self.space.may_end_at(opening)?;
        if self.space.unsupported {
            return Ok(opening);
        }
        self.space.free_bytes = self.store.free_bytes().ok();
        match self.space.allocate(file, 0, opening.saturating_add(RESERVE_BYTES)) {
            Ok(allocated) => Ok(allocated),
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                self.space.unsupported = true;
                Ok(opening)
            }
            Err(error) if is_full(&error) && self.current.is_none() => Ok(opening),
            Err(error) => Err(no_space(error)),
        }
    }

    /// Whether the disk has enough for another segment beside the current one. A rotation without
    /// space is postponed: the reserve of the current segment is worth more than its size.
    pub(super) fn has_room_for_segment(&mut self) -> bool {
        if self.current.is_none() {
            return true;
        }
        let free = self.store.free_bytes().ok();
        self.space.free_bytes = free;
        free.is_none_or(|free| free >= RESERVE_BYTES.saturating_mul(2))
    }

    /// Says, once, that the reserve is used from here on.
    pub(super) fn declare_full(&mut self, service_id: ServiceId) -> Result<(), WriteError> {
        if self.space.declared_full {
            return Ok(());
        }
        let available_bytes = self.space.free_bytes.unwrap_or_default();
        let event = LifecycleEvent::DiskFull { available_bytes };
        let declared = self.append_lifecycle(service_id, Claim::Critical, &event);
        self.space.declared_full = matches!(declared, Ok(()) | Err(WriteError::Unfinished { .. }));
        match declared {
            // That record has its place; it is the caller's that was not written.
            Err(WriteError::Unfinished { cause, .. }) => {
                Err(WriteError::Io { action: "declare that the disk is full", cause })
            }
            declared => declared,
        }
    }

    /// Notes that records were written for which this much had to be left.
    pub(super) fn note_written(&mut self, claim: Claim) {
        if claim == Claim::Routine {
            self.space.declared_full = false;
        }
    }

    /// What is known about the space that is left.
    pub(crate) fn space(&self) -> Space {
        self.space
    }

    /// Gives back what the current segment has beyond its end. Where that fails the space is lost
    /// until somebody else frees it, and no byte of the log.
    pub(super) fn release(&mut self, current: &Current<S::Segment>) {
        if !self.space.unsupported {
            self.store.release(&current.file_name).unwrap_or_default();
        }
    }
}

/// Whether an error says that there is no space, which may return.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn no_space(error: io::Error) -> WriteError {
    let action = "allocate space for a record and the reserve behind it";
    WriteError::Io { action, cause: Arc::new(error) }
}

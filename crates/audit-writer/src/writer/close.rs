//! How a log is closed.

use std::time::Duration;

use audit_core::lifecycle::LifecycleEvent;
use audit_core::limits::SINK_DEADLINE_SECS;
use audit_core::{Receipt, ServiceId};

use super::{AuditFileWriter, Claim, Log};
use crate::clock::Clock;
use crate::error::WriteError;
use crate::signing::SignError;
use crate::store::{SegmentFile, Store};

impl<S: Store, C: Clock> AuditFileWriter<S, C> {
    /// Closes a log that signs, as [`close`](Self::close) does, and returns the note of the checkpoint
    /// that covers all of it.
    ///
    /// # Errors
    ///
    /// [`SignError::Write`] when the log cannot be closed, otherwise why there is no such note.
    pub fn close_with_note(mut self) -> Result<String, SignError> {
        self.shut()?;
        self.checkpoint_failure().cloned().map_or(Ok(()), Err)?;
        self.last_note()
    }

    pub(crate) fn shut(&mut self) -> Result<Option<Receipt>, WriteError> {
        if std::mem::replace(&mut self.closed, true) {
            return Ok(self.durable);
        }
        self.usable()?;
        let Some(Log { service_id, .. }) = self.log else { return Ok(None) };
        match self.end_log(service_id) {
            // The log goes on in another segment, and ends there.
            Err(missing @ WriteError::SegmentMissing { .. }) => {
                self.end_log(service_id).and(Err(missing))
            }
            ended => ended.map(|()| self.durable),
        }
    }

    fn end_log(&mut self, service_id: ServiceId) -> Result<(), WriteError> {
        self.finish_line()?;
        self.declare_losses(service_id, Claim::Closing)?;
        if !self.announced {
            return Ok(());
        }
        self.append_lifecycle(service_id, Claim::Closing, &LifecycleEvent::LogClosed)?;
        self.sync()?;
        self.sign_quietly();
        self.finish_sinks(Duration::from_secs(SINK_DEADLINE_SECS));
        if let Some(mut current) = self.current.take() {
            self.release(&current);
            seal(&mut current.file);
        }
        Ok(())
    }
}

impl<S: Store, C: Clock> Drop for AuditFileWriter<S, C> {
    fn drop(&mut self) {
        // Nobody is left to be told; the next open accounts for whatever this leaves.
        drop(self.shut());
    }
}

/// Takes away the permission to write. A file that stays writable is as whole as before, so a
/// failure is none of the log's.
pub(super) fn seal(file: &mut impl SegmentFile) {
    file.seal().unwrap_or_default();
}

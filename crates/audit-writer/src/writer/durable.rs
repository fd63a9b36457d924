//! Until a record is durable, and what the first failure does.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::{AuditFileWriter, Claim, Log};
use crate::broken::{self, Broken};
use crate::clock::Clock;
use crate::error::WriteError;
use crate::flush::Unsynced;
use crate::store::{SegmentFile, Store};

/// What is written and not yet durable.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pending {
    pub(super) events: u32,
    pub(super) critical: bool,
    pub(super) bytes: u64,
    pub(super) since: Option<Duration>,
    /// Whether the last whole record that is written still needs a seal behind it.
    pub(super) owes_seal: bool,
}

impl<S: Store, C: Clock> AuditFileWriter<S, C> {
    pub(super) fn unsynced(&self) -> Unsynced {
        let Pending { events, critical, since, .. } = self.pending;
        let oldest_age = since.map(|since| self.clock.monotonic().saturating_sub(since));
        Unsynced { events, critical, oldest_age }
    }

    /// Makes everything that is written durable, if the segment is still the writer's own.
    pub(super) fn sync(&mut self) -> Result<(), WriteError> {
        if self.pending.since.is_none() {
            return Ok(());
        }
        self.pay_seal()?;
        let synced = self
            .current
            .as_mut()
            .map_or(Ok(()), |current| broken::again(Broken::SyncRetried, || current.file.sync()));
        synced.map_err(|error| self.poison("sync the segment", error))?;
        broken::unless(Broken::WatchOff, || self.watch())?;
        self.pending = Pending::default();
        self.durable = self.chain.head();
        Ok(())
    }

    /// Sees to it that the last whole record carries a seal, in a log that signs: a sync must not count
    /// before. A short write may have ended with one that has none, and then the next record carries
    /// it: one of those that were to be written with it, or what says that they are lost.
    ///
    /// # Errors
    ///
    /// [`WriteError::Io`]: there is no next record yet, or it cannot be written.
    fn pay_seal(&mut self) -> Result<(), WriteError> {
        self.finish_line()?;
        if !self.pending.owes_seal || broken::is(Broken::SealOwed) {
            return Ok(());
        }
        if let Some(Log { service_id, .. }) = self.log {
            self.declare_losses(service_id, Claim::Closing)?;
        }
        if self.pending.owes_seal {
            let cause = Arc::new(io::ErrorKind::StorageFull.into());
            return Err(WriteError::Io { action: "seal the record before", cause });
        }
        Ok(())
    }

    /// The first error of this kind is the last: nothing is tried again, since a second sync may
    /// claim a success that the first one lost.
    pub(super) fn poison(&mut self, action: &'static str, error: io::Error) -> WriteError {
        let fault = WriteError::Poisoned { action, cause: Arc::new(error) };
        self.fault = Some(fault.clone());
        fault
    }
}

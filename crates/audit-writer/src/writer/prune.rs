//! Retention: the one place that deletes a segment, and only after the log has said so.
//!
//! Segments go one by one, oldest first, each deletion durable before the next: whatever a crash
//! interrupts, what is left begins with one that the log names, and has no gap.

use audit_checkpoint::Checkpoint;
use audit_core::lifecycle::{LifecycleEvent, PrunedFile};
use audit_core::limits::PRUNED_FILES_MAX;
use audit_core::{RetentionPolicy, ServiceId};

use super::{AuditFileWriter, Claim};
use crate::clock::Clock;
use crate::error::OpenError;
use crate::recovery::{Left, Old, PruneError, PrunePlan, prunable};
use crate::segment::SegmentName;
use crate::store::Store;

impl<S: Store, C: Clock> AuditFileWriter<S, C> {
    /// Deletes the oldest segments whose records a policy lets go. Each is read to its end first,
    /// and has to be whole; the newest always stays. The log says in `segments_pruned` which ones,
    /// and that is durable, before the first is deleted. Of a log that is signed only segments go
    /// that a checkpoint covers. Returns what was deleted.
    ///
    /// # Errors
    ///
    /// [`PruneError`]; each variant says what was done.
    pub fn prune(&mut self, retention: RetentionPolicy) -> Result<PrunePlan, PruneError> {
        self.usable()?;
        let mut old = prunable(&self.store, retention, self.clock.now())?;
        if self.signs() {
            // What no checkpoint covers would leave nothing behind that it can be held against.
            let covered = self.last_checkpoint().map_or(0, Checkpoint::size);
            old.truncate(old.iter().take_while(|old| old.last.seq < covered).count());
        }
        let Some(service_id) = self.service_id() else { return Ok(PrunePlan::default()) };
        let days = retention.delete_after_days;
        for some in old.chunks(PRUNED_FILES_MAX) {
            self.declare_pruned(service_id, some, days)?;
            for Old { file, .. } in some {
                self.delete(file)?;
            }
        }
        Ok(PrunePlan {
            last: old.last().map(|old| old.last),
            files: old.into_iter().map(|old| old.file).collect(),
        })
    }

    fn declare_pruned(
        &mut self,
        service_id: ServiceId,
        some: &[Old],
        days: u32,
    ) -> Result<(), PruneError> {
        let Some(Old { last, frontier, .. }) = some.last() else { return Ok(()) };
        let event = LifecycleEvent::SegmentsPruned {
            first_seq: 0,
            last_seq: last.seq,
            last_hash: last.hash,
            merkle_frontier: frontier.clone(),
            files: some.iter().map(|old| old.file.clone()).collect(),
            reason: format!("older than {days} days"),
            after: None,
            before: None,
        };
        self.finish_line()?;
        // Where the disk is full, deleting is what helps.
        self.append_lifecycle(service_id, Claim::Critical, &event)?;
        Ok(self.sync()?)
    }

    fn delete(&mut self, file: &PrunedFile) -> Result<(), PruneError> {
        let deleted = self.store.remove(&file.name);
        deleted.map_err(|source| PruneError::Delete { file: file.name.clone(), source })?;
        let synced = self.store.sync_dir();
        Ok(synced.map_err(|error| self.poison("sync the directory", error))?)
    }
}

/// Goes on with a deletion that was declared, and interrupted by a crash. What is not as it was
/// declared stays, as does everything after it, for a verifier to tell; what cannot be deleted now,
/// the next prune deletes.
pub(super) fn resume<S: Store>(
    store: &mut S,
    pruned: &[PrunedFile],
    newest: &str,
) -> Result<(), OpenError> {
    let first_seq = |name| SegmentName::parse(name).map(|name| name.first_seq);
    for file in pruned {
        let is_older = first_seq(&file.name).is_some_and(|seq| Some(seq) < first_seq(newest));
        match Left::of(store, file) {
            Left::Nothing => {}
            Left::All if is_older && store.remove(&file.name).is_ok() => {
                store.sync_dir().map_err(OpenError::io("sync the directory"))?;
            }
            Left::All | Left::Other => break,
        }
    }
    Ok(())
}

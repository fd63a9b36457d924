//! The worker: the one thread that touches the log.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use audit_core::lifecycle::LossReason;
use audit_core::limits::WRITE_RETRY_SECS;
use audit_core::{Receipt, ServiceId};

use crate::broken::{self, Broken};
use crate::clock::Clock;
use crate::error::{OpenError, WriteError};
use crate::flush;
use crate::loss::Loss;
use crate::queue::{Closed, Content, Frames, Shared, Turn};
use crate::signing::SignError;
use crate::store::Store;
use crate::sync::{Arc, thread};
use crate::writer::{AuditFileWriter, Claim};

/// What the thread is called in a list of threads.
const THREAD_NAME: &str = "audit-writer";

/// Starts the worker. It ends by itself, when the log does.
pub(crate) fn start<S, C>(
    shared: Arc<Shared>,
    writer: AuditFileWriter<S, C>,
    service_id: ServiceId,
) -> Result<(), OpenError>
where
    S: Store<Segment: Send> + Send + 'static,
    C: Clock + 'static,
{
    let records = flush::window_records(writer.flush_mode());
    let (batch, unsettled) = (Frames::for_window(records), Vec::with_capacity(records));
    let overtaking = Frames::default();
    let mut worker = Worker { shared, writer, service_id, batch, overtaking, unsettled };
    let run = move || {
        worker.shared.note_worker();
        let outcome = catch_unwind(AssertUnwindSafe(|| worker.work()));
        worker.end(outcome.unwrap_or_else(|panic| Err(poisoned(&*panic))));
    };
    let thread = thread::Builder::new().name(THREAD_NAME.to_owned()).spawn(run);
    thread.map(drop).map_err(OpenError::io("start the worker"))
}

struct Worker<S: Store, C: Clock> {
    shared: Arc<Shared>,
    writer: AuditFileWriter<S, C>,
    service_id: ServiceId,
    /// What is to be written.
    batch: Frames,
    /// What goes before it while the disk is full: critical events.
    overtaking: Frames,
    /// Records that are written and not yet durable.
    unsettled: Vec<(u64, Receipt)>,
}

impl<S: Store, C: Clock> Worker<S, C> {
    /// Commits batches until the log is closed and nothing waits any more. Returns how many events
    /// that were accepted it had to give up.
    fn work(&mut self) -> Result<u64, WriteError> {
        self.note_checkpoints()?;
        loop {
            match self.shared.take(&mut self.batch) {
                Turn::Close => return Ok(0),
                Turn::Checkpoint => {
                    self.checkpoint()?;
                    continue;
                }
                Turn::Commit => {}
            }
            while let Err(error) = self.commit_all(Claim::Routine) {
                if !error.is_passing() {
                    return Err(error);
                }
                // What was accepted waits for better times, as long as there may be any.
                if self.outlast(error)? == Turn::Close {
                    return self.commit_last();
                }
            }
            self.shared.note_batch(None, self.writer.space());
            self.checkpoint()?;
        }
    }

    /// Signs a checkpoint where somebody waits for one or one is due.
    fn checkpoint(&mut self) -> Result<(), WriteError> {
        if !self.shared.wants_checkpoint() {
            return self.note_checkpoints();
        }
        let signed = self.writer.checkpoint();
        // Whoever is answered may look at the log's health next.
        let noted = self.note_checkpoints();
        self.shared.answer_checkpoint(signed.clone());
        end_if_out_of_use(signed)?;
        noted
    }

    /// Signs a checkpoint where one is due, and tells when the next one is. What fails is tried
    /// again after another interval.
    fn note_checkpoints(&mut self) -> Result<(), WriteError> {
        let due_in = match self.writer.checkpoint_if_due() {
            Ok(due_in) => due_in,
            failed @ Err(_) => {
                end_if_out_of_use(failed)?;
                self.writer.checkpoint_if_due().ok().flatten()
            }
        };
        let (newest, failure) = (self.writer.last_checkpoint(), self.writer.checkpoint_failure());
        self.shared.note_checkpoints(newest, failure, due_in);
        Ok(())
    }

    /// Does what can be done after an error, and sleeps until it is worth another try.
    fn outlast(&mut self, error: WriteError) -> Result<Turn, WriteError> {
        if matches!(error, WriteError::SegmentMissing { .. }) {
            return Ok(Turn::Commit);
        }
        if error.is_refused_for_space() {
            self.batch.take_critical(&mut self.overtaking);
            self.shared.take_critical(&mut self.overtaking);
            match self.commit_overtaking() {
                Err(fault) if !fault.is_passing() => return Err(fault),
                Ok(()) | Err(_) => {}
            }
        }
        self.shared.note_batch(Some(error), self.writer.space());
        Ok(self.shared.wait_to_retry(Duration::from_secs(WRITE_RETRY_SECS)))
    }

    /// Commits what overtakes, and then the batch.
    fn commit_all(&mut self, claim: Claim) -> Result<(), WriteError> {
        self.commit_overtaking()?;
        self.commit(claim)
    }

    /// Commits critical events before the routine ones, on the space that is kept for them if there
    /// is no other.
    fn commit_overtaking(&mut self) -> Result<(), WriteError> {
        if self.overtaking.is_empty() {
            return Ok(());
        }
        std::mem::swap(&mut self.batch, &mut self.overtaking);
        let mut committed = self.commit(Claim::Routine);
        if committed.as_ref().is_err_and(WriteError::is_refused_for_space) {
            committed = self.commit(Claim::Critical);
        }
        std::mem::swap(&mut self.batch, &mut self.overtaking);
        committed
    }

    /// Writes the batch, syncs, and only then tells anybody.
    fn commit(&mut self, claim: Claim) -> Result<(), WriteError> {
        let records = self.batch.iter().map(|(_, accepted, payload)| (accepted, payload));
        let written = self.writer.append_batch(self.service_id, claim, records);
        let placed = self.writer.placed();
        for ((content, ..), receipt) in self.batch.iter().zip(placed) {
            if let Content::Event { ticket, .. } = content {
                self.unsettled.push((ticket, *receipt));
            }
        }
        self.batch.drop_front(placed.len());
        if let Err(missing @ WriteError::SegmentMissing { .. }) = &written {
            self.settle_badly(missing);
        }
        if broken::is(Broken::ReceiptsEarly) {
            self.shared.settle(&std::mem::take(&mut self.unsettled), self.writer.head());
        }
        // What has its place is made durable, even where what comes behind it has none.
        let synced = self.writer.flush();
        match &synced {
            Ok(()) => {
                self.shared.settle(&self.unsettled, self.writer.durable());
                self.unsettled.clear();
            }
            Err(missing @ WriteError::SegmentMissing { .. }) => self.settle_badly(missing),
            Err(_) => {}
        }
        written.and(synced)
    }

    fn settle_badly(&mut self, cause: &WriteError) {
        let mut tickets: Vec<_> = self.unsettled.drain(..).map(|(ticket, _)| ticket).collect();
        tickets.sort_unstable();
        self.shared.settle_badly(tickets, cause);
    }

    /// The last try: everything may use the reserve. What cannot be written all the same is counted
    /// as lost, so that the log can say so before it is closed. Returns how many events that were.
    fn commit_last(&mut self) -> Result<u64, WriteError> {
        let mut lost = 0_u64;
        loop {
            let error = match self.commit_everything() {
                Ok(()) => return Ok(lost),
                Err(WriteError::SegmentMissing { .. }) => continue,
                Err(error) if error.is_passing() => error,
                Err(error) => return Err(error),
            };
            if self.batch.is_empty() && self.overtaking.is_empty() {
                // A line that cannot be finished, or the sync that comes after it.
                return Err(error);
            }
            lost = lost.saturating_add(self.give_up(&error)?);
        }
    }

    fn commit_everything(&mut self) -> Result<(), WriteError> {
        self.commit_all(Claim::Critical)?;
        // What came in meanwhile.
        if self.shared.take(&mut self.batch) == Turn::Commit {
            return self.commit(Claim::Critical);
        }
        Ok(())
    }

    /// Counts what is left of the batch as lost.
    fn give_up(&mut self, error: &WriteError) -> Result<u64, WriteError> {
        let full = error.is_for_space();
        let reason = if full { LossReason::DiskFull } else { LossReason::IoError };
        let mut tickets = Vec::new();
        for frames in [&self.overtaking, &self.batch] {
            // A declaration that has no space is no declaration: the last one counts with it.
            self.writer.restore_losses(frames.losses());
            for (content, ..) in frames.iter() {
                if let Content::Event { ticket, critical } = content {
                    let loss = Loss { reason, critical, sha256: None };
                    self.writer.record_loss(self.service_id, loss)?;
                    self.shared.note_lost(loss);
                    tickets.push(ticket);
                }
            }
        }
        self.batch.clear();
        self.overtaking.clear();
        let lost = u64::try_from(tickets.len()).unwrap_or(u64::MAX);
        tickets.sort_unstable();
        self.shared.settle_badly(tickets, error);
        Ok(lost)
    }

    /// Closes the log, or leaves it as it is where nothing can be relied on any more. Its lock is
    /// free before anybody is told.
    fn end(self, worked: Result<u64, WriteError>) {
        let Self { shared, mut writer, .. } = self;
        let closed = match worked {
            Ok(lost) => catch_unwind(AssertUnwindSafe(|| writer.shut()))
                .unwrap_or_else(|panic| Err(poisoned(&*panic)))
                .map(|head| Closed { head, lost }),
            Err(error) => Err(error),
        };
        if let Err(error) = &closed {
            writer.abandon(error.clone());
        }
        shared.note_checkpoints(writer.last_checkpoint(), writer.checkpoint_failure(), None);
        drop(writer);
        shared.end(closed);
    }
}

/// A checkpoint that was not signed is no reason to stop, unless the log itself is out of use.
fn end_if_out_of_use<T>(signed: Result<T, SignError>) -> Result<(), WriteError> {
    match signed {
        Err(SignError::Write(error)) if !error.is_passing() => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// After a panic nobody knows what was done and what was not.
fn poisoned(panic: &(dyn Any + Send)) -> WriteError {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let cause = io::Error::other(text.unwrap_or("a panic without a text").to_owned());
    WriteError::Poisoned { action: "go on after a panic", cause: Arc::new(cause) }
}

//! The worker: the one thread that touches the log.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use audit_core::limits::WRITE_RETRY_SECS;
use audit_core::{Receipt, ServiceId};

use crate::clock::Clock;
use crate::error::{OpenError, WriteError};
use crate::flush;
use crate::queue::{Content, Frames, Shared, Turn};
use crate::store::Store;
use crate::sync::{Arc, thread};
use crate::writer::AuditFileWriter;

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
    let mut worker = Worker { shared, writer, service_id, batch, unsettled };
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
    /// Records that are written and not yet durable, in the order of their tickets.
    unsettled: Vec<Receipt>,
}

impl<S: Store, C: Clock> Worker<S, C> {
    /// Commits batches until the log is closed and nothing waits any more.
    fn work(&mut self) -> Result<(), WriteError> {
        while self.shared.take(&mut self.batch) == Turn::Commit {
            let mut turn = Turn::Commit;
            while let Err(error) = self.commit() {
                // What was accepted waits for better times, as long as there may be any.
                if turn == Turn::Close || !error.is_passing() {
                    return Err(error);
                }
                self.shared.note_batch(Some(error));
                turn = self.shared.wait_to_retry(Duration::from_secs(WRITE_RETRY_SECS));
            }
            self.shared.note_batch(None);
        }
        Ok(())
    }

    /// Writes the batch, syncs, and only then tells anybody.
    fn commit(&mut self) -> Result<(), WriteError> {
        let records = self.batch.iter().map(|(_, accepted, payload)| (accepted, payload));
        let written = self.writer.append_batch(self.service_id, records);
        let placed = self.writer.placed();
        for ((content, ..), receipt) in self.batch.iter().zip(placed) {
            if content == Content::Event {
                self.unsettled.push(*receipt);
            }
        }
        self.batch.drop_front(placed.len());
        // What has its place is made durable, even where what comes behind it has none.
        let synced = self.writer.flush();
        if synced.is_ok() {
            self.shared.settle(&self.unsettled, self.writer.durable());
            self.unsettled.clear();
        }
        written.and(synced)
    }

    /// Closes the log, or leaves it as it is where nothing can be relied on any more. Its lock is
    /// free before anybody is told.
    fn end(self, worked: Result<(), WriteError>) {
        let Self { shared, mut writer, .. } = self;
        let closed = match worked {
            Ok(()) => catch_unwind(AssertUnwindSafe(|| writer.shut()))
                .unwrap_or_else(|panic| Err(poisoned(&*panic))),
            Err(error) => Err(error),
        };
        if let Err(error) = &closed {
            writer.abandon(error.clone());
        }
        drop(writer);
        shared.end(closed);
    }
}

/// After a panic nobody knows what was done and what was not.
fn poisoned(panic: &(dyn Any + Send)) -> WriteError {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let cause = io::Error::other(text.unwrap_or("a panic without a text").to_owned());
    WriteError::Poisoned { action: "go on after a panic", cause: Arc::new(cause) }
}

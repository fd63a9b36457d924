//! The logger: events are cleaned on the caller's thread and handed to the writer's queue.

use std::sync::Arc;
use std::time::Duration;

use audit_checkpoint::Checkpoint;
use audit_core::lifecycle::LossReason;
use audit_core::{AuditConfig, AuditEvent, AuditMode, Digest, Marks, Receipt};
use audit_validate::{Decoded, ValidationError, validate_event};
use audit_writer::{
    AuditFileWriter, Health, Loss, OpenError, PendingReceipt, QueueError, QueuedWriter,
    ShutdownError, SignError, Signing, WriteError,
};

/// Records events from any thread. Clones share one log.
///
/// A call cleans its event and encodes it into a queue, on its own thread; one worker thread links,
/// writes and syncs. Nothing else is needed: no async runtime, no timer. **The interval of the flush
/// mode is kept by the worker**, which starts a sync when the oldest record reaches it, with no
/// further event needed.
///
/// The log is closed by [`shutdown`](Self::shutdown), or when the last clone is dropped: that waits
/// up to 5 seconds for the disk, and has nobody to tell of an error. A logger that is still there when
/// the process ends normally, as one in a `static` is, is closed then: `main` returns or panics, or
/// [`std::process::exit`] is called. A process that was forked from
/// the one that opened the log gets [`EmitError::Forked`], never writes, and closes nothing.
#[derive(Clone, Debug)]
pub struct AuditLogger {
    config: Arc<AuditConfig>,
    /// Absent when the log is disabled.
    queue: Option<Arc<QueuedWriter>>,
    #[cfg(feature = "metrics")]
    recorded: Arc<crate::metrics::Recorded>,
}

/// An event was not recorded as asked.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmitError {
    /// The policy is to reject, and a text is hostile or too long. The event is not in the log; it
    /// is counted there as lost.
    #[error("refused: {0}")]
    Refused(ValidationError),
    /// There was no room in the queue, within the deadline where the policy is to wait. The event
    /// is not in the log; it is counted there as lost.
    #[error("the queue is full")]
    QueueFull,
    /// The disk has not answered within the deadline. The event is in the queue and stays there:
    /// it becomes a record as soon as the disk allows, and the receipt tells when. It is not lost.
    #[error("not yet durable: the record is waiting for the disk")]
    Pending(PendingReceipt),
    /// The log was shut down. The event is not in it.
    #[error("the log is shut down")]
    Closed,
    /// This process is a fork of the one that opened the log. The event is not in it.
    #[error("the log belongs to the process that this one was forked from")]
    Forked,
    /// The writer could not, now or before, and the log is out of use: open it anew. What was
    /// accepted and is not durable may or may not be in the log.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl From<QueueError> for EmitError {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::QueueFull => Self::QueueFull,
            QueueError::Pending(receipt) => Self::Pending(receipt),
            QueueError::Closed => Self::Closed,
            QueueError::Forked => Self::Forked,
            QueueError::Write(error) => Self::Write(error),
        }
    }
}

impl AuditLogger {
    /// Opens the log that a configuration describes, locks it, and starts the worker.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the directory cannot be used, is not on a local file system, another
    /// writer has it, it belongs to another service, or its end is damaged. The log is unchanged.
    pub fn open(config: Arc<AuditConfig>) -> Result<Self, OpenError> {
        Self::start(config, |_| Ok(()))
    }

    /// As [`open`](Self::open), and signs checkpoints: at each rotation, when the log is closed,
    /// when a record has been without one for the interval, and [on demand](Self::checkpoint). They
    /// lie in the folder `checkpoints` of the log's directory. Keep copies elsewhere: a log that
    /// extends a checkpoint which was kept cannot have been cut or rewritten up to it.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open); [`OpenError::RolledBack`] when the log is not what the newest
    /// checkpoint covers, [`OpenError::Checkpoint`] when that is another log's.
    pub fn open_signed(config: Arc<AuditConfig>, signing: Signing) -> Result<Self, OpenError> {
        Self::start(config, |writer| writer.sign(signing))
    }

    fn start(
        config: Arc<AuditConfig>,
        prepare: impl FnOnce(&mut AuditFileWriter) -> Result<(), OpenError>,
    ) -> Result<Self, OpenError> {
        let queue = match &config.mode {
            AuditMode::Disabled => None,
            AuditMode::Local { dir } => {
                let AuditConfig { rotation_policy, flush_mode, open_policy, .. } = *config;
                let mut writer =
                    AuditFileWriter::open(dir, rotation_policy, flush_mode, open_policy)?;
                prepare(&mut writer)?;
                let (service_id, overflow) = (config.service_id, config.overflow_policy);
                let queue = Arc::new(QueuedWriter::start(writer, service_id, overflow)?);
                QueuedWriter::close_at_exit(&queue);
                Some(queue)
            }
        };
        Ok(Self {
            config,
            queue,
            #[cfg(feature = "metrics")]
            recorded: Arc::default(),
        })
    }

    /// What the log was opened with.
    #[must_use]
    pub fn config(&self) -> &Arc<AuditConfig> {
        &self.config
    }

    /// Records an event, as durably as the flush mode says for it: it is durable when this returns,
    /// or accepted, and then no more than the mode's count are accepted and not durable. Hostile
    /// text in it is made visible and never a reason to lose it.
    ///
    /// # Errors
    ///
    /// [`EmitError`]; each variant says whether the event is in the log.
    pub fn emit(&self, mut event: AuditEvent<'_>) -> Result<(), EmitError> {
        let Some(queue) = &self.queue else { return Ok(()) };
        let marks = self.clean(queue, &mut event)?;
        tell(&event, &marks, queue.emit(&event, &marks))
    }

    /// As [`emit`](Self::emit), and gives the receipt: already resolved where the flush mode makes
    /// the event durable before the call returns, and otherwise resolved once it is.
    ///
    /// A disabled log has no record to give a receipt for: as with [`try_emit`](Self::try_emit).
    ///
    /// # Errors
    ///
    /// [`EmitError`]; each variant says whether the event is in the log.
    pub fn emit_with_receipt(
        &self,
        mut event: AuditEvent<'_>,
    ) -> Result<PendingReceipt, EmitError> {
        let Some(queue) = &self.queue else { return Ok(no_record()) };
        let marks = self.clean(queue, &mut event)?;
        tell(&event, &marks, queue.emit_with_receipt(&event, &marks))
    }

    /// As [`emit`](Self::emit), for an event that was read from a line by
    /// [`decode_line`](audit_validate::decode_line): it is clean already, and cleaning it again
    /// would take its markers for the text of a caller. Its marks are recorded with it.
    ///
    /// # Errors
    ///
    /// As for [`emit`](Self::emit), except [`EmitError::Refused`].
    pub fn emit_decoded(&self, decoded: &Decoded) -> Result<(), EmitError> {
        let Some(queue) = &self.queue else { return Ok(()) };
        let Decoded { event, sanitized, .. } = decoded;
        tell(event, sanitized, queue.emit(event, sanitized))
    }

    /// As [`emit_with_receipt`](Self::emit_with_receipt), for an event that was read from a line.
    ///
    /// # Errors
    ///
    /// As for [`emit_decoded`](Self::emit_decoded).
    pub fn emit_decoded_with_receipt(
        &self,
        decoded: &Decoded,
    ) -> Result<PendingReceipt, EmitError> {
        let Some(queue) = &self.queue else { return Ok(no_record()) };
        let Decoded { event, sanitized, .. } = decoded;
        tell(event, sanitized, queue.emit_with_receipt(event, sanitized))
    }

    /// Records an event and never waits, neither for room nor for the disk. Nothing is promised
    /// until the receipt says that the record is durable.
    ///
    /// A disabled log has no record to give a receipt for: it resolves at once to seq 0 and a hash
    /// of zeros, which no record has.
    ///
    /// # Errors
    ///
    /// [`EmitError`], except [`EmitError::Pending`]. The event is not in the log.
    pub fn try_emit(&self, mut event: AuditEvent<'_>) -> Result<PendingReceipt, EmitError> {
        let Some(queue) = &self.queue else { return Ok(no_record()) };
        let marks = self.clean(queue, &mut event)?;
        tell(&event, &marks, queue.try_emit(&event, &marks))
    }

    /// Counts something that was offered and will not be in the log, such as a line that is no
    /// event. It is declared there before the next event, or when the log is closed.
    ///
    /// # Errors
    ///
    /// [`EmitError::Closed`], [`EmitError::Forked`] and [`EmitError::Write`]: it is not counted.
    pub fn record_loss(&self, loss: Loss) -> Result<(), EmitError> {
        self.queue.as_ref().map_or(Ok(()), |queue| Ok(queue.record_loss(loss)?))
    }

    /// Makes every record durable that was accepted before.
    ///
    /// # Errors
    ///
    /// [`EmitError::Pending`] with the receipt of the newest record when the disk has not answered
    /// within the deadline, [`EmitError::Write`] when it failed.
    pub fn flush(&self) -> Result<(), EmitError> {
        self.queue.as_ref().map_or(Ok(()), |queue| Ok(queue.flush()?))
    }

    /// Signs a checkpoint over every record that was accepted before, after making these durable.
    /// Where one covers all but what the log says of itself, that one is returned.
    ///
    /// # Errors
    ///
    /// [`SignError::NoKey`] when the log was opened without a key, or is disabled; otherwise
    /// [`SignError`], each variant of which says what was done.
    pub fn checkpoint(&self) -> Result<Checkpoint, SignError> {
        self.queue.as_ref().map_or(Err(SignError::NoKey), |queue| queue.checkpoint())
    }

    /// Closes the log for all clones and returns its head, to be kept elsewhere: with it, the
    /// verifier can tell that nothing was cut off. A log without a record has none. Closing it
    /// again changes nothing and returns the same.
    ///
    /// # Errors
    ///
    /// [`ShutdownError::Deadline`] when the disk has not answered by then: the worker goes on and
    /// holds the lock until it has. [`ShutdownError::Write`] when the log could not be closed: it
    /// is as after a crash. [`ShutdownError::Forked`] when another process has it.
    pub fn shutdown(&self, deadline: Duration) -> Result<Option<Receipt>, ShutdownError> {
        self.queue.as_ref().map_or(Ok(None), |queue| queue.shutdown(deadline))
    }

    /// How the log is doing; `None` when it is disabled.
    #[must_use]
    pub fn health(&self) -> Option<Health> {
        self.queue.as_ref().map(|queue| queue.health())
    }

    /// Records how the log is doing with the `metrics` facade: see [`crate::metrics`] for what and
    /// how. Call it before each scrape or every few seconds; nothing else records any. A disabled
    /// log has nothing to tell.
    #[cfg(feature = "metrics")]
    pub fn record_metrics(&self) {
        if let Some(health) = self.health() {
            self.recorded.record(self.config.service_id, &health);
        }
    }

    fn clean(&self, queue: &QueuedWriter, event: &mut AuditEvent<'_>) -> Result<Marks, EmitError> {
        validate_event(event, self.config.text_policy).or_else(|refusal| {
            let critical = event.is_critical();
            queue.record_loss(Loss { reason: LossReason::Refused, critical, sha256: None })?;
            Err(EmitError::Refused(refusal))
        })
    }
}

/// What a disabled log gives for a receipt.
fn no_record() -> PendingReceipt {
    PendingReceipt::resolved(Receipt { seq: 0, hash: Digest::ZERO })
}

/// Passes on what became of an event; where somebody listens, an accepted one is told of first.
#[cfg_attr(
    not(feature = "tracing"),
    expect(unused_variables, reason = "nobody listens without the feature")
)]
fn tell<T>(
    event: &AuditEvent<'_>,
    marks: &Marks,
    recorded: Result<T, QueueError>,
) -> Result<T, EmitError> {
    #[cfg(feature = "tracing")]
    if matches!(recorded, Ok(_) | Err(QueueError::Pending(_))) {
        crate::traced::tell(event, marks);
    }
    Ok(recorded?)
}

//! The logger: a lock round the writer.

use std::sync::{Arc, Mutex};

use audit_core::{AuditConfig, AuditEvent, AuditEventEnvelope, AuditMode, Receipt};
use audit_validate::{ValidationError, validate_event};
use audit_writer::{AuditFileWriter, OpenError, WriteError};

/// Records events from any thread. Clones share one log.
///
/// It is synchronous: [`emit`](Self::emit) cleans the event, writes it and, where the flush mode
/// says so, waits for the disk, while other threads wait for their turn. **The interval of the
/// flush mode is kept on the next call**, of [`emit`](Self::emit) or
/// [`flush_if_due`](Self::flush_if_due): a service that may fall silent calls the latter from a
/// timer of its own.
///
/// The log is closed by [`shutdown`](Self::shutdown), or when the last clone is dropped, which then
/// has nobody to tell of an error.
#[derive(Clone, Debug)]
pub struct AuditLogger {
    config: Arc<AuditConfig>,
    writer: Arc<Mutex<State>>,
}

#[derive(Debug)]
enum State {
    Disabled,
    Open(Box<AuditFileWriter>),
    /// With what the shutdown came to.
    Closed(Result<Option<Receipt>, EmitError>),
}

/// An event was not recorded as asked.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmitError {
    /// The policy is to reject, and a text is hostile or too long. The event is not in the log; it
    /// is counted there as lost.
    #[error("refused: {0}")]
    Refused(ValidationError),
    /// The writer could not. Its error says whether the event is in the log.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The log was shut down. The event is not in it.
    #[error("the log is shut down")]
    Closed,
    /// Another thread panicked within the log, which is out of use since. The event is not in it.
    #[error("a thread panicked while it was writing to the log")]
    Panicked,
}

impl AuditLogger {
    /// Opens the log that a configuration describes, and locks it.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the directory cannot be used, another writer has it, or its end is
    /// damaged. The log is unchanged.
    pub fn open(config: Arc<AuditConfig>) -> Result<Self, OpenError> {
        let state = match &config.mode {
            AuditMode::Disabled => State::Disabled,
            AuditMode::Local { dir } => State::Open(Box::new(AuditFileWriter::new(
                dir,
                config.rotation_policy,
                config.flush_mode,
            )?)),
        };
        Ok(Self { config, writer: Arc::new(Mutex::new(state)) })
    }

    /// What the log was opened with.
    #[must_use]
    pub fn config(&self) -> &Arc<AuditConfig> {
        &self.config
    }

    /// Records an event, as durably as the flush mode says for it. Hostile text in it is made
    /// visible and never a reason to lose it.
    ///
    /// # Errors
    ///
    /// [`EmitError`]; each variant says whether the event is in the log.
    pub fn emit(&self, mut event: AuditEvent<'_>) -> Result<(), EmitError> {
        let cleaned = validate_event(&mut event, self.config.text_policy);
        self.with_writer(|writer| {
            let service_id = self.config.service_id;
            match cleaned {
                Ok(marks) => {
                    let envelope = AuditEventEnvelope::new(service_id, event).with_marks(marks);
                    writer.write_event(&envelope)?;
                    Ok(())
                }
                Err(error) => {
                    let critical = event.is_critical();
                    let reason = audit_core::lifecycle::LossReason::Refused;
                    let loss = audit_writer::Loss { reason, critical, sha256: None };
                    writer.record_loss(service_id, loss)?;
                    Err(EmitError::Refused(error))
                }
            }
        })
    }

    /// Makes every record durable.
    ///
    /// # Errors
    ///
    /// [`EmitError::Write`] when the disk fails; records may or may not be durable then.
    pub fn flush(&self) -> Result<(), EmitError> {
        self.with_writer(|writer| Ok(writer.flush()?))
    }

    /// Makes every record durable if the interval of the flush mode has passed, and says how long
    /// until it will have; `None` when nothing waits.
    ///
    /// # Errors
    ///
    /// As for [`flush`](Self::flush).
    pub fn flush_if_due(&self) -> Result<Option<std::time::Duration>, EmitError> {
        self.with_writer(|writer| Ok(writer.flush_if_due()?))
    }

    /// Closes the log for all clones and returns its head, to be kept elsewhere: with it, the
    /// verifier can tell that nothing was cut off. A log without a record has none. Closing it
    /// again changes nothing and returns the same.
    ///
    /// # Errors
    ///
    /// [`EmitError`]; the log is closed all the same, as after a crash.
    pub fn shutdown(&self) -> Result<Option<Receipt>, EmitError> {
        let mut state = self.writer.lock().map_err(|_| EmitError::Panicked)?;
        // What stands there for the moment is what a panic in the writer would leave.
        let outcome = match std::mem::replace(&mut *state, State::Closed(Err(EmitError::Panicked)))
        {
            State::Disabled => {
                *state = State::Disabled;
                return Ok(None);
            }
            State::Open(writer) => writer.close().map_err(EmitError::from),
            State::Closed(outcome) => outcome,
        };
        *state = State::Closed(outcome.clone());
        outcome
    }

    fn with_writer<T: Default>(
        &self,
        act: impl FnOnce(&mut AuditFileWriter) -> Result<T, EmitError>,
    ) -> Result<T, EmitError> {
        let mut state = self.writer.lock().map_err(|_| EmitError::Panicked)?;
        match &mut *state {
            State::Disabled => Ok(T::default()),
            State::Open(writer) => act(writer),
            State::Closed(_) => Err(EmitError::Closed),
        }
    }
}

//! What a log's checkpoints are signed with, and how often.

use std::sync::Arc;
use std::time::Duration;

use audit_checkpoint::CheckpointError;
use audit_checkpoint::SigningKey;
use audit_core::Receipt;
use audit_core::limits::CHECKPOINT_INTERVAL_SECS_DEFAULT;

use crate::error::{OpenError, WriteError};
use crate::sinks::CheckpointSink;

/// The key of a log, and how long a record may be without a checkpoint.
///
/// A checkpoint is signed when the log is rotated, when it is closed, and when a record has been
/// uncovered for the interval.
#[derive(Debug)]
pub struct Signing {
    pub(crate) key: SigningKey,
    pub(crate) interval: Duration,
    pub(crate) sinks: Vec<Box<dyn CheckpointSink>>,
    pub(crate) adopt: Option<Receipt>,
}

impl Signing {
    /// Signs with this key. Its name is the origin of the log's checkpoints: it belongs to one log
    /// alone, and to all its writers.
    #[must_use]
    pub fn new(key: SigningKey) -> Self {
        let interval = Duration::from_secs(CHECKPOINT_INTERVAL_SECS_DEFAULT);
        Self { key, interval, sinks: Vec::new(), adopt: None }
    }

    /// Signs when a record has been uncovered for so long; 300 seconds by default.
    #[must_use]
    pub fn every(self, interval: Duration) -> Self {
        Self { interval, ..self }
    }

    /// Takes over, by an operator's word, the records that nothing vouches for, where the log ends
    /// with this record: see [`OpenError::Unvouched`], which tells it.
    /// The log says for ever that they were taken over. No configuration should hold this word: it is
    /// given once, by somebody who has looked at the log.
    #[must_use]
    pub fn adopt(self, head: Receipt) -> Self {
        Self { adopt: Some(head), ..self }
    }

    /// Takes each checkpoint to this sink, too. Any number may be added.
    #[must_use]
    pub fn to(mut self, sink: impl CheckpointSink + 'static) -> Self {
        self.sinks.push(Box::new(sink));
        self
    }
}

/// No checkpoint was signed, or none that the log says of. The log is as it was, and goes on.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The log was opened without a key.
    #[error("the log was opened without a key")]
    NoKey,
    /// There is no record to sign.
    #[error("the log has no record yet")]
    Empty,
    /// The checkpoint cannot be made.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The new key has another name than the old one, which is what the log is called, or it is
    /// not of the kind that logs sign with. The old one stays.
    #[error("key {new} cannot replace {old}: name or kind differs")]
    OtherKey {
        /// The name of the new one.
        new: String,
        /// The name of the old one.
        old: String,
    },
    /// The checkpoint cannot be kept beside the log: a file of its name may be there.
    #[error("cannot keep the checkpoint: {0}")]
    Keep(Arc<std::io::Error>),
    /// Not every sink has said yet which checkpoint it has. Nothing is signed until each has: the log
    /// may be an older copy of itself.
    #[error("a sink has not said yet which checkpoint it has")]
    SinkSilent,
    /// A sink has a checkpoint that the log contradicts: this may be an older copy of the log.
    /// Nothing is signed, pruned or given another key any more, and the next open is refused.
    #[error("{0}")]
    Contradicted(Arc<OpenError>),
    /// The disk has not answered within the deadline. The checkpoint is signed when it does.
    #[error("the checkpoint is waiting for the disk")]
    Deadline,
    /// The log was shut down.
    #[error("the log is shut down")]
    Closed,
    /// The records could not be made durable, which comes before signing, or the checkpoint is kept
    /// and could not be recorded in the log: a later record will be.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl SignError {
    /// Why nothing is signed any more.
    pub(crate) fn of(error: OpenError) -> Self {
        Self::Contradicted(Arc::new(error))
    }
}

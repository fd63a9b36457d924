//! What can go wrong, and what state the caller is then in.

use std::io;
use std::sync::Arc;

use audit_core::{Receipt, ServiceId};

/// A log was not opened. Nothing in its directory was changed, but that an interrupted sync may
/// have been completed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// An operation on the directory or its newest segment failed.
    #[error("cannot {action}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// Another writer has the log open.
    #[error("the log is open in another writer ({holder})")]
    Locked {
        /// What that writer said of itself when it opened the log.
        holder: String,
    },
    /// The newest segment does not end as a crash leaves it, so going on would bury evidence.
    /// `audit verify` says what is wrong.
    #[error("{file} is damaged at byte {offset}: {reason}")]
    Damaged {
        /// The segment.
        file: String,
        /// Where its whole records end.
        offset: u64,
        /// What stands against a crash.
        reason: &'static str,
    },
}

/// An event was not recorded as asked.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The envelope names another service than the log's. Nothing was written, and the next event
    /// may be.
    #[error("this log belongs to the service {log}, not to {given}")]
    ServiceMismatch {
        /// The log's.
        log: ServiceId,
        /// The envelope's.
        given: ServiceId,
    },
    /// The write failed before its first byte, or a new segment could not be made. The event is not
    /// in the log; the next one may be tried.
    #[error("cannot {action}: {cause}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        cause: Arc<io::Error>,
    },
    /// The write failed within the record. The record has its place in the chain; its rest is
    /// written before anything else, by the next call.
    #[error("record {receipt} is written in part: {cause}")]
    Unfinished {
        /// What the record will be.
        receipt: Receipt,
        /// Why it failed.
        cause: Arc<io::Error>,
    },
    /// A sync failed, now or before, or the directory did. What was not yet durable may or may not
    /// be on disk, and no later call does anything: open the log anew.
    #[error("the log is out of use since it could not {action}: {cause}")]
    Poisoned {
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        cause: Arc<io::Error>,
    },
    /// The log has as many records as its format can count. Begin another log.
    #[error("the log is full: its last sequence number is used")]
    SeqExhausted,
}

impl OpenError {
    pub(crate) fn io(action: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io { action, source }
    }
}

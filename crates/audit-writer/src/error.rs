//! What can go wrong, and what state the caller is then in.

use std::fmt;
use std::io;
use std::sync::Arc;

use audit_core::lifecycle::{AdoptionReason, MissingReason};
use audit_core::{Receipt, ServiceId};

use crate::queue::PendingReceipt;
use crate::recovery::{Copied, Damage};
use crate::store::FileSystemKind;
use crate::writer::is_full;

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
        /// What that writer said of itself in the log, with its first record. One that has written
        /// nothing has not said who it is; where the writer before it did not close the log, it
        /// cannot be told from that one, and what that one said stands here.
        holder: String,
    },
    /// The log belongs to another service than the one that is to write to it.
    #[error("this log belongs to the service {log}, not to {given}")]
    ServiceMismatch {
        /// The log's.
        log: ServiceId,
        /// The one that was given.
        given: ServiceId,
    },
    /// The directory is on a file system that is not known to be local, where neither the lock nor
    /// a sync need mean what they say, and [`FileSystems::Local`](audit_core::FileSystems::Local)
    /// is asked for. The directory may have been made.
    #[error("the directory is on {file_system}, which is not known to be a local file system")]
    NotLocal {
        /// Its kind.
        file_system: FileSystemKind,
    },
    /// The newest segment does not end as a crash leaves it, so going on would bury evidence.
    /// `audit verify` says what is wrong.
    #[error("{file} is damaged at byte {offset}: {damage}")]
    Damaged {
        /// The segment.
        file: String,
        /// Where its whole records end.
        offset: u64,
        /// What stands against a crash.
        damage: Damage,
    },
    /// The log goes on in a version of the format that this writer does not know, as the newest
    /// segment says in its first line or in `format_changed`. It is opened by a writer that knows it.
    #[error("{file}: the log goes on in version {version} of the format, which is not known here")]
    OtherVersion {
        /// The newest segment.
        file: String,
        /// The version.
        version: u64,
    },
    /// The log is not what a checkpoint of its own covers: it lacks records that there were, or has
    /// others in their place, as an older copy has that was restored. It must not go on, since its
    /// records would be given out twice; one that takes over from it may be begun
    /// ([`AuditFileWriter::begin`](crate::AuditFileWriter::begin), `audit begin --continues`).
    #[error(
        "the log has {records} records and is not the one whose first {size} a checkpoint covers: \
         an older copy of it must not go on; begin a new log that continues it"
    )]
    RolledBack {
        /// How many records the checkpoint covers.
        size: u64,
        /// How many there are.
        records: u64,
    },
    /// The log says, in `key_changed`, that another key took the place of the one it was to be signed
    /// with: open it with that one.
    #[error("the log goes on with another key, whose vkey is {vkey}")]
    KeyChanged {
        /// The key that it goes on with.
        vkey: String,
    },
    /// Nothing that somebody with the key made covers the end of the log: neither a seal nor a
    /// checkpoint. Signing it would vouch for whatever anybody wrote there. An operator who has looked
    /// at the log can take the records over: [`Signing::adopt`](crate::Signing::adopt).
    #[error(transparent)]
    Unvouched(Box<Unvouched>),
    /// An operator's word to take records over is for another end than the log has.
    #[error("the log does not end with the record that was given: its head is {}", Shown(head))]
    NotThisEnd {
        /// With which record it ends.
        head: Option<Receipt>,
    },
    /// The log is a copy, and [`Copies::Refuse`](audit_core::Copies::Refuse) is asked for. Where the
    /// one that it was copied from does not go on, open it with
    /// [`Copies::Declare`](audit_core::Copies::Declare); where it does, begin a new log here.
    #[error(
        "the log is a copy: its newest segment was made as inode {} in a directory of inode {}, and \
         is inode {} in {}",
        .0.from.file.inode, .0.from.dir.inode, .0.to.file.inode, .0.to.dir.inode
    )]
    Copied(Box<Copied>),
    /// The log signs, and was opened without its key. Open it with its key, or say that it continues
    /// without one.
    #[error("the log signs, and no key was given")]
    KeyMissing,
    /// The writer has written a record or has a key already: a key is given before that.
    #[error("a key is given before the first record, and once")]
    Writing,
    /// The newest checkpoint in a sink is not one of the log's own. Nothing is signed over it.
    #[error("{file} {fault}")]
    Checkpoint {
        /// The name of the sink.
        file: String,
        /// What is wrong with it.
        fault: CheckpointFault,
    },
}

/// The end of a log that neither a seal nor a checkpoint of its key covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unvouched {
    /// Seq of the first record that nothing covers.
    pub first_seq: u64,
    /// Seq of the last one.
    pub last_seq: u64,
    /// Seq of the first record that there is.
    pub begins: u64,
    /// The newest record: the word that takes them over.
    pub head: Receipt,
    /// Why nothing covers them.
    pub why: AdoptionReason,
}

impl std::error::Error for Unvouched {}

impl fmt::Display for Unvouched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first_seq, last_seq, begins, head, why } = self;
        write!(f, "nothing made with this key covers records {first_seq} to {last_seq}")?;
        if *begins > 0 {
            write!(f, " (the log begins with record {begins})")?;
        }
        f.write_str(match why {
            AdoptionReason::OtherKey => {
                ": they are sealed with another key. The log may have been cut back to before its \
                 change to this key"
            }
            AdoptionReason::UnsignedOpening => ": a writer without the key made them",
            AdoptionReason::BeforeSeals => ": they are of before this log was sealed",
            AdoptionReason::NoKeyBefore => ": the log had no key until now",
        })?;
        write!(f, ". To take them over as they are, adopt the head {head}")
    }
}

/// What is wrong with a checkpoint in a sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointFault {
    /// It is no signed note, or its text is no checkpoint.
    #[error("is no checkpoint")]
    NotANote,
    /// It is that of another log: its origin is not the name of the key.
    #[error("is the checkpoint of another log than the key's")]
    OtherOrigin,
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
    /// Somebody else has removed, renamed, replaced or resized the segment. Records of it that were
    /// not durable are lost, or their place in the log is in question; the event of this call is
    /// among them where it was written. The chain goes on in a new segment that says so, and the
    /// next event may be written.
    #[error("the segment {file} was {reason} by somebody else")]
    SegmentMissing {
        /// The segment.
        file: String,
        /// What was found.
        reason: MissingReason,
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
    /// This process is a fork of the one that opened the log. Nothing was written, and no call here
    /// does anything: the log is the other one's.
    #[error("the log belongs to the process that this one was forked from")]
    Forked,
    /// The log signs, and was opened without its key, and it was not said that it continues without
    /// one. Nothing was written.
    #[error("the log signs, and no key was given")]
    KeyMissing,
    /// The log has records already, so it cannot begin as one that takes over from another. It is
    /// unchanged.
    #[error("the log has begun already")]
    Begun,
    /// The log has as many records as its format can count. Begin another log.
    #[error("the log is full: its last sequence number is used")]
    SeqExhausted,
}

/// An event was not recorded as asked, by way of the queue.
#[derive(Clone, Debug, thiserror::Error)]
pub enum QueueError {
    /// There was no room in the queue, within the deadline where the policy is to wait. The event
    /// is not in the log, and counted there as lost.
    #[error("the queue is full")]
    QueueFull,
    /// The disk has not answered within the deadline. The event is in the queue and stays there:
    /// it becomes a record as soon as the disk allows, and the receipt tells when. It is not lost.
    #[error("not yet durable: the record is waiting for the disk")]
    Pending(PendingReceipt),
    /// The log was shut down. The event is not in it.
    #[error("the log is shut down")]
    Closed,
    /// This process is a fork of the one that opened the log, whose worker it does not have. The
    /// event is not in the log.
    #[error("the log belongs to the process that this one was forked from")]
    Forked,
    /// The writer could not, now or before, and the log is out of use. What was accepted and is
    /// not durable may or may not be in the log.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// A log was not closed as asked.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShutdownError {
    /// The disk has not answered within the deadline. Nothing is taken back: the worker goes on,
    /// and the lock is held, until it does.
    #[error("the log is still closing; its newest durable record is {}", Shown(last_durable))]
    Deadline {
        /// The newest record that was durable by then.
        last_durable: Option<Receipt>,
    },
    /// The log is closed and says so, and also says that so many events which it had accepted could
    /// not be written. Their receipts have the error.
    #[error("{events} events could not be written before the log was closed")]
    Lost {
        /// How many.
        events: u64,
        /// The newest record.
        head: Option<Receipt>,
    },
    /// This process is a fork of the one that opened the log. That one still has it open.
    #[error("the log belongs to the process that this one was forked from")]
    Forked,
    /// The writer could not, now or before. The log is as after a crash, and the next open goes on
    /// after it.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// A receipt, where there is one.
struct Shown<'r>(&'r Option<Receipt>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(receipt) => receipt.fmt(f),
            None => f.write_str("none"),
        }
    }
}

impl WriteError {
    /// The log cannot be read.
    pub(crate) fn reading(error: OpenError) -> Self {
        let (action, cause) = if let OpenError::Io { action, source } = error {
            (action, source)
        } else {
            ("read the log", io::Error::other(error))
        };
        Self::Io { action, cause: Arc::new(cause) }
    }

    /// Whether nothing was written for want of space, which may return.
    pub(crate) fn is_refused_for_space(&self) -> bool {
        matches!(self, Self::Io { cause, .. } if is_full(cause))
    }

    /// Whether space is what is wanting.
    pub(crate) fn is_for_space(&self) -> bool {
        matches!(self, Self::Io { cause, .. } | Self::Unfinished { cause, .. } if is_full(cause))
    }

    /// Whether a later call may succeed.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Io { .. } | Self::Unfinished { .. } | Self::SegmentMissing { .. } => true,
            Self::ServiceMismatch { .. }
            | Self::Poisoned { .. }
            | Self::Forked
            | Self::Begun
            | Self::KeyMissing
            | Self::SeqExhausted => false,
        }
    }
}

impl OpenError {
    pub(crate) fn io(action: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io { action, source }
    }
}

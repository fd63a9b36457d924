//! How a log is doing, as its queue knows it.

use std::time::Duration;

use audit_checkpoint::Checkpoint;
use audit_core::Receipt;

use crate::error::WriteError;
use crate::outbox::SinkFailure;
use crate::recovery::Copied;
use crate::signing::SignError;

/// How a log was doing at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Health {
    /// Whether it takes events and writes them.
    pub condition: Condition,
    /// Records in the queue. Those that the worker has taken are not among them.
    pub queued_records: usize,
    /// Bytes of their payloads.
    pub queued_bytes: usize,
    /// How long the oldest record that is not durable has been waiting.
    pub oldest_unsynced_age: Option<Duration>,
    /// The newest durable record.
    pub last_durable: Option<Receipt>,
    /// Events that were accepted since the log was opened.
    pub accepted: u64,
    /// Those of them that are durable.
    pub durable: u64,
    /// Events that were offered since the log was opened and are lost.
    pub lost: u64,
    /// Critical ones among them.
    pub lost_critical: u64,
    /// The newest checkpoint, where the log was opened with a key.
    pub last_checkpoint: Option<Checkpoint>,
    /// What was wrong with the notes beside the log when it was opened with a key.
    pub notes_beside: NotesBeside,
    /// Why the last one that was due was not signed.
    pub checkpoint_failure: Option<SignError>,
    /// Which sink did not take the last checkpoint, and why; of several, the first.
    pub sink_failure: Option<SinkFailure>,
    /// Bytes that the file system had left when space was last allocated or asked for; `None` when
    /// that was not yet so, or it did not say.
    pub free_bytes: Option<u64>,
    /// How space for critical records is kept.
    pub reserve: Reserve,
    /// Where the log was copied from, where it was a copy when it was opened.
    pub copied: Option<Copied>,
    /// Whether a copy of the log could be told from it: its file system says when a file was made.
    pub tells_copies: bool,
}

impl Health {
    /// What a fork of the process that opened the log knows of it.
    pub(crate) const fn of_fork() -> Self {
        Self {
            condition: Condition::Forked,
            queued_records: 0,
            queued_bytes: 0,
            oldest_unsynced_age: None,
            last_durable: None,
            accepted: 0,
            durable: 0,
            lost: 0,
            lost_critical: 0,
            last_checkpoint: None,
            notes_beside: NotesBeside { foreign: 0, missing: None },
            checkpoint_failure: None,
            sink_failure: None,
            free_bytes: None,
            reserve: Reserve::Allocated,
            copied: None,
            tells_copies: false,
        }
    }
}

/// What is wrong with the notes beside a log. Neither keeps it shut: anybody who can write its
/// directory can do both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotesBeside {
    /// Files that are called like a checkpoint over more records than the newest own one, and that
    /// the log's key has not signed.
    pub foreign: u64,
    /// The size of the newest checkpoint that the log tells of, where its note is gone or damaged.
    pub missing: Option<u64>,
}

/// How space is kept for critical records while the disk fills up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reserve {
    /// It is allocated, so that nobody else can use it.
    Allocated,
    /// The file system allocates nothing ahead: routine records stop while something is left, and
    /// others may use that up.
    Threshold,
}

/// Whether a log takes events and writes them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Condition {
    /// It does.
    Working,
    /// It takes them, and they wait: a write failed, and is tried again.
    Stalled(WriteError),
    /// It takes none any more and writes those it has.
    Closing,
    /// It is closed.
    Closed,
    /// It is out of use: open it anew.
    Failed(WriteError),
    /// This process is a fork of the one that opened the log.
    Forked,
}

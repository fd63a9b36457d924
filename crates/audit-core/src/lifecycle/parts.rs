//! What the events of the writer's own are made of.

use serde::Serialize;

use super::log_id::LogId;
use crate::digest::Digest;
use crate::envelope::Receipt;
use crate::time::RecordTime;

/// The first record of every segment, and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SegmentOpened {
    /// 128 random bits in hex, one for the life of the log.
    pub log_id: LogId,
    /// The frontier of the records before this one.
    pub merkle_frontier: Vec<Digest>,
    /// The segment before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<PreviousSegment>,
    /// The log that this one takes over from; at seq 0 alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continues: Option<ContinuedLog>,
    /// The most bytes that the segment's writer leaves unsynced. Logs of before seals lack it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsynced_max_bytes: Option<u64>,
    /// The key that the segment is sealed with; absent where it is not sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<SegmentKey>,
    /// Seq of the first `segment_opened` of the first sealed opening of the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed_from: Option<u64>,
    /// The newest `segments_pruned` of the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pruned: Option<NewestPrune>,
    /// Where the directory and this segment are on their file system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

impl SegmentOpened {
    /// What it says at the least.
    #[must_use]
    pub const fn new(log_id: LogId, merkle_frontier: Vec<Digest>) -> Self {
        Self {
            log_id,
            merkle_frontier,
            previous: None,
            continues: None,
            unsynced_max_bytes: None,
            key: None,
            sealed_from: None,
            pruned: None,
            place: None,
        }
    }
}

/// A writer opened the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogOpened {
    /// Its name and version.
    pub writer: String,
    /// Its flush mode.
    pub flush_mode: String,
    /// The most bytes it leaves unsynced.
    pub unsynced_max_bytes: u64,
    /// The machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// The boot of the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<String>,
    /// The key that its checkpoints are signed with, as signed notes write it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vkey: Option<String>,
    /// Where the file system promises nothing at a power cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<Storage>,
    /// Whether a log that signs was opened without its key, by an operator's word.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unsigned: bool,
}

impl LogOpened {
    /// What it says at the least.
    #[must_use]
    pub const fn new(writer: String, flush_mode: String, unsynced_max_bytes: u64) -> Self {
        Self {
            writer,
            flush_mode,
            unsynced_max_bytes,
            host: None,
            pid: None,
            boot_id: None,
            vkey: None,
            storage: None,
            unsigned: false,
        }
    }
}

/// The segment before, as `segment_opened` names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PreviousSegment {
    /// Its file name.
    pub file: String,
    /// Seq of its last whole record.
    pub last_seq: u64,
    /// Hash of that record.
    pub last_hash: Digest,
}

/// The log that a new one takes over from, as where a backup was restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ContinuedLog {
    /// Its identity.
    pub log_id: LogId,
    /// Its newest record.
    pub head: Receipt,
}

/// A segment that retention deletes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrunedFile {
    /// Its file name.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// The digest of all its bytes.
    pub sha256: Digest,
    /// Seq of its last record. Logs of before seals lack it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seq: Option<u64>,
}

/// The key that a segment is sealed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SegmentKey {
    /// The key, as signed notes write it.
    pub vkey: String,
    /// Seq of the `key_changed`, else of the `segment_opened`, that first named it.
    pub since: u64,
}

/// The newest `segments_pruned` of a log, so that no older segment is read for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NewestPrune {
    /// Seq of that record.
    pub seq: u64,
    /// Seq of the last record that it deleted.
    pub last_seq: u64,
    /// Hash of the last record that it deleted.
    pub last_hash: Digest,
}

/// The end of what a prune deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PrunedEnd {
    /// Seq of the last record that it deleted.
    pub last_seq: u64,
    /// Hash of that record.
    pub last_hash: Digest,
}

/// Where a log lies on its file system: another for a copy, the same after a boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The directory.
    pub dir: FileId,
    /// The segment.
    pub file: FileId,
}

/// What tells a file from its copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FileId {
    /// Its inode.
    pub inode: u64,
    /// When it was made.
    pub born: RecordTime,
}

/// What a file system promises at a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Storage {
    /// Nothing: tmpfs, ramfs, overlayfs mounted `volatile`.
    Volatile,
}

/// Why nothing that somebody with the key made covers records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AdoptionReason {
    /// The log is sealed with another key, whose place no `key_changed` gives to this one.
    OtherKey,
    /// A writer without the key made them, by an operator's word.
    UnsignedOpening,
    /// They are of before the log was sealed.
    BeforeSeals,
    /// The log had no key until now.
    NoKeyBefore,
}

impl std::fmt::Display for AdoptionReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::OtherKey => "other_key",
            Self::UnsignedOpening => "unsigned_opening",
            Self::BeforeSeals => "before_seals",
            Self::NoKeyBefore => "no_key_before",
        })
    }
}

/// What a tail looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TailKind {
    /// An unfinished record, or records with lost blocks among them.
    Torn,
    /// Nothing but NULs: the size reached the disk, the data did not.
    Zeros,
    /// Whole records behind the break, whose seqs are given anew.
    Superseded,
    /// The disk does not give it back.
    Unreadable,
    /// Whole records behind the last sealed one, of a log that seals.
    Unsealed,
}

/// What became of a segment that its own writer does not find as it left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingReason {
    /// Its name is gone: it was removed or renamed.
    Unlinked,
    /// Another file has its name.
    Replaced,
    /// It is longer or shorter than was written.
    SizeChanged,
    /// An operator says that it is gone.
    Acknowledged,
}

impl std::fmt::Display for MissingReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unlinked => "removed or renamed",
            Self::Replaced => "replaced",
            Self::SizeChanged => "made longer or shorter",
            Self::Acknowledged => "gone, as an operator acknowledged",
        })
    }
}

/// Why events were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LossReason {
    /// The queue was full.
    QueueFull,
    /// The disk was full.
    DiskFull,
    /// They were refused: not events, or against the policy.
    Refused,
    /// A write failed.
    IoError,
}

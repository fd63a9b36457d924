//! What the opening records of a segment say.

use audit_core::Digest;
use serde::Deserialize;

use super::form::{
    AdoptionReason, Head, Hex, LogId, Name, Object, TailKind, Time, True, Volatile, digests,
    present, present_object,
};
use crate::scan::SegmentName;

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SegmentOpened {
    pub(crate) log_id: LogId,
    merkle_frontier: Vec<Hex>,
    #[serde(default, deserialize_with = "present_object")]
    pub(crate) previous: Option<Previous>,
    #[serde(default, deserialize_with = "present_object")]
    pub(crate) continues: Option<Continues>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) unsynced_max_bytes: Option<u64>,
    #[serde(default, deserialize_with = "present_object")]
    pub(crate) key: Option<SegmentKey>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) sealed_from: Option<u64>,
    #[serde(default, deserialize_with = "present_object")]
    pub(crate) pruned: Option<NewestPrune>,
    #[serde(default, deserialize_with = "present_object")]
    pub(crate) place: Option<LogPlace>,
}

impl SegmentOpened {
    pub(crate) fn frontier(&self) -> Vec<Digest> {
        digests(&self.merkle_frontier)
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Previous {
    file: Name,
    pub(crate) last_seq: u64,
    last_hash: Hex,
}

impl Previous {
    pub(crate) const fn file(&self) -> SegmentName {
        self.file.0
    }

    pub(crate) const fn last_hash(&self) -> Digest {
        self.last_hash.0
    }
}

#[derive(Clone, Debug, Deserialize)]
#[expect(dead_code, reason = "what stands in another log cannot be checked here, only its form")]
pub(crate) struct Continues {
    log_id: LogId,
    head: Head,
}

/// The key that a segment is sealed with. A key of a kind that is not known here is not malformed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct SegmentKey {
    pub(crate) vkey: String,
    /// Seq of the record that first named it.
    pub(crate) since: u64,
}

/// The newest `segments_pruned`, as a later segment says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct NewestPrune {
    pub(crate) seq: u64,
    pub(crate) last_seq: u64,
    last_hash: Hex,
}

impl NewestPrune {
    pub(crate) const fn new(seq: u64, last_seq: u64, last_hash: Digest) -> Self {
        Self { seq, last_seq, last_hash: Hex(last_hash) }
    }

    pub(crate) const fn last_hash(&self) -> Digest {
        self.last_hash.0
    }
}

/// Where a log is on its file system.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct LogPlace {
    dir: Object<FileId>,
    file: Object<FileId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct FileId {
    inode: u64,
    born: Time,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct LogRecovered {
    file: Name,
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    sha256: Hex,
    pub(crate) valid_records: u64,
    pub(crate) kind: TailKind,
}

impl LogRecovered {
    pub(crate) const fn file(&self) -> SegmentName {
        self.file.0
    }

    pub(crate) const fn sha256(&self) -> Digest {
        self.sha256.0
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct LogOpened {
    pub(crate) writer: String,
    #[expect(dead_code, reason = "only its form is checked")]
    flush_mode: String,
    pub(crate) unsynced_max_bytes: u64,
    #[serde(default, deserialize_with = "present")]
    pub(crate) host: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) pid: Option<u64>,
    #[serde(default, deserialize_with = "present")]
    #[expect(dead_code, reason = "only its form is checked")]
    boot_id: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) vkey: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[expect(dead_code, reason = "only its form is checked")]
    storage: Option<Volatile>,
    #[serde(default, deserialize_with = "present")]
    unsigned: Option<True>,
}

impl LogOpened {
    /// Whether a log that signs was opened without its key.
    pub(crate) const fn is_unsigned(&self) -> bool {
        self.unsigned.is_some()
    }
}

/// That an operator took over records which nothing of the log's key covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct RecordsAdopted {
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
    /// Seq of the first record that survived.
    pub(crate) begins: u64,
    pub(crate) why: AdoptionReason,
}

/// That the log is a copy.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct LogCopied {
    from: Object<LogPlace>,
    #[expect(dead_code, reason = "only its form is checked")]
    to: Object<LogPlace>,
}

impl LogCopied {
    /// Where the newest segment of before says that it is.
    pub(crate) const fn from(&self) -> &LogPlace {
        &self.from.0
    }
}

//! As much of a record line as going on after it needs.

use std::sync::Arc;

use audit_checkpoint::VerifyingKey;
use audit_core::Digest;
use audit_core::digest::leaf_hash;
use audit_core::lifecycle::{LogId, NewestPrune, PrunedFile, SegmentKey, SegmentOpened};
use audit_core::limits::{FORMAT_VERSION, RECORD_BYTES_MAX};
use audit_core::record::{HASH_FIELD_BYTES, HASH_FIELD_END, HASH_FIELD_START};
use audit_core::seal::{Seal, split_seal};
use serde_json::Value;

use super::holder::LogOpened;

const PREV_FIELD_START: &[u8] = br#","prev_hash":""#;

/// A line whose hash is right.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) seq: u64,
    pub(super) timestamp: &'a str,
    pub(super) service_id: &'a str,
    pub(super) prev_hash: Digest,
    pub(super) hash: Digest,
    /// The event, and `sanitized` where that is present.
    payload: &'a str,
    /// Its seal, in logs that sign.
    pub(super) sealed: Option<Sealed<'a>>,
}

/// A seal, and what it is a seal of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sealed<'a> {
    /// The line up to its seal.
    pub(super) unsealed: &'a [u8],
    pub(super) seal: Seal,
}

impl Sealed<'_> {
    /// The hash that the line would have without its seal, which is what the seal is made of.
    pub(super) fn digest(&self) -> Digest {
        leaf_hash(self.unsealed)
    }
}

/// The tail of a segment, as `log_recovered` in the next one tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FoundTail {
    pub(super) file: String,
    pub(super) offset: u64,
    pub(super) bytes: u64,
    pub(super) sha256: Digest,
}

/// A checkpoint, as `checkpoint_signed` tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CheckpointRecord {
    pub(crate) size: u64,
    /// In Base 64.
    pub(crate) root: String,
    pub(crate) key_id: String,
}

/// What a record says of a change of the log's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyChanged {
    pub(super) old_vkey: String,
    pub(super) new_vkey: String,
    /// In Base 64, like the other.
    pub(super) old_signature: String,
    pub(super) new_signature: String,
}

impl<'a> Line<'a> {
    /// Takes a line without its line feed apart, if it is a record with a right hash.
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        if line.len() > RECORD_BYTES_MAX {
            return None;
        }
        let (body, hash_field) =
            line.split_at_checked(line.len().checked_sub(HASH_FIELD_BYTES)?)?;
        let digits = hash_field.strip_prefix(HASH_FIELD_START)?.strip_suffix(HASH_FIELD_END)?;
        let hash = Digest::from_hex(digits)?;

        let sealed = split_seal(body).map(|(unsealed, seal)| Sealed { unsealed, seal });
        let inner = sealed.map_or(body, |sealed| sealed.unsealed).strip_suffix(b"\"")?;
        let (inner, prev_digits) = inner.split_at_checked(inner.len().checked_sub(64)?)?;
        let inner = std::str::from_utf8(inner.strip_suffix(PREV_FIELD_START)?).ok()?;
        let (seq, rest) = inner.strip_prefix(r#"{"v":1,"seq":"#)?.split_once(',')?;
        let (_, rest) = text_member(rest, r#""audit_id":""#)?;
        let (timestamp, rest) = text_member(rest, r#","timestamp":""#)?;
        let (service_id, rest) = text_member(rest, r#","service_id":""#)?;
        let payload = rest.strip_prefix(r#","event":"#)?;
        let prev_hash = Digest::from_hex(prev_digits)?;
        let seq = seq.parse().ok()?;
        let parsed = Self { seq, timestamp, service_id, prev_hash, hash, payload, sealed };
        (leaf_hash(body) == hash).then_some(parsed)
    }

    /// Whether its event is of this type. Types of the writer's own hold nothing to escape.
    pub(super) fn is(&self, event_type: &str) -> bool {
        let event = self.payload.strip_prefix(r#"{"event_type":""#);
        let after = event.and_then(|event| event.strip_prefix(event_type));
        after.is_some_and(|after| after.starts_with('"'))
    }

    /// What the first record of a segment says.
    pub(super) fn segment_opened(&self) -> Option<SegmentOpened> {
        let event = self.event_if("segment_opened")?;
        let log_id = LogId::from_hex(event.get("log_id")?.as_str()?)?;
        let roots = event.get("merkle_frontier")?.as_array()?.iter();
        let roots = roots.map(digest).collect::<Option<_>>()?;
        let number = |member| event.get(member).and_then(Value::as_u64);
        let key = event.get("key").map(|key| {
            let vkey = key.get("vkey")?.as_str()?.to_owned();
            Some(SegmentKey { vkey, since: key.get("since")?.as_u64()? })
        });
        let pruned = event.get("pruned").map(|pruned| {
            Some(NewestPrune {
                seq: pruned.get("seq")?.as_u64()?,
                last_seq: pruned.get("last_seq")?.as_u64()?,
                last_hash: digest(pruned.get("last_hash")?)?,
            })
        });
        Some(SegmentOpened {
            unsynced_max_bytes: number("unsynced_max_bytes"),
            key: key.map_or(Some(None), |key| key.map(Some))?,
            sealed_from: number("sealed_from"),
            pruned: pruned.map_or(Some(None), |pruned| pruned.map(Some))?,
            ..SegmentOpened::new(log_id, roots)
        })
    }

    /// What the writer said of itself when it opened the log.
    pub(super) fn log_opened(&self) -> Option<LogOpened> {
        let event = self.event_if("log_opened")?;
        let text = |member| event.get(member).and_then(Value::as_str).unwrap_or("unknown");
        let pid = event.get("pid").and_then(Value::as_u64);
        let pid = pid.map_or_else(|| "unknown".to_owned(), |pid| pid.to_string());
        let holder = format!("{}, process {pid} on host {}", text("writer"), text("host"));
        Some(LogOpened {
            unsynced_bytes_max: event.get("unsynced_max_bytes")?.as_u64()?,
            holder: audit_core::Inert(&holder).to_string(),
        })
    }

    /// What the writer of the next segment found behind the whole records of the one before.
    pub(super) fn log_recovered(&self) -> Option<FoundTail> {
        let event = self.event_if("log_recovered")?;
        Some(FoundTail {
            file: event.get("file")?.as_str()?.to_owned(),
            offset: event.get("offset")?.as_u64()?,
            bytes: event.get("bytes")?.as_u64()?,
            sha256: Digest::from_hex(event.get("sha256")?.as_str()?.as_bytes())?,
        })
    }

    /// What retention was about to delete, and the files.
    pub(super) fn segments_pruned(&self) -> Option<(NewestPrune, Arc<[PrunedFile]>)> {
        let event = self.event_if("segments_pruned")?;
        let newest = NewestPrune {
            seq: self.seq,
            last_seq: event.get("last_seq")?.as_u64()?,
            last_hash: digest(event.get("last_hash")?)?,
        };
        let file = |file: &Value| {
            Some(PrunedFile {
                name: file.get("name")?.as_str()?.to_owned(),
                size: file.get("size")?.as_u64()?,
                sha256: digest(file.get("sha256")?)?,
                last_seq: file.get("last_seq").and_then(Value::as_u64),
            })
        };
        let files = event.get("files")?.as_array()?.iter().map(file).collect::<Option<_>>()?;
        Some((newest, files))
    }

    /// A checkpoint that was signed.
    pub(super) fn checkpoint_signed(&self) -> Option<CheckpointRecord> {
        let event = self.event_if("checkpoint_signed")?;
        let text = |member| event.get(member)?.as_str().map(str::to_owned);
        let size = event.get("size")?.as_u64()?;
        Some(CheckpointRecord { size, root: text("root")?, key_id: text("key_id")? })
    }

    /// Which key took the place of which.
    pub(super) fn key_changed(&self) -> Option<KeyChanged> {
        let event = self.event_if("key_changed")?;
        let text = |member| event.get(member)?.as_str().map(str::to_owned);
        Some(KeyChanged {
            old_vkey: text("old_vkey")?,
            new_vkey: text("new_vkey")?,
            old_signature: text("old_signature")?,
            new_signature: text("new_signature")?,
        })
    }

    /// The id of the key that the log is signed with, where the record names one.
    pub(super) fn key_id(&self) -> Option<String> {
        let id_of = |vkey: &str| Some(vkey.parse::<VerifyingKey>().ok()?.id().to_string());
        if let Some(event) = self.event_if("checkpoint_signed") {
            return event.get("key_id")?.as_str().map(str::to_owned);
        }
        if let Some(event) = self.event_if("log_opened") {
            return id_of(event.get("vkey")?.as_str()?);
        }
        id_of(&self.key_changed()?.new_vkey)
    }

    /// The version of the format that the log goes on in.
    pub(super) fn format_changed(&self) -> Option<u64> {
        let event = self.event_if("format_changed")?;
        Some(event.get("to").and_then(Value::as_u64).unwrap_or_default())
    }

    /// The writer's own events are few and have no `sanitized`, so they are read with a JSON
    /// parser.
    fn event_if(&self, event_type: &str) -> Option<Value> {
        self.is(event_type).then(|| serde_json::from_str(self.payload).ok())?
    }
}

/// The version of the format that a line states, whole or not, where that is not the one that is
/// written here: a line of every version begins with it.
pub(super) fn other_version(line: &[u8]) -> Option<u64> {
    let rest = line.strip_prefix(br#"{"v":"#)?;
    let digits = rest.split(|&byte| byte == b',').next()?;
    let version = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (version != u64::from(FORMAT_VERSION)).then_some(version)
}

fn digest(digits: &Value) -> Option<Digest> {
    Digest::from_hex(digits.as_str()?.as_bytes())
}

/// The text of the member that comes next, which holds nothing to escape, and what follows it.
fn text_member<'a>(rest: &'a str, start: &str) -> Option<(&'a str, &'a str)> {
    rest.strip_prefix(start)?.split_once('"')
}

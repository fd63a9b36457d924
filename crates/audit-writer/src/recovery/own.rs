//! The events of the writer's own, read strictly: every member has the form of the format.
//!
//! Members that the format does not know are let through, as the verifier does: a later version may
//! have more of them.

mod agree;
mod opening;
mod parts;
mod read;

use audit_core::Digest;
use audit_core::lifecycle::{PrunedEnd, PrunedFile, SegmentOpened};
use audit_core::limits::{FORMAT_VERSION, PRUNED_FILES_MAX};

use super::copied::Copied;
use super::json::Event;
use parts::{
    adoption_reason, continued, file_name, loss_reason, missing_reason, place, previous, prune,
    pruned_end, pruned_file, root, segment_key, storage, tail_kind,
};
use read::{Object, digest, digests, list, log_id, number, text, time, yes};

/// An event of the writer's own, with what an open needs of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Own {
    SegmentOpened(SegmentOpened),
    LogRecovered(FoundTail),
    LogOpened(LogOpened),
    EventsLost,
    SegmentMissing,
    SegmentsPruned(SegmentsPruned),
    DamageFound,
    RecordsAdopted(RecordsAdopted),
    LogCopied(Copied),
    ClockStepped,
    DiskFull,
    CheckpointSigned(CheckpointRecord),
    KeyChanged(KeyChanged),
    /// The version that the log goes on in.
    FormatChanged(u64),
    LogClosed,
}

/// A member of an event is missing or has another form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The tail of a segment, as `log_recovered` in the next one tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FoundTail {
    pub(crate) file: String,
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    pub(crate) sha256: Digest,
    pub(crate) valid_records: u64,
}

/// What a writer said of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LogOpened {
    pub(super) writer: String,
    pub(super) unsynced_max_bytes: u64,
    pub(super) host: Option<String>,
    pub(super) pid: Option<u64>,
    pub(super) vkey: Option<String>,
    /// Whether it opened a log that signs without its key.
    is_unsigned: bool,
}

/// Which segments retention was about to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SegmentsPruned {
    pub(super) end: PrunedEnd,
    pub(super) merkle_frontier: Vec<Digest>,
    pub(super) files: Vec<PrunedFile>,
    pub(super) after: Option<PrunedEnd>,
    /// Whether the record says how old records had to be, as all do since there are seals.
    pub(super) has_before: bool,
}

/// Which records an operator took over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordsAdopted {
    pub(super) first_seq: u64,
    last_seq: u64,
    begins: u64,
}

/// A checkpoint, as `checkpoint_signed` tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CheckpointRecord {
    pub(crate) size: u64,
    /// In Base 64.
    pub(crate) root: String,
    pub(crate) key_id: String,
}

/// Which key took the place of which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyChanged {
    pub(crate) old_vkey: String,
    pub(crate) new_vkey: String,
    /// In Base 64, like the other.
    pub(crate) old_signature: String,
    pub(crate) new_signature: String,
}

impl Own {
    /// What was about to be deleted.
    pub(super) fn pruned(&self) -> Option<&SegmentsPruned> {
        if let Self::SegmentsPruned(pruned) = self { Some(pruned) } else { None }
    }

    /// The event of the writer's own that this is; `None` where it is a caller's.
    pub(super) fn of(event: &Event<'_>) -> Result<Option<Self>, Malformed> {
        Self::parse(&event.event_type.to_plain(), event.json)
    }

    /// Reads an event, which is strict JSON; `None` where it is a caller's.
    pub(super) fn parse(event_type: &str, event: &[u8]) -> Result<Option<Self>, Malformed> {
        let read = match event_type {
            "segment_opened" => segment_opened,
            "log_recovered" => log_recovered,
            "log_opened" => log_opened,
            "events_lost" => events_lost,
            "segment_missing" => segment_missing,
            "segments_pruned" => segments_pruned,
            "damage_found" => damage_found,
            "records_adopted" => records_adopted,
            "log_copied" => log_copied,
            "clock_stepped" => clock_stepped,
            "disk_full" => disk_full,
            "checkpoint_signed" => checkpoint_signed,
            "key_changed" => key_changed,
            "format_changed" => format_changed,
            "log_closed" => |_: &Object<'_>| Ok(Self::LogClosed),
            _ => return Ok(None),
        };
        read(&Object::of(event)?).map(Some)
    }
}

fn segment_opened(event: &Object<'_>) -> Result<Own, Malformed> {
    let log_id = event.required("log_id", log_id)?;
    let merkle_frontier = event.required("merkle_frontier", digests)?;
    Ok(Own::SegmentOpened(SegmentOpened {
        log_id,
        merkle_frontier,
        previous: event.optional("previous", previous)?,
        continues: event.optional("continues", continued)?,
        unsynced_max_bytes: event.optional("unsynced_max_bytes", number)?,
        key: event.optional("key", segment_key)?,
        sealed_from: event.optional("sealed_from", number)?,
        pruned: event.optional("pruned", prune)?,
        place: event.optional("place", place)?,
    }))
}

fn log_recovered(event: &Object<'_>) -> Result<Own, Malformed> {
    event.required("kind", tail_kind)?;
    Ok(Own::LogRecovered(FoundTail {
        valid_records: event.required("valid_records", number)?,
        file: event.required("file", file_name)?,
        offset: event.required("offset", number)?,
        bytes: event.required("bytes", number)?,
        sha256: event.required("sha256", digest)?,
    }))
}

fn log_opened(event: &Object<'_>) -> Result<Own, Malformed> {
    event.required("flush_mode", text)?;
    event.optional("boot_id", text)?;
    event.optional("storage", storage)?;
    Ok(Own::LogOpened(LogOpened {
        writer: event.required("writer", text)?,
        unsynced_max_bytes: event.required("unsynced_max_bytes", number)?,
        host: event.optional("host", text)?,
        pid: event.optional("pid", number)?,
        vkey: event.optional("vkey", text)?,
        is_unsigned: event.optional("unsigned", yes)?.is_some(),
    }))
}

fn events_lost(event: &Object<'_>) -> Result<Own, Malformed> {
    let count = event.required("count", number)?;
    let critical_count = event.required("critical_count", number)?;
    event.required("reason", loss_reason)?;
    event.required("first", time)?;
    event.required("last", time)?;
    event.optional("sha256", digest)?;
    if critical_count > count { Err(Malformed) } else { Ok(Own::EventsLost) }
}

fn segment_missing(event: &Object<'_>) -> Result<Own, Malformed> {
    event.required("file", file_name)?;
    event.required("first_seq", number)?;
    event.required("last_seq", number)?;
    event.required("last_hash", digest)?;
    event.required("reason", missing_reason)?;
    event.optional("text", text)?;
    Ok(Own::SegmentMissing)
}

fn segments_pruned(event: &Object<'_>) -> Result<Own, Malformed> {
    let first_seq = event.required("first_seq", number)?;
    let last_seq = event.required("last_seq", number)?;
    let last_hash = event.required("last_hash", digest)?;
    event.required("reason", text)?;
    let files = event.required("files", |files| list(files, pruned_file))?;
    if first_seq != 0 || files.len() > PRUNED_FILES_MAX {
        return Err(Malformed);
    }
    Ok(Own::SegmentsPruned(SegmentsPruned {
        end: PrunedEnd { last_seq, last_hash },
        merkle_frontier: event.required("merkle_frontier", digests)?,
        files,
        after: event.optional("after", pruned_end)?,
        has_before: event.optional("before", time)?.is_some(),
    }))
}

fn damage_found(event: &Object<'_>) -> Result<Own, Malformed> {
    event.required("file", text)?;
    event.required("offset", number)?;
    event.required("code", text)?;
    Ok(Own::DamageFound)
}

fn records_adopted(event: &Object<'_>) -> Result<Own, Malformed> {
    event.required("why", adoption_reason)?;
    Ok(Own::RecordsAdopted(RecordsAdopted {
        first_seq: event.required("first_seq", number)?,
        last_seq: event.required("last_seq", number)?,
        begins: event.required("begins", number)?,
    }))
}

fn log_copied(event: &Object<'_>) -> Result<Own, Malformed> {
    let (from, to) = (event.required("from", place)?, event.required("to", place)?);
    Ok(Own::LogCopied(Copied { from, to }))
}

fn clock_stepped(event: &Object<'_>) -> Result<Own, Malformed> {
    event.required("from", time)?;
    event.required("to", time)?;
    Ok(Own::ClockStepped)
}

fn disk_full(event: &Object<'_>) -> Result<Own, Malformed> {
    event.required("available_bytes", number)?;
    Ok(Own::DiskFull)
}

fn checkpoint_signed(event: &Object<'_>) -> Result<Own, Malformed> {
    Ok(Own::CheckpointSigned(CheckpointRecord {
        size: event.required("size", number)?,
        root: event.required("root", root)?,
        key_id: event.required("key_id", text)?,
    }))
}

/// What is no key that this writer knows is not malformed.
fn key_changed(event: &Object<'_>) -> Result<Own, Malformed> {
    Ok(Own::KeyChanged(KeyChanged {
        old_vkey: event.required("old_vkey", text)?,
        new_vkey: event.required("new_vkey", text)?,
        old_signature: event.required("old_signature", text)?,
        new_signature: event.required("new_signature", text)?,
    }))
}

fn format_changed(event: &Object<'_>) -> Result<Own, Malformed> {
    let to = event.required("to", number)?;
    if to > u64::from(FORMAT_VERSION) { Ok(Own::FormatChanged(to)) } else { Err(Malformed) }
}

#[cfg(test)]
mod tests;

//! A record line, taken apart if it is one: everything is judged that a line shows by itself.
//!
//! The verifier judges the same with code of its own. A writer that let through what the verifier
//! does not would go on after it, and so vouch for it.

use std::sync::Arc;

use audit_checkpoint::VerifyingKey;
use audit_core::digest::leaf_hash;
use audit_core::lifecycle::{NewestPrune, PrunedEnd, PrunedFile, SegmentOpened, is_lifecycle_type};
use audit_core::limits::{FORMAT_VERSION, RECORD_BYTES_MAX};
use audit_core::record::{HASH_FIELD_BYTES, HASH_FIELD_END, HASH_FIELD_START};
use audit_core::seal::{Seal, split_seal};
use audit_core::{Digest, Inert};

use super::frame::{Frame, decimal};
use super::holder::LogOpened;
use super::json::{self, Text};
use super::marks::is_sanitized;
pub(crate) use super::own::{CheckpointRecord, FoundTail, KeyChanged};
use super::own::{Malformed, Own};
use crate::segment::SegmentName;

const PREV_FIELD_START: &[u8] = br#","prev_hash":""#;

/// A record with a right hash.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) seq: u64,
    pub(super) timestamp: &'a str,
    pub(super) service_id: &'a str,
    pub(super) prev_hash: Digest,
    pub(super) hash: Digest,
    event_type: Text<'a>,
    /// Its event, where that is one of the writer's own.
    own: Option<Box<Own>>,
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

impl<'a> Line<'a> {
    /// Takes a line without its line feed apart, if it is a record with a right hash, and, where the
    /// event is one of the writer's own, that has its form and can be true.
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        Self::take_apart(line, |own, seq, prev_hash| match own {
            Ok(Some(own)) => own.can_be_true(seq, prev_hash),
            Ok(None) => true,
            Err(Malformed) => false,
        })
    }

    /// The same of a line in a tail, which is no part of the log: its event may say what it will.
    pub(super) fn parse_in_tail(line: &'a [u8]) -> Option<Self> {
        Self::take_apart(line, |_, _, _| true)
    }

    fn take_apart(
        line: &'a [u8],
        allows: impl FnOnce(&Result<Option<Own>, Malformed>, u64, &Digest) -> bool,
    ) -> Option<Self> {
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
        let prev_hash = Digest::from_hex(prev_digits)?;
        let inner = std::str::from_utf8(inner.strip_suffix(PREV_FIELD_START)?).ok()?;
        let (Frame { seq, timestamp, service_id }, payload) = Frame::take(inner)?;
        if leaf_hash(body) != hash {
            return None;
        }
        let (event, sanitized) = json::event(payload)?;
        let own = Own::of(&event);
        if !allows(&own, seq, &prev_hash) || !is_sanitized(sanitized) {
            return None;
        }
        let own = own.ok().flatten().map(Box::new);
        let event_type = event.event_type;
        Some(Self { seq, timestamp, service_id, prev_hash, hash, event_type, own, sealed })
    }

    /// Its event, where that is one of the writer's own.
    pub(super) fn own(&self) -> Option<&Own> {
        self.own.as_deref()
    }

    /// Whether it is a record of the writer's own that would have a seal, in a log that seals: each is
    /// the last one of its write, but `events_lost`, which may share one.
    pub(super) fn owes_seal(&self) -> bool {
        let event_type = self.event_type.to_plain();
        self.sealed.is_none() && is_lifecycle_type(&event_type) && event_type != "events_lost"
    }

    /// Whether its event is of this type.
    pub(super) fn is(&self, event_type: &str) -> bool {
        self.event_type.is(event_type)
    }

    /// Whether a segment that begins with it has this name.
    pub(super) fn is_first_of(&self, name: SegmentName) -> bool {
        let date = self.timestamp.get(..10).unwrap_or_default();
        self.seq == name.first_seq && date == name.date.to_string()
    }

    /// Whether it agrees with what the first record of its segment says, which is another one.
    pub(super) fn agrees_with(&self, first: &SegmentOpened, first_seq: u64) -> bool {
        self.own().is_none_or(|own| own.agrees_with(first, first_seq, self.seq))
    }

    /// What the first record of a segment says.
    pub(super) fn segment_opened(&self) -> Option<SegmentOpened> {
        if let Own::SegmentOpened(opened) = self.own()? { Some(opened.clone()) } else { None }
    }

    /// What the writer said of itself when it opened the log.
    pub(super) fn log_opened(&self) -> Option<LogOpened> {
        let Own::LogOpened(opened) = self.own()? else { return None };
        let host = opened.host.as_deref().unwrap_or("unknown");
        let pid = opened.pid.map_or_else(|| "unknown".to_owned(), |pid| pid.to_string());
        let holder = format!("{}, process {pid} on host {host}", opened.writer);
        Some(LogOpened {
            unsynced_bytes_max: opened.unsynced_max_bytes,
            holder: Inert(&holder).to_string(),
        })
    }

    /// What retention was about to delete, and the files.
    pub(super) fn segments_pruned(&self) -> Option<(NewestPrune, Arc<[PrunedFile]>)> {
        let Own::SegmentsPruned(pruned) = self.own()? else { return None };
        let PrunedEnd { last_seq, last_hash } = pruned.end;
        let newest = NewestPrune { seq: self.seq, last_seq, last_hash };
        Some((newest, pruned.files.as_slice().into()))
    }

    /// Seq of the first of the records that an operator took over.
    pub(super) fn adopted_from(&self) -> Option<u64> {
        if let Own::RecordsAdopted(adopted) = self.own()? { Some(adopted.first_seq) } else { None }
    }

    /// A checkpoint that was signed.
    pub(super) fn checkpoint_signed(&self) -> Option<CheckpointRecord> {
        if let Own::CheckpointSigned(signed) = self.own()? { Some(signed.clone()) } else { None }
    }

    /// Which key took the place of which.
    pub(super) fn key_changed(&self) -> Option<KeyChanged> {
        if let Own::KeyChanged(changed) = self.own()? { Some(changed.clone()) } else { None }
    }

    /// The id of the key that the log is signed with, where the record names one.
    pub(super) fn key_id(&self) -> Option<String> {
        let id_of = |vkey: &str| Some(vkey.parse::<VerifyingKey>().ok()?.id().to_string());
        match self.own()? {
            Own::CheckpointSigned(signed) => Some(signed.key_id.clone()),
            Own::LogOpened(opened) => id_of(opened.vkey.as_deref()?),
            Own::KeyChanged(changed) => id_of(&changed.new_vkey),
            Own::SegmentOpened(_)
            | Own::LogRecovered(_)
            | Own::EventsLost
            | Own::SegmentMissing
            | Own::SegmentsPruned(_)
            | Own::DamageFound
            | Own::RecordsAdopted(_)
            | Own::LogCopied(_)
            | Own::ClockStepped
            | Own::DiskFull
            | Own::FormatChanged(_)
            | Own::LogClosed => None,
        }
    }

    /// The version of the format that the log goes on in.
    pub(super) fn format_changed(&self) -> Option<u64> {
        if let Own::FormatChanged(to) = self.own()? { Some(*to) } else { None }
    }
}

/// The version of the format that a line states, whole or not, where that is not the one that is
/// written here: a line of every version begins with it.
pub(super) fn other_version(line: &[u8]) -> Option<u64> {
    let rest = line.strip_prefix(br#"{"v":"#)?;
    let version = decimal(rest.split(|&byte| byte == b',').next()?)?;
    (version != u64::from(FORMAT_VERSION)).then_some(version)
}

#[cfg(test)]
mod tests;

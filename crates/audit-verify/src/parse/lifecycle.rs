//! The events that only a writer adds, and the form of their fields.

use std::fmt;
use std::marker::PhantomData;

use audit_core::limits::{FORMAT_VERSION, PRUNED_FILES_MAX};
use audit_core::{Digest, Receipt};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::time::is_record_time;
use crate::scan::SegmentName;

/// An event of the writer's own, with what the chain is checked against.
#[derive(Clone, Debug)]
pub(crate) enum Lifecycle {
    SegmentOpened(SegmentOpened),
    LogRecovered(LogRecovered),
    LogOpened(LogOpened),
    EventsLost(EventsLost),
    SegmentMissing(SegmentMissing),
    SegmentsPruned(SegmentsPruned),
    DamageFound(DamageFound),
    CheckpointSigned(CheckpointSigned),
    KeyChanged(KeyChanged),
    FormatChanged(FormatChanged),
    LogClosed,
    /// One of which only the form is checked.
    Other,
}

impl Lifecycle {
    /// Reads an event; `Ok(None)` when its type is not one of these.
    ///
    /// # Errors
    ///
    /// What is wrong with its fields. The text may quote them.
    pub(crate) fn parse(event_type: &str, event: &[u8]) -> Result<Option<Self>, String> {
        Ok(Some(match event_type {
            "segment_opened" => Self::SegmentOpened(fields(event)?),
            "log_recovered" => Self::LogRecovered(fields(event)?),
            "log_opened" => Self::LogOpened(fields(event)?),
            "events_lost" => Self::EventsLost(EventsLost::checked(fields(event)?)?),
            "segment_missing" => Self::SegmentMissing(fields(event)?),
            "segments_pruned" => Self::SegmentsPruned(SegmentsPruned::checked(fields(event)?)?),
            "damage_found" => Self::DamageFound(fields(event)?),
            "disk_full" => fields(event).map(|DiskFull { .. }| Self::Other)?,
            "checkpoint_signed" => Self::CheckpointSigned(fields(event)?),
            "key_changed" => Self::KeyChanged(fields(event)?),
            "format_changed" => Self::FormatChanged(FormatChanged::checked(fields(event)?)?),
            "log_closed" => Self::LogClosed,
            _ => return Ok(None),
        }))
    }
}

fn fields<'e, T: Deserialize<'e>>(event: &'e [u8]) -> Result<T, String> {
    serde_json::from_slice(event).map_err(|error| error.to_string())
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SegmentOpened {
    pub(crate) log_id: LogId,
    merkle_frontier: Vec<Hex>,
    #[serde(default, deserialize_with = "present_object")]
    pub(crate) previous: Option<Previous>,
    #[serde(default, deserialize_with = "present_object")]
    pub(crate) continues: Option<Continues>,
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

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct LogRecovered {
    file: Name,
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    sha256: Hex,
    pub(crate) valid_records: u64,
    #[expect(dead_code, reason = "it says in a word what the other fields say exactly")]
    kind: TailKind,
}

impl LogRecovered {
    pub(crate) const fn file(&self) -> SegmentName {
        self.file.0
    }

    pub(crate) const fn sha256(&self) -> Digest {
        self.sha256.0
    }
}

#[derive(Clone, Debug)]
enum TailKind {
    Torn,
    Zeros,
    Superseded,
    Unreadable,
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
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct EventsLost {
    pub(crate) count: u64,
    pub(crate) critical_count: u64,
    pub(crate) reason: LossReason,
    #[expect(dead_code, reason = "only its form is checked")]
    first: Time,
    #[expect(dead_code, reason = "only its form is checked")]
    last: Time,
    #[serde(default, deserialize_with = "present")]
    #[expect(dead_code, reason = "only its form is checked")]
    sha256: Option<Hex>,
}

impl EventsLost {
    fn checked(self) -> Result<Self, String> {
        if self.critical_count > self.count {
            return Err("more critical events are lost than events".to_owned());
        }
        Ok(self)
    }
}

/// The word for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LossReason(pub(crate) &'static str);

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SegmentMissing {
    file: Name,
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
    #[expect(dead_code, reason = "only its form is checked")]
    last_hash: Hex,
    pub(crate) reason: MissingReason,
}

impl SegmentMissing {
    pub(crate) const fn file(&self) -> SegmentName {
        self.file.0
    }
}

/// The word for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MissingReason(pub(crate) &'static str);

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SegmentsPruned {
    first_seq: u64,
    pub(crate) last_seq: u64,
    last_hash: Hex,
    merkle_frontier: Vec<Hex>,
    files: Vec<Object<PrunedFile>>,
    #[expect(dead_code, reason = "only its form is checked")]
    reason: String,
}

impl SegmentsPruned {
    fn checked(self) -> Result<Self, String> {
        if self.first_seq != 0 {
            return Err("first_seq is always 0".to_owned());
        }
        if self.files.len() > PRUNED_FILES_MAX {
            return Err(format!("there are more than {PRUNED_FILES_MAX} files"));
        }
        Ok(self)
    }

    pub(crate) const fn last_hash(&self) -> Digest {
        self.last_hash.0
    }

    pub(crate) fn frontier(&self) -> Vec<Digest> {
        digests(&self.merkle_frontier)
    }

    pub(crate) fn names(&self, segment: SegmentName) -> bool {
        self.files.iter().any(|file| file.0.name.0 == segment)
    }
}

#[derive(Clone, Debug, Deserialize)]
struct PrunedFile {
    name: Name,
    #[expect(dead_code, reason = "the file is gone, so only the form is checked")]
    size: u64,
    #[expect(dead_code, reason = "the file is gone, so only the form is checked")]
    sha256: Hex,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct DamageFound {
    pub(crate) file: String,
    pub(crate) offset: u64,
    pub(crate) code: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct FormatChanged {
    pub(crate) to: u64,
}

impl FormatChanged {
    fn checked(self) -> Result<Self, String> {
        if self.to <= u64::from(FORMAT_VERSION) {
            return Err(format!("a version does not change to {}", self.to));
        }
        Ok(self)
    }
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only the form is checked")]
struct DiskFull {
    available_bytes: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct CheckpointSigned {
    pub(crate) size: u64,
    root: Root,
    pub(crate) key_id: String,
}

impl CheckpointSigned {
    pub(crate) const fn root(&self) -> Digest {
        self.root.0
    }
}

/// That a log goes on with another key. What is no key that this verifier knows is not malformed.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct KeyChanged {
    pub(crate) old_vkey: String,
    pub(crate) new_vkey: String,
    /// In Base 64, like the other.
    pub(crate) old_signature: String,
    pub(crate) new_signature: String,
}

/// The identity of a log: 32 lowercase hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogId(pub(crate) audit_core::lifecycle::LogId);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hex(Digest);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Root(Digest);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Name(SegmentName);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Time;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head;

/// Reads a type from the one text form that it has.
macro_rules! from_text {
    ($type:ty, $what:literal, $parse:expr) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let parse: fn(&str) -> Option<Self> = $parse;
                parse(&text).ok_or_else(|| D::Error::custom(concat!("a field is not ", $what)))
            }
        }
    };
}

from_text!(LogId, "32 hex digits", |text| audit_core::lifecycle::LogId::from_hex(text).map(Self));
from_text!(Hex, "64 hex digits", |text| Digest::from_hex(text.as_bytes()).map(Self));
from_text!(Root, "32 bytes in Base 64", |text| {
    let bytes = STANDARD.decode(text).ok()?.try_into().ok()?;
    Some(Self(Digest::from_bytes(bytes)))
});
from_text!(Name, "a segment's name", |text| SegmentName::parse(text.as_bytes()).map(Self));
from_text!(Time, "a timestamp", |text| is_record_time(text.as_bytes()).then_some(Self));
from_text!(Head, "SEQ:HASH", |text| {
    // The form that a person may type is wider.
    let head = text.parse::<Receipt>().ok()?;
    (head.to_string() == text).then_some(Self)
});
from_text!(TailKind, "a kind of tail", |text| match text {
    "torn" => Some(Self::Torn),
    "zeros" => Some(Self::Zeros),
    "superseded" => Some(Self::Superseded),
    "unreadable" => Some(Self::Unreadable),
    _ => None,
});
from_text!(LossReason, "a reason why events are lost", |text| {
    let reasons = ["queue_full", "disk_full", "refused", "io_error"];
    reasons.into_iter().find(|reason| *reason == text).map(Self)
});
from_text!(MissingReason, "a reason why a segment is missing", |text| {
    let reasons = ["unlinked", "replaced", "size_changed"];
    reasons.into_iter().find(|reason| *reason == text).map(Self)
});

/// A field that may be absent, and is not `null`.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn present_object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Object::deserialize(deserializer).map(|Object(fields)| Some(fields))
}

/// What is written as an object: by itself, a type with fields also reads from a list of them.
#[derive(Clone, Debug)]
struct Object<T>(T);

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members))
    }
}

fn digests(roots: &[Hex]) -> Vec<Digest> {
    roots.iter().map(|root| root.0).collect()
}

#[cfg(test)]
mod tests;

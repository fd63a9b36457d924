//! The forms that fields of such events have, each with the one text that it is read from.

use std::fmt;
use std::marker::PhantomData;

use audit_core::{Digest, Receipt};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::parse::time::is_record_time;
use crate::scan::SegmentName;

/// The identity of a log: 32 lowercase hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogId(pub(crate) audit_core::lifecycle::LogId);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hex(pub(super) Digest);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Root(pub(super) Digest);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name(pub(super) SegmentName);

/// A record's timestamp, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) String);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head;

/// `true`, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct True;

/// What a file system promises at a power cut: nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Volatile;

/// What the bytes behind the last good record look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TailKind {
    Torn,
    Zeros,
    Superseded,
    Unreadable,
    /// They begin behind the last sealed record, whatever they are.
    Unsealed,
}

/// The word for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LossReason(pub(crate) &'static str);

/// The word for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MissingReason(pub(crate) &'static str);

/// Why no checkpoint and no seal of the log's key covers records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AdoptionReason {
    NoKeyBefore,
    BeforeSeals,
    OtherKey,
    UnsignedOpening,
}

impl fmt::Display for AdoptionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoKeyBefore => "no_key_before",
            Self::BeforeSeals => "before_seals",
            Self::OtherKey => "other_key",
            Self::UnsignedOpening => "unsigned_opening",
        })
    }
}

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
from_text!(Time, "a timestamp", |text| {
    is_record_time(text.as_bytes()).then(|| Self(text.to_owned()))
});
from_text!(Head, "SEQ:HASH", |text| {
    // The form that a person may type is wider.
    let head = text.parse::<Receipt>().ok()?;
    (head.to_string() == text).then_some(Self)
});
from_text!(Volatile, "a kind of storage", |text| (text == "volatile").then_some(Self));
from_text!(TailKind, "a kind of tail", |text| match text {
    "torn" => Some(Self::Torn),
    "zeros" => Some(Self::Zeros),
    "superseded" => Some(Self::Superseded),
    "unreadable" => Some(Self::Unreadable),
    "unsealed" => Some(Self::Unsealed),
    _ => None,
});
from_text!(LossReason, "a reason why events are lost", |text| {
    let reasons = ["queue_full", "disk_full", "refused", "io_error"];
    reasons.into_iter().find(|reason| *reason == text).map(Self)
});
from_text!(MissingReason, "a reason why a segment is missing", |text| {
    let reasons = ["unlinked", "replaced", "size_changed", "acknowledged"];
    reasons.into_iter().find(|reason| *reason == text).map(Self)
});
from_text!(AdoptionReason, "a reason why records are adopted", |text| match text {
    "no_key_before" => Some(Self::NoKeyBefore),
    "before_seals" => Some(Self::BeforeSeals),
    "other_key" => Some(Self::OtherKey),
    "unsigned_opening" => Some(Self::UnsignedOpening),
    _ => None,
});

impl<'de> Deserialize<'de> for True {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if bool::deserialize(deserializer)? {
            Ok(Self)
        } else {
            Err(D::Error::custom("a field that is not true is left out"))
        }
    }
}

/// A field that may be absent, and is not `null`.
pub(super) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

pub(super) fn present_object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Object::deserialize(deserializer).map(|Object(fields)| Some(fields))
}

/// What is written as an object: by itself, a type with fields also reads from a list of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object<T>(pub(super) T);

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

pub(super) fn digests(roots: &[Hex]) -> Vec<Digest> {
    roots.iter().map(|root| root.0).collect()
}

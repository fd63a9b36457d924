//! Members of an object and their values.

use audit_core::lifecycle::LogId;
use audit_core::{Digest, RecordTime};
use chrono::DateTime;

use super::Malformed;
use crate::recovery::frame::{decimal, is_time};
use crate::recovery::json::{self, Text};

/// An object whose members are read by name.
pub(super) struct Object<'e>(Vec<(Text<'e>, &'e [u8])>);

impl<'e> Object<'e> {
    pub(super) fn of(value: &'e [u8]) -> Result<Self, Malformed> {
        json::members(value).map(Self).ok_or(Malformed)
    }

    pub(super) fn required<T>(
        &self,
        name: &str,
        read: impl FnOnce(&'e [u8]) -> Option<T>,
    ) -> Result<T, Malformed> {
        self.optional(name, read)?.ok_or(Malformed)
    }

    /// A member that may be missing. Where it is there, it has its form, and is not `null`.
    pub(super) fn optional<T>(
        &self,
        name: &str,
        read: impl FnOnce(&'e [u8]) -> Option<T>,
    ) -> Result<Option<T>, Malformed> {
        let member = self.0.iter().find(|(key, _)| key.is(name));
        member.map(|(_, value)| read(value).ok_or(Malformed)).transpose()
    }
}

pub(super) fn text(value: &[u8]) -> Option<String> {
    json::text(value).map(|text| text.to_plain().into_owned())
}

pub(super) fn number(value: &[u8]) -> Option<u64> {
    decimal(value)
}

/// A member that is left out where it would be `false`.
pub(super) fn yes(value: &[u8]) -> Option<()> {
    (value == b"true").then_some(())
}

pub(super) fn list<'e, T>(
    value: &'e [u8],
    read: impl FnMut(&'e [u8]) -> Option<T>,
) -> Option<Vec<T>> {
    json::items(value)?.into_iter().map(read).collect()
}

pub(super) fn digest(value: &[u8]) -> Option<Digest> {
    Digest::from_hex(text(value)?.as_bytes())
}

pub(super) fn digests(value: &[u8]) -> Option<Vec<Digest>> {
    list(value, digest)
}

pub(super) fn log_id(value: &[u8]) -> Option<LogId> {
    LogId::from_hex(&text(value)?)
}

pub(super) fn time(value: &[u8]) -> Option<RecordTime> {
    let text = text(value).filter(|text| is_time(text))?;
    Some(RecordTime::new(DateTime::parse_from_rfc3339(&text).ok()?.to_utc()))
}

/// Whether a text is one of these words.
pub(super) fn one_of(value: &[u8], words: &[&str]) -> Option<()> {
    let text = json::text(value)?;
    words.iter().any(|word| text.is(word)).then_some(())
}

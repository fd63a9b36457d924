//! A record line: its hash field first, and once the hash is right, its members.

use std::borrow::Cow;

use audit_core::Digest;
use audit_core::digest::leaf_hash;
use audit_core::limits::{FORMAT_VERSION, MARKS_MAX, SEQ_MAX};
use audit_core::record::{HASH_FIELD_BYTES, HASH_FIELD_END, HASH_FIELD_START};
use audit_core::seal::{SEAL_FIELD_START, split_seal};
use memchr::memmem;

use super::json::{self, JsonFault, Scratch};
use super::time::is_record_time;
use crate::broken::{self, Broken};
use crate::finding::Code;

const PREV_FIELD_START: &[u8] = br#","prev_hash":""#;

/// Bytes of a link: what stands before its 64 digits, these, and a quote.
const LINK_FIELD_BYTES: usize = PREV_FIELD_START.len() + 65;

/// What every record of every version begins with.
pub(crate) const RECORD_START: &[u8] = br#"{"v":"#;

/// A line, split where its hash field begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hashed<'l> {
    /// What the hash covers.
    pub(crate) body: &'l [u8],
    /// What stands where the digits of a hash belong, if it is such digits.
    pub(crate) stated: Option<Digest>,
    /// The hash that the line ought to have.
    pub(crate) computed: Digest,
    /// Whether the line ends with a hash field.
    pub(crate) is_whole: bool,
}

impl<'l> Hashed<'l> {
    /// Splits a line, given without its line feed; `None` when it is shorter than a hash field.
    pub(crate) fn split(line: &'l [u8]) -> Option<Self> {
        let body_bytes = line.len().checked_sub(HASH_FIELD_BYTES)?;
        let (body, field) = line.split_at_checked(body_bytes)?;
        let digits_end = HASH_FIELD_BYTES.checked_sub(HASH_FIELD_END.len())?;
        let stated = Digest::from_hex(field.get(HASH_FIELD_START.len()..digits_end)?);
        let is_whole = field.starts_with(HASH_FIELD_START) && field.ends_with(HASH_FIELD_END);
        Some(Self { body, stated, computed: leaf_hash(body), is_whole })
    }

    /// Whether the hash is that of the body.
    pub(crate) fn is_right(&self) -> bool {
        self.is_whole && self.stated == Some(self.computed)
    }
}

/// A record whose members are written as the format says.
#[derive(Clone, Debug)]
pub(crate) struct Record<'l> {
    pub(crate) seq: u64,
    pub(crate) audit_id: &'l str,
    pub(crate) timestamp: &'l str,
    pub(crate) service_id: &'l str,
    /// Without escapes.
    pub(crate) event_type: Cow<'l, str>,
    /// Whether the event says of itself that it is critical.
    pub(crate) states_critical: bool,
    pub(crate) event: &'l [u8],
    /// The list of pointers; empty when there is none.
    pub(crate) sanitized: &'l [u8],
    pub(crate) prev_hash: Digest,
    /// Whether it carries a seal. Only a writer with the key can tell whether that is the right one.
    pub(crate) is_sealed: bool,
}

/// Why a line with a right hash is no record of this format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordFault {
    pub(crate) code: Code,
    /// Bytes of the line before it.
    pub(crate) at: usize,
    pub(crate) what: &'static str,
}

impl<'l> Record<'l> {
    /// Takes apart what a hash covers.
    pub(crate) fn parse(body: &'l [u8], scratch: &mut Scratch) -> Result<Self, RecordFault> {
        Self::parse_version(body, u64::from(FORMAT_VERSION), scratch)
    }

    /// The same of a record that says that it is of this version: others may look otherwise, but for
    /// their beginning and their end.
    pub(crate) fn parse_version(
        body: &'l [u8],
        version: u64,
        scratch: &mut Scratch,
    ) -> Result<Self, RecordFault> {
        let Ending { before, is_sealed } = Ending::split(body)?;
        let text = std::str::from_utf8(before).map_err(|error| RecordFault {
            code: Code::RecordMalformed,
            at: error.valid_up_to(),
            what: "a byte is no part of UTF-8",
        })?;
        let mut rest = Rest { text, rest: text };
        let Frame { seq, audit_id, timestamp, service_id } = rest.frame(version)?;

        let (payload, prev_hash) = rest.prev_hash()?;
        let event_at = rest.at();
        let in_event = |fault: JsonFault| RecordFault {
            code: Code::EventMalformed,
            at: event_at.saturating_add(fault.at),
            what: fault.what,
        };
        let event = json::event(payload.as_bytes(), scratch).map_err(in_event)?;
        let (states_critical, event_bytes) = (event.critical, event.length);
        let event_type = plain_text(event.event_type);
        let (event, field) = payload.as_bytes().split_at_checked(event_bytes).unwrap_or_default();
        let sanitized = sanitized(field, scratch).map_err(|what| RecordFault {
            code: Code::SanitizedMalformed,
            at: event_at.saturating_add(event_bytes),
            what,
        })?;
        Ok(Self {
            seq,
            audit_id,
            timestamp,
            service_id,
            event_type,
            states_critical,
            event,
            sanitized,
            prev_hash,
            is_sealed,
        })
    }
}

/// What a hash covers, without the seal that it may end with.
struct Ending<'l> {
    before: &'l [u8],
    is_sealed: bool,
}

impl<'l> Ending<'l> {
    fn split(body: &'l [u8]) -> Result<Self, RecordFault> {
        if ends_with_link(body) {
            return Ok(Self { before: body, is_sealed: false });
        }
        if let Some((before, _)) = split_seal(body) {
            return Ok(Self { before, is_sealed: true });
        }
        // An event may hold the same bytes; a link follows it.
        let seal = memmem::rfind(body, SEAL_FIELD_START);
        match seal
            .filter(|&at| memmem::find(body.get(at..).unwrap_or(b""), PREV_FIELD_START).is_none())
        {
            None => Ok(Self { before: body, is_sealed: false }),
            Some(at) if broken::is(Broken::SealForm) => {
                Ok(Self { before: body.get(..at).unwrap_or_default(), is_sealed: true })
            }
            Some(at) => Err(RecordFault {
                code: Code::SealMalformed,
                at,
                what: "a seal is 22 characters of base64url, the last one of A, Q, g and w",
            }),
        }
    }
}

/// Whether bytes end with a link, or look so.
fn ends_with_link(body: &[u8]) -> bool {
    let field = body.len().checked_sub(LINK_FIELD_BYTES).and_then(|at| body.get(at..));
    field.is_some_and(|field| field.starts_with(PREV_FIELD_START))
}

/// What every version of the format has in common: a record of one that is not known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Foreign {
    pub(crate) version: u64,
    pub(crate) seq: u64,
    pub(crate) prev_hash: Digest,
    pub(crate) is_sealed: bool,
}

impl Foreign {
    /// Takes the beginning and the end of what a hash covers.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, RecordFault> {
        let Ending { before, is_sealed } = Ending::split(body)?;
        let end = before.len().saturating_sub(LINK_FIELD_BYTES);
        let (front, link) = before.split_at_checked(end).unwrap_or_default();
        // What is between them may be anything.
        let front_end = front.iter().position(|byte| !byte.is_ascii()).unwrap_or(front.len());
        let text = std::str::from_utf8(front.get(..front_end).unwrap_or_default());
        let text = text.unwrap_or_default();
        let mut rest = Rest { text, rest: text };
        let (version, seq) = rest.version_and_seq()?;
        let prev_hash = link_in(link).ok_or(RecordFault {
            code: Code::RecordMalformed,
            at: end,
            what: "prev_hash, 64 hex digits, stands before hash",
        })?;
        Ok(Self { version, seq, prev_hash, is_sealed })
    }
}

/// The digest in a link.
fn link_in(field: &[u8]) -> Option<Digest> {
    Digest::from_hex(field.strip_prefix(PREV_FIELD_START)?.strip_suffix(b"\"")?)
}

/// What stands before the event.
struct Frame<'l> {
    seq: u64,
    audit_id: &'l str,
    timestamp: &'l str,
    service_id: &'l str,
}

/// What of a body is still to be taken apart.
struct Rest<'l> {
    text: &'l str,
    rest: &'l str,
}

impl<'l> Rest<'l> {
    fn at(&self) -> usize {
        self.text.len().saturating_sub(self.rest.len())
    }

    fn fault(&self, what: &'static str) -> RecordFault {
        RecordFault { code: Code::RecordMalformed, at: self.at(), what }
    }

    fn expect(&mut self, text: &'static str, what: &'static str) -> Result<(), RecordFault> {
        self.rest = self.rest.strip_prefix(text).ok_or(self.fault(what))?;
        Ok(())
    }

    /// Takes what stands before `end`, which is taken too.
    fn until(&mut self, end: &'static str, what: &'static str) -> Result<&'l str, RecordFault> {
        let (before, after) = self.rest.split_once(end).ok_or(self.fault(what))?;
        self.rest = after;
        Ok(before)
    }

    /// What every version begins with, up to the comma behind the seq.
    fn version_and_seq(&mut self) -> Result<(u64, u64), RecordFault> {
        self.expect(r#"{"v":"#, "a record begins with its version")?;
        let before_version = self.fault("the version is a number without leading zeros");
        let version = self.until(",", "a comma follows the version")?;
        let version = count(version).ok_or(before_version)?;
        self.expect(r#""seq":"#, "seq follows the version")?;
        let before_seq = self.fault("seq is a number up to 2^53 - 1 without leading zeros");
        let seq = number(self.until(",", "a comma follows seq")?).ok_or(before_seq)?;
        Ok((version, seq))
    }

    /// Everything before the event.
    fn frame(&mut self, of_version: u64) -> Result<Frame<'l>, RecordFault> {
        self.expect(r#"{"v":"#, "a record begins with its version")?;
        let before_version = self.fault("the version is not the one this segment is in");
        let version = count(self.until(",", "a comma follows the version")?);
        if version != Some(of_version) {
            return Err(RecordFault { code: Code::VersionChanged, ..before_version });
        }
        self.expect(r#""seq":"#, "seq follows the version")?;
        let before_seq = self.fault("seq is a number up to 2^53 - 1 without leading zeros");
        let seq = number(self.until(",", "a comma follows seq")?).ok_or(before_seq)?;
        self.expect(r#""audit_id":""#, "audit_id follows seq")?;
        let before_id = self.fault("audit_id is not that of this service and seq");
        let audit_id = self.until("\",", "audit_id ends with a quote and a comma")?;
        self.expect(r#""timestamp":""#, "timestamp follows audit_id")?;
        let before_time = self.fault("timestamp is RFC 3339, UTC, with nine digits of a second");
        let timestamp = self.until("\",", "timestamp ends with a quote and a comma")?;
        if !is_record_time(timestamp.as_bytes()) {
            return Err(before_time);
        }
        self.expect(r#""service_id":""#, "service_id follows timestamp")?;
        let before_service = self.fault("service_id holds other characters, or too many");
        let service_id = self.until("\",", "service_id ends with a quote and a comma")?;
        if audit_core::ServiceId::new(service_id).is_err() {
            return Err(before_service);
        }
        if !is_audit_id(audit_id, service_id, seq) {
            return Err(before_id);
        }
        self.expect(r#""event":"#, "event follows service_id")?;
        Ok(Frame { seq, audit_id, timestamp, service_id })
    }

    /// What stands before `prev_hash`, and the digest in it. It ends the body.
    fn prev_hash(&self) -> Result<(&'l str, Digest), RecordFault> {
        let parse = || {
            let field = self.rest.len().checked_sub(LINK_FIELD_BYTES)?;
            let (payload, field) = self.rest.split_at_checked(field)?;
            Some((payload, link_in(field.as_bytes())?))
        };
        parse().ok_or(RecordFault {
            at: self.text.len(),
            ..self.fault("prev_hash, 64 hex digits, stands before hash")
        })
    }
}

/// A number as the format writes it.
fn number(digits: &str) -> Option<u64> {
    count(digits).filter(|&number| number <= SEQ_MAX)
}

/// The same, of any number that 64 bits hold.
fn count(digits: &str) -> Option<u64> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = digits.len() > 1 && digits.starts_with('0');
    digits.parse().ok().filter(|_| plain && !leading_zero)
}

fn is_audit_id(audit_id: &str, service_id: &str, seq: u64) -> bool {
    let digits = audit_id
        .strip_prefix("audit-")
        .and_then(|rest| rest.strip_prefix(service_id))
        .and_then(|rest| rest.strip_prefix('-'));
    digits.is_some_and(|digits| {
        let lower = digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        lower && digits.len() == 16 && u64::from_str_radix(digits, 16) == Ok(seq)
    })
}

/// What stands between the quotes of a text that was looked at, without escapes.
fn plain_text(raw: &[u8]) -> Cow<'_, str> {
    if !raw.contains(&b'\\') {
        return String::from_utf8_lossy(raw);
    }
    let mut plain = Vec::new();
    json::unescape(raw, &mut plain);
    Cow::Owned(String::from_utf8_lossy(&plain).into_owned())
}

/// Looks at what follows an event, if anything does: JSON Pointers, all different.
fn sanitized<'l>(field: &'l [u8], scratch: &mut Scratch) -> Result<&'l [u8], &'static str> {
    if field.is_empty() {
        return Ok(field);
    }
    let list = field.strip_prefix(br#","sanitized":"#);
    let list = list.ok_or("nothing but sanitized stands between an event and prev_hash")?;
    let mut pointers = Vec::new();
    let looked = json::texts(list, scratch, |raw| pointers.push(plain_text(raw)));
    looked.map_err(|fault| fault.what)?;
    let [_, rest @ ..] = pointers.as_slice() else {
        return Err("a list of no pointers is left out");
    };
    if rest.is_empty() && pointers.iter().all(|pointer| pointer.is_empty()) {
        return Ok(list);
    }
    if pointers.len() > MARKS_MAX {
        return Err("there are more pointers than may stand there");
    }
    if !pointers.iter().all(|pointer| is_pointer(pointer)) {
        return Err("one of the texts is no JSON Pointer to a value in the event");
    }
    pointers.sort_unstable();
    if pointers.array_windows().any(|[one, next]| one == next) {
        return Err("a pointer stands twice");
    }
    Ok(list)
}

/// Whether a text is a JSON Pointer (RFC 6901) to something inside a value.
fn is_pointer(text: &str) -> bool {
    let mut escapes = text.split('~').skip(1);
    text.starts_with('/') && escapes.all(|after| after.starts_with(['0', '1']))
}

#[cfg(test)]
mod tests;

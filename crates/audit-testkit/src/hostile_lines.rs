//! Lines with a right hash, each well formed or not: the language that writer and verifier share.
//!
//! A line differs from a plain record in one thing, which its name says. All have the right hash,
//! seq, link and service, so that nothing but their form can be wrong. Both sides read lines with
//! code of their own; a test on each side asks this table what that code has to say.

mod own;
mod records;

pub use own::{OwnEvent, own_events};

use audit_core::Digest;
use audit_core::digest::leaf_hash;
use audit_core::limits::{MARKS_MAX, RECORD_BYTES_MAX, RECORD_DEPTH_MAX};
use audit_core::record::{HASH_FIELD_BYTES, HASH_FIELD_END, HASH_FIELD_START};

/// A plain record up to its hash: `$N` is its seq, `$H` that in hex, `$S` its service, `$P` the hash
/// before it.
const RECORD: &str = concat!(
    r#"{"v":1,"seq":$N,"audit_id":"audit-$S-$H","timestamp":"2026-01-02T00:00:00.000000002Z","#,
    r#""service_id":"$S","event":{"event_type":"x"},"prev_hash":"$P""#
);

/// Its event.
const EVENT: &str = r#"{"event_type":"x"}"#;

/// What stands for bytes that are no part of UTF-8.
const NO_UTF8: [(&str, &[u8]); 4] = [
    ("$ff", &[0xff]),
    ("$c0", &[0xc0, 0xaf]),
    ("$ed", &[0xed, 0xa0, 0x80]),
    ("$f0", &[0xf0, 0x9f]),
];

/// Where a line is to stand in a log.
#[derive(Clone, Copy, Debug)]
pub struct Spot<'s> {
    /// The seq that is due.
    pub seq: u64,
    /// The log's service.
    pub service_id: &'s str,
    /// The hash of the record before.
    pub prev_hash: Digest,
}

/// A line of the table.
#[derive(Clone, Debug)]
pub struct HostileLine {
    /// What is special about it.
    pub name: String,
    /// Whether it is a record as the format says.
    pub is_well_formed: bool,
    /// Whether it has a seal, which segments that are not sealed do not hold. It is no right one.
    pub is_sealed: bool,
    template: String,
    /// The length that the line is to have, without its line feed.
    length: Option<usize>,
}

impl HostileLine {
    fn new(name: impl Into<String>, template: String, is_well_formed: bool) -> Self {
        Self { name: name.into(), is_well_formed, is_sealed: false, template, length: None }
    }

    fn with_event(name: impl Into<String>, event: &str, is_well_formed: bool) -> Self {
        Self::new(name, RECORD.replace(EVENT, event), is_well_formed)
    }

    /// The line with its hash and its line feed, for this place in a log.
    #[must_use]
    pub fn bytes(&self, spot: &Spot<'_>) -> Vec<u8> {
        let seq = spot.seq.to_string();
        let text = self
            .template
            .replace("$N", &seq)
            .replace("$H", &format!("{:016x}", spot.seq))
            .replace("$S", spot.service_id)
            .replace("$P", &spot.prev_hash.to_string());
        let frame = text.len().saturating_add(HASH_FIELD_BYTES).saturating_sub("$L".len());
        let filler = "l".repeat(self.length.unwrap_or_default().saturating_sub(frame));
        with_hash(without_stand_ins(&text.replace("$L", &filler)))
    }
}

/// Puts the bytes in that no text can hold.
fn without_stand_ins(text: &str) -> Vec<u8> {
    for (stand_in, bytes) in NO_UTF8 {
        if let Some((before, after)) = text.split_once(stand_in) {
            return [before.as_bytes(), bytes, after.as_bytes()].concat();
        }
    }
    text.as_bytes().to_vec()
}

fn with_hash(mut body: Vec<u8>) -> Vec<u8> {
    let hash = leaf_hash(&body);
    body.extend_from_slice(HASH_FIELD_START);
    body.extend_from_slice(&hash.to_hex());
    body.extend_from_slice(HASH_FIELD_END);
    body.push(b'\n');
    body
}

/// The table. Every name in it is there once.
#[must_use]
pub fn hostile_lines() -> Vec<HostileLine> {
    let mut lines = vec![HostileLine::new("plain", RECORD.to_owned(), true)];
    for (name, from, to) in records::MALFORMED {
        lines.push(HostileLine::new(*name, RECORD.replacen(from, to, 1), false));
    }
    for (name, from, to) in records::WELL_FORMED {
        lines.push(HostileLine::new(*name, RECORD.replacen(from, to, 1), true));
    }
    for event in records::EVENTS_MALFORMED {
        lines.push(HostileLine::with_event(format!("event {event:?}"), event, false));
    }
    for event in records::EVENTS_WELL_FORMED {
        lines.push(HostileLine::with_event(format!("event {event:?}"), event, true));
    }
    for (pointers, is_well_formed) in records::SANITIZED {
        let event = format!(r#"{EVENT},"sanitized":{pointers}"#);
        let name = format!("sanitized {pointers:?}");
        lines.push(HostileLine::with_event(name, &event, *is_well_formed));
    }
    for (seal, is_well_formed) in records::SEALS {
        let template = RECORD.replace(r#""$P""#, &format!(r#""$P"{seal}"#));
        let name = format!("seal {seal:?}");
        let line = HostileLine::new(name, template, *is_well_formed);
        lines.push(HostileLine { is_sealed: true, ..line });
    }
    lines.extend(at_limits());
    lines
}

/// Lines that are as large as a limit allows, and one larger.
fn at_limits() -> Vec<HostileLine> {
    let mut lines = Vec::new();
    let counts = |most: usize| [(most, true), (most.saturating_add(1), false)];
    for (depth, is_well_formed) in counts(RECORD_DEPTH_MAX.saturating_sub(1)) {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let inner = if open == "[" { "" } else { "1" };
            let value = [open.repeat(depth).as_str(), inner, &close.repeat(depth)].concat();
            let event = format!(r#"{{"event_type":"x","a":{value}}}"#);
            let name = format!("{depth} of {open:?} nested in an event");
            lines.push(HostileLine::with_event(name, &event, is_well_formed));
        }
    }
    for (count, is_well_formed) in counts(MARKS_MAX) {
        let pointers: Vec<_> = (0..count).map(|number| format!("\"/{number}\"")).collect();
        let event = format!(r#"{EVENT},"sanitized":[{}]"#, pointers.join(","));
        lines.push(HostileLine::with_event(format!("{count} pointers"), &event, is_well_formed));
    }
    for (length, is_well_formed) in counts(RECORD_BYTES_MAX) {
        let event = r#"{"event_type":"x","a":"$L"}"#;
        let line = HostileLine::with_event(format!("{length} bytes"), event, is_well_formed);
        lines.push(HostileLine { length: Some(length), ..line });
    }
    for keys in [40, 400] {
        let mut members: Vec<_> = (0..keys).map(|key| format!("\"k{key}\":0")).collect();
        let event = |members: &[String]| format!(r#"{{"event_type":"x",{}}}"#, members.join(","));
        lines.push(HostileLine::with_event(format!("{keys} keys"), &event(&members), true));
        members.push("\"\\u006b1\":0".to_owned());
        let name = format!("{keys} keys and one of them again");
        lines.push(HostileLine::with_event(name, &event(&members), false));
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const SPOT: Spot<'static> = Spot { seq: 7, service_id: "web", prev_hash: Digest::ZERO };

    #[test]
    fn every_line_has_a_name_of_its_own_and_differs_from_the_plain_one() {
        let lines = hostile_lines();
        let names: BTreeSet<_> = lines.iter().map(|line| &line.name).collect();
        let bytes: BTreeSet<_> = lines.iter().map(|line| line.bytes(&SPOT)).collect();
        assert_eq!((names.len(), bytes.len()), (lines.len(), lines.len()));
        let own = own_events();
        let names: BTreeSet<_> = own.iter().map(|own| &own.name).collect();
        let events: BTreeSet<_> = own.iter().map(|own| &own.event).collect();
        assert_eq!((names.len(), events.len()), (own.len(), own.len()));
    }

    #[test]
    fn every_line_has_the_right_hash() {
        for line in hostile_lines() {
            let bytes = line.bytes(&SPOT);
            let body = bytes.get(..bytes.len() - HASH_FIELD_BYTES - 1).unwrap();
            assert_eq!(with_hash(body.to_vec()), bytes, "{}", line.name);
        }
    }

    #[test]
    fn the_longest_line_is_as_long_as_a_record_may_be() {
        let length = |line: &HostileLine| line.bytes(&SPOT).len() - 1;
        let longest = |is_well_formed: bool| {
            let lines = hostile_lines().into_iter();
            lines
                .filter(|line| line.is_well_formed == is_well_formed)
                .map(|line| length(&line))
                .max()
        };
        assert_eq!(longest(true), Some(RECORD_BYTES_MAX));
        assert_eq!(longest(false), Some(RECORD_BYTES_MAX + 1));
    }
}

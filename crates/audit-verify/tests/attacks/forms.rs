//! The same said in another form of JSON, and other versions.

use audit_core::Digest;

use crate::builder::lines_of;
use crate::hunt::{Level, Mutant};
use crate::logs::Log;
use crate::mutants::seal_from;

/// Bytes of a hash field and a line feed, which end a line.
const SEAL_BYTES: usize = 76;

/// What a line says of its place in the chain.
pub(crate) struct Line {
    pub(crate) seq: u64,
    pub(crate) prev_hash: Digest,
    pub(crate) hash: Digest,
}

impl Line {
    /// Of a whole one.
    pub(crate) fn read(line: &[u8]) -> Option<Self> {
        let record: serde_json::Value = serde_json::from_slice(line).ok()?;
        let digest = |name: &str| Digest::from_hex(record[name].as_str()?.as_bytes());
        Some(Self {
            seq: record["seq"].as_u64()?,
            prev_hash: digest("prev_hash")?,
            hash: digest("hash")?,
        })
    }
}

/// How a line can be written anew at one of its bytes. Each says what may come of it where the
/// hashes from there on are put right.
static FORMS: [(Form, Says); 7] = [
    (space_behind, Says::NoRecord),
    (tab_before, Says::NoRecord),
    (member_twice, Says::NoRecord),
    (fraction, Says::NoRecord),
    (leading_zero, Says::NoRecord),
    (escape, Says::AnotherRecord),
    (members_exchanged, Says::AnotherRecord),
];

/// The line written anew, where this form has something to do with that byte.
type Form = fn(&str, usize) -> Option<String>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    NoRecord,
    AnotherRecord,
}

/// At each byte, with the hashes as they were, and put right to the end of the segment.
pub(crate) fn ways(log: &Log) -> usize {
    2 * FORMS.len() * log.byte_count()
}

pub(crate) fn write_anew(log: &Log, way: usize) -> Option<Mutant> {
    let ((form, says), way) = (FORMS[way % FORMS.len()], way / FORMS.len());
    let (file, at) = log.byte(way / 2);
    let is_sealed = way % 2 == 1;
    let (mut number, mut at) = (0, at);
    let lines = lines_of(&log.files[file]);
    while lines[number].len() <= at {
        at -= lines[number].len();
        number += 1;
    }
    let line = std::str::from_utf8(&lines[number]).unwrap();
    let (body, seal) = line.split_at(line.len().checked_sub(SEAL_BYTES)?);
    if at >= body.len() {
        return None;
    }
    let written = form(body, at)? + seal;
    let files = log.with_lines(file, |lines| {
        lines[number] = written.into_bytes();
        if is_sealed {
            seal_from(lines, number);
        }
    });
    let is_free = is_sealed && says == Says::AnotherRecord && log.is_last(file);
    Mutant::found_by(if is_free { log.level_of_its_end() } else { Level::Chain }, files)
}

/// Whether a byte stands in a text. Nothing in these logs is escaped.
fn is_in_text(body: &str, at: usize) -> bool {
    body[..at].matches('"').count() % 2 == 1
}

fn is_sign(body: &str, at: usize, signs: &str) -> bool {
    signs.contains(&body[at..=at]) && !is_in_text(body, at)
}

fn insert(body: &str, at: usize, text: &str) -> String {
    [&body[..at], text, &body[at..]].concat()
}

fn space_behind(body: &str, at: usize) -> Option<String> {
    is_sign(body, at, ",:{[").then(|| insert(body, at + 1, " "))
}

fn tab_before(body: &str, at: usize) -> Option<String> {
    is_sign(body, at, "}],:").then(|| insert(body, at, "\t"))
}

/// The end of the member or item that begins here.
fn end_of_member(body: &str, start: usize) -> usize {
    let mut depth = 0;
    for (at, byte) in body.bytes().enumerate().skip(start) {
        match byte {
            _ if is_in_text(body, at) => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 0 => depth -= 1,
            b'}' | b']' | b',' if depth == 0 => return at,
            _ => {}
        }
    }
    body.len()
}

/// The member behind a comma.
fn member_behind(body: &str, at: usize) -> Option<&str> {
    let member = &body[at + 1..end_of_member(body, at + 1)];
    (is_sign(body, at, ",") && member.starts_with('"') && member.contains("\":")).then_some(member)
}

fn member_twice(body: &str, at: usize) -> Option<String> {
    let member = member_behind(body, at)?;
    Some(insert(body, at, &format!(",{member}")))
}

fn members_exchanged(body: &str, at: usize) -> Option<String> {
    let first = member_behind(body, at)?;
    let next = at + 1 + first.len();
    let second = body.get(next..=next).and_then(|_| member_behind(body, next))?;
    let rest = &body[next + 1 + second.len()..];
    Some(format!("{},{second},{first}{rest}", &body[..at]))
}

fn is_number(body: &str, at: usize) -> bool {
    body.as_bytes().get(at).is_some_and(u8::is_ascii_digit) && !is_in_text(body, at)
}

fn fraction(body: &str, at: usize) -> Option<String> {
    let is_last = is_number(body, at) && !is_number(body, at + 1);
    is_last.then(|| insert(body, at + 1, if at.is_multiple_of(2) { ".0" } else { "e0" }))
}

fn leading_zero(body: &str, at: usize) -> Option<String> {
    let is_first = is_number(body, at) && !is_number(body, at - 1);
    is_first.then(|| insert(body, at, if at.is_multiple_of(2) { "0" } else { "+" }))
}

fn escape(body: &str, at: usize) -> Option<String> {
    let byte = body.as_bytes()[at];
    let is_letter = byte.is_ascii_alphanumeric() && is_in_text(body, at);
    is_letter.then(|| format!("{}\\u{byte:04x}{}", &body[..at], &body[at + 1..]))
}

const VERSIONS: [&str; 10] = ["0", "2", "3", "9", "10", "01", "1.0", "-1", "\"1\"", "null"];

/// Of each line, alone and of all from there on.
pub(crate) fn versions(log: &Log) -> usize {
    4 * VERSIONS.len() * log.line_count()
}

pub(crate) fn change_version(log: &Log, way: usize) -> Option<Mutant> {
    let (version, way) = (VERSIONS[way % VERSIONS.len()], way / VERSIONS.len());
    let (is_sealed, is_alone) = (way % 2 == 1, way / 2 % 2 == 1);
    let (file, at) = log.line(way / 4);
    let files = log.with_lines(file, |lines| {
        let end = if is_alone { at + 1 } else { lines.len() };
        for line in &mut lines[at..end] {
            line.splice(5..6, version.bytes());
        }
        if is_sealed {
            seal_from(lines, at);
        }
    });
    Mutant::found_by(Level::Chain, files)
}

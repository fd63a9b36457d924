//! The rule for one text: which characters it may hold, how long it may be, and how it is written
//! when it is not so.

use std::borrow::Cow;
use std::fmt::Write as _;

use audit_core::event::FREE_TEXT_MEMBERS;
use audit_core::limits::{FREE_TEXT_BYTES_MAX, TEXT_BYTES_MAX};
use audit_core::{Digest, is_hostile};

use crate::error::{TextFault, ValidationError};
use crate::marker::{Marker, OPEN};
use crate::restore::restore_bytes;

/// Makes each hostile code point visible as its name in mathematical white square brackets, and
/// likewise the opening one of these brackets, so that [`restore`](crate::restore()) gives the text
/// back. Borrowed when there is nothing to change. The length is not limited.
///
/// # Errors
///
/// None: neutralising cannot fail. The signature leaves room for callers that treat it like the
/// functions that follow a policy.
pub fn sanitize(text: &str) -> Result<Cow<'_, str>, ValidationError> {
    Ok(Rule { kind: Kind::Text, origin: Origin::Caller, bytes_max: usize::MAX }.applied(text))
}

/// As [`sanitize`], but tabs and line feeds stay: for free text.
///
/// # Errors
///
/// None, as with [`sanitize`].
pub fn sanitize_free(text: &str) -> Result<Cow<'_, str>, ValidationError> {
    Ok(Rule { kind: Kind::FreeText, origin: Origin::Caller, bytes_max: usize::MAX }.applied(text))
}

/// What a text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    FreeText,
}

impl Kind {
    /// The kind of an event's member.
    pub(crate) fn of_member(name: &str) -> Self {
        if FREE_TEXT_MEMBERS.contains(&name) { Self::FreeText } else { Self::Text }
    }

    fn keeps(self, c: char) -> bool {
        match c {
            '\t' | '\n' => self == Self::FreeText,
            c => !is_hostile(c) && c != OPEN,
        }
    }
}

/// Where a text comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// From a caller, as it is.
    Caller,
    /// From a line that could only be read after [`repair`](crate::repair::repair): U+27E6 begins
    /// a marker that was written there, and nothing else.
    Repaired,
}

impl Origin {
    /// The bytes that a text, or the JSON of texts, had before the repair.
    pub(crate) fn original(self, text: &str) -> Cow<'_, [u8]> {
        match self {
            Self::Repaired => restore_bytes(text).map_or(text.as_bytes().into(), Cow::Owned),
            Self::Caller => Cow::Borrowed(text.as_bytes()),
        }
    }
}

/// What one text has to be like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) kind: Kind,
    pub(crate) origin: Origin,
    /// Longest text in bytes of JSON without quotes, [`Marker::REST_BYTES_MAX`] at least.
    pub(crate) bytes_max: usize,
}

impl Rule {
    pub(crate) const fn new(kind: Kind, origin: Origin) -> Self {
        let bytes_max = match kind {
            Kind::Text => TEXT_BYTES_MAX,
            Kind::FreeText => FREE_TEXT_BYTES_MAX,
        };
        Self { kind, origin, bytes_max }
    }

    /// Whether a text may stay as it is, and the first reason why not.
    pub(crate) fn check(self, text: &str) -> Result<(), TextFault> {
        if let Some(marker) = self.first_marker(text) {
            return Err(match marker {
                Marker::Char(c) => TextFault::Hostile(c),
                Marker::Byte(byte) => TextFault::InvalidByte(byte),
                Marker::Surrogate(code) => TextFault::LoneSurrogate(code),
                // No text comes with one: it would begin with U+27E6 that was neutralised.
                Marker::Rest { .. } => TextFault::Hostile(OPEN),
            });
        }
        let bytes_max = self.bytes_max;
        match encoded_bytes(text) {
            bytes if bytes > bytes_max => Err(TextFault::TooLong { bytes, bytes_max }),
            _ => Ok(()),
        }
    }

    /// The first marker that the text would be written with.
    fn first_marker(self, text: &str) -> Option<Marker> {
        // Most text is printable ASCII to its end, and of that every byte stays.
        let plain = text.bytes().position(|byte| !matches!(byte, b' '..=b'~'))?;
        let rest = text.get(plain..)?;
        let at = rest.find(|c| !self.kind.keeps(c))?;
        match self.first_piece(rest.get(at..)?)? {
            (Piece::Marker(marker), _) => Some(marker),
            (Piece::Same(_), _) => None,
        }
    }

    fn applied(self, text: &str) -> Cow<'_, str> {
        self.check(text).map_or_else(|_| Cow::Owned(self.rewrite(text)), |()| Cow::Borrowed(text))
    }

    /// The text as the rule wants it: neutralised and, where it would be too long, its beginning
    /// and a marker. The marker counts the bytes of the original that the beginning does not stand
    /// for, and has the SHA-256 of the whole original.
    pub(crate) fn rewrite(self, text: &str) -> String {
        let room = self.bytes_max.saturating_sub(Marker::REST_BYTES_MAX);
        let mut out = String::new();
        let mut kept = Written::default();
        let mut written = Written::default();
        let mut rest = text;
        while let Some((piece, after)) = self.first_piece(rest) {
            piece.write(&mut out);
            written = written.after(&out, piece);
            if written.encoded > self.bytes_max {
                out.truncate(kept.len);
                let original = self.origin.original(text);
                let bytes = original.len().saturating_sub(kept.original);
                push(&mut out, Marker::Rest { bytes, sha256: Digest::of(&original) });
                break;
            }
            if written.encoded <= room {
                kept = written;
            }
            rest = after;
        }
        out
    }

    /// The first character of a text as it is written, and what follows it.
    fn first_piece(self, text: &str) -> Option<(Piece, &str)> {
        if self.origin == Origin::Repaired
            && let Some((marker, rest)) = Marker::parse(text)
        {
            return Some((Piece::Marker(marker), rest));
        }
        let mut chars = text.chars();
        let c = chars.next()?;
        let same = self.kind.keeps(c);
        let piece = if same { Piece::Same(c) } else { Piece::Marker(Marker::Char(c)) };
        Some((piece, chars.as_str()))
    }
}

#[derive(Clone, Copy)]
enum Piece {
    Same(char),
    Marker(Marker),
}

impl Piece {
    fn write(self, out: &mut String) {
        match self {
            Self::Same(c) => out.push(c),
            Self::Marker(marker) => push(out, marker),
        }
    }

    const fn original_bytes(self) -> usize {
        match self {
            Self::Same(c) => c.len_utf8(),
            Self::Marker(marker) => marker.original_bytes(),
        }
    }
}

/// How far a rewriting has come, in bytes: of the text that is written, of its JSON, and of the
/// original that it stands for.
#[derive(Clone, Copy, Default)]
struct Written {
    len: usize,
    encoded: usize,
    original: usize,
}

impl Written {
    fn after(self, out: &str, piece: Piece) -> Self {
        let added = encoded_bytes(out.get(self.len..).unwrap_or_default());
        Self {
            len: out.len(),
            encoded: self.encoded.saturating_add(added),
            original: self.original.saturating_add(piece.original_bytes()),
        }
    }
}

fn push(out: &mut String, marker: Marker) {
    // Writing into a String does not fail.
    let written = write!(out, "{marker}");
    debug_assert!(written.is_ok());
}

/// Length in bytes of a text in JSON, without quotes. The text holds no control but tab and line
/// feed, whose escapes take two bytes like those of quote and backslash.
fn encoded_bytes(text: &str) -> usize {
    let escaped = text.bytes().filter(|byte| matches!(byte, b'"' | b'\\' | b'\t' | b'\n'));
    text.len().saturating_add(escaped.count())
}

#[cfg(test)]
mod tests;

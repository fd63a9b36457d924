//! From cleaned text back to what it was.

use std::borrow::Cow;

use audit_core::Digest;

use crate::marker::{Marker, OPEN};

/// Why the original of a cleaned text cannot be given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// A byte stood there that is no part of UTF-8; [`restore_bytes`] gives it back.
    #[error("the byte {0:02X} stood there, which is not UTF-8")]
    Byte(u8),
    /// A surrogate without its partner stood there; [`restore_bytes`] gives it back.
    #[error("the unpaired surrogate U+{0:04X} stood there")]
    Surrogate(u16),
    /// The text was shortened: its end is not in the log.
    #[error("{bytes} bytes were left out, of a text whose SHA-256 is {sha256}")]
    Shortened {
        /// How many bytes of the original were left out. Of a list: how many its other items take
        /// as a compact JSON array.
        bytes: usize,
        /// SHA-256 of the whole original. Of a list: of that array.
        sha256: Digest,
    },
    /// U+27E6 stands there without a marker, so the text was never cleaned.
    #[error("no marker of a cleaned text begins at byte {offset}")]
    NoMarker {
        /// Where, in bytes of the cleaned text.
        offset: usize,
    },
}

/// Gives back the text that [`sanitize`](crate::sanitize) or
/// [`sanitize_free`](crate::sanitize_free) was given. Borrowed when nothing had been changed.
///
/// # Errors
///
/// [`RestoreError`], in every variant.
pub fn restore(text: &str) -> Result<Cow<'_, str>, RestoreError> {
    if !text.contains(OPEN) {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece? {
            Piece::Plain(plain) => out.push_str(plain),
            Piece::Char(c) => out.push(c),
            Piece::Byte(byte) => return Err(RestoreError::Byte(byte)),
            Piece::Surrogate(code) => return Err(RestoreError::Surrogate(code)),
        }
    }
    Ok(Cow::Owned(out))
}

/// Gives back the bytes that a text was made of. A surrogate without its partner, which no UTF-8
/// has, comes as the three bytes that encode it in WTF-8.
///
/// # Errors
///
/// [`RestoreError::Shortened`] and [`RestoreError::NoMarker`].
pub fn restore_bytes(text: &str) -> Result<Vec<u8>, RestoreError> {
    let mut out = Vec::with_capacity(text.len());
    for piece in pieces(text) {
        match piece? {
            Piece::Plain(plain) => out.extend_from_slice(plain.as_bytes()),
            Piece::Char(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Piece::Byte(byte) => out.push(byte),
            Piece::Surrogate(code) => out.extend_from_slice(&wtf8(code)),
        }
    }
    Ok(out)
}

enum Piece<'t> {
    Plain(&'t str),
    Char(char),
    Byte(u8),
    Surrogate(u16),
}

/// Takes a text apart at its markers. Nothing comes after an error.
fn pieces(text: &str) -> impl Iterator<Item = Result<Piece<'_>, RestoreError>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let offset = text.len().saturating_sub(rest.len());
        let (plain, after) = rest.split_at(rest.find(OPEN).unwrap_or(rest.len()));
        if !plain.is_empty() {
            rest = after;
            return Some(Ok(Piece::Plain(plain)));
        }
        if rest.is_empty() {
            return None;
        }
        let (marker, after) = Marker::parse(rest).unzip();
        rest = after.unwrap_or("");
        Some(match marker {
            Some(Marker::Char(c)) => Ok(Piece::Char(c)),
            Some(Marker::Byte(byte)) => Ok(Piece::Byte(byte)),
            Some(Marker::Surrogate(code)) => Ok(Piece::Surrogate(code)),
            Some(Marker::Rest { bytes, sha256 }) => Err(RestoreError::Shortened { bytes, sha256 }),
            None => Err(RestoreError::NoMarker { offset }),
        })
    })
}

/// The generalised UTF-8 of a surrogate: `1110_1101 10xx_xxxx 10xx_xxxx`.
const fn wtf8(code: u16) -> [u8; 3] {
    let [high, low] = code.to_be_bytes();
    [0xed, 0x80 | ((high & 0x0f) << 2) | (low >> 6), 0x80 | (low & 0x3f)]
}

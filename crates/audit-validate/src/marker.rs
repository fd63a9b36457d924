//! Markers: what stands in cleaned text for what could not stay in it.

use std::fmt;

use audit_core::{Digest, is_hostile, write_neutral};

/// Begins every marker. Where a text has it of its own it is replaced by its marker, so that no
/// text can imitate one.
pub(crate) const OPEN: char = '\u{27e6}';

const CLOSE: char = '\u{27e7}';

/// What stood in a marker's place. [`fmt::Display`] writes the marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marker {
    /// `U+XXXX`, a code point.
    Char(char),
    /// `U+D8XX`, a surrogate without its partner.
    Surrogate(u16),
    /// `xHH`, a byte that is no part of UTF-8.
    Byte(u8),
    /// `+N bytes sha256:HEX`, the rest of a text or of a list.
    Rest {
        /// How much was left out.
        bytes: usize,
        /// Of what, the marker's writer decides.
        sha256: Digest,
    },
}

impl Marker {
    /// Longest [`Marker::Rest`] in bytes: N has at most 20 digits.
    pub(crate) const REST_BYTES_MAX: usize = 105;

    /// Reads the marker that a text begins with, and what follows it. Only what [`fmt::Display`]
    /// writes is a marker: there is one way to write each.
    pub(crate) fn parse(text: &str) -> Option<(Self, &str)> {
        let (body, rest) = text.strip_prefix(OPEN)?.split_once(CLOSE)?;
        let marker = if let Some(hex) = body.strip_prefix("U+") {
            Self::from_code(u32::from_str_radix(hex, 16).ok()?)?
        } else if let Some(hex) = body.strip_prefix('x') {
            Self::Byte(u8::from_str_radix(hex, 16).ok().filter(|byte| !byte.is_ascii())?)
        } else {
            let (bytes, hex) = body.strip_prefix('+')?.split_once(" bytes sha256:")?;
            Self::Rest { bytes: bytes.parse().ok()?, sha256: Digest::from_hex(hex.as_bytes())? }
        };
        let written = text.len().saturating_sub(rest.len());
        (Some(&*marker.to_string()) == text.get(..written)).then_some((marker, rest))
    }

    fn from_code(code: u32) -> Option<Self> {
        match char::from_u32(code) {
            Some(c) => (is_hostile(c) || c == OPEN).then_some(Self::Char(c)),
            None => u16::try_from(code).ok().map(Self::Surrogate),
        }
    }

    /// Length in bytes of what it stands for, as [`crate::restore_bytes`] gives it back.
    pub(crate) const fn original_bytes(self) -> usize {
        match self {
            Self::Char(c) => c.len_utf8(),
            Self::Surrogate(_) => 3,
            Self::Byte(_) => 1,
            Self::Rest { bytes, .. } => bytes,
        }
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Char(c) => write_neutral(f, *c),
            Self::Surrogate(code) => write!(f, "{OPEN}U+{code:04X}{CLOSE}"),
            Self::Byte(byte) => write!(f, "{OPEN}x{byte:02X}{CLOSE}"),
            Self::Rest { bytes, sha256 } => {
                write!(f, "{OPEN}+{bytes} bytes sha256:{sha256}{CLOSE}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let rest = Marker::Rest { bytes: usize::MAX, sha256: Digest::of(b"") };
        let chars = ['\0', '\u{1b}', '\u{202e}', OPEN, '\u{10ffff}'].map(Marker::Char);
        let others = [Marker::Surrogate(0xd800), Marker::Surrogate(0xdfff), Marker::Byte(0xff)];
        for marker in chars.into_iter().chain(others).chain([rest]) {
            let text = format!("{marker}{CLOSE} after");
            assert_eq!(Marker::parse(&text), Some((marker, "\u{27e7} after")));
        }
        assert_eq!(rest.to_string().len(), Marker::REST_BYTES_MAX);
    }

    #[test]
    fn what_nobody_writes_is_no_marker() {
        for body in [
            "",
            "U+",
            "U+1B",
            "U+001b",
            "U+0001B",
            "U++01B",
            "U+0041",
            "U+27E7",
            "U+110000",
            "x",
            "x7F",
            "xff",
            "x0FF",
            "+1 bytes sha256:",
            "+01 bytes sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ] {
            assert_eq!(Marker::parse(&format!("{OPEN}{body}{CLOSE}")), None, "{body}");
        }
        assert_eq!(Marker::parse("\u{27e6}U+001B"), None);
        assert_eq!(Marker::parse("a\u{27e6}U+001B\u{27e7}"), None);
    }
}

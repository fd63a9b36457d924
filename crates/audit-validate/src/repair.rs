//! A line of input that is not UTF-8 or whose escapes are not, written so that it can be read.

use std::fmt::Write as _;

use crate::marker::{Marker, OPEN};

/// Whether a JSON text has an escape of a surrogate without its partner, which no reader takes.
pub(crate) fn has_lone_surrogate(text: &str) -> bool {
    tokens(text).any(|token| matches!(token, Token::Marker(Marker::Surrogate(_))))
}

/// The line with a marker in place of each byte that is no part of UTF-8, each escape of a
/// surrogate without its partner, and each U+27E6, be it raw or escaped.
///
/// Strings are not told from what surrounds them: outside of a string none of these is JSON, and
/// neither is a marker, so the reader refuses the line as it would have.
pub(crate) fn repair(line: &[u8]) -> String {
    let mut out = String::with_capacity(line.len());
    for chunk in line.utf8_chunks() {
        tokens(chunk.valid()).for_each(|token| token.write(&mut out));
        chunk.invalid().iter().for_each(|&byte| Token::Marker(Marker::Byte(byte)).write(&mut out));
    }
    out
}

/// A piece of JSON text as it is written into the repaired line.
enum Token<'t> {
    Same(&'t str),
    Marker(Marker),
}

impl Token<'_> {
    fn write(self, out: &mut String) {
        // Writing into a String does not fail.
        let written = match self {
            Self::Same(text) => out.write_str(text),
            Self::Marker(marker) => write!(out, "{marker}"),
        };
        debug_assert!(written.is_ok());
    }
}

fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let plain = rest.find(['\\', OPEN]).unwrap_or(rest.len());
        let (marker, len) = match (plain, rest.chars().next()?) {
            (0, OPEN) => (Some(Marker::Char(OPEN)), OPEN.len_utf8()),
            (0, _) => escape(rest),
            (plain, _) => (None, plain),
        };
        let (same, after) = rest.split_at_checked(len).unwrap_or((rest, ""));
        rest = after;
        Some(marker.map_or(Token::Same(same), Token::Marker))
    })
}

/// The marker to write for the escape that a text begins with, if any, and the escape's length.
fn escape(text: &str) -> (Option<Marker>, usize) {
    const UNIT: usize = r"\uXXXX".len();
    let Some(unit) = code_unit(text) else {
        let escaped = text.chars().nth(1).map_or(0, char::len_utf8);
        return (None, escaped.saturating_add(1));
    };
    let partner = || text.get(UNIT..).and_then(code_unit);
    match unit {
        0x27e6 => (Some(Marker::Char(OPEN)), UNIT),
        0xd800..=0xdbff if matches!(partner(), Some(0xdc00..=0xdfff)) => {
            (None, UNIT.saturating_mul(2))
        }
        0xd800..=0xdfff => (Some(Marker::Surrogate(unit)), UNIT),
        _ => (None, UNIT),
    }
}

/// The UTF-16 code unit of a `\uXXXX` that a text begins with.
fn code_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix(r"\u")?.get(..4)?;
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn becomes(line: &[u8], repaired: &str) {
        assert_eq!(repair(line), repaired);
    }

    #[test]
    fn bytes_surrogates_and_brackets_become_markers() {
        becomes(b"a\xff\xe2\x9fb", "a\u{27e6}xFF\u{27e7}\u{27e6}xE2\u{27e7}\u{27e6}x9F\u{27e7}b");
        becomes(br"\uD800\udfff", r"\uD800\udfff");
        becomes(br"\uDFFF\uD800", "\u{27e6}U+DFFF\u{27e7}\u{27e6}U+D800\u{27e7}");
        becomes(br"\ud800\ud800\udc00", "\u{27e6}U+D800\u{27e7}\\ud800\\udc00");
        becomes(br"\u27e6\u27E6", "\u{27e6}U+27E6\u{27e7}\u{27e6}U+27E6\u{27e7}");
        becomes("\u{27e6}xFF\u{27e7}".as_bytes(), "\u{27e6}U+27E6\u{27e7}xFF\u{27e7}");
    }

    #[test]
    fn what_only_looks_like_an_escape_stays() {
        for same in [r"\\ud800", r"\\\\u27e6", r"\ud80", r"\u+d80", "\\", r#"\"\n\u001b"#, ""] {
            becomes(same.as_bytes(), same);
            assert!(!has_lone_surrogate(same), "{same}");
        }
        assert!(has_lone_surrogate(r"\\\ud800"));
        assert!(!has_lone_surrogate("\\u27e6 \u{27e6}"));
    }

    #[test]
    fn an_invalid_byte_parts_a_pair() {
        becomes(
            b"\\ud800\xff\\udc00",
            "\u{27e6}U+D800\u{27e7}\u{27e6}xFF\u{27e7}\u{27e6}U+DC00\u{27e7}",
        );
    }
}

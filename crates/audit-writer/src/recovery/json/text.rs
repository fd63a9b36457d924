//! A JSON text as it is written, and its characters.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::str::Chars;

/// A text whose escapes were looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'t> {
    /// Between its quotes.
    raw: &'t [u8],
    escaped: bool,
}

impl<'t> Text<'t> {
    pub(super) const fn new(raw: &'t [u8], escaped: bool) -> Self {
        Self { raw, escaped }
    }

    /// Whether it is this text.
    pub(crate) fn is(&self, text: &str) -> bool {
        if self.escaped { self.chars().eq(text.chars()) } else { self.raw == text.as_bytes() }
    }

    /// Without escapes.
    pub(crate) fn to_plain(self) -> Cow<'t, str> {
        if self.escaped { self.chars().collect() } else { Cow::Borrowed(self.as_str()) }
    }

    /// Quotes are around it, so it is whole UTF-8 where the line is.
    fn as_str(self) -> &'t str {
        std::str::from_utf8(self.raw).unwrap_or_default()
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        if self.escaped || other.escaped {
            self.chars().eq(other.chars())
        } else {
            self.raw == other.raw
        }
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        if self.escaped || other.escaped {
            // Characters have the order of their bytes.
            self.chars().cmp(other.chars())
        } else {
            self.raw.cmp(other.raw)
        }
    }

    fn chars(self) -> Plain<'t> {
        Plain(self.as_str().chars())
    }
}

/// The characters that a text stands for.
struct Plain<'t>(Chars<'t>);

impl Iterator for Plain<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let char = self.0.next()?;
        if char != '\\' {
            return Some(char);
        }
        let (char, bytes) = escape(self.0.as_str().as_bytes())?;
        self.0.nth(bytes.checked_sub(1)?)?;
        Some(char)
    }
}

/// The character of the escape that comes next, behind its backslash, and its length. `None` where
/// there is no such escape, or half of a surrogate pair.
pub(super) fn escape(rest: &[u8]) -> Option<(char, usize)> {
    let char = match rest.first()? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(rest.get(1..)?),
        _ => return None,
    };
    Some((char, 1))
}

fn unicode(digits: &[u8]) -> Option<(char, usize)> {
    let (first, rest) = unit(digits)?;
    if let Some(char) = char::from_u32(first.into()) {
        return Some((char, 5));
    }
    let (second, _) = unit(rest.strip_prefix(br"\u")?)?;
    let char = char::decode_utf16([first, second]).next()?.ok()?;
    Some((char, 11))
}

fn unit(digits: &[u8]) -> Option<(u16, &[u8])> {
    let (four, rest) = digits.split_first_chunk::<4>()?;
    let add = |unit, &digit: &u8| {
        let value = char::from(digit).to_digit(16)?;
        Some(unit << 4 | u16::try_from(value).ok()?)
    };
    Some((four.iter().try_fold(0, add)?, rest))
}

//! Which code points may not be shown or stored raw, and how they are written instead.

use std::borrow::Cow;
use std::fmt::{self, Write};

/// Whether a code point can move, hide, reorder or imitate text where a person or a terminal reads
/// it: controls, bidirectional controls, invisible characters, tags, and noncharacters.
///
/// Joiners U+200C and U+200D are not hostile: scripts need them. See CWE-117, CWE-150,
/// CVE-2021-42574, Unicode TR36 and TR39.
#[must_use]
pub const fn is_hostile(c: char) -> bool {
    if (c as u32) < 0x80 {
        return matches!(c, '\u{0}'..='\u{1f}' | '\u{7f}');
    }
    matches!(c,
        '\u{80}'..='\u{9f}'
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        | '\u{2028}' | '\u{2029}'
        | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{fdd0}'..='\u{fdef}'
        | '\u{e0000}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
        || (c as u32) & 0xfffe == 0xfffe
}

/// Writes a code point as its visible name, `U+XXXX` in mathematical white square brackets.
///
/// # Errors
///
/// Only those of `out`.
pub fn write_neutral(out: &mut impl Write, c: char) -> fmt::Result {
    write!(out, "\u{27e6}U+{:04X}\u{27e7}", u32::from(c))
}

/// Writes every hostile code point of a JSON text as its escape, which means the same: outside of
/// texts, there is none. Borrowed when there is none at all.
#[must_use]
pub fn escape_json(json: &str) -> Cow<'_, str> {
    if !json.contains(is_hostile) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if !is_hostile(c) {
            escaped.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing into a String does not fail.
            let written = write!(escaped, "\\u{unit:04x}");
            debug_assert!(written.is_ok());
        }
    }
    Cow::Owned(escaped)
}

/// Displays text that nobody has cleaned, with every hostile code point made visible. For file
/// names, and for bytes of a log that is being checked.
#[derive(Clone, Copy, Debug)]
pub struct Inert<'a>(
    /// The text as it came.
    pub &'a str,
);

impl fmt::Display for Inert<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if is_hostile(c) || c == '\u{27e6}' {
                write_neutral(f, c)?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hostile_are_exactly_those_listed() {
        let hostile = (0..=0x0010_ffff).filter_map(char::from_u32).filter(|&c| is_hostile(c));
        let expected = [
            (0x0, 0x1f),
            (0x7f, 0x9f),
            (0x61c, 0x61c),
            (0x200b, 0x200b),
            (0x200e, 0x200f),
            (0x2028, 0x202e),
            (0x2060, 0x2064),
            (0x2066, 0x206f),
            (0xfdd0, 0xfdef),
            (0xfeff, 0xfeff),
            (0xfff9, 0xfffb),
            (0xfffe, 0xffff),
            (0x1_fffe, 0x1_ffff),
        ];
        let planes = (2..=16_u32).map(|plane| ((plane << 16) | 0xfffe, (plane << 16) | 0xffff));
        let tags = [(0xe_0000, 0xe_007f), (0xe_0100, 0xe_01ef)];
        let mut listed: Vec<u32> =
            expected.into_iter().chain(planes).chain(tags).flat_map(|(a, b)| a..=b).collect();
        listed.sort_unstable();
        assert_eq!(hostile.map(u32::from).collect::<Vec<_>>(), listed);
    }

    #[test]
    fn inert_text_shows_what_was_hidden() {
        let shown = Inert("a\u{1b}[2J\u{202e}\u{27e6}").to_string();
        assert_eq!(shown, "a\u{27e6}U+001B\u{27e7}[2J\u{27e6}U+202E\u{27e7}\u{27e6}U+27E6\u{27e7}");
    }

    #[test]
    fn what_could_command_a_terminal_is_escaped_and_means_the_same() {
        let json = "{\"a\":\"\u{9b}2J\u{202e}\u{e0001}caf\u{e9}\"}";
        let escaped = escape_json(json);
        assert_eq!(escaped, "{\"a\":\"\\u009b2J\\u202e\\udb40\\udc01caf\u{e9}\"}");
        let value = |json| serde_json::from_str::<serde_json::Value>(json).unwrap();
        assert_eq!(value(json), value(&escaped));
        assert!(matches!(escape_json("[\"caf\u{e9}\"]"), Cow::Borrowed(_)));
    }
}

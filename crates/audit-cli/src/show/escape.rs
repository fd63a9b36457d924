//! JSON for a terminal.

use std::fmt::Write as _;

use audit_core::is_hostile;

/// Writes every hostile code point of a JSON text as its escape, which means the same: outside of
/// texts, there is none.
pub(crate) fn escape(json: &str) -> String {
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
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_command_a_terminal_is_escaped_and_means_the_same() {
        let json = "{\"a\":\"\u{9b}2J\u{202e}\u{e0001}caf\u{e9}\"}";
        let escaped = escape(json);
        assert_eq!(escaped, "{\"a\":\"\\u009b2J\\u202e\\udb40\\udc01caf\u{e9}\"}");
        let value = |json| serde_json::from_str::<serde_json::Value>(json).unwrap();
        assert_eq!(value(json), value(&escaped));
    }
}

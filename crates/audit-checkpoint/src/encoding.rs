//! The encodings that the specifications share, each with one text for one value.
//!
//! A second text for a value would be a second file for a fact: two notes could differ in their
//! bytes and agree in all that is checked. So what is not written as we would write it is refused.

use audit_core::Digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Standard Base 64 with padding, RFC 4648 section 4.
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads Base 64; padding that is absent and unused bits that are set are refused, as RFC 4648
/// sections 3.2 and 3.5 allow.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Reads the Base 64 of a digest.
pub(crate) fn digest_from_base64(text: &str) -> Option<Digest> {
    let bytes = from_base64(text)?.try_into().ok()?;
    Some(Digest::from_bytes(bytes))
}

/// Reads an ASCII decimal with neither sign nor leading zero.
pub(crate) fn from_decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// Whether a text holds an ASCII control character that is no line feed, which no note may hold
/// (c2sp.org/signed-note, "Format").
pub(crate) fn has_control(text: &str) -> bool {
    text.bytes().any(|byte| byte < b' ' && byte != b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_text() {
        assert_eq!(from_base64("Zg=="), Some(b"f".to_vec()));
        for other in ["Zg", "Zh==", "Zg=", "Zg==\n", " Zg==", "Zg===", "_g=="] {
            assert_eq!(from_base64(other), None, "{other:?}");
        }
        assert_eq!(from_decimal("18446744073709551615"), Some(u64::MAX));
        for other in ["", "00", "01", "+1", "-0", " 1", "1 ", "0x1", "18446744073709551616"] {
            assert_eq!(from_decimal(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_digest_has_32_bytes() {
        for length in [0, 31, 33] {
            assert_eq!(digest_from_base64(&base64(&vec![7; length])), None, "{length}");
        }
        let digest = Digest::of(b"");
        assert_eq!(digest_from_base64(&base64(digest.as_bytes())), Some(digest));
    }
}

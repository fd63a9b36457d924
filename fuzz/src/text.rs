//! Text from callers: cleaning, and reading a line.

use audit_core::limits::{FREE_TEXT_BYTES_MAX, PAYLOAD_BYTES_MAX, TEXT_BYTES_MAX};
use audit_core::marks::Pointer;
use audit_core::record::write_payload;
use audit_core::{AuditEvent, Digest, TextPolicy};
use audit_validate::{
    RestoreError, decode_line, restore, restore_bytes, sanitize_free, validate_string_field,
};
use audit_verify::Verdict;
use serde::de::IgnoredAny;
use std::borrow::Cow;

use crate::hostile::is_hostile;
use crate::log::{log_of_payload, verdict};

/// Cleans a text by every function that does: nothing hostile is left, what was clean is as it was,
/// and the original comes back, or its digest does.
///
/// # Panics
///
/// It is not so.
pub fn sanitize(text: &str) {
    let safe = audit_validate::sanitize(text).unwrap();
    let free = sanitize_free(text).unwrap();
    assert!(!safe.chars().any(is_hostile), "{safe:?}");
    assert!(!free.replace(['\t', '\n'], "").chars().any(is_hostile), "{free:?}");
    for cleaned in [&safe, &free] {
        assert_eq!(restore(cleaned).unwrap(), text);
        assert_eq!(restore_bytes(cleaned).unwrap(), text.as_bytes());
    }
    let is_clean = !text.chars().any(|c| is_hostile(c) || c == '\u{27e6}');
    assert_eq!(matches!(safe, Cow::Borrowed(_)), is_clean);
    assert_eq!(safe == text, is_clean);

    for (member, bytes_max) in [("path", TEXT_BYTES_MAX), ("details", FREE_TEXT_BYTES_MAX)] {
        let mut field = Cow::Borrowed(text);
        let at = Pointer::member(member);
        let marks = validate_string_field(&at, &mut field, TextPolicy::Neutralise).unwrap();
        assert_eq!(marks.is_empty(), field == text);
        assert!(serde_json::to_string(&field).unwrap().len() <= bytes_max.saturating_add(2));
        match restore(&field) {
            Ok(restored) => assert_eq!(restored, text),
            Err(RestoreError::Shortened { bytes, sha256 }) => {
                assert_eq!(sha256, Digest::of(text.as_bytes()));
                let kept = restore(field.rsplit_once('\u{27e6}').unwrap().0).unwrap();
                assert!(text.starts_with(&*kept));
                assert_eq!(kept.len().saturating_add(bytes), text.len());
            }
            Err(error) => panic!("{error}"),
        }
    }
    // What only looks like a cleaned text is told apart, or says exactly what it stands for.
    if let Ok(restored) = restore(text) {
        let again = [audit_validate::sanitize(&restored), sanitize_free(&restored)];
        let free_again = again.iter().any(|again| again.as_deref() == Ok(text));
        assert!(free_again || text.chars().any(is_hostile), "{text:?}");
    }
}

/// Reads a line as an event and encodes it: the payload is JSON in one line, within the limits,
/// nothing hostile is in it, the verifier takes it, and it reads back as the same event. A refusal
/// is one line that shows nothing hostile.
///
/// # Panics
///
/// It is not so.
pub fn decode(line: &[u8]) {
    let strict = decode_line(line, TextPolicy::Reject);
    let decoded = match decode_line(line, TextPolicy::Neutralise) {
        Ok(decoded) => decoded,
        Err(refusal) => {
            assert!(!refusal.to_string().chars().any(is_hostile), "{refusal}");
            assert!(strict.is_err());
            return;
        }
    };
    match strict {
        Ok(strict) => assert_eq!(strict, decoded),
        Err(refusal) => {
            assert!(!decoded.sanitized.is_empty(), "{refusal}");
            assert!(!refusal.to_string().chars().any(is_hostile), "{refusal}");
        }
    }
    let mut payload = Vec::new();
    write_payload(&mut payload, &decoded.event, &decoded.sanitized);
    assert!(payload.len() <= PAYLOAD_BYTES_MAX);
    let text = std::str::from_utf8(&payload).unwrap();
    assert!(!text.chars().any(is_hostile), "{text}");
    serde_json::from_str::<IgnoredAny>(&format!("{{\"event\":{text}}}")).unwrap();
    assert_eq!(verdict(log_of_payload(&payload)), Verdict::Consistent, "{text}");

    let encoded = serde_json::to_string(&decoded.event).unwrap();
    assert_escapes_only(&encoded, br#""\tn"#);
    if text.starts_with(&encoded) {
        let (again, marks) = AuditEvent::from_json(&encoded).unwrap();
        assert!(marks.is_empty());
        assert_eq!(serde_json::to_string(&again).unwrap(), encoded);
        assert_eq!(again.is_critical(), decoded.event.is_critical());
    } else {
        assert!(text.ends_with(r#","sanitized":[""]"#), "{text}");
    }
}

/// Nothing hostile stands in JSON as an escape either: none is used but these.
pub(crate) fn assert_escapes_only(json: &str, allowed: &[u8]) {
    let mut rest = json;
    while let Some((_, escaped)) = rest.split_once('\\') {
        let escape = escaped.as_bytes().first().copied().unwrap_or_default();
        assert!(allowed.contains(&escape), "{json}");
        rest = escaped.get(1..).unwrap_or_default();
    }
}

//! Cleaned text says what it was, and nothing else says the same.

use std::borrow::Cow;

use audit_core::{Digest, is_hostile};
use audit_validate::{RestoreError, restore, restore_bytes, sanitize, sanitize_free};
use proptest::prelude::*;

use crate::sample::any_text;

#[test]
fn an_injected_line_stays_one_line() {
    let safe = sanitize("alice\r\n{\"event_type\":\"auth_success\"}").unwrap();
    assert_eq!(
        safe,
        "alice\u{27e6}U+000D\u{27e7}\u{27e6}U+000A\u{27e7}{\"event_type\":\"auth_success\"}"
    );
}

#[test]
fn free_text_keeps_tabs_and_line_feeds_and_nothing_more() {
    assert_eq!(sanitize_free("a\n\tb\r").unwrap(), "a\n\tb\u{27e6}U+000D\u{27e7}");
    assert!(matches!(sanitize_free("a\n\tb"), Ok(Cow::Borrowed(_))));
}

#[test]
fn text_that_imitates_a_marker_is_no_marker() {
    let imitation = "\u{27e6}U+001B\u{27e7}";
    let safe = sanitize(imitation).unwrap();
    assert_eq!(safe, "\u{27e6}U+27E6\u{27e7}U+001B\u{27e7}");
    assert_ne!(safe, sanitize("\u{1b}").unwrap());
    assert_eq!(restore(&safe).unwrap(), imitation);
}

#[test]
fn scripts_keep_their_joiners() {
    let text = "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645} \u{915}\u{94d}\u{200d}";
    assert!(matches!(sanitize(text), Ok(Cow::Borrowed(same)) if same == text));
}

#[test]
fn what_no_string_can_hold_comes_back_as_bytes() {
    let text = "a\u{27e6}xFF\u{27e7}\u{27e6}U+D800\u{27e7}\u{27e6}U+001B\u{27e7}";
    assert_eq!(restore(text), Err(RestoreError::Byte(0xff)));
    assert_eq!(restore("\u{27e6}U+DFFF\u{27e7}"), Err(RestoreError::Surrogate(0xdfff)));
    assert_eq!(restore_bytes(text).unwrap(), b"a\xff\xed\xa0\x80\x1b");
    assert_eq!(restore_bytes("\u{27e6}U+DFFF\u{27e7}").unwrap(), b"\xed\xbf\xbf");
}

#[test]
fn what_was_left_out_is_named() {
    let sha256 = Digest::of(b"whole");
    let text = format!("wh\u{27e6}+3 bytes sha256:{sha256}\u{27e7}");
    let error = RestoreError::Shortened { bytes: 3, sha256 };
    assert_eq!(restore(&text), Err(error));
    assert_eq!(restore_bytes(&text), Err(error));
}

#[test]
fn text_that_was_never_cleaned_is_told() {
    for text in ["ab\u{27e6}", "ab\u{27e6}U+0041\u{27e7}", "ab\u{27e6}\u{27e6}U+001B\u{27e7}"] {
        assert_eq!(restore(text), Err(RestoreError::NoMarker { offset: 2 }), "{text}");
        assert_eq!(restore_bytes(text), Err(RestoreError::NoMarker { offset: 2 }), "{text}");
    }
}

proptest! {
    #[test]
    fn restoring_undoes_cleaning(text in any_text()) {
        for safe in [sanitize(&text).unwrap(), sanitize_free(&text).unwrap()] {
            prop_assert_eq!(restore(&safe).unwrap(), text.as_str());
            prop_assert_eq!(restore_bytes(&safe).unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn nothing_hostile_is_left(text in any_text()) {
        prop_assert!(!sanitize(&text).unwrap().chars().any(is_hostile));
        let free = sanitize_free(&text).unwrap();
        prop_assert!(!free.replace(['\t', '\n'], "").chars().any(is_hostile));
    }

    #[test]
    fn a_text_is_copied_only_to_be_changed(text in any_text()) {
        let is_clean = !text.chars().any(|c| is_hostile(c) || c == '\u{27e6}');
        let safe = sanitize(&text).unwrap();
        prop_assert_eq!(matches!(safe, Cow::Borrowed(_)), is_clean);
        prop_assert_eq!(safe == text, is_clean);
        prop_assert_eq!(matches!(restore(&safe), Ok(Cow::Borrowed(_))), is_clean);
    }

    #[test]
    fn different_texts_stay_different(a in any_text(), b in any_text()) {
        prop_assert_eq!(sanitize(&a).unwrap() == sanitize(&b).unwrap(), a == b);
        let cleaned_twice = sanitize(&a).unwrap();
        prop_assert_eq!(sanitize(&cleaned_twice).unwrap() == sanitize(&a).unwrap(),
            matches!(sanitize(&a), Ok(Cow::Borrowed(_))));
    }
}

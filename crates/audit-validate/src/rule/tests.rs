//! What a rule does to a text, for limits small enough to be reached.

use proptest::prelude::*;

use super::*;
use crate::repair::repair;
use crate::restore::restore;

fn rule(origin: Origin, bytes_max: usize) -> Rule {
    Rule { kind: Kind::Text, origin, bytes_max }
}

/// What a shortened text keeps, and the numbers of its marker.
fn shortened(text: &str) -> Option<(&str, usize, Digest)> {
    let (kept, marker) = text.split_at(text.rfind(OPEN)?);
    match Marker::parse(marker)? {
        (Marker::Rest { bytes, sha256 }, "") => Some((kept, bytes, sha256)),
        _ => None,
    }
}

fn json_bytes(text: &str) -> usize {
    serde_json::to_string(text).unwrap().len().saturating_sub(2)
}

/// Texts with a bit of everything that is written differently.
fn texts() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        '\0',
        '\t',
        '\n',
        '\u{1b}',
        '"',
        '\\',
        '\u{202e}',
        OPEN,
        '\u{27e7}',
        '\u{e0001}',
        'U',
        '+',
    ]);
    let char = prop_oneof![3 => odd, 1 => any::<char>(), 1 => prop::char::range(' ', '~')];
    prop::collection::vec(char, 0..120).prop_map(String::from_iter)
}

#[test]
fn a_limit_counts_bytes_of_json() {
    let exact = "\"\\".repeat(256);
    let rule = Rule::new(Kind::Text, Origin::Caller);
    assert_eq!(rule.check(&exact), Ok(()));
    let longer = format!("{exact}x");
    let fault = TextFault::TooLong { bytes: 1_025, bytes_max: 1_024 };
    assert_eq!(rule.check(&longer), Err(fault));
    assert_eq!(Rule::new(Kind::FreeText, Origin::Caller).check(&longer), Ok(()));
}

#[test]
fn what_is_left_out_is_counted_in_bytes_of_the_original() {
    let text = "\u{1b}".repeat(2_000);
    let short = Rule::new(Kind::Text, Origin::Caller).rewrite(&text);
    let (kept, bytes, sha256) = shortened(&short).unwrap();
    // A name of 12 bytes for each, in what the limit and the marker's room of 105 bytes leave.
    assert_eq!(kept.len(), 76 * 12);
    assert_eq!(bytes, 2_000 - 76);
    assert_eq!(sha256, Digest::of(text.as_bytes()));
}

#[test]
fn what_fits_exactly_when_neutralised_is_not_shortened() {
    let exact = format!("{}\u{1b}", "x".repeat(93));
    let rule = rule(Origin::Caller, 105);
    assert_eq!(rule.rewrite(&exact), sanitize(&exact).unwrap());
    assert_eq!(json_bytes(&rule.rewrite(&exact)), 105);
    let longer = format!("x{exact}");
    assert_eq!(shortened(&rule.rewrite(&longer)), Some(("", 95, Digest::of(longer.as_bytes()))));
}

#[test]
fn a_surrogate_is_counted_in_the_bytes_it_comes_back_as() {
    let repaired = repair(&br"\ud800".repeat(100));
    let short = rule(Origin::Repaired, 200).rewrite(&repaired);
    let (kept, bytes, sha256) = shortened(&short).unwrap();
    assert_eq!(restore_bytes(kept).unwrap(), b"\xed\xa0\x80".repeat(7));
    assert_eq!(bytes, 93 * 3);
    assert_eq!(sha256, Digest::of(&b"\xed\xa0\x80".repeat(100)));
}

#[test]
fn a_text_that_ends_like_a_shortened_one_is_told_from_it() {
    let long = "x".repeat(2_000);
    let rule = Rule::new(Kind::Text, Origin::Caller);
    let short = rule.rewrite(&long);
    assert_ne!(rule.rewrite(&short), short);
    assert_eq!(restore(&rule.rewrite(&short)), Ok(short.as_str().into()));
}

proptest! {
    #[test]
    fn a_rewritten_text_is_within_its_limit(text in texts(), bytes_max in 105_usize..600) {
        let written = rule(Origin::Caller, bytes_max).rewrite(&text);
        prop_assert!(json_bytes(&written) <= bytes_max);
        prop_assert!(!written.chars().any(is_hostile));
    }

    #[test]
    fn what_fits_is_neutralised_only(text in texts(), bytes_max in 105_usize..600) {
        let whole = sanitize(&text).unwrap();
        let written = rule(Origin::Caller, bytes_max).rewrite(&text);
        prop_assert_eq!(written == whole, json_bytes(&whole) <= bytes_max);
    }

    #[test]
    fn a_shortened_text_is_its_beginning_and_the_digest_of_all(
        text in texts(),
        bytes_max in 105_usize..600,
    ) {
        let written = rule(Origin::Caller, bytes_max).rewrite(&text);
        if let Some((kept, bytes, sha256)) = shortened(&written) {
            prop_assert!(sanitize(&text).unwrap().starts_with(kept));
            let kept = restore(kept).unwrap();
            prop_assert!(text.starts_with(&*kept));
            prop_assert_eq!(kept.len().saturating_add(bytes), text.len());
            prop_assert_eq!(sha256, Digest::of(text.as_bytes()));
        }
    }

    #[test]
    fn the_original_of_a_repaired_text_is_its_bytes(
        bytes in prop::collection::vec(any::<u8>().prop_filter("an escape", |b| *b != b'\\'), 0..80),
        bytes_max in 105_usize..600,
    ) {
        let repaired = repair(&bytes);
        let whole = rule(Origin::Repaired, usize::MAX).rewrite(&repaired);
        prop_assert_eq!(restore_bytes(&whole), Ok(bytes.clone()));

        let written = rule(Origin::Repaired, bytes_max).rewrite(&repaired);
        prop_assert!(json_bytes(&written) <= bytes_max);
        if let Some((kept, left_out, sha256)) = shortened(&written) {
            let kept = restore_bytes(kept).unwrap();
            prop_assert!(bytes.starts_with(&kept));
            prop_assert_eq!(kept.len().saturating_add(left_out), bytes.len());
            prop_assert_eq!(sha256, Digest::of(&bytes));
        }
    }
}

//! A corpus of hostile text in every place of every event.

#![expect(clippy::arithmetic_side_effects, reason = "lengths in tests are small")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of tests fails where it stands"
)]

mod corpus;
mod fill;
#[expect(dead_code, reason = "the other tests need more of it")]
#[path = "../validate/sample.rs"]
mod sample;
mod says;
mod strategy;

use std::collections::BTreeSet;

use audit_core::limits::INPUT_LINE_BYTES_MAX;
use audit_core::{AuditEvent, TextPolicy, is_hostile};
use audit_validate::{Decoded, decode_line, restore, sanitize, sanitize_free, validate_event};
use proptest::prelude::*;
use serde_json::Value;

use corpus::{CORPUS_LEN, corpus, hostile_code_points, not_utf_8};
use fill::{fill, shapes};
use sample::{assert_inert, assert_marks_lead_somewhere, event_json, payload, texts, written};
use says::{assert_says, assert_tells};
use strategy::hostile_text;

#[test]
fn the_corpus_has_its_size_and_every_hostile_code_point_by_itself() {
    let all: BTreeSet<Vec<u8>> = corpus().into_iter().collect();
    assert_eq!(all.len(), CORPUS_LEN);
    assert!(hostile_code_points().into_iter().all(|c| all.contains(format!("a{c}b").as_bytes())));
    let by_code = (0..=0x0010_ffff).filter_map(char::from_u32).filter(|&c| is_hostile(c));
    let listed: BTreeSet<char> = hostile_code_points().into_iter().collect();
    assert_eq!(by_code.collect::<BTreeSet<_>>(), listed);
    assert!(not_utf_8().len() > 100);
}

#[test]
fn every_string_of_the_corpus_is_cleaned_and_says_what_it_was() {
    for text in corpus::texts() {
        let (safe, free) = (sanitize(&text).unwrap(), sanitize_free(&text).unwrap());
        assert!(!safe.chars().any(is_hostile), "{safe}");
        assert!(!free.replace(['\t', '\n'], "").chars().any(is_hostile), "{free}");
        assert_says(&safe, text.as_bytes());
        assert_says(&free, text.as_bytes());
        assert_eq!(restore(&safe).unwrap(), text);
    }
}

/// Cleans an event in memory and in a line, which must come to the same, and checks every text.
fn check(mut event: AuditEvent<'_>) {
    let before = written(&event);
    let line = serde_json::to_string(&event).unwrap();
    let marks = validate_event(&mut event, TextPolicy::Neutralise).unwrap();
    let after = written(&event);
    assert_inert(&after);
    assert_marks_lead_somewhere(&marks, &after);
    assert_tells(&after, &before);
    let kept = payload(&event, &marks);
    if line.len() > INPUT_LINE_BYTES_MAX {
        return;
    }
    let decoded = decode_line(line.as_bytes(), TextPolicy::Neutralise).unwrap();
    assert_eq!(payload(&decoded.event, &decoded.sanitized), kept, "{line}");
}

#[test]
fn every_string_of_the_corpus_in_every_place_of_every_event() {
    for (shape, number) in shapes().into_iter().zip(0..) {
        for (text, index) in corpus::texts().into_iter().zip(0..) {
            // Of the long ones, a tenth of the places is enough of work for a test.
            if text.len() > 2_000 && (number + index) % 10 != 0 {
                continue;
            }
            let mut event = shape.clone();
            let mut copies = 0;
            // Keys have to differ.
            let filled = fill(&mut event, &mut || {
                copies += 1;
                if copies == 1 { text.clone() } else { format!("{text}{copies}") }
            });
            assert!(filled > 0);
            check(event);
        }
    }
}

#[test]
fn every_byte_string_of_the_corpus_in_every_place_of_every_event() {
    const STAND_IN: &str = "STAND-IN";
    for row in AuditEvent::TABLE {
        let json = event_json(row, STAND_IN).to_string();
        let parts: Vec<&[u8]> = json.split(STAND_IN).map(str::as_bytes).collect();
        for bytes in not_utf_8() {
            let in_json: Vec<u8> = bytes.iter().flat_map(|byte| as_in_json(*byte)).collect();
            let line = parts.join(in_json.as_slice());
            let Decoded { event, sanitized, .. } =
                decode_line(&line, TextPolicy::Neutralise).unwrap();
            let kept = payload(&event, &sanitized);
            assert_eq!(kept["event"]["event_type"], row.event_type);
            if kept["event"].get("oversized").is_some() {
                continue;
            }
            assert_inert(&kept["event"]);
            let shape: Value = serde_json::from_str(&json).unwrap();
            for (before, after) in texts(&shape).into_iter().zip(texts(&kept["event"])) {
                if before == STAND_IN {
                    assert_says(after, &bytes);
                }
            }
        }
    }
}

/// A byte of a text as JSON writes it.
fn as_in_json(byte: u8) -> Vec<u8> {
    match byte {
        b'"' | b'\\' => vec![b'\\', byte],
        0..=0x1f => format!("\\u{byte:04x}").into_bytes(),
        byte => vec![byte],
    }
}

proptest! {
    #[test]
    fn any_hostile_text_anywhere_is_cleaned_and_says_what_it_was(
        shape in prop::sample::select(shapes()),
        given in prop::collection::vec(hostile_text(), 40),
    ) {
        let mut event = shape;
        let mut given = given.into_iter().cycle();
        fill(&mut event, &mut || given.next().unwrap());
        check(event);
    }
}

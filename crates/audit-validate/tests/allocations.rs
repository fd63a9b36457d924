//! Cleaning what is clean takes no memory.

use std::borrow::Cow;

use audit_core::TextPolicy;
use audit_testkit::events::{CLEAN_TEXT, of_every_type, usual};
use audit_testkit::{CountingAllocator, assert_none};
use audit_validate::{sanitize, sanitize_free, validate_event};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

#[test]
fn clean_text_takes_no_memory() {
    let long = CLEAN_TEXT.repeat(100);
    for (name, text) in [("empty", ""), ("short", CLEAN_TEXT), ("long", &long)] {
        assert_none("sanitize", name, || {
            assert!(matches!(sanitize(text), Ok(Cow::Borrowed(same)) if same == text));
        });
        assert_none("sanitize_free", name, || {
            assert!(matches!(sanitize_free(text), Ok(Cow::Borrowed(same)) if same == text));
        });
    }
}

#[test]
fn clean_events_take_no_memory_under_either_policy() {
    for (name, mut event) in of_every_type(CLEAN_TEXT).into_iter().chain(usual()) {
        for policy in [TextPolicy::Neutralise, TextPolicy::Reject] {
            let path = format!("validate_event/{policy:?}").to_lowercase();
            assert_none(&path, name, || {
                assert!(validate_event(&mut event, policy).is_ok_and(|marks| marks.is_empty()));
            });
        }
    }
}

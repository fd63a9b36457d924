//! Whether cleaned text still says what it was.

use audit_core::Digest;
use audit_core::event::json::oversized;
use audit_core::limits::LIST_ITEMS_MAX;
use audit_validate::{RestoreError, restore_bytes};
use serde_json::Value;

/// A cleaned value says what it was: each text and key of it does, or what stands in its place has
/// its size and its digest.
#[track_caller]
pub(crate) fn assert_tells(clean: &Value, original: &Value) {
    if clean == original {
        return;
    }
    match (clean, original) {
        (Value::String(clean), Value::String(original)) => assert_says(clean, original.as_bytes()),
        (Value::Array(clean), Value::Array(original)) => {
            // One more item may stand for those that were left out.
            let kept = clean.len().min(LIST_ITEMS_MAX);
            assert!(clean.len() == original.len() || clean.len() == LIST_ITEMS_MAX + 1);
            clean.iter().zip(original).take(kept).for_each(|(c, o)| assert_tells(c, o));
        }
        (Value::Object(clean), original)
            if *clean == oversized(original.to_string().as_bytes()) => {}
        (Value::Object(clean), Value::Object(original)) => {
            assert_eq!(clean.len(), original.len());
            for ((clean_key, clean), (key, original)) in clean.iter().zip(original) {
                assert_says(clean_key, key.as_bytes());
                assert_tells(clean, original);
            }
        }
        _ => panic!("another kind of value: {:.200}", clean.to_string()),
    }
}

/// A cleaned text says what it was; or, shortened, its beginning and the digest of all of it.
#[track_caller]
pub(crate) fn assert_says(clean: &str, original: &[u8]) {
    match restore_bytes(clean) {
        Ok(restored) => assert!(restored == original, "{clean:.200}"),
        Err(RestoreError::Shortened { bytes, sha256 }) => {
            assert_eq!(sha256, Digest::of(original), "{clean:.200}");
            let (kept, _) = clean.rsplit_once('\u{27e6}').unwrap();
            let kept = restore_bytes(kept).unwrap();
            assert!(original.starts_with(&kept), "{clean:.200}");
            assert_eq!(kept.len() + bytes, original.len(), "{clean:.200}");
        }
        Err(error) => panic!("{error}: {clean:.200}"),
    }
}

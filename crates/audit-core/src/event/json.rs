//! Caller JSON, read without losing or inventing anything.
//!
//! `serde_json` keeps the last of two equal keys and rounds an integer that is too large for it;
//! both would make the record say what the caller did not. So objects are read member by member,
//! each first as raw text.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use crate::digest::Digest;

/// Why a JSON text was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// It is not RFC 8259 JSON, or holds an unpaired surrogate.
    #[error("not JSON: {0}")]
    Syntax(String),
    /// An object has two members of this name.
    #[error("the key {0:?} occurs twice")]
    DuplicateKey(String),
    /// It is nested deeper than was allowed.
    #[error("nested too deep")]
    TooDeep,
    /// A number that this build cannot hold as it is written.
    #[error("the number {0} cannot be kept as it is written")]
    Number(String),
}

/// The members of an object, in order, each as raw text.
#[derive(Debug)]
pub(super) struct Members<'t>(pub(super) Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(entry) = map.next_entry()? {
            members.push(entry);
        }
        Ok(Members(members))
    }
}

struct Items<'t>(Vec<&'t RawValue>);

impl<'de> Deserialize<'de> for Items<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ItemsVisitor)
    }
}

struct ItemsVisitor;

impl<'de> Visitor<'de> for ItemsVisitor {
    type Value = Items<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Items(items))
    }
}

/// Reads an object's members as raw text.
pub(super) fn members(text: &str) -> Result<Members<'_>, JsonError> {
    let members: Members<'_> = parse(text)?;
    let mut names: Vec<&str> = members.0.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let twice = names.windows(2).find_map(|pair| match pair {
        [a, b] if a == b => Some((*a).to_owned()),
        _ => None,
    });
    twice.map_or(Ok(members), |name| Err(JsonError::DuplicateKey(name)))
}

/// Reads a value nested at most `depth` deep. Unlike `serde_json`'s own reader, this one takes no key
/// for something of its own.
///
/// # Errors
///
/// [`JsonError`], in every variant.
pub fn value(text: &str, depth: usize) -> Result<Value, JsonError> {
    let text = text.trim_matches([' ', '\t', '\n', '\r']);
    match text.as_bytes().first() {
        Some(b'{') => {
            let depth = depth.checked_sub(1).ok_or(JsonError::TooDeep)?;
            let entries = members(text)?.0.into_iter();
            let entry = |(name, raw): (String, &RawValue)| Ok((name, value(raw.get(), depth)?));
            Ok(Value::Object(entries.map(entry).collect::<Result<Map<_, _>, JsonError>>()?))
        }
        Some(b'[') => {
            let depth = depth.checked_sub(1).ok_or(JsonError::TooDeep)?;
            let items: Items<'_> = parse(text)?;
            let items = items.0.into_iter().map(|raw| value(raw.get(), depth));
            Ok(Value::Array(items.collect::<Result<_, _>>()?))
        }
        Some(b'-' | b'0'..=b'9') => number(text).map(Value::Number),
        _ => parse(text),
    }
}

/// An integer is held exactly or not at all.
fn number(text: &str) -> Result<Number, JsonError> {
    let cannot = || JsonError::Number(text.chars().take(40).collect());
    let number: Number = parse(text).map_err(|_| cannot())?;
    let is_integer = !text.contains(['.', 'e', 'E']) && text != "-0";
    if is_integer && number.to_string() != text { Err(cannot()) } else { Ok(number) }
}

fn parse<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, JsonError> {
    serde_json::from_str(text).map_err(|error| JsonError::Syntax(error.to_string()))
}

/// What stands for a value that is too large: `{"oversized":{"bytes":N,"sha256":"HEX"}}`.
#[must_use]
pub fn oversized(original: &[u8]) -> Map<String, Value> {
    let mut digest = Map::new();
    digest.insert("bytes".to_owned(), Value::from(original.len()));
    digest.insert("sha256".to_owned(), Value::from(Digest::of(original).to_string()));
    let mut marker = Map::new();
    marker.insert("oversized".to_owned(), Value::Object(digest));
    marker
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_are_refused_at_any_depth_and_however_written() {
        for text in [r#"{"a":1,"a":2}"#, r#"[{"b":{"a":1,"\u0061":2}}]"#] {
            assert_eq!(value(text, 9), Err(JsonError::DuplicateKey("a".to_owned())), "{text}");
        }
    }

    #[test]
    fn nesting_is_counted() {
        assert!(value("[[1]]", 2).is_ok());
        assert_eq!(value("[[1]]", 1), Err(JsonError::TooDeep));
        let million = "[".repeat(1_000_000);
        assert!(value(&million, 16).is_err());
        let closed = format!("{million}{}", "]".repeat(1_000_000));
        assert_eq!(value(&closed, 16), Err(JsonError::TooDeep));
    }

    #[test]
    fn an_integer_is_kept_or_refused_never_rounded() {
        for text in ["0", "-1", "18446744073709551615", "-9223372036854775808"] {
            assert_eq!(value(text, 1).unwrap().to_string(), text);
        }
        let huge = "123456789012345678901234567890123456789012345678901234567890";
        match value(huge, 1) {
            Ok(kept) => assert_eq!(kept.to_string(), huge),
            Err(error) => assert!(matches!(error, JsonError::Number(_))),
        }
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in ["", "{", "nul", "01", "+1", "\"\\ud800\"", "{\"a\":1,}", "[1] 2", "\"\u{1}\""]
        {
            assert!(
                matches!(value(text, 9), Err(JsonError::Syntax(_) | JsonError::Number(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn a_key_that_serde_json_uses_inside_is_a_key_like_any_other() {
        let text = r#"{"$serde_json::private::Number":"1"}"#;
        assert_eq!(value(text, 1).unwrap().to_string(), text);
    }
}

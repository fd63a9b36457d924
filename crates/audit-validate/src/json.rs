//! JSON values by reference, measured and written without recursing deeper than a limit.

use std::io;

use serde_json::{Map, Value};

/// A JSON value. An object may come as its map, since that is what an event holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Json<'v> {
    Scalar(&'v Value),
    Array(&'v [Value]),
    Object(&'v Map<String, Value>),
}

impl<'v> From<&'v Value> for Json<'v> {
    fn from(value: &'v Value) -> Self {
        match value {
            Value::Array(items) => Self::Array(items),
            Value::Object(map) => Self::Object(map),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                Self::Scalar(value)
            }
        }
    }
}

impl Json<'_> {
    /// Whether arrays and objects are nested in each other more than `depth_max` times.
    pub(crate) fn is_deeper(self, depth_max: usize) -> bool {
        if let Self::Scalar(_) = self {
            return false;
        }
        let Some(left) = depth_max.checked_sub(1) else { return true };
        match self {
            Self::Scalar(_) => false,
            Self::Array(items) => items.iter().any(|item| Json::from(item).is_deeper(left)),
            Self::Object(map) => map.values().any(|value| Json::from(value).is_deeper(left)),
        }
    }

    /// Length in bytes of its compact JSON. Recurses as deep as the value.
    pub(crate) fn encoded_bytes(self) -> usize {
        let mut count = Count(0);
        self.write(&mut count);
        count.0
    }

    fn write(self, out: impl io::Write) {
        let written = match self {
            Self::Scalar(value) => serde_json::to_writer(out, value),
            Self::Array(items) => serde_json::to_writer(out, items),
            Self::Object(map) => serde_json::to_writer(out, map),
        };
        // Neither a value nor the places it is written to can fail.
        debug_assert!(written.is_ok());
    }

    /// Its compact JSON. Recurses never: a caller can build a value deeper than any stack.
    pub(crate) fn compact(self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut open = Vec::new();
        let mut next = Some(self);
        while let Some(json) = next {
            match Open::begin(json) {
                Some((bracket, inner)) => {
                    out.push(bracket);
                    open.push(inner);
                }
                None => json.write(&mut out),
            }
            next = next_of(&mut open, &mut out);
        }
        out
    }
}

/// An array or object that is being written: what is still to come, and how it ends.
struct Open<'v> {
    rest: Box<dyn Iterator<Item = (Option<&'v String>, &'v Value)> + 'v>,
    bracket: u8,
}

impl<'v> Open<'v> {
    fn begin(json: Json<'v>) -> Option<(u8, Self)> {
        match json {
            Json::Scalar(_) => None,
            Json::Array(items) => {
                let rest = Box::new(items.iter().map(|item| (None, item)));
                Some((b'[', Self { rest, bracket: b']' }))
            }
            Json::Object(map) => {
                let rest = Box::new(map.iter().map(|(key, value)| (Some(key), value)));
                Some((b'{', Self { rest, bracket: b'}' }))
            }
        }
    }
}

/// Closes what is at its end and writes what stands before the next value.
fn next_of<'v>(open: &mut Vec<Open<'v>>, out: &mut Vec<u8>) -> Option<Json<'v>> {
    while let Some(innermost) = open.last_mut() {
        let Some((key, value)) = innermost.rest.next() else {
            out.push(innermost.bracket);
            open.pop();
            continue;
        };
        // No value ends with an opening bracket, so one there has just been written.
        if !matches!(out.last(), Some(b'[' | b'{')) {
            out.push(b',');
        }
        if let Some(key) = key {
            let written = serde_json::to_writer(&mut *out, key);
            debug_assert!(written.is_ok(), "a text in memory");
            out.push(b':');
        }
        return Some(Json::from(value));
    }
    None
}

/// Counts what is written to it.
struct Count(usize);

impl io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_json_is_that_of_serde_json() {
        for text in [
            "null",
            r#""[\"{\t""#,
            "[]",
            "{}",
            "[[],{},[1,-2.5,true]]",
            r#"{"a":{"b\n":[]},"c":["[",{"d":null}],"":"{"}"#,
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(Json::from(&value).compact(), text.as_bytes());
            assert_eq!(Json::from(&value).encoded_bytes(), text.len());
        }
    }

    #[test]
    fn depth_counts_arrays_and_objects() {
        let value: Value = serde_json::from_str(r#"[1,{"a":[2]},[]]"#).unwrap();
        assert!(!Json::from(&value).is_deeper(3));
        assert!(Json::from(&value).is_deeper(2));
        assert!(!Json::from(&Value::Null).is_deeper(0));
    }

    #[test]
    fn a_value_deeper_than_the_stack_is_written() {
        const DEPTH: usize = 1_000_000;
        let mut value = Value::Null;
        for _ in 0..DEPTH {
            value = Value::Array(vec![value]);
        }
        assert!(Json::from(&value).is_deeper(16));
        assert_eq!(Json::from(&value).compact().len(), DEPTH * 2 + 4);
        // Dropping recurses, so the value is taken apart by hand.
        while let Value::Array(mut items) = value {
            value = items.pop().unwrap();
        }
    }
}

//! The name of a custom event.

use std::borrow::Cow;

use serde::Serialize;

use crate::limits::EVENT_NAME_BYTES_MAX;

/// A dotted name, `[a-z0-9_.]{1,128}`. In a program it is written by a programmer, never by an
/// attacker, so a wrong one is refused where it is made instead of being cleaned. A custom event
/// that comes as JSON with another name is kept as an opaque one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct EventName<'a>(Cow<'a, str>);

/// Why a text is no event name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event name is 1 to {EVENT_NAME_BYTES_MAX} of a-z 0-9 _ .")]
pub struct EventNameError;

impl<'a> EventName<'a> {
    /// Takes a name.
    ///
    /// # Errors
    ///
    /// [`EventNameError`] when the name is empty, too long, or holds another character.
    pub fn new(name: impl Into<Cow<'a, str>>) -> Result<Self, EventNameError> {
        let name = name.into();
        let allowed = |b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.');
        let fits = (1..=EVENT_NAME_BYTES_MAX).contains(&name.len());
        if fits && name.bytes().all(allowed) { Ok(Self(name)) } else { Err(EventNameError) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_the_pattern() {
        for good in ["a", "billing.card_added.v2", "."] {
            assert!(EventName::new(good).is_ok(), "{good}");
        }
        let too_long = "a".repeat(129);
        for bad in ["", "A", "a b", "a\n", "caf\u{e9}", too_long.as_str()] {
            assert_eq!(EventName::new(bad), Err(EventNameError), "{bad:?}");
        }
    }
}

//! Events that the table does not know, kept as they came.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::decode::DecodeError;
use super::field::TextVisitor;
use super::table::is_critical_type;
use super::{Object, Text};
use crate::lifecycle::is_lifecycle_type;
use crate::marks::Pointer;
use crate::time::EventTime;

/// An event of a type that the table does not have, or of one that it has but with members it does
/// not: nothing that a caller says is dropped.
#[derive(Clone, Debug, PartialEq)]
pub struct OpaqueEvent<'a> {
    event_type: Text<'a>,
    members: Object<'a>,
}

impl<'a> OpaqueEvent<'a> {
    /// Takes a wire name and the other members, in the caller's order. One named `event_type` is
    /// not written: an event has one type.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Lifecycle`] when only the writer records events of this type: a caller that
    /// could make one would forge the log's own account of itself.
    pub fn new(event_type: impl Into<Text<'a>>, members: Object<'a>) -> Result<Self, DecodeError> {
        let event_type = event_type.into();
        if is_lifecycle_type(&event_type) {
            return Err(DecodeError::Lifecycle(event_type.into_owned()));
        }
        Ok(Self { event_type, members })
    }

    /// The wire name.
    #[must_use]
    pub fn event_type(&self) -> &str {
        &self.event_type
    }

    /// The other members, in the caller's order.
    #[must_use]
    pub fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// Its `timestamp`, if it has one.
    #[must_use]
    pub fn timestamp(&self) -> Option<EventTime> {
        EventTime::parse(self.members.get("timestamp")?.as_str()?)
    }

    /// Whether its type is one of the critical ones; and `custom` when it says so.
    #[must_use]
    pub fn is_critical(&self) -> bool {
        let stated = || self.members.get("critical").and_then(Value::as_bool).unwrap_or(false);
        is_critical_type(&self.event_type, stated)
    }

    /// Shows its type and its members to the visitor. A type of the writer's own is not taken from
    /// it: the event then keeps the one it has.
    ///
    /// # Errors
    ///
    /// Those of the visitor; what it replaced before stays replaced.
    pub fn walk<V: TextVisitor<'a>>(&mut self, visitor: &mut V) -> Result<(), V::Error> {
        let before = self.event_type.clone();
        visitor.text(&Pointer::member("event_type"), &mut self.event_type)?;
        if is_lifecycle_type(&self.event_type) {
            self.event_type = before;
        }
        visitor.members(&mut self.members)
    }
}

impl Serialize for OpaqueEvent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("event_type", &self.event_type)?;
        self.members
            .iter()
            .filter(|(name, _)| *name != "event_type")
            .try_for_each(|(name, value)| map.serialize_entry(name, value))?;
        map.end()
    }
}

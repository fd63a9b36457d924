//! From caller JSON to an event.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::field::{self, EventField, FieldError};
use super::json::{self, JsonError};
use super::opaque::OpaqueEvent;
use super::table::AuditEvent;
use crate::limits::JSON_DEPTH_MAX;
use crate::marks::{Marks, Pointer};

/// Why a JSON text was not taken as an event. Nothing of it was kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It is not JSON that can be kept as it is.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// It is not an object with a text `event_type`.
    #[error("an event is a JSON object with a text member \"event_type\"")]
    NoType,
    /// Only the writer records events of this type.
    #[error("{0:?} is recorded by the writer alone")]
    Lifecycle(String),
    /// A member that the type requires is absent or of another type.
    #[error("the member {member:?} of {event_type:?} is missing or mistyped")]
    Member {
        /// The event's type.
        event_type: String,
        /// The member.
        member: &'static str,
    },
}

/// Why a member of a row could not be filled.
#[derive(Clone, Copy, Debug)]
pub struct MemberFault {
    member: &'static str,
    error: FieldError,
}

impl MemberFault {
    /// Whether it is the fault of a member that had to be replaced by its digest.
    fn is_of(self, too_deep: &Marks) -> bool {
        let pointer = Pointer::member(self.member).to_string();
        too_deep.is_whole() || too_deep.iter().any(|mark| mark == pointer)
    }
}

/// Takes a member out of an event's object.
///
/// # Errors
///
/// [`MemberFault`] when it does not fit; it is taken out all the same.
pub fn take_member<'a, T: EventField<'a>>(
    members: &mut Map<String, Value>,
    member: &'static str,
) -> Result<T, MemberFault> {
    field::take(members, member).map_err(|error| MemberFault { member, error })
}

/// Lets everything pass but a required member that is missing or mistyped, so that such a one is
/// found before an earlier member that is only inexact, or of which nobody can tell because it was
/// too deep to be read.
///
/// # Errors
///
/// The fault that was handed in.
pub fn refuse_mistyped<T>(
    taken: &Result<T, MemberFault>,
    too_deep: &Marks,
) -> Result<(), MemberFault> {
    match taken {
        Err(fault) if fault.error == FieldError::Mistyped && !fault.is_of(too_deep) => Err(*fault),
        Ok(_) | Err(_) => Ok(()),
    }
}

impl AuditEvent<'static> {
    /// Reads an event from JSON text, with the marks of what had to be shortened to be read.
    ///
    /// An unknown `event_type` is kept as it is, and so is a known one whose members say more than
    /// its row can hold: nothing is dropped. A member nested deeper than [`JSON_DEPTH_MAX`] is
    /// replaced by its size and SHA-256, over its text as it came; whether it was of the right type
    /// cannot be told then, so it is no reason to refuse the event.
    ///
    /// # Errors
    ///
    /// [`DecodeError`], in every variant; nothing is kept then.
    pub fn from_json(text: &str) -> Result<(Self, Marks), DecodeError> {
        let (event_type, mut members, marks) = top_level(text)?;
        match Self::decode_row(&event_type, &mut members, &marks) {
            Some(Ok(event)) if members.is_empty() => return Ok((event, marks)),
            Some(Err(fault)) if fault.error == FieldError::Mistyped && !fault.is_of(&marks) => {
                return Err(DecodeError::Member { event_type, member: fault.member });
            }
            Some(Ok(_) | Err(_)) => (_, members, _) = top_level(text)?,
            None => {}
        }
        Ok((Self::Opaque(OpaqueEvent::new(event_type, Cow::Owned(members))?), marks))
    }
}

type TopLevel = (String, Map<String, Value>, Marks);

/// The type, the other members, and which of them were too deep to hold.
fn top_level(text: &str) -> Result<TopLevel, DecodeError> {
    let mut members = Map::new();
    let mut marks = Marks::none();
    for (name, raw) in json::members(text)?.0 {
        let value = match json::value(raw.get(), JSON_DEPTH_MAX) {
            Err(JsonError::TooDeep) => {
                marks.add(&Pointer::member(&name));
                Value::Object(json::oversized(raw.get().as_bytes()))
            }
            value => value?,
        };
        members.insert(name, value);
    }
    let Some(Value::String(event_type)) = members.shift_remove("event_type") else {
        return Err(DecodeError::NoType);
    };
    Ok((event_type, members, marks))
}

#[cfg(test)]
mod tests;

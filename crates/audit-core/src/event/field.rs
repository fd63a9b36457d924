//! What a type must be able to do to stand in the event table.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::name::EventName;
use super::{Json, Object, Text, TextList};
use crate::marks::Pointer;
use crate::time::EventTime;

/// What a member holds, for the printed table and the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Text.
    Text,
    /// A list of texts.
    TextList,
    /// An integer of 32 bits, unsigned.
    U32,
    /// An integer of 64 bits, unsigned.
    U64,
    /// A list of integers of 32 bits, unsigned.
    U32List,
    /// True or false.
    Bool,
    /// A time, RFC 3339.
    Time,
    /// An IP address, or what stood in its place.
    Ip,
    /// Any JSON value.
    Json,
    /// A JSON object.
    Object,
    /// A dotted name.
    Name,
    /// Who did it.
    Actor,
    /// What it was done to.
    Resource,
    /// How it ended.
    Result,
    /// How bad it is.
    Severity,
}

impl FieldKind {
    /// The name in the printed table and in its JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::TextList => "text[]",
            Self::U32 => "u32",
            Self::U64 => "u64",
            Self::U32List => "u32[]",
            Self::Bool => "bool",
            Self::Time => "time",
            Self::Ip => "ip",
            Self::Json => "json",
            Self::Object => "object",
            Self::Name => "name",
            Self::Actor => "actor",
            Self::Resource => "resource",
            Self::Result => "result",
            Self::Severity => "severity",
        }
    }
}

/// Why a JSON value does not fit a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldError {
    /// It is of another type.
    Mistyped,
    /// It is of the right type but says more than the table's type can hold, such as a number beyond
    /// its range or a name of other characters, so the event must be kept as it came.
    Inexact,
}

/// Meets every piece of caller-supplied text of an event, and may replace it.
pub trait TextVisitor<'a> {
    /// What stops the walk.
    type Error;

    /// A text.
    ///
    /// # Errors
    ///
    /// Whatever stops the walk.
    fn text(&mut self, at: &Pointer<'_>, text: &mut Text<'a>) -> Result<(), Self::Error>;

    /// A list of texts.
    ///
    /// # Errors
    ///
    /// Whatever stops the walk.
    fn list(&mut self, at: &Pointer<'_>, list: &mut TextList<'a>) -> Result<(), Self::Error>;

    /// A JSON value.
    ///
    /// # Errors
    ///
    /// Whatever stops the walk.
    fn json(&mut self, at: &Pointer<'_>, value: &mut Json<'a>) -> Result<(), Self::Error>;

    /// A JSON object.
    ///
    /// # Errors
    ///
    /// Whatever stops the walk.
    fn object(&mut self, at: &Pointer<'_>, map: &mut Object<'a>) -> Result<(), Self::Error>;

    /// The members of an event that the table does not know.
    ///
    /// # Errors
    ///
    /// Whatever stops the walk.
    fn members(&mut self, members: &mut Object<'a>) -> Result<(), Self::Error>;
}

/// A type that may stand in the event table.
///
/// There is none for `String`, on purpose: text is `Cow<str>`, whose walk cannot be forgotten.
#[diagnostic::on_unimplemented(
    message = "`{Self}` may not stand in the event table: nothing walks its text",
    label = "has no walk over its text",
    note = "use `Text` for text, `TextList` for lists of it, or implement `EventField`"
)]
pub trait EventField<'a>: Serialize + Sized {
    /// What the printed table calls it.
    const KIND: FieldKind;
    /// Whether it may be absent.
    const OPTIONAL: bool = false;

    /// Shows every text in it to the visitor.
    ///
    /// # Errors
    ///
    /// Those of the visitor.
    fn walk<V: TextVisitor<'a>>(
        &mut self,
        at: &Pointer<'_>,
        visitor: &mut V,
    ) -> Result<(), V::Error>;

    /// Reads it from the JSON that [`Serialize`] writes; `None` is an absent member.
    ///
    /// # Errors
    ///
    /// [`FieldError`], the value then gone.
    fn decode(value: Option<Value>) -> Result<Self, FieldError>;

    /// Whether it is left out of the JSON.
    fn is_absent(&self) -> bool {
        false
    }
}

/// Implements the trait for a type that holds no text.
macro_rules! field_without_text {
    ($ty:ty, $kind:ident, $decode:expr) => {
        impl<'a> EventField<'a> for $ty {
            const KIND: FieldKind = FieldKind::$kind;

            fn walk<V: TextVisitor<'a>>(
                &mut self,
                _: &Pointer<'_>,
                _: &mut V,
            ) -> Result<(), V::Error> {
                Ok(())
            }

            fn decode(value: Option<Value>) -> Result<Self, FieldError> {
                let decode: fn(&Value) -> Result<Self, FieldError> = $decode;
                decode(value.as_ref().ok_or(FieldError::Mistyped)?)
            }
        }
    };
}

field_without_text!(bool, Bool, |value| value.as_bool().ok_or(FieldError::Mistyped));
field_without_text!(u32, U32, |value| small(value.as_number().ok_or(FieldError::Mistyped)?));
field_without_text!(u64, U64, |value| {
    value.as_number().ok_or(FieldError::Mistyped)?.as_u64().ok_or(FieldError::Inexact)
});
field_without_text!(EventTime, Time, |value| {
    value.as_str().and_then(EventTime::parse).ok_or(FieldError::Mistyped)
});
field_without_text!(EventName<'a>, Name, |value| {
    let name = value.as_str().ok_or(FieldError::Mistyped)?;
    EventName::new(name.to_owned()).map_err(|_| FieldError::Inexact)
});
field_without_text!(Cow<'a, [u32]>, U32List, |value| {
    let items = value.as_array().filter(|items| items.iter().all(Value::is_number));
    let items = items.ok_or(FieldError::Mistyped)?.iter().filter_map(Value::as_number);
    items.map(small).collect::<Result<Vec<_>, _>>().map(Cow::Owned)
});

fn small(number: &Number) -> Result<u32, FieldError> {
    number.as_u64().and_then(|number| u32::try_from(number).ok()).ok_or(FieldError::Inexact)
}

/// Implements the trait for a type whose text the visitor has a method for.
macro_rules! field_of_text {
    ($ty:ty, $kind:ident, $visit:ident, $($value:pat => $decoded:expr),+) => {
        impl<'a> EventField<'a> for $ty {
            const KIND: FieldKind = FieldKind::$kind;

            fn walk<V: TextVisitor<'a>>(
                &mut self,
                at: &Pointer<'_>,
                visitor: &mut V,
            ) -> Result<(), V::Error> {
                visitor.$visit(at, self)
            }

            fn decode(value: Option<Value>) -> Result<Self, FieldError> {
                match value {
                    $(Some($value) => $decoded,)+
                    _ => Err(FieldError::Mistyped),
                }
            }
        }
    };
}

field_of_text!(Text<'a>, Text, text, Value::String(text) => Ok(Cow::Owned(text)));
field_of_text!(TextList<'a>, TextList, list, Value::Array(items) => texts(items));
field_of_text!(Object<'a>, Object, object, Value::Object(map) => Ok(Cow::Owned(map)));
field_of_text!(Json<'a>, Json, json, value => Ok(Cow::Owned(value)));

fn texts<'a>(items: Vec<Value>) -> Result<TextList<'a>, FieldError> {
    let text = |item| match item {
        Value::String(text) => Ok(Cow::Owned(text)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(FieldError::Mistyped)
        }
    };
    items.into_iter().map(text).collect::<Result<Vec<_>, _>>().map(Cow::Owned)
}

impl<'a, T: EventField<'a>> EventField<'a> for Option<T> {
    const KIND: FieldKind = T::KIND;
    const OPTIONAL: bool = true;

    fn walk<V: TextVisitor<'a>>(
        &mut self,
        at: &Pointer<'_>,
        visitor: &mut V,
    ) -> Result<(), V::Error> {
        self.as_mut().map_or(Ok(()), |inner| inner.walk(at, visitor))
    }

    /// A member that may be absent is never a reason to refuse the event: what does not fit is
    /// inexact.
    fn decode(value: Option<Value>) -> Result<Self, FieldError> {
        match value {
            None => Ok(None),
            value => T::decode(value).map(Some).map_err(|_| FieldError::Inexact),
        }
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

/// Takes a member out of an object, for types that are made of members.
pub(super) fn take<'a, T: EventField<'a>>(
    map: &mut Map<String, Value>,
    name: &str,
) -> Result<T, FieldError> {
    T::decode(map.shift_remove(name))
}

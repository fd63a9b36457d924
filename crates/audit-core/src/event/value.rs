//! The compound values that events share: who, on what, how it ended, how bad it is.

use core::net::IpAddr;
use std::borrow::Cow;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::Text;
use super::field::{EventField, FieldError, FieldKind, TextVisitor, take};
use crate::marks::Pointer;

/// Declares a value that is made of members, in wire order.
macro_rules! members_value {
    ($(#[$doc:meta])* $name:ident, $kind:ident, {
        $($(#[$field_doc:meta])* $field:ident: $ty:ty,)+
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name<'a> {
            $($(#[$field_doc])* pub $field: $ty,)+
        }

        impl Serialize for $name<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                $(if !EventField::is_absent(&self.$field) {
                    map.serialize_entry(stringify!($field), &self.$field)?;
                })+
                map.end()
            }
        }

        impl<'a> EventField<'a> for $name<'a> {
            const KIND: FieldKind = FieldKind::$kind;

            fn walk<V: TextVisitor<'a>>(
                &mut self,
                at: &Pointer<'_>,
                visitor: &mut V,
            ) -> Result<(), V::Error> {
                $(self.$field.walk(&at.child(stringify!($field)), visitor)?;)+
                Ok(())
            }

            fn decode(value: Option<Value>) -> Result<Self, FieldError> {
                let Some(Value::Object(mut map)) = value else { return Err(FieldError::Mistyped) };
                $(let $field = take(&mut map, stringify!($field));)+
                $(if matches!($field, Err(FieldError::Mistyped)) {
                    return Err(FieldError::Mistyped);
                })+
                let decoded = Self { $($field: $field?,)+ };
                if map.is_empty() { Ok(decoded) } else { Err(FieldError::Inexact) }
            }
        }
    };
}

members_value! {
    /// Who did it.
    ActorInfo, Actor, {
        /// The user, service account or key.
        user_id: Text<'a>,
        /// The address it came from.
        ip: Option<IpText<'a>>,
        /// How it was authenticated.
        auth_method: AuthMethod<'a>,
        /// The session it belongs to.
        session_id: Option<Text<'a>>,
    }
}

members_value! {
    /// What it was done to.
    ResourceInfo, Resource, {
        /// What kind of thing.
        resource_type: Text<'a>,
        /// Which one.
        resource_id: Text<'a>,
        /// What it belongs to.
        parent_id: Option<Text<'a>>,
    }
}

impl<'a> ActorInfo<'a> {
    /// An actor of whom nothing else is known.
    #[must_use]
    pub fn new(user_id: impl Into<Text<'a>>, auth_method: AuthMethod<'a>) -> Self {
        Self { user_id: user_id.into(), ip: None, auth_method, session_id: None }
    }

    /// The same actor, at an address.
    #[must_use]
    pub fn at(mut self, ip: impl Into<IpText<'a>>) -> Self {
        self.ip = Some(ip.into());
        self
    }
}

/// An IP address; or the text that stood in its place, since what an attacker's proxy header holds
/// is evidence too.
#[derive(Clone, Debug, PartialEq)]
pub enum IpText<'a> {
    /// An address.
    Addr(IpAddr),
    /// Some text.
    Text(Text<'a>),
}

impl From<IpAddr> for IpText<'_> {
    fn from(addr: IpAddr) -> Self {
        Self::Addr(addr)
    }
}

impl<'a> From<&'a str> for IpText<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl Serialize for IpText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Addr(addr) => serializer.collect_str(addr),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'a> EventField<'a> for IpText<'a> {
    const KIND: FieldKind = FieldKind::Ip;

    fn walk<V: TextVisitor<'a>>(
        &mut self,
        at: &Pointer<'_>,
        visitor: &mut V,
    ) -> Result<(), V::Error> {
        match self {
            Self::Addr(_) => Ok(()),
            Self::Text(text) => visitor.text(at, text),
        }
    }

    /// Always as text, so that what was written is what is read.
    fn decode(value: Option<Value>) -> Result<Self, FieldError> {
        Text::decode(value).map(Self::Text)
    }
}

/// Declares a value that is one of some words, or other text.
macro_rules! word_value {
    ($(#[$doc:meta])* $name:ident, $kind:ident, {
        $($(#[$word_doc:meta])* $variant:ident = $word:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $name<'a> {
            $($(#[$word_doc])* $variant,)+
            /// Other text: an event is never refused for a value.
            Other(Text<'a>),
        }

        impl<'a> $name<'a> {
            /// The wire form.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(text) => text,
                }
            }
        }

        impl Serialize for $name<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'a> EventField<'a> for $name<'a> {
            const KIND: FieldKind = FieldKind::$kind;

            fn walk<V: TextVisitor<'a>>(
                &mut self,
                at: &Pointer<'_>,
                visitor: &mut V,
            ) -> Result<(), V::Error> {
                if let Self::Other(text) = self { visitor.text(at, text) } else { Ok(()) }
            }

            fn decode(value: Option<Value>) -> Result<Self, FieldError> {
                let text = Text::decode(value)?;
                Ok(match &*text {
                    $($word => Self::$variant,)+
                    _ => Self::Other(text),
                })
            }
        }
    };
}

word_value! {
    /// How an actor was authenticated.
    AuthMethod, Text, {
        /// A bearer token, RFC 6750.
        BearerToken = "bearer_token",
        /// An API key.
        ApiKey = "api_key",
        /// A client certificate.
        MTls = "m_tls",
        /// Another part of the same service.
        Internal = "internal",
        /// A password.
        Password = "password",
        /// A public key, as with SSH.
        PublicKey = "public_key",
        /// `OpenID` Connect.
        Oidc = "oidc",
        /// SAML.
        Saml = "saml",
        /// Not at all.
        None = "none",
    }
}

word_value! {
    /// How bad it is.
    Severity, Severity, {
        /// Worth knowing.
        Info = "info",
        /// Worth a look.
        Low = "low",
        /// Worth a look today.
        Medium = "medium",
        /// Worth a look now.
        High = "high",
        /// Worth waking someone.
        Critical = "critical",
    }
}

/// How a task ended: `"success"`, `{"failure":{"reason":...}}` or
/// `{"partial_success":{"details":...}}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditResult<'a> {
    /// As intended.
    Success,
    /// Not at all.
    Failure {
        /// Why not.
        reason: Text<'a>,
    },
    /// In part.
    PartialSuccess {
        /// Which part.
        details: Text<'a>,
    },
}

impl<'a> EventField<'a> for AuditResult<'a> {
    const KIND: FieldKind = FieldKind::Result;

    fn walk<V: TextVisitor<'a>>(
        &mut self,
        at: &Pointer<'_>,
        visitor: &mut V,
    ) -> Result<(), V::Error> {
        match self {
            Self::Success => Ok(()),
            Self::Failure { reason } => visitor.text(&at.child("failure").child("reason"), reason),
            Self::PartialSuccess { details } => {
                visitor.text(&at.child("partial_success").child("details"), details)
            }
        }
    }

    fn decode(value: Option<Value>) -> Result<Self, FieldError> {
        match value {
            Some(Value::String(word)) if word == "success" => Ok(Self::Success),
            Some(Value::Object(mut map)) => {
                let result =
                    match (map.shift_remove("failure"), map.shift_remove("partial_success")) {
                        (Some(failure), None) => Self::Failure { reason: only(failure, "reason")? },
                        (None, Some(part)) => {
                            Self::PartialSuccess { details: only(part, "details")? }
                        }
                        (None, None) | (Some(_), Some(_)) => return Err(FieldError::Mistyped),
                    };
                if map.is_empty() { Ok(result) } else { Err(FieldError::Inexact) }
            }
            _ => Err(FieldError::Mistyped),
        }
    }
}

/// The one member of an object that has no other.
fn only<'a>(value: Value, name: &str) -> Result<Text<'a>, FieldError> {
    let Value::Object(mut map) = value else { return Err(FieldError::Mistyped) };
    let text = take(&mut map, name)?;
    if Map::is_empty(&map) { Ok(text) } else { Err(FieldError::Inexact) }
}

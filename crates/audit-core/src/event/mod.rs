//! Events: what a caller reports.
//!
//! [`table`] declares each event once. Everything that depends on which events there are is made
//! from it, so a new event is one row and nothing can be forgotten.

pub mod decode;
pub mod field;
pub mod json;
mod macros;
pub mod name;
pub mod opaque;
pub mod table;
pub mod value;

pub use decode::DecodeError;
pub use field::{EventField, FieldError, FieldKind, TextVisitor};
pub use name::{EventName, EventNameError};
pub use opaque::OpaqueEvent;
pub use table::{AuditEvent, is_critical_type};
pub use value::{ActorInfo, AuditResult, AuthMethod, IpText, ResourceInfo, Severity};

use std::borrow::Cow;

use crate::lifecycle::is_lifecycle_type;

/// A piece of caller-supplied text, borrowed where the caller has it.
pub type Text<'a> = Cow<'a, str>;
/// A list of texts, borrowed likewise.
pub type TextList<'a> = Cow<'a, [Cow<'a, str>]>;
/// A JSON object, borrowed likewise.
pub type Object<'a> = Cow<'a, serde_json::Map<String, serde_json::Value>>;
/// A JSON value, borrowed likewise.
pub type Json<'a> = Cow<'a, serde_json::Value>;

/// The members that hold free text: longer, and with tabs and line feeds kept.
pub const FREE_TEXT_MEMBERS: [&str; 4] = ["details", "reason", "violation", "validation_error"];

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are the table's")]
pub enum EventCategory {
    Authentication,
    Authorization,
    Resource,
    Vram,
    Security,
    DataAccess,
    Compliance,
    Custom,
    Lifecycle,
}

impl EventCategory {
    /// All of them, in the table's order.
    pub const ALL: [Self; 9] = [
        Self::Authentication,
        Self::Authorization,
        Self::Resource,
        Self::Vram,
        Self::Security,
        Self::DataAccess,
        Self::Compliance,
        Self::Custom,
        Self::Lifecycle,
    ];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::Authorization => "authorization",
            Self::Resource => "resource",
            Self::Vram => "vram",
            Self::Security => "security",
            Self::DataAccess => "data_access",
            Self::Compliance => "compliance",
            Self::Custom => "custom",
            Self::Lifecycle => "lifecycle",
        }
    }

    /// That of an event in a log. A type that neither the table nor the writer has is somebody's
    /// own.
    #[must_use]
    pub fn of_type(event_type: &str) -> Self {
        if is_lifecycle_type(event_type) {
            return Self::Lifecycle;
        }
        let row = AuditEvent::TABLE.iter().find(|row| row.event_type == event_type);
        row.map_or(Self::Custom, |row| row.category)
    }
}

/// When an event is critical: when the default flush mode waits for the disk before it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Criticality {
    /// Never.
    Routine,
    /// Always.
    Critical,
    /// When its `critical` member is true.
    Stated,
}

impl Criticality {
    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Routine => "routine",
            Self::Critical => "critical",
            Self::Stated => "stated",
        }
    }
}

/// A row of the event table.
#[derive(Clone, Copy, Debug)]
pub struct EventRow {
    /// The wire name.
    pub event_type: &'static str,
    /// What it is about.
    pub category: EventCategory,
    /// When it is critical.
    pub criticality: Criticality,
    /// One sentence on what it reports.
    pub doc: &'static str,
    /// Its members in wire order, without `event_type`.
    pub fields: &'static [FieldRow],
}

/// A member of an event in the table.
#[derive(Clone, Copy, Debug)]
pub struct FieldRow {
    /// The wire name.
    pub name: &'static str,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether it may be absent.
    pub optional: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_in_a_log_has_a_category() {
        for row in AuditEvent::TABLE {
            assert_eq!(EventCategory::of_type(row.event_type), row.category);
        }
        assert_eq!(EventCategory::of_type("segment_opened"), EventCategory::Lifecycle);
        assert_eq!(EventCategory::of_type("never_heard_of"), EventCategory::Custom);
    }

    #[test]
    fn the_categories_stand_in_order_and_have_names_of_their_own() {
        assert!(EventCategory::ALL.is_sorted_by(|one, next| one < next));
        let mut names = EventCategory::ALL.map(EventCategory::as_str).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), EventCategory::ALL.len());
        assert!(AuditEvent::TABLE.iter().all(|row| EventCategory::ALL.contains(&row.category)));
    }
}

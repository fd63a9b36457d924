//! Telling `tracing` of accepted events, behind the feature of that name.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use audit_core::record::write_payload;
use audit_core::{AuditEvent, Marks};
use tracing::{Level, event};

/// Tells of an event that has its place in the log. Subscribers are code of others: one that panics
/// is no reason for the call that recorded the event to fail.
pub(crate) fn tell(event: &AuditEvent<'_>, marks: &Marks) {
    let record = Told { event, marks };
    let category = event.category().as_str();
    drop(catch_unwind(AssertUnwindSafe(|| {
        // The level is part of what is fixed for a place in the code.
        if event.is_critical() {
            event!(target: "audit", Level::WARN, critical = true, category, %record);
        } else {
            event!(target: "audit", Level::INFO, critical = false, category, %record);
        }
    })));
}

/// The part of a record that is the caller's, as it stands in the log. It is encoded only when a
/// subscriber asks for it.
struct Told<'e, 'a> {
    event: &'e AuditEvent<'a>,
    marks: &'e Marks,
}

impl fmt::Display for Told<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut payload = Vec::new();
        write_payload(&mut payload, self.event, self.marks);
        write!(f, "{{\"event\":{}}}", String::from_utf8_lossy(&payload))
    }
}

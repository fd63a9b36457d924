//! The events that only a writer adds, as `docs/format.md` lists them.
//!
//! A verifier knows more of them than this writer writes, so they are no types that a schema could
//! be derived from. A test holds this table against what the verifier accepts.

use serde_json::{Map, Value, json};

use super::kinds::reference;

/// An event of the writer's own.
pub(super) struct LifecycleRow {
    pub(super) event_type: &'static str,
    doc: &'static str,
    members: &'static [Member],
}

/// A member: its name, what it holds, and whether it may be absent.
struct Member(&'static str, Form, Presence);

enum Presence {
    Required,
    Optional,
}

enum Form {
    /// A definition of the schema.
    Of(&'static str),
    /// A list of it.
    ListOf(&'static str),
    /// One of these words.
    Word(&'static [&'static str]),
    /// An object with these members.
    Object(&'static [Member]),
    /// At most so many objects with these members.
    Objects(u32, &'static [Member]),
    /// This number.
    Number(u32),
    /// A number from this one on.
    From(u32),
    /// `true`, where it is there at all.
    True,
}

use Form::{From, ListOf, Number, Object, Objects, Of, True, Word};
use Presence::{Optional, Required};

/// The end of what a deletion took.
const END: &[Member] =
    &[Member("last_seq", Of("Count"), Required), Member("last_hash", Of("Sha256"), Required)];

/// Where a log is on its file system.
const PLACE: &[Member] =
    &[Member("dir", Object(INODE), Required), Member("file", Object(INODE), Required)];

const INODE: &[Member] =
    &[Member("inode", Of("Count"), Required), Member("born", Of("RecordTime"), Required)];

/// Every one of them, by name.
pub(super) const EVENTS: [LifecycleRow; 15] = [
    LifecycleRow {
        event_type: "checkpoint_signed",
        doc: "A checkpoint is on disk.",
        members: &[
            Member("size", Of("Count"), Required),
            Member("root", Of("Root"), Required),
            Member("key_id", Of("Text"), Required),
        ],
    },
    LifecycleRow {
        event_type: "clock_stepped",
        doc: "The clock jumped by more than a day against one that never jumps.",
        members: &[
            Member("from", Of("RecordTime"), Required),
            Member("to", Of("RecordTime"), Required),
        ],
    },
    LifecycleRow {
        event_type: "damage_found",
        doc: "The writer was told to go on after damage.",
        members: &[
            Member("file", Of("Text"), Required),
            Member("offset", Of("Count"), Required),
            Member("code", Of("Text"), Required),
        ],
    },
    LifecycleRow {
        event_type: "disk_full",
        doc: "The reserve had to be used.",
        members: &[Member("available_bytes", Of("Count"), Required)],
    },
    LifecycleRow {
        event_type: "events_lost",
        doc: "Events were offered and are not in the log.",
        members: &[
            Member("count", Of("Count"), Required),
            Member("critical_count", Of("Count"), Required),
            Member("reason", Word(&["queue_full", "disk_full", "refused", "io_error"]), Required),
            Member("first", Of("RecordTime"), Required),
            Member("last", Of("RecordTime"), Required),
            Member("sha256", Of("Sha256"), Optional),
        ],
    },
    LifecycleRow {
        event_type: "format_changed",
        doc: "The next segment is of another version of the format.",
        members: &[Member("to", From(2), Required)],
    },
    LifecycleRow {
        event_type: "key_changed",
        doc: "The key is changed.",
        members: &[
            Member("old_vkey", Of("Text"), Required),
            Member("new_vkey", Of("Text"), Required),
            Member("old_signature", Of("Text"), Required),
            Member("new_signature", Of("Text"), Required),
        ],
    },
    LifecycleRow { event_type: "log_closed", doc: "A clean shutdown.", members: &[] },
    LifecycleRow {
        event_type: "log_copied",
        doc: "The log is at another place than its newest segment says.",
        members: &[Member("from", Object(PLACE), Required), Member("to", Object(PLACE), Required)],
    },
    LifecycleRow {
        event_type: "log_opened",
        doc: "A writer opened the log.",
        members: &[
            Member("writer", Of("Text"), Required),
            Member("flush_mode", Of("Text"), Required),
            Member("unsynced_max_bytes", Of("Count"), Required),
            Member("host", Of("Text"), Optional),
            Member("pid", Of("Count"), Optional),
            Member("boot_id", Of("Text"), Optional),
            Member("vkey", Of("Text"), Optional),
            Member("storage", Word(&["volatile"]), Optional),
            Member("unsigned", True, Optional),
        ],
    },
    LifecycleRow {
        event_type: "log_recovered",
        doc: "What follows the last whole record of the segment before.",
        members: &[
            Member("file", Of("SegmentName"), Required),
            Member("offset", Of("Count"), Required),
            Member("bytes", Of("Count"), Required),
            Member("sha256", Of("Sha256"), Required),
            Member("valid_records", Of("Count"), Required),
            Member(
                "kind",
                Word(&["torn", "zeros", "superseded", "unreadable", "unsealed"]),
                Required,
            ),
        ],
    },
    LifecycleRow {
        event_type: "records_adopted",
        doc: "An operator vouched for records that nobody with the key had made.",
        members: &[
            Member("first_seq", Of("Count"), Required),
            Member("last_seq", Of("Count"), Required),
            Member("begins", Of("Count"), Required),
            Member(
                "why",
                Word(&["other_key", "unsigned_opening", "before_seals", "no_key_before"]),
                Required,
            ),
        ],
    },
    LifecycleRow {
        event_type: "segment_missing",
        doc: "The writer found its own file gone or changed.",
        members: &[
            Member("file", Of("SegmentName"), Required),
            Member("first_seq", Of("Count"), Required),
            Member("last_seq", Of("Count"), Required),
            Member("last_hash", Of("Sha256"), Required),
            Member(
                "reason",
                Word(&["unlinked", "replaced", "size_changed", "acknowledged"]),
                Required,
            ),
            Member("text", Of("Text"), Optional),
        ],
    },
    LifecycleRow {
        event_type: "segment_opened",
        doc: "The first record of a segment.",
        members: &[
            Member("log_id", Of("LogId"), Required),
            Member("merkle_frontier", ListOf("Sha256"), Required),
            Member(
                "previous",
                Object(&[
                    Member("file", Of("SegmentName"), Required),
                    Member("last_seq", Of("Count"), Required),
                    Member("last_hash", Of("Sha256"), Required),
                ]),
                Optional,
            ),
            Member(
                "continues",
                Object(&[
                    Member("log_id", Of("LogId"), Required),
                    Member("head", Of("Head"), Required),
                ]),
                Optional,
            ),
            Member("unsynced_max_bytes", Of("Count"), Optional),
            Member(
                "key",
                Object(&[
                    Member("vkey", Of("Text"), Required),
                    Member("since", Of("Count"), Required),
                ]),
                Optional,
            ),
            Member("sealed_from", Of("Count"), Optional),
            Member(
                "pruned",
                Object(&[
                    Member("seq", Of("Count"), Required),
                    Member("last_seq", Of("Count"), Required),
                    Member("last_hash", Of("Sha256"), Required),
                ]),
                Optional,
            ),
            Member("place", Object(PLACE), Optional),
        ],
    },
    LifecycleRow {
        event_type: "segments_pruned",
        doc: "Segments that retention is about to delete.",
        members: &[
            Member("first_seq", Number(0), Required),
            Member("last_seq", Of("Count"), Required),
            Member("last_hash", Of("Sha256"), Required),
            Member("merkle_frontier", ListOf("Sha256"), Required),
            Member(
                "files",
                Objects(
                    256,
                    &[
                        Member("name", Of("SegmentName"), Required),
                        Member("size", Of("Count"), Required),
                        Member("sha256", Of("Sha256"), Required),
                        Member("last_seq", Of("Count"), Optional),
                    ],
                ),
                Required,
            ),
            Member("reason", Of("Text"), Required),
            Member("after", Object(END), Optional),
            Member("before", Of("RecordTime"), Optional),
        ],
    },
];

impl LifecycleRow {
    /// The schema of such an event.
    pub(super) fn schema(&self) -> Value {
        let mut schema = object(self.members);
        if let Value::Object(members) = &mut schema {
            members.shift_insert(0, "description".to_owned(), self.doc.into());
        }
        schema
    }
}

fn object(members: &[Member]) -> Value {
    let property = |Member(name, form, _): &Member| ((*name).to_owned(), form.schema());
    let properties: Map<String, Value> = members.iter().map(property).collect();
    let required = members.iter().filter(|member| matches!(member.2, Required));
    let required: Vec<&str> = required.map(|member| member.0).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

impl Form {
    fn schema(&self) -> Value {
        match self {
            Of(name) => reference(name),
            ListOf(name) => json!({ "type": "array", "items": reference(name) }),
            Word(words) => json!({ "enum": words }),
            Object(members) => object(members),
            Objects(most, members) => {
                json!({ "type": "array", "maxItems": most, "items": object(members) })
            }
            Number(number) => json!({ "const": number }),
            From(least) => json!({ "type": "integer", "minimum": least }),
            True => json!({ "const": true }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_of_the_writer_is_in_the_table() {
        let names = EVENTS.map(|row| row.event_type);
        assert_eq!(names, audit_core::lifecycle::LIFECYCLE_TYPES);
    }
}

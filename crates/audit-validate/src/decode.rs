//! A line of input, to a clean event.

use std::fmt;

use audit_core::event::DecodeError;
use audit_core::limits::INPUT_LINE_BYTES_MAX;
use audit_core::{AuditEvent, Inert, Marks, TextPolicy};

use crate::cleaner::Cleaner;
use crate::error::ValidationError;
use crate::repair::{has_lone_surrogate, repair};
use crate::rule::Origin;

/// Most characters of a refusal's reason: it is one line of a report, and quotes the input.
const REASON_CHARS_MAX: usize = 240;

/// An event that was read from a line, and cleaned: only [`decode_line`] makes one.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Decoded {
    /// The event.
    pub event: AuditEvent<'static>,
    /// Its values that are not as they came.
    pub sanitized: Marks,
}

/// Why a line was not taken as an event. Nothing of it was kept. [`fmt::Display`] gives the reason
/// in one line that is safe to show.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// It is longer than [`INPUT_LINE_BYTES_MAX`].
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// It does not say an event.
    Event(DecodeError),
    /// It does, and the policy is [`TextPolicy::Reject`].
    Text(ValidationError),
}

/// Reads an event from a line, given without its line feed, and cleans it.
///
/// Bytes are taken as they come: within a string, one that is no part of UTF-8 becomes a marker,
/// and so does the escape of a surrogate without its partner. [`restore_bytes`] gives both back.
/// All digests and sizes are of the original text, but for a value that is too deep: they are of
/// its JSON as it came and, where the line holds such bytes or escapes, with their markers.
///
/// [`restore_bytes`]: crate::restore_bytes
///
/// # Errors
///
/// [`Refusal::TooLong`]; [`Refusal::Event`] when the line is not JSON, has a key twice, or says no
/// event that a caller may record; [`Refusal::Text`] under [`TextPolicy::Reject`] only, when a
/// value would be changed otherwise.
pub fn decode_line(line: &[u8], policy: TextPolicy) -> Result<Decoded, Refusal> {
    if line.len() > INPUT_LINE_BYTES_MAX {
        return Err(Refusal::TooLong { bytes: line.len() });
    }
    let ((mut event, too_deep), origin) = read(line).map_err(Refusal::Event)?;
    let mut cleaner = Cleaner::new(policy, origin);
    cleaner.note_too_deep(&too_deep).map_err(Refusal::Text)?;
    event.walk(&mut cleaner).map_err(Refusal::Text)?;
    Ok(Decoded { event, sanitized: cleaner.into_marks() })
}

type Read = (AuditEvent<'static>, Marks);

/// Reads a line, after a repair if it needs one.
fn read(line: &[u8]) -> Result<(Read, Origin), DecodeError> {
    if let Ok(text) = str::from_utf8(line) {
        let read = AuditEvent::from_json(text);
        // Looked for only now, since a reader of JSON refuses it anyway.
        if read.is_ok() || !has_lone_surrogate(text) {
            return Ok((read?, Origin::Caller));
        }
    }
    Ok((AuditEvent::from_json(&repair(line))?, Origin::Repaired))
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes } => {
                write!(f, "{bytes} bytes in a line where {INPUT_LINE_BYTES_MAX} are allowed")
            }
            Self::Event(error) => write!(f, "{}", Inert(&brief(error.to_string()))),
            // Its pointer is clean, and cleaning it again would hide which keys were not.
            Self::Text(error) => f.write_str(&brief(error.to_string())),
        }
    }
}

impl std::error::Error for Refusal {}

fn brief(mut reason: String) -> String {
    if let Some((end, _)) = reason.char_indices().nth(REASON_CHARS_MAX) {
        reason.truncate(end);
        reason.push_str("...");
    }
    reason
}

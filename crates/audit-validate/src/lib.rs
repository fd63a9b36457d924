//! Text made safe before it is recorded: neutralised, then shortened.
//!
//! Whoever attacks a service chooses the text of the event that records the attack. So cleaning is
//! total: it never loses an event because of what its text says, and [`restore()`] tells what the
//! text was. Text that needs no change is neither copied nor allocated for.
//!
//! ```
//! use audit_validate::{restore, sanitize};
//!
//! let safe = sanitize("mallory\u{1b}[2J")?;
//! assert_eq!(safe, "mallory\u{27e6}U+001B\u{27e7}[2J");
//! assert_eq!(restore(&safe)?, "mallory\u{1b}[2J");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This crate does not decide which code points are hostile or how long a text may be
//! (`audit-core` does), does not judge whether a text is true, escapes for no particular viewer
//! (HTML, a shell, SQL), and neither reads nor writes a file. It keeps nothing between two calls.

mod cleaner;
mod decode;
mod error;
mod json;
mod marker;
mod repair;
mod restore;
mod rule;

pub use audit_core::TextPolicy;
pub use cleaner::{validate_event, validate_string_field};
pub use decode::{Decoded, Refusal, decode_line};
pub use error::{TextFault, ValidationError};
pub use restore::{RestoreError, restore, restore_bytes};
pub use rule::{sanitize, sanitize_free};

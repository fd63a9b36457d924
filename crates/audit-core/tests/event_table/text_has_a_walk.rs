//! An event table with a member of text.

use audit_core::event_table;

event_table! {
    /// A table of one event.
    enum Careful;

    Custom {
        /// Someone said something.
        Routine Said = "said" { words: audit_core::event::Text<'a>, }
    }
}

fn main() {}

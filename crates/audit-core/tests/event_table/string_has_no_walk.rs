//! An event table with a member of type `String`.

use audit_core::event_table;

event_table! {
    /// A table of one event.
    enum Careless;

    Custom {
        /// Someone said something.
        Routine Said = "said" { words: String, }
    }
}

fn main() {}

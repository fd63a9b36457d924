//! The rules, a file each; a new rule is a file and an entry in one of the tables.

pub(crate) mod arrows;
mod ascii;
mod attacks;
mod captions;
mod documents;
mod event_table;
mod figures;
mod lint_table;
mod names;
mod paths;
mod residue;
mod silence;
mod sizes;

use super::file::File;
use super::rust_file::RustFile;
use super::violation::Violation;

/// A rule is a function from what it looks at to what is wrong there.
type Rule<Subject> = fn(&Subject) -> Vec<Violation>;

/// Rules that compare files with each other.
pub(crate) const OF_ALL_FILES: [Rule<[File]>; 3] =
    [attacks::check, documents::check, lint_table::check];

/// Rules that look at any file by itself.
pub(crate) const OF_A_FILE: [Rule<File>; 3] = [ascii::check, figures::check, residue::check];

/// Rules that look at the code of a Rust file.
pub(crate) const OF_A_RUST_FILE: [fn(&RustFile<'_>) -> Vec<Violation>; 6] =
    [captions::check, event_table::check, names::check, paths::check, silence::check, sizes::check];

//! What is what in a directory.

use crate::builder::Files;

pub(crate) fn segments(files: &Files) -> impl DoubleEndedIterator<Item = (&String, &Vec<u8>)> {
    files.iter().filter(|(name, _)| name.ends_with(".audit.jsonl"))
}

pub(crate) fn is_note(name: &str) -> bool {
    name.starts_with("checkpoints/")
}

//! What somebody with the directory and no key does to a log between two openings, what the writer
//! that then opens it makes of that, and what a verifier says afterwards: of the log alone, with its
//! key, and with what was kept elsewhere.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a helper of tests fails where it stands"
)]

#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "each scenario file uses what it needs")]
mod common;
#[path = "../seals/log.rs"]
#[expect(dead_code, reason = "each scenario file uses what it needs")]
mod log;

mod ends;
mod keys;
mod notes;
mod prunes;
mod said;

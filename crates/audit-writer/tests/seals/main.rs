//! Logs that seal: what an attacker with the directory and no key gains, which is nothing, and what
//! an honest crash loses, which is nothing that anybody was told of.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a helper of tests fails where it stands"
)]

#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "each scenario file uses what it needs")]
mod common;

mod adopted;
mod golden;
mod log;
mod owed;
mod pruned;
mod rewritten;
mod unsigned;

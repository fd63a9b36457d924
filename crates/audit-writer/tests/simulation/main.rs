//! The power goes at any operation and takes away any subset of what was not synced; operations
//! fail; and the log goes on, holds what was promised, and is never taken for tampered.
//!
//! Every workload comes from a seed, and a failure tells the command that plays it again. The same
//! code runs for hours as `cargo xtask soak simulation`.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests, and small numbers"
)]

mod campaign;
mod check;
#[expect(dead_code, reason = "each scenario file uses what it needs")]
#[path = "../common/mod.rs"]
mod common;
mod failing;
mod loss;
mod run;
mod shrink;
mod signed;
mod soak;
mod workload;

/// Where the seeds of a normal run begin.
const SEED: u64 = 1;

#[test]
fn whatever_a_crash_takes_away_nothing_that_was_promised_is_lost() {
    let found = campaign::crashes(SEED, 200_000);
    assert!(found.states.len() >= 200_000);
    soak::say(&found);
}

#[test]
fn no_crash_makes_an_honest_log_that_signs_look_like_another() {
    let found = campaign::signed(SEED, 7_000);
    assert!(found.states.len() >= 7_000);
    assert!(found.honest.len() >= 10_000, "{} honest logs", found.honest.len());
    soak::say(&found);
}

#[test]
fn a_crash_during_recovery_three_times_over_changes_nothing() {
    let found = campaign::nested(SEED, 20_000);
    assert!(found.states.len() >= 20_000);
    soak::say(&found);
}

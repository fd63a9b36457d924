//! Between two openings a log belongs to whoever can write its directory. Two laws say what that is
//! worth: a writer that goes on makes nothing worse and nothing better, and nothing that is added
//! makes a log better.
//!
//! Every case comes from a seed. The same code runs for hours as `cargo xtask soak laws`.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests, and small numbers"
)]

mod additions;
mod attacks;
#[path = "../../../audit-verify/tests/verify/builder.rs"]
#[expect(dead_code, reason = "the tests of the verifier need the rest")]
mod builder;
#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "each scenario file uses what it needs")]
mod common;
mod going_on;
mod law_of_additions;
mod law_of_writers;
mod names;
mod past;
mod run;
mod shelf;

#[test]
fn a_writer_makes_no_log_worse_and_none_better() {
    run::say("writers", &run::writers(1, audit_testkit::soak::number("CASES", 20_000)));
}

#[test]
fn nothing_that_is_added_makes_a_log_better() {
    run::say("additions", &run::additions(1, audit_testkit::soak::number("CASES", 20_000)));
}

//! The real thing: processes that are killed, at random and at each system call of a short life.
//! Whatever they had acknowledged is in the log, and the log is never taken for tampered.
//!
//! What is drawn comes from a seed; when a kill hits is still the machine's. The same code runs for
//! hours as `cargo xtask soak kill`.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests, small numbers, and a test says why it was skipped"
)]

mod emitter;
mod kills;
mod life;
mod log;
mod losses;
mod modes;
mod points;
mod soak;

/// Where the seeds of a normal run begin.
const SEED: u64 = 1;

#[test]
fn a_process_that_is_killed_at_any_time_has_lost_nothing_that_it_acknowledged() {
    let found = kills::campaign(SEED, 100, &kills::FEW);
    assert!(found.killed >= 50, "most processes were done before they were killed: {found}");
    println!("{found}");
}

#[test]
fn a_process_that_is_killed_at_a_system_call_has_lost_nothing_that_it_acknowledged() {
    if points::can_trace() {
        points::kill_at_each();
    }
}

//! The same campaigns for as long as it takes, told by environment variables.

#![expect(clippy::print_stdout, reason = "who asks for it is shown what was found")]

use std::time::Instant;

use serde_json::json;

use crate::campaign::{Found, crashes, nested, signed};
use audit_testkit::soak::number;

/// Shows what a campaign found.
pub(crate) fn say(found: &Found) {
    let Found { states, crashes, workloads, losses, honest } = found;
    println!(
        "{} different states after {crashes} crashes of {workloads} workloads\n\n{losses}",
        states.len()
    );
    if !honest.is_empty() {
        println!("{} different logs that sign, each found honest\n", honest.len());
    }
}

/// A line of JSON with what a campaign counted.
fn say_row(name: &str, found: &Found, seconds: f64) {
    let Found { states, crashes, workloads, losses, honest } = found;
    let row = json!({
        "kind": "simulation", "name": name, "states": states.len(), "crashes": crashes,
        "workloads": workloads, "honest": honest.len(), "seconds": seconds, "losses": losses.rows(),
    });
    println!("{row}");
}

#[test]
#[ignore = "takes as long as it is told to: cargo xtask soak simulation"]
fn soak() {
    let seed = number("AUDIT_SIMULATION_SEED", 1);
    let states = number("AUDIT_SIMULATION_STATES", 0);
    let nested_states = number("AUDIT_SIMULATION_NESTED", 0);
    let signed_states = number("AUDIT_SIMULATION_SIGNED", 0);
    // The marks tell what is said here from what the test harness says.
    println!("\n<<<\nSeed {seed}.\n");
    for (name, campaign, states) in [
        ("a crash", crashes as fn(u64, usize) -> Found, states),
        ("a crash, and three of the recovery", nested, nested_states),
        ("a crash of a log that signs", signed, signed_states),
    ] {
        let started = Instant::now();
        let found = campaign(seed, states as usize);
        let seconds = started.elapsed().as_secs_f64();
        println!("After {name}, in {seconds:.0} s:");
        say(&found);
        say_row(name, &found, seconds);
    }
    println!(">>>");
}

//! The same campaigns for as long as it takes, told by environment variables.

#![expect(clippy::print_stdout, reason = "who asks for it is shown what was found")]

use crate::campaign::{Found, crashes, nested};

/// What a variable says; a number, in decimal.
fn number(name: &str, otherwise: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.map_or(otherwise, |value| value.parse().expect("a number"))
}

/// Shows what a campaign found.
pub(crate) fn say(found: &Found) {
    let Found { states, crashes, workloads, losses } = found;
    println!("{} states, {crashes} crashes, {workloads} workloads\n{losses}", states.len());
}

#[test]
#[ignore = "takes as long as it is told to: cargo xtask soak simulation"]
fn soak() {
    let seed = number("AUDIT_SIMULATION_SEED", 1);
    let states = number("AUDIT_SIMULATION_STATES", 0);
    let nested_states = number("AUDIT_SIMULATION_NESTED", 0);
    say(&crashes(seed, states as usize));
    say(&nested(seed, nested_states as usize));
}

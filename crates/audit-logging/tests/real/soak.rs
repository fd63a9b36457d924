//! The same for as long as it takes, told by environment variables.

use std::time::Instant;

use serde_json::json;

use crate::kills::{CROWD, FEW, Load, campaign};

/// What a variable says; a number, in decimal.
fn number(name: &str, otherwise: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.map_or(otherwise, |value| value.parse().unwrap())
}

#[test]
#[ignore = "takes as long as it is told to: cargo xtask soak kill"]
fn kill() {
    let seed = number("AUDIT_REAL_SEED", 1);
    let rounds = number("AUDIT_REAL_ROUNDS", 0);
    // The marks tell what is said here from what the test harness says.
    println!("\n<<<\nSeed {seed}.\n");
    let loads: [(&str, &Load, u64); 2] = [
        ("some hundred events in every flush mode", &FEW, rounds),
        ("20,000 events from 64 threads, one of 20 critical", &CROWD, rounds.div_ceil(50)),
    ];
    for (name, load, lives) in loads {
        let started = Instant::now();
        let found = campaign(seed, lives, load);
        let seconds = started.elapsed().as_secs_f64();
        println!("Killed with kill -9: {name}, in {seconds:.0} s:\n{found}");
        let row = json!({
            "kind": "kill", "name": name, "lives": found.lives, "killed": found.killed,
            "seconds": seconds, "modes": found.rows(),
        });
        println!("{row}");
    }
    println!(">>>");
}

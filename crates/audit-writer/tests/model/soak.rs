//! The same models for as long as it takes, told by environment variables.

#![expect(clippy::print_stdout, reason = "who asks for it is shown what was found")]

use std::time::Instant;

use serde_json::json;

use super::models::ALL;
use super::play;
use audit_testkit::soak::number;

#[test]
#[ignore = "takes as long as it is told to: cargo xtask soak model"]
fn soak() {
    let seed = number("AUDIT_MODEL_SEED", 1);
    let all = number("AUDIT_MODEL_SCHEDULES", 0);
    let schedules = all.div_ceil(ALL.len() as u64);
    // The marks tell what is said here from what the test harness says.
    println!("\n<<<\nSeeds {seed} and up, {schedules} of each model:\n");
    println!("| model | schedules | seconds |\n|---|---:|---:|");
    for (name, model) in ALL {
        let started = Instant::now();
        play(model, seed, schedules);
        let seconds = started.elapsed().as_secs_f64();
        println!("| `{name}` | {schedules} | {seconds:.0} |");
        let row = json!({
            "kind": "model", "name": name, "first_seed": seed, "schedules": schedules,
            "seconds": seconds,
        });
        println!("{row}");
    }
    println!(">>>");
}

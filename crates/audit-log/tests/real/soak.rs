//! The same for as long as it takes, told by environment variables.

use std::time::{Duration, Instant};

use audit_testkit::loopback::FileSystem;
use serde_json::json;

use crate::adverse::{self, ALL};
use crate::cuts;
use crate::forgetful;
use crate::kills::{self, CROWD, FEW};
use crate::losses::Found;
use audit_testkit::soak::number;

/// What is played of a seed, so many times.
type Play = fn(u64, u64) -> Found;

/// Plays as the environment says, and says what was found, between marks that tell it from what the
/// test harness says.
fn report(kind: &str, parts: &[(&str, Play)]) {
    let told = |name| number(&format!("audit_{kind}_{name}").to_uppercase(), 1);
    let (seed, rounds) = (told("seed"), told("rounds"));
    println!("\n<<<\nSeed {seed}.\n");
    for (name, play) in parts {
        let started = Instant::now();
        let found = play(seed, rounds);
        let seconds = started.elapsed().as_secs_f64();
        println!("{name}, in {seconds:.0} s: {found}");
        let row = json!({
            "kind": kind, "name": name, "lives": found.lives, "killed": found.killed,
            "seconds": seconds, "modes": found.rows(),
        });
        println!("{row}");
    }
    println!(">>>");
}

#[test]
#[ignore = "takes as long as it is told to: cargo xtask soak kill"]
fn kill() {
    let few: Play = |seed, rounds| kills::campaign(seed, rounds, &FEW);
    let crowd: Play = |seed, rounds| kills::campaign(seed, rounds.div_ceil(50), &CROWD);
    report(
        "kill",
        &[
            ("kill -9 among some hundred events", few),
            ("kill -9 among 20,000 events of 64 threads, one of 20 critical", crowd),
        ],
    );
}

#[test]
#[ignore = "takes as long as it is told to: cargo xtask soak forgetful"]
fn forgetful() {
    assert!(forgetful::can_mount(), "there is nothing to find without a mount");
    report("forgetful", &[("Power cuts on a file system that forgets", forgetful::campaign)]);
}

#[test]
#[ignore = "takes as long as it is told to: cargo xtask soak cut"]
fn cut() {
    // Half as many on XFS, which takes longer to make.
    report(
        "cut",
        &[
            ("Power cuts on ext4", |seed, rounds| cuts_on(FileSystem::Ext4, seed, rounds)),
            ("Power cuts on XFS", |seed, rounds| {
                cuts_on(FileSystem::Xfs, seed, rounds.div_ceil(2))
            }),
        ],
    );
}

fn cuts_on(kind: FileSystem, seed: u64, cuts: u64) -> Found {
    assert!(cuts::can_mount(kind), "there is nothing to find without a mount");
    let (found, around) = cuts::campaign(kind, seed, cuts);
    println!("{around}\n");
    found
}

#[test]
#[ignore = "takes as long as it is told to: cargo xtask soak adverse"]
fn adverse() {
    let seed = number("AUDIT_ADVERSE_SEED", 1);
    let time = Duration::from_secs(number("AUDIT_ADVERSE_SECONDS", 60));
    println!("\n<<<\nSeed {seed}, {} s a round.\n\n{}", time.as_secs(), adverse::HEADING);
    for (round, &adversity) in (0..number("AUDIT_ADVERSE_ROUNDS", 0)).zip(ALL.iter().cycle()) {
        if adverse::is_possible(adversity) {
            let minute = adverse::endure(adversity, seed + round, time);
            let minute = minute.unwrap_or_else(|why| panic!("{adversity:?}: {why}"));
            println!("{minute}\n{}", minute.row());
        }
    }
    println!(">>>");
}

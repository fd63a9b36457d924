//! Between two openings a log belongs to whoever can write its directory. Two laws say what that is
//! worth: a writer that goes on makes nothing worse and nothing better, and nothing that is added
//! makes a log better.
//!
//! Every case comes from a seed: a log that the product's writer made, in peace or until the power
//! went, or one of the attack ledger's; what somebody without its key did to it; and then what a
//! writer does, or what is added. The same code runs for hours as `cargo xtask soak laws`.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests, and small numbers"
)]

#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "each scenario file uses what it needs")]
mod common;

// The attack ledger of the verifier, and what it stands on.
#[path = "../../../audit-verify/tests/verify/accounts.rs"]
#[expect(dead_code, reason = "the tests of the verifier need the rest")]
mod accounts;
#[path = "../../../audit-verify/tests/verify/agree.rs"]
mod agree;
#[path = "../../../audit-verify/tests/verify/builder.rs"]
#[expect(dead_code, reason = "the tests of the verifier need the rest")]
mod builder;
#[path = "../../../audit-verify/tests/attacks/bytes.rs"]
mod bytes;
#[path = "../../../audit-verify/tests/attacks/chain.rs"]
mod chain;
#[path = "../../../audit-verify/tests/attacks/combined.rs"]
mod combined;
#[path = "../../../audit-verify/tests/verify/exact.rs"]
mod exact;
#[path = "../../../audit-verify/tests/attacks/family.rs"]
#[expect(dead_code, reason = "the tests of the verifier need the rest")]
mod family;
#[path = "../../../audit-verify/tests/attacks/goes_on.rs"]
mod goes_on;
#[path = "../../../audit-verify/tests/attacks/honest.rs"]
mod honest;
#[path = "../../../audit-verify/tests/attacks/lines.rs"]
mod lines;
#[path = "../../../audit-verify/tests/attacks/notes.rs"]
#[expect(dead_code, reason = "the tests of the verifier need the rest")]
mod notes;
#[path = "../../../audit-verify/tests/attacks/oracle.rs"]
mod oracle;
#[path = "../../../audit-verify/tests/attacks/player.rs"]
mod player;
#[path = "../../../audit-verify/tests/verify/sealing.rs"]
#[expect(dead_code, reason = "the tests of the verifier need the rest")]
mod sealing;
#[path = "../../../audit-verify/tests/attacks/seals.rs"]
mod seals;
#[path = "../../../audit-verify/tests/attacks/segments.rs"]
mod segments;
#[path = "../../../audit-verify/tests/verify/signed.rs"]
#[expect(dead_code, reason = "the tests of the verifier need the rest")]
mod signed;

mod additions;
mod attacks;
mod forged;
mod going_on;
mod law_of_additions;
mod law_of_writers;
mod ledger;
mod past;
mod run;
mod shelf;
mod steps;

use audit_testkit::soak::number;

/// Where the seeds of a normal run begin.
const SEED: u64 = 1;

/// Cases of each law in a normal run.
const CASES: u64 = 20_000;

#[test]
fn a_writer_makes_no_log_worse_and_none_better() {
    run::say("writers", &run::writers(SEED, CASES));
}

#[test]
fn nothing_that_is_added_makes_a_log_better() {
    run::say("additions", &run::additions(SEED, CASES));
}

#[test]
fn neither_law_breaks_where_the_power_goes_between_two_steps_and_somebody_was_there() {
    let counts = run::at_each_step();
    run::say("steps", &counts);
    // Each step has operations between which the power can go.
    assert_eq!(counts.len(), 12, "{counts:?}");
    assert!(counts.values().sum::<u64>() >= 4_000, "{counts:?}");
}

#[test]
#[ignore = "takes as long as it is told to: cargo xtask soak laws"]
fn soak() {
    let seed = number("AUDIT_LAWS_SEED", SEED);
    let cases = number("AUDIT_LAWS_CASES", CASES);
    // The marks tell what is said here from what the test harness says.
    println!("\n<<<\nSeed {seed}.\n");
    for (law, play) in
        [("writers", run::writers as fn(u64, u64) -> run::Counts), ("additions", run::additions)]
    {
        let started = std::time::Instant::now();
        let counts = play(seed, cases);
        println!("After {:.0} s:", started.elapsed().as_secs_f64());
        run::say(law, &counts);
        run::say_rows(law, seed, &counts);
    }
    println!(">>>");
}

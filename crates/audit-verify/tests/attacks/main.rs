//! The attack ledger, executed: whatever is done to a log is found, at the latest by whoever was
//! given what docs/attacks.md says.
//!
//! Attacks are families, and a family is done at every place that it applies to, of logs of several
//! kinds. A normal run takes an even share of the places; `cargo xtask soak attacks` as many as asked.

#![expect(clippy::arithmetic_side_effects, reason = "small numbers of a test")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails")]
#![expect(clippy::print_stdout, reason = "what was tried is printed")]

#[expect(dead_code, reason = "tests of single findings use the rest")]
#[path = "../verify/accounts.rs"]
mod accounts;
#[expect(dead_code, reason = "tests of single findings use the rest")]
#[path = "../verify/builder.rs"]
mod builder;
mod bytes;
mod combined;
mod families;
mod forms;
mod history;
mod huge;
mod hunt;
mod lines;
mod logs;
#[path = "../verify/second/mutants.rs"]
mod mutants;
mod notes;
mod segments;
#[expect(dead_code, reason = "tests of single findings use the rest")]
#[path = "../verify/signed.rs"]
mod signed;

use audit_testkit::soak::number;
use audit_verify::Verdict;

use hunt::Level;
use logs::Log;

#[test]
fn honest_logs_raise_no_alarm() {
    for log in Log::all() {
        let verdicts = Level::ALL.map(|level| log.judge(&log.files, level).verdict);
        let expected = if log.is_signed() {
            [Verdict::Consistent, Verdict::Signed, Verdict::Intact]
        } else {
            [Verdict::Consistent, Verdict::Consistent, Verdict::Intact]
        };
        assert_eq!(verdicts, expected, "{}", log.name);
    }
}

#[test]
fn a_hundred_thousand_attacks_of_every_family_are_found() {
    let found = hunt::hunt(100_000, 1);
    assert!(found.total() >= 100_000, "{found}");
}

#[test]
#[ignore = "runs for as long as it is told to"]
fn soak() {
    let mutants = number("AUDIT_ATTACKS_MUTANTS", 100_000);
    let found = hunt::hunt(usize::try_from(mutants).unwrap(), number("AUDIT_ATTACKS_SEED", 1));
    assert!(found.total() >= mutants, "{found}");
    println!("<<<\n{found}{}>>>", found.rows());
}

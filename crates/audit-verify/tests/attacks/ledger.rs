//! All families: in a normal run, and for as long as asked.

use audit_testkit::soak::number;
use audit_verify::{MemorySource, Verdict};
use serde_json::json;

use crate::family::{Family, Level, Row, attack, say};
use crate::honest::Honest;
use crate::{bytes, chain, combined, lines, notes, seals, segments};

const SEED: u64 = 1;

/// Mutants that a normal run makes at least.
const MUTANTS_MIN: u64 = 100_000;

fn families() -> Vec<Family> {
    [
        &bytes::FAMILIES[..],
        &lines::FAMILIES,
        &chain::FAMILIES,
        &chain::CONSISTENT,
        &seals::FAMILIES,
        &segments::FAMILIES,
        &notes::FAMILIES,
        &notes::SMALL_ORDER,
        &combined::FAMILIES,
    ]
    .concat()
}

/// Makes at least so many mutants.
fn run(mutants: u64, seed: u64) -> Vec<Row> {
    // Some places are those of a log as it was earlier, and are none.
    let rows = attack(&families(), mutants.saturating_mul(13) / 10, seed);
    let made: u64 = rows.iter().map(|row| row.mutants).sum();
    eprintln!("{made} mutants of seed {seed}");
    assert!(made >= mutants, "only {made} mutants");
    for row in &rows {
        assert!(row.mutants > 0, "no mutant: {:?}", row.family);
        let is_lowest = row.family.level == Level::Chain || row.passed_below > 0;
        assert!(is_lowest, "the level below finds all: {:?}", row.family);
    }
    rows
}

#[test]
fn honest_logs_are_what_the_attacks_are_done_to() {
    for honest in Honest::all() {
        let source = MemorySource::new(honest.files.clone());
        assert_eq!(say(&honest, Level::Chain, &source), Verdict::Consistent, "{}", honest.name);
        assert_eq!(say(&honest, Level::Elsewhere, &source), Verdict::Intact, "{}", honest.name);
        if honest.is_signed() {
            assert_eq!(say(&honest, Level::Key, &source), Verdict::Signed, "{}", honest.name);
        }
        for state in &honest.states {
            let said = say(&honest, Level::Chain, &MemorySource::new(state.clone()));
            assert!(
                [Verdict::Consistent, Verdict::Torn].contains(&said),
                "{}: {said}",
                honest.name
            );
        }
    }
}

#[test]
fn a_hundred_thousand_mutants_are_found_at_the_level_of_their_family() {
    run(MUTANTS_MIN, SEED);
}

#[test]
#[ignore = "takes as long as it is told to: cargo xtask soak attacks"]
#[expect(clippy::print_stdout, reason = "who asks for it is shown what was found")]
fn soak() {
    let seed = number("AUDIT_ATTACKS_SEED", SEED);
    let mutants = number("AUDIT_ATTACKS_MUTANTS", MUTANTS_MIN);
    let started = std::time::Instant::now();
    let rows = run(mutants, seed);
    let made: u64 = rows.iter().map(|row| row.mutants).sum();
    let seconds = started.elapsed().as_secs_f64();
    // The marks tell what is said here from what the test harness says.
    println!("\n<<<\nSeed {seed}: {made} mutants in {seconds:.0} s, none undetected.\n");
    println!("| attack | level | mutants | places | undetected |\n|---|---|---:|---|---:|");
    for Row { family, mutants, undetected, places, .. } in rows {
        let (name, level) = (family.name, family.level.as_str());
        let places = places.as_str();
        println!("| {name} | {level} | {mutants} | {places} | {undetected} |");
        let row = json!({
            "kind": "attack", "name": name, "level": level, "seed": seed, "mutants": mutants,
            "places": places, "undetected": undetected,
        });
        println!("{row}");
    }
    println!(">>>");
}

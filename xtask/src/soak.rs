//! `cargo xtask soak simulation`: what the tests of the simulated disk do, for as long as asked.

use crate::command::{Failure, Outcome, cargo, read};
use crate::output;
use crate::record::{self, Machine};

const STATES_DEFAULT: u64 = 20_000_000;
const NESTED_DEFAULT: u64 = 1_000_000;
const SEED_DEFAULT: u64 = 1;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    states: u64,
    nested: u64,
    seed: u64,
    /// The name under which the run is recorded; without one it is only shown.
    record: Option<String>,
}

/// Reads the words after the verb; `None` when they are not understood.
pub(crate) fn parse(words: &[&str]) -> Option<Options> {
    let (&"simulation", words) = words.split_first()? else { return None };
    let mut options = Options {
        states: STATES_DEFAULT,
        nested: NESTED_DEFAULT,
        seed: SEED_DEFAULT,
        record: None,
    };
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        let value = *words.next()?;
        match word {
            "--states" => options.states = value.parse().ok()?,
            "--nested" => options.nested = value.parse().ok()?,
            "--seed" => options.seed = value.parse().ok()?,
            "--record" if record::is_name(value) => options.record = Some(value.to_owned()),
            _ => return None,
        }
    }
    Some(options)
}

/// Plays crashes until so many states were found, and shows what was found. Whether the run can be
/// recorded is found out first.
pub(crate) fn run(options: &Options) -> Outcome {
    let machine = Machine::read()?;
    let place = options.record.as_ref().map(|name| record::reserve(&machine, name)).transpose()?;
    let found = soak(options)?;
    output::say(&found.report);
    let Some(place) = place else { return Ok(()) };
    let name = place.name();
    let readme = format!(
        "# {name}\n\n\
         Recorded by `cargo xtask soak simulation{} --record {name}`.\n\
         [docs/durability.md](../../docs/durability.md) says what is played; every count is a line\n\
         of [rows.jsonl](rows.jsonl).\n\n\
         | | |\n|---|---|\n{machine}\n{}\n",
        options.figures(),
        found.report,
    );
    place.write(&readme, &found.rows)
}

impl Options {
    /// The numbers as they are typed.
    fn figures(&self) -> String {
        let Self { states, nested, seed, .. } = self;
        format!(" --states {states} --nested {nested} --seed {seed}")
    }
}

/// What a soak printed: a report for people, and its rows.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    report: String,
    rows: String,
}

fn soak(options: &Options) -> Result<Found, Failure> {
    let test = ["test", "--quiet", "--release", "-p", "audit-writer", "--test", "simulation"];
    let mut command = cargo(&test);
    command.args(["--", "--ignored", "--exact", "soak::soak", "--nocapture"]);
    command.env("AUDIT_SIMULATION_STATES", options.states.to_string());
    command.env("AUDIT_SIMULATION_NESTED", options.nested.to_string());
    command.env("AUDIT_SIMULATION_SEED", options.seed.to_string());
    found(&read(&mut command)?).ok_or_else(|| Failure::new("the soak did not tell what it found"))
}

/// The lines between the marks that the soak prints around its report, and those of JSON.
fn found(printed: &str) -> Option<Found> {
    let (_, marked) = printed.split_once("<<<\n")?;
    let (report, _) = marked.split_once(">>>\n")?;
    let (rows, text): (Vec<_>, Vec<_>) = report.lines().partition(|line| line.starts_with('{'));
    let lines = |lines: Vec<&str>| lines.iter().flat_map(|line| [line, "\n"]).collect();
    Some(Found { report: lines(text), rows: lines(rows) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_a_name_are_understood_in_any_order() {
        let all = Options { states: 20_000_000, nested: 1_000_000, seed: 1, record: None };
        assert_eq!(parse(&["simulation"]), Some(all));
        let words =
            ["simulation", "--seed", "7", "--states", "5", "--record", "a-1", "--nested", "0"];
        let some = Options { states: 5, nested: 0, seed: 7, record: Some("a-1".to_owned()) };
        assert_eq!(parse(&words), Some(some));
    }

    #[test]
    fn what_is_misspelled_is_not_run() {
        for words in [
            &[][..],
            &["simulated"],
            &["simulation", "--states"],
            &["simulation", "--states", "many"],
            &["simulation", "--record", "../up"],
            &["simulation", "--sed", "7"],
        ] {
            assert_eq!(parse(words), None, "{words:?}");
        }
    }

    #[test]
    fn report_and_rows_are_told_apart_from_what_the_harness_prints() {
        let printed =
            "\nrunning 1 test\n<<<\ntwo states\n{\"states\":2}\n| a |\n>>>\n.\ntest result\n";
        let found = found(printed).unwrap();
        assert_eq!(
            (found.report.as_str(), found.rows.as_str()),
            ("two states\n| a |\n", "{\"states\":2}\n")
        );
        assert_eq!(super::found("running 1 test\n"), None);
    }
}

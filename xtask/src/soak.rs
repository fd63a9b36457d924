//! `cargo xtask soak`: what the tests of the simulated disk, of the models of queue and worker, of
//! processes that are killed, of power cuts, of a large log, of attacks on a log and of the two laws do,
//! for as long as asked.

use crate::command::{Failure, Outcome, cargo, read};
use crate::output;
use crate::record::{self, Machine};

const SEED_DEFAULT: u64 = 1;

/// Tests that can be run for long.
#[derive(Debug, PartialEq, Eq)]
struct Soak {
    /// What it is called here, and in the variables that it reads.
    name: &'static str,
    package: &'static str,
    /// The file of tests.
    target: &'static str,
    test: &'static str,
    /// The numbers that it takes beside a seed, each with what it is by default.
    numbers: &'static [(&'static str, u64)],
    /// What the run's README says of it.
    about: &'static str,
}

static SOAKS: [Soak; 11] = [
    Soak {
        name: "simulation",
        package: "audit-writer",
        target: "simulation",
        test: "soak::soak",
        numbers: &[("states", 20_000_000), ("nested", 1_000_000), ("signed", 1_000_000)],
        about: "[docs/durability.md](../../docs/durability.md) says what is played; every count is a line\n\
                of [rows.jsonl](rows.jsonl).",
    },
    Soak {
        name: "model",
        package: "audit-writer",
        target: "model",
        test: "soak::soak",
        numbers: &[("schedules", 1_000_000)],
        about: "[docs/durability.md](../../docs/durability.md) says what is modelled; every model is a line\n\
                of [rows.jsonl](rows.jsonl).",
    },
    Soak {
        name: "kill",
        package: "audit-log",
        target: "real",
        test: "soak::kill",
        numbers: &[("rounds", 10_000)],
        about: "A round is a process that is killed; of each 50 rounds another one has 20,000 events.\n\
                [docs/durability.md](../../docs/durability.md) says what is demanded; every load is a\n\
                line of [rows.jsonl](rows.jsonl).",
    },
    Soak {
        name: "forgetful",
        package: "audit-log",
        target: "real",
        test: "soak::forgetful",
        numbers: &[("rounds", 100_000)],
        about: "A round is a power cut. [docs/durability.md](../../docs/durability.md) says what is\n\
                demanded; [rows.jsonl](rows.jsonl) has what was lost, by flush mode.",
    },
    Soak {
        name: "cut",
        package: "audit-log",
        target: "real",
        test: "soak::cut",
        numbers: &[("rounds", 2_000)],
        about: "A round is a power cut on ext4; half as many are made on XFS.\n\
                [docs/durability.md](../../docs/durability.md) says what is demanded;\n\
                [rows.jsonl](rows.jsonl) has what was lost, by flush mode.",
    },
    Soak {
        name: "adverse",
        package: "audit-log",
        target: "real",
        test: "soak::adverse",
        numbers: &[("rounds", 24), ("seconds", 60)],
        about: "A round is a process that records for so long while its clock is stepped, it is stopped\n\
                once a second, has few descriptors, or is nice beside somebody who keeps the disk busy.\n\
                [rows.jsonl](rows.jsonl) has what was lost, and memory and descriptors after a third of\n\
                the time and at the end.",
    },
    Soak {
        name: "large",
        package: "audit-log-cli",
        target: "large",
        test: "soak",
        numbers: &[("records", 1_000_000), ("rounds", 7)],
        about: "In each round a copy of a cleanly closed log in segments of 100 MB is opened, ten\n\
                checkpoints are signed in it, and five records of the log are proven, each a process.\n\
                The page cache has the log. [rows.jsonl](rows.jsonl) has the figures.",
    },
    Soak {
        name: "directories",
        package: "audit-log-cli",
        target: "directories",
        test: "soak",
        numbers: &[("parts", 1)],
        about: "Into the directory of a log of two lives somebody puts so much of something, divided by\n\
                the parts, and a quarter of that; then each command is a process. Memory is the most that\n\
                it had, and never below what the test had that started it. [rows.jsonl](rows.jsonl) has\n\
                the figures.",
    },
    Soak {
        name: "attacks",
        package: "audit-verify",
        target: "attacks",
        test: "ledger::soak",
        numbers: &[("mutants", 3_000_000)],
        about: "[docs/attacks.md](../../docs/attacks.md) says what is done to a log and at which level\n\
                it has to be found; every family is a line of [rows.jsonl](rows.jsonl).",
    },
    Soak {
        name: "laws",
        package: "audit-writer",
        target: "two_laws",
        test: "soak",
        numbers: &[("cases", 3_000_000)],
        about: "So many cases of each of two laws, which [docs/attacks.md](../../docs/attacks.md) tells.\n\
                What became of them is in [rows.jsonl](rows.jsonl).",
    },
    Soak {
        name: "seals",
        package: "audit-writer",
        target: "seal_cost",
        test: "soak",
        numbers: &[("rounds", 2_000)],
        about: "In each round a log without a key and one with a key record 100 events, one after the\n\
                other, on the disk of the build. [rows.jsonl](rows.jsonl) has the figures.",
    },
];

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    soak: &'static Soak,
    /// In the order of the soak's.
    numbers: Vec<u64>,
    seed: u64,
    /// The name under which the run is recorded; without one it is only shown.
    record: Option<String>,
}

/// Reads the words after the verb; `None` when they are not understood.
pub(crate) fn parse(words: &[&str]) -> Option<Options> {
    let (name, words) = words.split_first()?;
    let soak = SOAKS.iter().find(|soak| soak.name == *name)?;
    let numbers = soak.numbers.iter().map(|(_, default)| *default).collect();
    let mut options = Options { soak, numbers, seed: SEED_DEFAULT, record: None };
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        let value = *words.next()?;
        match word.strip_prefix("--")? {
            "seed" => options.seed = value.parse().ok()?,
            "record" if record::is_name(value) => options.record = Some(value.to_owned()),
            word => *options.number(word)? = value.parse().ok()?,
        }
    }
    Some(options)
}

/// Runs what is asked for, and shows what was found. Whether the run can be recorded is found out
/// first.
pub(crate) fn run(options: &Options) -> Outcome {
    let machine = Machine::read()?;
    let place = options.record.as_ref().map(|name| record::reserve(&machine, name)).transpose()?;
    let found = soak(options)?;
    output::say(&found.report);
    let Some(place) = place else { return Ok(()) };
    let name = place.name();
    let Soak { name: soak, about, .. } = options.soak;
    let readme = format!(
        "# {name}\n\n\
         Recorded by `cargo xtask soak {soak} {} --record {name}`.\n\
         {about}\n\n\
         | | |\n|---|---|\n{machine}\n{}\n",
        options.figures(),
        found.report,
    );
    place.write(&readme, &found.rows)
}

impl Options {
    /// The number of this name.
    fn number(&mut self, name: &str) -> Option<&mut u64> {
        let at = self.soak.numbers.iter().position(|(known, _)| *known == name)?;
        self.numbers.get_mut(at)
    }

    /// The numbers by their names, the seed last.
    fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let numbers = self.soak.numbers.iter().zip(&self.numbers);
        numbers.map(|((name, _), number)| (*name, *number)).chain([("seed", self.seed)])
    }

    /// The numbers as they are typed.
    fn figures(&self) -> String {
        let words = self.named().map(|(name, number)| format!("--{name} {number}"));
        words.collect::<Vec<_>>().join(" ")
    }
}

/// What a soak printed: a report for people, and its rows.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    report: String,
    rows: String,
}

fn soak(options: &Options) -> Result<Found, Failure> {
    let Soak { name, package, target, test, .. } = options.soak;
    let mut command = cargo(&["test", "--quiet", "--release", "-p", package, "--test", target]);
    command.args(["--", "--ignored", "--exact", test, "--nocapture"]);
    for (number, value) in options.named() {
        let variable = format!("audit_{name}_{number}").to_uppercase();
        command.env(variable, value.to_string());
    }
    found(&read(&mut command)?).ok_or_else(|| Failure::new("the soak did not tell what it found"))
}

/// The lines between the marks that the soak prints around its report, and those of JSON.
fn found(printed: &str) -> Option<Found> {
    let (_, marked) = printed.split_once("<<<\n")?;
    let (report, _) = marked.split_once(">>>\n")?;
    // What the harness says of a test that takes long stands between them.
    let is_noise = |line: &&str| line.starts_with("test ") && line.contains(" has been running ");
    let report = report.lines().filter(|line| !is_noise(line));
    let (rows, text): (Vec<_>, Vec<_>) = report.partition(|line| line.starts_with('{'));
    let lines = |lines: Vec<&str>| lines.iter().flat_map(|line| [line, "\n"]).collect();
    Some(Found { report: lines(text), rows: lines(rows) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(words: &[&str]) -> (String, Option<String>) {
        let options = parse(words).unwrap();
        (format!("{} {}", options.soak.name, options.figures()), options.record)
    }

    #[test]
    fn numbers_and_a_name_are_understood_in_any_order() {
        let all = "simulation --states 20000000 --nested 1000000 --signed 1000000 --seed 1";
        assert_eq!(understood(&["simulation"]), (all.to_owned(), None));
        let words =
            ["simulation", "--seed", "7", "--states", "5", "--record", "a-1", "--nested", "0"];
        let some = "simulation --states 5 --nested 0 --signed 1000000 --seed 7";
        assert_eq!(understood(&words), (some.to_owned(), Some("a-1".to_owned())));
        let model = "model --schedules 1000000 --seed 1";
        assert_eq!(understood(&["model"]), (model.to_owned(), None));
        let kill = "kill --rounds 20 --seed 1";
        assert_eq!(understood(&["kill", "--rounds", "20"]), (kill.to_owned(), None));
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
            &["simulation", "--schedules", "7"],
            &["model", "--states", "7"],
            &["model", "schedules", "7"],
            &["forgetful", "--states", "7"],
        ] {
            assert_eq!(parse(words), None, "{words:?}");
        }
    }

    #[test]
    fn report_and_rows_are_told_apart_from_what_the_harness_prints() {
        let printed = "\nrunning 1 test\n<<<\ntwo states\ntest a::b has been running for over 60 seconds\n{\"states\":2}\n| a |\n>>>\n.\ntest result\n";
        let found = found(printed).unwrap();
        assert_eq!(
            (found.report.as_str(), found.rows.as_str()),
            ("two states\n| a |\n", "{\"states\":2}\n")
        );
        assert_eq!(super::found("running 1 test\n"), None);
    }
}

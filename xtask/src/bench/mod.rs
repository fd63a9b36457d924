//! The verb `bench`: times, allocations and instructions, in one table and, if asked, on record.

mod figures;
mod measure;

use crate::command::Outcome;
use crate::output;
use crate::record::{self, Machine};
use figures::{Measured, rows, tables};

/// What `bench` was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// The name under which the run is recorded; without one it is only shown.
    record: Option<String>,
}

/// Reads the words after the verb; `None` when they say something else.
pub(crate) fn parse(words: &[&str]) -> Option<Options> {
    match words {
        [] => Some(Options::default()),
        ["--record", name] if record::is_name(name) => {
            Some(Options { record: Some((*name).to_owned()) })
        }
        _ => None,
    }
}

/// Measures everything and shows it. Whether the run can be recorded is found out first, and the
/// machine is looked at before it is put under load.
pub(crate) fn run(options: &Options) -> Outcome {
    let machine = Machine::read()?;
    let place = options.record.as_ref().map(|name| record::reserve(&machine, name)).transpose()?;
    let measured = measure::all()?;
    output::say(tables(&measured));
    place.map_or(Ok(()), |place| {
        place.write(&readme(place.name(), &machine, &measured), &rows(&measured))
    })
}

fn readme(name: &str, machine: &Machine, measured: &Measured) -> String {
    format!(
        "# {name}\n\n\
         Recorded by `cargo xtask bench --record {name}`. What each figure means is said in\n\
         [docs/performance.md](../../docs/performance.md); every figure is a line of\n\
         [rows.jsonl](rows.jsonl).\n\n\
         | | |\n|---|---|\n{machine}\n{}",
        tables(measured)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_run_tells_how_it_was_made() {
        let readme = readme("a-run", &Machine::read().unwrap(), &Measured::default());
        assert!(readme.contains("`cargo xtask bench --record a-run`"), "{readme}");
        assert!(readme.contains("| commit | "), "{readme}");
    }

    #[test]
    fn only_a_name_can_be_given() {
        let named = Options { record: Some("first-run-2".to_owned()) };
        assert_eq!(parse(&["--record", "first-run-2"]), Some(named));
        assert_eq!(parse(&[]), Some(Options::default()));
        for words in [
            vec!["--record"],
            vec!["--record", ""],
            vec!["--record", "../up"],
            vec!["--record", "Two words"],
            vec!["--record", "a", "b"],
            vec!["--quick"],
            vec!["name"],
        ] {
            assert_eq!(parse(&words), None, "{words:?}");
        }
    }
}

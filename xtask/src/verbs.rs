//! The verbs of `cargo xtask`: one table feeds both the dispatcher and the help.

use std::process::ExitCode;
use std::time::Instant;

use crate::command::{Failure, Outcome};
use crate::{bench, broken, fuzz, generated, output, soak, steps, tidy};

type Step = fn() -> Outcome;

struct Verb {
    name: &'static str,
    about: &'static str,
    run: Run,
}

enum Run {
    /// Takes no options, so that there is nothing to misspell quietly.
    Plain(Step),
    WithOptions {
        /// What may follow the verb.
        options: &'static str,
        /// What to do for the words that follow; `None` when they are not understood.
        understand: fn(&[&str]) -> Option<Job>,
    },
}

/// What a verb and its options come to.
type Job = Box<dyn FnOnce() -> Outcome>;

static VERBS: [Verb; 11] = [
    Verb {
        name: "ci",
        about: "tidy, lint, doc, fixtures --check, test and broken, stopping at the first failure",
        run: Run::Plain(ci),
    },
    Verb {
        name: "lint",
        about: "clippy, formatting, and cargo-deny if it is there",
        run: Run::Plain(steps::lint),
    },
    Verb { name: "test", about: "every test of the workspace", run: Run::Plain(steps::test) },
    Verb {
        name: "broken",
        about: "promises broken on purpose, each of which a test has to catch",
        run: Run::Plain(broken::run),
    },
    Verb {
        name: "doc",
        about: "documentation, with broken links as errors",
        run: Run::Plain(steps::doc),
    },
    Verb {
        name: "tidy",
        about: "the style rules that a compiler does not know",
        run: Run::Plain(tidy::run),
    },
    Verb {
        name: "bench",
        about: "times, allocations and instructions; on record under a name",
        run: Run::WithOptions { options: "[--record NAME]", understand: understand_bench },
    },
    Verb {
        name: "fixtures",
        about: "the verifier's corpus and the schemas: written anew, or compared",
        run: Run::WithOptions { options: "[--check]", understand: understand_fixtures },
    },
    Verb {
        name: "assets",
        about: "completions, manual pages and schemas, to target/assets/",
        run: Run::Plain(generated::assets),
    },
    Verb {
        name: "fuzz",
        about: "all fuzz targets, or one; ten minutes each, or N seconds",
        run: Run::WithOptions { options: "[TARGET] [--seconds N]", understand: understand_fuzz },
    },
    Verb {
        name: "soak",
        about: "tests of crashes, schedules, kills, power cuts, a large log or attacks, for hours; on record under a name",
        run: Run::WithOptions {
            options: "simulation [--states N] [--nested N] [--signed N] [--seed N] [--record NAME], or model [--schedules N] ..., kill|forgetful|cut [--rounds N] ..., adverse [--rounds N] [--seconds N] ..., large [--records N] [--rounds N] ..., attacks [--mutants N] ...",
            understand: understand_soak,
        },
    },
];

/// Cheap steps come first, so that a slip costs seconds.
const CI: [(&str, Step); 7] = [
    ("fmt --check", steps::format),
    ("tidy", tidy::run),
    ("lint", steps::lint),
    ("doc", steps::doc),
    ("fixtures --check", generated::check),
    ("test", steps::test),
    ("broken", broken::run),
];

/// The exit code for a command line that is not understood; a check that fails exits with 1.
const NOT_UNDERSTOOD: u8 = 2;

/// Runs the verb that the arguments name; none at all asks for help.
pub(crate) fn dispatch(arguments: &[String]) -> ExitCode {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["help" | "--help" | "-h"] => {
            output::say(help());
            ExitCode::SUCCESS
        }
        words => understand(words).map_or_else(|| complain(words), |job| report(job())),
    }
}

fn understand(words: &[&str]) -> Option<Job> {
    let (name, options) = words.split_first()?;
    let verb = VERBS.iter().find(|verb| verb.name == *name)?;
    match verb.run {
        Run::Plain(step) => options.is_empty().then(|| Box::new(step) as Job),
        Run::WithOptions { understand, .. } => understand(options),
    }
}

fn understand_bench(words: &[&str]) -> Option<Job> {
    let options = bench::parse(words)?;
    Some(Box::new(move || bench::run(&options)))
}

fn understand_fixtures(words: &[&str]) -> Option<Job> {
    match words {
        [] => Some(Box::new(generated::write)),
        ["--check"] => Some(Box::new(generated::check)),
        _ => None,
    }
}

fn understand_fuzz(words: &[&str]) -> Option<Job> {
    let options = fuzz::parse(words)?;
    Some(Box::new(move || fuzz::run_targets(&options)))
}

fn understand_soak(words: &[&str]) -> Option<Job> {
    let options = soak::parse(words)?;
    Some(Box::new(move || soak::run(&options)))
}

fn complain(words: &[&str]) -> ExitCode {
    output::complain(format_args!("`{}` is not understood\n\n{}", words.join(" "), help()));
    ExitCode::from(NOT_UNDERSTOOD)
}

fn report(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(failure);
            ExitCode::FAILURE
        }
    }
}

fn help() -> String {
    let lines = VERBS.iter().map(|verb| {
        let usage = match verb.run {
            Run::Plain(_) => verb.name.to_owned(),
            Run::WithOptions { options, .. } => format!("{} {options}", verb.name),
        };
        format!("    {usage:<27} {}", verb.about)
    });
    format!("cargo xtask VERB\n\n{}", lines.collect::<Vec<_>>().join("\n"))
}

fn ci() -> Outcome {
    in_order(&CI)
}

/// Runs the steps one after the other, with a heading and the time that each took.
fn in_order(steps: &[(&str, Step)]) -> Outcome {
    for (name, step) in steps {
        output::say(format_args!("== {name}"));
        let started = Instant::now();
        let outcome = step();
        let seconds = started.elapsed().as_secs_f64();
        output::say(format_args!("== {name}: {seconds:.1} s"));
        outcome.map_err(|why| Failure::new(format_args!("ci stopped at `{name}`: {why}")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failing_step_is_named_and_is_the_last() {
        let steps: [(&str, Step); 3] = [
            ("one", || Ok(())),
            ("two", || Err(Failure::new("a reason"))),
            ("three", || panic!("a step ran after a failed one")),
        ];
        let failure = in_order(&steps).unwrap_err();
        assert_eq!(failure.to_string(), "ci stopped at `two`: a reason");
    }

    #[test]
    fn all_steps_passing_is_a_success() {
        assert!(in_order(&[("one", || Ok(())), ("two", || Ok(()))]).is_ok());
    }

    #[test]
    fn an_unknown_verb_and_a_verb_with_a_stray_word_exit_with_two() {
        for words in [
            vec!["frobnicate"],
            vec!["tidy", "--fix"],
            vec!["bench", "--recrod", "a"],
            vec!["bench", "--record"],
            vec!["--record", "a"],
            vec!["fixtures", "--chekc"],
            vec!["fuzz", "--seconds", "0"],
            vec!["fuzz", "one", "two"],
            vec!["soak"],
        ] {
            let arguments: Vec<String> = words.iter().map(ToString::to_string).collect();
            let code = format!("{:?}", dispatch(&arguments));
            assert_eq!(code, format!("{:?}", ExitCode::from(2)), "{words:?}");
        }
    }

    #[test]
    fn options_are_understood_where_a_verb_has_some() {
        assert!(understand(&["bench"]).is_some());
        assert!(understand(&["bench", "--record", "a-name"]).is_some());
        assert!(help().contains("bench [--record NAME]"));
    }

    #[test]
    fn help_lists_every_verb() {
        for verb in &VERBS {
            assert!(help().contains(verb.name) && help().contains(verb.about));
        }
        assert_eq!(format!("{:?}", dispatch(&[])), format!("{:?}", ExitCode::SUCCESS));
    }
}

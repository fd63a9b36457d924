//! The verbs of `cargo xtask`: one table feeds both the dispatcher and the help.

use std::process::ExitCode;
use std::time::Instant;

use crate::command::{Failure, Outcome};
use crate::{generated, output, steps, tidy};

type Run = fn() -> Outcome;

struct Verb {
    name: &'static str,
    about: &'static str,
    run: Run,
}

static VERBS: [Verb; 8] = [
    Verb { name: "ci", about: "all of the checks below, stopping at the first failure", run: ci },
    Verb {
        name: "lint",
        about: "clippy, formatting, and cargo-deny if it is there",
        run: steps::lint,
    },
    Verb { name: "test", about: "every test of the workspace", run: steps::test },
    Verb { name: "doc", about: "documentation, with broken links as errors", run: steps::doc },
    Verb { name: "tidy", about: "the style rules that a compiler does not know", run: tidy::run },
    Verb {
        name: "fixtures --check",
        about: "whether the verifier's corpus and the schemas are what their makers make",
        run: generated::check,
    },
    Verb {
        name: "fixtures",
        about: "not in ci: writes the corpus and the schemas anew",
        run: generated::write,
    },
    Verb {
        name: "assets",
        about: "not in ci: writes completions, manual pages and schemas to target/assets/",
        run: generated::assets,
    },
];

/// Cheap steps come first, so that a slip costs seconds.
const CI: [(&str, Run); 6] = [
    ("fmt --check", steps::format),
    ("tidy", tidy::run),
    ("lint", steps::lint),
    ("doc", steps::doc),
    ("fixtures --check", generated::check),
    ("test", steps::test),
];

/// The exit code for a command line that is not understood; a check that fails exits with 1.
const NO_SUCH_VERB: u8 = 2;

/// Runs the verb that the arguments name; none at all asks for help.
pub(crate) fn dispatch(arguments: &[String]) -> ExitCode {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["help" | "--help" | "-h"] => {
            output::say(help());
            ExitCode::SUCCESS
        }
        words => named(words).map_or_else(|| complain(words), |verb| report((verb.run)())),
    }
}

/// A verb takes no arguments but those in its name, so that there is nothing to misspell quietly.
fn named(words: &[&str]) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.name.split(' ').eq(words.iter().copied()))
}

fn complain(words: &[&str]) -> ExitCode {
    output::complain(format_args!("no verb `{}`\n\n{}", words.join(" "), help()));
    ExitCode::from(NO_SUCH_VERB)
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
    let lines = VERBS.iter().map(|verb| format!("    {:<18}{}", verb.name, verb.about));
    format!("cargo xtask VERB\n\n{}", lines.collect::<Vec<_>>().join("\n"))
}

fn ci() -> Outcome {
    in_order(&CI)
}

/// Runs the steps one after the other, with a heading and the time that each took.
fn in_order(steps: &[(&str, Run)]) -> Outcome {
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
        let steps: [(&str, Run); 3] = [
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
        for words in [vec!["frobnicate"], vec!["tidy", "--fix"]] {
            let arguments: Vec<String> = words.iter().map(ToString::to_string).collect();
            let code = format!("{:?}", dispatch(&arguments));
            assert_eq!(code, format!("{:?}", ExitCode::from(2)), "{words:?}");
        }
    }

    #[test]
    fn help_lists_every_verb() {
        for verb in &VERBS {
            assert!(help().contains(verb.name) && help().contains(verb.about));
        }
        assert_eq!(format!("{:?}", dispatch(&[])), format!("{:?}", ExitCode::SUCCESS));
    }
}

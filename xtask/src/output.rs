//! The one place that prints.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to its terminal")]

use std::fmt::Display;

/// Prints what the verb found or is about to do.
pub(crate) fn say(line: impl Display) {
    println!("{line}");
}

/// Prints why the command as a whole did not succeed.
pub(crate) fn complain(line: impl Display) {
    eprintln!("xtask: {line}");
}

//! The one place that prints.
//!
//! A reader that has gone away is no error: what it no longer wants to see is not printed.

#![expect(clippy::print_stderr, reason = "this is the module that prints")]

use std::fmt::Display;
use std::io::{self, IsTerminal, Write as _};

/// Prints to standard output.
///
/// # Errors
///
/// It cannot be written to, for another reason than that nobody reads it any more.
pub(crate) fn print(text: impl Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let printed = write!(out, "{text}").and_then(|()| out.flush());
    let quiet = |error: io::Error| {
        if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
    };
    printed.or_else(quiet)
}

/// Prints a line to standard error, where messages to a person go. There is nowhere left to report
/// a failure of it.
pub(crate) fn tell(text: impl Display) {
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// Prints an error that ends the command.
pub(crate) fn complain(text: impl Display) {
    tell(format_args!("audit: {text}"));
}

/// Shows progress in place, on a terminal only.
pub(crate) fn progress(text: impl Display) {
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[K{text}");
    }
}

/// Whether standard output takes colour: it is a terminal, and the user has not said otherwise
/// (<https://no-color.org>).
pub(crate) fn takes_colour() -> bool {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal() && !unwanted
}

//! The one place that prints.
//!
//! A reader that has gone away is no error: what it no longer wants to see is not printed.

#![expect(clippy::print_stderr, reason = "this is the module that prints")]

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write as _};
use std::time::Duration;

use anstyle::{AnsiColor, Color, Style};
use clap::{ColorChoice, ValueEnum};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use serde_json::Value;

/// What is as it should be.
pub(crate) const GOOD: Style = coloured(AnsiColor::Green).bold();

/// What is not. Nothing else is red.
pub(crate) const BAD: Style = coloured(AnsiColor::Red).bold();

/// Where to look first.
pub(crate) const FAULT: Style =
    coloured(AnsiColor::BrightWhite).bg_color(Some(Color::Ansi(AnsiColor::Red))).bold();

/// Bytes that many lines are written in at once.
const PIECE_BYTES: usize = 64 << 10;

const fn coloured(colour: AnsiColor) -> Style {
    Style::new().fg_color(Some(Color::Ansi(colour)))
}

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

/// How an answer is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    Human,
    Json,
}

/// Prints an answer, as a page for a person or as JSON; the exit status that it ends with.
pub(crate) fn answer(
    format: Format,
    page: impl Display,
    json: impl FnOnce() -> Value,
    exit_code: u8,
) -> u8 {
    let printed = match format {
        Format::Human => print(page),
        Format::Json => print(format_args!("{:#}\n", json())),
    };
    end(printed, exit_code)
}

/// The exit status of a command whose last act was to print.
pub(crate) fn end(printed: io::Result<()>, exit_code: u8) -> u8 {
    match printed {
        Ok(()) => exit_code,
        Err(error) => {
            complain(format_args!("cannot print: {error}"));
            2
        }
    }
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
    if tells_a_terminal() {
        eprint!("\r\x1b[K{text}");
    }
}

/// Whether standard output takes colour. Left to itself, it does on a terminal, unless the user has
/// said otherwise (<https://no-color.org>).
pub(crate) fn takes_colour(choice: ColorChoice) -> bool {
    let unwanted = || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => is_terminal() && !unwanted(),
    }
}

/// Whether standard output is a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether messages go to a terminal.
pub(crate) fn tells_a_terminal() -> bool {
    io::stderr().is_terminal()
}

/// The columns of the terminal that standard output is, if it is one and knows.
pub(crate) fn columns() -> Option<usize> {
    let columns = rustix::termios::tcgetwinsize(io::stdout()).ok()?.ws_col;
    (columns > 0).then_some(usize::from(columns))
}

/// Standard output for many lines, written in large pieces.
#[derive(Debug)]
pub(crate) struct Page {
    out: BufWriter<StdoutLock<'static>>,
}

impl Page {
    pub(crate) fn new() -> Self {
        Self { out: BufWriter::with_capacity(PIECE_BYTES, io::stdout().lock()) }
    }

    /// Prints a line.
    ///
    /// # Errors
    ///
    /// It cannot be written; with [`io::ErrorKind::BrokenPipe`] when nobody reads any more.
    pub(crate) fn line(&mut self, line: &str) -> io::Result<()> {
        self.out.write_all(line.as_bytes())?;
        self.out.write_all(b"\n")
    }

    /// Has everything reach its reader.
    ///
    /// # Errors
    ///
    /// Those of [`Self::line`].
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.out.get_mut().flush()
    }

    /// Waits for a time.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::BrokenPipe`] when the reader goes away meanwhile.
    pub(crate) fn wait(&self, time: Duration) -> io::Result<()> {
        let timeout = Timespec::try_from(time).map_err(io::Error::other)?;
        // Asking for nothing, one is still told that there is no reader.
        let mut watched = [PollFd::new(self.out.get_ref(), PollFlags::empty())];
        match poll(&mut watched, Some(&timeout)) {
            Ok(0) | Err(Errno::INTR) => Ok(()),
            Ok(_) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(error) => Err(error.into()),
        }
    }
}

//! `audit show`: a log for people to read.

mod filter;
mod last;
mod line;
mod said;

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use anstyle::Style;
use audit_core::{EventTime, Inert, escape_json};
use audit_verify::{DirSource, Finding, RecordView, Verdict, View, Viewer};
use clap::{Args, ColorChoice, ValueEnum};

use crate::output::{self, BAD, Page};
use filter::Filter;
use last::Last;
use line::{Layout, Time, Trust, describe};
use said::Said;

/// How often a log that is followed is looked at: soon enough for a person.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

const EXAMPLES: &str = "\
A line is a record: its number, when it happened, * when it is critical, its
category where there is room, its type, who it was (NAME? for one who was only
claimed, - for nobody), and what else the event says. Hostile text is made
visible. A line that begins with ! tells of a fault, or is what a faulty record
says now; no option hides it. What is shown proves nothing beyond each record's
own hash and link: `audit verify` judges the log.

Examples:
  $ audit show audit.log
  $ audit show audit.log --critical --since 2026-01-01 --until 2026-12-31 -n 20
  $ audit show audit.log --category security --type seal_verified --seq 3..
  $ audit show audit.log --follow | head -n 3
  $ audit show audit.log --type invalid_token_used --format json

Exit status: 0 when everything was read and is as it was written; 1 when
something is not; 3 when a part cannot be read, or there is nothing; 4 when the
log ends as a crash leaves it, or a writer that is at work; 2 when the command
could not look.";

/// Shows a log, a record a line, as far as it reads.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ShowArgs {
    /// The log's directory
    #[arg(value_name = "DIR")]
    dir: PathBuf,

    #[command(flatten)]
    filter: Filter,

    /// Only the last N of these records
    #[arg(short = 'n', value_name = "N")]
    last: Option<usize>,

    /// Go on as the log grows, and wait for it if it does not exist yet
    #[arg(long)]
    follow: bool,

    /// Which time is shown, and meant by --since and --until
    #[arg(long, value_enum, default_value_t = Clock::Event)]
    time: Clock,

    /// How records are written
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,

    /// When colours are used
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto)]
    color: ColorChoice,

    /// Where lines are cut: a number of columns, full for nowhere, auto for the terminal's
    #[arg(long, value_name = "COLUMNS", default_value = "auto", value_parser = width)]
    width: Width,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Clock {
    /// When it happened, as the caller says; the record's where the event does not say
    Event,
    /// When the writer accepted the record
    Record,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// For programs: the lines as they are stored, faults on standard error. On a terminal, hostile
    /// characters are escaped
    Json,
}

#[derive(Clone, Copy, Debug)]
enum Width {
    Auto,
    Full,
    Columns(usize),
}

fn width(text: &str) -> Result<Width, String> {
    match text {
        "auto" => Ok(Width::Auto),
        "full" => Ok(Width::Full),
        _ => match text.parse() {
            Ok(columns) if columns > 0 => Ok(Width::Columns(columns)),
            _ => Err("expected auto, full or a number of columns".to_owned()),
        },
    }
}

/// Runs the command; its exit status.
pub(crate) fn run(args: &ShowArgs) -> u8 {
    let mut show = Show::new(args);
    let ended = show.open().and_then(|source| show.run(Viewer::new(source)));
    match ended {
        Err(Fault::Print(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(fault) => {
            output::complain(fault);
            return 2;
        }
        Ok(()) => show.summarise(),
    }
    show.worst.map_or(0, Verdict::exit_code)
}

/// Why the command could not do its work.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("cannot look at {dir}: {source}")]
    Look { dir: String, source: io::Error },
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
}

struct Show<'a> {
    args: &'a ShowArgs,
    layout: Layout,
    is_terminal: bool,
    page: Page,
    last: Option<Last>,
    worst: Option<Verdict>,
    faults: u64,
    first_fault: Option<String>,
}

impl<'a> Show<'a> {
    fn new(args: &'a ShowArgs) -> Self {
        let columns = match args.width {
            Width::Auto => output::columns(),
            Width::Full => None,
            Width::Columns(columns) => Some(columns),
        };
        let layout = Layout { columns, colour: output::takes_colour(args.color) };
        let last = args.last.map(Last::new);
        let (worst, faults, first_fault) = (None, 0, None);
        let (is_terminal, page) = (output::is_terminal(), Page::new());
        Self { args, layout, is_terminal, page, last, worst, faults, first_fault }
    }

    fn dir(&self) -> String {
        Inert(&self.args.dir.to_string_lossy()).to_string()
    }

    /// Opens the log; one that is to be followed is waited for.
    fn open(&self) -> Result<DirSource, Fault> {
        let mut has_told = false;
        loop {
            match DirSource::open_dir(&self.args.dir) {
                Ok(source) => return Ok(source),
                Err(source) if self.args.follow && source.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(Fault::Look { dir: self.dir(), source }),
            }
            if !has_told {
                output::tell(format_args!("audit: waiting for {}", self.dir()));
                has_told = true;
            }
            self.page.wait(LOOK_INTERVAL)?;
        }
    }

    fn run(&mut self, mut viewer: Viewer<DirSource>) -> Result<(), Fault> {
        loop {
            let mut printed = Ok(());
            let read = viewer.read(&mut |view| {
                printed = self.view(view);
                if printed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            printed?;
            let _seen = read.map_err(|source| Fault::Look { dir: self.dir(), source })?;
            if !self.args.follow {
                break;
            }
            self.print_last()?;
            self.page.flush()?;
            self.page.wait(LOOK_INTERVAL)?;
        }
        let mut printed = Ok(());
        viewer.finish(&mut |view| {
            printed = self.view(view);
            if printed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        printed?;
        self.print_last()?;
        Ok(self.page.flush()?)
    }

    fn view(&mut self, view: View<'_>) -> io::Result<()> {
        match view {
            View::Record(record) => self.record(&record),
            View::Faulty { record, findings } => {
                findings.iter().try_for_each(|finding| self.fault(finding))?;
                match record.filter(|_| self.args.format == Format::Human) {
                    Some(record) => {
                        let said = Said::new(record.event);
                        let time = self.time(&record, &said);
                        let text = self.layout.record(&record, &said, time, Trust::Faulty);
                        self.print_fault(text)
                    }
                    None => Ok(()),
                }
            }
            View::Skipped(notice) => match self.args.format {
                Format::Human => self.print_fault(self.layout.skipped(&notice)),
                Format::Json => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn record(&mut self, record: &RecordView<'_>) -> io::Result<()> {
        let said = Said::new(record.event);
        let time = self.time(record, &said);
        if !self.args.filter.admits(record, &said, time.instant()) {
            return Ok(());
        }
        let text = match self.args.format {
            Format::Human => self.layout.record(record, &said, time, Trust::Good),
            Format::Json => self.stored(record.line),
        };
        match &mut self.last {
            None => self.page.line(&text),
            Some(last) => {
                last.record(text);
                Ok(())
            }
        }
    }

    /// A line as it is stored. A terminal is not shown what could command it.
    fn stored(&self, line: &[u8]) -> String {
        let text = String::from_utf8_lossy(line);
        if self.is_terminal { escape_json(&text).into_owned() } else { text.into_owned() }
    }

    fn time(&self, record: &RecordView<'_>, said: &Said) -> Time {
        let recorded = EventTime::parse(record.timestamp);
        let asked = match self.args.time {
            Clock::Event => said.time(),
            Clock::Record => recorded,
        };
        asked.map_or_else(|| recorded.map_or(Time::Unknown, Time::Recorded), Time::Asked)
    }

    fn fault(&mut self, finding: &Finding) -> io::Result<()> {
        self.worst = self.worst.max(Some(finding.verdict));
        self.faults = self.faults.saturating_add(1);
        self.first_fault.get_or_insert_with(|| describe(finding));
        match self.args.format {
            Format::Human => self.print_fault(self.layout.fault(finding)),
            Format::Json => {
                output::complain(describe(finding));
                Ok(())
            }
        }
    }

    /// Prints a line that no option hides.
    fn print_fault(&mut self, text: String) -> io::Result<()> {
        let Some(last) = &mut self.last else { return self.page.line(&text) };
        last.fault(text);
        while let Some(due) = last.due() {
            self.page.line(&due)?;
        }
        Ok(())
    }

    /// Prints what was held back; from then on, nothing is.
    fn print_last(&mut self) -> io::Result<()> {
        let held = self.last.take().into_iter().flat_map(Last::finish);
        held.into_iter().try_for_each(|text| self.page.line(&text))
    }

    /// Says at the end what may have scrolled out of sight.
    fn summarise(&self) {
        let Some(first) = self.first_fault.as_ref() else { return };
        let faults = match self.faults {
            1 => "1 fault".to_owned(),
            faults => format!("{faults} faults, the first"),
        };
        let style =
            if self.layout.colour && output::tells_a_terminal() { BAD } else { Style::new() };
        output::complain(format_args!("{style}{faults}: {first}{style:#}"));
    }
}

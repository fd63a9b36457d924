//! `audit health`: whether a log is as a service in good order leaves it, for monitoring.

use std::fmt;
use std::io;
use std::path::PathBuf;

use audit_core::Inert;
use audit_core::limits::RESERVE_BYTES;
use audit_log::writer::{Clock as _, Glance, NewestSegment, SystemClock, glance};
use audit_verify::{DirSource, UnsignedLimit, recorded_at};
use chrono::{DateTime, Utc};
use clap::Args;
use serde_json::{Value, json};

use crate::limit;
use crate::notes::newest_size;
use crate::output::{self, Format};

/// Version of the JSON that is printed.
const SCHEMA_VERSION: u32 = 1;

/// Below this a writer makes no new segment.
const MIN_FREE_BYTES: u64 = RESERVE_BYTES * 2;

const EXAMPLES: &str = "\
Examples:
  $ audit health audit.log
  $ audit health audit.log --max-age 3600 --min-free 100000000
  $ audit health audit.log --format json

Exit status: 0 when nothing is wrong, 1 when something is, 2 when the command could not look.";

/// Says whether a log is being written, how old its newest record is, how many records came after
/// the newest checkpoint, and what space is left.
///
/// Only its end is looked at, so this is cheap however long the log is, and proves nothing: `audit
/// verify` does that.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct HealthArgs {
    /// The log's directory
    #[arg(value_name = "DIR")]
    dir: PathBuf,

    /// It is wrong when no writer has the log open
    #[arg(long)]
    writer: bool,

    /// It is wrong when the newest record is older, or that much in the future
    #[arg(long, value_name = "SECONDS")]
    max_age: Option<u32>,

    /// It is wrong when more records came after the newest checkpoint, or the first of them is older
    /// (30s, 10m, 1h)
    #[arg(long, value_name = "N|TIME", value_parser = limit::unsigned)]
    max_unsigned: Option<UnsignedLimit>,

    /// It is wrong when the file system has less left
    #[arg(long, value_name = "BYTES", default_value_t = MIN_FREE_BYTES)]
    min_free: u64,

    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Problem {
    NoLog,
    NoWriter,
    NotClosed,
    EndUnreadable,
    BeyondEnd,
    Stale,
    Unsigned,
    LittleSpace,
}

impl Problem {
    const fn name(self) -> &'static str {
        match self {
            Self::NoLog => "no_log",
            Self::NoWriter => "no_writer",
            Self::NotClosed => "not_closed",
            Self::EndUnreadable => "end_unreadable",
            Self::BeyondEnd => "checkpoint_beyond_end",
            Self::Stale => "stale",
            Self::Unsigned => "unsigned",
            Self::LittleSpace => "little_space",
        }
    }

    const fn meaning(self) -> &'static str {
        match self {
            Self::NoLog => "there is no segment",
            Self::NoWriter => "no writer has the log open",
            Self::NotClosed => "no writer has the log open, and the last one did not close it",
            Self::EndUnreadable => "the newest segment does not end with a record: verify it",
            Self::BeyondEnd => "a checkpoint covers more records than there are: verify it",
            Self::Stale => "the newest record is not of the time that was asked for",
            Self::Unsigned => "more came after the newest checkpoint than was asked for",
            Self::LittleSpace => "the file system has less left than was asked for",
        }
    }
}

/// Runs the command; its exit status.
pub(crate) fn run(args: &HealthArgs) -> u8 {
    let cannot = |error: &dyn fmt::Display| {
        let dir = args.dir.to_string_lossy();
        output::complain(format_args!("cannot look at {}: {error}", Inert(&dir)));
        2
    };
    // A checkpoint covers records that are there before it is, so it is looked for first.
    let covered = match newest_size(&args.dir) {
        Ok(covered) => covered,
        Err(error) => return cannot(&error),
    };
    let found = match glance(&args.dir) {
        Ok(found) => found,
        Err(error) => return cannot(&error),
    };
    let now = SystemClock::default().now();
    let unsigned_at = match first_unsigned(args, covered) {
        Ok(unsigned_at) => unsigned_at,
        Err(error) => return cannot(&error),
    };
    let mut page = Page { found: &found, covered, unsigned_at, problems: Vec::new(), now };
    page.problems = problems(args, &page);
    let is_wrong = !page.problems.is_empty();
    output::answer(args.format, &page, || page.json(), u8::from(is_wrong))
}

/// When the first record after the newest checkpoint was recorded, where that is asked.
fn first_unsigned(args: &HealthArgs, covered: Option<u64>) -> io::Result<Option<DateTime<Utc>>> {
    let Some(UnsignedLimit::Secs(_)) = args.max_unsigned else { return Ok(None) };
    let source = DirSource::open_dir(&args.dir)?;
    let recorded = recorded_at(&source, covered.unwrap_or(0))?;
    Ok(recorded.map(audit_core::EventTime::instant))
}

fn problems(args: &HealthArgs, page: &Page<'_>) -> Vec<Problem> {
    let Page { found, covered, now, .. } = page;
    let mut problems = Vec::new();
    let is_open = found.holder.is_some();
    let head = found.newest.as_ref().and_then(|newest| newest.head);
    match (&found.newest, head) {
        // A writer makes the first segment with the first event.
        (None, _) if is_open => {}
        (None, _) => problems.push(Problem::NoLog),
        (Some(_), None) => problems.push(Problem::EndUnreadable),
        (Some(NewestSegment { rest_bytes, .. }), Some(head)) => {
            if !is_open && (!head.closes || *rest_bytes > 0) {
                problems.push(Problem::NotClosed);
            }
        }
    }
    if head.is_some() && covered.is_some() && page.uncovered().is_none() {
        problems.push(Problem::BeyondEnd);
    }
    if args.writer && !is_open {
        problems.push(Problem::NoWriter);
    }
    if let Some(max_age) = args.max_age {
        let age = head.map(|head| now.signed_duration_since(head.recorded_at).abs());
        if age.is_none_or(|age| age.num_seconds() > i64::from(max_age)) {
            problems.push(Problem::Stale);
        }
    }
    if args.max_unsigned.is_some_and(|limit| page.exceeds(limit)) {
        problems.push(Problem::Unsigned);
    }
    if found.free_bytes.is_some_and(|free| free < args.min_free) {
        problems.push(Problem::LittleSpace);
    }
    problems
}

/// The answer.
struct Page<'p> {
    found: &'p Glance,
    /// How many records the newest checkpoint covers.
    covered: Option<u64>,
    /// When the first record after it was recorded, where that was asked.
    unsigned_at: Option<DateTime<Utc>>,
    problems: Vec<Problem>,
    now: DateTime<Utc>,
}

impl Page<'_> {
    const fn status(&self) -> &'static str {
        if self.problems.is_empty() { "ok" } else { "failing" }
    }

    /// How old the newest record is, in seconds; negative where it is of the future.
    fn age_secs(&self) -> Option<i64> {
        let head = self.found.newest.as_ref()?.head?;
        Some(self.now.signed_duration_since(head.recorded_at).num_seconds())
    }

    /// How many records came after the newest checkpoint.
    fn uncovered(&self) -> Option<u64> {
        let head = self.found.newest.as_ref()?.head?;
        head.receipt.seq.checked_add(1)?.checked_sub(self.covered?)
    }

    /// Whether more came after the newest checkpoint than may have. Without one, all did.
    fn exceeds(&self, limit: UnsignedLimit) -> bool {
        let head = self.found.newest.as_ref().and_then(|newest| newest.head);
        let Some(size) = head.and_then(|head| head.receipt.seq.checked_add(1)) else {
            return false;
        };
        let records = size.saturating_sub(self.covered.unwrap_or(0));
        match limit {
            UnsignedLimit::Records(most) => records > most,
            UnsignedLimit::Secs(_) if records == 0 => false,
            UnsignedLimit::Secs(most) => self.unsigned_at.is_none_or(|at| {
                self.now.signed_duration_since(at).num_seconds().unsigned_abs() > most
            }),
        }
    }

    fn json(&self) -> Value {
        let Self { found, problems, .. } = self;
        let newest = found.newest.as_ref();
        let head = newest.and_then(|newest| newest.head);
        let problems: Vec<_> = problems.iter().map(|problem| problem.name()).collect();
        json!({
            "schema_version": SCHEMA_VERSION,
            "status": self.status(),
            "problems": problems,
            "holder": found.holder,
            "segments": found.segments,
            "bytes": found.bytes,
            "newest_segment": newest.map(|newest| &newest.file),
            "rest_bytes": newest.map(|newest| newest.rest_bytes),
            "head": head.map(|head| head.receipt.to_string()),
            "recorded_at": head.map(|head| head.recorded_at.to_rfc3339()),
            "age_seconds": self.age_secs(),
            "closed": head.is_some_and(|head| head.closes),
            "checkpoint_size": self.covered,
            "records_after_checkpoint": self.uncovered(),
            "copied": newest.is_some_and(|newest| newest.copied.is_some()),
            "free_bytes": found.free_bytes,
            "file_system": found.file_system.to_string(),
        })
    }
}

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { found, problems, .. } = self;
        writeln!(f, "{}", self.status().to_uppercase())?;
        for problem in problems {
            writeln!(f, "  {}: {}", problem.name(), problem.meaning())?;
        }
        let holder = found.holder.as_deref().unwrap_or("nobody");
        writeln!(f, "\n  open in   {holder}")?;
        writeln!(f, "  segments  {}, {} bytes", found.segments, found.bytes)?;
        if let Some(newest) = &found.newest {
            writeln!(f, "  newest    {}", newest.file)?;
            if newest.copied.is_some() {
                writeln!(f, "  warning   the log is a copy: it was restored, moved or cloned")?;
            }
        }
        if let (Some(head), Some(age)) =
            (found.newest.as_ref().and_then(|newest| newest.head), self.age_secs())
        {
            let closes = if head.closes { ", closed" } else { "" };
            writeln!(f, "  head      {}, {age} s old{closes}", head.receipt)?;
        }
        if let Some(covered) = self.covered {
            let after = self.uncovered().map_or("unknown".to_owned(), |after| after.to_string());
            writeln!(f, "  covered   {covered} records by a checkpoint, {after} after it")?;
        }
        let file_system = found.file_system;
        match found.free_bytes {
            Some(free) => writeln!(f, "  free      {free} bytes, on {file_system}"),
            None => writeln!(f, "  free      unknown, on {file_system}"),
        }
    }
}

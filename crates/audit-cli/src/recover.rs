//! `audit recover --dry-run`: what opening a log would find and do.

use std::fmt;
use std::path::PathBuf;

use audit_core::Inert;
use audit_log::writer::{Inspection, inspect};
use clap::Args;
use serde_json::{Value, json};

use crate::output::{self, Format};

/// Version of the JSON that is printed.
const SCHEMA_VERSION: u32 = 1;

const EXAMPLES: &str = "\
Examples:
  $ audit recover --dry-run audit.log
  $ audit recover --dry-run audit.log --format json

Exit status: 0 when an open would go on, 1 when it would be refused, 2 when the command could not
look.";

/// Shows what opening a log would find and do, without changing a byte.
///
/// Every open recovers a log by itself: it goes on in a new segment after the last whole record, and
/// declares what a crash left behind it. So nothing has to be run after a crash.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RecoverArgs {
    /// The log's directory
    #[arg(value_name = "DIR")]
    dir: PathBuf,

    /// Only look. Without it the command refuses: opening a log recovers it
    #[arg(long)]
    dry_run: bool,

    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// Runs the command; its exit status.
pub(crate) fn run(args: &RecoverArgs) -> u8 {
    if !args.dry_run {
        output::complain(
            "opening a log recovers it by itself, so there is nothing to run; --dry-run shows what \
             an open would do",
        );
        return 2;
    }
    let found = match inspect(&args.dir) {
        Ok(found) => found,
        Err(error) => {
            let dir = args.dir.to_string_lossy();
            output::complain(format_args!("cannot look at {}: {error}", Inert(&dir)));
            return 2;
        }
    };
    let outcome = Outcome::of(&found);
    let page = Page { outcome, found: &found };
    output::answer(args.format, page, || json(outcome, &found), outcome.exit_code())
}

/// What an open would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Locked,
    Damaged,
    New,
    Recovers,
    Unclosed,
    Closed,
}

impl Outcome {
    fn of(found: &Inspection) -> Self {
        if found.holder.is_some() {
            Self::Locked
        } else if found.damage.is_some() {
            Self::Damaged
        } else if found.segment.is_none() {
            Self::New
        } else if found.tail_bytes > 0 {
            Self::Recovers
        } else if found.closed {
            Self::Closed
        } else {
            Self::Unclosed
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Damaged => "damaged",
            Self::New => "new",
            Self::Recovers => "recovers",
            Self::Unclosed => "unclosed",
            Self::Closed => "closed",
        }
    }

    const fn meaning(self) -> &'static str {
        match self {
            Self::Locked => "a writer has the log open, so another open is refused",
            Self::Damaged => "an open is refused, unless it is told to go on after damage",
            Self::New => "there is no segment: an open begins a new log",
            Self::Recovers => "an open goes on in a new segment and declares the tail",
            Self::Unclosed => "an open goes on in a new segment; nothing is left behind the end",
            Self::Closed => "the log was closed; an open goes on in a new segment",
        }
    }

    const fn exit_code(self) -> u8 {
        match self {
            Self::Locked | Self::Damaged => 1,
            Self::New | Self::Recovers | Self::Unclosed | Self::Closed => 0,
        }
    }
}

/// The kind's name in the format.
fn kind(found: &Inspection) -> Value {
    serde_json::to_value(found.tail_kind).unwrap_or_default()
}

fn json(outcome: Outcome, found: &Inspection) -> Value {
    let text = |text: Option<String>| text.map_or(Value::Null, Value::String);
    let tail = (found.tail_bytes > 0).then(|| {
        json!({
            "offset": found.tail_offset,
            "bytes": found.tail_bytes,
            "sha256": text(found.tail_sha256.map(|sha256| sha256.to_string())),
            "kind": kind(found),
        })
    });
    json!({
        "schema_version": SCHEMA_VERSION,
        "outcome": outcome.name(),
        "service_id": text(found.service_id.map(|service| service.to_string())),
        "segment": found.segment,
        "head": text(found.head.map(|head| head.to_string())),
        "closed": found.closed,
        "copied": found.copied.is_some(),
        "tail": tail,
        "damage": text(found.damage.map(|damage| damage.to_string())),
        "holder": found.holder,
    })
}

/// The answer for a person.
struct Page<'f> {
    outcome: Outcome,
    found: &'f Inspection,
}

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { outcome, found } = self;
        writeln!(f, "{}: {}\n", outcome.name().to_uppercase(), outcome.meaning())?;
        line(f, "holder", found.holder.as_ref())?;
        line(f, "damage", found.damage.as_ref())?;
        line(f, "service", found.service_id.as_ref())?;
        line(f, "segment", found.segment.as_ref())?;
        line(f, "head", found.head.as_ref())?;
        let closed = if found.closed { "yes" } else { "no" };
        line(f, "closed", found.segment.is_some().then_some(closed))?;
        let copied =
            "the log is a copy: an open goes on and says so, unless it is told to refuse one";
        line(f, "copied", found.copied.is_some().then_some(copied))?;
        if found.tail_bytes == 0 {
            return Ok(());
        }
        let kind = kind(found);
        let kind = kind.as_str().unwrap_or("not as a crash leaves it");
        let (bytes, offset) = (found.tail_bytes, found.tail_offset);
        line(f, "tail", Some(format_args!("{bytes} bytes from byte {offset} on, {kind}")))?;
        line(f, "sha256", found.tail_sha256)
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, value: Option<impl fmt::Display>) -> fmt::Result {
    value.map_or(Ok(()), |value| writeln!(f, "  {name:<8}  {value}"))
}

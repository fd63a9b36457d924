//! `audit prune`: old segments deleted, as the log declares first.

use std::fmt;
use std::path::PathBuf;

use audit_core::Inert;
use audit_log::writer::Clock as _;
use audit_log::writer::{ClockTrust, PruneError, PrunePlan, SystemClock, plan_prune};
use audit_log::{
    AuditFileWriter, FileSink, FlushMode, OpenError, OpenPolicy, RetentionPolicy, RotationPolicy,
    Signing, WriteError,
};
use clap::Args;
use serde_json::{Value, json};

use crate::key_file::{self, KeyFileError};
use crate::output::{self, Format};
use crate::record::file_systems;

/// Version of the JSON that is printed.
const SCHEMA_VERSION: u32 = 1;

const EXAMPLES: &str = "\
Examples:
  $ audit prune audit.log --older-than 3000 --dry-run
  $ audit prune audit.log --older-than 3000
  $ audit prune audit.log --older-than 400 --min-retention 365

Exit status: 0 when everything that is old enough is deleted, or nothing is; 2 when the command
could not do its work. No writer may have the log open.";

/// Deletes the oldest segments of a log, once every record in them is old enough.
///
/// Each is read to its end first and has to be whole: while one is not, which is evidence, nothing is
/// deleted. The log declares what goes, before it does, and what remains verifies. The newest segment
/// always stays.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PruneArgs {
    /// The log's directory
    #[arg(value_name = "DIR")]
    dir: PathBuf,

    /// Days after which records are deleted
    #[arg(long, value_name = "DAYS")]
    older_than: u32,

    /// Days for which records have to be kept: fewer are refused. Seven years, unless you know better
    #[arg(long, value_name = "DAYS", default_value_t = RetentionPolicy::default().min_retention_days)]
    min_retention: u32,

    /// Believe the clock where a log had no new file for more than 31 days
    #[arg(long)]
    trust_clock: bool,

    /// The private key of a log that signs, which is not pruned without it
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// The file that the service keeps the newest checkpoint in: nothing goes before it is there
    #[arg(long, value_name = "FILE", requires = "key")]
    sink_file: Option<PathBuf>,

    /// Show what would be deleted, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Write on a network file system, FUSE or one that is not known, too
    #[arg(long)]
    any_file_system: bool,

    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// Runs the command; its exit status.
pub(crate) fn run(args: &PruneArgs) -> u8 {
    let plan = match prune(args) {
        Ok(plan) => plan,
        Err(error) => {
            let dir = args.dir.to_string_lossy();
            output::complain(format_args!("cannot prune {}: {error}", Inert(&dir)));
            return 2;
        }
    };
    output::answer(args.format, Page { args, plan: &plan }, || json(args, &plan), 0)
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Key(#[from] KeyFileError),
    #[error(transparent)]
    Open(Box<OpenError>),
    #[error(transparent)]
    Prune(Box<PruneError>),
    #[error(transparent)]
    Close(#[from] WriteError),
}

impl From<OpenError> for Fault {
    fn from(error: OpenError) -> Self {
        Self::Open(Box::new(error))
    }
}

impl From<PruneError> for Fault {
    fn from(error: PruneError) -> Self {
        Self::Prune(Box::new(error))
    }
}

fn prune(args: &PruneArgs) -> Result<PrunePlan, Fault> {
    let retention = RetentionPolicy {
        min_retention_days: args.min_retention,
        delete_after_days: args.older_than,
        ..RetentionPolicy::default()
    };
    let trust = if args.trust_clock { ClockTrust::Whole } else { ClockTrust::Capped };
    // Whoever has nothing to delete leaves no trace in the log, and a directory that is not there
    // is not made.
    let plan = plan_prune(&args.dir, retention, trust, SystemClock::default().now())?;
    if args.dry_run || plan.files.is_empty() {
        return Ok(plan);
    }
    let open_policy =
        OpenPolicy { file_systems: file_systems(args.any_file_system), ..OpenPolicy::default() };
    let (rotation, flush) = (RotationPolicy::default(), FlushMode::Immediate);
    let mut log = AuditFileWriter::open(&args.dir, rotation, flush, open_policy)?;
    if let Some(path) = &args.key {
        let sinks = args.sink_file.iter().map(FileSink::new);
        log.sign(sinks.fold(Signing::new(key_file::read(path)?), Signing::to))?;
    }
    let pruned = log.prune(retention, trust)?;
    log.close()?;
    Ok(pruned)
}

fn json(args: &PruneArgs, plan: &PrunePlan) -> Value {
    let files = plan.files.iter().map(
        |file| json!({ "name": file.name, "size": file.size, "sha256": file.sha256.to_string() }),
    );
    json!({
        "schema_version": SCHEMA_VERSION,
        "dry_run": args.dry_run,
        "segments": files.collect::<Vec<_>>(),
        "bytes": plan.bytes(),
        "kept_for_clock": plan.capped,
        "last": plan.last.map(|last| last.to_string()),
    })
}

/// The answer for a person.
struct Page<'p> {
    args: &'p PruneArgs,
    plan: &'p PrunePlan,
}

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { args, plan } = self;
        let (count, days) = (plan.files.len(), args.older_than);
        if plan.capped {
            writeln!(
                f,
                "a segment stays that is older by the clock alone: no new one was begun for more than \
                 31 days. Where that is so, give --trust-clock\n"
            )?;
        }
        let Some(last) = plan.last else {
            return writeln!(f, "no segment is older than {days} days");
        };
        let noun = if count == 1 { "segment" } else { "segments" };
        let done = if args.dry_run { "would delete" } else { "deleted" };
        writeln!(f, "{done} {count} {noun}, {} bytes\n", plan.bytes())?;
        for file in &plan.files {
            writeln!(f, "  {}  {:>12}", file.name, file.size)?;
        }
        writeln!(f, "\nlast record  {last}")
    }
}

//! `audit prune`: old segments deleted, as the log declares first.

use std::fmt;
use std::path::PathBuf;

use audit_core::Inert;
use audit_log::writer::Clock as _;
use audit_log::writer::{PruneError, PrunePlan, SystemClock, plan_prune};
use audit_log::{AuditFileWriter, FlushMode, OpenPolicy, RetentionPolicy, RotationPolicy};
use clap::Args;
use serde_json::{Value, json};

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
/// Each is read to its end first and has to be whole: one that is not is evidence, and neither it
/// nor a later one is deleted. The log declares what goes, before it does, and
/// what remains verifies. The newest segment always stays.
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

fn prune(args: &PruneArgs) -> Result<PrunePlan, PruneError> {
    let retention = RetentionPolicy {
        min_retention_days: args.min_retention,
        delete_after_days: args.older_than,
        ..RetentionPolicy::default()
    };
    // Whoever has nothing to delete leaves no trace in the log, and a directory that is not there
    // is not made.
    let plan = plan_prune(&args.dir, retention, SystemClock::default().now())?;
    if args.dry_run || plan.files.is_empty() {
        return Ok(plan);
    }
    let open_policy =
        OpenPolicy { file_systems: file_systems(args.any_file_system), ..OpenPolicy::default() };
    let (rotation, flush) = (RotationPolicy::default(), FlushMode::Immediate);
    let mut log = AuditFileWriter::open(&args.dir, rotation, flush, open_policy)?;
    let pruned = log.prune(retention)?;
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

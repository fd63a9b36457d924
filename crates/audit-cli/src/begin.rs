//! `audit begin`: a new log that takes over from another.

use std::path::PathBuf;

use audit_core::Inert;
use audit_core::lifecycle::ContinuedLog;
use audit_log::writer::inspect;
use audit_log::{
    AuditFileWriter, FlushMode, OpenError, OpenPolicy, RotationPolicy, ServiceId, WriteError,
};
use clap::Args;

use crate::output;
use crate::record::file_systems;

const EXAMPLES: &str = "\
Examples:
  $ audit begin audit.new --continues audit.log

Exit status: 0 when the new log is there, 2 when the command could not do its work.";

/// Begins a log that takes over from another, for the same service.
///
/// A backup that was restored must not go on: records that came after it may exist elsewhere, and
/// their numbers would be given twice. The new log's first record names the old log and its newest
/// record, and a service opens it like any other. The old one is not changed: keep it.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BeginArgs {
    /// The new log's directory, in which there is no log; made if only its last component is missing
    #[arg(value_name = "DIR")]
    dir: PathBuf,

    /// The log that it takes over from. No writer may have it open
    #[arg(long, value_name = "DIR")]
    continues: PathBuf,

    /// Write on a network file system, FUSE or one that is not known, too
    #[arg(long)]
    any_file_system: bool,
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("cannot look at {old}: {source}")]
    Look { old: String, source: Box<OpenError> },
    #[error("{old} is open in a writer ({holder}), so it has not ended")]
    Open { old: String, holder: String },
    #[error("{old} has no record to go on from")]
    NoRecord { old: String },
    #[error("cannot open {new}: {source}")]
    New { new: String, source: Box<OpenError> },
    #[error("cannot begin {new}: {source}")]
    Begin { new: String, source: Box<WriteError> },
    #[error("cannot print: {0}")]
    Print(std::io::Error),
}

/// Runs the command; its exit status.
pub(crate) fn run(args: &BeginArgs) -> u8 {
    match begin(args) {
        Ok(()) => 0,
        Err(fault) => {
            output::complain(fault);
            2
        }
    }
}

fn begin(args: &BeginArgs) -> Result<(), Fault> {
    let shown = |path: &PathBuf| Inert(&path.to_string_lossy()).to_string();
    let (new, old) = (shown(&args.dir), shown(&args.continues));
    let (service_id, continues) = end_of(args, &old)?;
    let open_policy =
        OpenPolicy { file_systems: file_systems(args.any_file_system), ..OpenPolicy::default() };
    let (rotation, flush) = (RotationPolicy::default(), FlushMode::Immediate);
    let mut log = AuditFileWriter::open(&args.dir, rotation, flush, open_policy)
        .map_err(|source| Fault::New { new: new.clone(), source: Box::new(source) })?;
    log.begin(service_id, continues)
        .and_then(|()| log.close())
        .map_err(|source| Fault::Begin { new: new.clone(), source: Box::new(source) })?;
    let ContinuedLog { log_id, head } = continues;
    output::print(format_args!(
        "log        {new}, service {service_id}\ncontinues  {old}, log {log_id}\nhead       {head}\n"
    ))
    .map_err(Fault::Print)
}

/// Where the old log ends, and whose it is.
fn end_of(args: &BeginArgs, old: &str) -> Result<(ServiceId, ContinuedLog), Fault> {
    let old = || old.to_owned();
    let found = inspect(&args.continues)
        .map_err(|source| Fault::Look { old: old(), source: Box::new(source) })?;
    if let Some(holder) = found.holder {
        return Err(Fault::Open { old: old(), holder });
    }
    match (found.service_id, found.log_id, found.head) {
        (Some(service_id), Some(log_id), Some(head)) => {
            Ok((service_id, ContinuedLog { log_id, head }))
        }
        _ => Err(Fault::NoRecord { old: old() }),
    }
}

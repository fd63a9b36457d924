//! `audit checkpoint`: signs a log that no service has open.

use std::fs;
use std::path::{Path, PathBuf};

use audit_core::Inert;
use audit_log::{
    AuditFileWriter, FlushMode, OpenError, OpenPolicy, Receipt, RotationPolicy, SignError, Signing,
};
use clap::Args;

use crate::key_file::{self, KeyFileError};
use crate::output;
use crate::record::file_systems;

const EXAMPLES: &str = "\
Examples:
  $ audit checkpoint signed.log --key shop-1.key > shop-1.note

Exit status: 0 when a checkpoint covers the log, 2 when the command could not do its work.";

/// Signs a checkpoint over all records of a log, and prints it.
///
/// Keep it elsewhere: whoever has it and the log can tell that nothing up to it was cut off or
/// rewritten. It also lies in the folder `checkpoints` of the log's directory. A service that has the
/// log open signs by itself, at each rotation, when it closes the log, and at intervals.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CheckpointArgs {
    /// The log's directory. No writer may have it open
    #[arg(value_name = "DIR")]
    dir: PathBuf,

    /// The private key, as `audit keygen` makes it
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// Take over the records that nothing vouches for, where the log ends with this one: the refusal
    /// without this option prints it. The log says so for ever
    #[arg(long, value_name = "SEQ:HASH")]
    adopt: Option<Receipt>,

    /// Use a network file system, FUSE or one that is not known, too
    #[arg(long)]
    any_file_system: bool,
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Key(#[from] KeyFileError),
    #[error("cannot open the log {dir}: {source}")]
    Open { dir: String, source: Box<OpenError> },
    #[error("cannot sign {dir}: {source}")]
    Sign { dir: String, source: Box<SignError> },
}

/// Runs the command; its exit status.
pub(crate) fn run(args: &CheckpointArgs) -> u8 {
    match sign(args) {
        Ok(note) => output::end(output::print(note), 0),
        Err(fault) => {
            output::complain(fault);
            2
        }
    }
}

fn sign(args: &CheckpointArgs) -> Result<String, Fault> {
    let key = key_file::read(&args.key)?;
    let dir = || Inert(&args.dir.to_string_lossy()).to_string();
    let failed = |source| Fault::Open { dir: dir(), source: Box::new(source) };
    let signing = args.adopt.into_iter().fold(Signing::new(key), Signing::adopt);
    let mut log = open(&args.dir, signing, args.any_file_system).map_err(failed)?;
    let failed = |source| Fault::Sign { dir: dir(), source: Box::new(source) };
    log.checkpoint().map_err(failed)?;
    log.close_with_note().map_err(failed)
}

/// Opens a log that is there, to sign it.
pub(crate) fn open(
    dir: &Path,
    signing: Signing,
    any_file_system: bool,
) -> Result<AuditFileWriter, OpenError> {
    // Opening would make the directory.
    fs::read_dir(dir).map_err(|source| OpenError::Io { action: "find the directory", source })?;
    let file_systems = file_systems(any_file_system);
    let open_policy = OpenPolicy { file_systems, ..OpenPolicy::default() };
    let (rotation, flush) = (RotationPolicy::default(), FlushMode::Immediate);
    let mut log = AuditFileWriter::open(dir, rotation, flush, open_policy)?;
    log.sign(signing)?;
    Ok(log)
}

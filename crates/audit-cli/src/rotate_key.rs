//! `audit rotate-key`: another key for a log.

use std::path::PathBuf;

use audit_core::Inert;
use audit_log::checkpoint::Checkpoint;
use audit_log::{OpenError, Receipt, SignError, Signing};
use clap::Args;

use crate::key_file::{self, KeyFileError};
use crate::{checkpoint, output};

const EXAMPLES: &str = "\
Examples:
  $ audit keygen --name audit.example.com/shop-1 --out next.key --vkey-out next.vkey
  $ audit rotate-key signed.log --key shop-1.key --new-key next.key

Exit status: 0 when the log says so, 2 when the command could not do its work.";

/// Changes the key that a log is signed with, and says so in the log, signed by both.
///
/// The old key signs a last checkpoint and the new one another. Who verifies with the old vkey
/// follows the change; give out the new one all the same. Open the log with the new key from then
/// on, and destroy the old one.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RotateKeyArgs {
    /// The log's directory. No writer may have it open
    #[arg(value_name = "DIR")]
    dir: PathBuf,

    /// The private key until now
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// The private key from now on, of the same name
    #[arg(long, value_name = "FILE")]
    new_key: PathBuf,

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
    #[error("cannot change the key of {dir}: {source}")]
    Change { dir: String, source: Box<SignError> },
}

/// Runs the command; its exit status.
pub(crate) fn run(args: &RotateKeyArgs) -> u8 {
    match rotate(args) {
        Ok(signed) => output::end(
            output::print(format_args!(
                "changed  the key of {}\nsigned   {} records\n",
                Inert(signed.origin()),
                signed.size()
            )),
            0,
        ),
        Err(fault) => {
            output::complain(fault);
            2
        }
    }
}

fn rotate(args: &RotateKeyArgs) -> Result<Checkpoint, Fault> {
    let (old, new) = (key_file::read(&args.key)?, key_file::read(&args.new_key)?);
    let dir = || Inert(&args.dir.to_string_lossy()).to_string();
    let signing = args.adopt.into_iter().fold(Signing::new(old), Signing::adopt);
    let mut log = checkpoint::open(&args.dir, signing, args.any_file_system)
        .map_err(|source| Fault::Open { dir: dir(), source: Box::new(source) })?;
    let failed = |source| Fault::Change { dir: dir(), source: Box::new(source) };
    let signed = log.change_key(new).map_err(failed)?;
    log.close().map_err(|error| failed(SignError::Write(error)))?;
    Ok(signed)
}

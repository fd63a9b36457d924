//! `audit keygen`: the key pair that a log's checkpoints are signed with.

use std::io;
use std::path::PathBuf;

use audit_log::checkpoint::{KeyError, KeyKind, KeyName, SigningKey};
use clap::Args;
use rustix::io::retry_on_intr;
use rustix::rand::{GetRandomFlags, getrandom};
use zeroize::Zeroizing;

use crate::key_file::{self, KeyFileError};
use crate::output;

const EXAMPLES: &str = "\
Examples:
  $ audit keygen --name audit.example.com/shop-1 --out shop-1.key --vkey-out shop-1.vkey

Exit status: 0 when the key is there, 2 when the command could not do its work.";

/// Makes the key pair that a log's checkpoints are signed with.
///
/// The private key is written to a file that only you may read, the public one (the vkey) to another,
/// or it is printed; `audit vkey` prints it again. Keep the vkey where who can change the log cannot
/// change it: an auditor verifies with it. The name becomes the origin of the log's checkpoints and belongs to one log alone.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct KeygenArgs {
    /// What the log is called everywhere: a URL without its scheme, such as
    /// audit.example.com/shop-1
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: KeyName,

    /// Where the private key goes; the file must not exist
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Where the public key goes; the file must not exist [default: it is printed]
    #[arg(long, value_name = "FILE")]
    vkey_out: Option<PathBuf>,
}

fn name(text: &str) -> Result<KeyName, KeyError> {
    KeyName::new(text)
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("this machine gives no random bits: {0}")]
    Random(io::Error),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    File(#[from] KeyFileError),
}

/// Runs the command; its exit status.
pub(crate) fn run(args: &KeygenArgs) -> u8 {
    match make(args) {
        Ok(_) if args.vkey_out.is_some() => 0,
        Ok(key) => output::end(output::print(format_args!("{}\n", key.verifying_key())), 0),
        Err(fault) => {
            output::complain(fault);
            2
        }
    }
}

fn make(args: &KeygenArgs) -> Result<SigningKey, Fault> {
    let mut seed = Zeroizing::new([0; 32]);
    // Requests of up to 256 bytes are answered whole: getrandom(2).
    let drawn = retry_on_intr(|| getrandom(seed.as_mut_slice(), GetRandomFlags::empty()));
    drawn.map_err(|error| Fault::Random(error.into()))?;
    let key = SigningKey::from_seed(args.name.clone(), KeyKind::Ed25519, &seed)?;
    // The private one first: a public key of which that is gone is of no use.
    key_file::write(&args.out, &key)?;
    if let Some(path) = &args.vkey_out {
        key_file::write_public(path, key.verifying_key())?;
    }
    Ok(key)
}

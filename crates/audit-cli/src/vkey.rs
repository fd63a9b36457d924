//! `audit vkey`: the public half of a private key.

use std::path::PathBuf;

use clap::Args;

use crate::key_file;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  $ audit vkey shop-1.key

Exit status: 0 when it is printed, 2 when the file holds no private key of a log that you alone may read.";

/// Prints the public key (the vkey) of a private key.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct VkeyArgs {
    /// The private key, as `audit keygen` makes it
    #[arg(value_name = "KEYFILE")]
    key: PathBuf,
}

/// Runs the command; its exit status.
pub(crate) fn run(args: &VkeyArgs) -> u8 {
    match key_file::read(&args.key) {
        Ok(key) => output::end(output::print(format_args!("{}\n", key.verifying_key())), 0),
        Err(error) => {
            output::complain(error);
            2
        }
    }
}

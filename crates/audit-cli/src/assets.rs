//! `audit assets`: what a package of the command holds besides it. Hidden, since it is run when one
//! is made: `cargo xtask assets`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use audit_core::Inert;
use clap::{Args, Command, ValueEnum as _};
use clap_complete::{Shell, generate_to};

use crate::output;
use crate::schema::Described;

/// Writes shell completions, manual pages and JSON Schemas.
#[derive(Args, Debug)]
pub(crate) struct AssetsArgs {
    /// The directory that they are written to; made if it is missing
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

/// Runs the command; its exit status.
pub(crate) fn run(args: &AssetsArgs, command: &Command) -> u8 {
    match write(&args.dir, &shown(command)) {
        Ok(()) => 0,
        Err(error) => {
            let dir = args.dir.to_string_lossy();
            output::complain(format_args!("cannot write to {}: {error}", Inert(&dir)));
            2
        }
    }
}

/// The command without what is hidden: completions would offer it.
fn shown(command: &Command) -> Command {
    let bare = Command::new("audit").propagate_version(true).args(command.get_arguments());
    let subcommands = command.get_subcommands().filter(|verb| !verb.is_hide_set()).cloned();
    let version = env!("CARGO_PKG_VERSION");
    let about = command.get_about().cloned().unwrap_or_default();
    bare.about(about).version(version).subcommands(subcommands)
}

fn write(dir: &Path, command: &Command) -> io::Result<()> {
    let [completions, manual, schemas] =
        ["completions", "man", "schema"].map(|name| dir.join(name));
    for made in [&completions, &manual, &schemas] {
        fs::create_dir_all(made)?;
    }
    for shell in Shell::value_variants() {
        generate_to(*shell, &mut command.clone(), "audit", &completions)?;
    }
    for described in Described::value_variants() {
        let value = described.to_possible_value();
        let name = value.as_ref().map_or("", |value| value.get_name());
        fs::write(schemas.join(format!("{name}.json")), described.text())?;
    }
    // The help of the help needs no pages of its own.
    clap_mangen::generate_to(command.clone().disable_help_subcommand(true), &manual)
}

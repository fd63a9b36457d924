//! The `audit` command: one module a subcommand, no logic that a library should have.

#[cfg(feature = "assets")]
mod assets;
mod begin;
mod bell;
mod check_proof;
mod checkpoint;
mod critical;
mod events;
mod health;
mod input;
mod key_file;
mod keygen;
mod limit;
mod notes;
mod output;
mod prove;
mod prune;
mod record;
mod recover;
mod rotate_key;
mod schema;
mod show;
mod verify;
mod vkey;

use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

#[cfg(feature = "assets")]
use clap::CommandFactory as _;
use clap::{Parser, Subcommand};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

/// Records security events into a tamper-evident log, and proves a log intact.
#[derive(Debug, Parser)]
#[command(name = "audit", version, propagate_version = true)]
struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Record(record::RecordArgs),
    Show(show::ShowArgs),
    Verify(verify::VerifyArgs),
    Recover(recover::RecoverArgs),
    Keygen(keygen::KeygenArgs),
    Vkey(vkey::VkeyArgs),
    Checkpoint(checkpoint::CheckpointArgs),
    RotateKey(rotate_key::RotateKeyArgs),
    Prove(prove::ProveArgs),
    CheckProof(check_proof::CheckProofArgs),
    Begin(begin::BeginArgs),
    Prune(prune::PruneArgs),
    Health(health::HealthArgs),
    Events(events::EventsArgs),
    Schema(schema::SchemaArgs),
    #[cfg(feature = "assets")]
    #[command(hide = true)]
    Assets(assets::AssetsArgs),
}

fn main() -> ExitCode {
    // What of a private key is in the memory of this process goes into no core file.
    set_dumpable_behavior(DumpableBehavior::NotDumpable).unwrap_or_default();
    if std::env::args_os().any(|arg| key_file::holds_private(arg.as_bytes())) {
        output::complain(
            "a private key stands among the arguments, where everybody on this machine can read it: \
             it has to stand in a file of mode 0600. Make another one (audit keygen)",
        );
        return ExitCode::from(2);
    }
    let command = Command::parse();
    let done = match command.verb {
        Verb::Record(args) => record::run(&args),
        Verb::Show(args) => show::run(&args),
        Verb::Verify(args) => verify::run(&args),
        Verb::Recover(args) => recover::run(&args),
        Verb::Keygen(args) => keygen::run(&args),
        Verb::Vkey(args) => vkey::run(&args),
        Verb::Checkpoint(args) => checkpoint::run(&args),
        Verb::RotateKey(args) => rotate_key::run(&args),
        Verb::Prove(args) => prove::run(&args),
        Verb::CheckProof(args) => check_proof::run(&args),
        Verb::Begin(args) => begin::run(&args),
        Verb::Prune(args) => prune::run(&args),
        Verb::Health(args) => health::run(&args),
        Verb::Events(args) => events::run(&args),
        Verb::Schema(args) => schema::run(&args),
        #[cfg(feature = "assets")]
        Verb::Assets(args) => assets::run(&args, &Command::command()),
    };
    ExitCode::from(done)
}

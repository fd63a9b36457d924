//! The `audit` command: one module a subcommand, no logic that a library should have.

mod input;
mod output;
mod record;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
    Verify(verify::VerifyArgs),
}

fn main() -> ExitCode {
    let command = Command::parse();
    let done = match command.verb {
        Verb::Record(args) => record::run(&args),
        Verb::Verify(args) => verify::run(&args),
    };
    ExitCode::from(done)
}

//! `audit schema`: the JSON Schema of what the other commands write.

mod kinds;
mod lifecycle;
mod record;

use clap::{Args, ValueEnum};

use crate::output;

const EXAMPLES: &str = "\
Examples:
  $ audit schema record
  $ audit schema verify-report

Exit status: 0, or 2 when it cannot be printed.";

/// Prints a JSON Schema (draft 2020-12).
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SchemaArgs {
    /// What the schema describes
    #[arg(value_enum)]
    of: Described,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Described {
    /// A line of a log
    Record,
    /// What `audit verify --format json` prints
    VerifyReport,
}

impl Described {
    /// The schema as it is printed and published.
    pub(crate) fn text(self) -> String {
        let schema = match self {
            Self::Record => record::schema(),
            Self::VerifyReport => audit_verify::report_schema(),
        };
        format!("{schema:#}\n")
    }
}

/// Runs the command; its exit status.
pub(crate) fn run(args: &SchemaArgs) -> u8 {
    output::end(output::print(args.of.text()), 0)
}

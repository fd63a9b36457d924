//! `audit verify`: is this log what was written?

use std::path::PathBuf;

use audit_core::{Inert, Receipt};
use audit_verify::{DirSource, Part, Progress, Report, Verdict, VerifyOptions, verify_source};
use clap::{Args, ColorChoice};

use crate::output::{self, BAD, FAULT, Format, GOOD};

const EXAMPLES: &str = "\
Examples:
  $ audit verify audit.log
  $ audit verify audit.log --format json
  $ audit verify audit.log --head SEQ:HASH

Exit status: 0 consistent or intact; 1 tampered or truncated; 3 unverifiable; 4 torn, as a crash
leaves it (0 with --allow-torn); 2 when the command could not look.";

/// Checks every byte of a log, and says what can and what cannot be excluded.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct VerifyArgs {
    /// The log's directory
    #[arg(value_name = "DIR")]
    dir: PathBuf,

    /// A head that was kept elsewhere: the log must hold it. May be given more than once
    #[arg(long, value_name = "SEQ:HASH")]
    head: Vec<Receipt>,

    /// How the report is written
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,

    /// When colours are used
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto)]
    color: ColorChoice,

    /// Exit with 0 when the log ends as a crash leaves it and nothing else is wrong
    #[arg(long)]
    allow_torn: bool,
}

/// Runs the command; its exit status.
pub(crate) fn run(args: &VerifyArgs) -> u8 {
    let mut options = VerifyOptions::default();
    options.heads.clone_from(&args.head);
    let looked = DirSource::open_dir(&args.dir)
        .and_then(|source| verify_source(&source, &options, &mut show_progress));
    output::progress("");
    let report = match looked {
        Ok(report) => report,
        Err(error) => {
            let dir = args.dir.to_string_lossy();
            output::complain(format_args!("cannot look at {}: {error}", Inert(&dir)));
            return 2;
        }
    };
    let is_allowed = report.verdict == Verdict::Torn && args.allow_torn;
    output::end(print(args, &report), if is_allowed { 0 } else { report.verdict.exit_code() })
}

fn print(args: &VerifyArgs, report: &Report) -> std::io::Result<()> {
    match args.format {
        Format::Human if output::takes_colour(args.color) => output::print(report.painted(paint)),
        Format::Human => output::print(report),
        Format::Json => {
            let json = serde_json::to_string_pretty(report)?;
            output::print(format_args!("{json}\n"))
        }
    }
}

/// How far it has come, in whole mebibytes.
fn show_progress(progress: Progress) {
    let Progress { segments_done, segments_total, bytes_done, .. } = progress;
    let mebibytes = bytes_done >> 20;
    output::progress(format_args!(
        "verifying: {segments_done} of {segments_total} segments, {mebibytes} MiB"
    ));
}

/// What a log is judged to be is green or red, and so is where to look first.
fn paint(part: Part, text: &str) -> String {
    let style = match part {
        Part::Verdict(verdict) if verdict.exit_code() == 0 => GOOD,
        Part::Verdict(_) | Part::FirstFault => FAULT,
        Part::FindingCode | _ => BAD,
    };
    format!("{style}{text}{style:#}")
}

//! `audit verify`: is this log what was written?

use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;

use audit_core::lifecycle::LogId;
use audit_core::{EventTime, Inert, Receipt};
use audit_log::checkpoint::{KeyKind, Policy, VerifyingKey};
use audit_log::writer::{Clock as _, SystemClock};
use audit_verify::{
    AdoptedRecords, DirSource, Identity, Jobs, Part, Progress, Report, Requirement, UnsignedLimit,
    Verdict, VerifyOptions, verify_source,
};
use clap::{Args, ColorChoice, ValueEnum};

use crate::key_file;
use crate::limit;
use crate::notes::{self, NoteFileError};
use crate::output::{self, BAD, FAULT, Format, GOOD};

const EXAMPLES: &str = "\
Examples:
  $ audit verify audit.log
  $ audit verify audit.log --format json
  $ audit verify signed.log --vkey shop-1.vkey
  $ audit verify signed.log --vkey shop-1.vkey --origin audit.example.com/shop-1
  $ audit verify signed.log --pin shop-1.note
  $ audit verify audit.log --head SEQ:HASH

Exit status: 0 consistent, signed or intact; 1 tampered or truncated; 3 unverifiable; 4 torn, as a crash
leaves it (0 with --allow-torn); 2 when the command could not look.";

/// Checks every byte of a log, and says what can and what cannot be excluded.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct VerifyArgs {
    /// The log's directory
    #[arg(value_name = "DIR")]
    dir: PathBuf,

    /// A public key of the log, or the file that holds it: checkpoints that it has signed count. May
    /// be given more than once
    #[arg(long, value_name = "VKEY|FILE", value_parser = log_key)]
    vkey: Vec<VerifyingKey>,

    /// A head that was kept elsewhere: the log must hold it. May be given more than once
    #[arg(long, value_name = "SEQ:HASH")]
    head: Vec<Receipt>,

    /// A checkpoint that was kept elsewhere: the log must extend it. May be given more than once
    #[arg(long, value_name = "FILE")]
    pin: Vec<PathBuf>,

    /// The checkpoint up to which the log was verified before: one more pin, from which the records
    /// are counted that came since
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,

    /// A tlog-policy: which logs are known, and which witnesses have to have seen a checkpoint
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Cosignatures of before this time (RFC 3339) do not count, and a checkpoint with enough newer
    /// ones covers like one kept elsewhere
    #[arg(long, value_name = "TIME", value_parser = secs_of, requires = "policy")]
    not_before: Option<u64>,

    /// The origin under which the log has to be vouched for: the name of its key
    #[arg(long, value_name = "NAME")]
    origin: Option<String>,

    /// The service whose log it has to be
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    /// The identity that the log has to have
    #[arg(long, value_name = "HEX", value_parser = log_id)]
    log_id: Option<LogId>,

    /// How much of the end may have no checkpoint by a given key: a number of records, or how old the
    /// first of them may be (30s, 10m, 1h); otherwise the log is unverifiable
    #[arg(long, value_name = "N|TIME", value_parser = limit::unsigned)]
    max_unsigned: Option<UnsignedLimit>,

    /// What has to cover the last record; otherwise the log is unverifiable
    #[arg(long, value_enum, default_value_t = Required::Consistent)]
    require: Required,

    /// Let a log with records that an operator adopted meet what is required
    #[arg(long)]
    allow_adopted: bool,

    /// How many threads read the log [default: as many as there are processors]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,

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

/// What has to cover the last record.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Required {
    /// Nothing
    Consistent,
    /// A checkpoint of a given key, or something kept elsewhere
    Signed,
    /// Something kept elsewhere
    Intact,
}

/// Runs the command; its exit status.
pub(crate) fn run(args: &VerifyArgs) -> u8 {
    let options = match options(args) {
        Ok(options) => options,
        Err(fault) => {
            output::complain(fault);
            return 2;
        }
    };
    let mut logs = options.policy.iter().flat_map(Policy::logs);
    if options.policy.is_some() && options.keys.is_empty() && logs.next().is_none() {
        output::complain("the policy names no log: give the key of the log, too (--vkey)");
        return 2;
    }
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

/// What to verify against.
fn options(args: &VerifyArgs) -> Result<VerifyOptions, NoteFileError> {
    let kept = |path: &PathBuf| notes::read(path).map(|stated| stated.note);
    Ok(VerifyOptions {
        keys: args.vkey.clone(),
        heads: args.head.clone(),
        pins: args.pin.iter().map(kept).collect::<Result<_, _>>()?,
        since: args.since.as_ref().map(kept).transpose()?,
        policy: args.policy.as_deref().map(notes::read_policy).transpose()?,
        not_before_secs: args.not_before,
        now_secs: u64::try_from(SystemClock::default().now().timestamp()).ok(),
        identity: Identity {
            origin: args.origin.clone(),
            service_id: args.service.clone(),
            log_id: args.log_id,
        },
        max_unsigned: args.max_unsigned,
        require: match args.require {
            Required::Consistent => Requirement::Consistent,
            Required::Signed => Requirement::Signed,
            Required::Intact => Requirement::Intact,
        },
        adopted: if args.allow_adopted { AdoptedRecords::Allow } else { AdoptedRecords::Refuse },
        jobs: Jobs::new(args.jobs.unwrap_or_else(processors)),
    })
}

fn processors() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Reads a time, and gives the first whole second not before it, since 1970-01-01T00:00:00Z.
fn secs_of(text: &str) -> Result<u64, String> {
    let time = EventTime::parse(text).ok_or("that is no time as RFC 3339 writes it")?.instant();
    let nanoseconds = u64::from(time.timestamp_subsec_nanos() > 0);
    // No cosignature is older than its own count of seconds.
    Ok(u64::try_from(time.timestamp()).unwrap_or(0).saturating_add(nanoseconds))
}

/// Reads the identity of a log.
fn log_id(text: &str) -> Result<LogId, &'static str> {
    LogId::from_hex(text).ok_or("that is not 32 lowercase hex digits")
}

/// Reads the key of a log. That of a witness says nothing of who wrote one.
fn log_key(text: &str) -> Result<VerifyingKey, String> {
    let key = key_file::public(text)?;
    match key.kind() {
        KeyKind::Ed25519 => Ok(key),
        KeyKind::Cosignature => Err("that is the key of a witness, not of a log".to_owned()),
    }
}

fn print(args: &VerifyArgs, report: &Report) -> io::Result<()> {
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

//! `audit record`: lines of JSON into a log.

mod fault;
mod receipts;

use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use audit_core::lifecycle::LossReason;
use audit_core::limits::{
    BATCH_INTERVAL_SECS_DEFAULT, BATCH_SIZE_DEFAULT, CHECKPOINT_INTERVAL_SECS_DEFAULT,
    COMMAND_DEADLINE_SECS,
};
use audit_core::{Digest, Inert};
use audit_log::signal::{EndSignal, EndSignals};
use audit_log::validate::decode_line;
use audit_log::writer::Loss;
use audit_log::{
    AuditConfig, AuditLogger, CommandSink, Copies, EmitError, FileSink, FileSystems, FlushMode,
    Keyless, OnDamage, OpenPolicy, OverflowPolicy, Receipt, RotationPolicy, ServiceId,
    ShutdownError, SignError, Signing, TextPolicy,
};
use clap::{Args, ValueEnum};

use crate::critical::names_critical;
use crate::input::{Lines, Next, Source};
use crate::key_file;
use crate::output;
use fault::Fault;
use receipts::Receipts;

/// How long the disk is waited for.
const DEADLINE: Duration = Duration::from_secs(COMMAND_DEADLINE_SECS);

const EXAMPLES: &str = "\
Examples:
  $ audit record --dir audit.log --service web.shop-1 events.jsonl
  $ tail -n 5 events.jsonl | audit record --dir audit.log --service web.shop-1 --receipts
  $ audit record --dir audit.log --service web.shop-1 --flush immediate --rotate both:100000000 events.jsonl
  $ audit record --dir signed.log --service web.shop-1 --key shop-1.key events.jsonl

Exit status: 0 when every line was recorded, 1 when a line was refused, 2 when the command could
not do its work. SIGTERM, SIGINT and SIGHUP make it record the lines it has read, close the log and
exit with 143, 130 and 129; a second one ends it at once.";

/// Records events, a JSON object a line, into a log.
///
/// Hostile text in an event is made visible, never a reason to lose it. A line that is no event is
/// refused, reported with its number, and counted in the log with its SHA-256: as critical where it names
/// a critical type.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RecordArgs {
    /// The log's directory; made if only its last component is missing
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,

    /// The service the log belongs to: 1 to 41 of A-Z a-z 0-9 . _ -
    #[arg(long, value_name = "NAME")]
    service: ServiceId,

    /// When records are made durable
    #[arg(long, value_enum, default_value_t = Flush::Hybrid)]
    flush: Flush,

    /// Records that may wait for the disk, with batched and hybrid
    #[arg(long, value_name = "N", default_value_t = BATCH_SIZE_DEFAULT)]
    batch_size: u32,

    /// Seconds that a record may wait for the disk, with batched and hybrid
    #[arg(long, value_name = "SECONDS", default_value_t = BATCH_INTERVAL_SECS_DEFAULT)]
    interval: u32,

    /// When a new file is begun: daily, size:BYTES, or both:BYTES
    #[arg(long, value_name = "WHEN", default_value = "daily", value_parser = rotation)]
    rotate: RotationPolicy,

    /// Sign checkpoints with this private key, as `audit keygen` makes it
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// Seconds after which a record is covered by a checkpoint
    #[arg(long, value_name = "SECONDS", requires = "key",
          default_value_t = CHECKPOINT_INTERVAL_SECS_DEFAULT)]
    checkpoint_interval: u64,

    /// Keep the newest checkpoint in this file, too: on another disk, or where it is copied from
    #[arg(long, value_name = "FILE", requires = "key")]
    sink_file: Option<PathBuf>,

    /// Give each checkpoint to this shell command, too, on its standard input
    #[arg(long, value_name = "COMMAND", requires = "key")]
    sink_command: Option<String>,

    /// Take over the records that nothing vouches for, where the log ends with this one: the refusal
    /// without this option prints it. The log says so for ever
    #[arg(long, value_name = "SEQ:HASH", requires = "key")]
    adopt: Option<Receipt>,

    /// Write to a log that signs without its key. The log says so, and the next open with the key
    /// asks for --adopt
    #[arg(long, conflicts_with = "key")]
    unsigned: bool,

    /// What to do with a log that is a copy: restored, moved to another file system, or cloned file by
    /// file. One that goes on says so
    #[arg(long, value_enum, default_value_t = Copied::Continue)]
    on_copy: Copied,

    /// What to do when the newest file does not end as a crash leaves it
    #[arg(long, value_enum, default_value_t = Damaged::Refuse)]
    on_damage: Damaged,

    /// Write on a network file system, FUSE or one that is not known, too
    #[arg(long)]
    any_file_system: bool,

    /// Print `LINE SEQ:HASH` for each line once its record is durable, and `LINE refused REASON`
    #[arg(long)]
    receipts: bool,

    /// The events; - is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    input: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Flush {
    /// Every record before the next is read
    Immediate,
    /// In batches, critical ones too
    Batched,
    /// Critical ones at once, others in batches
    Hybrid,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Damaged {
    /// Record nothing
    Refuse,
    /// Declare it and go on in a new file; the log stays tampered for every verifier
    Continue,
}

impl RecordArgs {
    fn config(&self) -> AuditConfig {
        AuditConfig {
            flush_mode: self.flush_mode(),
            rotation_policy: self.rotate,
            text_policy: TextPolicy::Neutralise,
            overflow_policy: OverflowPolicy::Block { deadline: DEADLINE },
            open_policy: self.open_policy(),
            ..AuditConfig::local(self.service, &self.dir)
        }
    }

    fn signing(&self) -> Result<Option<Signing>, Fault> {
        let interval = Duration::from_secs(self.checkpoint_interval);
        let key = self.key.as_deref().map(key_file::read).transpose()?;
        Ok(key.map(|key| {
            let mut signing = Signing::new(key).every(interval);
            if let Some(path) = &self.sink_file {
                signing = signing.to(FileSink::new(path));
            }
            if let Some(command) = &self.sink_command {
                signing = signing.to(CommandSink::new("sh", ["-c", command]));
            }
            self.adopt.into_iter().fold(signing, Signing::adopt)
        }))
    }

    fn open_policy(&self) -> OpenPolicy {
        let on_damage = match self.on_damage {
            Damaged::Refuse => OnDamage::Refuse,
            Damaged::Continue => OnDamage::ContinueInNewSegment,
        };
        let keyless = if self.unsigned { Keyless::Unsigned } else { Keyless::Refuse };
        let copies = match self.on_copy {
            Copied::Continue => Copies::Declare,
            Copied::Refuse => Copies::Refuse,
        };
        OpenPolicy { on_damage, file_systems: file_systems(self.any_file_system), keyless, copies }
    }

    fn flush_mode(&self) -> FlushMode {
        let (batch_size, batch_interval_secs) = (self.batch_size, self.interval);
        match self.flush {
            Flush::Immediate => FlushMode::Immediate,
            Flush::Batched => {
                FlushMode::Batched { size: batch_size, interval_secs: batch_interval_secs }
            }
            Flush::Hybrid => {
                FlushMode::Hybrid { batch_size, batch_interval_secs, critical_immediate: true }
            }
        }
    }
}

/// What to do with a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Copied {
    /// Go on, and say so in the log
    Continue,
    /// Do not open the log
    Refuse,
}

/// The file systems that a log may be on.
pub(crate) fn file_systems(any: bool) -> FileSystems {
    if any { FileSystems::Any } else { FileSystems::Local }
}

fn rotation(text: &str) -> Result<RotationPolicy, String> {
    let bytes = |text: &str| match text.parse() {
        Ok(bytes_max) if bytes_max > 0 => Ok(bytes_max),
        _ => Err(format!("{text:?} is not a number of bytes")),
    };
    match text.split_once(':') {
        None if text == "daily" => Ok(RotationPolicy::Daily),
        Some(("size", limit)) => Ok(RotationPolicy::SizeLimit { bytes_max: bytes(limit)? }),
        Some(("both", limit)) => Ok(RotationPolicy::Both { bytes_max: bytes(limit)? }),
        _ => Err("expected daily, size:BYTES or both:BYTES".to_owned()),
    }
}

/// How the command came to its end.
struct Ended {
    refused: u64,
    signal: Option<EndSignal>,
}

/// Runs the command; its exit status.
pub(crate) fn run(args: &RecordArgs) -> u8 {
    match Recorder::open(args).and_then(|(recorder, lines)| recorder.run(lines)) {
        Ok(Ended { signal: Some(signal), .. }) => signal.exit_code(),
        Ok(Ended { refused: 0, .. }) => 0,
        Ok(_) => 1,
        Err(fault) => {
            output::complain(fault);
            2
        }
    }
}

struct Recorder<'a> {
    args: &'a RecordArgs,
    log: AuditLogger,
    signals: EndSignals,
    /// What is waited for with `--receipts`.
    receipts: Receipts,
    events: u64,
    critical: u64,
    refused: u64,
    line: u64,
}

impl<'a> Recorder<'a> {
    fn open(args: &'a RecordArgs) -> Result<(Self, Lines), Fault> {
        let shown = |path: &PathBuf| Inert(&path.to_string_lossy()).to_string();
        let source = Source::open(&args.input)
            .map_err(|source| Fault::Input { path: shown(&args.input), source })?;
        let receipts = Receipts::new().map_err(Fault::Prepare)?;
        let config = Arc::new(args.config());
        let opened = match args.signing()? {
            None => AuditLogger::open(config),
            Some(signing) => AuditLogger::open_signed(config, signing),
        };
        let log = opened
            .map_err(|source| Fault::Open { dir: shown(&args.dir), source: Box::new(source) })?;
        if log.health().is_some_and(|health| health.copied.is_some()) {
            output::tell(
                "audit: warning: the log is a copy of the one that its newest segment was made in; it says so",
            );
        }
        // Until then a signal ends the command at once: nothing was recorded that could be lost, and
        // there may be much to read.
        let signals = EndSignals::catch_with_hangup().map_err(Fault::Prepare)?;
        let (events, critical, refused, line) = (0, 0, 0, 0);
        let recorder = Self { args, log, signals, receipts, events, critical, refused, line };
        Ok((recorder, Lines::new(source)))
    }

    /// Records until the input ends or a signal comes.
    fn run(mut self, mut lines: Lines) -> Result<Ended, Fault> {
        loop {
            let signal = self.signals.caught();
            if signal.is_some() {
                lines.stop();
            }
            self.receipts.print_resolved()?;
            let next = lines.next(&[self.signals.as_fd(), self.receipts.as_fd()]);
            match next.map_err(|source| Fault::Read { line: self.line, source })? {
                Next::Idle => self.receipts.hush(),
                Next::End => return self.finish(signal),
                Next::Line { bytes, number } => {
                    self.line = number;
                    if !bytes.trim_ascii().is_empty() {
                        self.record(bytes)?;
                    }
                }
                Next::TooLong { number, bytes, sha256, critical } => {
                    self.line = number;
                    let reason = format!("a line of {bytes} bytes is too long");
                    self.refuse(&reason, sha256, critical)?;
                }
            }
        }
    }

    fn record(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let decoded = match decode_line(bytes, TextPolicy::Neutralise) {
            Ok(decoded) => decoded,
            Err(refusal) => {
                let critical = names_critical(bytes);
                return self.refuse(&refusal.to_string(), Digest::of(bytes), critical);
            }
        };
        let emitted = if self.args.receipts {
            let receipt = self.log.emit_decoded_with_receipt(&decoded);
            receipt.map(|receipt| self.receipts.push(self.line, receipt))
        } else {
            self.log.emit_decoded(&decoded)
        };
        emitted.map_err(|source| self.not_recorded(source))?;
        self.events = self.events.saturating_add(1);
        self.critical = self.critical.saturating_add(u64::from(decoded.event.is_critical()));
        Ok(())
    }

    fn refuse(&mut self, reason: &str, sha256: Digest, critical: bool) -> Result<(), Fault> {
        let line = self.line;
        let loss = Loss { reason: LossReason::Refused, critical, sha256: Some(sha256) };
        self.log.record_loss(loss).map_err(|source| self.not_recorded(source))?;
        self.refused = self.refused.saturating_add(1);
        output::tell(format_args!("audit: line {line} refused: {reason}"));
        if self.args.receipts {
            output::print(format_args!("{line} refused {reason}\n")).map_err(Fault::Print)?;
        }
        Ok(())
    }

    /// The fault of the first line that is not recorded: this one, or one before it whose receipt
    /// says so. What other receipts say is printed first.
    fn not_recorded(&mut self, source: EmitError) -> Fault {
        let line = self.line;
        match source {
            EmitError::Pending(_) | EmitError::QueueFull => {
                let health = self.log.health();
                self.receipts.print_resolved().err().unwrap_or(Fault::waited(line, health))
            }
            EmitError::Write(_)
            | EmitError::Refused(_)
            | EmitError::Closed
            | EmitError::Forked
            | _ => {
                let earlier = self.receipts.print_all().err();
                earlier.unwrap_or_else(|| Fault::Emit { line, source: Box::new(source) })
            }
        }
    }

    /// As [`Self::not_recorded`], for lines that were accepted.
    fn not_closed(&mut self, source: ShutdownError) -> Fault {
        let printed = match source {
            ShutdownError::Deadline { .. } => self.receipts.print_resolved(),
            ShutdownError::Write(_) | ShutdownError::Forked | _ => self.receipts.print_all(),
        };
        let line = self.line;
        printed.err().unwrap_or_else(|| Fault::Close { line, source: Box::new(source) })
    }

    fn finish(mut self, signal: Option<EndSignal>) -> Result<Ended, Fault> {
        let head = self.log.shutdown(DEADLINE).map_err(|source| self.not_closed(source))?;
        self.receipts.print_all()?;
        if let Some(signal) = signal {
            output::tell(format_args!("stopped by {signal} after line {}", self.line));
        }
        self.tell_summary(head);
        let health = self.log.health();
        let Some(health) = health else { return Ok(Ended { refused: self.refused, signal }) };
        match (health.checkpoint_failure, health.sink_failure) {
            // The one that is silent is named.
            (None | Some(SignError::SinkSilent), Some(failure)) => Err(Fault::Sink(failure)),
            (Some(cause), _) => Err(Fault::Sign(Box::new(cause))),
            (None, None) => Ok(Ended { refused: self.refused, signal }),
        }
    }

    fn tell_summary(&self, head: Option<Receipt>) {
        let Self { events, critical, refused, args, .. } = self;
        let noun = if *events == 1 { "event" } else { "events" };
        let (dir, service) = (Inert(&args.dir.to_string_lossy()).to_string(), args.service);
        output::tell(format_args!(
            "recorded {events} {noun} ({critical} critical), refused {refused}"
        ));
        output::tell(format_args!("log      {dir}, service {service}"));
        if let Some(head) = head {
            output::tell(format_args!("head     {head}"));
        }
        if let Some(signed) = self.log.health().and_then(|health| health.last_checkpoint) {
            let (size, origin) = (signed.size(), Inert(signed.origin()).to_string());
            output::tell(format_args!("signed   {size} records of {origin}"));
        }
    }
}

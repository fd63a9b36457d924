//! `audit record`: lines of JSON into a log.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use audit_core::lifecycle::LossReason;
use audit_core::limits::{BATCH_INTERVAL_SECS_DEFAULT, BATCH_SIZE_DEFAULT};
use audit_core::{Digest, Inert};
use audit_logging::validate::decode_line;
use audit_logging::writer::Loss;
use audit_logging::{
    AuditEventEnvelope, AuditFileWriter, FlushMode, OpenError, Receipt, RotationPolicy, ServiceId,
    TextPolicy, WriteError,
};
use clap::{Args, ValueEnum};

use crate::input::{Lines, Next, Source};
use crate::output;

const EXAMPLES: &str = "\
Examples:
  $ audit record --dir audit.log --service web.shop-1 events.jsonl
  $ tail -n 5 events.jsonl | audit record --dir audit.log --service web.shop-1 --receipts
  $ audit record --dir audit.log --service web.shop-1 --flush immediate --rotate both:100000000 events.jsonl

Exit status: 0 when every line was recorded, 1 when a line was refused, 2 when the command could
not do its work.";

/// Records events, a JSON object a line, into a log.
///
/// Hostile text in an event is made visible, never a reason to lose it. A line that is no event is
/// refused, reported with its number, and counted in the log with its SHA-256.
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

impl RecordArgs {
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

/// Why the command could not do its work.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("cannot open {path}: {source}")]
    Input { path: String, source: io::Error },
    #[error("cannot open the log {dir}: {source}")]
    Open { dir: String, source: Box<OpenError> },
    #[error("the log {dir} belongs to the service {owner}, not to {asked}")]
    Service { dir: String, owner: String, asked: String },
    #[error("cannot read the input after line {line}: {source}")]
    Read { line: u64, source: io::Error },
    #[error("line {line} was not recorded as asked: {source}")]
    Write { line: u64, source: Box<WriteError> },
    #[error("cannot close the log: {0}")]
    Close(Box<WriteError>),
    #[error("cannot print: {0}")]
    Print(io::Error),
}

impl Fault {
    fn close(source: WriteError) -> Self {
        Self::Close(Box::new(source))
    }
}

/// Runs the command; its exit status.
pub(crate) fn run(args: &RecordArgs) -> u8 {
    match Recorder::open(args).and_then(|(recorder, lines)| recorder.run(lines)) {
        Ok(0) => 0,
        Ok(_) => 1,
        Err(fault) => {
            output::complain(fault);
            2
        }
    }
}

struct Recorder<'a> {
    args: &'a RecordArgs,
    writer: AuditFileWriter,
    /// Lines whose records are not yet durable.
    waiting: VecDeque<(u64, Receipt)>,
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
        let writer = AuditFileWriter::new(&args.dir, args.rotate, args.flush_mode())
            .map_err(|source| Fault::Open { dir: shown(&args.dir), source: Box::new(source) })?;
        let asked = args.service;
        if let Some(owner) = writer.service_id().filter(|&owner| owner != asked) {
            let (owner, asked) = (owner.to_string(), asked.to_string());
            return Err(Fault::Service { dir: shown(&args.dir), owner, asked });
        }
        let waiting = VecDeque::new();
        let recorder = Self { args, writer, waiting, events: 0, critical: 0, refused: 0, line: 0 };
        Ok((recorder, Lines::new(source)))
    }

    /// Records until the input ends; how many lines were refused.
    fn run(mut self, mut lines: Lines) -> Result<u64, Fault> {
        loop {
            let patience = self.keep_interval()?;
            let next = lines.next(patience);
            match next.map_err(|source| Fault::Read { line: self.line, source })? {
                Next::Idle => {}
                Next::End => return self.finish(),
                Next::Line { bytes, number } => {
                    self.line = number;
                    if !bytes.trim_ascii().is_empty() {
                        self.record(bytes)?;
                    }
                }
                Next::TooLong { number, bytes, sha256 } => {
                    self.line = number;
                    self.refuse(&format!("a line of {bytes} bytes is too long"), sha256)?;
                }
            }
        }
    }

    fn record(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let decoded = match decode_line(bytes, TextPolicy::Neutralise) {
            Ok(decoded) => decoded,
            Err(refusal) => return self.refuse(&refusal.to_string(), Digest::of(bytes)),
        };
        let critical = decoded.event.is_critical();
        let envelope = AuditEventEnvelope::new(self.args.service, decoded.event);
        let envelope = envelope.with_marks(decoded.sanitized);
        let receipt = self.writer.write_event(&envelope);
        let receipt = receipt.map_err(|source| self.not_written(source))?;
        self.events = self.events.saturating_add(1);
        self.critical = self.critical.saturating_add(u64::from(critical));
        if self.args.receipts {
            self.waiting.push_back((self.line, receipt));
            self.print_durable()?;
        }
        Ok(())
    }

    fn refuse(&mut self, reason: &str, sha256: Digest) -> Result<(), Fault> {
        let line = self.line;
        let loss = Loss { reason: LossReason::Refused, critical: false, sha256: Some(sha256) };
        let counted = self.writer.record_loss(self.args.service, loss);
        counted.map_err(|source| self.not_written(source))?;
        self.refused = self.refused.saturating_add(1);
        output::tell(format_args!("audit: line {line} refused: {reason}"));
        if self.args.receipts {
            output::print(format_args!("{line} refused {reason}\n")).map_err(Fault::Print)?;
        }
        Ok(())
    }

    /// Makes what is due durable; how long the input may be waited for.
    fn keep_interval(&mut self) -> Result<Option<Duration>, Fault> {
        let due_in = self.writer.flush_if_due();
        let due_in = due_in.map_err(|source| self.not_written(source))?;
        self.print_durable()?;
        Ok(due_in)
    }

    fn not_written(&self, source: WriteError) -> Fault {
        Fault::Write { line: self.line, source: Box::new(source) }
    }

    fn print_durable(&mut self) -> Result<(), Fault> {
        let durable = self.writer.durable().map(|durable| durable.seq);
        while let Some((line, receipt)) = self.waiting.front() {
            if Some(receipt.seq) > durable {
                break;
            }
            output::print(format_args!("{line} {receipt}\n")).map_err(Fault::Print)?;
            self.waiting.pop_front();
        }
        Ok(())
    }

    fn finish(mut self) -> Result<u64, Fault> {
        self.writer.flush().map_err(Fault::close)?;
        self.print_durable()?;
        let head = self.writer.close().map_err(Fault::close)?;
        let Self { events, critical, refused, args, .. } = self;
        let noun = if events == 1 { "event" } else { "events" };
        let (dir, service) = (Inert(&args.dir.to_string_lossy()).to_string(), args.service);
        output::tell(format_args!(
            "recorded {events} {noun} ({critical} critical), refused {refused}"
        ));
        output::tell(format_args!("log      {dir}, service {service}"));
        if let Some(head) = head {
            output::tell(format_args!("head     {head}"));
        }
        Ok(refused)
    }
}

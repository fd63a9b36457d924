//! The process that is killed: it records numbered events from some threads and says, a line each,
//! which of them are durable and which are merely accepted.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt;
use std::io::Write as _;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use audit_log::{
    AuditConfig, AuditEvent, AuditLogger, EmitError, EventTime, FileSystems, OpenPolicy,
    OverflowPolicy, PendingReceipt, Receipt, RotationPolicy, ServiceId,
};
use audit_testkit::dice::Dice;

use crate::modes::{MODES, Mode};

/// Names the log's directory to the process.
pub(crate) const DIR: &str = "AUDIT_REAL_TEST_DIR";
/// Tells it what to do: a [`Task`].
pub(crate) const TASK: &str = "AUDIT_REAL_TEST_TASK";

/// Longer than any disk that a test runs on needs.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// What one process is to record, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    /// An index of [`MODES`].
    pub(crate) mode: usize,
    /// Bytes of a segment.
    pub(crate) bytes_max: u64,
    pub(crate) threads: u64,
    pub(crate) events: u64,
    /// So many of a hundred events are critical.
    pub(crate) critical_percent: u64,
    /// The number of its first event.
    pub(crate) first: u64,
}

impl Task {
    pub(crate) fn mode(&self) -> &'static Mode {
        &MODES[self.mode]
    }

    pub(crate) fn rotation(&self) -> RotationPolicy {
        RotationPolicy::Both { bytes_max: self.bytes_max }
    }

    fn is_critical(&self, number: u64) -> bool {
        Dice::new(number).between(1, 100) <= self.critical_percent
    }

    /// The numbers of the events of one thread, and whether they are critical.
    pub(crate) fn of_thread(&self, thread: u64) -> impl Iterator<Item = (u64, bool)> {
        let all = (self.first..self.first + self.events).skip(usize::try_from(thread).unwrap());
        let own = all.step_by(usize::try_from(self.threads).unwrap());
        own.map(|number| (number, self.is_critical(number)))
    }

    /// One of so many parts of it.
    pub(crate) fn part(&self, at: u64, parts: u64) -> Self {
        let start = self.events * at / parts;
        let end = self.events * (at + 1) / parts;
        Self { first: self.first + start, events: end - start, ..*self }
    }

    pub(crate) fn config(&self, dir: &Path) -> AuditConfig {
        AuditConfig {
            flush_mode: self.mode().flush,
            rotation_policy: self.rotation(),
            overflow_policy: OverflowPolicy::Block { deadline: PATIENCE },
            ..AuditConfig::local(service(), dir)
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mode, bytes_max, threads, events, critical_percent, first } = self;
        write!(f, "{mode} {bytes_max} {threads} {events} {critical_percent} {first}")
    }
}

impl FromStr for Task {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers: Vec<u64> = text.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self {
            mode: usize::try_from(numbers[0]).unwrap(),
            bytes_max: numbers[1],
            threads: numbers[2],
            events: numbers[3],
            critical_percent: numbers[4],
            first: numbers[5],
        })
    }
}

pub(crate) fn service() -> ServiceId {
    ServiceId::new("bank.teller-1").unwrap()
}

/// What an open puts up with: tests choose the file system.
pub(crate) fn on_any_file_system() -> OpenPolicy {
    OpenPolicy { file_systems: FileSystems::Any, ..OpenPolicy::default() }
}

/// An event that is known by its name.
pub(crate) fn event(name: &str, is_critical: bool) -> AuditEvent<'_> {
    if is_critical {
        AuditEvent::InvalidTokenUsed {
            timestamp: time(),
            ip: "192.0.2.7".into(),
            token_prefix: name.into(),
            endpoint: "/accounts".into(),
        }
    } else {
        AuditEvent::SealVerified { timestamp: time(), shard_id: name.into(), worker_id: "w".into() }
    }
}

fn time() -> EventTime {
    EventTime::parse("2026-01-02T03:04:05Z").unwrap()
}

/// A line that a kill cannot tear: a pipe takes it whole or not at all.
fn say(line: &str) {
    let line = format!("{line}\n");
    // Standard error has no buffer: this is one system call.
    assert_eq!(std::io::stderr().write(line.as_bytes()).unwrap(), line.len());
}

fn say_durable(number: u64, receipt: Receipt) {
    say(&format!("{number} {receipt}"));
}

/// The process's task, and the log that it opens for it.
pub(crate) fn told() -> (Task, AuditLogger) {
    let dir: OsString = std::env::var_os(DIR).unwrap();
    let task: Task = std::env::var(TASK).unwrap().parse().unwrap();
    let config = task.config(dir.as_ref());
    (task, AuditLogger::open(Arc::new(config)).unwrap())
}

#[test]
#[ignore = "it is no test of its own: the others start it, and kill it"]
fn the_emitter() {
    let (task, log) = told();
    let all = emit_all(&log, &task);
    log.shutdown(PATIENCE).unwrap();
    for Emitted { waiting, refused } in all {
        assert!(refused.is_none(), "{refused:?}");
        for (number, receipt) in waiting {
            say_durable(number, receipt.wait(PATIENCE).unwrap());
        }
    }
}

/// What came of the events of one thread.
#[derive(Debug, Default)]
pub(crate) struct Emitted {
    /// Those that were accepted and not durable when it ended, in their order.
    pub(crate) waiting: VecDeque<(u64, PendingReceipt)>,
    /// Why it ended before all were recorded.
    pub(crate) refused: Option<EmitError>,
}

/// Records the events of each thread, until all are or one is refused.
pub(crate) fn emit_all(log: &AuditLogger, task: &Task) -> Vec<Emitted> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..task.threads)
            .map(|thread| scope.spawn(move || Emitted::of_thread(log, task, thread)))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

impl Emitted {
    fn of_thread(log: &AuditLogger, task: &Task, thread: u64) -> Self {
        let mut emitted = Self::default();
        for (number, is_critical) in task.of_thread(thread) {
            match log.emit_with_receipt(event(&format!("n{number}"), is_critical)) {
                Ok(receipt) => emitted.hear(task, number, is_critical, receipt),
                Err(error) => emitted.refused = Some(error),
            }
            emitted.say_what_is_durable();
            if emitted.refused.is_some() {
                break;
            }
        }
        emitted
    }

    fn hear(&mut self, task: &Task, number: u64, is_critical: bool, receipt: PendingReceipt) {
        if let Some(Ok(receipt)) = receipt.outcome() {
            say_durable(number, receipt);
        } else {
            assert!(!task.mode().promises(is_critical), "{number} is not durable");
            say(&format!("{number} accepted"));
            self.waiting.push_back((number, receipt));
        }
    }

    fn say_what_is_durable(&mut self) {
        while let Some((number, Some(Ok(receipt)))) =
            self.waiting.front().map(|(number, receipt)| (*number, receipt.outcome()))
        {
            say_durable(number, receipt);
            self.waiting.pop_front();
        }
    }
}

//! The N-th operation fails, N = 0, 1, 2, ... until a run is over before it.

use audit_core::{FlushMode, Receipt};
use audit_verify::Verdict;
use audit_writer::store::{Change, Failure, Fate, Fault, Lasting};
use audit_writer::{OpenError, SimDisk, WriteError};
use chrono::TimeDelta;
use rustix::io::Errno;

use crate::common::{SimWriter, clock_at, open, verify_with_heads};
use crate::workload::{Step, Weight, Workload, event};
use audit_testkit::dice::Dice;

/// Seeds of workloads, each of another kind.
const WORKLOADS: u64 = 12;

/// How the operations fail. A late error tells of something that was done all the same.
const FAILURES: [Failure; 11] = [
    Failure::Errno(Errno::IO.raw_os_error()),
    Failure::Errno(Errno::NOSPC.raw_os_error()),
    Failure::Errno(Errno::DQUOT.raw_os_error()),
    Failure::Errno(Errno::ROFS.raw_os_error()),
    Failure::Errno(Errno::MFILE.raw_os_error()),
    Failure::Errno(Errno::ACCESS.raw_os_error()),
    Failure::Errno(Errno::NOENT.raw_os_error()),
    Failure::Errno(Errno::STALE.raw_os_error()),
    Failure::Errno(Errno::INTR.raw_os_error()),
    Failure::Short,
    Failure::Late(Errno::IO.raw_os_error()),
];

/// What a process does with a log, and what it was told.
struct Process {
    disk: SimDisk,
    workload: Workload,
    /// Records that are durable by the writer's word or by the flush mode.
    durable: Vec<Receipt>,
    number: u64,
}

impl Process {
    /// Opens the log and does what the workload says, whatever fails. The last writer is left.
    fn run(&mut self) -> Option<SimWriter> {
        let clock = clock_at("2026-01-02T22:04:05Z");
        let mut writer = None;
        for step in self.workload.steps.clone() {
            if writer.is_none() {
                let Workload { rotation, flush, .. } = self.workload;
                writer = self.opened(open(&self.disk, &clock, rotation, flush));
            }
            let Some(mut open) = writer.take() else { continue };
            match step {
                Step::Write(weight, bytes) => self.write(&mut open, weight, bytes),
                Step::Flush => {
                    let flushed = open.flush();
                    self.judge(&mut open, &flushed);
                }
                Step::Pass(time) => {
                    clock.pass(time);
                    let flushed = open.flush_if_due().map(drop);
                    self.judge(&mut open, &flushed);
                }
                Step::MoveClock(hours) => clock.step(TimeDelta::hours(hours)),
                Step::Reopen => {
                    self.durable.extend(open.close().ok().flatten());
                    continue;
                }
                Step::Kill
                | Step::Lose
                | Step::Fill(_)
                | Step::Choke(_)
                | Step::Free
                | Step::Checkpoint
                | Step::ChangeKey => {}
            }
            self.durable.extend(open.durable());
            writer = Some(open);
        }
        writer
    }

    fn opened(&mut self, opened: Result<SimWriter, OpenError>) -> Option<SimWriter> {
        let writer = opened.inspect_err(|error| {
            assert!(matches!(error, OpenError::Io { .. }), "no fault damages a log: {error}");
        });
        let writer = writer.ok()?;
        self.durable.extend(writer.durable());
        Some(writer)
    }

    fn write(&mut self, writer: &mut SimWriter, weight: Weight, bytes: usize) {
        let written = writer.write_event(&event(self.number, weight, bytes));
        self.number += 1;
        let is_promised = match self.workload.flush {
            FlushMode::Immediate => true,
            FlushMode::Hybrid { critical_immediate, .. } => {
                critical_immediate && weight == Weight::Critical
            }
            FlushMode::Batched { .. } => false,
        };
        self.durable.extend(written.as_ref().ok().filter(|_| is_promised));
        self.judge(writer, &written.map(drop));
    }

    /// A writer that is out of use touches nothing any more.
    fn judge(&self, writer: &mut SimWriter, done: &Result<(), WriteError>) {
        if let Err(WriteError::Poisoned { .. }) = done {
            let operations = self.disk.operations();
            let flushed = writer.flush();
            assert!(matches!(flushed, Err(WriteError::Poisoned { .. })), "{flushed:?}");
            assert!(writer.write_event(&event(0, Weight::Critical, 0)).is_err());
            assert!(writer.flush_if_due().is_err());
            assert_eq!(self.disk.operations(), operations, "the disk was touched again");
        }
    }

    /// What is found on the disk, when its faults are gone, holds what was said to be durable, and
    /// goes on.
    fn check(&self, found: &SimDisk, story: &str) {
        let mut heads = self.durable.clone();
        heads.sort_unstable_by_key(|receipt| receipt.seq);
        heads.dedup();
        let before = verify_with_heads(found.files(), &heads);
        let is_empty = before.verdict == Verdict::Unverifiable && heads.is_empty();
        assert!(before.verdict <= Verdict::Torn || is_empty, "{story}: {before}");
        let clock = clock_at("2026-02-02T04:00:00Z");
        let writer = open(found, &clock, self.workload.rotation, FlushMode::Immediate);
        let mut writer = writer.unwrap_or_else(|error| panic!("{story}: {error}"));
        heads.push(writer.write_event(&event(99_999, Weight::Routine, 0)).unwrap());
        drop(writer);
        let after = verify_with_heads(found.files(), &heads);
        assert_eq!(after.verdict, Verdict::Consistent, "{story}: {after}");
    }
}

/// Returns how many operations there were, so that it is known which failed.
fn fail(seed: u64, fault: Fault) -> u64 {
    let story = format!("workload {seed}, {fault:?}");
    let workload = of_kind(seed);
    let disk = SimDisk::default();
    disk.inject(Some(fault));
    let mut process = Process { disk: disk.clone(), workload, durable: Vec::new(), number: 0 };
    let writer = process.run();
    let operations = disk.operations();
    // The process ends with the fault still there; then the power goes, and takes all it can.
    drop(writer);
    disk.inject(None);
    let lost = disk.after_crash(|_| Fate::Lost);
    process.check(&lost, &format!("{story}, then a power cut"));
    // Of the names any may be there; bytes of a line that was written in part are in whole.
    let named = disk.after_crash(|unsynced| match unsynced.change {
        Change::Append { .. } => Fate::Kept,
        Change::Create { .. } | Change::Rename { .. } | Change::Remove { .. } => {
            unsynced.fate(seed)
        }
    });
    process.check(&named, &format!("{story}, then a power cut that names survive by chance"));
    process.check(&disk, &story);
    operations
}

/// All modes, with and without rotation and reopening.
fn of_kind(seed: u64) -> Workload {
    let mut dice = Dice::new(seed);
    loop {
        let workload = Workload::short(&mut dice);
        let is_of_kind = match seed % 4 {
            0 => workload.flush == FlushMode::Immediate,
            1 => matches!(workload.flush, FlushMode::Batched { .. }),
            _ => matches!(workload.flush, FlushMode::Hybrid { .. }),
        };
        let has = |step| workload.steps.contains(&step);
        if is_of_kind && workload.steps.len() > 10 && has(Step::Reopen) == seed.is_multiple_of(2) {
            return workload;
        }
    }
}

#[test]
fn any_operation_may_fail_in_any_way_once_or_from_then_on() {
    let mut runs = 0;
    for seed in 0..WORKLOADS {
        for failure in FAILURES {
            for lasting in [Lasting::Once, Lasting::FromThenOn] {
                let mut at = 0;
                while fail(seed, Fault { at, failure, lasting }) > at {
                    at += 1;
                    runs += 1;
                }
            }
        }
    }
    assert!(runs > 5_000, "only {runs} operations failed");
}

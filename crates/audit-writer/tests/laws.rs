//! Whatever is done to a log, in whatever order, and however often the power goes: it opens again,
//! is one chain, and holds what was promised.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails where it stands")]

#[expect(dead_code, reason = "each scenario file uses what it needs")]
mod common;

use std::time::Duration;

use audit_core::{FlushMode, Receipt, RotationPolicy};
use audit_verify::Verdict;
use audit_writer::{SimClock, SimDisk};
use chrono::TimeDelta;
use common::{SimWriter, clock_at, critical, open, routine, verify_with_heads};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Routine(u64),
    Critical(u64),
    Flush,
    Pass(u64),
    MoveClock(i64),
    CloseAndOpen,
    /// The process is killed, and the cache stays.
    KillAndOpen,
    /// The power goes some operations from here, and what is left is as the seed says.
    PowerCut(u64, u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => any::<u64>().prop_map(Step::Routine),
        2 => any::<u64>().prop_map(Step::Critical),
        1 => Just(Step::Flush),
        1 => (0..100_u64).prop_map(Step::Pass),
        1 => (-40..40_i64).prop_map(Step::MoveClock),
        1 => Just(Step::CloseAndOpen),
        1 => Just(Step::KillAndOpen),
        1 => (0..12_u64, any::<u64>()).prop_map(|(at, seed)| Step::PowerCut(at, seed)),
    ]
}

fn flush_mode() -> impl Strategy<Value = FlushMode> {
    prop_oneof![
        Just(FlushMode::Immediate),
        (1..6_u32).prop_map(|size| FlushMode::Batched { size, interval_secs: 30 }),
        (1..6_u32).prop_map(|batch_size| FlushMode::Hybrid {
            batch_size,
            batch_interval_secs: 30,
            critical_immediate: true,
        }),
    ]
}

fn rotation() -> impl Strategy<Value = RotationPolicy> {
    prop_oneof![
        Just(RotationPolicy::Daily),
        (1..9_000_u64).prop_map(|bytes_max| RotationPolicy::SizeLimit { bytes_max }),
        (1..9_000_u64).prop_map(|bytes_max| RotationPolicy::Both { bytes_max }),
    ]
}

struct Run {
    disk: SimDisk,
    clock: SimClock,
    rotation: RotationPolicy,
    flush: FlushMode,
    /// Records that have to be in the log from now on.
    promised: Vec<Receipt>,
}

impl Run {
    fn open(&mut self) -> SimWriter {
        let writer = open(&self.disk, &self.clock, self.rotation, self.flush).unwrap();
        self.promised.extend(writer.durable());
        writer
    }

    fn write(&mut self, writer: &mut SimWriter, number: u64, is_critical: bool) {
        let event = if is_critical { critical(number) } else { routine(number) };
        if let Ok(receipt) = writer.write_event(&event) {
            let is_promised = match self.flush {
                FlushMode::Immediate => true,
                FlushMode::Hybrid { .. } => is_critical,
                FlushMode::Batched { .. } => false,
            };
            self.promised.extend(Some(receipt).filter(|_| is_promised));
        }
        self.promised.extend(writer.durable());
    }

    /// The log as the next writer finds it.
    fn restart(&mut self, writer: SimWriter, found: SimDisk) -> SimWriter {
        drop(writer);
        self.disk = found;
        self.open()
    }

    fn take(&mut self, mut writer: SimWriter, step: &Step) -> SimWriter {
        match *step {
            Step::Routine(number) => self.write(&mut writer, number, false),
            Step::Critical(number) => self.write(&mut writer, number, true),
            Step::Flush => {
                if writer.flush().is_ok() {
                    self.promised.extend(writer.head());
                }
            }
            Step::Pass(seconds) => {
                self.clock.pass(Duration::from_secs(seconds));
                drop(writer.flush_if_due());
            }
            Step::MoveClock(hours) => self.clock.step(TimeDelta::hours(hours)),
            Step::CloseAndOpen => {
                self.promised.extend(writer.close().ok().flatten());
                self.disk.crash_at(u64::MAX);
                return self.open();
            }
            Step::KillAndOpen => {
                self.disk.crash_at(0);
                drop(writer);
                self.disk.crash_at(u64::MAX);
                return self.open();
            }
            Step::PowerCut(operations, seed) => {
                self.disk.crash_at(self.disk.operations().saturating_add(operations));
                for number in 0..6 {
                    self.write(&mut writer, number, false);
                }
                self.disk.crash_at(0);
                let found = self.disk.after_crash(|operation| operation.fate(seed));
                return self.restart(writer, found);
            }
        }
        writer
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn any_life_of_a_log_is_one_chain_that_holds_what_was_promised(
        flush in flush_mode(),
        rotation in rotation(),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let clock = clock_at("2026-01-02T12:00:00Z");
        let disk = SimDisk::default();
        let mut run = Run { disk, clock, rotation, flush, promised: Vec::new() };
        let mut writer = run.open();
        for step in &steps {
            writer = run.take(writer, step);
        }
        run.promised.extend(writer.write_event(&routine(0)).ok());
        run.promised.extend(writer.close().unwrap());
        let report = verify_with_heads(run.disk.files(), &run.promised);
        prop_assert_eq!(report.verdict, Verdict::Intact, "{}", report);
    }
}

//! A workload that is played on a disk, and what was promised at each moment of it.

use std::time::Duration;

use audit_core::lifecycle::LossReason;
use audit_core::{Digest, FlushMode, Receipt};
use audit_writer::segment::SegmentName;
use audit_writer::store::Moment;
use audit_writer::{Clock, Loss, SignError, SimClock, SimDisk, WriteError};
use chrono::TimeDelta;

use crate::common::{SimWriter, clock_at, open, service};
use crate::signed::{self, Beside};
use crate::workload::{Step, Weight, Workload, event};

const BLOCK_BYTES: u64 = 512;

/// A log as a life of it begins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Base {
    pub(crate) disk: SimDisk,
    /// The hash of every record, by seq.
    pub(crate) chain: Vec<Digest>,
    /// The seqs of those that a caller's events have.
    pub(crate) events: Vec<u64>,
    /// How many losses are declared at least in front of a record, by its seq.
    pub(crate) declared: Vec<(u64, u64)>,
    /// Losses that were counted.
    pub(crate) counted: u64,
    /// The newest record that has to be there.
    pub(crate) promised: Option<Receipt>,
    /// How many lives there were before.
    pub(crate) lives: u64,
    /// The checkpoints that were ever beside the log.
    pub(crate) notes: Vec<Beside>,
    /// How often its key was changed.
    pub(crate) key: u8,
}

/// A record for which the call returned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Accepted {
    pub(crate) receipt: Receipt,
    pub(crate) weight: Weight,
    /// The operations that there were when the call returned.
    operations: u64,
    at: Duration,
}

/// A workload that was played.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) workload: Workload,
    pub(crate) base: Base,
    pub(crate) moments: Vec<Moment>,
    pub(crate) trace: Vec<String>,
    pub(crate) chain: Vec<Digest>,
    events: Vec<u64>,
    declared: Vec<(u64, u64)>,
    /// Losses that were counted, whether or not the log came to say so.
    pub(crate) counted: u64,
    accepted: Vec<Accepted>,
    /// The newest record that is durable by the writer's word, and since which operation.
    promises: Vec<(u64, Receipt)>,
    /// Monotonic time, and since which operation.
    times: Vec<(u64, Duration)>,
    /// Whether the disk was ever full.
    pub(crate) was_full: bool,
    /// The checkpoints that were ever beside the log.
    notes: Vec<Beside>,
    /// How often its key was changed at least, and since which operation.
    keys: Vec<(u64, u8)>,
}

/// A workload that is being played.
struct Player {
    disk: SimDisk,
    clock: SimClock,
    writer: Option<SimWriter>,
    number: u64,
    is_full: bool,
    /// Losses that the writer has counted and that no record is known to stand behind.
    undeclared: u64,
    run: Run,
}

impl Run {
    /// Plays a workload to its end. The writer is not closed: the power goes.
    ///
    /// # Errors
    ///
    /// What the writer refused though nothing was wrong.
    pub(crate) fn of(workload: &Workload, base: &Base) -> Result<Self, String> {
        let clock = clock_at("2026-01-02T22:04:05Z");
        clock.step(TimeDelta::hours(base.lives as i64));
        let disk = base.disk.after_crash(|_| audit_writer::store::Fate::Kept);
        disk.remember();
        let run = Self {
            workload: workload.clone(),
            base: base.clone(),
            moments: Vec::new(),
            trace: Vec::new(),
            chain: base.chain.clone(),
            events: base.events.clone(),
            declared: base.declared.clone(),
            counted: base.counted,
            accepted: Vec::new(),
            promises: base.promised.map(|receipt| (0, receipt)).into_iter().collect(),
            times: vec![(0, clock.monotonic())],
            was_full: false,
            notes: base.notes.clone(),
            keys: vec![(0, base.key)],
        };
        let number = base.lives * 1_000;
        let (is_full, undeclared) = (false, 0);
        let mut player = Player { disk, clock, writer: None, number, is_full, undeclared, run };
        player.open()?;
        for step in &workload.steps {
            player.take(*step)?;
        }
        player.end()
    }

    /// The newest record that has to be there when the power goes at an operation.
    pub(crate) fn promised_at(&self, operation: u64) -> Option<Receipt> {
        let made = self.promises.iter().rev().find(|(since, _)| *since <= operation);
        made.map(|(_, receipt)| *receipt)
    }

    /// The checkpoints that were beside the log when the power went at an operation, or before.
    pub(crate) fn notes_at(&self, operation: u64) -> impl Iterator<Item = &Beside> {
        self.notes.iter().filter(move |note| note.since <= operation)
    }

    /// How often the key was changed at least when the power went at an operation.
    pub(crate) fn key_at(&self, operation: u64) -> u8 {
        let changed = self.keys.iter().rev().find(|(since, _)| *since <= operation);
        changed.map_or(0, |(_, key)| *key)
    }

    /// How many events are in the log up to a record.
    pub(crate) fn events_up_to(&self, seq: u64) -> u64 {
        self.events.partition_point(|&event| event <= seq) as u64
    }

    /// How many losses a log that ends with a record declares at least.
    pub(crate) fn declared_up_to(&self, seq: u64) -> u64 {
        let before = self.declared.iter().rev().find(|(behind, _)| *behind <= seq);
        before.map_or(0, |(_, losses)| *losses)
    }

    /// Records that were accepted before the power went at an operation, and are not in a log that
    /// ends with `head`; and how long each had waited.
    pub(crate) fn lost_at(
        &self,
        operation: u64,
        head: Option<u64>,
    ) -> impl Iterator<Item = (Accepted, Duration)> {
        let time = self.times.iter().rev().find(|(since, _)| *since <= operation);
        let now = time.map_or(Duration::ZERO, |(_, now)| *now);
        let lost =
            self.accepted.iter().rev().filter(move |accepted| accepted.operations <= operation);
        let lost = lost.take_while(move |accepted| Some(accepted.receipt.seq) > head);
        lost.map(move |accepted| (*accepted, now.saturating_sub(accepted.at)))
    }

    /// The log as the next life of it begins, on a disk that was found with this head.
    pub(crate) fn base_after(&self, operation: u64, disk: &SimDisk, head: Option<u64>) -> Base {
        let records = head.map_or(0, |seq| seq as usize + 1);
        let promised = head.map(|seq| Receipt { seq, hash: self.chain[seq as usize] });
        let events = self.events.iter().copied().take_while(|&seq| Some(seq) <= head).collect();
        let declared =
            self.declared.iter().copied().filter(|&(seq, _)| Some(seq) <= head).collect();
        let (chain, counted) = (self.chain[..records].to_vec(), self.counted);
        let (disk, lives) = (disk.clone(), self.base.lives + 1);
        let notes = self.notes_at(operation).map(|note| note.before(operation)).collect();
        let key = self.key_at(operation);
        Base { disk, chain, events, declared, counted, promised, lives, notes, key }
    }
}

impl Player {
    fn open(&mut self) -> Result<(), String> {
        let Workload { rotation, flush, .. } = self.run.workload;
        let opened = open(&self.disk, &self.clock, rotation, flush);
        let mut writer = opened.map_err(|error| format!("the log does not open: {error}"))?;
        if self.run.workload.signs {
            let key = signed::begin(&mut writer, self.key())?;
            self.changed_to(key);
        }
        let head = writer.head().map(|head| head.seq);
        // An event of which not all was written when the process ended has no place any more.
        self.run.events.retain(|&seq| Some(seq) <= head);
        self.run.declared.retain(|&(seq, _)| Some(seq) <= head);
        self.undeclared = 0;
        if let Some(lost) = self.run.accepted.iter().find(|held| Some(held.receipt.seq) > head) {
            return Err(format!("{} went with the process that wrote it", lost.receipt));
        }
        if writer.durable() != writer.head() {
            return Err("what was found at opening is not called durable".to_owned());
        }
        self.promise(writer.durable());
        self.writer = Some(writer);
        Ok(())
    }

    /// How often the key was changed.
    fn key(&self) -> u8 {
        self.run.key_at(u64::MAX)
    }

    fn changed_to(&mut self, key: u8) {
        self.run.keys.push((self.disk.operations(), key));
    }

    fn promise(&mut self, receipt: Option<Receipt>) {
        let newest = self.run.promises.last().map(|(_, receipt)| receipt.seq);
        if let Some(receipt) = receipt.filter(|receipt| Some(receipt.seq) > newest) {
            self.run.promises.push((self.disk.operations(), receipt));
        }
    }

    /// Notes that what was lost until now stands in front of a record.
    fn declare(&mut self, receipt: Option<Receipt>) {
        let before = self.run.declared.last().map_or(0, |(_, losses)| *losses);
        let losses = before + std::mem::take(&mut self.undeclared);
        self.run.declared.extend(receipt.map(|receipt| (receipt.seq, losses)));
    }

    fn writer(&mut self) -> &mut SimWriter {
        self.writer.as_mut().expect("it is open between steps")
    }

    fn take(&mut self, step: Step) -> Result<(), String> {
        match step {
            Step::Write(weight, bytes) => self.write(weight, bytes)?,
            Step::Lose => {
                let loss = Loss { reason: LossReason::Refused, critical: false, sha256: None };
                let counted = self.writer().record_loss(service(), loss);
                counted.map_err(|error| format!("a loss is not counted: {error}"))?;
                self.run.counted += 1;
                self.undeclared += 1;
            }
            Step::Flush => {
                let flushed = self.writer().flush();
                let head = self.writer().head();
                if self.judge(flushed)?.is_some() {
                    self.promise(head);
                }
            }
            Step::Pass(time) => self.pass(time)?,
            Step::MoveClock(hours) => self.clock.step(TimeDelta::hours(hours)),
            Step::Reopen => {
                let closed = self.writer.take().expect("it is open").close();
                if let Some(head) = self.judge(closed)? {
                    self.declare(head);
                    self.promise(head);
                }
                self.open()?;
            }
            Step::Kill => {
                self.disk.crash_at(0);
                self.writer = None;
                self.disk.crash_at(u64::MAX);
                self.open()?;
            }
            Step::Fill(blocks) => {
                self.disk.leave_blocks((blocks + 1) * BLOCK_BYTES);
                (self.is_full, self.run.was_full) = (true, true);
            }
            Step::Choke(bytes) => {
                self.disk.leave_writable_blocks(bytes);
                (self.is_full, self.run.was_full) = (true, true);
            }
            Step::Free => {
                self.disk.limit(None);
                self.is_full = false;
            }
            Step::Checkpoint => {
                let signed = self.writer().checkpoint().map(drop);
                self.judge_signed(signed)?;
            }
            Step::ChangeKey if self.is_full => {}
            Step::ChangeKey => {
                let next = self.key() + 1;
                let signed = self.writer().change_key(signed::key(next));
                let is_changed = signed.is_ok();
                self.judge_signed(signed.map(drop))?;
                if is_changed {
                    self.changed_to(next);
                }
            }
        }
        Ok(())
    }

    /// What was done, or that it could not be done on a full disk.
    fn judge<T>(&self, done: Result<T, WriteError>) -> Result<Option<T>, String> {
        match done {
            Ok(done) => Ok(Some(done)),
            Err(WriteError::Io { .. } | WriteError::Unfinished { .. }) if self.is_full => Ok(None),
            Err(error) => Err(format!("refused without a cause: {error}")),
        }
    }

    /// Nothing is signed where there is no record, or no space.
    fn judge_signed(&mut self, signed: Result<(), SignError>) -> Result<(), String> {
        match signed {
            Ok(()) | Err(SignError::Empty) => {}
            Err(SignError::Keep(_)) if self.is_full => {}
            Err(SignError::Write(error)) => self.judge(Err::<(), _>(error)).map(drop)?,
            Err(error) => return Err(format!("not signed without a cause: {error}")),
        }
        let durable = self.writer().durable();
        self.promise(durable);
        Ok(())
    }

    fn write(&mut self, weight: Weight, bytes: usize) -> Result<(), String> {
        let event = event(self.number, weight, bytes);
        self.number += 1;
        let written = self.writer().write_event(&event);
        if let Ok(receipt) | Err(WriteError::Unfinished { receipt, .. }) = written {
            self.run.events.push(receipt.seq);
            self.declare(Some(receipt));
        }
        let receipt = self.judge(written)?;
        if let Some(receipt) = receipt {
            let (operations, at) = (self.disk.operations(), self.clock.monotonic());
            self.run.accepted.push(Accepted { receipt, weight, operations, at });
        }
        let flush = self.run.workload.flush;
        self.promise(receipt.filter(|_| is_promised(flush, weight)));
        let durable = self.writer().durable();
        self.promise(durable);
        Ok(())
    }

    /// The writer has no thread: it says when it wants to be called, and is.
    fn pass(&mut self, time: Duration) -> Result<(), String> {
        let mut left = time;
        loop {
            let due = self.writer().flush_if_due();
            let wait = self.judge(due)?.flatten().unwrap_or(left).min(left);
            if wait.is_zero() {
                return Err("a sync is due, and is not begun when asked for".to_owned());
            }
            let durable = self.writer().durable();
            self.promise(durable);
            self.clock.pass(wait);
            self.run.times.push((self.disk.operations(), self.clock.monotonic()));
            left -= wait;
            if left.is_zero() {
                let due = self.writer().flush_if_due();
                self.judge(due)?;
                let signed = self.writer().checkpoint_if_due().map(drop);
                return self.judge_signed(signed);
            }
        }
    }

    fn end(mut self) -> Result<Run, String> {
        self.run.moments = self.disk.moments();
        self.run.trace = self.disk.trace();
        let signs = self.run.workload.signs;
        for moment in self.run.moments.iter().filter(|_| signs) {
            signed::see(&mut self.run.notes, moment)?;
        }
        self.disk.crash_at(0);
        drop(self.writer);
        let written = self.disk.files().into_iter();
        let older = self.run.base.disk.files();
        let segments = written
            .filter(|(name, _)| SegmentName::parse(name).is_some() && !older.contains_key(name));
        for (_, bytes) in segments {
            for (seq, hash) in records(&bytes) {
                self.run.chain.truncate(seq as usize);
                if self.run.chain.len() as u64 != seq {
                    return Err(format!("record {seq} follows {} others", self.run.chain.len()));
                }
                self.run.chain.push(hash);
            }
        }
        for Accepted { receipt, .. } in &self.run.accepted {
            if self.run.chain.get(receipt.seq as usize) != Some(&receipt.hash) {
                return Err(format!("{receipt} was accepted and never written"));
            }
        }
        Ok(self.run)
    }
}

/// Whether the mode says that a record is durable when the call returns.
fn is_promised(flush: FlushMode, weight: Weight) -> bool {
    match flush {
        FlushMode::Immediate => true,
        FlushMode::Hybrid { critical_immediate, .. } => {
            critical_immediate && weight == Weight::Critical
        }
        FlushMode::Batched { .. } => false,
    }
}

/// The seq and hash of each whole line of a segment that the writer made.
fn records(segment: &[u8]) -> impl Iterator<Item = (u64, Digest)> {
    let lines = segment.split_inclusive(|&byte| byte == b'\n');
    lines.filter_map(|line| {
        let line = line.strip_suffix(b"\"}\n")?;
        let hash = Digest::from_hex(line.get(line.len().checked_sub(64)?..)?)?;
        let seq = line.strip_prefix(br#"{"v":1,"seq":"#)?.split(|&byte| byte == b',').next()?;
        Some((std::str::from_utf8(seq).ok()?.parse().ok()?, hash))
    })
}

//! What is done to a log, drawn from a seed.

use std::time::Duration;

use audit_core::{AuditEvent, AuditEventEnvelope, EventTime, FlushMode, RotationPolicy};
use chrono::DateTime;

use crate::common::service;
use audit_testkit::dice::Dice;

/// Neither count nor interval makes this one sync: only rotating, closing and opening do.
const LAZY: FlushMode = FlushMode::Batched { size: u32::MAX, interval_secs: u32::MAX };

/// Nineteen of these are more than may be unsynced.
const HEAVY: Step = Step::Write(Weight::Routine, 60_000);

/// The life of a log, from its opening to the power cut.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub(crate) flush: FlushMode,
    pub(crate) rotation: RotationPolicy,
    pub(crate) steps: Vec<Step>,
    /// Whether it is opened with a key.
    pub(crate) signs: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Write(Weight, usize),
    /// An event is refused, and counted as lost.
    Lose,
    Flush,
    /// Time passes, and who owns the writer calls `flush_if_due` as it asks for.
    Pass(Duration),
    /// The time of day is set, by hours.
    MoveClock(i64),
    Reopen,
    /// The process is killed, what it wrote stays in the cache, and another one opens the log.
    Kill,
    /// The disk has room for a block, or what is left of it, and so many blocks more.
    Fill(u64),
    /// The disk takes so many bytes more, whatever was allocated, and ends a line where a block does.
    Choke(u64),
    /// The disk has room again.
    Free,
    /// A checkpoint is signed.
    Checkpoint,
    /// The log goes on with the next key, unless the disk is full.
    ChangeKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    Routine,
    Critical,
}

impl Workload {
    /// Most are short, so that many can be played; one in sixteen has batches of a hundred, and a few
    /// come to the bytes that may be unsynced.
    pub(crate) fn drawn(seed: u64) -> Self {
        let dice = &mut Dice::new(seed);
        match dice.between(1, 512) {
            1 => Self::heavy(dice),
            ..=33 => Self::wide(dice),
            _ => Self::small(dice, 16),
        }
    }

    /// A short life.
    pub(crate) fn short(dice: &mut Dice) -> Self {
        Self::small(dice, 16)
    }

    /// What a writer does that has just recovered a log.
    pub(crate) fn recovery(dice: &mut Dice) -> Self {
        Self::small(dice, 4)
    }

    /// A short life of a log that is signed: at rotations and at its end, at the interval, and on
    /// demand.
    pub(crate) fn signing(dice: &mut Dice) -> Self {
        let mut workload = Self::small(dice, 12);
        for step in &mut workload.steps {
            match dice.index(16) {
                0 => *step = Step::ChangeKey,
                1..=4 => *step = Step::Checkpoint,
                _ => {}
            }
        }
        Self { signs: true, ..workload }
    }

    /// Whether playing it takes so long that not all of its crashes are.
    pub(crate) fn is_long(&self) -> bool {
        self.steps.len() > 100 || self.is_heavy()
    }

    /// Whether a MiB and more may wait together, if nothing but the flush mode is asked.
    pub(crate) fn is_heavy(&self) -> bool {
        self.steps.contains(&HEAVY)
    }

    fn small(dice: &mut Dice, steps_max: u64) -> Self {
        let events = dice.between(1, 10) as u32;
        let secs = dice.between(1, 30) as u32;
        let flush = match dice.index(8) {
            0 | 1 => FlushMode::Immediate,
            2 | 3 => FlushMode::Batched { size: events, interval_secs: secs },
            4 => LAZY,
            kind => FlushMode::Hybrid {
                batch_size: events,
                batch_interval_secs: secs,
                critical_immediate: kind != 5,
            },
        };
        let bytes_max = dice.between(1, 5_000);
        let rotation = match dice.index(4) {
            0 => RotationPolicy::Daily,
            1 => RotationPolicy::Both { bytes_max },
            _ => RotationPolicy::SizeLimit { bytes_max },
        };
        let count = dice.between(1, steps_max);
        let steps = (0..count).map(|_| Step::drawn(dice)).collect();
        Self { flush, rotation, steps, signs: false }
    }

    fn heavy(dice: &mut Dice) -> Self {
        let steps = vec![HEAVY; dice.between(19, 24) as usize];
        Self { flush: LAZY, rotation: RotationPolicy::Daily, steps, signs: false }
    }

    fn wide(dice: &mut Dice) -> Self {
        let flush = if dice.once_in(2) {
            FlushMode::default()
        } else {
            FlushMode::Batched { size: 100, interval_secs: 5 }
        };
        let count = dice.between(101, 220);
        let step = |dice: &mut Dice| match dice.index(100) {
            0 => Step::Write(Weight::Critical, 0),
            1 => Step::Pass(Duration::from_millis(dice.between(1, 400))),
            _ => Step::Write(Weight::Routine, 0),
        };
        let steps = (0..count).map(|_| step(dice)).collect();
        let rotation = RotationPolicy::SizeLimit { bytes_max: 60_000 };
        Self { flush, rotation, steps, signs: false }
    }
}

impl Step {
    fn drawn(dice: &mut Dice) -> Self {
        match dice.index(25) {
            0 => Self::Lose,
            1 => Self::Flush,
            2 => Self::Pass(Duration::from_millis(dice.between(1, 40_000))),
            3 => Self::Pass(Duration::from_hours(24)),
            4 => Self::MoveClock(dice.between(0, 80) as i64 - 40),
            5 => Self::Reopen,
            6 => Self::Kill,
            7 if dice.once_in(2) => Self::Fill(dice.between(0, 3)),
            7 | 8 if dice.once_in(2) => Self::Choke(dice.between(0, 2_500)),
            7 | 8 => Self::Free,
            9..=12 => Self::Write(Weight::Critical, bytes(dice)),
            _ => Self::Write(Weight::Routine, bytes(dice)),
        }
    }
}

/// Mostly short, now and then longer than a block, rarely longer than a page.
fn bytes(dice: &mut Dice) -> usize {
    let most = match dice.index(24) {
        0 => 5_000,
        1..=4 => 900,
        _ => 30,
    };
    dice.between(0, most) as usize
}

/// An event that tells its number, and has so many bytes more.
pub(crate) fn event(number: u64, weight: Weight, bytes: usize) -> AuditEventEnvelope<'static> {
    let text = format!("{number}-{:x<bytes$}", "");
    let timestamp = EventTime::from(DateTime::UNIX_EPOCH);
    let event = match weight {
        Weight::Routine => AuditEvent::SealVerified {
            timestamp,
            shard_id: text.into(),
            worker_id: "worker-1".into(),
        },
        Weight::Critical => AuditEvent::InvalidTokenUsed {
            timestamp,
            ip: "192.0.2.7".into(),
            token_prefix: text.into(),
            endpoint: "/accounts".into(),
        },
    };
    AuditEventEnvelope::new(service(), event)
}

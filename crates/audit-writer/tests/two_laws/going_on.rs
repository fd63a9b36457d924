//! What the product's writer does with a log that somebody may have touched.

use std::time::Duration;

use audit_checkpoint::SigningKey;
use audit_core::{FlushMode, Keyless, OnDamage, RetentionPolicy, RotationPolicy};
use audit_testkit::dice::Dice;
use audit_writer::{AuditFileWriter, ClockTrust, OpenError, Signing, SimDisk};

use crate::builder::Files;
use crate::common::{SimWriter, clock_at, critical, routine};
use crate::past::{Past, key_called};

/// With which word a log is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Key,
    /// Without the key, and nothing is said of that.
    Nothing,
    /// An operator says that it goes on without its key.
    Unsigned,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Routine,
    Critical,
    Flush,
    Checkpoint,
    ChangeKey,
    NextDay,
    /// What is older than so many days is deleted.
    Prune(u32, ClockTrust),
}

/// What a writer does.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    pub(crate) word: Word,
    pub(crate) on_damage: OnDamage,
    flush: FlushMode,
    pub(crate) acts: Vec<Act>,
    is_closed: bool,
    /// Whether the log was copied before.
    is_copy: bool,
}

/// What became of a log.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// It was not opened, and nothing was changed; why.
    Refused(String),
    /// It was not opened, and changed all the same; why.
    Spoiled(String),
    /// It was opened, and nothing was changed.
    Idle,
    WentOn(Files),
}

impl Course {
    pub(crate) fn drawn(dice: &mut Dice, signs: bool) -> Self {
        let word = match dice.index(8) {
            0 if signs => Word::Nothing,
            1 if signs => Word::Unsigned,
            0 => Word::Key,
            _ if signs => Word::Key,
            _ => Word::Nothing,
        };
        let on_damage =
            if dice.once_in(6) { OnDamage::ContinueInNewSegment } else { OnDamage::Refuse };
        let flush = match dice.index(3) {
            0 => FlushMode::Batched { size: 3, interval_secs: 3_600 },
            1 => FlushMode::default(),
            _ => FlushMode::Immediate,
        };
        let acts = (0..dice.between(0, 5)).map(|_| Act::drawn(dice)).collect();
        let (is_closed, is_copy) = (!dice.once_in(4), dice.once_in(4));
        Self { word, on_damage, flush, acts, is_closed, is_copy }
    }

    pub(crate) fn prunes(&self) -> bool {
        self.acts.iter().any(|act| matches!(act, Act::Prune(..)))
    }

    /// Lets a writer go on with these files. A writer that cannot do one thing does the next.
    pub(crate) fn take(&self, past: &Past, files: &Files) -> Outcome {
        let disk = SimDisk::with_files(files.clone());
        let disk = if self.is_copy { disk.copied() } else { disk };
        let opened = self.go_on(&disk, past);
        let now = disk.files();
        match (opened, now == *files) {
            (Err(error), true) => Outcome::Refused(error.to_string()),
            (Err(error), false) => Outcome::Spoiled(error.to_string()),
            (Ok(()), true) => Outcome::Idle,
            (Ok(()), false) => Outcome::WentOn(now),
        }
    }

    fn go_on(&self, disk: &SimDisk, past: &Past) -> Result<(), OpenError> {
        let clock = clock_at("2026-03-01T12:00:00Z");
        let seed = past.seed.unwrap_or(7);
        let (key, next) = (key_called(past.origin, seed), || key_called(past.origin, seed + 1));
        let (store, daily) = (disk.store(), RotationPolicy::Daily);
        let mut log =
            AuditFileWriter::with(store, clock.clone(), daily, self.flush, self.on_damage)?;
        match self.word {
            Word::Key => log.sign(Signing::new(key))?,
            Word::Nothing => {}
            Word::Unsigned => log.go_without_key(Keyless::Unsigned),
        }
        for act in &self.acts {
            if *act == Act::NextDay {
                clock.pass(Duration::from_hours(24));
            }
            act.take(&mut log, next);
        }
        if self.is_closed {
            log.close().map(drop).unwrap_or_default();
        } else {
            disk.crash_at(0);
            drop(log);
            disk.crash_at(u64::MAX);
        }
        Ok(())
    }
}

impl Act {
    fn drawn(dice: &mut Dice) -> Self {
        match dice.index(12) {
            0..=3 => Self::Routine,
            4 | 5 => Self::Critical,
            6 => Self::Flush,
            7 | 8 => Self::Checkpoint,
            9 if dice.once_in(3) => Self::ChangeKey,
            9 => Self::NextDay,
            _ => {
                let days = [1, 25, 58, 90][dice.index(4)];
                let trust = [ClockTrust::Capped, ClockTrust::Whole][dice.index(2)];
                Self::Prune(days, trust)
            }
        }
    }

    /// What cannot be done is not.
    fn take(self, log: &mut SimWriter, next_key: impl FnOnce() -> SigningKey) {
        match self {
            Self::Routine => drop(log.write_event(&routine(1_000))),
            Self::Critical => drop(log.write_event(&critical(1_000))),
            Self::Flush => drop(log.flush()),
            Self::Checkpoint => drop(log.checkpoint()),
            Self::ChangeKey => drop(log.change_key(next_key())),
            Self::NextDay => {}
            Self::Prune(days, trust) => {
                let retention = RetentionPolicy {
                    min_retention_days: 1,
                    archive_after_days: 0,
                    delete_after_days: days,
                };
                drop(log.prune(retention, trust));
            }
        }
    }
}

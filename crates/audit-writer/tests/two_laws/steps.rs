//! A life of a log in which a writer takes each step that has an order: what it does is declared, made
//! durable, signed and done, one after another, and the power can go between any two of these.

use audit_core::{OnDamage, Receipt, RetentionPolicy};
use audit_writer::store::Failure;
use audit_writer::{ClockTrust, Signing, SimDisk};

use crate::builder::{Files, is_whole, lines_of};
use crate::common::{SimWriter, routine};
use crate::oracle::segments;
use crate::past::{BATCH, DAY, Life, Past, key};

/// The first key of the log.
const SEED: u8 = 120;

const WITHOUT_KEY: &str = "going on without the key";
const TAKING_OVER: &str = "taking over what was written without the key";

/// The disk at one operation of the writer, and what was known of the log by then.
#[derive(Debug)]
pub(crate) struct Moment {
    /// What the writer was about.
    step: &'static str,
    disk: SimDisk,
    /// Everything that there ever was.
    seen: Files,
    durable: Option<Receipt>,
}

impl Moment {
    /// The log as it is found where the power goes now; what becomes of each operation that is not
    /// synced comes from a seed.
    pub(crate) fn cut(&self, fate: u64) -> Past {
        let mut life = Life::new(BATCH);
        life.disk = self.disk.after_crash(|unsynced| unsynced.fate(fate));
        life.seen.clone_from(&self.seen);
        let seed = if is_changed(&life.disk.files()) { SEED + 1 } else { SEED };
        let mut past = life.past(self.step, Some(seed), Some(SEED));
        past.is_vouched = ![WITHOUT_KEY, TAKING_OVER].contains(&self.step);
        past.levels[2].heads = self.durable.into_iter().collect();
        past
    }
}

/// Whether a log went over to its second key.
fn is_changed(files: &Files) -> bool {
    let is_change =
        |line: &Vec<u8>| is_whole(line) && memchr::memmem::find(line, b"\"key_changed\"").is_some();
    segments(files).flat_map(|(_, bytes)| lines_of(bytes)).any(|line| is_change(&line))
}

/// Each operation of the life.
pub(crate) fn moments() -> Vec<Moment> {
    let mut life = Life::new(BATCH);
    life.disk.remember();
    let disk = life.disk.clone();
    let mut steps = Steps { disk: disk.clone(), begun: Vec::new() };
    steps.take_signed(&mut life);
    steps.take_unsigned(&mut life);
    let mut seen = Files::new();
    let moments = disk.moments().into_iter().map(|now| {
        seen.extend(now.disk.files());
        let begun = steps.begun.iter().rfind(|begun| begun.at <= now.operation).unwrap();
        Moment { step: begun.step, disk: now.disk, seen: seen.clone(), durable: begun.durable }
    });
    moments.collect()
}

struct Steps {
    disk: SimDisk,
    begun: Vec<Begun>,
}

struct Begun {
    /// The operation before which it begins.
    at: u64,
    step: &'static str,
    /// The newest record that is durable by then.
    durable: Option<Receipt>,
}

impl Steps {
    fn begin(&mut self, step: &'static str, log: Option<&SimWriter>) {
        let before = self.begun.last().and_then(|begun| begun.durable);
        let durable = log.and_then(SimWriter::durable).or(before);
        self.begun.push(Begun { at: self.disk.operations(), step, durable });
    }

    fn take_signed(&mut self, life: &mut Life) {
        self.begin("opening", None);
        let mut log = life.open(Some(SEED));
        record(&mut log, 1);
        self.begin("writing", Some(&log));
        record(&mut log, 4);
        self.begin("finishing a line that was cut", Some(&log));
        self.disk.fail_next(Failure::Short);
        record(&mut log, 4);
        self.begin("signing", Some(&log));
        log.checkpoint().unwrap();
        self.begin("rotating", Some(&log));
        life.clock.pass(DAY);
        record(&mut log, 5);
        life.kill(log);
        let (newest, bytes) = self.newest();
        self.disk.resize(&newest, bytes.len() - 100);
        self.begin("recovering an end without a seal", None);
        let mut log = life.open(Some(SEED));
        record(&mut log, 1);
        self.begin("pruning", Some(&log));
        for _ in 0..6 {
            record(&mut log, 1);
            life.clock.pass(DAY);
        }
        let retention =
            RetentionPolicy { min_retention_days: 1, archive_after_days: 0, delete_after_days: 3 };
        assert!(!log.prune(retention, ClockTrust::Capped).unwrap().files.is_empty());
        self.begin("changing the key", Some(&log));
        log.change_key(key(SEED + 1)).unwrap();
        record(&mut log, 1);
        self.begin("closing", Some(&log));
        log.close().unwrap();
    }

    fn take_unsigned(&mut self, life: &mut Life) {
        self.begin(WITHOUT_KEY, None);
        let mut log = life.unsigned();
        record(&mut log, 3);
        log.close().unwrap();
        self.begin(TAKING_OVER, None);
        let mut log = life.adopt(SEED + 1);
        record(&mut log, 3);
        life.kill(log);
        let (newest, mut bytes) = self.newest();
        let near_the_end = bytes.len() - 900;
        bytes[near_the_end] ^= 1;
        self.disk.replace(&newest, bytes);
        self.begin("going on behind damage", None);
        let mut log = life.bare(OnDamage::ContinueInNewSegment);
        log.sign(Signing::new(key(SEED + 1))).unwrap();
        record(&mut log, 3);
        log.close().unwrap();
    }

    fn newest(&self) -> (String, Vec<u8>) {
        let files = self.disk.files();
        let (name, bytes) = segments(&files).next_back().unwrap();
        (name.clone(), bytes.clone())
    }
}

fn record(log: &mut SimWriter, events: u64) {
    for number in 0..events {
        log.write_event(&routine(number)).unwrap();
    }
}

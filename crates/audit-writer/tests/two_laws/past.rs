//! Logs as the product's own writer left them, and what is known of each.

use std::time::Duration;

use audit_checkpoint::{KeyKind, KeyName, Note, SigningKey};
use audit_core::{Digest, FlushMode, Keyless, OnDamage, Receipt, RetentionPolicy, RotationPolicy};
use audit_testkit::dice::Dice;
use audit_verify::VerifyOptions;
use audit_writer::segment::NEW_SEGMENT;
use audit_writer::{AuditFileWriter, ClockTrust, OpenError, Signing, SimClock, SimDisk};

use crate::builder::{Files, hash_of, is_whole, lines_of};
use crate::common::{SimWriter, clock_at, routine};
use crate::going_on::{Act, Course};
use crate::oracle::{is_note, segments};

const NAME: &str = "audit.example/bank";
pub(crate) const DAY: Duration = Duration::from_hours(24);
pub(crate) const BATCH: FlushMode = FlushMode::Batched { size: 3, interval_secs: 3_600 };

/// What an auditor has: the log alone, its key too, something kept elsewhere too.
pub(crate) type Levels = [VerifyOptions; 3];

/// A log that was not touched yet.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    pub(crate) name: &'static str,
    pub(crate) files: Files,
    /// The hashes of all records that there ever were.
    pub(crate) leaves: Vec<Digest>,
    /// What its keys are called.
    pub(crate) origin: &'static str,
    /// The seed of the key that it goes on with; none has signed it where there is none.
    pub(crate) seed: Option<u8>,
    /// That of its first key, which an auditor has.
    pub(crate) first_seed: Option<u8>,
    /// Whether that key opens it, and no operator has to take anything over.
    pub(crate) is_vouched: bool,
    pub(crate) levels: Levels,
}

impl Past {
    /// Whether retention may delete the record by which the key given to an auditor leads to the one
    /// that the log goes on with: the auditor needs that one then.
    pub(crate) fn is_rekeyed(&self, course: &Course) -> bool {
        let changes = self.seed != self.first_seed || course.acts.contains(&Act::ChangeKey);
        changes && course.prunes()
    }
}

/// The key of this seed.
pub(crate) fn key(seed: u8) -> SigningKey {
    key_called(NAME, seed)
}

pub(crate) fn key_called(name: &str, seed: u8) -> SigningKey {
    SigningKey::from_seed(KeyName::new(name).unwrap(), KeyKind::Ed25519, &[seed; 32]).unwrap()
}

/// A writer's life, and a next one.
pub(crate) struct Life {
    pub(crate) disk: SimDisk,
    pub(crate) clock: SimClock,
    flush: FlushMode,
    /// Everything that there ever was.
    pub(crate) seen: Files,
}

impl Life {
    pub(crate) fn new(flush: FlushMode) -> Self {
        let (disk, clock) = (SimDisk::default(), clock_at("2026-01-01T12:00:00Z"));
        Self { disk, clock, flush, seen: Files::new() }
    }

    pub(crate) fn bare(&self, on_damage: OnDamage) -> SimWriter {
        let (store, clock) = (self.disk.store(), self.clock.clone());
        AuditFileWriter::with(store, clock, RotationPolicy::Daily, self.flush, on_damage).unwrap()
    }

    pub(crate) fn open(&self, seed: Option<u8>) -> SimWriter {
        let mut log = self.bare(OnDamage::Refuse);
        if let Some(seed) = seed {
            log.sign(Signing::new(key(seed))).unwrap();
        }
        log
    }

    /// Opens it with a key that takes over what nothing vouches for.
    pub(crate) fn adopt(&self, seed: u8) -> SimWriter {
        let asked = self.bare(OnDamage::Refuse).sign(Signing::new(key(seed)));
        let Err(OpenError::Unvouched(unvouched)) = asked else { panic!("{asked:?}") };
        let mut log = self.bare(OnDamage::Refuse);
        log.sign(Signing::new(key(seed)).adopt(unvouched.head)).unwrap();
        log
    }

    pub(crate) fn unsigned(&self) -> SimWriter {
        let mut log = self.bare(OnDamage::Refuse);
        log.go_without_key(Keyless::Unsigned);
        log
    }

    /// So many events, and then it is midnight.
    fn day(&mut self, log: &mut SimWriter, events: u64) {
        for number in 0..events {
            log.write_event(&routine(number)).unwrap();
        }
        self.clock.pass(DAY);
        self.see();
    }

    fn see(&mut self) {
        self.seen.extend(self.disk.files());
    }

    fn close(&mut self, log: SimWriter) {
        log.close().unwrap();
        self.see();
    }

    pub(crate) fn kill(&mut self, log: SimWriter) {
        self.disk.crash_at(0);
        drop(log);
        self.disk.crash_at(u64::MAX);
        self.see();
    }

    /// The power goes, and of what was not synced so many bytes are left.
    fn cut(&mut self, log: SimWriter, bytes: usize) {
        self.kill(log);
        let files = self.disk.files();
        let (name, newest) = segments(&files).next_back().unwrap();
        let kept = newest.len() - bytes;
        self.disk = SimDisk::with_files(files.clone());
        self.disk.resize(name, kept);
    }

    /// Some days of a writer, until the power goes, and the newest record that was durable by then.
    fn live(&mut self, seed: Option<u8>, dice: &mut Dice) -> Option<Receipt> {
        let mut durable = None;
        for _ in 0..dice.between(1, 3) {
            let (store, clock) = (self.disk.store(), self.clock.clone());
            let (rotation, on_damage) = (RotationPolicy::Daily, OnDamage::Refuse);
            let opened = AuditFileWriter::with(store, clock, rotation, self.flush, on_damage);
            let Ok(mut log) = opened else { break };
            if seed.is_some_and(|seed| log.sign(Signing::new(key(seed))).is_err()) {
                break;
            }
            for number in 0..dice.between(1, 8) {
                drop(log.write_event(&routine(number)));
                match dice.index(8) {
                    0 => drop(log.checkpoint()),
                    1 => drop(log.flush()),
                    2 => self.clock.pass(DAY),
                    _ => {}
                }
                durable = log.durable().or(durable);
                self.see();
            }
            if dice.once_in(2) {
                durable = log.close().ok().flatten().or(durable);
            }
            self.see();
        }
        durable
    }

    pub(crate) fn past(self, name: &'static str, seed: Option<u8>, first: Option<u8>) -> Past {
        let files = self.disk.files();
        let mut union = self.seen;
        union.extend(files.clone());
        let leaves = leaves(&union);
        let last = |hash: &Digest| Receipt { seq: leaves.len() as u64 - 1, hash: *hash };
        let heads = leaves.last().map(last).into_iter().collect();
        let newest = files.iter().rfind(|(name, _)| is_note(name) && !name.ends_with(NEW_SEGMENT));
        let pins = newest.map(|(_, bytes)| Note::parse(bytes).unwrap()).into_iter().collect();
        let keys = first.map(|first| key(first).verifying_key().clone()).into_iter().collect();
        let by_key = VerifyOptions { keys, ..VerifyOptions::default() };
        let kept = VerifyOptions { heads, pins, ..by_key.clone() };
        Past {
            name,
            files,
            leaves,
            origin: NAME,
            seed,
            first_seed: first,
            is_vouched: true,
            levels: [VerifyOptions::default(), by_key, kept],
        }
    }
}

/// A log of which a power cut left what a seed says.
pub(crate) fn crashed(dice: &mut Dice) -> Past {
    let seed = if dice.once_in(3) { None } else { Some(110) };
    let flush = [FlushMode::Immediate, BATCH, FlushMode::default()][dice.index(3)];
    let mut life = Life::new(flush);
    life.disk.crash_at(dice.between(2, 90));
    let durable = life.live(seed, dice);
    let fate = dice.seed();
    life.disk = life.disk.after_crash(|unsynced| unsynced.fate(fate));
    let mut past = life.past("after a power cut", seed, seed);
    past.levels[2].heads = durable.into_iter().collect();
    past
}

/// Where a record stands, as it says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed {
    pub(crate) seq: u64,
    pub(crate) prev: Digest,
    pub(crate) hash: Digest,
}

impl Placed {
    /// `None` for a line that is no record with a right hash.
    pub(crate) fn of(line: &[u8]) -> Option<Self> {
        let hash = hash_of(line).filter(|_| is_whole(line))?;
        let text = str::from_utf8(line).ok()?;
        let (_, seq) = text.split_once("\"seq\":")?;
        let (_, prev) = text.rsplit_once("\"prev_hash\":\"")?;
        let seq = seq.split(',').next()?.parse().ok()?;
        Some(Self { seq, prev: Digest::from_hex(prev.get(..64)?.as_bytes())?, hash })
    }
}

/// The hashes of the records of a log. What a later segment goes on before was left out of it.
pub(crate) fn leaves(files: &Files) -> Vec<Digest> {
    let mut leaves: Vec<Digest> = Vec::new();
    for (_, bytes) in segments(files) {
        let lines = lines_of(bytes);
        let Some(first) = lines.first().and_then(|line| Placed::of(line)) else { continue };
        if leaves.is_empty() {
            // What stood before was pruned.
            leaves.resize(usize::try_from(first.seq).unwrap(), Digest::ZERO);
        }
        leaves.truncate(usize::try_from(first.seq).unwrap());
        for line in lines {
            let last = leaves.last().copied().unwrap_or(Digest::ZERO);
            let is_first = leaves.iter().all(|leaf| *leaf == Digest::ZERO);
            let follows = |placed: &Placed| {
                placed.seq == leaves.len() as u64 && (is_first || placed.prev == last)
            };
            let Some(placed) = Placed::of(&line).filter(follows) else { break };
            leaves.push(placed.hash);
        }
    }
    leaves
}

/// Whether the records up to a seq are all there as they were: a log whose damage was told less of
/// before may be known to be covered once more is told.
pub(crate) fn is_so(past: &Past, files: &Files, seq: u64) -> bool {
    let count = usize::try_from(seq).unwrap() + 1;
    let now = leaves(files);
    let pairs = || now.iter().zip(&past.leaves).take(count);
    pairs().count() == count && pairs().all(|(is, was)| is == was || *is == Digest::ZERO)
}

/// All of them, no two by the same key: with one, the simulated disk would give them the same id,
/// and a segment of one would be one of the other.
pub(crate) fn pasts() -> Vec<Past> {
    vec![
        closed("without a key, closed", None),
        killed("without a key, killed", None, FlushMode::Immediate, 0),
        killed("without a key, a line cut", None, BATCH, 100),
        pruned("without a key, pruned", None),
        closed("signed, closed", Some(10)),
        killed("signed, killed", Some(20), FlushMode::Immediate, 0),
        killed("signed in batches, killed", Some(30), BATCH, 0),
        killed("signed in batches, a line cut", Some(40), BATCH, 100),
        killed("signed in batches, lines cut", Some(50), BATCH, 500),
        reopened(60),
        key_changed(70),
        pruned("signed, pruned", Some(80)),
        adopted(90),
        unsigned_opening(100),
    ]
}

fn closed(name: &'static str, seed: Option<u8>) -> Past {
    let mut life = Life::new(FlushMode::Immediate);
    let mut log = life.open(seed);
    for events in [2, 1, 3] {
        life.day(&mut log, events);
        if seed.is_some() {
            log.checkpoint().unwrap();
        }
    }
    life.close(log);
    life.past(name, seed, seed)
}

/// Two segments, and the last batch of the second is not whole.
fn killed(name: &'static str, seed: Option<u8>, flush: FlushMode, cut: usize) -> Past {
    let mut life = Life::new(flush);
    let mut log = life.open(seed);
    life.day(&mut log, 3);
    for number in 0..6 {
        log.write_event(&routine(number)).unwrap();
    }
    life.cut(log, cut);
    life.past(name, seed, seed)
}

fn reopened(seed: u8) -> Past {
    let mut life = Life::new(BATCH);
    let mut log = life.open(Some(seed));
    life.day(&mut log, 3);
    life.cut(log, 500);
    for _ in 0..2 {
        let mut log = life.open(Some(seed));
        life.day(&mut log, 2);
        life.close(log);
    }
    let mut log = life.open(Some(seed));
    life.day(&mut log, 3);
    life.kill(log);
    life.past("signed, recovered and reopened", Some(seed), Some(seed))
}

fn key_changed(seed: u8) -> Past {
    let mut life = Life::new(FlushMode::Immediate);
    let mut log = life.open(Some(seed));
    life.day(&mut log, 2);
    log.checkpoint().unwrap();
    log.change_key(key(seed + 1)).unwrap();
    life.day(&mut log, 2);
    life.day(&mut log, 2);
    life.kill(log);
    life.past("key changed", Some(seed + 1), Some(seed))
}

fn pruned(name: &'static str, seed: Option<u8>) -> Past {
    let mut life = Life::new(FlushMode::Immediate);
    let mut log = life.open(seed);
    (0..6).for_each(|_| life.day(&mut log, 1));
    let retention =
        RetentionPolicy { min_retention_days: 1, archive_after_days: 0, delete_after_days: 3 };
    if seed.is_some() {
        log.checkpoint().unwrap();
    }
    assert!(!log.prune(retention, ClockTrust::Capped).unwrap().files.is_empty());
    life.day(&mut log, 1);
    life.close(log);
    life.past(name, seed, seed)
}

fn adopted(seed: u8) -> Past {
    let mut life = Life::new(FlushMode::Immediate);
    let mut log = life.open(None);
    life.day(&mut log, 2);
    life.close(log);
    let mut log = life.adopt(seed);
    life.day(&mut log, 2);
    log.checkpoint().unwrap();
    life.kill(log);
    life.past("adopted", Some(seed), Some(seed))
}

fn unsigned_opening(seed: u8) -> Past {
    let mut life = Life::new(FlushMode::Immediate);
    let mut log = life.open(Some(seed));
    life.day(&mut log, 2);
    life.close(log);
    let mut log = life.unsigned();
    life.day(&mut log, 2);
    life.close(log);
    let mut log = life.adopt(seed);
    life.day(&mut log, 2);
    life.close(log);
    life.past("opened without its key, and adopted", Some(seed), Some(seed))
}

//! Histories that never were: rewritten, rolled back, forked, with false accounts of what is absent.

use audit_core::Digest;

use crate::accounts::{Account, Pruned};
use crate::builder::{Builder, Files};
use crate::hunt::{Level, Mutant};
use crate::logs::{ANOTHER_KEY, Hand, KEY, Log, Step, go_on, is_note};

/// What becomes of the checkpoints when the records they cover are others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Notes {
    Left,
    Stripped,
    ByAnotherKey,
    ByTheStolenKey,
}

const NOTES: [Notes; 4] =
    [Notes::Left, Notes::Stripped, Notes::ByAnotherKey, Notes::ByTheStolenKey];

impl Notes {
    /// Of a log without any, there is one way.
    fn of(log: &Log, way: usize) -> Option<Self> {
        (log.is_signed() || way == 0).then(|| NOTES[way])
    }

    fn signer(self) -> Option<u8> {
        match self {
            Self::Left | Self::Stripped => None,
            Self::ByAnotherKey => Some(ANOTHER_KEY),
            Self::ByTheStolenKey => Some(KEY),
        }
    }

    fn level(self, log: &Log) -> Level {
        match self {
            _ if !log.is_signed() => Level::Kept,
            Self::Left => Level::Chain,
            Self::Stripped | Self::ByAnotherKey => Level::Key,
            Self::ByTheStolenKey => Level::Kept,
        }
    }

    /// The honest ones are put back, where they are left.
    fn found(self, log: &Log, mut files: Files) -> Option<Mutant> {
        if self == Self::Left {
            let notes = log.files.iter().filter(|(name, _)| is_note(name));
            files.extend(notes.map(|(name, bytes)| (name.clone(), bytes.clone())));
        }
        Mutant::found_by(self.level(log), files)
    }
}

/// The same steps by another hand, from the beginning.
pub(crate) fn rewritten(log: &Log, hand: &Hand) -> Files {
    last(hand.play(hand.begin(), log.steps))
}

fn last(mut states: Vec<Builder>) -> Files {
    states.pop().unwrap().files
}

/// Whoever goes on from a state, with the keys that are in use by then.
fn hand_at(log: &Log, state: usize, notes: Notes) -> Hand {
    let changes = log.steps[..state].iter().filter(|step| **step == Step::ChangeKey).count();
    let signer = notes.signer().map(|first| first + u8::try_from(changes).unwrap());
    Hand { signer, ..Hand::honest(false) }
}

/// From each record on.
pub(crate) fn records(log: &Log) -> usize {
    NOTES.len() * usize::try_from(log.states.last().unwrap().seq).unwrap()
}

pub(crate) fn rewrite_from(log: &Log, way: usize) -> Option<Mutant> {
    let (notes, seq) = (Notes::of(log, way % NOTES.len())?, (way / NOTES.len()) as u64);
    let state = log.states.iter().rposition(|state| state.seq <= seq)?;
    let hand = Hand { changed: Some(seq), ..hand_at(log, state, notes) };
    let files = last(hand.play(log.states[state].clone(), &log.steps[state..]));
    let is_changed = files.values().any(|bytes| {
        bytes.windows(ANOTHER_EVENT.len()).any(|part| part == ANOTHER_EVENT.as_bytes())
    });
    if is_changed { notes.found(log, files) } else { None }
}

const ANOTHER_EVENT: &str = r#""event_type":"another""#;

/// Another first event, or another log of the same name.
pub(crate) fn beginnings(_: &Log) -> usize {
    2 * NOTES.len()
}

pub(crate) fn rewrite_all(log: &Log, way: usize) -> Option<Mutant> {
    let notes = Notes::of(log, way % NOTES.len())?;
    let mut hand = Hand { signer: notes.signer(), ..Hand::honest(false) };
    if way < NOTES.len() {
        hand.changed = Some(2);
    } else {
        hand.log_id = "f".repeat(32);
    }
    notes.found(log, rewritten(log, &hand))
}

/// To each state, with the checkpoints of then, of now, or none.
pub(crate) fn rollbacks(log: &Log) -> usize {
    3 * (log.states.len() - 1)
}

pub(crate) fn roll_back(log: &Log, way: usize) -> Option<Mutant> {
    let mut files = log.states[way / 3].files.clone();
    let newest = files.keys().rfind(|name| is_note(name)).cloned();
    match way % 3 {
        0 => Mutant::found_by(Level::Kept, files),
        1 if newest != log.newest && log.states[way / 3].seq < log.states.last().unwrap().seq => {
            Notes::Left.found(log, files)
        }
        2 if newest.is_some() => {
            files.retain(|name, _| !is_note(name));
            Mutant::found_by(Level::Key, files)
        }
        _ => None,
    }
}

/// How a history goes on that takes the place of the honest one.
const FUTURES: [&[Step]; 4] = [
    &[Step::Open, Step::Events(9), Step::Close, Step::Sign],
    &[Step::Crash, Step::Events(2), Step::Close, Step::Sign],
    &[Step::Open, Step::Lose, Step::Events(1), Step::Close, Step::Sign],
    &[Step::Open, Step::Prune, Step::Events(1), Step::Close, Step::Sign],
];

/// The one of them that deletes what the checkpoints cover, so that they say nothing of it.
const PRUNING: usize = 3;

/// From each state on that has not all the records.
pub(crate) fn futures(log: &Log) -> usize {
    let end = log.states.last().unwrap().seq;
    let states = log.states.iter().filter(|state| state.seq < end).count();
    states * FUTURES.len() * NOTES.len()
}

/// A fork; or a deletion, with an account of it that is in itself well made.
pub(crate) fn fork(log: &Log, way: usize) -> Option<Mutant> {
    let (notes, way) = (Notes::of(log, way % NOTES.len())?, way / NOTES.len());
    let (future, state) = (way % FUTURES.len(), way / FUTURES.len());
    let hand = hand_at(log, state, notes);
    let mutant = notes.found(log, last(hand.play(log.states[state].clone(), FUTURES[future])))?;
    let level = if future == PRUNING { mutant.level.max(Level::Key) } else { mutant.level };
    Mutant::found_by(level, mutant.files)
}

/// Where changed records are damaged.
const DAMAGES: usize = 8;

/// Two states, and a place.
pub(crate) fn false_recoveries(log: &Log) -> usize {
    log.states.len().pow(2) * DAMAGES
}

/// Whole records declared a tail, as they are or with one of them damaged, by whoever has the key.
pub(crate) fn recover_falsely(log: &Log, way: usize) -> Option<Mutant> {
    let (damage, way) = (way % DAMAGES, way / DAMAGES);
    let (from, to) = (way % log.states.len(), way / log.states.len());
    let (kept, dropped) = (&log.states[from], &log.states[to]);
    if kept.file != dropped.file || kept.seq >= dropped.seq {
        return None;
    }
    let mut forged = kept.clone();
    let offset = kept.files[&kept.file].len();
    forged.append(&dropped.files[&dropped.file][offset..]);
    let bytes = forged.files.get_mut(&kept.file).unwrap();
    if let Some(eighths) = damage.checked_sub(1) {
        let first = bytes[offset..].iter().position(|byte| *byte == b'\n').unwrap();
        bytes[offset + first * eighths / DAMAGES] ^= 1;
    }
    let valid_records = dropped.seq - kept.seq - u64::from(damage > 0);
    let account = Account { valid_records, ..Account::of(&forged, offset) };
    go_on(&mut forged, &account);
    let rest = [Step::Events(1), Step::Close, Step::Sign];
    Mutant::found_by(
        Level::Chain,
        last(hand_at(log, from, Notes::ByTheStolenKey).play(forged, &rest)),
    )
}

/// How an account of a deletion can be false.
static FALSE: [fn(&mut Pruned); 7] = [
    |pruned| pruned.last_seq += 1,
    |pruned| pruned.last_seq -= 1,
    |pruned| pruned.last_seq += 1_000,
    |pruned| pruned.last_hash = Digest::of(b"another"),
    |pruned| pruned.roots[0] = Digest::of(b"another"),
    |pruned| pruned.roots.truncate(pruned.roots.len() - 1),
    |pruned| pruned.roots.push(Digest::of(b"another")),
];

pub(crate) fn false_prunings(log: &Log) -> usize {
    log.states.len() * FALSE.len()
}

/// By whoever has the key.
pub(crate) fn prune_falsely(log: &Log, way: usize) -> Option<Mutant> {
    let (falsify, state) = (FALSE[way % FALSE.len()], way / FALSE.len());
    let mut forged = log.states[state].clone();
    let mut pruned = Pruned::all_of(&forged);
    let deleted = pruned.files.clone();
    falsify(&mut pruned);
    forged.open_segment();
    forged.record(&pruned.event());
    forged.files.retain(|name, _| !deleted.contains(name));
    let rest = [Step::Events(1), Step::Close, Step::Sign];
    Mutant::found_by(
        Level::Chain,
        last(hand_at(log, state, Notes::ByTheStolenKey).play(forged, &rest)),
    )
}

/// Directories of other hosts: of each kind, by the same key and by another one.
pub(crate) fn hosts(_: &Log) -> usize {
    2 * Log::KINDS
}

/// Another host's directory in place of this one.
pub(crate) fn exchange_hosts(log: &Log, way: usize) -> Option<Mutant> {
    let (other, notes) =
        (Log::of_kind(way / 2), [Notes::ByTheStolenKey, Notes::ByAnotherKey][way % 2]);
    let hand = Hand { log_id: "f".repeat(32), changed: Some(2), signer: notes.signer() };
    Mutant::found_by(notes.level(log), rewritten(&other, &hand))
}

//! Segments deleted, renamed, exchanged, copied, taken from another log.

use crate::builder::Files;
use crate::history::rewritten;
use crate::hunt::{Level, Mutant};
use crate::logs::{Hand, Log};

/// Characters of a segment's name.
const NAME_CHARS: usize = "00000000000000000000.2026-01-02.audit.jsonl".len();

/// Any of them, but not none.
pub(crate) fn subsets(log: &Log) -> usize {
    (1 << log.segments().len()) - 1
}

pub(crate) fn delete(log: &Log, way: usize) -> Option<Mutant> {
    let (segments, chosen) = (log.segments(), way + 1);
    let mut files = log.files.clone();
    for (number, segment) in segments.iter().enumerate() {
        if chosen >> number & 1 == 1 {
            files.remove(*segment);
        }
    }
    // The newest ones and no others.
    let kept = segments.len() - chosen.count_ones() as usize;
    let is_end = chosen.trailing_zeros() as usize == kept;
    let level = if is_end && kept > 0 { log.level_of_its_end() } else { Level::Chain };
    Mutant::found_by(level, files)
}

pub(crate) fn names(log: &Log) -> usize {
    log.segments().len() * NAME_CHARS
}

/// The next digit, or another letter.
pub(crate) fn rename(log: &Log, way: usize) -> Option<Mutant> {
    let from = log.segments()[way / NAME_CHARS];
    let mut to = from.as_bytes().to_vec();
    let char = &mut to[way % NAME_CHARS];
    *char = match *char {
        b'9' => b'0',
        b'.' => b'_',
        other => other + 1,
    };
    let to = String::from_utf8(to).unwrap();
    let is_segment = to.ends_with(".audit.jsonl");
    let mut files = log.files.clone();
    let bytes = files.remove(from).unwrap();
    files.insert(to, bytes);
    let is_gone = !is_segment && log.is_last(from);
    Mutant::found_by(if is_gone { log.level_of_its_end() } else { Level::Chain }, files)
}

pub(crate) fn pairs(log: &Log) -> usize {
    2 * log.segments().len().pow(2)
}

/// Two exchanged, or one copied over another.
pub(crate) fn exchange(log: &Log, way: usize) -> Option<Mutant> {
    let segments = log.segments();
    let (one, other) = (way / 2 / segments.len(), way / 2 % segments.len());
    let (one, other) = (segments[one], segments[other]);
    let mut files = log.files.clone();
    files.insert(other.to_owned(), log.files[one].clone());
    if way.is_multiple_of(2) {
        files.insert(one.to_owned(), log.files[other].clone());
    }
    Mutant::found_by(Level::Chain, files)
}

/// Under a later name, and an earlier and a later date.
pub(crate) fn copies(log: &Log) -> usize {
    3 * log.segments().len()
}

pub(crate) fn copy(log: &Log, way: usize) -> Option<Mutant> {
    let from = log.segments()[way / 3];
    let to = match way % 3 {
        0 => from.replacen("0000", "0001", 1),
        1 => from.replace("2026-01-02", "2026-01-01"),
        _ => from.replace("2026-01-02", "2026-01-03"),
    };
    let mut files = log.files.clone();
    files.insert(to, log.files[from].clone());
    Mutant::found_by(Level::Chain, files)
}

/// Those of a log that nobody ever wrote here: with another id, or other events.
fn others(log: &Log, way: usize) -> Files {
    let mut hand = Hand::honest(log.is_signed());
    if way == 0 {
        hand.log_id = "f".repeat(32);
    }
    hand.changed = (way == 1).then_some(2);
    rewritten(log, &hand)
}

/// Each in place of its like, put beside, and all from or up to there.
pub(crate) fn splices(log: &Log) -> usize {
    2 * 3 * log.segments().len()
}

pub(crate) fn splice(log: &Log, way: usize) -> Option<Mutant> {
    let (others, way) = (others(log, way % 2), way / 2);
    let (kind, at) = (way % 3, way / 3);
    let mut files = log.files.clone();
    let segments = log.segments();
    let taken = match kind {
        0 => &segments[at..=at],
        1 => &segments[at..],
        _ => &segments[..=at],
    };
    if taken.len() == segments.len() {
        return None;
    }
    for name in taken {
        files.insert((*name).to_owned(), others.get(*name)?.clone());
    }
    Mutant::found_by(Level::Chain, files)
}

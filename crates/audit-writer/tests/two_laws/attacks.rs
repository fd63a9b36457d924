//! What somebody does to a log who can write its directory, can compute hashes, and has no key.

use audit_checkpoint::{Checkpoint, Note, SigningKey};
use audit_core::{Digest, Frontier};
use audit_testkit::dice::Dice;

use crate::builder::{Files, lines_of};
use crate::forged::{
    Seals, append_forged, append_hostile, append_life, append_own_event, append_sealed,
    append_unfinished, rewrite, rewrite_as_never_signed, strip_newest,
};
use crate::oracle::{is_note, segments};
use crate::past::{Past, key};

/// Does something to a log, or several things; what.
pub(crate) fn attacked(
    past: &Past,
    others: &[Past],
    dice: &mut Dice,
) -> (Files, Vec<&'static str>) {
    let mut files = past.files.clone();
    let mut done = Vec::new();
    let times = if past.leaves.is_empty() { 0 } else { dice.between(1, 2) };
    for _ in 0..times {
        if segments(&files).next().is_some() {
            let kind = dice.index(KINDS);
            done.push(attack(kind, &mut files, past, others, dice));
        }
    }
    (files, done)
}

/// How many things there are to do.
pub(crate) const KINDS: usize = 20;

/// Does one thing of them to a log that has a segment.
pub(crate) fn attack(
    kind: usize,
    files: &mut Files,
    past: &Past,
    others: &[Past],
    dice: &mut Dice,
) -> &'static str {
    match kind {
        0 => change_byte(files, dice),
        1 => cut_bytes(files, dice),
        2 => put_bytes_in(files, dice),
        3 => change_lines(files, dice),
        4 => change_segments(files, others, dice),
        5 => change_notes(files, past, dice),
        6 => cut_back(files, dice),
        7 => {
            cut_back(files, dice);
            append_forged(files, past, dice);
            "cut back, and forged lines behind it"
        }
        8 => {
            cut_newest(files, dice);
            append_forged(files, past, dice);
            "the newest records replaced by forged ones"
        }
        9 => append_forged(files, past, dice),
        10 => append_own_event(files, dice),
        11 => append_hostile(files, dice),
        12 => append_unfinished(files, dice),
        13 => append_life(files, dice),
        14 => rewrite(files, Seals::Keep, dice),
        15 => rewrite(files, Seals::Strip, dice),
        16 => rewrite_as_never_signed(files, dice),
        17 => strip_newest(files, dice),
        18 => append_sealed(files, dice),
        _ => {
            cut_newest(files, dice);
            append_own_event(files, dice);
            "the newest records replaced by an event of the writer's own"
        }
    }
}

fn nth_segment(files: &Files, dice: &mut Dice) -> String {
    let names: Vec<_> = segments(files).map(|(name, _)| name.clone()).collect();
    names[dice.index(names.len())].clone()
}

fn nth_file<'f>(files: &'f mut Files, dice: &mut Dice) -> &'f mut Vec<u8> {
    let name = files.keys().nth(dice.index(files.len())).unwrap().clone();
    files.get_mut(&name).unwrap()
}

pub(crate) fn newest(files: &mut Files) -> &mut Vec<u8> {
    let name = segments(files).next_back().unwrap().0.clone();
    files.get_mut(&name).unwrap()
}

fn change_byte(files: &mut Files, dice: &mut Dice) -> &'static str {
    let bytes = nth_file(files, dice);
    let at = dice.index(bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << dice.index(8);
    }
    "a bit flipped"
}

fn cut_bytes(files: &mut Files, dice: &mut Dice) -> &'static str {
    let bytes = nth_file(files, dice);
    let (from, length) = (dice.index(bytes.len() + 1), dice.index(600));
    if dice.once_in(2) {
        bytes.truncate(from);
    } else {
        bytes.drain(from..(from + length).min(bytes.len()));
    }
    "bytes taken out"
}

fn put_bytes_in(files: &mut Files, dice: &mut Dice) -> &'static str {
    let bytes = nth_file(files, dice);
    let at = if dice.once_in(2) { bytes.len() } else { dice.index(bytes.len() + 1) };
    let byte = [0, b'\n', b'{', b'x', 0xff][dice.index(5)];
    bytes.splice(at..at, vec![byte; dice.index(700)]);
    "bytes put in"
}

fn change_lines(files: &mut Files, dice: &mut Dice) -> &'static str {
    let name = nth_segment(files, dice);
    let mut lines = lines_of(&files[&name]);
    if !lines.is_empty() {
        let (one, other) = (dice.index(lines.len()), dice.index(lines.len()));
        match dice.index(4) {
            0 => drop(lines.drain(one.min(other)..=one.max(other))),
            1 => lines.swap(one, other),
            2 => {
                let line = lines[other].clone();
                lines[one] = line;
            }
            _ => lines.insert(one, lines[other].clone()),
        }
    }
    files.insert(name, lines.concat());
    "lines moved, repeated or taken out"
}

fn change_segments(files: &mut Files, others: &[Past], dice: &mut Dice) -> &'static str {
    let (one, other) = (nth_segment(files, dice), nth_segment(files, dice));
    match dice.index(5) {
        0 => drop(files.remove(&one)),
        1 => {
            let names: Vec<_> = segments(files).map(|(name, _)| name.clone()).collect();
            let kept = dice.index(names.len());
            names[..kept].iter().for_each(|name| drop(files.remove(name)));
        }
        2 => {
            let bytes = files[&one].clone();
            let bytes = files.insert(other, bytes).unwrap();
            files.insert(one, bytes);
        }
        3 => {
            let bytes = files.remove(&one).unwrap();
            files.insert(format!("{:020}{}", dice.index(30), &one[20..]), bytes);
        }
        _ => {
            let another = &others[dice.index(others.len())].files;
            let (name, bytes) = another.iter().nth(dice.index(another.len())).unwrap();
            files.insert(name.clone(), bytes.clone());
        }
    }
    "segments removed, exchanged, renamed, or of another log"
}

pub(crate) fn change_notes(files: &mut Files, past: &Past, dice: &mut Dice) -> &'static str {
    let names: Vec<_> = files.keys().filter(|name| is_note(name)).cloned().collect();
    let size = dice.between(1, past.leaves.len() as u64);
    match (dice.index(5), names.last()) {
        (0, _) => files.retain(|name, _| !is_note(name)),
        (1, Some(newest)) => drop(files.remove(newest)),
        (2, Some(_)) => {
            let name = &names[dice.index(names.len())];
            let bytes = files.get_mut(name).unwrap();
            let at = dice.index(bytes.len());
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << dice.index(8);
            }
        }
        (3, _) => drop(files.insert(note_name(size), b"junk\n".to_vec())),
        _ => drop(files.insert(note_name(size), strangers_note(past, size, dice))),
    }
    "notes removed, changed or planted"
}

pub(crate) fn note_name(size: u64) -> String {
    format!("checkpoints/{size:020}.note")
}

/// A note that somebody else made: under the key's name or another one, over the right root or
/// another, with a line more or not.
pub(crate) fn strangers_note(past: &Past, size: u64, dice: &mut Dice) -> Vec<u8> {
    let stranger = key(200);
    let leaves = &past.leaves[..usize::try_from(size).unwrap()];
    let root = if dice.once_in(2) { frontier(leaves).root() } else { Digest::of(b"another") };
    let note = Checkpoint::new(stranger.name(), size, root).sign(&stranger).unwrap();
    if dice.once_in(3) {
        let mut longer = Note::new(format!("{}more\n", note.text())).unwrap();
        longer.sign(&stranger).unwrap();
        return longer.to_string().into_bytes();
    }
    note.to_string().into_bytes()
}

pub(crate) fn frontier(leaves: &[Digest]) -> Frontier {
    let mut frontier = Frontier::new();
    for leaf in leaves {
        frontier.push(*leaf);
    }
    frontier
}

/// The log as it was earlier: at any record, with the notes of then or all of them.
fn cut_back(files: &mut Files, dice: &mut Dice) -> &'static str {
    let name = nth_segment(files, dice);
    let lines = lines_of(&files[&name]);
    let kept = dice.index(lines.len() + 1);
    files.retain(|other, _| is_note(other) || *other <= name);
    files.insert(name.clone(), lines[..kept].concat());
    let size = name[..20].parse::<u64>().unwrap() + kept as u64;
    if dice.once_in(2) {
        files.retain(|name, _| !is_note(name) || *name <= note_name(size));
    }
    "cut back to an earlier end"
}

fn cut_newest(files: &mut Files, dice: &mut Dice) {
    let bytes = newest(files);
    let lines = lines_of(bytes);
    let kept = lines.len().saturating_sub(dice.index(lines.len() + 1));
    *bytes = lines[..kept].concat();
}

/// The key of somebody else.
pub(crate) fn stranger() -> SigningKey {
    key(200)
}

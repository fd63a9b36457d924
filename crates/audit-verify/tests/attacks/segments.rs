//! Segments deleted, renamed, exchanged, added; whole logs rolled back, exchanged, spliced.

use audit_testkit::dice::Dice;
use audit_verify::Verdict;

use crate::builder::{Files, segment_name};
use crate::bytes::of_bytes;
use crate::family::{Choices, Family, Level, Mutant, product};
use crate::honest::Honest;
use crate::lines::{files, lines};
use crate::oracle::{is_note, notes, segments, size_of};
use crate::player::Signer;

pub(crate) const FAMILIES: [Family; 12] = [
    Family {
        name: "any of the segments deleted",
        level: Level::Chain,
        places: |honest| 1 << segments(&honest.files).count(),
        mutant: |honest, place| {
            let mut files = honest.files.clone();
            for (number, (name, _)) in segments(&honest.files).enumerate() {
                if place >> number & 1 == 1 {
                    files.remove(name);
                }
            }
            of_bytes(honest, files)
        },
    },
    Family {
        name: "segment renamed in one character, re-dated too",
        level: Level::Chain,
        places: |honest| product(&[segments(&honest.files).count(), 43, CHARACTERS.len()]),
        mutant: |honest, place| {
            let mut choices = Choices(place);
            let mut files = honest.files.clone();
            let name = nth(&files, &mut choices);
            let mut renamed = name.clone().into_bytes();
            let at = choices.of(43);
            renamed[at] = CHARACTERS[choices.of(CHARACTERS.len())];
            let bytes = files.remove(&name).unwrap();
            files.insert(String::from_utf8(renamed).unwrap(), bytes);
            of_bytes(honest, files)
        },
    },
    Family {
        name: "two segments exchanged",
        level: Level::Chain,
        places: |honest| square(honest),
        mutant: |honest, place| {
            let mut choices = Choices(place);
            let mut files = honest.files.clone();
            let (one, other) = (nth(&files, &mut choices), nth(&files, &mut choices));
            exchange(&mut files, &one, &other);
            of_bytes(honest, files)
        },
    },
    Family {
        name: "segment copied under a name that another might have",
        level: Level::Chain,
        places: |honest| product(&[segments(&honest.files).count(), 64]),
        mutant: |honest, place| {
            let mut choices = Choices(place);
            let mut files = honest.files.clone();
            let bytes = files[&nth(&files, &mut choices)].clone();
            let copy = segment_name(choices.of(64) as u64);
            if files.contains_key(&copy) {
                return None;
            }
            files.insert(copy, bytes);
            of_bytes(honest, files)
        },
    },
    Family {
        name: "spliced with another log at any line",
        level: Level::Chain,
        places: |honest| product(&[lines(&honest.files).len(), 2]),
        mutant: splice,
    },
    Family {
        name: "any of the segments taken from another log",
        level: Level::Chain,
        places: |honest| 1 << segments(&honest.files).count(),
        mutant: |honest, place| {
            let other = another_log(honest, Signer::Another)?;
            let all = (1 << segments(&honest.files).count()) - 1;
            if place == 0 || place == all {
                return None;
            }
            let mut files = honest.files.clone();
            for (number, (name, _)) in segments(&honest.files).enumerate() {
                if place >> number & 1 == 1 {
                    files.insert(name.clone(), other.get(name)?.clone());
                }
            }
            of_bytes(honest, files)
        },
    },
    Family {
        name: "rolled back to an earlier state",
        level: Level::Elsewhere,
        places: |honest| product(&[honest.states.len() - 1]),
        mutant: |honest, place| {
            let files = honest.states[Choices(place).of(honest.states.len() - 1)].clone();
            // The closing checkpoint alone is no record, and its absence is what the key misses.
            let is_older = segments(&files).ne(segments(&honest.files));
            is_older.then_some(Mutant { files, least: Verdict::Truncated })
        },
    },
    Family {
        name: "cut off after a record, the checkpoints that cover no more left",
        level: Level::Elsewhere,
        places: |honest| product(&[lines(&honest.files).len()]),
        mutant: |honest, place| {
            let kept = Choices(place).of(lines(&honest.files).len());
            let mut all = lines(&honest.files);
            all.truncate(kept);
            let records = all.len() as u64;
            let mut files = files(honest, all);
            if honest.is_pruned() || records == 0 {
                return None;
            }
            files.retain(|name, _| !is_note(name) || size_of(name) <= records);
            Some(Mutant { files, least: Verdict::Truncated })
        },
    },
    Family {
        name: "deleted, but for any of its checkpoints",
        level: Level::Chain,
        places: |honest| 1 << notes(honest).count(),
        mutant: |honest, place| {
            let left = notes(honest).enumerate().filter(|(number, _)| place >> number & 1 == 1);
            let files: Files = left.map(|(_, (name, note))| (name.clone(), note.clone())).collect();
            let least = if files.is_empty() { Verdict::Unverifiable } else { Verdict::Truncated };
            Some(Mutant { files, least })
        },
    },
    Family {
        name: "another host's directory in its place",
        level: Level::Elsewhere,
        places: |honest| u64::from(!honest.is_signed()),
        mutant: |honest, _| {
            let files = another_log(honest, Signer::Nobody)?;
            Some(Mutant { files, least: Verdict::Tampered })
        },
    },
    Family {
        name: "another host's directory, signed by its key, in its place",
        level: Level::Key,
        places: |honest| u64::from(honest.is_signed()),
        mutant: |honest, _| {
            let files = another_log(honest, Signer::Another)?;
            Some(Mutant { files, least: Verdict::Unverifiable })
        },
    },
    Family {
        name: "the future of a fork, signed by the stolen key, of any length",
        level: Level::Elsewhere,
        places: |honest| {
            if honest.is_signed() { product(&[honest.steps.len(), honest.steps.len()]) } else { 0 }
        },
        mutant: |honest, place| {
            let mut choices = Choices(place);
            let fork = choices.of(honest.steps.len());
            let length = choices.of(honest.steps.len()) + 1;
            if fork >= length {
                return None;
            }
            let files = honest.fork(fork, length)?;
            Some(Mutant { files, least: Verdict::Truncated })
        },
    },
];

const CHARACTERS: &[u8] = b"0123456789-.Ta_~";

fn square(honest: &Honest) -> u64 {
    let count = segments(&honest.files).count();
    product(&[count, count])
}

fn nth(files: &Files, choices: &mut Choices) -> String {
    let count = segments(files).count();
    segments(files).nth(choices.of(count)).unwrap().0.clone()
}

fn another_log(honest: &Honest, signer: Signer) -> Option<Files> {
    honest.rewritten(0, signer).map(|log| log.files)
}

/// The first lines of one and the rest of the other, either way.
fn splice(honest: &Honest, place: u64) -> Option<Mutant> {
    let mut choices = Choices(place);
    let (ours, others) = (lines(&honest.files), lines(&another_log(honest, Signer::Owner)?));
    let at = choices.of(ours.len());
    if at == 0 || ours.len() != others.len() {
        return None;
    }
    let (first, rest) = if choices.of(2) == 0 { (&ours, &others) } else { (&others, &ours) };
    let spliced = [&first[..at], &rest[at..]].concat();
    Some(Mutant { files: files(honest, spliced), least: Verdict::Tampered })
}

fn exchange(files: &mut Files, one: &str, other: &str) {
    let bytes = files[one].clone();
    let others = files.insert(other.to_owned(), bytes).unwrap();
    files.insert(one.to_owned(), others);
}

/// Does something to the segments.
pub(crate) fn change_segments(files: &mut Files, dice: &mut Dice) {
    let names: Vec<_> = segments(files).map(|(name, _)| name.clone()).collect();
    let (one, other) = (&names[dice.index(names.len())], &names[dice.index(names.len())]);
    match dice.index(3) {
        0 => drop(files.remove(one)),
        1 => exchange(files, one, other),
        _ => {
            let (copy, bytes) = (segment_name(dice.between(0, 30)), files[one].clone());
            files.insert(copy, bytes);
        }
    }
}

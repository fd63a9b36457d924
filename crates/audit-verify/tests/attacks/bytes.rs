//! Bytes changed, put in, taken out, by somebody who computes no hashes.

use audit_testkit::dice::Dice;

use crate::builder::Files;
use crate::family::{Choices, DRAWN, Family, Level, Mutant, product};
use crate::honest::Honest;
use crate::oracle::{least, segments};

pub(crate) const FAMILIES: [Family; 9] = [
    Family {
        name: "bit flipped",
        level: Level::Chain,
        places: |honest| product(&[bytes(honest), 8]),
        mutant: |honest, place| {
            change(honest, 0, place, |bytes, at, choices| flip_bit(bytes, at, choices))
        },
    },
    Family {
        name: "byte set to each value",
        level: Level::Chain,
        places: |honest| product(&[bytes(honest), 255]),
        mutant: |honest, place| {
            change(honest, 0, place, |bytes, at, choices| set_byte(bytes, at, choices))
        },
    },
    Family {
        name: "byte put in",
        level: Level::Chain,
        places: |honest| product(&[bytes(honest) + 1, 256]),
        mutant: |honest, place| change(honest, 1, place, put_byte_in),
    },
    Family {
        name: "byte taken out",
        level: Level::Chain,
        places: |honest| product(&[bytes(honest)]),
        mutant: |honest, place| change(honest, 0, place, take_byte_out),
    },
    Family {
        name: "cut at a byte",
        level: Level::Chain,
        places: |honest| product(&[bytes(honest)]),
        mutant: |honest, place| change(honest, 0, place, cut_off),
    },
    Family {
        name: "beginning cut off at a byte",
        level: Level::Chain,
        places: |honest| product(&[bytes(honest)]),
        mutant: |honest, place| change(honest, 0, place, |bytes, at, _| drop(bytes.drain(..at))),
    },
    Family {
        name: "blank, line end, BOM, NUL, escape or bracket put in",
        level: Level::Chain,
        places: |honest| product(&[bytes(honest) + 1, MORSELS.len()]),
        mutant: |honest, place| {
            change(honest, 1, place, |bytes, at, choices| {
                bytes.splice(at..at, MORSELS[choices.of(MORSELS.len())].bytes());
            })
        },
    },
    Family {
        name: "run of bytes taken out, zeroed, made noise or copied",
        level: Level::Chain,
        places: |_| DRAWN,
        mutant: |honest, place| {
            let mut dice = Dice::new(place);
            let mut files = honest.files.clone();
            change_run(&mut files, &mut dice);
            of_bytes(honest, files)
        },
    },
    Family {
        name: "padded with NULs",
        level: Level::Chain,
        places: |honest| product(&[segments(&honest.files).count(), 1_200]),
        mutant: |honest, place| {
            let mut choices = Choices(place);
            let mut files = honest.files.clone();
            let nuls = choices.of(1_200) + 1;
            let segment = choices.of(segments(&files).count());
            let name = segments(&files).nth(segment).unwrap().0.clone();
            let bytes = files.get_mut(&name).unwrap();
            bytes.resize(bytes.len() + nuls, 0);
            of_bytes(honest, files)
        },
    },
];

/// What may be put in, to see whether every reader sees the same.
const MORSELS: [&str; 22] = [
    " ", "\t", "\r", "\r\n", "\n", "\n\n", "\u{feff}", "\0\0", "\u{c}", "\\u0041", "\\ud800", "\\",
    "[[[[[[[[", "{}", "{}\n", "null\n", ",\"x\":1", "\"v\":1,", "0", ".0", "e0", "\u{2028}",
];

pub(crate) fn flip_bit(bytes: &mut [u8], at: usize, choices: &mut Choices) {
    bytes[at] ^= 1 << choices.of(8);
}

/// To each of the other values.
pub(crate) fn set_byte(bytes: &mut [u8], at: usize, choices: &mut Choices) {
    bytes[at] = bytes[at].wrapping_add(u8::try_from(choices.of(255)).unwrap() + 1);
}

pub(crate) fn put_byte_in(bytes: &mut Vec<u8>, at: usize, choices: &mut Choices) {
    bytes.insert(at, u8::try_from(choices.of(256)).unwrap());
}

pub(crate) fn take_byte_out(bytes: &mut Vec<u8>, at: usize, _: &mut Choices) {
    bytes.remove(at);
}

pub(crate) fn cut_off(bytes: &mut Vec<u8>, at: usize, _: &mut Choices) {
    bytes.truncate(at);
}

pub(crate) fn of_bytes(honest: &Honest, files: Files) -> Option<Mutant> {
    least(honest, &files).map(|least| Mutant { files, least })
}

fn bytes(honest: &Honest) -> usize {
    segments(&honest.files).map(|(_, bytes)| bytes.len()).sum()
}

/// Does something at a byte; `more` is 1 where the end is one more place.
fn change(
    honest: &Honest,
    more: usize,
    place: u64,
    act: impl Fn(&mut Vec<u8>, usize, &mut Choices),
) -> Option<Mutant> {
    let mut choices = Choices(place);
    let mut at = choices.of(bytes(honest) + more);
    let mut files = honest.files.clone();
    let names: Vec<_> = segments(&honest.files).map(|(name, bytes)| (name, bytes.len())).collect();
    let last = names.len() - 1;
    for (number, (name, length)) in names.into_iter().enumerate() {
        if at < length || number == last {
            act(files.get_mut(name).unwrap(), at, &mut choices);
            break;
        }
        at -= length;
    }
    of_bytes(honest, files)
}

/// Does something to a run of bytes.
pub(crate) fn change_run(files: &mut Files, dice: &mut Dice) {
    let names: Vec<_> = segments(files).map(|(name, _)| name.clone()).collect();
    let Some(bytes) = files.get_mut(&names[dice.index(names.len())]) else { return };
    if bytes.is_empty() {
        return;
    }
    let from = dice.index(bytes.len());
    let length = if dice.once_in(2) { dice.index(12) + 1 } else { dice.index(1_100) + 1 };
    let to = bytes.len().min(from + length);
    match dice.index(4) {
        0 => drop(bytes.drain(from..to)),
        1 => bytes[from..to].fill(0),
        2 => bytes[from..to].iter_mut().for_each(|byte| *byte = random_byte(dice)),
        _ => {
            let copy = bytes[from..to].to_vec();
            let at = dice.index(bytes.len() + 1);
            bytes.splice(at..at, copy);
        }
    }
}

pub(crate) fn random_byte(dice: &mut Dice) -> u8 {
    dice.seed().to_le_bytes()[0]
}

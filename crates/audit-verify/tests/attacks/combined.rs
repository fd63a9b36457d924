//! Two to four attacks at once: none makes another milder.

use audit_testkit::dice::Dice;

use crate::builder::Files;
use crate::bytes::{change_run, of_bytes};
use crate::family::{DRAWN, Family, Level};
use crate::honest::Honest;
use crate::lines::change_lines;
use crate::oracle::{notes, segments};
use crate::segments::change_segments;

pub(crate) const FAMILIES: [Family; 2] = [
    Family {
        name: "two to four of these at once",
        level: Level::Chain,
        places: |_| DRAWN,
        mutant: |honest, place| {
            let mut dice = Dice::new(place);
            let mut files = honest.files.clone();
            change_records(&mut files, &mut dice);
            of_bytes(honest, files)
        },
    },
    Family {
        name: "the same, and damage to checkpoints",
        level: Level::Chain,
        places: |honest| if honest.is_signed() { DRAWN } else { 0 },
        mutant: |honest, place| {
            let mut dice = Dice::new(place);
            let mut files = honest.files.clone();
            change_records(&mut files, &mut dice);
            change_notes(honest, &mut files, &mut dice);
            of_bytes(honest, files)
        },
    },
];

fn change_records(files: &mut Files, dice: &mut Dice) {
    for _ in 0..dice.between(2, 4) {
        if segments(files).next().is_none() {
            return;
        }
        match dice.index(4) {
            0 => flip(files, dice),
            1 => change_run(files, dice),
            2 => change_lines(files, dice),
            _ => change_segments(files, dice),
        }
    }
}

fn flip(files: &mut Files, dice: &mut Dice) {
    let names: Vec<_> = segments(files).map(|(name, _)| name.clone()).collect();
    let bytes = files.get_mut(&names[dice.index(names.len())]).unwrap();
    let at = dice.index(bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << dice.index(8);
    }
}

fn change_notes(honest: &Honest, files: &mut Files, dice: &mut Dice) {
    let names: Vec<_> = notes(honest).map(|(name, _)| name.clone()).collect();
    for name in names.iter().filter(|_| dice.once_in(2)).collect::<Vec<_>>() {
        let Some(bytes) = files.get_mut(name) else { continue };
        let at = dice.index(bytes.len());
        match dice.index(3) {
            0 => drop(files.remove(name)),
            1 => bytes.truncate(at),
            _ => bytes[at] ^= 1 << dice.index(8),
        }
    }
}

//! Several things done at once, drawn by dice.

use audit_testkit::dice::Dice;

use crate::hunt::{Level, Mutant};
use crate::logs::Log;
use crate::mutants::change;

/// As many as anybody asks for.
pub(crate) fn ways(_: &Log) -> usize {
    usize::pow(2, 40)
}

pub(crate) fn change_much(log: &Log, way: usize) -> Option<Mutant> {
    let mut dice = Dice::new(way as u64);
    let mut files = log.files.clone();
    for _ in 0..dice.between(1, 3) {
        change(&mut files, &mut dice);
    }
    (!log.has_its_records(&files)).then_some(Mutant { level: Level::Kept, files })
}

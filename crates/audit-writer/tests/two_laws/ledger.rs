//! The mutants of the attack ledger: logs made by hand, and what its families do to them.

use audit_testkit::dice::Dice;

use crate::builder::Files;
use crate::family::{DRAWN, Family, Level};
use crate::honest::{Honest, Step};
use crate::past::{Past, leaves};
use crate::signed::ORIGIN;
use crate::{bytes, chain, combined, lines, notes, seals, segments};

/// The honest logs, each as it was and as its writer may go on with it, and all families.
pub(crate) struct Ledger {
    logs: Vec<(Honest, Past)>,
    families: Vec<Family>,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        let logs = Honest::all().into_iter().map(|honest| {
            let past = past(&honest);
            (honest, past)
        });
        let families = [
            &bytes::FAMILIES[..],
            &lines::FAMILIES,
            &chain::FAMILIES,
            &chain::CONSISTENT,
            &seals::FAMILIES,
            &segments::FAMILIES,
            &notes::FAMILIES,
            &combined::FAMILIES,
        ];
        Self { logs: logs.collect(), families: families.concat() }
    }

    /// Any of the mutants, and the log that it was.
    pub(crate) fn mutant(&self, dice: &mut Dice) -> (&Past, Files, &'static str) {
        loop {
            let (honest, past) = &self.logs[dice.index(self.logs.len())];
            let family = &self.families[dice.index(self.families.len())];
            let place = match (family.places)(honest) {
                0 => continue,
                DRAWN => dice.seed(),
                places => dice.between(0, places - 1),
            };
            if let Some(mutant) = (family.mutant)(honest, place).filter(|_| !is_by_key(family)) {
                return (past, mutant.files, family.name);
            }
        }
    }
}

/// Whether somebody with the log's key does it: to that writer it is its own log.
fn is_by_key(family: &Family) -> bool {
    family.level == Level::Elsewhere
}

fn past(honest: &Honest) -> Past {
    let mut union = Files::new();
    union.extend(honest.states.iter().flatten().map(|(name, bytes)| (name.clone(), bytes.clone())));
    let seed = if honest.steps.contains(&Step::ChangeKey) { 2 } else { 1 };
    Past {
        name: honest.name,
        files: honest.files.clone(),
        leaves: leaves(&union),
        origin: ORIGIN,
        seed: honest.is_signed().then_some(seed),
        first_seed: honest.is_signed().then_some(1),
        is_vouched: true,
        levels: Level::ALL.map(|level| honest.options(level).clone()),
    }
}

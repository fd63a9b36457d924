//! Kinds of attacks, the law that each is held to, and how many of each are made.

use std::ops::ControlFlow;
use std::sync::Mutex;

use audit_checkpoint::Note;
use audit_core::Receipt;
use audit_testkit::soak::go_through;
use audit_verify::{MemorySource, Requirement, Verdict, VerifyOptions, verify_source};

use crate::agree::report_and_view_agree;
use crate::builder::Files;
use crate::honest::Honest;
use crate::oracle::segments;
use crate::signed::{key, public};

/// What an attack has to be found with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// The log alone.
    Chain,
    /// The log's key, and that all records have to be signed by it.
    Key,
    /// What was kept elsewhere: the newest head, and the newest checkpoint where there is one.
    Elsewhere,
}

impl Level {
    pub(crate) const ALL: [Self; 3] = [Self::Chain, Self::Key, Self::Elsewhere];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Chain => "L0",
            Self::Key => "L1",
            Self::Elsewhere => "L2",
        }
    }

    /// Whether a log has what this level needs.
    fn is_had(self, honest: &Honest) -> bool {
        self != Self::Key || honest.is_signed()
    }

    /// What a log is verified against: its key, its newest record, its closing checkpoint.
    pub(crate) fn options(self, head: Receipt, pin: Option<&Note>) -> VerifyOptions {
        let mut options = VerifyOptions::default();
        if self >= Self::Key && pin.is_some() {
            options.keys = vec![public(&key(1))];
        }
        options.require = match self {
            Self::Chain => Requirement::Consistent,
            Self::Key => Requirement::Signed,
            Self::Elsewhere => Requirement::Intact,
        };
        if self == Self::Elsewhere {
            options.heads = vec![head];
            options.pins = pin.into_iter().cloned().collect();
        }
        options
    }
}

/// A log that something was done to.
#[derive(Clone, Debug)]
pub(crate) struct Mutant {
    pub(crate) files: Files,
    /// The mildest verdict that may be given on it at the level of its family.
    pub(crate) least: Verdict,
}

/// Places drawn by dice: there are more than can be had.
pub(crate) const DRAWN: u64 = u64::MAX;

/// A kind of attack.
#[derive(Clone, Copy)]
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) level: Level,
    /// In how many places it can be carried out, or [`DRAWN`].
    pub(crate) places: fn(&Honest) -> u64,
    /// Carries it out; `None` where that leaves a log as it was at some time.
    pub(crate) mutant: fn(&Honest, u64) -> Option<Mutant>,
}

/// Which places of a family were had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Places {
    /// Each of each log.
    All,
    /// Some, spread over all.
    Some,
    /// Those that dice drew.
    Drawn,
}

/// What was made of one family.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) family: Family,
    pub(crate) mutants: u64,
    pub(crate) undetected: u64,
    /// Mutants of which the level below says nothing.
    pub(crate) passed_below: u64,
    pub(crate) places: Places,
}

impl std::fmt::Debug for Family {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

pub(crate) fn say(honest: &Honest, level: Level, source: &MemorySource) -> Verdict {
    verify_source(source, honest.options(level), &mut |_| ()).unwrap().verdict
}

/// What the law says of one mutant: whether the level below passes it, or what is wrong.
fn judge(honest: &Honest, family: &Family, mutant: Mutant) -> Result<bool, String> {
    // Whoever has kept the newest checkpoint needs none beside records that are all there.
    let is_beside = segments(&mutant.files).eq(segments(&honest.files));
    let source = MemorySource::new(mutant.files);
    let report = verify_source(&source, &VerifyOptions::default(), &mut |_| ()).unwrap();
    report_and_view_agree(&report, source.clone())?;
    let mut passed_below = false;
    let mut before: Option<Verdict> = None;
    for level in Level::ALL.into_iter().filter(|level| level.is_had(honest)) {
        let said = say(honest, level, &source);
        if level > family.level && family.level == Level::Key && is_beside {
            break;
        }
        // Whoever knows more never thinks better of a log that is not as it was.
        let milder = before.filter(|before| before.exit_code() != 0 && said < *before);
        let undetected = level >= family.level && said.exit_code() == 0;
        let too_mild = level == family.level && said < mutant.least;
        if milder.is_some() || undetected || too_mild {
            let (due, level) = (mutant.least, level.as_str());
            return Err(format!("{said} at {level}, {due} is due, before {before:?}"));
        }
        passed_below |= level < family.level && said.exit_code() == 0;
        before = Some(said);
    }
    Ok(passed_below)
}

/// Places of one family in one log.
#[derive(Clone, Copy, Debug)]
struct Share {
    family: usize,
    log: usize,
    all: u64,
    taken: u64,
}

impl Places {
    fn of<'s>(mut shares: impl Iterator<Item = &'s Share>) -> Self {
        shares
            .try_fold(Self::All, |places, share| match share.all {
                DRAWN => Err(Self::Drawn),
                all if all == share.taken => Ok(places),
                _ => Ok(Self::Some),
            })
            .unwrap_or_else(|drawn| drawn)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Some => "some",
            Self::Drawn => "drawn",
        }
    }
}

/// So many places of each family in each log that together they are at least `total`: all where there are
/// few, and an even share where there are many.
fn shares(families: &[Family], logs: &[Honest], total: u64) -> Vec<Share> {
    let mut shares = Vec::new();
    for (family, of) in families.iter().enumerate() {
        for (log, honest) in logs.iter().enumerate() {
            let all = (of.places)(honest);
            if all > 0 {
                shares.push(Share { family, log, all, taken: 0 });
            }
        }
    }
    shares.sort_by_key(|share| share.all);
    let (mut left, mut to_go) = (total, shares.len() as u64);
    for share in &mut shares {
        share.taken = share.all.min(left.div_ceil(to_go));
        left = left.saturating_sub(share.taken);
        to_go -= 1;
    }
    shares
}

/// The number of the place that is had as the `nth` of a share: no place twice, and any number of
/// them spread over all.
fn place(share: &Share, seed: u64, nth: u64) -> u64 {
    const PRIME: u128 = 2_654_435_761;
    if share.all == DRAWN {
        return seed.wrapping_mul(1 << 40).wrapping_add(nth);
    }
    let spread = u128::from(nth) * PRIME + u128::from(seed);
    u64::try_from(spread % u128::from(share.all)).unwrap()
}

/// Makes mutants, about `total`, and holds each to the law.
pub(crate) fn attack(families: &[Family], total: u64, seed: u64) -> Vec<Row> {
    const AT_ONCE: usize = 1_000;
    let logs = Honest::all();
    let shares = shares(families, &logs, total);
    let tasks: Vec<(Share, u64)> = shares
        .iter()
        .flat_map(|share| (0..share.taken).step_by(AT_ONCE).map(|from| (*share, from)))
        .collect();
    let rows: Vec<Row> = families
        .iter()
        .enumerate()
        .map(|(number, family)| {
            let places = Places::of(shares.iter().filter(|share| share.family == number));
            Row { family: *family, mutants: 0, undetected: 0, passed_below: 0, places }
        })
        .collect();
    let rows = Mutex::new(rows);
    let faults = Mutex::new(Vec::new());
    go_through(0..tasks.len() as u64, |number| {
        let (share, from) = tasks[usize::try_from(number).unwrap()];
        let (family, honest) = (&families[share.family], &logs[share.log]);
        let (mut mutants, mut passed_below) = (0, 0);
        for nth in from..share.taken.min(from + AT_ONCE as u64) {
            let place = place(&share, seed, nth);
            let Some(mutant) = (family.mutant)(honest, place) else { continue };
            mutants += 1;
            match judge(honest, family, mutant) {
                Ok(passed) => passed_below += u64::from(passed),
                Err(fault) => {
                    let told = format!("{}, {}, place {place}: {fault}", family.name, honest.name);
                    faults.lock().unwrap().push((share.family, told));
                }
            }
        }
        let row = &mut rows.lock().unwrap()[share.family];
        row.mutants += mutants;
        row.passed_below += passed_below;
        ControlFlow::Continue(())
    });
    let mut rows = rows.into_inner().unwrap();
    let faults = faults.into_inner().unwrap();
    for (family, told) in &faults {
        rows[*family].undetected += 1;
        if rows[*family].undetected <= 5 {
            eprintln!("{told}");
        }
    }
    assert!(faults.is_empty(), "{} of seed {seed} are not found as they ought to be", faults.len());
    rows
}

/// A number taken apart into the choices that it stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choices(pub(crate) u64);

impl Choices {
    /// One of so many.
    pub(crate) fn of(&mut self, count: usize) -> usize {
        let count = count as u64;
        let chosen = self.0 % count;
        self.0 /= count;
        usize::try_from(chosen).unwrap()
    }
}

/// The product of the numbers of choices.
pub(crate) fn product(counts: &[usize]) -> u64 {
    counts.iter().map(|count| *count as u64).product()
}

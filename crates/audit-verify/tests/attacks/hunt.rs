//! Families of attacks, carried out as often as asked, and each has to be found.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{ControlFlow, Range};
use std::sync::Mutex;

use audit_testkit::dice::Dice;
use audit_testkit::soak::go_through;
use audit_verify::Verdict;

use crate::builder::Files;
use crate::families::FAMILIES;
use crate::logs::Log;

/// What whoever verifies has been given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// L0: the directory alone.
    Chain,
    /// L1: the log's key, too, and that it has to have signed the end.
    Key,
    /// L2: the newest checkpoint and head, too, kept elsewhere.
    Kept,
}

impl Level {
    pub(crate) const ALL: [Self; 3] = [Self::Chain, Self::Key, Self::Kept];
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(["L0", "L1", "L2"][*self as usize])
    }
}

/// A directory after an attack.
#[derive(Clone, Debug)]
pub(crate) struct Mutant {
    /// Where it has to be found at the latest.
    pub(crate) level: Level,
    pub(crate) files: Files,
}

impl Mutant {
    #[expect(clippy::unnecessary_wraps, reason = "nothing comes of some ways of a family")]
    pub(crate) fn found_by(level: Level, files: Files) -> Option<Self> {
        Some(Self { level, files })
    }
}

/// One kind of attack.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: &'static str,
    /// In how many ways it can be done to a log.
    pub(crate) ways: fn(&Log) -> usize,
    /// Does it in one of these ways; nothing comes of it where that would be no attack.
    pub(crate) attack: fn(&Log, usize) -> Option<Mutant>,
}

/// How many ways are taken at a time.
const SHARE: usize = 500;

/// A part of the ways of a family to attack a log.
struct Share<'h> {
    log: &'h Log,
    family: &'static Family,
    /// As if there were no more than the limit, evenly spread.
    ways: Range<usize>,
    limit: usize,
}

/// Carries out at least so many attacks: every family, on every log, in every way, or if there are
/// more, in as many ways of each as it takes.
pub(crate) fn hunt(mutants: usize, seed: u64) -> Found {
    let logs = Log::all();
    // Some ways leave the log as it was, or make no attack.
    let limit = limit(&logs, mutants + mutants / 4);
    let mut shares = Vec::new();
    for (log, family) in pairs(&logs) {
        let count = (family.ways)(log).min(limit);
        let starts = (0..count).step_by(SHARE);
        let parts = starts.map(|start| start..count.min(start + SHARE));
        shares.extend(parts.map(|ways| Share { log, family, ways, limit: count }));
    }
    let found = Mutex::new(Found::default());
    go_through(0..shares.len() as u64, |number| {
        let share = &shares[usize::try_from(number).unwrap()];
        let counts = share.carry_out(&mut Dice::new(seed.wrapping_mul(0x1_0000_0000) ^ number));
        found.lock().unwrap().add(share.family, counts);
        ControlFlow::Continue(())
    });
    found.into_inner().unwrap()
}

fn pairs(logs: &[Log]) -> impl Iterator<Item = (&Log, &'static Family)> {
    logs.iter().flat_map(|log| FAMILIES.iter().map(move |family| (log, family)))
}

/// The least number of ways of each family and log that makes so many together.
fn limit(logs: &[Log], mutants: usize) -> usize {
    let ways: Vec<usize> = pairs(logs).map(|(log, family)| (family.ways)(log)).collect();
    let (mut low, mut high) = (1, ways.iter().copied().max().unwrap());
    while low < high {
        let middle = usize::midpoint(low, high);
        let sum: usize = ways.iter().map(|count| (*count).min(middle)).sum();
        if sum < mutants { low = middle + 1 } else { high = middle }
    }
    low
}

type Counts = BTreeMap<Level, u64>;

impl Share<'_> {
    fn carry_out(&self, dice: &mut Dice) -> Counts {
        let all = (self.family.ways)(self.log);
        let mut counts = Counts::new();
        for number in self.ways.clone() {
            let begin = number * all / self.limit;
            let end = (number + 1) * all / self.limit;
            let way = begin + dice.index(end - begin);
            let Some(mutant) = (self.family.attack)(self.log, way) else { continue };
            if mutant.files != self.log.files {
                self.has_to_be_found(&mutant, way);
                *counts.entry(mutant.level).or_default() += 1;
            }
        }
        counts
    }

    /// At its level and by whoever has more, who never thinks better of it.
    fn has_to_be_found(&self, mutant: &Mutant, way: usize) {
        // A key misses its checkpoint where a pin or a head tells that no record was touched.
        let is_excused = mutant.level == Level::Key && self.log.has_its_records(&mutant.files);
        let most = if is_excused { Level::Key } else { Level::Kept };
        let mut worst = Verdict::Intact;
        for level in Level::ALL.into_iter().filter(|level| (mutant.level..=most).contains(level)) {
            let report = self.log.judge(&mutant.files, level);
            assert!(
                report.verdict.exit_code() != 0 && report.verdict >= worst,
                "{}, {}, way {way}, is {} at {level}, after {worst}\n{report}",
                self.family.name,
                self.log.name,
                report.verdict
            );
            worst = report.verdict;
        }
    }
}

/// What was carried out, and found.
#[derive(Debug, Default)]
pub(crate) struct Found(BTreeMap<&'static str, Counts>);

impl Found {
    fn add(&mut self, family: &Family, counts: Counts) {
        let sums = self.0.entry(family.name).or_default();
        for (level, count) in counts {
            *sums.entry(level).or_default() += count;
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.values().flat_map(Counts::values).sum()
    }

    fn counts(&self) -> impl Iterator<Item = (&str, Level, u64)> {
        let of = |(name, counts): (&&'static str, &Counts)| {
            let name = *name;
            counts.clone().into_iter().map(move |(level, count)| (name, level, count))
        };
        self.0.iter().flat_map(of)
    }

    /// A line of JSON for each family and level.
    pub(crate) fn rows(&self) -> String {
        let row = |(name, level, count)| {
            format!("{{\"family\":\"{name}\",\"level\":\"{level}\",\"mutants\":{count}}}\n")
        };
        self.counts().map(row).collect()
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} logs were attacked, and every attack was found.\n", self.total())?;
        writeln!(f, "| attack | found by | logs |\n|---|---|---:|")?;
        self.counts()
            .try_for_each(|(name, level, count)| writeln!(f, "| {name} | {level} | {count} |"))
    }
}

//! A failure made as small as it can be, so that a person sees what matters.

use std::fmt::Write as _;

use audit_writer::store::{Fate, Moment, Unsynced};

use crate::campaign::{Failed, Seen};
use crate::run::{Base, Run};
use crate::workload::Workload;
use audit_testkit::dice::Dice;

/// Crashes of a moment that are looked at, beside those that lose all, keep all, or one of it.
const SEEDS: u64 = 24;

/// Operations before the crash that are told.
const TOLD: usize = 16;

/// A workload, and the seed of the crash that ends it.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    pub(crate) workload: Workload,
    pub(crate) seed: u64,
}

/// A crash after which something does not hold.
struct Crash {
    run: Run,
    moment: Moment,
    fates: Vec<(Unsynced, Fate)>,
    why: String,
}

impl Life {
    /// Plays this life and ends it by a crash, as its seed says; the log as the next one finds it.
    ///
    /// # Errors
    ///
    /// What does not hold.
    pub(crate) fn ended(&self, base: &Base) -> Result<Base, String> {
        let run = Run::of(&self.workload, base)?;
        let mut dice = Dice::new(self.seed);
        let moment = &run.moments[dice.index(run.moments.len())];
        let seed = dice.seed();
        let found = moment.disk.after_crash(|unsynced| unsynced.fate(seed));
        let head = Seen::default().judge(&run, moment.operation, &found)?;
        Ok(run.base_after(moment.operation, &found, head))
    }
}

/// Items of which none can be left out, and not several in a row, without the failure going away.
pub(crate) fn shortest<T: Clone>(items: Vec<T>, fails: impl Fn(&[T]) -> bool) -> Vec<T> {
    let mut items = items;
    let mut taken = items.len().div_ceil(2);
    while taken > 0 && !items.is_empty() {
        let (mut at, before) = (0, items.len());
        while at < items.len() {
            let mut fewer = items.clone();
            fewer.drain(at..items.len().min(at + taken));
            if fails(&fewer) { items = fewer } else { at += taken }
        }
        // A pass that took something may have made something else needless.
        if taken > 1 || items.len() == before {
            taken /= 2;
        }
    }
    items
}

/// Tells a failure in its shortest form.
pub(crate) fn story(failed: &Failed) -> String {
    let Failed { lives, why } = failed;
    // Each attempt with a heavy one takes as long as a hundred others.
    if lives.iter().any(|life| life.workload.is_heavy()) || find(lives).is_none() {
        return format!("{why}\n{lives:#?}");
    }
    let mut lives = shortest(lives.clone(), |lives| find(lives).is_some());
    for index in 0..lives.len() {
        let with = |steps: &[_]| {
            let mut lives = lives.clone();
            lives[index].workload.steps = steps.to_vec();
            lives
        };
        let steps = lives[index].workload.steps.clone();
        lives = with(&shortest(steps, |steps| find(&with(steps)).is_some()));
    }
    match find(&lives) {
        Some(Ok(crash)) => told(&lives, &crash.with_fewest_kept()),
        Some(Err(why)) => format!("{why}\n{lives:#?}"),
        None => format!("{why}\n{lives:#?}"),
    }
}

/// Looks for a failure in these lives: a crash of the last one, or what goes wrong before.
fn find(lives: &[Life]) -> Option<Result<Crash, String>> {
    let (last, earlier) = lives.split_last()?;
    let mut base = Base::default();
    for (index, life) in earlier.iter().enumerate() {
        match life.ended(&base) {
            Ok(next) => base = next,
            Err(why) => return find(&lives[..=index]).or(Some(Err(why))),
        }
    }
    match Run::of(&last.workload, &base) {
        Ok(run) => find_crash(run).map(Ok),
        Err(why) => Some(Err(why)),
    }
}

fn find_crash(run: Run) -> Option<Crash> {
    let (moment, fates, why) = run.moments.iter().find_map(|moment| {
        let unsynced = moment.disk.unsynced();
        let mut failing = candidates(&unsynced)
            .filter_map(|fates| Some((play(&run, moment, &fates).err()?, fates)));
        let (why, fates) = failing.next()?;
        drop(failing);
        Some((moment.clone(), unsynced.into_iter().zip(fates).collect(), why))
    })?;
    Some(Crash { run, moment, fates, why })
}

/// Fates of unsynced operations, the simplest first.
fn candidates(unsynced: &[Unsynced]) -> impl Iterator<Item = Vec<Fate>> {
    let count = unsynced.len();
    let alone = move |alone: Fate, others: Fate| {
        (0..count).map(move |index| {
            let mut fates = vec![others; count];
            fates[index] = alone;
            fates
        })
    };
    let seeded = (0..SEEDS).map(|seed| unsynced.iter().map(|one| one.fate(seed)).collect());
    [vec![Fate::Lost; count], vec![Fate::Kept; count]]
        .into_iter()
        .chain(alone(Fate::Kept, Fate::Lost))
        .chain(alone(Fate::Lost, Fate::Kept))
        .chain(seeded)
}

fn play(run: &Run, moment: &Moment, fates: &[Fate]) -> Result<(), String> {
    let mut fates = fates.iter().copied();
    let found = moment.disk.after_crash(|_| fates.next().unwrap_or(Fate::Lost));
    let head = Seen::default().judge(run, moment.operation, &found)?;
    crate::loss::LossTable::default().count(run, moment.operation, head)
}

impl Crash {
    /// The same with as few operations kept as it takes, and each as plainly.
    fn with_fewest_kept(mut self) -> Self {
        let fails = |fates: &[Fate]| play(&self.run, &self.moment, fates).err();
        let mut fates: Vec<Fate> = self.fates.iter().map(|(_, fate)| *fate).collect();
        let all: Vec<usize> = (0..fates.len()).collect();
        let only = |fates: &[Fate], kept: &[usize]| -> Vec<Fate> {
            let fate = |index| if kept.contains(&index) { fates[index] } else { Fate::Lost };
            (0..fates.len()).map(fate).collect()
        };
        let kept = shortest(all, |kept| fails(&only(&fates, kept)).is_some());
        fates = only(&fates, &kept);
        for index in kept {
            let plain = fates.iter().enumerate();
            let plain = plain.map(|(at, fate)| if at == index { Fate::Kept } else { *fate });
            let plain: Vec<_> = plain.collect();
            if fails(&plain).is_some() {
                fates = plain;
            }
        }
        if let Some(why) = fails(&fates) {
            self.why = why;
        }
        for ((_, fate), fewest) in self.fates.iter_mut().zip(fates) {
            *fate = fewest;
        }
        self
    }
}

fn told(lives: &[Life], crash: &Crash) -> String {
    let Crash { run, moment, fates, why } = crash;
    let mut text = format!("{why}\n");
    for (index, Life { workload, .. }) in lives.iter().enumerate() {
        let Workload { flush, rotation, steps, signs } = workload;
        let signed = if *signs { ", signed" } else { "" };
        write!(text, "\nlife {index}: {flush:?}, {rotation:?}{signed}\n").unwrap();
        for step in steps {
            writeln!(text, "    {step:?}").unwrap();
        }
    }
    let trace = &run.trace[..moment.traced];
    let from = trace.len().saturating_sub(TOLD);
    write!(text, "\nthe last operations, of {}:\n", trace.len()).unwrap();
    for line in &trace[from..] {
        writeln!(text, "    {line}").unwrap();
    }
    write!(text, "\nthe power goes; what was not synced:\n").unwrap();
    for (Unsynced { operation, change }, fate) in fates {
        writeln!(text, "    {fate:?}: {operation} {change:?}").unwrap();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::shortest;

    #[test]
    fn what_a_failure_does_not_need_is_dropped() {
        let items: Vec<u32> = (0..100).collect();
        let fails = |items: &[u32]| items.contains(&17) && items.contains(&90);
        assert_eq!(shortest(items.clone(), fails), [17, 90]);
        // The order stays, and an even number of items is needed whichever they are.
        let fails = |items: &[u32]| items.len() >= 6 && items.is_sorted();
        assert_eq!(shortest(items.clone(), fails).len(), 6);
        assert_eq!(shortest(items, |_| true), [0_u32; 0]);
    }

    #[test]
    fn what_is_needless_only_after_something_else_went_is_dropped_too() {
        // 1 may go only when 2 is gone, and 2 only when 3 is.
        let fails = |items: &[u32]| {
            let has = |item| items.contains(&item);
            has(9) && (!has(2) || has(1)) && (!has(3) || has(2))
        };
        assert_eq!(shortest(vec![1, 2, 3, 9], fails), [9]);
    }
}

//! Workloads, one a seed, and crashes of each, until enough different states were found.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use audit_writer::SimDisk;
use audit_writer::store::{Fate, Moment};

use crate::check::{Judged, check, identity};
use crate::loss::LossTable;
use crate::run::{Base, Run};
use crate::shrink::{Life, story};
use crate::workload::Workload;
use audit_testkit::dice::Dice;
use audit_testkit::soak::go_through;

/// Crashes while a log is recovered from a crash, one in the recovery from the other.
const NESTED: u64 = 3;

/// Crashes of one moment that are played.
const DRAWS: u64 = 10;

/// What a campaign found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Different states that were found after a crash.
    pub(crate) states: HashSet<u64>,
    /// Crashes, of which some left a state that another one had left before.
    pub(crate) crashes: u64,
    pub(crate) workloads: u64,
    /// Different logs that sign, as crashes left them and as they went on.
    pub(crate) honest: HashSet<u64>,
    pub(crate) losses: LossTable,
}

/// What is played for a seed.
type Play = fn(u64, &mut Found) -> Result<(), Failed>;

/// Why a seed failed, and in which lives.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) lives: Vec<Life>,
    pub(crate) why: String,
}

/// Crashes of workloads.
pub(crate) fn crashes(seed: u64, states: usize) -> Found {
    campaign(seed, states, crash_everywhere, "--nested 0 --states 1")
}

/// Crashes of recoveries.
pub(crate) fn nested(seed: u64, states: usize) -> Found {
    campaign(seed, states, crash_in_recovery, "--states 0 --nested 1")
}

/// Crashes of logs that sign, in up to three lives.
pub(crate) fn signed(seed: u64, states: usize) -> Found {
    campaign(seed, states, crash_of_signed, "--states 0 --nested 0 --signed 1")
}

/// Plays seeds, from the first one on, until that many states were found.
///
/// # Panics
///
/// Something does not hold: with the shortest story in which it does not.
fn campaign(first: u64, states: usize, play: Play, replay: &str) -> Found {
    let all = Mutex::new(Found::default());
    let failed = Mutex::new(None);
    let seeds = if states == 0 { first..first } else { first..u64::MAX };
    go_through(seeds, |seed| {
        let mut found = Found { workloads: 1, ..Found::default() };
        let played = catch_unwind(AssertUnwindSafe(|| play(seed, &mut found)));
        let why = "a panic, which stands above".to_owned();
        let played = played.unwrap_or(Err(Failed { lives: Vec::new(), why }));
        if let Err(why) = played {
            failed.lock().unwrap().get_or_insert((seed, why));
            return ControlFlow::Break(());
        }
        let mut all = all.lock().unwrap();
        all.add(found);
        if all.states.len() < states { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    if let Some((seed, failed)) = failed.into_inner().unwrap() {
        let story = story(&failed);
        panic!("{story}\n\nagain: cargo xtask soak simulation {replay} --seed {seed}");
    }
    all.into_inner().unwrap()
}

impl Found {
    fn add(&mut self, other: Self) {
        self.states.extend(other.states);
        self.honest.extend(other.honest);
        self.crashes += other.crashes;
        self.workloads += other.workloads;
        self.losses.add(&other.losses);
    }
}

/// The states that crashes of one run left, and the newest record in each.
#[derive(Debug, Default)]
pub(crate) struct Seen(HashMap<u64, Judged>);

impl Seen {
    /// Judges what a crash of a run left, unless it is known, and tells its newest record.
    pub(crate) fn judge(
        &mut self,
        run: &Run,
        operation: u64,
        found: &SimDisk,
    ) -> Result<Option<u64>, String> {
        match self.0.entry(identity(found)) {
            Entry::Vacant(vacant) => Ok(vacant.insert(check(run, operation, found)?).head),
            Entry::Occupied(known) => {
                let head = known.get().head;
                // The records are known to be those of the run; a later crash may owe more of them.
                match run.promised_at(operation) {
                    Some(owed) if Some(owed.seq) > head => Err(format!("{owed} is lost")),
                    _ => Ok(head),
                }
            }
        }
    }
}

/// A crash of a moment: everything lost, everything kept, or as a seed says.
fn crash(moment: &Moment, draw: u64, dice: &mut Dice) -> SimDisk {
    let seed = dice.seed();
    moment.disk.after_crash(|unsynced| match draw {
        0 => Fate::Lost,
        1 => Fate::Kept,
        _ => unsynced.fate(seed),
    })
}

/// How many crashes of a moment are worth playing.
fn draws(moment: &Moment) -> u64 {
    if moment.disk.unsynced().is_empty() { 1 } else { DRAWS }
}

fn crash_everywhere(seed: u64, found: &mut Found) -> Result<(), Failed> {
    let workload = Workload::drawn(seed);
    let run = Run::of(&workload, &Base::default());
    let played = run.and_then(|run| crash_at_each_moment(&run, &mut Dice::new(!seed), found));
    played.map_err(|why| Failed { lives: vec![Life { workload, seed }], why })
}

fn crash_in_recovery(seed: u64, found: &mut Found) -> Result<(), Failed> {
    let mut dice = Dice::new(seed);
    let mut workloads = vec![Workload::short(&mut dice)];
    workloads.extend((0..NESTED).map(|_| Workload::recovery(&mut dice)));
    crash_after(workloads, &mut dice, found)
}

fn crash_of_signed(seed: u64, found: &mut Found) -> Result<(), Failed> {
    let mut dice = Dice::new(seed);
    let lives = dice.between(1, 3);
    let workloads = (0..lives).map(|_| Workload::signing(&mut dice)).collect();
    crash_after(workloads, &mut dice, found)
}

/// Ends each of these lives by a crash, and the last one by all of its.
fn crash_after(workloads: Vec<Workload>, dice: &mut Dice, found: &mut Found) -> Result<(), Failed> {
    let lives = workloads.into_iter().map(|workload| Life { workload, seed: dice.seed() });
    let lives: Vec<_> = lives.collect();
    crash_in_the_last(&lives, found).map_err(|why| Failed { lives, why })
}

fn crash_in_the_last(lives: &[Life], found: &mut Found) -> Result<(), String> {
    let (last, earlier) = lives.split_last().expect("there are some");
    let mut base = Base::default();
    for life in earlier {
        base = life.ended(&base)?;
    }
    let run = Run::of(&last.workload, &base)?;
    crash_at_each_moment(&run, &mut Dice::new(last.seed), found)
}

/// Plays crashes of every moment of a run. Of a long run a sample is enough: most of its moments
/// differ by one record.
fn crash_at_each_moment(run: &Run, dice: &mut Dice, found: &mut Found) -> Result<(), String> {
    let mut known = Seen::default();
    for moment in &run.moments {
        if run.workload.is_long() && !dice.once_in(6) {
            continue;
        }
        for draw in 0..draws(moment) {
            let disk = crash(moment, draw, dice);
            let head = known.judge(run, moment.operation, &disk)?;
            found.losses.count(run, moment.operation, head)?;
            found.crashes += 1;
        }
    }
    if run.workload.signs {
        found.honest.extend(known.0.iter().flat_map(|(state, judged)| [*state, judged.went_on]));
    }
    found.states.extend(known.0.into_keys());
    Ok(())
}

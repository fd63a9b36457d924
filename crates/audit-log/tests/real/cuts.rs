//! Power cuts under a process, on a file system of the kernel.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::ops::AddAssign;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use audit_testkit::dice::Dice;
use audit_testkit::loopback::{FileSystem, LoopDisk};

use crate::emitter::Task;
use crate::kills::many;
use crate::life::{ARGUMENTS, Kill, Life, SIGKILL, emitter, hear_until, live, watch};
use crate::log::Log;
use crate::losses::Found;
use crate::modes::MODES;

/// Cuts that one log sees.
const CUTS_A_LOG: u64 = 10;

/// What happened around the cuts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Around {
    /// Logs that a process opened, whether or not it came to its end.
    pub(crate) openings: u64,
    /// Segments that were found.
    pub(crate) segments: u64,
    /// Cuts before the process had said anything: while it opened the log, or soon after.
    pub(crate) early: u64,
}

impl fmt::Display for Around {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { openings, segments, early } = self;
        write!(f, "{openings} openings, {segments} segments, {early} cuts before the first word")
    }
}

impl AddAssign for Around {
    fn add_assign(&mut self, other: Self) {
        self.openings += other.openings;
        self.segments += other.segments;
        self.early += other.early;
    }
}

/// A new disk of the least size that its kind may have.
fn disk(kind: FileSystem) -> Result<LoopDisk, String> {
    let mebibytes = if kind == FileSystem::Xfs { 320 } else { 64 };
    LoopDisk::new(kind, mebibytes << 20, &[]).map_err(|error| error.to_string())
}

/// Whether such a disk can be had here; says so where it cannot.
pub(crate) fn can_mount(kind: FileSystem) -> bool {
    let disk = disk(kind);
    if let Err(why) = &disk {
        println!("skipped: {kind:?} cannot be mounted here: {why}");
    }
    disk.is_ok()
}

/// So many power cuts, and what was around them.
///
/// # Panics
///
/// Something does not hold: with the seed.
pub(crate) fn campaign(kind: FileSystem, seed: u64, cuts: u64) -> (Found, Around) {
    let all = Mutex::new(Around::default());
    let found = many(seed, cuts, CUTS_A_LOG, "cargo xtask soak cut", |seed, cuts| {
        let (found, around) = of_one_log(kind, seed, cuts)?;
        *all.lock().unwrap() += around;
        Ok(found)
    });
    (found, all.into_inner().unwrap())
}

fn of_one_log(kind: FileSystem, seed: u64, cuts: u64) -> Result<(Found, Around), String> {
    let mut dice = Dice::new(seed);
    let mut disk = disk(kind)?;
    let dir = disk.dir().join("log");
    fs::create_dir(&dir).unwrap();
    File::open(disk.dir()).unwrap().sync_all().unwrap();
    let mut log = Log::new(&dir);
    let (mut found, mut around) = (Found::default(), Around::default());
    let mut first = 0;
    for cut in 1..=cuts {
        let task = drawn(&mut dice, first);
        first += task.events;
        let of_this = |why| format!("{why}\n\ncut {cut} of seed {seed} on {kind:?}: {task}");
        let life = live_and_cut(&disk, &dir, &task, &mut dice, &mut around).map_err(of_this)?;
        disk.power_on().map_err(|error| of_this(error.to_string()))?;
        let left = log.judge(&task, &life).map_err(of_this)?;
        found.count(task.mode(), &life, left);
        // At times the next cut comes while the log is recovered from this one.
        if cut == cuts || !dice.once_in(3) {
            log.go_on(&task).map_err(of_this)?;
        }
    }
    around.segments = fs::read_dir(&dir).unwrap().count() as u64;
    Ok((found, around))
}

fn drawn(dice: &mut Dice, first: u64) -> Task {
    Task {
        mode: dice.index(MODES.len()),
        bytes_max: dice.between(5_000, 60_000),
        threads: dice.between(1, 64),
        events: dice.between(200, 1_200),
        critical_percent: 5,
        first,
    }
}

/// Records until the power is cut. On the way the log is closed and opened a few times, or its
/// process killed, so that the next one goes on after what only the cache has.
fn live_and_cut(
    disk: &LoopDisk,
    dir: &Path,
    task: &Task,
    dice: &mut Dice,
    around: &mut Around,
) -> Result<Life, String> {
    let openings = dice.between(1, 3);
    let last = openings - 1;
    let mut durable = BTreeMap::new();
    for opening in 0..last {
        let part = task.part(opening, openings);
        let lines = if dice.once_in(2) { dice.between(1, part.events) } else { u64::MAX };
        // What a kill may take of accepted events is not the question here.
        durable.extend(live(dir, &part, Kill::Lines(lines))?.durable);
    }
    let part = task.part(last, openings);
    let mut life = live_until_cut(disk, dir, &part, kill(&part, dice))?;
    around.openings += openings;
    around.early += u64::from(life.durable.is_empty() && life.accepted.is_empty());
    life.durable.append(&mut durable);
    Ok(life)
}

/// At some line, or after some time, which may be while the log is opened.
fn kill(part: &Task, dice: &mut Dice) -> Kill {
    if dice.once_in(2) {
        Kill::Lines(dice.between(1, part.events * 3 / 4))
    } else {
        Kill::Time(Duration::from_micros(dice.between(1_000, 20_000 + part.events * 100)))
    }
}

/// Lets a process live until the power is cut, and ends it then. What it said counts as far as it
/// was heard before.
fn live_until_cut(disk: &LoopDisk, dir: &Path, part: &Task, at: Kill) -> Result<Life, String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(ARGUMENTS).envs(emitter(dir, part));
    let mut heard = 0;
    let mut cut = Ok(());
    let (status, said) = watch(&mut command, |process, lines| {
        heard = hear_until(at, Instant::now(), lines);
        cut = disk.cut();
        process.kill().unwrap();
    });
    cut.map_err(|error| format!("the power cannot be cut: {error}"))?;
    // Whatever ended it was the cut, unless it was done before.
    let status = if status.success() { status } else { ExitStatus::from_raw(SIGKILL) };
    Life::of(status, &said[..heard])
}

//! Kills at random times, one log for many lives.

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::time::Duration;

use audit_testkit::dice::Dice;

use crate::emitter::Task;
use crate::life::{Kill, live};
use crate::log::Log;
use crate::losses::Found;
use crate::modes::MODES;
use audit_testkit::soak::go_through;

/// Lives that one log sees.
const LIVES_A_LOG: u64 = 20;

/// How much processes do.
#[derive(Debug)]
pub(crate) struct Load {
    draw: fn(&mut Dice) -> Task,
    /// Whether a killed process may be followed by another that is killed.
    follow: Follow,
}

/// Who opens the log after a kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Follow {
    /// Somebody who closes it in order, each time.
    Peace,
    /// At times one that is killed too, perhaps while it recovers the log.
    AnotherKill,
}

/// Some hundred events a life, in every flush mode.
pub(crate) const FEW: Load = Load { draw: few, follow: Follow::AnotherKill };

/// 20,000 events a life from 64 threads, one of 20 critical.
pub(crate) const CROWD: Load = Load { draw: crowd, follow: Follow::Peace };

fn few(dice: &mut Dice) -> Task {
    Task {
        mode: 0,
        bytes_max: dice.between(2_000, 60_000),
        threads: dice.between(1, 8),
        events: dice.between(200, 800),
        critical_percent: dice.between(0, 40),
        first: 0,
    }
}

fn crowd(dice: &mut Dice) -> Task {
    Task {
        mode: 2,
        bytes_max: dice.between(500_000, 2_000_000),
        threads: 64,
        events: 20_000,
        critical_percent: 5,
        first: 0,
    }
}

/// So many lives, each killed. Every log has a flush mode of its own.
///
/// # Panics
///
/// Something does not hold: with the seed, and the directory, which is kept.
pub(crate) fn campaign(seed: u64, lives: u64, load: &Load) -> Found {
    many(seed, lives, LIVES_A_LOG, "cargo xtask soak kill", |seed, lives| {
        of_one_log(seed, lives, load)
    })
}

/// Plays so many ends of logs, some for each log and a log for each seed, on every core.
///
/// # Panics
///
/// Something does not hold.
pub(crate) fn many(
    seed: u64,
    ends: u64,
    ends_a_log: u64,
    replay: &str,
    play: impl Fn(u64, u64) -> Result<Found, String> + Sync,
) -> Found {
    let all = Mutex::new(Ok(Found::default()));
    go_through(0..ends.div_ceil(ends_a_log), |at| {
        let ends = ends_a_log.min(ends - at * ends_a_log);
        let played = play(seed.wrapping_add(at), ends);
        let mut all = all.lock().unwrap();
        match (&mut *all, played) {
            (Ok(all), Ok(found)) => all.add(&found),
            (Ok(_), Err(why)) => *all = Err((seed.wrapping_add(at), why)),
            (Err(_), _) => {}
        }
        if all.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    let all = all.into_inner().unwrap();
    all.unwrap_or_else(|(seed, why)| {
        panic!("{why}\n\nsimilar: {replay} --rounds {ends_a_log} --seed {seed}")
    })
}

fn of_one_log(seed: u64, lives: u64, load: &Load) -> Result<Found, String> {
    let parent = tempfile::tempdir().unwrap();
    let mut log = Log::new(parent.path());
    let found = kill_again_and_again(&mut log, seed, lives, load);
    found.map_err(|why| format!("{why}\n\nthe log is kept in {}", parent.keep().display()))
}

fn kill_again_and_again(
    log: &mut Log,
    seed: u64,
    lives: u64,
    load: &Load,
) -> Result<Found, String> {
    let mut dice = Dice::new(seed);
    let mut found = Found::default();
    let mut first = 0;
    for life in 1..=lives {
        let drawn = (load.draw)(&mut dice);
        let mode = if load.follow == Follow::Peace { drawn.mode } else { mode(seed) };
        let task = Task { mode, first, ..drawn };
        first += task.events;
        let kill = kill(&task, &mut dice);
        let of_this = |why| format!("{why}\n\nlife {life} of seed {seed}, {kill:?}: {task}");
        let said = live(log.dir(), &task, kill).map_err(of_this)?;
        let left = log.judge(&task, &said).map_err(of_this)?;
        found.count(task.mode(), &said, left);
        let is_followed = load.follow == Follow::AnotherKill && life < lives && dice.once_in(3);
        if !is_followed {
            log.go_on(&task).map_err(of_this)?;
        }
    }
    Ok(found)
}

fn mode(seed: u64) -> usize {
    usize::try_from(seed % MODES.len() as u64).unwrap()
}

/// At some line, or after some time, which may be while the log is opened.
fn kill(task: &Task, dice: &mut Dice) -> Kill {
    if dice.once_in(2) {
        Kill::Lines(dice.between(1, task.events * 3 / 4))
    } else {
        // A process is started within a few milliseconds, and has done all within some tenths of a
        // second.
        Kill::Time(Duration::from_micros(dice.between(1_000, 30_000 + task.events * 20)))
    }
}

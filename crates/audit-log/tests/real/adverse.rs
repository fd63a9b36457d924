//! A minute each under what machines do to a process: a clock that is stepped, stops, few
//! descriptors, a disk that somebody else keeps busy. Nothing is lost, and nothing grows.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use audit_testkit::dice::Dice;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::emitter::Task;
use crate::life::{ARGUMENTS, Life, emitter, watch};
use crate::log::Log;

/// What is done to the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Adversity {
    ClockSteps,
    Stops,
    FewDescriptors,
    DiskHog,
}

pub(crate) const ALL: [Adversity; 4] =
    [Adversity::ClockSteps, Adversity::Stops, Adversity::FewDescriptors, Adversity::DiskHog];

/// Where libfaketime lies on Debian.
const FAKETIME: [&str; 2] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
];

/// Descriptors that the process may have: the three it is born with, the log's three, those of the
/// test harness, and one for looking at the identity of the boot.
const DESCRIPTORS: u32 = 12;

/// How often the clock is stepped, the process stopped, and looked at.
const BEAT: Duration = Duration::from_secs(1);

/// What a run was seen to use.
#[derive(Clone, Copy, Debug, Default)]
struct Use {
    resident_kib: u64,
    descriptors: u64,
}

/// What one run came to.
#[derive(Debug)]
pub(crate) struct Minute {
    pub(crate) adversity: Adversity,
    pub(crate) durable: usize,
    pub(crate) lost: usize,
    early: Use,
    late: Use,
}

/// The heading of the table that runs are the rows of.
pub(crate) const HEADING: &str = "\
| | durable events | accepted ones lost | KiB in memory, early and late | descriptors |
|---|---:|---:|---:|---:|";

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { adversity, durable, lost, early, late } = self;
        let (before, after) = (early.resident_kib, late.resident_kib);
        let (few, many) = (early.descriptors, late.descriptors);
        write!(f, "| {adversity:?} | {durable} | {lost} | {before}, {after} | {few}, {many} |")
    }
}

impl Minute {
    pub(crate) fn row(&self) -> Value {
        let Self { adversity, durable, lost, early, late } = self;
        json!({
            "kind": "adverse", "adversity": format!("{adversity:?}"), "durable": durable,
            "lost_accepted": lost, "resident_kib": [early.resident_kib, late.resident_kib],
            "descriptors": [early.descriptors, late.descriptors],
        })
    }
}

/// Says why it cannot be done here.
pub(crate) fn is_possible(adversity: Adversity) -> bool {
    let is_there = adversity != Adversity::ClockSteps || faketime().is_some();
    if !is_there {
        println!("skipped: libfaketime is not installed, so no clock is stepped");
    }
    is_there
}

fn faketime() -> Option<&'static str> {
    FAKETIME.into_iter().find(|path| Path::new(path).exists())
}

/// Lets a process record for so long, kills it, and judges its log and what it used.
///
/// # Errors
///
/// What does not hold.
pub(crate) fn endure(adversity: Adversity, seed: u64, time: Duration) -> Result<Minute, String> {
    let parent = tempfile::tempdir().unwrap();
    let [dir, clock, hog] = ["log", "clock", "hog"].map(|name| parent.path().join(name));
    fs::create_dir(&dir).unwrap();
    let task = Task {
        mode: usize::try_from(seed % 3).unwrap(),
        bytes_max: 4_000_000,
        threads: 8,
        events: 100_000_000,
        critical_percent: 5,
        first: 0,
    };
    let mut command = command(adversity, &dir, &clock, &task);
    let is_over = AtomicBool::new(false);
    let (mut early, mut late) = (None, Use::default());
    let (status, said) = thread::scope(|scope| {
        if adversity == Adversity::DiskHog {
            scope.spawn(|| keep_busy(&hog, &is_over));
        }
        let mut dice = Dice::new(seed);
        let ended = watch(&mut command, |process, _| {
            let end = Instant::now() + time;
            while Instant::now() < end {
                thread::sleep(BEAT);
                beat(adversity, process, &clock, &mut dice);
                late = Use::of(process);
                // What is allocated once is allocated by then.
                if Instant::now() + time * 2 / 3 > end {
                    early.get_or_insert(late);
                }
            }
            process.kill().unwrap();
        });
        is_over.store(true, Ordering::Relaxed);
        ended
    });
    let early = early.unwrap_or(late);
    let life = Life::of(status, &said)?;
    let mut log = Log::new(&dir);
    let left = log.judge(&task, &life)?;
    log.go_on(&task)?;
    if adversity == Adversity::ClockSteps && dates(&dir) < 2 {
        return Err("the clock was not stepped".to_owned());
    }
    if late.descriptors > early.descriptors + 2 || late.resident_kib > early.resident_kib + 16_384 {
        return Err(format!("{early:?} became {late:?}"));
    }
    Ok(Minute { adversity, durable: life.durable.len(), lost: left.lost, early, late })
}

fn command(adversity: Adversity, dir: &Path, clock: &Path, task: &Task) -> Command {
    let program = std::env::current_exe().unwrap();
    let mut command = match adversity {
        Adversity::Stops | Adversity::ClockSteps => Command::new(program),
        Adversity::FewDescriptors => {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("ulimit -n {DESCRIPTORS}; exec \"$0\" \"$@\"")]);
            shell.arg(program);
            shell
        }
        Adversity::DiskHog => {
            let mut nice = Command::new("nice");
            nice.args(["-n", "19"]).arg(program);
            nice
        }
    };
    command.args(ARGUMENTS).envs(emitter(dir, task));
    if adversity == Adversity::ClockSteps {
        fs::write(clock, "+0").unwrap();
        command.env("LD_PRELOAD", faketime().unwrap()).env("FAKETIME_TIMESTAMP_FILE", clock);
        command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }
    command
}

/// What happens to the process once a second.
fn beat(adversity: Adversity, process: &Child, clock: &Path, dice: &mut Dice) {
    match adversity {
        Adversity::ClockSteps => {
            let hours = dice.between(0, 96);
            let sign = if dice.once_in(2) { '+' } else { '-' };
            fs::write(clock, format!("{sign}{hours}h")).unwrap();
        }
        Adversity::Stops => {
            let process = Pid::from_child(process);
            kill_process(process, Signal::STOP).unwrap();
            thread::sleep(Duration::from_millis(dice.between(1, 1_500)));
            kill_process(process, Signal::CONT).unwrap();
        }
        Adversity::FewDescriptors | Adversity::DiskHog => {}
    }
}

/// How many dates the names of segments have.
fn dates(dir: &Path) -> usize {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    let date = |name: std::ffi::OsString| name.to_str()?.split('.').nth(1).map(str::to_owned);
    names.filter_map(date).collect::<BTreeSet<_>>().len()
}

/// Writes 64 MiB over and over, and syncs each.
fn keep_busy(path: &PathBuf, is_over: &AtomicBool) {
    let mut file = File::create(path).unwrap();
    let block = vec![7; 1 << 20];
    file.write_all(&block).unwrap();
    while !is_over.load(Ordering::Relaxed) {
        for at in 0..64 {
            file.write_all_at(&block, at << 20).unwrap();
        }
        file.sync_data().unwrap();
    }
}

impl Use {
    fn of(process: &Child) -> Self {
        let proc = PathBuf::from(format!("/proc/{}", process.id()));
        let status = fs::read_to_string(proc.join("status")).unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident_kib = resident.and_then(|text| text.trim().strip_suffix(" kB")?.parse().ok());
        let descriptors = fs::read_dir(proc.join("fd")).map_or(0, Iterator::count);
        Self { resident_kib: resident_kib.unwrap_or_default(), descriptors: descriptors as u64 }
    }
}

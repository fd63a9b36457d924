//! Power cuts under a logger, on a file system that forgets what was not synced.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use audit_log::{
    AuditConfig, AuditLogger, EmitError, OverflowPolicy, PendingReceipt, Receipt, ShutdownError,
};
use audit_testkit::dice::Dice;
use audit_testkit::forgetful::{Allocation, Cut, ForgetfulDisk, Mounted};

use crate::emitter::{Task, event, on_any_file_system};
use crate::kills::many;
use crate::life::Life;
use crate::log::Log;
use crate::losses::Found;
use crate::modes::MODES;

/// Cuts that one log sees.
const CUTS_A_LOG: u64 = 20;

/// How long a call waits for a disk that has no power any more, and how long the end of a log.
const SHORT: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_mins(1);

/// Whether such a file system can be mounted here; says so where it cannot.
pub(crate) fn can_mount() -> bool {
    let dir = tempfile::tempdir().unwrap();
    let mounted = Mounted::new(&ForgetfulDisk::new(Allocation::Supported), dir.path());
    if let Err(error) = &mounted {
        println!("skipped: FUSE cannot be mounted here: {error}");
    }
    mounted.is_ok()
}

/// So many power cuts.
///
/// # Panics
///
/// Something does not hold: with the seed.
pub(crate) fn campaign(seed: u64, cuts: u64) -> Found {
    many(seed, cuts, CUTS_A_LOG, "cargo xtask soak forgetful", of_one_log)
}

fn of_one_log(seed: u64, cuts: u64) -> Result<Found, String> {
    let mut dice = Dice::new(seed);
    let dir = tempfile::tempdir().unwrap();
    let allocation = if dice.once_in(4) { Allocation::Unsupported } else { Allocation::Supported };
    let disk = ForgetfulDisk::new(allocation);
    let mounted = Mounted::new(&disk, dir.path()).map_err(|error| error.to_string())?;
    let mut log = Log::new(dir.path());
    let mut found = Found::default();
    let mut first = 0;
    for cut in 1..=cuts {
        let task = drawn(&mut dice, first);
        first += task.events;
        let of_this = |why| format!("{why}\n\ncut {cut} of seed {seed}: {task}");
        let life = live(&disk, dir.path(), &task, &mut dice).map_err(of_this)?;
        disk.power_on(&mut dice);
        let left = log.judge(&task, &life).map_err(of_this)?;
        found.count(task.mode(), &life, left);
        // At times the next cut comes while the log is recovered from this one.
        if cut == cuts || !dice.once_in(3) {
            log.go_on(&task).map_err(of_this)?;
        }
    }
    drop(mounted);
    Ok(found)
}

fn drawn(dice: &mut Dice, first: u64) -> Task {
    Task {
        mode: dice.index(MODES.len()),
        bytes_max: dice.between(1_000, 30_000),
        threads: dice.between(1, 3),
        events: dice.between(1, 150),
        critical_percent: dice.between(0, 40),
        first,
    }
}

/// Records until the power is cut, closing and opening the log a few times on the way.
fn live(disk: &ForgetfulDisk, dir: &Path, task: &Task, dice: &mut Dice) -> Result<Life, String> {
    let at = disk.operations() + dice.between(0, 60);
    disk.cut_at(at, if dice.once_in(2) { Cut::Before } else { Cut::After });
    let mut life = Life { durable: BTreeMap::new(), accepted: Vec::new(), was_killed: false };
    let openings = dice.between(1, 3);
    for opening in 0..openings {
        let part = task.part(opening, openings);
        let log = match AuditLogger::open(Arc::new(config(&part, dir))) {
            Ok(log) => log,
            Err(_) if disk.is_cut() => break,
            Err(error) => return Err(format!("it does not open: {error}")),
        };
        let said = record(&log, disk, &part)?;
        match log.shutdown(PATIENCE) {
            Ok(_) => {}
            Err(ShutdownError::Write(_) | ShutdownError::Lost { .. }) if disk.is_cut() => {}
            Err(error) => return Err(format!("it does not close: {error}")),
        }
        for (number, receipt) in said {
            match receipt {
                Said::Durable(receipt) => drop(life.durable.insert(number, receipt)),
                Said::Accepted(receipt) => match receipt.outcome() {
                    Some(Ok(receipt)) => drop(life.durable.insert(number, receipt)),
                    Some(Err(_)) | None => life.accepted.push(number),
                },
            }
        }
    }
    life.was_killed = disk.is_cut();
    disk.cut();
    Ok(life)
}

fn config(task: &Task, dir: &Path) -> AuditConfig {
    AuditConfig {
        open_policy: on_any_file_system(),
        overflow_policy: OverflowPolicy::Block { deadline: SHORT },
        ..task.config(dir)
    }
}

/// What a call came to.
#[derive(Debug)]
enum Said {
    Durable(Receipt),
    Accepted(PendingReceipt),
}

/// Records from some threads until all is done or the power is cut.
fn record(
    log: &AuditLogger,
    disk: &ForgetfulDisk,
    task: &Task,
) -> Result<Vec<(u64, Said)>, String> {
    let emit = |thread| emit(log, disk, task, thread);
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..task.threads).map(|thread| scope.spawn(move || emit(thread))).collect();
        let mut all = Vec::new();
        for thread in threads {
            all.extend(thread.join().unwrap()?);
        }
        Ok(all)
    })
}

fn emit(
    log: &AuditLogger,
    disk: &ForgetfulDisk,
    task: &Task,
    thread: u64,
) -> Result<Vec<(u64, Said)>, String> {
    let mut said = Vec::new();
    for (number, is_critical) in task.of_thread(thread) {
        match log.emit_with_receipt(event(&format!("n{number}"), is_critical)) {
            Ok(receipt) => match receipt.outcome() {
                Some(Ok(receipt)) => said.push((number, Said::Durable(receipt))),
                None if !task.mode().promises(is_critical) => {
                    said.push((number, Said::Accepted(receipt)));
                }
                // It was accepted, and the power was gone before anybody looked.
                Some(Err(_)) if disk.is_cut() && !task.mode().promises(is_critical) => {
                    said.push((number, Said::Accepted(receipt)));
                }
                outcome => return Err(format!("event {number} was returned with {outcome:?}")),
            },
            Err(_) if disk.is_cut() => break,
            // The machine is busy. Nothing was promised.
            Err(EmitError::Pending(_)) => {}
            Err(error) => return Err(format!("event {number}: {error}")),
        }
    }
    Ok(said)
}

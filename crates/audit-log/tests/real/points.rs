//! A kill at each system call of a short life.

use std::process::Command;

use crate::emitter::Task;
use crate::life::{ARGUMENTS, Life, emitter, run};
use crate::log::Log;

/// The calls that change a log, or make it durable, or tell of it.
pub(crate) const CALLS: [&str; 8] =
    ["write", "fdatasync", "fsync", "renameat2", "unlinkat", "fallocate", "ftruncate", "fchmod"];

/// More of one kind than a short life has.
const CALLS_MAX: u64 = 500;

/// Whether processes can be traced here; says so where they cannot.
pub(crate) fn can_trace() -> bool {
    let traced = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).output();
    match traced {
        Ok(traced) if traced.status.success() => return true,
        Ok(traced) => {
            let told = String::from_utf8_lossy(&traced.stderr).into_owned();
            println!("skipped: strace cannot attach: {told}");
        }
        Err(error) => println!("skipped: strace cannot be started: {error}"),
    }
    false
}

/// Kills a process at the first, the second and each further call of a kind, until one is done
/// before it is killed; one log for all of them.
pub(crate) fn kill_at_each() {
    let parent = tempfile::tempdir().unwrap();
    let mut log = Log::new(parent.path());
    let mut first = 0;
    for call in CALLS {
        let mut killed = 0;
        for when in 1..=CALLS_MAX {
            let task = Task {
                mode: 1,
                bytes_max: 2_000,
                threads: 2,
                events: 12,
                critical_percent: 30,
                first,
            };
            first += task.events;
            let life = killed_at(&log, &task, call, when);
            let judged = life.and_then(|life| {
                log.judge(&task, &life)?;
                // Every second log is opened by a process that is killed in its turn.
                if when % 2 == 0 || !life.was_killed {
                    log.go_on(&task)?;
                }
                Ok(life)
            });
            let life = judged.unwrap_or_else(|why| panic!("killed at {call} {when}: {why}"));
            if !life.was_killed {
                break;
            }
            killed += 1;
        }
        assert!((1..CALLS_MAX).contains(&killed), "{killed} kills at {call}");
        println!("{killed} kills at {call}");
    }
}

fn killed_at(log: &Log, task: &Task, call: &str, when: u64) -> Result<Life, String> {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
    strace.args(["-e", &format!("inject={call}:signal=KILL:when={when}")]);
    strace.arg(std::env::current_exe().unwrap()).args(ARGUMENTS).envs(emitter(log.dir(), task));
    let (status, said) = run(&mut strace, None);
    Life::of(status, &said)
}

//! A life of such a process: from its start to the kill, with everything that it said.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use audit_log::Receipt;

use crate::emitter::{DIR, TASK, Task};

pub(crate) const SIGKILL: i32 = 9;

/// When a process is killed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kill {
    /// When it has said so many lines.
    Lines(u64),
    /// When so much time has passed since it was started.
    Time(Duration),
}

/// What a process said, and how it ended.
#[derive(Debug)]
pub(crate) struct Life {
    /// Events that it said were durable.
    pub(crate) durable: BTreeMap<u64, Receipt>,
    /// Events of which it said that they were accepted, and no more.
    pub(crate) accepted: Vec<u64>,
    pub(crate) was_killed: bool,
}

/// The command that is such a process.
pub(crate) fn emitter(dir: &Path, task: &Task) -> Vec<(&'static str, String)> {
    vec![(DIR, dir.to_str().unwrap().to_owned()), (TASK, task.to_string())]
}

/// What the test binary is told to be the process.
pub(crate) const ARGUMENTS: [&str; 4] =
    ["--ignored", "--exact", "emitter::the_emitter", "--nocapture"];

/// Lets a process live until it is killed, or done before.
pub(crate) fn live(dir: &Path, task: &Task, kill: Kill) -> Result<Life, String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(ARGUMENTS).envs(emitter(dir, task));
    let (status, said) = run(&mut command, Some(kill));
    Life::of(status, &said)
}

/// Runs a command to its end, or kills it; how it ended, and the lines of its standard error.
pub(crate) fn run(command: &mut Command, kill: Option<Kill>) -> (ExitStatus, Vec<String>) {
    let started = Instant::now();
    watch(command, |process, lines| {
        if let Some(kill) = kill {
            hear_until(kill, started, lines);
            process.kill().unwrap();
        }
    })
}

/// Runs a command, and acts while it does, with a message for each of its lines; how it ended, and
/// the lines of its standard error.
pub(crate) fn watch(
    command: &mut Command,
    act: impl FnOnce(&mut Child, &Receiver<()>),
) -> (ExitStatus, Vec<String>) {
    let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let (sender, receiver) = channel();
    let stderr = BufReader::new(process.stderr.take().unwrap());
    let reader = thread::spawn(move || {
        let mut lines = Vec::new();
        for line in stderr.lines() {
            lines.push(line.unwrap());
            // Nobody listens any more once it is killed.
            sender.send(()).unwrap_or_default();
        }
        lines
    });
    act(&mut process, &receiver);
    drop(receiver);
    let said = reader.join().unwrap();
    (process.wait().unwrap(), said)
}

/// Waits until it is time, and says how many lines there were by then.
pub(crate) fn hear_until(kill: Kill, started: Instant, lines: &Receiver<()>) -> usize {
    let mut heard = 0;
    match kill {
        Kill::Lines(count) => heard += lines.iter().take(usize::try_from(count).unwrap()).count(),
        Kill::Time(time) => {
            let end = started + time;
            while let Some(left) = end.checked_duration_since(Instant::now()) {
                match lines.recv_timeout(left) {
                    Ok(()) => heard += 1,
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
                }
            }
        }
    }
    heard + lines.try_iter().count()
}

impl Life {
    /// # Errors
    ///
    /// The process ended otherwise than by being done or killed.
    pub(crate) fn of(status: ExitStatus, said: &[String]) -> Result<Self, String> {
        let was_killed = status.signal() == Some(SIGKILL);
        let mut life = Self { durable: BTreeMap::new(), accepted: Vec::new(), was_killed };
        let is_understood = said.iter().all(|line| life.hear(line).is_some());
        if !is_understood || !(was_killed || status.success()) {
            return Err(format!("the process ended with {status}: {}", said.join("\n")));
        }
        let durable = &life.durable;
        life.accepted.retain(|number| !durable.contains_key(number));
        Ok(life)
    }

    fn hear(&mut self, line: &str) -> Option<()> {
        let (number, what) = line.split_once(' ')?;
        let number = number.parse().ok()?;
        if what == "accepted" {
            self.accepted.push(number);
        } else {
            self.durable.insert(number, what.parse().ok()?);
        }
        Some(())
    }
}

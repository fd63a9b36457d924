//! What a figure depends on beside the code.

use std::fmt;
use std::process::Command;

use crate::command::{Failure, read, workspace_root};

/// The commit, the machine and the compiler of a run.
#[derive(Debug)]
pub(crate) struct Machine {
    /// The day, UTC, in `YYYY-MM-DD`.
    pub(crate) date: String,
    commit: String,
    /// Whether the tree is other than the commit.
    dirty: bool,
    cpu: String,
    cores: usize,
    kernel: String,
    rustc: String,
    /// Processes that were running or waiting on average, in the minute before.
    load: String,
}

impl Machine {
    pub(crate) fn read() -> Result<Self, Failure> {
        let cores = std::thread::available_parallelism()
            .map_err(|error| Failure::new(format_args!("cannot count the cores: {error}")))?;
        Ok(Self {
            date: said("date", &["-u", "+%Y-%m-%d"])?,
            commit: said("git", &["rev-parse", "HEAD"])?,
            dirty: !said("git", &["status", "--porcelain"])?.is_empty(),
            cpu: cpu_model(&file("/proc/cpuinfo")?),
            cores: cores.get(),
            kernel: said("uname", &["-sr"])?,
            rustc: said("rustc", &["--version"])?,
            load: first_word(&file("/proc/loadavg")?),
        })
    }
}

/// The rows of a table in Markdown.
impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { date, commit, dirty, cpu, cores, kernel, rustc, load } = self;
        let state = if *dirty { ", dirty: the tree was not as committed" } else { "" };
        writeln!(f, "| date | {date} |")?;
        writeln!(f, "| commit | {commit}{state} |")?;
        writeln!(f, "| processor | {cpu}, {cores} cores |")?;
        writeln!(f, "| kernel | {kernel} |")?;
        writeln!(f, "| compiler | {rustc} |")?;
        writeln!(f, "| load before the run | {load} |")
    }
}

/// What a command prints, run in the workspace.
fn said(program: &str, arguments: &[&str]) -> Result<String, Failure> {
    let printed = read(Command::new(program).args(arguments).current_dir(workspace_root()))?;
    Ok(printed.trim().to_owned())
}

fn file(path: &str) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::new(format_args!("cannot read {path}: {error}")))
}

/// Not every architecture names its processor there.
fn cpu_model(cpuinfo: &str) -> String {
    let named = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"));
    let model = named.and_then(|rest| rest.split_once(':'));
    model.map_or(std::env::consts::ARCH, |(_, model)| model.trim()).to_owned()
}

fn first_word(text: &str) -> String {
    text.split_whitespace().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_named_if_the_kernel_names_it() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nmodel name\t: other\n";
        assert_eq!(cpu_model(cpuinfo), "Some CPU @ 2 GHz");
        assert_eq!(cpu_model("BogoMIPS\t: 50\n"), std::env::consts::ARCH);
    }

    #[test]
    fn a_tree_that_is_not_as_committed_is_said_to_be_dirty() {
        let mut machine = Machine::read().unwrap();
        machine.dirty = false;
        assert!(!machine.to_string().contains("dirty"));
        machine.dirty = true;
        assert!(machine.to_string().contains(&format!("{}, dirty", machine.commit)));
    }
}

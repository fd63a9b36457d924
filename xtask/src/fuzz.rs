//! `cargo xtask fuzz [TARGET] [--seconds N]`: builds the fuzz targets and runs them.
//!
//! No crate of ours has unsafe code, so no sanitizer is needed, and without one the toolchain of
//! the workspace builds them. What a run finds of new inputs goes to `target/fuzz/`; the seeds under
//! `fuzz/corpus/` stay as they are.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Failure, Outcome, cargo, run, succeeds_silently, workspace_root};
use crate::output;

const SECONDS_DEFAULT: u32 = 600;

/// What is asked for: one target or all of them, and how long each runs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    target: Option<String>,
    seconds: u32,
}

/// Reads the words after the verb; `None` when they are not understood.
pub(crate) fn parse(words: &[&str]) -> Option<Options> {
    let mut options = Options { target: None, seconds: SECONDS_DEFAULT };
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        match word {
            "--seconds" => {
                options.seconds = words.next()?.parse().ok().filter(|&seconds| seconds > 0)?;
            }
            word if word.starts_with('-') || options.target.is_some() => return None,
            word => options.target = Some(word.to_owned()),
        }
    }
    Some(options)
}

/// Runs the targets that were asked for, one after the other.
pub(crate) fn run_targets(options: &Options) -> Outcome {
    let root = workspace_root();
    let targets = chosen(targets(&root)?, options.target.as_deref())?;
    if let Some(missing) = missing_tool() {
        output::say(format_args!("skipped: {missing}"));
        return Ok(());
    }
    for target in &targets {
        output::say(format_args!("== {target}: {} s", options.seconds));
        run(&mut fuzz_command(&root, target, options.seconds)?)?;
    }
    Ok(())
}

/// The names of the targets, which are those of their files.
fn targets(root: &Path) -> Result<Vec<String>, Failure> {
    let directory = root.join("fuzz/fuzz_targets");
    let cannot = |error| Failure::new(format_args!("cannot list {}: {error}", directory.display()));
    let mut targets = Vec::new();
    for entry in std::fs::read_dir(&directory).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        targets.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    targets.sort();
    Ok(targets)
}

fn chosen(targets: Vec<String>, wanted: Option<&str>) -> Result<Vec<String>, Failure> {
    let Some(wanted) = wanted else { return Ok(targets) };
    let all = targets.join(", ");
    let found: Vec<String> = targets.into_iter().filter(|target| target == wanted).collect();
    if found.is_empty() {
        return Err(Failure::new(format_args!("no target `{wanted}`; there are {all}")));
    }
    Ok(found)
}

/// What of the tools is not there, as a sentence.
fn missing_tool() -> Option<&'static str> {
    if !succeeds_silently(&mut cargo(&["fuzz", "--version"])) {
        return Some("cargo-fuzz is not installed");
    }
    if !succeeds_silently(Command::new("c++").arg("--version")) {
        return Some("there is no C++ compiler, which libFuzzer is built with");
    }
    None
}

fn fuzz_command(root: &Path, target: &str, seconds: u32) -> Result<Command, Failure> {
    let found = directory(root.join("target/fuzz").join(target))?;
    let seeds = directory(root.join("fuzz/corpus").join(target))?;
    let dictionary = root.join("fuzz/json.dict");
    let mut command = cargo(&["fuzz", "run", "--sanitizer", "none", target]);
    command.args([found, seeds]).arg("--");
    command.arg(format!("-dict={}", dictionary.display()));
    command.args([format!("-max_total_time={seconds}"), "-print_final_stats=1".to_owned()]);
    Ok(command)
}

/// Makes the directory if it is not there: libFuzzer wants to find it.
fn directory(path: PathBuf) -> Result<PathBuf, Failure> {
    let made = std::fs::create_dir_all(&path);
    made.map_err(|error| Failure::new(format_args!("cannot make {}: {error}", path.display())))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_and_a_time_are_understood_in_any_order() {
        let options =
            |target: Option<&str>, seconds| Options { target: target.map(str::to_owned), seconds };
        assert_eq!(parse(&[]).unwrap(), options(None, 600));
        assert_eq!(parse(&["decode"]).unwrap(), options(Some("decode"), 600));
        assert_eq!(parse(&["--seconds", "7", "decode"]).unwrap(), options(Some("decode"), 7));
        assert_eq!(parse(&["decode", "--seconds", "7"]).unwrap(), options(Some("decode"), 7));
    }

    #[test]
    fn what_is_misspelled_is_not_run() {
        for words in
            [&["--second", "7"][..], &["--seconds"], &["--seconds", "0"], &["decode", "record"]]
        {
            assert_eq!(parse(words), None, "{words:?}");
        }
        let failure = chosen(targets(&workspace_root()).unwrap(), Some("frob")).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "no target `frob`; there are decode, record, recovery, report, sanitize, verdict"
        );
    }

    #[test]
    fn every_target_has_seeds_and_is_in_the_manifest() {
        let root = workspace_root();
        let manifest = std::fs::read_to_string(root.join("fuzz/Cargo.toml")).unwrap();
        for target in targets(&root).unwrap() {
            assert!(manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")), "{target}");
            let seeds = std::fs::read_dir(root.join("fuzz/corpus").join(&target)).unwrap();
            assert!(seeds.count() > 0, "{target}");
        }
    }
}

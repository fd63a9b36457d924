//! Runs the instruments, and reads what they found.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::figures::{Instructions, Measured, Memory, Time, Work};
use crate::command::{Failure, cargo, read, run, succeeds_silently, workspace_root};
use crate::output;

/// The crates that are measured, as a service builds them: the whole workspace would come with the
/// features of the command.
const PACKAGES: [&str; 10] = [
    "-p",
    "audit-core",
    "-p",
    "audit-validate",
    "-p",
    "audit-writer",
    "-p",
    "audit-verify",
    "-p",
    "audit-log",
];

/// Benchmarks whose names end so count instructions; the others take time.
const INSTRUCTIONS: &str = "*_instructions";

const TIMES: [&str; 8] =
    ["--bench", "text", "--bench", "record", "--bench", "append", "--bench", "verify"];

/// The program that starts valgrind for the benchmarks, and the variable that tells where it is.
const RUNNER: &str = "gungraun-runner";
const RUNNER_PLACE: &str = "GUNGRAUN_RUNNER";

/// Takes all figures, the cheapest first.
pub(super) fn all() -> Result<Measured, Failure> {
    output::say("== allocations");
    let allocations = allocations()?;
    let mut measured = Measured { allocations, ..Measured::default() };
    output::say("== instructions");
    match why_not_counted() {
        None => measured.instructions = instructions()?,
        Some(why) => {
            output::say(&why);
            measured.skipped.push(why);
        }
    }
    output::say("== times");
    measured.times = times()?;
    Ok(measured)
}

/// A directory for what an instrument writes, with nothing of an earlier run in it.
fn empty_dir(name: &str) -> Result<PathBuf, Failure> {
    let dir = workspace_root().join("target/bench").join(name);
    match fs::remove_dir_all(&dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::new(format_args!("cannot empty {}: {error}", dir.display())))
        }
        Ok(()) | Err(_) => Ok(dir),
    }
}

fn allocations() -> Result<Vec<Memory>, Failure> {
    let mut command = cargo(&["test", "--quiet", "--release", "--test", "allocations"]);
    let printed = read(command.args(PACKAGES).args(["--", "--nocapture"]))?;
    let rows = printed.lines().filter(|line| line.starts_with('{'));
    let mut counted: Vec<Memory> = rows
        .map(|line| allocations_of(line).ok_or_else(|| unreadable("an allocation test", line)))
        .collect::<Result<_, _>>()?;
    counted.sort_by(|a, b| a.name.cmp(&b.name));
    some(counted, "allocations")
}

fn allocations_of(line: &str) -> Option<Memory> {
    let row: Value = serde_json::from_str(line).ok()?;
    let number = |key: &str| row.get(key)?.as_u64();
    Some(Memory {
        name: row.get("name")?.as_str()?.to_owned(),
        allocations: number("allocations")?,
        reallocations: number("reallocations")?,
        bytes: number("bytes")?,
    })
}

/// Why instructions cannot be counted here, if they cannot.
fn why_not_counted() -> Option<String> {
    let runner = std::env::var_os(RUNNER_PLACE).unwrap_or_else(|| OsString::from(RUNNER));
    let is_there = |program: &OsString| succeeds_silently(Command::new(program).arg("--version"));
    let missing = match (is_there(&"valgrind".into()), is_there(&runner)) {
        (true, true) => return None,
        (true, false) => RUNNER,
        (false, true) => "valgrind",
        (false, false) => "valgrind, nor is gungraun-runner",
    };
    Some(format!("Instructions were not counted: {missing} is not installed."))
}

fn instructions() -> Result<Vec<Instructions>, Failure> {
    let mut command = cargo(&["bench", "--quiet", "--bench", INSTRUCTIONS]);
    command.args(PACKAGES).args(["--", "--output-format=json"]);
    let printed = read(command.env("GUNGRAUN_HOME", empty_dir("gungraun")?))?;
    let mut counted: Vec<Instructions> = printed
        .lines()
        .map(|line| instructions_of(line).ok_or_else(|| unreadable("gungraun", line)))
        .collect::<Result<_, _>>()?;
    counted.sort_by(|a, b| a.name.cmp(&b.name));
    some(counted, "instructions")
}

/// `Ir` of the summary that gungraun prints for a benchmark; there is no older one to compare with.
fn instructions_of(line: &str) -> Option<Instructions> {
    let summary: Value = serde_json::from_str(line).ok()?;
    let text = |key: &str| summary.get(key)?.as_str();
    let count = summary.pointer("/profiles/0/data/total/metrics/Ir/values/new")?.as_u64()?;
    Some(Instructions { name: format!("{}/{}", text("function_name")?, text("id")?), count })
}

fn times() -> Result<Vec<Time>, Failure> {
    let home = empty_dir("criterion")?;
    let mut command = cargo(&["bench", "--quiet"]);
    command.args(PACKAGES).args(TIMES).args(["--", "--quiet"]);
    run(command.env("CRITERION_HOME", &home))?;
    let mut found = Vec::new();
    find_times(&home, &mut found)?;
    found.sort_by(|a, b| a.name.cmp(&b.name));
    some(found, "times")
}

/// Criterion leaves a directory for each benchmark, with its newest results in `new`.
fn find_times(dir: &Path, found: &mut Vec<Time>) -> Result<(), Failure> {
    let failure = |error| Failure::new(format_args!("cannot list {}: {error}", dir.display()));
    for entry in fs::read_dir(dir).map_err(failure)? {
        let path = entry.map_err(failure)?.path();
        if path.ends_with("new") {
            found.push(read_time(&path)?);
        } else if path.is_dir() {
            find_times(&path, found)?;
        }
    }
    Ok(())
}

fn read_time(results: &Path) -> Result<Time, Failure> {
    let json = |name: &str| {
        let text = fs::read_to_string(results.join(name)).ok()?;
        serde_json::from_str::<Value>(&text).ok()
    };
    let time = json("benchmark.json").zip(json("estimates.json"));
    let time = time.and_then(|(benchmark, estimates)| time_of(&benchmark, &estimates));
    time.ok_or_else(|| unreadable("criterion", &results.display().to_string()))
}

fn time_of(benchmark: &Value, estimates: &Value) -> Option<Time> {
    let median = estimates.get("median")?;
    let bound = |key: &str| median.get("confidence_interval")?.get(key)?.as_f64();
    let throughput = |unit: &str| benchmark.pointer("/throughput")?.get(unit)?.as_f64();
    Some(Time {
        name: benchmark.get("full_id")?.as_str()?.to_owned(),
        median_ns: median.get("point_estimate")?.as_f64()?,
        low_ns: bound("lower_bound")?,
        high_ns: bound("upper_bound")?,
        work: throughput("Bytes")
            .map(Work::Bytes)
            .or_else(|| throughput("Elements").map(Work::Elements)),
    })
}

fn unreadable(whose: &str, what: &str) -> Failure {
    Failure::new(format_args!("a result of {whose} is not as we know it: {what}"))
}

/// No figure at all means that the instrument was not asked as it has to be.
fn some<T>(found: Vec<T>, what: &str) -> Result<Vec<T>, Failure> {
    if found.is_empty() {
        Err(Failure::new(format_args!("no {what} were found")))
    } else {
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_row_of_an_allocation_test_is_read() {
        let line = r#"{"kind":"allocations","name":"emit/custom","allocations":1,"reallocations":2,"bytes":3}"#;
        let name = "emit/custom".to_owned();
        let row = Memory { name, allocations: 1, reallocations: 2, bytes: 3 };
        assert_eq!(allocations_of(line), Some(row));
        assert_eq!(allocations_of(r#"{"name":"emit/custom"}"#), None);
    }

    #[test]
    fn the_instructions_of_a_benchmark_are_read() {
        let summary = json!({
            "function_name": "encode", "id": "short",
            "profiles": [{ "data": { "total": { "metrics": { "Ir": { "values": { "new": 4_654 } } } } } }],
        });
        let row = Instructions { name: "encode/short".to_owned(), count: 4_654 };
        assert_eq!(instructions_of(&summary.to_string()), Some(row));
        assert_eq!(instructions_of(r#"{"function_name":"encode","id":"short"}"#), None);
    }

    #[test]
    fn times_are_found_wherever_criterion_leaves_them() {
        let home = tempfile::tempdir().unwrap();
        let interval = json!({ "lower_bound": 1.5, "upper_bound": 3.0 });
        let estimates =
            json!({ "median": { "point_estimate": 2.0, "confidence_interval": interval } });
        for (name, throughput) in [("a/b", json!({ "Bytes": 9 })), ("c", json!(null))] {
            for age in ["new", "base"] {
                let dir = home.path().join(name).join(age);
                fs::create_dir_all(&dir).unwrap();
                let benchmark = json!({ "full_id": name, "throughput": throughput });
                fs::write(dir.join("benchmark.json"), benchmark.to_string()).unwrap();
                fs::write(dir.join("estimates.json"), estimates.to_string()).unwrap();
            }
        }
        let mut found = Vec::new();
        find_times(home.path(), &mut found).unwrap();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        let time = |name: &str, work| Time {
            name: name.to_owned(),
            median_ns: 2.0,
            low_ns: 1.5,
            high_ns: 3.0,
            work,
        };
        assert_eq!(found, [time("a/b", Some(Work::Bytes(9.0))), time("c", None)]);

        fs::write(home.path().join("c/new/estimates.json"), "{}").unwrap();
        assert!(find_times(home.path(), &mut found).is_err());
    }

    #[test]
    fn finding_nothing_is_a_failure() {
        assert!(some(Vec::<Time>::new(), "times").is_err());
    }
}

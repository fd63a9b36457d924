//! `cargo xtask broken`: each promise of the writer is broken on purpose, and a test has to fail.
//!
//! The table of docs/durability.md says which test that is. The tests are built as `test` builds
//! them, so that after it nothing is built again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::command::{Failure, Outcome, cargo, finish, read, workspace_root};
use crate::output;

/// Says to the writer what is broken.
const VARIABLE: &str = "AUDIT_WRITER_BROKEN";

/// What the writer says of a name that it does not know; a test fails by that too.
const UNKNOWN: &str = "which names nothing";

const DOCUMENT: &str = "docs/durability.md";
const HEADING: &str = "\n## Broken on purpose\n";
const PACKAGE: &str = "crates/audit-writer";

/// A promise that is broken, and the test that has to find it.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    broken: String,
    target: String,
    test: String,
}

/// How many tests of a run passed and failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts {
    passed: u32,
    failed: u32,
}

/// Runs each test as it is, where it has to pass, and with its promise broken, where it has to fail.
pub(crate) fn run() -> Outcome {
    let document = std::fs::read_to_string(workspace_root().join(DOCUMENT));
    let document =
        document.map_err(|error| Failure::new(format_args!("cannot read {DOCUMENT}: {error}")))?;
    let rows = rows(&document)?;
    let executables = build(&rows)?;
    for row in &rows {
        let executable = executables.get(&row.target).ok_or_else(|| {
            Failure::new(format_args!("{PACKAGE} has no tests called `{}`", row.target))
        })?;
        check(row, executable)?;
        output::say(format_args!("{}: caught by {} {}", row.broken, row.target, row.test));
    }
    Ok(())
}

fn check(row: &Row, executable: &Path) -> Outcome {
    let Row { broken, target, test } = row;
    let expected = [(None, (1, 0), "pass"), (Some(broken), (0, 1), "fail with")];
    for (broken, (passed, failed), verb) in expected {
        let mut command = Command::new(executable);
        command.args(["--exact", test]).current_dir(workspace_root().join(PACKAGE));
        command.env_remove(VARIABLE).envs(broken.map(|broken| (VARIABLE, broken)));
        let printed = finish(&mut command)?;
        if printed.contains(UNKNOWN) || counts(&printed) != Some(Counts { passed, failed }) {
            let promise = broken.map_or_else(String::new, |broken| format!(" `{broken}`"));
            let why = format!("`{test}` of {target} has to {verb}{promise}, and it alone to run");
            return Err(Failure::new(format_args!("{printed}\n{why}")));
        }
    }
    Ok(())
}

/// The rows of the table: what is broken, how, the tests, and the one of them.
fn rows(document: &str) -> Result<Vec<Row>, Failure> {
    let (_, below) = document
        .split_once(HEADING)
        .ok_or_else(|| Failure::new(format_args!("{DOCUMENT} has no section{HEADING}")))?;
    let section = below.split_once("\n## ").map_or(below, |(section, _)| section);
    section.lines().filter(|line| line.starts_with("| `")).map(row).collect()
}

fn row(line: &str) -> Result<Row, Failure> {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let name = |cell: &str| Some(cell.strip_prefix('`')?.strip_suffix('`')?.to_owned());
    let row = match cells.as_slice() {
        [broken, _, target, test] => name(broken)
            .zip(name(target))
            .zip(name(test))
            .map(|((broken, target), test)| Row { broken, target, test }),
        _ => None,
    };
    row.ok_or_else(|| Failure::new(format_args!("{DOCUMENT}: not understood: {line}")))
}

/// Builds the tests that are named, and tells where each is.
fn build(rows: &[Row]) -> Result<BTreeMap<String, PathBuf>, Failure> {
    let mut command = cargo(&["test", "--quiet", "--workspace", "--all-features", "--no-run"]);
    command.arg("--message-format=json");
    for Row { target, .. } in rows {
        command.args(["--test", target]);
    }
    Ok(read(&mut command)?.lines().filter_map(executable).collect())
}

/// The test target that a message of cargo tells of, and its executable.
fn executable(message: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(message).ok()?;
    let is_ours = message.get("manifest_path")?.as_str()?.ends_with("audit-writer/Cargo.toml");
    let name = message.get("target")?.get("name")?.as_str()?;
    let path = message.get("executable")?.as_str()?;
    is_ours.then(|| (name.to_owned(), path.into()))
}

/// What the harness says of a run that came to its end; `None` where it did not.
fn counts(printed: &str) -> Option<Counts> {
    let summary = printed.lines().find_map(|line| line.strip_prefix("test result: "))?;
    let (_, numbers) = summary.split_once(". ")?;
    let count = |what| numbers.split("; ").find_map(|n| n.strip_suffix(what)?.parse().ok());
    Some(Counts { passed: count(" passed")?, failed: count(" failed")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_of_the_section_are_read_and_no_others() {
        let document = "| `a` | b | `c` | `d` |\n\n## Broken on purpose\n\n| broken | how | tests | test |\n\
                        |---|---|---|---|\n| `one` | at all | `queue` | `a::b` |\n\n## Next\n| `x` |\n";
        let row =
            Row { broken: "one".to_owned(), target: "queue".to_owned(), test: "a::b".to_owned() };
        assert_eq!(rows(document).unwrap(), [row]);
        assert!(rows("# Durability\n").is_err());
        for line in ["| `one` | b | `c` |", "| `one` | b | `c` | d |"] {
            assert!(rows(&format!("{HEADING}{line}\n")).is_err(), "{line}");
        }
    }

    #[test]
    fn the_document_has_rows() {
        let document = std::fs::read_to_string(workspace_root().join(DOCUMENT)).unwrap();
        assert!(rows(&document).unwrap().len() > 5);
    }

    #[test]
    fn a_summary_is_read_and_a_run_without_one_has_none() {
        let printed = "running 1 test\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored; \
                       0 measured; 24 filtered out; finished in 0.01s\n";
        assert_eq!(counts(printed), Some(Counts { passed: 0, failed: 1 }));
        let none = "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 25 filtered out\n";
        assert_eq!(counts(none), Some(Counts { passed: 0, failed: 0 }));
        assert_eq!(counts("running 1 test\nfatal runtime error\n"), None);
    }

    #[test]
    fn the_executable_of_a_test_of_the_writer_is_found() {
        let message = |package: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"/a/{package}/Cargo.toml","target":{{"name":"queue"}},"executable":"/t/queue-1"}}"#
            )
        };
        let found = executable(&message("audit-writer"));
        assert_eq!(found, Some(("queue".to_owned(), PathBuf::from("/t/queue-1"))));
        assert_eq!(executable(&message("audit-core")), None);
        assert_eq!(executable(r#"{"reason":"build-finished","success":true}"#), None);
    }
}

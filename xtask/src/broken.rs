//! `cargo xtask broken`: each promise of the writer and each rule of the verifier is broken on
//! purpose, and a test has to fail.
//!
//! A table in a document of each says which test that is. The tests are built as `test` builds them,
//! so that after it nothing is built again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::command::{Failure, Outcome, cargo, finish, read, workspace_root};
use crate::output;

/// The documents with a table, and the variable by which the code is told what is broken.
const DOCUMENTS: [(&str, &str); 2] =
    [("docs/durability.md", "AUDIT_WRITER_BROKEN"), ("docs/evidence.md", "AUDIT_VERIFY_BROKEN")];

/// What the code says of a name that it does not know; a test fails by that too.
const UNKNOWN: &str = "which names nothing";

const HEADING: &str = "\n## Broken on purpose\n";

/// A promise that is broken, and the test that has to find it.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    broken: String,
    package: String,
    target: String,
    test: String,
}

/// The tests of a package and a target.
type Executables = BTreeMap<(String, String), PathBuf>;

/// How many tests of a run passed and failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts {
    passed: u32,
    failed: u32,
}

/// Runs each test as it is, where it has to pass, and with its promise broken, where it has to fail.
pub(crate) fn run() -> Outcome {
    let mut tables = Vec::new();
    for (document, variable) in DOCUMENTS {
        let text = std::fs::read_to_string(workspace_root().join(document));
        let text =
            text.map_err(|error| Failure::new(format_args!("cannot read {document}: {error}")))?;
        tables.push((variable, rows(document, &text)?));
    }
    let executables = build(tables.iter().flat_map(|(_, rows)| rows))?;
    for (variable, rows) in &tables {
        for row in rows {
            let Row { broken, package, target, test } = row;
            let executable = executables.get(&(package.clone(), target.clone()));
            let executable = executable.ok_or_else(|| {
                Failure::new(format_args!("{package} has no tests called `{target}`"))
            })?;
            check(row, variable, executable)?;
            output::say(format_args!("{broken}: caught by {package} {target} {test}"));
        }
    }
    Ok(())
}

fn check(row: &Row, variable: &str, executable: &Path) -> Outcome {
    let Row { broken, package, target, test } = row;
    let folder = workspace_root().join("crates").join(package);
    let expected = [(None, (1, 0), "pass"), (Some(broken), (0, 1), "fail with")];
    for (broken, (passed, failed), verb) in expected {
        let mut command = Command::new(executable);
        command.args(["--exact", test]).current_dir(&folder);
        for (_, variable) in DOCUMENTS {
            command.env_remove(variable);
        }
        command.envs(broken.map(|broken| (variable, broken)));
        let printed = finish(&mut command)?;
        if printed.contains(UNKNOWN) || counts(&printed) != Some(Counts { passed, failed }) {
            let promise = broken.map_or_else(String::new, |broken| format!(" `{broken}`"));
            let why = format!(
                "`{test}` of {package} {target} has to {verb}{promise}, and it alone to run"
            );
            return Err(Failure::new(format_args!("{printed}\n{why}")));
        }
    }
    Ok(())
}

/// The rows of a table: what is broken, how, the package, its tests, and the one of them.
fn rows(document: &str, text: &str) -> Result<Vec<Row>, Failure> {
    let (_, below) = text
        .split_once(HEADING)
        .ok_or_else(|| Failure::new(format_args!("{document} has no section{HEADING}")))?;
    let section = below.split_once("\n## ").map_or(below, |(section, _)| section);
    let lines = section.lines().filter(|line| line.starts_with("| `"));
    lines.map(|line| row(line).ok_or_else(|| not_understood(document, line))).collect()
}

fn not_understood(document: &str, line: &str) -> Failure {
    Failure::new(format_args!("{document}: not understood: {line}"))
}

fn row(line: &str) -> Option<Row> {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let name = |cell: &str| Some(cell.strip_prefix('`')?.strip_suffix('`')?.to_owned());
    let [broken, _, package, target, test] = cells.as_slice() else { return None };
    let (broken, package) = (name(broken)?, name(package)?);
    Some(Row { broken, package, target: name(target)?, test: name(test)? })
}

/// Builds the tests that are named, and tells where each is.
fn build<'r>(rows: impl Iterator<Item = &'r Row>) -> Result<Executables, Failure> {
    let mut command = cargo(&["test", "--quiet", "--workspace", "--all-features", "--no-run"]);
    command.arg("--message-format=json");
    let targets: BTreeSet<&str> = rows.map(|row| row.target.as_str()).collect();
    for target in targets {
        command.args(["--test", target]);
    }
    Ok(read(&mut command)?.lines().filter_map(executable).collect())
}

/// The package and the test target that a message of cargo tells of, and the executable.
fn executable(message: &str) -> Option<((String, String), PathBuf)> {
    let message: Value = serde_json::from_str(message).ok()?;
    let manifest = Path::new(message.get("manifest_path")?.as_str()?);
    let package = manifest.parent()?.file_name()?.to_str()?.to_owned();
    let target = message.get("target")?.get("name")?.as_str()?.to_owned();
    let path = message.get("executable")?.as_str()?;
    Some(((package, target), path.into()))
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
    fn no_package_turns_the_breakages_on() {
        let crates = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates");
        for entry in std::fs::read_dir(crates).unwrap() {
            let manifest = entry.unwrap().path().join("Cargo.toml");
            let text = std::fs::read_to_string(&manifest).unwrap();
            for line in text.lines().filter(|line| line.contains("broken")) {
                let is_declared = line == "broken = []" || line.starts_with('#');
                assert!(is_declared, "{}: {line}", manifest.display());
            }
        }
    }

    #[test]
    fn the_rows_of_the_section_are_read_and_no_others() {
        let section = "| `a` | b | `c` | `d` | `e` |\n\n## Broken on purpose\n\n\
                    | broken | how | package | tests | test |\n|---|---|---|---|---|\n\
                    | `one` | at all | `p` | `queue` | `a::b` |\n\n## Next\n| `x` |\n";
        let [broken, package, target, test] = ["one", "p", "queue", "a::b"].map(str::to_owned);
        assert_eq!(rows("d", section).unwrap(), [Row { broken, package, target, test }]);
        assert!(rows("d", "# Durability\n").is_err());
        for line in ["| `one` | b | `c` | `d` |", "| `one` | b | `c` | `d` | e |"] {
            assert!(rows("d", &format!("{HEADING}{line}\n")).is_err(), "{line}");
        }
    }

    #[test]
    fn the_documents_have_rows() {
        for (document, _) in DOCUMENTS {
            let text = std::fs::read_to_string(workspace_root().join(document)).unwrap();
            assert!(rows(document, &text).unwrap().len() > 5, "{document}");
        }
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
    fn the_executable_of_a_test_is_found_by_its_package() {
        let message = |package: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"/a/{package}/Cargo.toml","target":{{"name":"queue"}},"executable":"/t/queue-1"}}"#
            )
        };
        let found = executable(&message("audit-writer"));
        let name = ("audit-writer".to_owned(), "queue".to_owned());
        assert_eq!(found, Some((name, PathBuf::from("/t/queue-1"))));
        assert_eq!(executable(r#"{"reason":"build-finished","success":true}"#), None);
    }
}

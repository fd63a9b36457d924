//! Each attack of the ledger names the test that carries it out, and that test exists.

use std::collections::BTreeSet;

use crate::tidy::file::File;
use crate::tidy::items::functions;
use crate::tidy::rust_file::RustFile;
use crate::tidy::violation::Violation;

const RULE: &str = "attacks";

const LEDGER: &str = "docs/attacks.md";

pub(crate) fn check(files: &[File]) -> Vec<Violation> {
    let Some(ledger) = files.iter().find(|file| file.path == LEDGER) else { return Vec::new() };
    let rust_files = RustFile::all_of(files);
    let tests: BTreeSet<&str> = rust_files.iter().flat_map(tests).collect();
    rows(&ledger.text).flat_map(|(line, row)| check_row(line, row, &tests)).collect()
}

/// The names of functions that are only compiled for tests.
fn tests<'r>(rust: &'r RustFile<'_>) -> impl Iterator<Item = &'r str> {
    let test_only = |at: usize| !rust.is_production(at);
    functions(&rust.code).filter(move |f| test_only(f.at)).map(|f| f.name)
}

/// The rows of the tables, without those of their headings, by their lines.
fn rows(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered: Vec<(usize, &str)> = (1..).zip(text.lines()).collect();
    let below_heading = |line: usize| text.lines().nth(line).is_some_and(is_rule);
    let is_row = move |(line, row): &(usize, &str)| {
        row.starts_with('|') && !is_rule(row) && !below_heading(*line)
    };
    numbered.into_iter().filter(is_row)
}

/// The line between a table's heading and its rows.
fn is_rule(line: &str) -> bool {
    line.starts_with("|-") || line.starts_with("| -")
}

fn check_row(line: usize, row: &str, tests: &BTreeSet<&str>) -> Vec<Violation> {
    let last = row.trim_end().trim_end_matches('|').rsplit('|').next().unwrap_or_default();
    let named: Vec<&str> = last.split('`').skip(1).step_by(2).collect();
    if named.is_empty() {
        let message = "an attack without a test; name one in backticks in the last column";
        return vec![Violation::new(LEDGER, line, RULE, message)];
    }
    let missing = named.into_iter().filter(|name| !tests.contains(name));
    let message = |name| format!("there is no test `{name}`; correct the name or write the test");
    missing.map(|name| Violation::new(LEDGER, line, RULE, message(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::violation::lines;

    const TABLE: &str = "# Attacks\n\n| attack | test |\n|---|---|\n";

    fn judge(rows: &str) -> Vec<usize> {
        let files = [
            File::new(LEDGER, format!("{TABLE}{rows}")),
            File::new("crates/a/tests/b.rs", "#[test]\nfn bent() {}\nfn broken() {}\n"),
            File::new("crates/a/src/lib.rs", "fn real() {}\n#[cfg(test)] mod t { fn inner() {} }"),
        ];
        lines(&check(&files))
    }

    #[test]
    fn a_test_that_does_not_exist_is_found() {
        assert_eq!(judge("| a | `bent` |\n| b | `bend` |\n| c | `bent`, `brake` |\n"), [6, 7]);
    }

    #[test]
    fn an_attack_without_a_test_is_found() {
        assert_eq!(judge("| a | |\n| `bent` | none |\n"), [5, 6]);
    }

    #[test]
    fn a_function_of_production_is_no_test() {
        assert_eq!(judge("| a | `real` |\n"), [5]);
    }

    #[test]
    fn tests_of_both_kinds_pass_and_so_do_headings_and_prose() {
        assert_eq!(judge("| a | `bent` `broken` |\n| b | `inner` |\n\n`other`\n"), [0; 0]);
        assert!(check(&[]).is_empty());
    }
}

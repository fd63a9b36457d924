//! The style rules that neither the compiler nor clippy knows.
//!
//! A rule is one file in `rules/`: a pure function from what it looks at (a file, a Rust file, all
//! files, the packages) to violations. Reading the disk happens here and in `listing` only, so a
//! rule's tests need no workspace. Rules look at Rust through `code`, which blanks out comments and
//! literals; what a comment or a string says is then never mistaken for code.

mod code;
mod file;
mod imports;
mod items;
mod listing;
mod markdown;
mod packages;
mod rules;
mod rust_file;
mod search;
mod violation;

use std::path::Path;

use crate::command::{Failure, Outcome, workspace_root};
use crate::output;
use file::File;
use rust_file::RustFile;
use violation::Violation;

/// Prints each violation on a line of its own; any at all is a failure.
pub(crate) fn run() -> Outcome {
    let violations = check(&workspace_root())?;
    for violation in &violations {
        output::say(violation);
    }
    match violations.len() {
        0 => Ok(()),
        1 => Err(Failure::new("tidy found 1 violation")),
        count => Err(Failure::new(format_args!("tidy found {count} violations"))),
    }
}

/// Every violation in the workspace at `root`, in the order of paths and lines.
fn check(root: &Path) -> Result<Vec<Violation>, Failure> {
    let files = listing::read_all(root)?;
    let packages = packages::read(root)?;
    let mut violations = rules::arrows::check(&packages, &files);
    violations.extend(check_files(&files));
    violations.sort();
    Ok(violations)
}

fn check_files(files: &[File]) -> Vec<Violation> {
    let rust_files = RustFile::all_of(files);
    let whole = rules::OF_ALL_FILES.iter().flat_map(|rule| rule(files));
    let single = rules::OF_A_FILE.iter().flat_map(|rule| files.iter().flat_map(rule));
    let rust = rules::OF_A_RUST_FILE.iter().flat_map(|rule| rust_files.iter().flat_map(rule));
    whole.chain(single).chain(rust).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::run as run_command;
    use std::collections::BTreeSet;
    use std::fs;
    use std::process::Command;

    #[test]
    fn the_workspace_is_tidy() {
        let violations = check(&workspace_root()).unwrap();
        let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "\n{}", lines.join("\n"));
    }

    /// One sin a line, or two.
    const SLOPPY: &str = "#[allow(unused)]\n\
        pub fn get_time() -> SystemTime { SystemTime::now() }\n\
        fn f() { match e { AuditEvent::Login { .. } => todo!() } }\n\
        // \u{e9}\n";

    #[test]
    fn every_rule_over_files_is_wired_in() {
        let long_and_sloppy = format!("{SLOPPY}{}", "\n".repeat(100));
        let files = [
            File::new("crates/audit-core/Cargo.toml", "[package]\n"),
            File::new("crates/audit-core/src/lib.rs", long_and_sloppy),
            File::new("docs/speed.md", "# Speed\n\nIt does 5 GB/s.\n"),
            File::new("docs/attacks.md", "# Attacks\n\n| it is attacked | |\n"),
        ];
        let found: BTreeSet<&str> = check_files(&files).iter().map(Violation::rule).collect();
        let others =
            ["ascii", "attacks", "caption", "documents", "event-table", "figures", "lint-table"];
        let rust = ["names", "paths", "residue", "silence", "sizes"];
        assert_eq!(found, others.into_iter().chain(rust).collect());
    }

    #[test]
    fn a_workspace_on_disk_is_read_and_judged() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| fs::write(root.path().join(path), text).unwrap();
        run_command(Command::new("git").args(["init", "--quiet"]).current_dir(&root)).unwrap();
        fs::create_dir_all(root.path().join("crates/audit-new/src")).unwrap();
        write("Cargo.toml", "[workspace]\nmembers = [\"crates/audit-new\"]\nresolver = \"3\"\n");
        write(
            "crates/audit-new/Cargo.toml",
            "[package]\nname = \"audit-new\"\nedition = \"2024\"\n",
        );
        write("crates/audit-new/src/lib.rs", "");

        let found = check(root.path()).unwrap();
        let rules: BTreeSet<&str> = found.iter().map(Violation::rule).collect();
        assert_eq!(rules, BTreeSet::from(["arrows", "caption", "documents", "lint-table"]));
        assert!(found.is_sorted());
    }
}

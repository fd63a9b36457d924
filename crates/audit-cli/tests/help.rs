//! The examples of `--help` work as they stand.

#![expect(clippy::unwrap_used, reason = "a test fails")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{audit, events};

/// Runs a line in a shell that finds the command under its name.
fn run(line: &str, dir: &Path) -> std::process::Output {
    let bin = Path::new(env!("CARGO_BIN_EXE_audit")).parent().unwrap().display();
    let script = format!("PATH={bin}:$PATH; {line}");
    Command::new("sh").args(["-c", &script]).current_dir(dir).output().unwrap()
}

#[test]
fn every_example_of_every_command_works() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("events.jsonl"), events(7)).unwrap();
    let mut ran = 0_usize;
    let mut head = String::new();
    for verb in [
        "keygen",
        "vkey",
        "record",
        "checkpoint",
        "prove",
        "check-proof",
        "rotate-key",
        "show",
        "verify",
        "recover",
        "begin",
        "prune",
        "health",
        "events",
        "schema",
    ] {
        let help = String::from_utf8(audit(&[verb, "--help"], "").stdout).unwrap();
        for example in help.lines().filter_map(|line| line.trim_start().strip_prefix("$ ")) {
            let done = run(&example.replace("SEQ:HASH", &head), dir.path());
            let told = common::told(&done);
            assert!(done.status.success(), "{example}: {told}");
            let newest = told.lines().find_map(|line| line.strip_prefix("head     "));
            if let Some(newest) = newest.filter(|_| example.contains("--dir audit.log")) {
                newest.clone_into(&mut head);
            }
            ran = ran.saturating_add(1);
        }
    }
    assert!(ran >= 25, "only {ran} examples");
}

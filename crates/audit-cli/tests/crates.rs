//! How much the command is built of: an auditor has to trust each crate of it.

#![expect(clippy::unwrap_used, reason = "a test fails")]

use std::collections::BTreeSet;
use std::process::Command;

/// Crates of the command as it is built by default, ours included.
const CRATES_MAX: usize = 78;

/// What a program that reads files and writes to one has no need of.
const UNWANTED: [&str; 12] = [
    "async-std",
    "clap_complete",
    "clap_mangen",
    "curl",
    "hyper",
    "log",
    "openssl",
    "reqwest",
    "rustls",
    "tokio",
    "tracing",
    "ureq",
];

fn crates() -> BTreeSet<String> {
    let tree = ["tree", "--package", "audit-log-cli", "--edges", "normal", "--prefix", "none"];
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(tree).args(["--format", "{p}", "--locked", "--offline"]);
    let done = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let lines = String::from_utf8(done.stdout).unwrap();
    // A crate's name and its version; two versions of one are two.
    let named = lines.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" "));
    named.collect()
}

#[test]
fn the_command_is_built_of_few_crates_none_of_which_reaches_a_network() {
    let crates = crates();
    assert!(crates.contains("audit-log-cli v0.1.0"), "{crates:?}");
    assert!(crates.len() <= CRATES_MAX, "{} crates: {crates:?}", crates.len());
    for unwanted in UNWANTED {
        let found = crates.iter().find(|it| it.split(' ').next() == Some(unwanted));
        assert_eq!(found, None);
    }
}

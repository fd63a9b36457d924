//! The verbs that are a few commands: `lint`, `doc` and `test`.

use std::env;
use std::path::PathBuf;

use crate::command::{Outcome, cargo, run, succeeds_silently};
use crate::output;

/// Clippy on everything that compiles, formatting, and the licences and sources of dependencies.
pub(crate) fn lint() -> Outcome {
    let clippy = ["clippy", "--workspace", "--all-targets", "--all-features"];
    run(cargo(&clippy).args(["--", "-D", "warnings"]))?;
    // What most people build: the facade, and the command, without their optional features.
    for package in ["audit-log", "audit-log-cli"] {
        let bare = ["clippy", "--package", package, "--all-targets"];
        run(cargo(&bare).args(["--", "-D", "warnings"]))?;
    }
    format()?;
    deny()
}

/// Formatting alone: it comes first in `ci` because it fails fastest.
pub(crate) fn format() -> Outcome {
    run(&mut cargo(&["fmt", "--all", "--", "--check"]))
}

/// Documentation of private items too: their links break as easily as the public ones.
pub(crate) fn doc() -> Outcome {
    let doc = ["doc", "--workspace", "--all-features", "--no-deps", "--document-private-items"];
    run(cargo(&doc).env("RUSTDOCFLAGS", "-D warnings"))
}

/// Every test of the workspace, doctests included.
pub(crate) fn test() -> Outcome {
    run(&mut cargo(&["test", "--workspace", "--all-features"]))
}

/// Not everybody has cargo-deny; a line says so, lest silence be taken for success.
fn deny() -> Outcome {
    if !succeeds_silently(&mut cargo(&["deny", "--version"])) {
        output::say("skipped: cargo-deny is not installed");
        return Ok(());
    }
    run(&mut cargo(&["deny", "check", "licenses", "bans", "sources"]))?;
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let databases = home.map(|home| home.join("advisory-dbs"));
    if !databases.is_some_and(|databases| databases.is_dir()) {
        output::say("skipped: there is no database of advisories (cargo deny fetch db)");
        return Ok(());
    }
    run(&mut cargo(&["deny", "check", "--disable-fetch", "advisories"]))
}

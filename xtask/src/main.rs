//! The workspace's own checks, run as `cargo xtask VERB`.
//!
//! Depends on none of our crates, so that a crate that does not build cannot take the checks down
//! with it. Continuous integration runs `cargo xtask ci` and nothing else: what passes here passes
//! there.

mod bench;
mod broken;
mod command;
mod fuzz;
mod generated;
mod output;
mod record;
mod soak;
mod steps;
mod tidy;
mod verbs;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    verbs::dispatch(&arguments)
}

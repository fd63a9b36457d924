//! The README's command does what the README shows.

#![expect(clippy::unwrap_used, reason = "a test fails")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// What stands between two lines of a document, the first time.
fn block<'t>(text: &'t str, start: &str) -> &'t str {
    text.split_once(start).unwrap().1.split_once("\n```").unwrap().0
}

/// Text without what differs from run to run: digests, times and sizes, and where lines break.
fn shape(text: &str) -> Vec<String> {
    let shown = |word: &str| {
        if word.len() >= 30 {
            word.chars().map(|c| if c.is_alphanumeric() { 'x' } else { c }).collect::<String>()
        } else {
            word.to_owned()
        }
    };
    let text = text.replace(['+', '/'], "x").replace(" bytes", "-bytes");
    let is_size = |word: &&str| word.ends_with("-bytes");
    text.split_whitespace().filter(|word| !is_size(word)).map(shown).collect()
}

#[test]
fn the_first_command_prints_what_is_shown_under_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let command = block(&readme, "```sh\n").replace("cargo run --release --bin audit --", "audit");
    let shown = block(&readme, "```text\n");

    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("demo");
    let dir = dir.to_str().unwrap();
    let bin = Path::new(env!("CARGO_BIN_EXE_audit")).parent().unwrap().display();
    let script = format!("PATH={bin}:$PATH; {{ {command}; }} 2>&1").replace("target/demo", dir);
    let done = Command::new("sh").args(["-c", &script]).current_dir(root).output().unwrap();
    let printed = String::from_utf8(done.stdout).unwrap().replace(dir, "target/demo");
    assert!(done.status.success(), "{printed}");
    assert_eq!(shape(&printed), shape(shown), "{printed}");
}

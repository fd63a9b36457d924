//! Completions and manual pages, as a shell and a reader of manuals take them.

#![expect(clippy::unwrap_used, reason = "a test fails")]

mod common;

use std::fs;
use std::process::Command;

use common::{audit, is_there, told, verbs};
use tempfile::TempDir;

fn assets() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let done = audit(&["assets", dir.path().to_str().unwrap()], "");
    assert_eq!(done.status.code(), Some(0), "{}", told(&done));
    dir
}

fn names(dir: &TempDir, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(dir.path().join(folder)).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Runs a script in a shell that has nothing of the user's.
fn run(shell: &[&str], script: &str, dir: &TempDir) -> String {
    let (program, options) = shell.split_first().unwrap();
    let ran = Command::new(program).args(options).arg(script).current_dir(dir.path()).output();
    let ran = ran.unwrap();
    assert!(ran.status.success() && ran.stderr.is_empty(), "{script}: {}", told(&ran));
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn bash_completes_subcommands_and_their_options() {
    if !is_there("bash") {
        return;
    }
    let dir = assets();
    // What a shell calls the function with: the command, the word at the cursor, the one before it.
    let complete = |before: &str, word: &str| {
        let script = format!(
            "source completions/audit.bash; complete -p audit >/dev/null; \
             COMP_WORDS=({before} '{word}'); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _audit audit '{word}' \"${{COMP_WORDS[COMP_CWORD - 1]}}\"; echo \"${{COMPREPLY[@]}}\""
        );
        run(&["bash", "--norc", "-c"], &script, &dir)
    };
    let completed = complete("audit", "");
    for verb in verbs() {
        assert!(completed.split_whitespace().any(|word| word == verb), "{completed}");
    }
    assert!(!completed.contains("assets"), "it is hidden: {completed}");
    assert_eq!(complete("audit verify", "--for").trim(), "--format");
    assert_eq!(complete("audit verify --format", "j").trim(), "json");
}

#[test]
fn other_shells_load_their_completions() {
    let dir = assets();
    let fish = "source completions/audit.fish; complete -C 'audit verify --for'";
    if is_there("fish") {
        let completed = run(&["fish", "--no-config", "-c"], fish, &dir);
        assert!(completed.starts_with("--format"), "{completed}");
    }
    if is_there("zsh") {
        run(&["zsh", "-f", "-n"], "completions/_audit", &dir);
    }
    let all = ["_audit", "_audit.ps1", "audit.bash", "audit.elv", "audit.fish"];
    assert_eq!(names(&dir, "completions"), all);
}

#[test]
fn there_is_a_manual_page_for_each_subcommand_and_it_is_set_without_a_warning() {
    let dir = assets();
    let verbs = verbs().into_iter().map(|verb| format!("audit-{verb}.1"));
    let mut pages: Vec<_> = verbs.chain(["audit.1".to_owned()]).collect();
    pages.sort();
    assert_eq!(names(&dir, "man"), pages);
    if !is_there("groff") {
        return;
    }
    for page in pages {
        let text = run(&["groff", "-man", "-Tutf8", "-ww"], &format!("man/{page}"), &dir);
        assert!(text.contains("audit"), "{page}: {text}");
        let has_examples = page == "audit.1" || text.contains("Examples:");
        assert!(has_examples && !text.contains("assets"), "{page}: {text}");
    }
}

#[test]
fn a_directory_that_cannot_be_made_is_told() {
    let done = audit(&["assets", "/dev/null/x"], "");
    assert_eq!(done.status.code(), Some(2));
    assert!(told(&done).starts_with("audit: cannot write to /dev/null/x: "), "{}", told(&done));
}

//! The recipes of `docs/tools.md` print what stands below them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use audit_core::AuditEvent;
use audit_core::event::Criticality;
use common::{is_there, told};
use tempfile::TempDir;

/// A block of commands, and what stands below it.
struct Recipe {
    commands: String,
    prints: Option<String>,
}

impl Recipe {
    /// The tool that it is about.
    fn tool(&self) -> Option<&'static str> {
        let is_named = |tool: &&str| self.commands.split_whitespace().any(|word| word == *tool);
        ["jq", "duckdb", "lnav"].into_iter().find(is_named)
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The blocks of the page, in its order.
fn recipes() -> Vec<Recipe> {
    let page = fs::read_to_string(root().join("docs/tools.md")).unwrap();
    let mut recipes: Vec<Recipe> = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else { continue };
        let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        let block = block.iter().map(|line| [line, "\n"].concat()).collect::<String>();
        match language {
            "sh" => recipes.push(Recipe { commands: block, prints: None }),
            "text" => recipes.last_mut().unwrap().prints = Some(block),
            _ => panic!("nobody runs a block of {language:?}"),
        }
    }
    recipes
}

/// A directory with what the recipes name, and the log that they are about.
fn workshop() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["examples", "docs/tools", "target", "home"] {
        fs::create_dir_all(dir.path().join(folder)).unwrap();
    }
    for file in ["examples/events.jsonl", "docs/tools/records.sql", "docs/tools/audit.lnav.json"] {
        fs::copy(root().join(file), dir.path().join(file)).unwrap();
    }
    dir
}

/// Runs commands where the command is found and nothing of the user's is read or changed.
fn run(commands: &str, dir: &TempDir) -> Output {
    let bin = Path::new(env!("CARGO_BIN_EXE_audit")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let home = dir.path().join("home");
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", commands]).current_dir(dir.path());
    shell.env("PATH", path).env("HOME", &home).env("XDG_CONFIG_HOME", home.join(".config"));
    shell.output().unwrap()
}

/// Runs the recipes about one tool; whether there are any.
fn try_recipes(tool: &'static str) {
    if !is_there(tool) {
        return;
    }
    let dir = workshop();
    let recipes = recipes();
    let (first, others) = recipes.split_first().unwrap();
    assert_eq!(run(&first.commands, &dir).status.code(), Some(1), "a line is refused");
    let mut ran = 0_usize;
    for recipe in others.iter().filter(|recipe| recipe.tool() == Some(tool)) {
        let done = run(&recipe.commands, &dir);
        let commands = &recipe.commands;
        assert!(done.status.success(), "{commands}{}", told(&done));
        let printed = String::from_utf8(done.stdout).unwrap();
        assert_eq!(Some(printed), recipe.prints, "{commands}");
        ran = ran.saturating_add(1);
    }
    assert!(ran >= 2, "only {ran} recipes");
}

#[test]
fn recipes_for_jq_print_what_the_page_says() {
    try_recipes("jq");
}

#[test]
fn recipes_for_duckdb_print_what_the_page_says() {
    try_recipes("duckdb");
}

#[test]
fn recipes_for_lnav_print_what_the_page_says() {
    try_recipes("lnav");
}

#[test]
fn a_recipe_that_belongs_to_no_tool_prints_what_the_page_says() {
    let dir = workshop();
    let recipes = recipes();
    let (first, others) = recipes.split_first().unwrap();
    run(&first.commands, &dir);
    for recipe in others.iter().filter(|recipe| recipe.tool().is_none()) {
        let printed = String::from_utf8(run(&recipe.commands, &dir).stdout).unwrap();
        assert_eq!(Some(printed), recipe.prints, "{}", recipe.commands);
    }
}

#[test]
fn lnav_accepts_the_format_and_gives_each_record_its_level() {
    if !is_there("lnav") {
        return;
    }
    let dir = workshop();
    let corpus = root().join("crates/audit-verify/tests/fixtures/whole-all-writers-events");
    let script = format!(
        "lnav -i docs/tools/audit.lnav.json; lnav -C; lnav -n -c ';SELECT seq, log_time, log_level, \
         service_id, \"event/event_type\" FROM audit_log WHERE seq >= 3 LIMIT 3' \
         -c ':write-csv-to -' {}",
        corpus.display()
    );
    let done = run(&script, &dir);
    assert!(done.status.success(), "{}", told(&done));
    assert!(!told(&done).contains("error") && !told(&done).contains("warning"), "{}", told(&done));
    let printed = String::from_utf8(done.stdout).unwrap();
    let rows: Vec<_> = printed.lines().skip(1).collect();
    assert_eq!(
        rows,
        [
            "3,2026-01-02 00:00:03.000,info,bank.teller-1,seal_verified",
            "4,2026-01-02 00:00:04.000,warning,bank.teller-1,disk_full",
            "5,2026-01-02 00:00:05.000,info,bank.teller-1,checkpoint_signed",
        ]
    );
}

#[test]
fn every_tool_knows_which_types_are_critical() {
    let critical = AuditEvent::TABLE.iter().filter(|row| row.criticality == Criticality::Critical);
    let critical: Vec<_> = critical.map(|row| row.event_type).collect();
    let lnav = fs::read_to_string(root().join("docs/tools/audit.lnav.json")).unwrap();
    let level = format!("\"critical\": \"^({})$\"", critical.join("|"));
    assert!(lnav.contains(&level), "audit.lnav.json lacks {level}");
    let sql = fs::read_to_string(root().join("docs/tools/records.sql")).unwrap();
    let (_, rest) = sql.split_once("(event ->> 'event_type') IN (").unwrap();
    let (listed, _) = rest.split_once(')').unwrap();
    let listed: Vec<_> = listed.split(',').map(|name| name.trim().trim_matches('\'')).collect();
    assert_eq!(listed, critical, "records.sql");
}

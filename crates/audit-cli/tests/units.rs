//! The units for systemd in `examples/systemd`: that systemd takes them, and that what they forbid
//! is nothing that the command does.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a helper of tests fails where it stands, and a test says why it was skipped"
)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Log, events, is_there};

fn units() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/systemd");
    let mut paths: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// What a command prints, on both of its outputs; `None` when it fails.
fn printed(program: &str, args: &[&str]) -> Option<String> {
    let done = Command::new(program).args(args).output().unwrap();
    let text = [done.stdout, done.stderr].concat();
    done.status.success().then(|| String::from_utf8(text).unwrap())
}

#[test]
fn systemd_takes_the_units_without_a_word() {
    if !is_there("systemd-analyze") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(units().len(), 3);
    for unit in units() {
        let text = fs::read_to_string(&unit).unwrap();
        let lines = text.lines().map(|line| match line.strip_prefix("ExecStart=") {
            Some(_) => "ExecStart=/bin/true\n".to_owned(),
            None => format!("{line}\n"),
        });
        fs::write(dir.path().join(unit.file_name().unwrap()), lines.collect::<String>()).unwrap();
    }
    for unit in units() {
        let path = dir.path().join(unit.file_name().unwrap());
        let said = printed("systemd-analyze", &["verify", path.to_str().unwrap()]);
        assert_eq!(said.as_deref(), Some(""), "{}", unit.display());
    }
}

#[test]
fn the_units_say_what_the_document_says_of_them() {
    let said = |name: &str| {
        let path = units().into_iter().find(|path| path.ends_with(name)).unwrap();
        fs::read_to_string(path).unwrap()
    };
    let service = said("web-shop.service");
    for line in
        ["NoNewPrivileges=yes", "ProtectSystem=strict", "KillMode=mixed", "TimeoutStopSec=90"]
    {
        assert!(service.lines().any(|there| there == line), "{line}");
    }
    let timer = said("web-shop-audit-health.timer");
    assert!(timer.lines().any(|line| line == "OnUnitActiveSec=1min"), "{timer}");
}

/// The system calls of a group of systemd's, in which other groups stand.
fn calls(group: &str) -> BTreeSet<String> {
    let said = printed("systemd-analyze", &["syscall-filter", "--no-pager", group]).unwrap();
    let lines = said.lines().skip(1).map(str::trim).filter(|line| !line.starts_with('#'));
    let (groups, calls): (Vec<_>, Vec<_>) =
        lines.filter(|line| !line.is_empty()).partition(|line| line.starts_with('@'));
    let nested = groups.into_iter().flat_map(self::calls);
    nested.chain(calls.into_iter().map(str::to_owned)).collect()
}

#[test]
fn the_unit_forbids_no_system_call_that_a_writer_makes() {
    if !is_there("systemd-analyze") || !is_there("strace") {
        return;
    }
    let unit = fs::read_to_string(units().pop().unwrap().with_file_name("web-shop.service"));
    let unit = unit.unwrap();
    let mut allowed = BTreeSet::new();
    for filter in unit.lines().filter_map(|line| line.strip_prefix("SystemCallFilter=")) {
        match filter.strip_prefix('~') {
            None => allowed.extend(filter.split(' ').flat_map(calls)),
            Some(groups) => {
                let forbidden: BTreeSet<_> = groups.split(' ').flat_map(calls).collect();
                allowed.retain(|call| !forbidden.contains(call));
            }
        }
    }
    assert!(allowed.len() > 100 && allowed.contains("fdatasync"), "{allowed:?}");

    let (log, trace) = (Log::new(), tempfile::NamedTempFile::new().unwrap());
    let input = tempfile::NamedTempFile::new().unwrap();
    fs::write(input.path(), events(300)).unwrap();
    let traced = Command::new("strace")
        .args(["-f", "-qq", "-e", "signal=none", "-o", trace.path().to_str().unwrap()])
        .args([env!("CARGO_BIN_EXE_audit"), "record", "--dir", log.path()])
        .args(["--service", "web.shop-1", "--rotate", "size:20000"])
        .arg(input.path())
        .output()
        .unwrap();
    if !traced.status.success() {
        println!("skipped: strace cannot attach: {}", common::told(&traced));
        return;
    }
    let text = fs::read_to_string(trace.path()).unwrap();
    // A line begins with the number of the process; one that goes on names its call elsewhere.
    let call =
        |line: &str| Some(line.split_once(' ')?.1.trim_start().split_once('(')?.0.to_owned());
    let made: BTreeSet<_> =
        text.lines().filter(|line| !line.contains("<...")).filter_map(call).collect();
    assert!(made.contains("fdatasync") && made.contains("flock"), "{made:?}");
    let forbidden: Vec<_> = made.difference(&allowed).collect();
    assert!(forbidden.is_empty(), "{forbidden:?}");
}

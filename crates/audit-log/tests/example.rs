//! The example is run as a newcomer runs it.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails where it stands")]

use std::path::PathBuf;
use std::process::Command;

use audit_verify::{Verdict, VerifyOptions, verify_dir};

/// Cargo builds the examples with the tests of a package, if not told to build one test alone.
fn login() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let login = test.parent().unwrap().parent().unwrap().join("examples/login");
    assert!(login.exists(), "not built: cargo build -p audit-log --example login");
    login
}

#[test]
fn the_login_example_prints_the_head_of_the_log_it_wrote() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("audit");
    for run in 1..=2 {
        let output = Command::new(login()).arg(&dir).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let head = String::from_utf8(output.stdout).unwrap().trim_end().parse().unwrap();
        let report =
            verify_dir(&dir, &VerifyOptions { heads: vec![head], ..VerifyOptions::default() })
                .unwrap();
        assert_eq!(report.verdict, Verdict::Intact, "{report}");
        assert_eq!((report.events, report.critical), (3 * run, run));
    }
    let text = std::fs::read_dir(&dir)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect::<String>();
    assert_eq!(text.matches(r#""sanitized":["/attempted_user"]"#).count(), 2);
}

#[test]
fn the_login_example_says_how_it_is_used() {
    let output = Command::new(login()).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("usage: login DIR"));
}

//! `audit record` is told to end.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails or says why it was skipped"
)]

mod common;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Output};

use common::{Log, events, piped, told};
use rustix::io::ioctl_fionread;
use rustix::process::{Pid, Signal, kill_process};

/// Gives the command an input that it has read when this returns.
fn feed(stdin: &mut ChildStdin, input: &str) {
    stdin.write_all(input.as_bytes()).unwrap();
    while ioctl_fionread(&*stdin).unwrap() > 0 {
        std::thread::yield_now();
    }
}

/// Sends a signal while standard input is open.
fn end(child: Child, stdin: ChildStdin, signal: Signal) -> Output {
    kill_process(Pid::from_child(&child), signal).unwrap();
    let done = child.wait_with_output().unwrap();
    drop(stdin);
    done
}

/// The log is closed, its end is the head that was told, and nothing is wrong with it.
fn assert_closed(log: &Log, told: &str) {
    let head = told.lines().find_map(|line| line.strip_prefix("head     ")).unwrap();
    let verified = log.verify(&["--head", head]);
    let report = String::from_utf8(verified.stdout).unwrap();
    assert_eq!(verified.status.code(), Some(0), "{report}");
    assert!(report.contains("INTACT"), "{report}");
    assert!(log.text().lines().last().unwrap().contains(r#""event_type":"log_closed""#));
}

/// Whether this process ignores SIGHUP, which those that it starts then do too.
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap() & 1 == 1
}

#[test]
fn a_hangup_that_is_ignored_from_the_beginning_stays_so() {
    let log = Log::new();
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_audit")]);
    command.args(["record", "--dir", log.path(), "--service", "web.shop-1", "--receipts"]);
    command.args(["--flush", "immediate"]);
    let mut child = piped(&mut command);
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for number in 1..=2 {
        stdin.write_all(events(1).as_bytes()).unwrap();
        let mut receipt = String::new();
        stdout.read_line(&mut receipt).unwrap();
        assert!(receipt.starts_with(&format!("{number} ")), "{receipt}");
        kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
    }
    let done = end(child, stdin, Signal::TERM);
    assert_eq!(done.status.code(), Some(143), "{}", told(&done));
    assert_closed(&log, &told(&done));
}

#[test]
fn every_line_that_was_read_is_recorded_and_the_log_is_closed() {
    for (signal, name, code) in
        [(Signal::TERM, "SIGTERM", 143), (Signal::INT, "SIGINT", 130), (Signal::HUP, "SIGHUP", 129)]
    {
        if signal == Signal::HUP && ignores_hangup() {
            println!("skipped: SIGHUP is ignored here, as under nohup, and so by the command");
            continue;
        }
        let log = Log::new();
        let (child, mut stdin) = log.start(&["--flush", "batched", "--interval", "3600"]);
        feed(&mut stdin, &events(5));
        let done = end(child, stdin, signal);
        let told = told(&done);
        assert_eq!(done.status.code(), Some(code), "{told}");
        let summary = format!("stopped by {name} after line 5\nrecorded 5 events (1 critical), ");
        assert!(told.contains(&summary), "{told}");
        assert_closed(&log, &told);
        assert_eq!(log.text().matches(r#""shard_id":"s"#).count(), 4);
    }
}

#[test]
fn a_silent_input_is_left_and_the_log_closed() {
    let log = Log::new();
    let (mut child, mut stdin) = log.start(&["--receipts", "--flush", "immediate"]);
    // A receipt shows that the signal is caught by now.
    stdin.write_all(events(1).as_bytes()).unwrap();
    let mut receipt = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut receipt).unwrap();
    assert!(receipt.starts_with("1 2:"), "{receipt}");
    let done = end(child, stdin, Signal::TERM);
    assert_eq!(done.status.code(), Some(143));
    assert_closed(&log, &told(&done));
}

#[test]
fn a_line_that_has_not_ended_is_no_event_and_receipts_come_first() {
    let log = Log::new();
    let (child, mut stdin) = log.start(&["--receipts", "--interval", "3600"]);
    let input = format!("{}no event\n{}", events(2), events(1).trim_end());
    feed(&mut stdin, &input);
    let done = end(child, stdin, Signal::TERM);
    let told = told(&done);
    assert_eq!(done.status.code(), Some(143), "{told}");
    assert!(told.contains("stopped by SIGTERM after line 3\nrecorded 2 events"), "{told}");
    assert!(told.contains("refused 1\n"), "{told}");
    let receipts = String::from_utf8(done.stdout).unwrap();
    let mut lines: Vec<_> = receipts.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines.len(), 3, "{receipts}");
    assert!(lines[0].starts_with("1 2:") && lines[1].starts_with("2 3:"), "{receipts}");
    assert!(lines[2].starts_with("3 refused "), "{receipts}");
    assert_closed(&log, &told);
}

#[test]
fn recording_goes_on_after_it() {
    let log = Log::new();
    let (child, mut stdin) = log.start(&[]);
    feed(&mut stdin, &events(3));
    assert_eq!(end(child, stdin, Signal::TERM).status.code(), Some(143));
    let done = log.record(&events(3), &[]);
    assert_eq!(done.status.code(), Some(0));
    assert_closed(&log, &told(&done));
    assert!(!log.text().contains("log_recovered"), "it was closed cleanly");
}

//! The process is told to end. Each test is a process of its own: signals are for a whole one.

#![expect(clippy::expect_used, reason = "a helper of tests fails where it stands")]

use std::io::{BufReader, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use audit_log::signal::{EndSignal, EndSignals};
use audit_log::{AuditConfig, AuditLogger, FlushMode};
use audit_testkit::events::{CLEAN_TEXT, of_every_type, service_id};
use audit_verify::{Verdict, VerifyOptions, verify_dir};
use rustix::process::{Pid, Signal, kill_process};

/// Names the log's directory to the process that plays the service.
const DIR: &str = "AUDIT_SIGNAL_TEST_DIR";

/// What the tests start as a service.
#[test]
#[ignore = "it is no test of its own: the others start it"]
fn the_service() {
    let dir = std::env::var_os(DIR).expect("a directory to log to");
    let signals = EndSignals::catch().expect("handlers");
    assert_eq!(signals.caught(), None);
    let mut config = AuditConfig::local(service_id(), dir);
    config.flush_mode = FlushMode::Batched { size: 1_000, interval_secs: 3_600 };
    let log = AuditLogger::open(Arc::new(config)).expect("a new log");
    for (_, event) in of_every_type(CLEAN_TEXT) {
        log.emit(event).expect("room");
    }
    let mut out = std::io::stderr();
    out.write_all(b"serving\n").expect("a reader");
    let (signal, closed) = signals.close(&log, Duration::from_mins(1)).expect("a signal");
    let head = closed.expect("a disk").expect("events");
    assert_eq!(signals.caught(), Some(signal));
    assert!(signals.as_fd().try_clone_to_owned().is_ok());
    writeln!(out, "closed by {signal} at {head}").expect("a reader");
    if signal == EndSignal::Terminate {
        std::process::exit(signal.exit_code().into());
    }
    // Caught once: the next one is not.
    loop {
        std::thread::park();
    }
}

fn start(dir: &std::path::Path) -> (Child, BufReader<std::process::ChildStderr>) {
    let test = std::env::current_exe().expect("this one");
    let mut service = Command::new(test)
        .args(["--exact", "the_service", "--ignored", "--nocapture"])
        .env(DIR, dir)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("this test again");
    let mut said = BufReader::new(service.stderr.take().expect("a pipe"));
    assert_eq!(line(&mut said), "serving");
    (service, said)
}

fn line(said: &mut impl std::io::BufRead) -> String {
    let mut line = String::new();
    said.read_line(&mut line).expect("a line");
    line.trim_end().to_owned()
}

fn send(service: &Child, signal: Signal) {
    kill_process(Pid::from_child(service), signal).expect("a process");
}

fn assert_closed_at(dir: &std::path::Path, said: &str) {
    let head = said.rsplit(' ').next().expect("one").parse().expect("a head");
    let report = verify_dir(dir, &VerifyOptions { heads: vec![head], ..VerifyOptions::default() })
        .expect("a directory");
    assert_eq!(report.verdict, Verdict::Intact, "{report}");
    assert_eq!(report.events, of_every_type(CLEAN_TEXT).len() as u64);
}

#[test]
fn a_service_that_is_terminated_leaves_a_closed_log() {
    let parent = tempfile::tempdir().expect("a directory");
    let dir = parent.path().join("audit");
    let (mut service, mut said) = start(&dir);
    send(&service, Signal::TERM);
    let closed = line(&mut said);
    assert!(closed.starts_with("closed by SIGTERM at "), "{closed}");
    assert_eq!(service.wait().expect("an end").code(), Some(143));
    assert_closed_at(&dir, &closed);
}

#[test]
fn a_second_signal_ends_the_process_as_if_none_was_caught() {
    let parent = tempfile::tempdir().expect("a directory");
    let dir = parent.path().join("audit");
    let (mut service, mut said) = start(&dir);
    send(&service, Signal::INT);
    let closed = line(&mut said);
    assert!(closed.starts_with("closed by SIGINT at "), "{closed}");
    assert!(service.try_wait().expect("a child").is_none());
    send(&service, Signal::TERM);
    assert_eq!(service.wait().expect("an end").signal(), Some(Signal::TERM.as_raw()));
    assert_closed_at(&dir, &closed);
}

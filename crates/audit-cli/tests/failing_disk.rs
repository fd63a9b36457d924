//! `audit record` on a disk that fails.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper of tests fails where it stands"
)]

mod common;

use std::fs;
use std::process::{Command, Output};

use common::{Log, can_trace, events, fed, told};

/// The receipts, `SEQ:HASH` each, of lines that must be the first ones in order.
fn receipts(done: &Output) -> Vec<String> {
    let printed = String::from_utf8(done.stdout.clone()).unwrap();
    let numbered = (1..).zip(printed.lines()).map(|(number, line)| {
        let receipt = line.strip_prefix(&format!("{number} "));
        receipt.unwrap_or_else(|| panic!("{line} is not the receipt of line {number}")).to_owned()
    });
    numbered.collect()
}

/// Every receipt is in the log, the next writer goes on, and the verifier finds nothing wrong.
fn assert_kept_and_goes_on(log: &Log, receipts: &[String]) {
    let before = log.segments().len();
    let again = log.record(&events(1), &[]);
    assert_eq!(again.status.code(), Some(0), "{}", told(&again));
    assert_eq!(log.segments().len(), before + 1, "a new segment");
    let heads = receipts.iter().flat_map(|receipt| ["--head", receipt]);
    let verified = log.verify(&heads.collect::<Vec<_>>());
    let report = String::from_utf8(verified.stdout).unwrap();
    assert_eq!(verified.status.code(), Some(0), "{report}");
    assert!(report.starts_with("CONSISTENT"), "{report}");
}

#[test]
fn the_fifth_fdatasync_fails_and_none_follows() {
    if !can_trace() {
        return;
    }
    let log = Log::new();
    let trace = tempfile::NamedTempFile::new().unwrap();
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-o", trace.path().to_str().unwrap()]);
    strace.args(["-e", "trace=fdatasync,fsync,sync,syncfs,sync_file_range,write"]);
    strace.args(["-e", "inject=fdatasync:error=EIO:when=5", env!("CARGO_BIN_EXE_audit")]);
    strace.args(["record", "--dir", log.path(), "--service", "web.shop-1"]);
    strace.args(["--flush", "immediate", "--receipts"]);
    let done = fed(&mut strace, events(9).as_bytes());
    let told = told(&done);
    assert_eq!(done.status.code(), Some(2), "{told}");
    assert!(told.contains("audit: line 4 was not recorded as asked: "), "{told}");
    assert!(told.contains("could not sync the segment: Input/output error"), "{told}");
    assert!(!told.contains("head "), "{told}");

    let trace = fs::read_to_string(trace.path()).unwrap();
    let (before, after) = trace.split_once("(INJECTED)").unwrap();
    assert_eq!(before.matches("fdatasync(").count(), 5, "{trace}");
    let of_the_log = |line: &&str| line.contains("sync(") || line.contains(log.path());
    assert_eq!(after.lines().find(of_the_log), None, "{trace}");

    let receipts = receipts(&done);
    assert_eq!(receipts.len(), 3, "the first sync was that of the new segment");
    assert_kept_and_goes_on(&log, &receipts);
}

#[test]
fn a_line_that_fits_into_no_file_ends_it_and_receipts_say_what_the_log_has() {
    let log = Log::new();
    // The limit is 16 KiB, and the last line has more.
    let script = "ulimit -f 32; exec \"$0\" \"$@\"";
    let mut limited = Command::new("sh");
    limited.args(["-c", script, env!("CARGO_BIN_EXE_audit")]);
    limited.args(["record", "--dir", log.path(), "--service", "web.shop-1", "--receipts"]);
    limited.args(["--flush", "batched", "--batch-size", "900", "--interval", "3600"]);
    let text = "x".repeat(6_000);
    let large = format!(
        "{{\"event_type\":\"large\",\"a\":\"{text}\",\"b\":\"{text}\",\"c\":\"{text}\"}}\n"
    );
    let done = fed(&mut limited, (events(100) + &large).as_bytes());
    let told = told(&done);
    assert_eq!(done.status.code(), Some(2), "{told}");
    let receipts = receipts(&done);
    assert_eq!(receipts.len(), 100, "{told}");
    assert!(told.contains("audit: line 101 was not recorded as asked: "), "{told}");
    assert!(told.contains("File too large"), "{told}");
    let kept: Vec<_> = [&receipts[..1], &receipts[receipts.len() - 1..]].concat();
    assert_kept_and_goes_on(&log, &kept);
}

#[test]
fn where_files_may_not_grow_larger_another_is_begun_and_no_signal_ends_it() {
    let log = Log::new();
    // The limit is 512 KiB.
    let script = "ulimit -f 1024; exec \"$0\" \"$@\"";
    let mut limited = Command::new("sh");
    limited.args(["-c", script, env!("CARGO_BIN_EXE_audit")]);
    limited.args(["record", "--dir", log.path(), "--service", "web.shop-1", "--receipts"]);
    limited.args(["--flush", "batched", "--batch-size", "900", "--interval", "3600"]);
    let done = fed(&mut limited, events(1_500).as_bytes());
    let told = told(&done);
    assert_eq!(done.status.code(), Some(0), "{told}");
    let sizes = fs::read_dir(log.path()).unwrap().map(|file| file.unwrap().metadata().unwrap());
    let sizes: Vec<_> = sizes.map(|about| about.len()).collect();
    assert!(sizes.len() > 1 && sizes.iter().all(|&bytes| bytes <= 512 * 1_024), "{sizes:?}");
    let receipts = receipts(&done);
    assert_eq!(receipts.len(), 1_500, "{told}");
    let kept: Vec<_> = [&receipts[..1], &receipts[receipts.len() - 1..]].concat();
    assert_kept_and_goes_on(&log, &kept);
}

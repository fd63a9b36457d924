//! A disk that fails when the kernel writes back: ext4 without a journal on a sparse image, in a
//! memory that is too small for it. The error is the kernel's own, and so is what it leaves: a cache
//! that shows more than the disk has, and a second sync that would succeed.

use std::fs;
use std::path::Path;
use std::process::Command;

use audit_log::core::Digest;
use audit_log::{AuditLogger, Condition, EmitError, Receipt, ShutdownError, WriteError};
use audit_testkit::loopback::ThinDisk;
use audit_verify::{NoticeCode, Verdict};
use rustix::io::Errno;
use serde_json::Value;

use crate::emitter::{Emitted, PATIENCE, Task, emit_all, event, told};
use crate::life::{Life, emitter, run};
use crate::log::Log;
use crate::modes::MODES;
use crate::points::{CALLS, can_trace};

/// Room for fewer events than are to be recorded, in more than one segment.
const ROOM_BYTES: u64 = 1 << 20;
const SEGMENT_BYTES: u64 = 400_000;
const EVENTS: u64 = 10_000;

/// The least that a cache, and such a disk, loses at once, in bytes.
const BLOCK_BYTES: usize = 4_096;

/// How the test binary is told to be the process.
const ARGUMENTS: [&str; 4] = ["--ignored", "--exact", "thin::the_process", "--nocapture"];

/// Lets a process in each flush mode record until its disk fails, and goes on after it.
pub(crate) fn fail_in_each_mode() {
    let is_traced = can_trace();
    for mode in 0..MODES.len() {
        match ThinDisk::new(ROOM_BYTES) {
            Ok(disk) => fail(disk, mode, is_traced),
            Err(error) => {
                println!("skipped: no thin disk can be mounted here: {error}");
                break;
            }
        }
    }
}

fn fail(mut disk: ThinDisk, mode: usize, is_traced: bool) {
    let dir = disk.dir().join("log");
    let task = Task {
        mode,
        bytes_max: SEGMENT_BYTES,
        threads: 4,
        events: EVENTS,
        critical_percent: 5,
        first: 0,
    };
    let life = live(&dir, &task, is_traced).unwrap_or_else(|why| panic!("{task}: {why}"));
    let mut log = Log::new(&dir);
    let newest = log.segments().pop().unwrap();
    // Whoever reads it now sees nothing but whole records: those that are lost are in the cache.
    let cached = fs::read(&newest).unwrap();
    assert!(cached.ends_with(b"\n") && records(&cached).all(|record| record.is_object()));

    disk.make_room().unwrap();
    let head = log.record_one(&task).unwrap();
    let found = fs::read(&newest).unwrap();
    let tail = Tail::of(&newest, &log);
    tail.is_lost(&cached, &found);
    let left = log.judge(&task, &life).unwrap();
    let durable: Vec<_> = life.durable.values().copied().chain([head]).collect();
    is_explained(&log, &durable);
    println!("{}: {} durable, {} lost, {tail:?}", task.mode().name, life.durable.len(), left.lost);

    // That was not the cache either.
    disk.remount().unwrap();
    assert!(fs::read(&newest).unwrap() == found, "the disk has something else");
    is_explained(&log, &durable);
}

/// Lets a process record until its disk fails; what it said until then.
fn live(dir: &Path, task: &Task, is_traced: bool) -> Result<Life, String> {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(&program);
    let home = tempfile::tempdir().unwrap();
    let trace = home.path().join("trace");
    if is_traced {
        command = Command::new("strace");
        let calls = format!("trace={},sync,syncfs,sync_file_range", CALLS.join(","));
        command.args(["-f", "-qq", "-y", "-e", &calls, "-o"]).arg(&trace).arg(program);
    }
    command.args(ARGUMENTS).envs(emitter(dir, task));
    let (status, said) = run(&mut command, None);
    let life = Life::of(status, &said)?;
    if is_traced {
        the_failed_sync_is_the_last_call(&fs::read_to_string(trace).unwrap(), dir);
    }
    Ok(life)
}

/// Demands that of the calls which change or sync something, none follows the sync that failed, but
/// for what is said to the parent.
fn the_failed_sync_is_the_last_call(trace: &str, dir: &Path) {
    let dir = dir.to_str().unwrap();
    let mut calls = trace.lines().skip_while(|call| !call.contains("= -1 ENOSPC"));
    let failed = calls.next().expect("a call that failed");
    assert!(failed.contains("fdatasync"), "{failed}");
    let more: Vec<_> =
        calls.filter(|call| call.contains("sync") || call.contains(dir)).take(9).collect();
    assert!(more.is_empty(), "{failed}\nand then\n{}", more.join("\n"));
}

#[test]
#[ignore = "it is no test of its own: another one starts it"]
fn the_process() {
    let (task, log) = told();
    let all = emit_all(&log, &task);
    let failed = log.health().unwrap();
    for Emitted { waiting, refused } in all {
        is_refused(refused.map_or(Ok(()), Err));
        // Nothing that was not durable when its thread was refused has become so.
        for (_, receipt) in waiting {
            is_refused(receipt.wait(PATIENCE));
        }
    }
    every_later_call_is_refused(&log);
    let closed = log.health().unwrap();
    assert!(matches!(closed.condition, Condition::Failed(error) if is_cause(&error)));
    assert_eq!((failed.last_durable, failed.durable), (closed.last_durable, closed.durable));
}

fn every_later_call_is_refused(log: &AuditLogger) {
    is_refused(log.emit(event("later", true)));
    is_refused(log.emit(event("later", false)));
    is_refused(log.emit_with_receipt(event("later", true)));
    is_refused(log.try_emit(event("later", false)));
    is_refused(log.flush());
    for _ in 0..2 {
        let closed = log.shutdown(PATIENCE);
        assert!(matches!(&closed, Err(ShutdownError::Write(error)) if is_cause(error)));
    }
}

fn is_refused<T>(outcome: Result<T, impl Into<EmitError>>) {
    let refused = outcome.err().map(Into::into);
    assert!(matches!(&refused, Some(EmitError::Write(error)) if is_cause(error)), "{refused:?}");
}

/// Whether it is the error of the kernel.
fn is_cause(error: &WriteError) -> bool {
    let WriteError::Poisoned { action: "sync the segment", cause } = error else { return false };
    cause.raw_os_error() == Some(Errno::NOSPC.raw_os_error())
}

/// What the segment after the failure says of the one before.
#[derive(Debug)]
struct Tail {
    offset: usize,
    bytes: usize,
    sha256: String,
}

impl Tail {
    fn of(segment: &Path, log: &Log) -> Self {
        let bytes = fs::read(log.segments().pop().unwrap()).unwrap();
        let said = records(&bytes).map(|record| record["event"].clone());
        let mut tails = said.filter(|event| event["event_type"] == "log_recovered");
        let tail = tails.next().expect("a tail that is accounted for");
        assert_eq!(tail["file"].as_str(), segment.file_name().unwrap().to_str());
        let number = |name: &str| usize::try_from(tail[name].as_u64().unwrap()).unwrap();
        Self {
            offset: number("offset"),
            bytes: number("bytes"),
            sha256: tail["sha256"].as_str().unwrap().to_owned(),
        }
    }

    /// Demands that it is what the disk has in the place of records that the cache had.
    fn is_lost(&self, cached: &[u8], found: &[u8]) {
        assert_eq!(
            (self.offset + self.bytes, found.len()),
            (cached.len(), cached.len()),
            "{self:?}"
        );
        assert_eq!(self.sha256, Digest::of(&found[self.offset..]).to_string(), "{self:?}");
        let lost = cached.iter().zip(found).position(|(cached, found)| cached != found);
        let lost = lost.expect("a block that the cache had and the disk has not");
        assert!(lost % BLOCK_BYTES == 0 && lost >= self.offset, "{lost}: {self:?}");
        assert!(found[lost..].iter().all(|&byte| byte == 0), "{self:?}");
    }
}

fn records(lines: &[u8]) -> impl Iterator<Item = Value> {
    let lines = lines.split_inclusive(|&byte| byte == b'\n');
    lines.map(|line| serde_json::from_slice(line).unwrap_or_default())
}

/// Demands that a verifier finds everything that was durable, and knows what became of the rest.
fn is_explained(log: &Log, durable: &[Receipt]) {
    for (heads, verdict) in [(vec![], Verdict::Consistent), (durable.to_vec(), Verdict::Intact)] {
        let report = log.verified(heads).unwrap();
        let codes: Vec<_> = report.notices.iter().map(|notice| notice.code).collect();
        assert_eq!((report.verdict, report.findings_total), (verdict, 0), "{report}");
        assert_eq!(codes, [NoticeCode::TailRecovered, NoticeCode::UncleanStop], "{report}");
    }
}

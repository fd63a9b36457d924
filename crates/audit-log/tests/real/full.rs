//! A disk that is full, one without another inode, and a process without another descriptor.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use audit_log::{
    AuditConfig, AuditLogger, Condition, EmitError, FlushMode, OverflowPolicy, Receipt,
    RotationPolicy, ShutdownError, WriteError,
};
use audit_testkit::loopback::{FileSystem, LoopDisk, SmallMemory};
use audit_verify::{Report, Verdict, VerifyOptions, verify_dir};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::emitter::{DIR, event, on_any_file_system, service};

/// Bytes of a disk that fills up, and what is left of it when the log is opened.
const DISK_BYTES: u64 = 16 << 20;
const LEFT_BYTES: u64 = 3 << 20;

/// How long a call waits while the disk is full, and for a disk that is not.
const SHORT: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_mins(1);

const THREADS: u64 = 8;

/// One of so many events is critical.
const CRITICAL_EACH: u64 = 8;

/// Who uses the disk beside the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Neighbour {
    Quiet,
    /// It writes whatever there is space for, all the time.
    Greedy,
}

/// What becomes of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    SpaceReturns,
    StaysFull,
}

/// A disk that somebody fills up.
#[derive(Debug)]
pub(crate) enum Disk {
    Ext4(LoopDisk),
    Memory(SmallMemory),
}

impl Disk {
    /// The disks that can be had here; says so where one cannot.
    pub(crate) fn all() -> Vec<Self> {
        let ext4 = LoopDisk::new(FileSystem::Ext4, DISK_BYTES, &[]).map(Self::Ext4);
        let memory = SmallMemory::new(DISK_BYTES).map(Self::Memory);
        [("ext4", ext4), ("tmpfs", memory)].into_iter().filter_map(had).collect()
    }

    fn dir(&self) -> &Path {
        match self {
            Self::Ext4(disk) => disk.dir(),
            Self::Memory(disk) => disk.dir(),
        }
    }
}

fn had<T>((name, disk): (&str, io::Result<T>)) -> Option<T> {
    if let Err(error) = &disk {
        println!("skipped: no small {name} can be mounted here: {error}");
    }
    disk.ok()
}

/// What was offered, by what came of it.
#[derive(Debug, Default)]
struct Offered {
    next: AtomicU64,
    accepted: AtomicU64,
    refused: AtomicU64,
}

impl Offered {
    /// Offers an event: its receipt, if it is durable. Routine events wait for nothing.
    fn offer(&self, log: &AuditLogger, is_critical: bool) -> Option<Receipt> {
        let name = format!("n{}", self.next.fetch_add(1, Ordering::Relaxed));
        let event = event(&name, is_critical);
        let said = if is_critical { log.emit_with_receipt(event) } else { log.try_emit(event) };
        let (count, receipt) = match said {
            Ok(receipt) => (&self.accepted, receipt.outcome().map(Result::unwrap)),
            Err(EmitError::Pending(_)) => (&self.accepted, None),
            Err(EmitError::QueueFull) => (&self.refused, None),
            Err(error) => panic!("{name}: {error}"),
        };
        count.fetch_add(1, Ordering::Relaxed);
        receipt
    }

    /// Offers events until a critical one finds no space any more; the newest that did.
    fn fill(&self, log: &AuditLogger) -> Receipt {
        let mut newest = None;
        loop {
            for _ in 1..CRITICAL_EACH {
                self.offer(log, false);
            }
            let durable = self.offer(log, true);
            newest = durable.or(newest);
            // A call may also end because the machine is busy.
            let is_full = matches!(log.health().unwrap().condition, Condition::Stalled(_));
            if durable.is_none() && is_full {
                return newest.expect("a critical event for which there was space");
            }
        }
    }

    fn counts(&self) -> (u64, u64) {
        (self.accepted.load(Ordering::Relaxed), self.refused.load(Ordering::Relaxed))
    }
}

fn config(dir: &Path, bytes_max: u64) -> AuditConfig {
    AuditConfig {
        rotation_policy: RotationPolicy::SizeLimit { bytes_max },
        overflow_policy: OverflowPolicy::Block { deadline: SHORT },
        open_policy: on_any_file_system(),
        ..AuditConfig::local(service(), dir)
    }
}

/// Fills a disk with a log, under load, and demands that every event is in it or counted.
pub(crate) fn fill_up(disk: &Disk, neighbour: Neighbour, end: End) {
    let [filler, dir] = ["filler", "log"].map(|name| disk.dir().join(name));
    take(&filler, LEFT_BYTES);
    let log = AuditLogger::open(Arc::new(config(&dir, 500_000))).unwrap();
    let offered = Offered::default();
    wait_until(|| offered.offer(&log, true).is_some());
    let newest = under_load(&log, &offered, neighbour, disk.dir());
    let health = log.health().unwrap();
    let Condition::Stalled(WriteError::Io { cause, .. }) = &health.condition else {
        panic!("{health:?}")
    };
    assert_eq!(cause.kind(), ErrorKind::StorageFull);
    assert!(health.lost > 0, "routine events found room all the time: {health:?}");
    assert_eq!((health.accepted, health.lost), offered.counts());
    // Every critical event that was durable is there, and the log says why others wait.
    let report = verified(&dir, &newest);
    assert!(report.verdict < Verdict::Torn, "{report}");
    assert!(text(&dir).contains(r#""disk_full""#));

    if end == End::SpaceReturns {
        fs::remove_file(&filler).unwrap();
        wait_until(|| log.flush().is_ok());
        let (_, refused) = offered.counts();
        for number in 0..200 {
            offered.offer(&log, number % CRITICAL_EACH == 0);
        }
        assert_eq!(offered.counts().1, refused, "an event was refused though there is space");
    }
    let closed = log.shutdown(PATIENCE);
    let (accepted, refused) = offered.counts();
    let (head, given_up) = match (end, closed) {
        (End::SpaceReturns, Ok(Some(head))) => (head, 0),
        (End::StaysFull, Err(ShutdownError::Lost { events, head: Some(head) })) => (head, events),
        (end, closed) => panic!("{end:?}: {closed:?}"),
    };
    let health = log.health().unwrap();
    assert_eq!((health.accepted, health.lost), (accepted, refused + given_up));
    let report = verified(&dir, &[newest, vec![head]].concat());
    assert_eq!(report.verdict, Verdict::Intact, "{report}");
    assert_eq!(report.events, accepted - given_up, "{report}");
    assert_eq!(report.events_lost, refused + given_up, "{report}");
    println!("{neighbour:?}, {end:?}: {accepted} accepted, {refused} refused, {given_up} given up");
    for name in ["filler", "eaten"] {
        fs::remove_file(disk.dir().join(name)).unwrap_or_default();
    }
    fs::remove_dir_all(dir).unwrap();
}

/// The newest durable event of each thread when no space was left.
fn under_load(
    log: &AuditLogger,
    offered: &Offered,
    neighbour: Neighbour,
    disk: &Path,
) -> Vec<Receipt> {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        if neighbour == Neighbour::Greedy {
            scope.spawn(|| eat(&disk.join("eaten"), &is_over));
        }
        let fill = || offered.fill(log);
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(fill)).collect();
        // Before a panic is passed on, the neighbour has to be told.
        let newest: Vec<_> = threads.into_iter().map(ScopedJoinHandle::join).collect();
        is_over.store(true, Ordering::Relaxed);
        newest.into_iter().map(Result::unwrap).collect()
    })
}

/// Takes space until so much is left.
fn take(path: &Path, left: u64) {
    let mut file = File::create(path).unwrap();
    let some = vec![0; 65_536];
    loop {
        let about = rustix::fs::fstatvfs(&file).unwrap();
        if about.f_bavail * about.f_frsize <= left {
            return;
        }
        file.write_all(&some).unwrap();
        // What is only cached may be counted later.
        file.sync_data().unwrap();
    }
}

/// Takes all space that there is, again and again.
fn eat(path: &Path, is_over: &AtomicBool) {
    let mut file = File::create(path).unwrap();
    while !is_over.load(Ordering::Relaxed) {
        if file.write_all(&[0; 4_096]).is_err() {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

fn verified(dir: &Path, heads: &[Receipt]) -> Report {
    verify_dir(dir, &VerifyOptions { heads: heads.to_vec(), ..VerifyOptions::default() }).unwrap()
}

fn text(dir: &Path) -> String {
    segments(dir).iter().map(|segment| fs::read_to_string(segment).unwrap()).collect()
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap();
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some()).collect()
}

fn wait_until(is_so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "in vain");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A disk with space and without another inode: the segment grows beyond its limit, and no event is
/// lost or waits.
pub(crate) fn run_out_of_inodes() {
    let disk = LoopDisk::new(FileSystem::Ext4, DISK_BYTES, &["-N", "32"]);
    let Some(disk) = had(("ext4", disk)) else { return };
    let dir = disk.dir().join("log");
    let log = AuditLogger::open(Arc::new(config(&dir, 5_000))).unwrap();
    let record = |count| {
        for number in 0..count {
            log.emit(event(&format!("n{number}"), true)).unwrap();
        }
    };
    record(1);
    let names = (0..).map(|number| disk.dir().join(number.to_string()));
    let taken: Vec<_> = names.take_while(|name| File::create(name).is_ok()).collect();
    record(100);
    assert_eq!(segments(&dir).len(), 1);
    for name in taken {
        fs::remove_file(name).unwrap();
    }
    record(10);
    assert!(segments(&dir).len() > 1);
    let head = log.shutdown(PATIENCE).unwrap().unwrap();
    let report = verified(&dir, &[head]);
    assert_eq!((report.verdict, report.events), (Verdict::Intact, 111), "{report}");
}

/// A process that has no descriptor for the next segment.
pub(crate) fn run_out_of_descriptors() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "full::the_process_without_descriptors", "--nocapture"]);
    let ended = command.env(DIR, dir.path()).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let report = verified(dir.path(), &[]);
    assert_eq!((report.verdict, report.events_lost), (Verdict::Consistent, 0), "{report}");
    assert!(report.events > 100 && report.segments > 2, "{report}");
}

#[test]
#[ignore = "it is no test of its own: another one starts it"]
fn the_process_without_descriptors() {
    let dir = PathBuf::from(std::env::var_os(DIR).unwrap());
    let config = AuditConfig { flush_mode: FlushMode::Immediate, ..config(&dir, 5_000) };
    let log = AuditLogger::open(Arc::new(config)).unwrap();
    let emit = || log.emit(event("n0", false));
    emit().unwrap();
    let limit = getrlimit(Resource::Nofile);
    let used = (0..).take_while(|number| Path::new(&format!("/proc/self/fd/{number}")).exists());
    let used = used.count() as u64;
    setrlimit(Resource::Nofile, Rlimit { current: Some(used), ..limit }).unwrap();
    let refused = (0..100).find_map(|_| emit().err());
    // It has its place in the queue, and nothing has reached the disk in its place.
    let Some(EmitError::Pending(receipt)) = refused else { panic!("{refused:?}") };
    let condition = log.health().unwrap().condition;
    let Condition::Stalled(WriteError::Io { cause, .. }) = condition else {
        panic!("{condition:?}")
    };
    assert_eq!(cause.raw_os_error(), Some(rustix::io::Errno::MFILE.raw_os_error()));
    setrlimit(Resource::Nofile, limit).unwrap();
    receipt.wait(PATIENCE).unwrap();
    (0..100).for_each(|_| emit().unwrap());
    log.shutdown(PATIENCE).unwrap();
}

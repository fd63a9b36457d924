//! What a command, or a thread, used.

#![expect(clippy::expect_used, reason = "a child of somebody else fails the test that asks")]

use std::fs;
use std::mem::MaybeUninit;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than any command needs, however busy the machine is.
const PATIENCE: Duration = Duration::from_mins(2);

/// Between two looks at a child.
const BETWEEN: Duration = Duration::from_millis(2);

/// How a command ended, and what it used until then.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// How it ended.
    pub status: ExitStatus,
    /// Time of the processors, of the kernel's too.
    pub cpu: Duration,
    /// The most memory that it had, in bytes: at least what its parent had when it was started.
    pub peak_bytes: u64,
    /// What it read; `None` where the kernel does not count that.
    pub read: Option<Reads>,
}

/// What a process, or a thread, read.
#[derive(Clone, Copy, Debug)]
pub struct Reads {
    /// Bytes, from the cache or the disk.
    pub bytes: u64,
    /// Calls.
    pub calls: u64,
}

impl Reads {
    /// What this thread has read so far; `None` where the kernel does not count that.
    #[must_use]
    pub fn of_this_thread() -> Option<Self> {
        Self::told_in("/proc/thread-self/io")
    }

    fn told_in(path: &str) -> Option<Self> {
        let io = fs::read_to_string(path).ok()?;
        let number = |name: &str| io.lines().find_map(|line| line.strip_prefix(name))?.parse().ok();
        Some(Self { bytes: number("rchar: ")?, calls: number("syscr: ")? })
    }
}

/// Runs a command without input, its output thrown away; `None` where it has not ended by itself in time
/// and was killed.
///
/// # Panics
///
/// It cannot be started.
#[must_use]
#[expect(clippy::zombie_processes, reason = "where it has ended, it was waited for")]
pub fn of(command: &mut Command) -> Option<Usage> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("a command that can be started");
    let started = Instant::now();
    loop {
        if let Some(usage) = ended(&child) {
            return Some(usage);
        }
        if started.elapsed() > PATIENCE {
            child.kill().expect("a child of this process");
            child.wait().expect("a child of this process");
            return None;
        }
        thread::sleep(BETWEEN);
    }
}

fn ended(child: &Child) -> Option<Usage> {
    let pid = libc::pid_t::try_from(child.id()).expect("a process id");
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    // SAFETY: `info` is a place for what the call writes, as long as it lasts; zeros, which say that
    // the child has not ended, are a value of it.
    #[expect(unsafe_code, reason = "the system call is unsafe")]
    let (waited, ended) = unsafe {
        let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        let waited = libc::waitid(libc::P_PID, child.id(), info.as_mut_ptr(), options);
        (waited, info.assume_init().si_pid() != 0)
    };
    assert!(waited == 0, "a child of this process");
    if !ended {
        return None;
    }
    // Told until it is waited for.
    let read = Reads::told_in(&format!("/proc/{pid}/io"));
    let (mut status, mut used) = (0, MaybeUninit::<libc::rusage>::zeroed());
    // SAFETY: `status` and `used` are places for what the call writes, as long as it lasts; an rusage
    // of zeros is one.
    #[expect(unsafe_code, reason = "the system call is unsafe")]
    let (waited, used) = unsafe {
        let waited = libc::wait4(pid, &raw mut status, 0, used.as_mut_ptr());
        (waited, used.assume_init())
    };
    assert!(waited == pid, "a child of this process");
    let cpu = time(used.ru_utime).saturating_add(time(used.ru_stime));
    let peak_bytes = u64::try_from(used.ru_maxrss).unwrap_or(0).saturating_mul(1_024);
    Some(Usage { status: ExitStatus::from_raw(status), cpu, peak_bytes, read })
}

fn time(time: libc::timeval) -> Duration {
    let whole = Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or(0));
    whole.saturating_add(Duration::from_micros(u64::try_from(time.tv_usec).unwrap_or(0)))
}

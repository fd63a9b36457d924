//! What a child process used.

#![expect(clippy::expect_used, reason = "a child of somebody else fails the test that asks")]

use std::fs;
use std::mem::MaybeUninit;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

/// Between two looks at a child.
const BETWEEN: Duration = Duration::from_millis(2);

/// How a child ended, and what it used until then.
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

/// What a process read.
#[derive(Clone, Copy, Debug)]
pub struct Reads {
    /// Bytes, from the cache or the disk.
    pub bytes: u64,
    /// Calls.
    pub calls: u64,
}

impl Reads {
    /// What a process has read so far, which may have ended, but has not been waited for.
    fn of(pid: libc::pid_t) -> Option<Self> {
        let io = fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
        let number = |name: &str| io.lines().find_map(|line| line.strip_prefix(name))?.parse().ok();
        Some(Self { bytes: number("rchar: ")?, calls: number("syscr: ")? })
    }
}

/// Waits for the end of a child, whose output must not fill a pipe; `None` where it has not ended by
/// itself in time and was killed.
///
/// # Panics
///
/// Somebody else has waited for it.
#[must_use]
pub fn wait(mut child: Child, patience: Duration) -> Option<Usage> {
    drop(child.stdin.take());
    let started = Instant::now();
    loop {
        if let Some(usage) = ended(&child) {
            return Some(usage);
        }
        if started.elapsed() > patience {
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
    let read = Reads::of(pid);
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

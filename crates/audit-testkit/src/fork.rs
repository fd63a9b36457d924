//! A real fork: a child that is a copy of this process, with the calling thread alone.

#![expect(clippy::expect_used, reason = "a process that cannot be made fails the test that asks")]

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitStatus;

/// Seconds after which a child is ended that waits for a lock which nobody will ever release.
const PATIENCE_SECS: libc::c_uint = 60;

/// The exit code of a child that panicked.
const PANICKED: u8 = 255;

/// A child that was forked and not yet waited for.
#[derive(Debug)]
#[must_use = "a child that nobody waits for tells nothing"]
pub struct Forked {
    pid: libc::pid_t,
}

/// Forks, and lets the child do this: the exit code of the child is what it returns.
///
/// The child ends with that, at once: it returns from no other call, drops nothing of its caller's
/// and runs no other test. A panic in it is exit code 255, its text is lost, and a child that hangs
/// is ended by SIGALRM after a minute.
///
/// # Panics
///
/// There can be no further process.
pub fn fork(act: impl FnOnce() -> u8) -> Forked {
    // SAFETY: The child has whole copies of all memory and one thread. A lock that another thread
    // had at this moment stays locked in it, which is what tests ask about, and the alarm bounds; the
    // C library sees to its own, so memory can be allocated. It leaves by `_exit`, which runs nothing
    // of the parent's.
    #[expect(unsafe_code, reason = "the system call is unsafe")]
    let pid = unsafe {
        let pid = libc::fork();
        if pid == 0 {
            libc::alarm(PATIENCE_SECS);
            let code = catch_unwind(AssertUnwindSafe(act)).unwrap_or(PANICKED);
            libc::_exit(code.into());
        }
        pid
    };
    assert!(pid > 0, "cannot fork: {}", io::Error::last_os_error());
    Forked { pid }
}

impl Forked {
    /// Waits for the end of the child.
    ///
    /// # Panics
    ///
    /// Somebody else has waited for it.
    #[must_use]
    pub fn wait(self) -> ExitStatus {
        let mut status = 0;
        // SAFETY: `status` is a place for an integer, as long as the call lasts.
        #[expect(unsafe_code, reason = "the system call is unsafe")]
        let waited = unsafe { libc::waitpid(self.pid, &raw mut status, 0) };
        (waited == self.pid).then_some(()).expect("a child of this process");
        ExitStatus::from_raw(status)
    }
}

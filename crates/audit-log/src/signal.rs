//! Closing a log when the process is told to end. Behind the feature of this name.
//!
//! A service that has no way of its own to be told catches the signals before it does anything
//! else, and closes its log when one has come:
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use audit_log::signal::EndSignals;
//!
//! # fn serve(_: audit_log::AuditLogger) {}
//! # fn example(log: audit_log::AuditLogger) -> Result<(), Box<dyn std::error::Error>> {
//! let signals = EndSignals::catch()?;
//! let served = log.clone();
//! std::thread::spawn(move || serve(served));
//! let (signal, closed) = signals.close(&log, Duration::from_secs(5))?;
//! if let Err(error) = closed {
//!     eprintln!("the log is not closed: {error}");
//! }
//! std::process::exit(signal.exit_code().into());
//! # }
//! ```
//!
//! No thread is started: one that the service has waits, or polls the descriptor beside others.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use audit_core::Receipt;
use audit_writer::ShutdownError;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

use crate::AuditLogger;

/// A signal that asks the process to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndSignal {
    /// SIGHUP: the terminal is closed, or the session at it ends.
    Hangup,
    /// SIGINT: somebody at the terminal.
    Interrupt,
    /// SIGTERM: whoever supervises the process.
    Terminate,
}

impl EndSignal {
    const ALL: [Self; 3] = [Self::Hangup, Self::Interrupt, Self::Terminate];

    /// The exit status of a program that ends because of it, as shells count: 128 and its number.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Hangup => 129,
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }

    const fn number(self) -> i32 {
        match self {
            Self::Hangup => SIGHUP,
            Self::Interrupt => SIGINT,
            Self::Terminate => SIGTERM,
        }
    }
}

/// Its name.
impl fmt::Display for EndSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hangup => "SIGHUP",
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        })
    }
}

/// SIGTERM and SIGINT, caught, and SIGHUP where that is asked for. The first one is noted; a second one ends the process at once, as it
/// would have without this, so that a disk that hangs can be given up. Dropping it changes nothing.
#[derive(Debug)]
pub struct EndSignals {
    /// The number of the first one.
    caught: Arc<AtomicUsize>,
    /// Readable once one was caught. Nothing is ever read.
    bell: UnixStream,
}

impl EndSignals {
    /// Catches SIGTERM and SIGINT from now on.
    ///
    /// # Errors
    ///
    /// The process has no descriptor left, or may not catch signals: some may be caught by then.
    pub fn catch() -> io::Result<Self> {
        Self::catch_each(&[EndSignal::Interrupt, EndSignal::Terminate])
    }

    /// Catches SIGHUP too, unless the process ignores it, as nohup(1) has it: for a program to which a
    /// hangup means nothing else than its end.
    ///
    /// # Errors
    ///
    /// As for [`catch`](Self::catch).
    pub fn catch_with_hangup() -> io::Result<Self> {
        if ignores_hangup() { Self::catch() } else { Self::catch_each(&EndSignal::ALL) }
    }

    fn catch_each(signals: &[EndSignal]) -> io::Result<Self> {
        let (bell, ringer) = UnixStream::pair()?;
        let (caught, again) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        for signal in signals {
            let number = signal.number();
            // They run in this order: what is looked at first was set by an earlier signal.
            flag::register_conditional_default(number, Arc::clone(&again))?;
            flag::register(number, Arc::clone(&again))?;
            let value = usize::try_from(number).unwrap_or_default();
            flag::register_usize(number, Arc::clone(&caught), value)?;
            low_level::pipe::register(number, ringer.try_clone()?)?;
        }
        Ok(Self { caught, bell })
    }

    /// The first one that came.
    #[must_use]
    pub fn caught(&self) -> Option<EndSignal> {
        let number = self.caught.load(Ordering::Acquire);
        EndSignal::ALL.into_iter().find(|signal| usize::try_from(signal.number()) == Ok(number))
    }

    /// Waits for one, for as long as it takes.
    ///
    /// # Errors
    ///
    /// The system cannot wait.
    pub fn wait(&self) -> io::Result<EndSignal> {
        loop {
            if let Some(signal) = self.caught() {
                return Ok(signal);
            }
            match poll(&mut [PollFd::new(&self.bell, PollFlags::IN)], None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits for one, and then [shuts the log down](AuditLogger::shutdown): what was accepted is
    /// written, whoever emits meanwhile gets [`EmitError::Closed`](crate::EmitError::Closed).
    /// Returns what came and what became of the log.
    ///
    /// # Errors
    ///
    /// As for [`wait`](Self::wait); the log is open then.
    pub fn close(
        &self,
        log: &AuditLogger,
        deadline: Duration,
    ) -> io::Result<(EndSignal, Result<Option<Receipt>, ShutdownError>)> {
        let signal = self.wait()?;
        Ok((signal, log.shutdown(deadline)))
    }
}

/// Whether the process ignores SIGHUP: the lowest bit of the mask in `/proc/self/status`, proc(5).
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 == 1)
}

/// Readable once a signal was caught, for a loop that waits for other things too. Read nothing.
impl AsFd for EndSignals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}

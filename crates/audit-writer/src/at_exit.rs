//! The end of a process: a log that is open then is closed.
//!
//! A logger in a `static` is never dropped, so nothing else would write what it has accepted.

use std::sync::Weak;
use std::time::Duration;

use audit_core::limits::DROP_DEADLINE_SECS;

use crate::broken::{self, Broken};
use crate::clock::{Clock as _, SystemClock};
use crate::queue::QueuedWriter;
use crate::sync::{Arc, Mutex, lock};

/// The logs that are to be closed, as long as they are in use.
static OPEN: Mutex<Vec<Weak<QueuedWriter>>> = Mutex::new(Vec::new());

impl QueuedWriter {
    /// Closes the log when the process ends normally while it is still open: when `main` returns or
    /// panics, or any thread calls [`std::process::exit`]. All logs together get 5 seconds, and there
    /// is no caller to return an error to.
    ///
    /// A process that is killed, aborts or calls `_exit` runs no such code, and in a process that was
    /// forked from this one it does nothing. In a library that is loaded with `dlopen`, as a module of
    /// Python is, logs are closed when that is unloaded, too.
    pub fn close_at_exit(log: &Arc<Self>) {
        let mut open = lock(&OPEN);
        open.retain(|log| log.strong_count() > 0);
        open.push(Arc::downgrade(log));
    }
}

dtor::declarative::dtor! {
    #[dtor(unsafe)]
    fn close_open_logs() {
        if !broken::is(Broken::EndUnhooked) {
            close_all(Duration::from_secs(DROP_DEADLINE_SECS));
        }
    }
}

/// Asks every log to close before it waits for the first.
fn close_all(deadline: Duration) {
    let clock = SystemClock::default();
    let until = clock.monotonic().saturating_add(deadline);
    // A lock that is held belongs to a thread that opens a log, or that a fork left behind.
    let Ok(mut open) = OPEN.try_lock() else { return };
    let logs: Vec<_> = open.drain(..).filter_map(|log| log.upgrade()).collect();
    drop(open);
    for log in &logs {
        drop(log.shutdown(Duration::ZERO));
    }
    for log in &logs {
        drop(log.shutdown(until.saturating_sub(clock.monotonic())));
    }
}

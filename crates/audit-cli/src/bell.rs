//! A bell that the worker of a log rings when a receipt is resolved, for a loop that polls.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::Wake;

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::{read, write};

/// Readable from when it is rung until it is hushed.
#[derive(Debug)]
pub(crate) struct Bell(OwnedFd);

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?))
    }

    /// Makes it quiet again, if it was rung.
    pub(crate) fn hush(&self) {
        // Nothing is read from one that was not rung.
        read(&self.0, &mut [0; 8]).unwrap_or_default();
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        // It refuses only when it was rung 2^64 times and not heard.
        write(&self.0, &1_u64.to_ne_bytes()).unwrap_or_default();
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

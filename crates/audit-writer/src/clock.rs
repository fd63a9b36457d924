//! The clock: the one place where time is read.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

/// Time of day, for timestamps, and monotonic time, for intervals.
pub trait Clock {
    /// The time of day. It may go back.
    fn now(&mut self) -> DateTime<Utc>;

    /// Time since some fixed moment. It never goes back.
    fn monotonic(&mut self) -> Duration;
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&mut self) -> DateTime<Utc> {
        Utc::now()
    }

    fn monotonic(&mut self) -> Duration {
        self.started.elapsed()
    }
}

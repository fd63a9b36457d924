//! The clock: the one place where time is read.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

/// Time of day, for timestamps, and monotonic time, for intervals and deadlines. Threads share it.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time of day. It may go back.
    fn now(&self) -> DateTime<Utc>;

    /// Time since some fixed moment. It never goes back.
    fn monotonic(&self) -> Duration;

    /// How long a thread that waits for `until` may sleep before it asks the clock again.
    fn nap(&self, until: Duration) -> Duration {
        until.saturating_sub(self.monotonic())
    }
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
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

/// How long a thread sleeps before it looks at a simulated clock again. No decision depends on it.
const SIM_NAP: Duration = Duration::from_millis(1);

/// A clock that stands still until it is told otherwise. Clones tell the same time.
#[derive(Clone, Debug)]
pub struct SimClock {
    time: Arc<Mutex<SimTime>>,
}

#[derive(Debug)]
struct SimTime {
    now: DateTime<Utc>,
    monotonic: Duration,
    /// What threads that asked at this monotonic time are waiting for.
    naps: BTreeSet<Duration>,
}

impl SimClock {
    /// Stands at a time of day.
    #[must_use]
    pub fn at(now: DateTime<Utc>) -> Self {
        let time = SimTime { now, monotonic: Duration::ZERO, naps: BTreeSet::new() };
        Self { time: Arc::new(Mutex::new(time)) }
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        let mut sim = self.lock();
        sim.monotonic = sim.monotonic.saturating_add(time);
        sim.naps.clear();
        let by = TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
        sim.now = sim.now.checked_add_signed(by).unwrap_or(DateTime::<Utc>::MAX_UTC);
    }

    /// Sets the time of day, back or forth; monotonic time does not care.
    pub fn step(&self, by: TimeDelta) {
        let mut sim = self.lock();
        sim.now = sim.now.checked_add_signed(by).unwrap_or(sim.now);
    }

    /// Whether a thread has looked at the present time and then waited for `until`: it has decided
    /// that there is nothing to do before.
    #[must_use]
    pub fn has_sleeper(&self, until: Duration) -> bool {
        self.lock().naps.contains(&until)
    }

    fn lock(&self) -> MutexGuard<'_, SimTime> {
        self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SimClock {
    fn now(&self) -> DateTime<Utc> {
        self.lock().now
    }

    fn monotonic(&self) -> Duration {
        self.lock().monotonic
    }

    fn nap(&self, until: Duration) -> Duration {
        let mut sim = self.lock();
        sim.naps.insert(until);
        // Nobody wakes the sleeper when the time is set.
        if until > sim.monotonic { SIM_NAP } else { Duration::ZERO }
    }
}

//! How long a call waits: one deadline for all that it waits for.

use std::time::Duration;

use crate::clock::Clock;

/// How long a call waits, from its first wait on.
pub(super) struct Patience<'s> {
    clock: &'s dyn Clock,
    deadline: Duration,
    until: Option<Duration>,
}

impl<'s> Patience<'s> {
    pub(super) fn new(clock: &'s dyn Clock, deadline: Duration) -> Self {
        Self { clock, deadline, until: None }
    }

    pub(super) fn until(&mut self) -> Duration {
        let Self { clock, deadline, .. } = *self;
        *self.until.get_or_insert_with(|| clock.monotonic().saturating_add(deadline))
    }

    /// What is left of it.
    pub(super) fn left(&mut self) -> Duration {
        let until = self.until();
        until.saturating_sub(self.clock.monotonic())
    }

    /// How long to sleep before looking again.
    pub(super) fn nap(&mut self) -> Duration {
        let until = self.until();
        self.clock.nap(until)
    }

    pub(super) fn is_over(&mut self) -> bool {
        self.nap().is_zero()
    }
}

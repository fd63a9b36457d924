//! A call, step by step: into the queue, and until its ticket is settled.

use std::time::Duration;

use audit_core::{AuditEvent, Marks, OverflowPolicy};

use super::QueuedWriter;
use super::patience::Patience;
use super::progress::Waited;
use super::receipt::PendingReceipt;
use super::shared::Shared;
use super::state::State;
use crate::error::QueueError;
use crate::flush;
use crate::sync::{Arc, MutexGuard, Ordering, thread};

/// The place of an event that was accepted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) ticket: u64,
    /// The ticket that has to be durable before its call returns.
    pub(super) awaited: u64,
}

impl QueuedWriter {
    /// A call's patience.
    pub(super) fn patience(&self, deadline: Duration) -> Patience<'_> {
        Patience::new(&*self.shared.clock, deadline)
    }

    /// Waits for room and puts an event into the queue.
    pub(super) fn accept<'s>(
        &'s self,
        event: &AuditEvent<'_>,
        sanitized: &Marks,
        patience: &mut Patience<'_>,
    ) -> Result<(MutexGuard<'s, State>, Place), QueueError> {
        self.own_process()?;
        let mut state = self.shared.lock();
        loop {
            state.usable()?;
            if state.has_room(event.is_critical()) {
                break;
            }
            if self.overflow == OverflowPolicy::Reject
                || patience.is_over()
                || state.worker == Some(thread::current().id())
            {
                return Err(self.shared.refuse(&mut state, event));
            }
            state = self.shared.wait_for_room(state, patience);
        }
        let ticket = self.shared.accept(&mut state, event, sanitized);
        let window = flush::window(self.shared.flush_mode);
        let slack = if state.waits_for_disk(event.is_critical()) { 0 } else { window };
        Ok((state, Place { ticket, awaited: ticket.saturating_sub(slack) }))
    }

    /// A forked child has the memory but not the worker, and the log is its parent's.
    pub(super) fn own_process(&self) -> Result<(), QueueError> {
        if std::process::id() == self.pid { Ok(()) } else { Err(QueueError::Forked) }
    }

    /// Fails if one of these tickets, which are settled, is not durable.
    pub(super) fn check_within(&self, from: u64, to: u64) -> Result<(), QueueError> {
        if !self.shared.has_failures.load(Ordering::Acquire) {
            return Ok(());
        }
        let failure = self.shared.lock().settled().failure_within(from, to);
        failure.map_or(Ok(()), |cause| Err(QueueError::Write(cause)))
    }

    /// Waits for a ticket to be settled; for `mine` a receipt is given to who gives up.
    pub(super) fn wait_settled(
        &self,
        awaited: u64,
        mine: u64,
        patience: &mut Patience<'_>,
    ) -> Result<(), QueueError> {
        let Shared { progress, clock, .. } = &*self.shared;
        if progress.is_settled(awaited) {
            return Ok(());
        }
        let is_worker = self.shared.lock().worker == Some(thread::current().id());
        let until = if is_worker { Duration::ZERO } else { patience.until() };
        let waited = progress.wait(&**clock, awaited, until);
        if waited == Waited::Reached {
            return Ok(());
        }
        let mut state = self.shared.lock();
        if let Some(Err(cause)) = state.outcome() {
            return Err(QueueError::Write(cause));
        }
        match state.slot(mine) {
            None => Ok(()),
            Some(slot) => Err(QueueError::Pending(PendingReceipt::new(slot, Arc::clone(clock)))),
        }
    }
}

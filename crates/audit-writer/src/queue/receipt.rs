//! The receipt of a record that is not yet durable.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use audit_core::Receipt;

use crate::clock::{Clock, SystemClock};
use crate::error::{QueueError, WriteError};
use crate::sync::{Arc, Condvar, Mutex, lock, wait_for};

/// Resolves to the [`Receipt`] of a record once it is durable, or to the error that keeps it from
/// becoming so: by [`wait`](Self::wait), or by `.await`.
///
/// Dropping it changes nothing: the record is written all the same.
#[derive(Clone)]
pub struct PendingReceipt {
    slot: Arc<Slot>,
    clock: Arc<dyn Clock>,
}

/// Where the outcome of one ticket is put.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    inner: Mutex<Inner>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    outcome: Option<Result<Receipt, WriteError>>,
    wakers: Vec<Waker>,
}

impl PendingReceipt {
    pub(crate) fn new(slot: Arc<Slot>, clock: Arc<dyn Clock>) -> Self {
        Self { slot, clock }
    }

    /// A receipt that nothing has to be waited for.
    #[must_use]
    pub fn resolved(receipt: Receipt) -> Self {
        let slot = Slot::default();
        slot.resolve(Ok(receipt));
        Self { slot: Arc::new(slot), clock: Arc::new(SystemClock::default()) }
    }

    /// The outcome, if there is one by now.
    #[must_use]
    pub fn outcome(&self) -> Option<Result<Receipt, WriteError>> {
        lock(&self.slot.inner).outcome.clone()
    }

    /// Waits for the record to be durable, for so long at most.
    ///
    /// # Errors
    ///
    /// [`QueueError::Pending`], with this receipt, when the disk has not answered by then: the
    /// record stays in the queue. [`QueueError::Write`] when it cannot become durable any more; it
    /// may or may not be in the log.
    pub fn wait(&self, deadline: Duration) -> Result<Receipt, QueueError> {
        let until = self.clock.monotonic().saturating_add(deadline);
        let mut inner = lock(&self.slot.inner);
        loop {
            if let Some(outcome) = inner.outcome.clone() {
                return Ok(outcome?);
            }
            let nap = self.clock.nap(until);
            if nap.is_zero() {
                return Err(QueueError::Pending(self.clone()));
            }
            inner = wait_for(&self.slot.news, inner, nap);
        }
    }
}

impl Future for PendingReceipt {
    type Output = Result<Receipt, QueueError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut inner = lock(&self.slot.inner);
        if let Some(outcome) = inner.outcome.clone() {
            return Poll::Ready(outcome.map_err(QueueError::from));
        }
        if !inner.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
            inner.wakers.push(context.waker().clone());
        }
        Poll::Pending
    }
}

impl fmt::Debug for PendingReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PendingReceipt").field(&self.outcome()).finish()
    }
}

impl Slot {
    /// Tells everybody who waits. Called once.
    pub(crate) fn resolve(&self, outcome: Result<Receipt, WriteError>) {
        let mut inner = lock(&self.inner);
        inner.outcome = Some(outcome);
        let wakers = std::mem::take(&mut inner.wakers);
        drop(inner);
        self.news.notify_all();
        for waker in wakers {
            // A waker is code of the caller's. That it panics is no fault of the log.
            drop(catch_unwind(AssertUnwindSafe(|| waker.wake())));
        }
    }
}

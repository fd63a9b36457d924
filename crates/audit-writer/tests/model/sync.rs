//! In the place of `src/sync.rs`: the same names, with every step left to the scheduler.

pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU64, Ordering};
pub(crate) use shuttle::sync::{Arc, Condvar, Mutex, MutexGuard};
pub(crate) use shuttle::thread;

use std::sync::PoisonError;

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn wait<'g, T>(condition: &Condvar, guard: MutexGuard<'g, T>) -> MutexGuard<'g, T> {
    condition.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

/// The clock of the model stands still, so only a notification ends a sleep: one that is missing is
/// a deadlock, which the scheduler reports.
pub(crate) fn wait_for<'g, T>(
    condition: &Condvar,
    guard: MutexGuard<'g, T>,
    _nap: std::time::Duration,
) -> MutexGuard<'g, T> {
    wait(condition, guard)
}

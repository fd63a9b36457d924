//! What queue and worker are synchronised with, named in one place so that a scheduler which tries
//! many interleavings can stand in for it.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard};
pub(crate) use std::thread;

use std::sync::PoisonError;

/// Locks, whether or not a thread has panicked with the lock: what the locks of this crate guard is
/// whole at every point where code of others runs.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sleeps until notified, or for no other reason.
pub(crate) fn wait<'g, T>(condition: &Condvar, guard: MutexGuard<'g, T>) -> MutexGuard<'g, T> {
    condition.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

/// Sleeps until notified, or for a while at most.
pub(crate) fn wait_for<'g, T>(
    condition: &Condvar,
    guard: MutexGuard<'g, T>,
    nap: std::time::Duration,
) -> MutexGuard<'g, T> {
    condition.wait_timeout(guard, nap).unwrap_or_else(PoisonError::into_inner).0
}

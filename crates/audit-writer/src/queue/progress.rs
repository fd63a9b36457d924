//! How far the log has come: a number that threads sleep on.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::clock::Clock;
use crate::sync::{AtomicBool, AtomicU64, Condvar, Mutex, Ordering, lock, wait_for};

/// Threads that wake together must not all want the same lock.
const ROOMS: u64 = 16;

/// The newest ticket up to which all are settled, and who waits for it to become larger.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    settled: AtomicU64,
    /// Tickets beyond it that are settled: critical records overtake while the disk is full.
    early: Mutex<BTreeSet<u64>>,
    has_early: AtomicBool,
    over: AtomicBool,
    first: Room,
    others: [Room; 15],
}

#[derive(Debug, Default)]
struct Room {
    sleepers: Mutex<u32>,
    news: Condvar,
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    /// The ticket is settled.
    Reached,
    /// No ticket will be settled any more.
    Over,
    /// The time is up.
    Late,
}

impl Progress {
    /// Whether a ticket is settled.
    pub(crate) fn is_settled(&self, ticket: u64) -> bool {
        let overtook =
            || self.has_early.load(Ordering::Acquire) && lock(&self.early).contains(&ticket);
        self.settled.load(Ordering::Acquire) >= ticket || overtook()
    }

    /// Moves on, and wakes whoever sleeps. `early` is all that is settled beyond the number.
    pub(crate) fn advance(&self, settled: u64, early: &BTreeSet<u64>) {
        if self.has_early.load(Ordering::Acquire) || !early.is_empty() {
            lock(&self.early).clone_from(early);
            self.has_early.store(!early.is_empty(), Ordering::Release);
        }
        self.settled.store(settled, Ordering::Release);
        self.wake();
    }

    /// Lets nobody wait any more.
    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Release);
        self.wake();
    }

    /// Sleeps until a ticket is settled, or until a time.
    pub(crate) fn wait(&self, clock: &dyn Clock, ticket: u64, until: Duration) -> Waited {
        let room = self.room_of(ticket);
        let mut sleepers = lock(&room.sleepers);
        loop {
            if self.is_settled(ticket) {
                return Waited::Reached;
            }
            if self.over.load(Ordering::Acquire) {
                return Waited::Over;
            }
            let nap = clock.nap(until);
            if nap.is_zero() {
                return Waited::Late;
            }
            *sleepers = sleepers.saturating_add(1);
            sleepers = wait_for(&room.news, sleepers, nap);
            *sleepers = sleepers.saturating_sub(1);
        }
    }

    /// Neighbours in the order of tickets sleep in different rooms.
    fn room_of(&self, ticket: u64) -> &Room {
        let number = usize::try_from(ticket % ROOMS).unwrap_or_default();
        self.others.get(number).unwrap_or(&self.first)
    }

    fn wake(&self) {
        for room in std::iter::once(&self.first).chain(&self.others) {
            // Taking the lock makes sure that nobody is between looking and falling asleep.
            if *lock(&room.sleepers) > 0 {
                room.news.notify_all();
            }
        }
    }
}

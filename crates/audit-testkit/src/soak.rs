//! Tests that run for as long as they are told to: what they are told, and how they go through
//! seeds.

#![expect(clippy::expect_used, reason = "who tells a test something else has to hear of it")]

use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What an environment variable says; a number, in decimal.
///
/// # Panics
///
/// It says something else.
#[must_use]
pub fn number(name: &str, otherwise: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.map_or(otherwise, |value| value.parse().expect("a number"))
}

/// Plays seeds on as many threads as there are cores, until all are played or one says to stop.
pub fn go_through(seeds: Range<u64>, play: impl Fn(u64) -> ControlFlow<()> + Sync) {
    let next = AtomicU64::new(seeds.start);
    let is_over = AtomicBool::new(false);
    let work = || {
        while !is_over.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if !seeds.contains(&seed) || play(seed).is_break() {
                is_over.store(true, Ordering::Relaxed);
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
}

//! What tests and benchmarks share. Not published, and never part of a production build.
//!
//! It is the one crate with unsafe code, because an allocator, a fork and a power cut cannot
//! be had without. It judges nothing but allocations: what an event or a log must be like is said by the
//! test that asks.

pub mod alloc;
pub mod dice;
pub mod events;
#[cfg(feature = "fuse")]
pub mod forgetful;
pub mod fork;
pub mod hostile_directories;
pub mod hostile_lines;
pub mod log;
#[cfg(feature = "loopback")]
pub mod loopback;
pub mod soak;
pub mod usage;

pub use alloc::{Allocations, CountingAllocator, assert_none, count};

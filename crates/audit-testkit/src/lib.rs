//! What tests and benchmarks share. Not published, and never part of a production build.
//!
//! It is the one crate with unsafe code, because an allocator cannot be written without. It judges
//! nothing: what an allocation count or an event must be like is said by the test that asks.

pub mod alloc;

pub use alloc::{Allocations, CountingAllocator, count};

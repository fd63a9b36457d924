//! Events and lines of input, cleaned through the public API.

#![expect(clippy::arithmetic_side_effects, reason = "lengths in tests are small")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of tests fails where it stands"
)]

mod borrowing;
mod every_event;
mod examples;
mod limits;
mod lines;
mod policies;
mod real;
mod restoring;
mod sample;

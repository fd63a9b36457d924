//! The verifier against logs that are whole, and against everything that can be done to them.

#![expect(clippy::arithmetic_side_effects, reason = "small numbers of a test")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails")]

mod accounts;
mod bad_input;
mod bit_flips;
mod builder;
mod cuts;
mod fixtures;
mod golden;
mod heads;
mod lifecycle;
mod lines;
mod pruned;
mod recovered;
mod says;
#[cfg(feature = "schema")]
mod schema;
mod segments;
mod text;
mod view;

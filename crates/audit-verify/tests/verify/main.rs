//! The verifier against logs that are whole, and against everything that can be done to them.

#![expect(clippy::arithmetic_side_effects, reason = "small numbers of a test")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails")]

mod accounts;
mod added_notes;
mod adopted;
mod agree;
mod bad_input;
mod bit_flips;
mod builder;
mod checkpoints;
mod cuts;
mod exact;
mod exact_prunes;
mod fixtures;
mod floods;
mod foreign;
mod gaps;
mod golden;
mod heads;
mod identity;
mod jobs;
mod keys;
mod lifecycle;
mod lines;
mod lookup;
mod names;
mod pins;
mod plan;
mod planted;
mod pruned;
mod recorded;
mod recovered;
mod replaced_keys;
mod rollback;
mod says;
#[cfg(feature = "schema")]
mod schema;
mod sealed_logs;
mod sealing;
mod seals;
mod second;
mod segments;
mod signed;
mod stated;
mod text;
mod unsigned;
mod verdicts;
mod view;
mod watched;
mod witnesses;

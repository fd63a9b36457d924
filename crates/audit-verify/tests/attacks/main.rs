//! The attack ledger: everything that can be done to a log, by family, in every place that applies,
//! and what each is found with.

#![expect(clippy::arithmetic_side_effects, reason = "small numbers of a test")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails")]
#![expect(clippy::print_stderr, reason = "a test tells which mutants it could not find")]

#[path = "../verify/accounts.rs"]
#[expect(dead_code, reason = "the other tests of the verifier need the rest")]
mod accounts;
#[path = "../verify/agree.rs"]
mod agree;
#[path = "../verify/builder.rs"]
#[expect(dead_code, reason = "the other tests of the verifier need the rest")]
mod builder;
mod bytes;
mod chain;
mod combined;
#[path = "../verify/exact.rs"]
mod exact;
mod family;
mod files;
mod goes_on;
mod honest;
mod ledger;
mod lines;
mod notes;
mod oracle;
mod player;
#[path = "../verify/sealing.rs"]
#[expect(dead_code, reason = "the other tests of the verifier need the rest")]
mod sealing;
mod seals;
mod segments;
#[path = "../verify/signed.rs"]
#[expect(dead_code, reason = "the other tests of the verifier need the rest")]
mod signed;

//! Hostile text on its whole way into a log: cleaned, written on the simulated disk, verified, and
//! read back from the bytes that lie there.

#![expect(clippy::arithmetic_side_effects, reason = "numbers in tests are small")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of tests fails where it stands"
)]

#[expect(dead_code, reason = "other tests need more of it")]
#[path = "../../../audit-validate/tests/hostile/corpus.rs"]
mod corpus;
#[path = "../../../audit-validate/tests/hostile/fill.rs"]
mod fill;
mod log;
#[path = "../../../audit-validate/tests/hostile/read_back.rs"]
mod read_back;
#[expect(dead_code, reason = "other tests need more of it")]
#[path = "../../../audit-validate/tests/validate/sample.rs"]
mod sample;
#[path = "../../../audit-validate/tests/hostile/says.rs"]
mod says;
mod sizes;
#[path = "../../../audit-validate/tests/hostile/strategy.rs"]
mod strategy;
mod uncleaned;

use audit_log::TextPolicy;
use audit_log::validate::{decode_line, validate_event};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use fill::{fill, shapes};
use log::Log;
use strategy::hostile_text;

/// Texts that are put into events at least.
const TEXTS_MIN: usize = 100_000;

/// Texts that are put into the events of one log.
const TEXTS_A_LOG: usize = 10_000;

/// The corpus, but for what is so long that little else would fit beside it; then any hostile text.
fn source() -> impl FnMut() -> String {
    let short = corpus::texts().into_iter().filter(|text| text.len() < 2_000);
    let mut short: Vec<String> = short.collect();
    short.reverse();
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let any = hostile_text();
    move || short.pop().unwrap_or_else(|| any.new_tree(&mut runner).unwrap().current())
}

#[test]
fn a_hundred_thousand_hostile_texts_in_every_place_of_every_event() {
    let mut next = source();
    let shapes = shapes();
    let mut texts = 0;
    while texts < TEXTS_MIN {
        let mut log = Log::new();
        let mut of_this_log = 0;
        for shape in shapes.iter().cycle() {
            if of_this_log >= TEXTS_A_LOG {
                break;
            }
            let mut event = shape.clone();
            of_this_log += fill(&mut event, &mut next);
            let original = serde_json::to_value(&event).unwrap();
            let line = serde_json::to_vec(&event).unwrap();
            let marks = validate_event(&mut event, TextPolicy::Neutralise).unwrap();
            // The same event as a line of input, which has to become the same.
            let decoded = decode_line(&line, TextPolicy::Neutralise).unwrap();
            log.write(decoded.event, decoded.sanitized, original.clone());
            log.write(event, marks, original);
        }
        texts += of_this_log;
        log.check();
    }
}

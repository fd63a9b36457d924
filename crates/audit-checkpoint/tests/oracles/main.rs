//! Ours against other people's: the crates `signed_note` and `tlog_tiles`, after golang.org/x/mod.
//!
//! What one accepts the other has to accept, and what one refuses the other has to refuse, also with
//! one bit changed. Where they differ, a test says which sentence of the specification decides.

#![expect(clippy::arithmetic_side_effects, reason = "numbers in tests are small")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of tests fails where it stands"
)]

mod checkpoints;
mod keys;
mod notes;
mod trees;

use audit_checkpoint::{KeyKind, KeyName, SigningKey};
use audit_testkit::dice::Dice;

/// How many of each are drawn.
const ROUNDS: u64 = 10_000;

/// Changes one bit.
fn flip(dice: &mut Dice, bytes: &mut [u8]) {
    let at = dice.index(bytes.len());
    bytes[at] ^= 1 << dice.index(8);
}

/// Keys of both implementations, of one seed.
struct Pair {
    ours: SigningKey,
    theirs: signed_note::StandardSigner,
}

impl Pair {
    fn new(name: &str, seed: u8) -> Self {
        let name = KeyName::new(name).unwrap();
        let ours = SigningKey::from_seed(name, KeyKind::Ed25519, &[seed; 32]).unwrap();
        let theirs = signed_note::StandardSigner::new(ours.encode().as_str()).unwrap();
        Self { ours, theirs }
    }
}

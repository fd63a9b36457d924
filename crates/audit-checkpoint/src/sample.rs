//! Keys and a note for the tests of the modules.

use audit_core::Digest;

use crate::{Checkpoint, KeyKind, KeyName, Note, SignedCheckpoint, SigningKey, VerifyingKey};

/// A key made of a seed of one repeated byte.
pub(crate) fn key(name: &str, kind: KeyKind, seed: u8) -> SigningKey {
    SigningKey::from_seed(KeyName::new(name).unwrap(), kind, &[seed; 32]).unwrap()
}

pub(crate) fn log_key() -> SigningKey {
    key("log.example/one", KeyKind::Ed25519, 1)
}

pub(crate) fn witness_key() -> SigningKey {
    key("witness.example/w1", KeyKind::Cosignature, 2)
}

pub(crate) fn checkpoint() -> Checkpoint {
    Checkpoint::new(log_key().name(), 7, Digest::of(b"a root"))
}

/// The checkpoint, signed by its log.
pub(crate) fn note() -> Note {
    checkpoint().sign(&log_key()).unwrap()
}

pub(crate) fn signed_checkpoint() -> SignedCheckpoint {
    SignedCheckpoint::open(note(), &public(&[&log_key()])).unwrap()
}

pub(crate) fn public(keys: &[&SigningKey]) -> Vec<VerifyingKey> {
    keys.iter().map(|key| key.verifying_key().clone()).collect()
}

//! Proofs that are read, and texts that are none.

use super::*;
use crate::sample;
use crate::tree::Prover;
use crate::{Checkpoint, KeyKind, SignedCheckpoint, SigningKey, VerifyingKey};
use audit_core::Frontier;
use audit_core::digest::leaf_hash;

fn leaves(count: u8) -> Vec<Digest> {
    (0..count).map(|leaf| leaf_hash(&[leaf])).collect()
}

/// The note of a log over the first leaves.
fn note(key: &SigningKey, count: u8) -> Note {
    let mut tree = Frontier::new();
    for leaf in leaves(count) {
        tree.push(leaf);
    }
    Checkpoint::new(key.name(), count.into(), tree.root()).sign(key).unwrap()
}

fn signed(key: &SigningKey, count: u8) -> SignedCheckpoint {
    SignedCheckpoint::open(note(key, count), &keys()).unwrap()
}

fn keys() -> Vec<VerifyingKey> {
    sample::public(&[&sample::log_key(), &other_log(), &sample::witness_key()])
}

fn other_log() -> SigningKey {
    sample::key("log.example/other", KeyKind::Ed25519, 5)
}

fn made(prover: Result<Prover, TreeError>) -> Vec<Digest> {
    let mut prover = prover.unwrap();
    for leaf in leaves(8) {
        prover.push(leaf);
    }
    prover.finish().unwrap()
}

fn inclusion() -> InclusionProof {
    InclusionProof::new(2, made(Prover::inclusion(2, 7)), note(&sample::log_key(), 7)).unwrap()
}

fn consistency() -> ConsistencyProof {
    ConsistencyProof::new(5, made(Prover::consistency(5, 7)), note(&sample::log_key(), 7)).unwrap()
}

#[test]
fn a_proof_survives_its_text() {
    let (inclusion, consistency) = (inclusion(), consistency());
    assert_eq!(InclusionProof::parse(inclusion.to_string().as_bytes()), Ok(inclusion));
    assert_eq!(ConsistencyProof::parse(consistency.to_string().as_bytes()), Ok(consistency));
}

#[test]
fn extra_data_is_kept_and_changes_nothing() {
    let text = inclusion().to_string().replacen("index", "extra AAEC\nindex", 1);
    let proof = InclusionProof::parse(text.as_bytes()).unwrap();
    assert_eq!(proof.extra(), Some([0, 1, 2].as_slice()));
    assert_eq!(proof.to_string(), text);
    assert!(proof.check(leaves(7)[2], &keys()).is_ok());
    assert_eq!(inclusion().extra(), None);
}

#[test]
fn an_inclusion_is_checked() {
    let proof = inclusion();
    let checked = proof.check(leaves(7)[2], &keys()).unwrap();
    assert_eq!(checked, signed(&sample::log_key(), 7));
    assert_eq!(proof.check(leaves(7)[3], &keys()), Err(ProofError::Tree(TreeError::Root)));
    let unsigned = CheckpointError::Note(NoteError::NoTrustedSignature);
    assert_eq!(proof.check(leaves(7)[2], &keys()[1..]), Err(ProofError::Checkpoint(unsigned)));
    let text = proof.to_string().replacen("index 2", "index 3", 1);
    let moved = InclusionProof::parse(text.as_bytes()).unwrap();
    assert_eq!(moved.check(leaves(7)[2], &keys()), Err(ProofError::Tree(TreeError::Root)));
    let text = proof.to_string().replacen("index 2", "index 7", 1);
    let beyond = InclusionProof::parse(text.as_bytes()).unwrap();
    let error = TreeError::OutOfRange { inner: 7, size: 7 };
    assert_eq!(beyond.check(leaves(7)[2], &keys()), Err(ProofError::Tree(error)));
}

#[test]
fn a_consistency_is_checked() {
    let (log, proof) = (sample::log_key(), consistency());
    let checked = proof.check(&signed(&log, 5), &keys()).unwrap();
    assert_eq!(checked, signed(&log, 7));
    let error = ProofError::OldSize { proof: 5, checkpoint: 6 };
    assert_eq!(proof.check(&signed(&log, 6), &keys()), Err(error));
    let (old, new) = (other_log().name().to_string(), log.name().to_string());
    let error = ProofError::OtherLog { old, new };
    assert_eq!(proof.check(&signed(&other_log(), 5), &keys()), Err(error));
    let unsigned = CheckpointError::Note(NoteError::NoTrustedSignature);
    assert_eq!(proof.check(&signed(&log, 5), &keys()[1..]), Err(ProofError::Checkpoint(unsigned)));
    // The same size, and another history.
    let rewritten = Checkpoint::new(log.name(), 5, Digest::of(b"other")).sign(&log).unwrap();
    let rewritten = SignedCheckpoint::open(rewritten, &keys()).unwrap();
    assert_eq!(proof.check(&rewritten, &keys()), Err(ProofError::Tree(TreeError::Root)));
}

#[test]
fn other_texts_are_no_inclusion_proofs() {
    let good = inclusion().to_string();
    let hash = base64(inclusion().hashes()[0].as_bytes());
    for (from, to, error) in [
        ("proof@v1", "proof@v2", ProofError::Version),
        ("c2sp.org", " c2sp.org", ProofError::Version),
        ("index 2\n", "", ProofError::Number),
        ("index 2\n", "index 2 \n", ProofError::Number),
        ("index 2\n", "index 02\n", ProofError::Number),
        ("index 2\n", "index -2\n", ProofError::Number),
        ("index 2\n", "index 18446744073709551616\n", ProofError::Number),
        ("index 2\n", "index 2\r\n", ProofError::Number),
        ("index 2\n", "extra AAEC\n", ProofError::Number),
        ("index 2\n", "index 2\nextra AAEC\n", ProofError::Hash),
        ("index 2\n", "extra \nindex 2\n", ProofError::Extra),
        ("index 2\n", "extra AAE\nindex 2\n", ProofError::Extra),
        ("index 2\n", "extra AAEC\nextra AAEC\nindex 2\n", ProofError::Number),
        (&hash, &hash[4..], ProofError::Hash),
        (&hash, &format!("{hash}\r"), ProofError::Hash),
        (&hash, &format!(" {hash}"), ProofError::Hash),
        ("\u{2014}", "-", ProofError::Note(NoteError::SignatureLine)),
    ] {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good);
        assert_eq!(InclusionProof::parse(text.as_bytes()), Err(error), "{to:?}");
    }
    let (head, _) = good.split_once("\n\n").unwrap();
    for text in ["", "\n", head] {
        assert_eq!(InclusionProof::parse(text.as_bytes()), Err(ProofError::NoCheckpoint));
    }
    assert_eq!(InclusionProof::parse(b"\xff\n\n"), Err(ProofError::NoCheckpoint));
}

#[test]
fn other_texts_are_no_consistency_proofs() {
    let good = consistency().to_string();
    for (to, error) in [
        ("", ProofError::Number),
        ("old\n", ProofError::Number),
        ("old 05\n", ProofError::Number),
        ("old  5\n", ProofError::Number),
        ("Old 5\n", ProofError::Number),
        ("old 5\nold 5\n", ProofError::Hash),
    ] {
        let text = good.replacen("old 5\n", to, 1);
        assert_eq!(ConsistencyProof::parse(text.as_bytes()), Err(error), "{to:?}");
    }
    assert_eq!(ConsistencyProof::parse(b"old 5\n"), Err(ProofError::NoCheckpoint));
    // The other kind of proof.
    let inclusion = inclusion().to_string();
    assert_eq!(ConsistencyProof::parse(inclusion.as_bytes()), Err(ProofError::Number));
    assert_eq!(InclusionProof::parse(good.as_bytes()), Err(ProofError::Version));
}

#[test]
fn a_proof_has_at_most_63_hashes() {
    let note = note(&sample::log_key(), 7);
    let most = vec![Digest::ZERO; PROOF_HASHES_MAX];
    let more = vec![Digest::ZERO; PROOF_HASHES_MAX + 1];
    let line = format!("{}\n", base64(&[0; 32]));
    let proof = InclusionProof::new(0, most.clone(), note.clone()).unwrap();
    let text = proof.to_string();
    assert_eq!(InclusionProof::parse(text.as_bytes()), Ok(proof));
    let longer = text.replacen(&line, &line.repeat(2), 1);
    assert_eq!(InclusionProof::parse(longer.as_bytes()), Err(ProofError::TooManyHashes));
    let text = ConsistencyProof::new(1, most, note.clone()).unwrap().to_string();
    let longer = text.replacen(&line, &line.repeat(2), 1);
    assert_eq!(ConsistencyProof::parse(longer.as_bytes()), Err(ProofError::TooManyHashes));
    let error = Err(ProofError::TooManyHashes);
    assert_eq!(InclusionProof::new(0, more.clone(), note.clone()), error);
    assert_eq!(ConsistencyProof::new(1, more, note).map(|_| ()), Err(ProofError::TooManyHashes));
}

#[test]
fn a_proof_and_its_extra_data_are_bounded() {
    let with_extra = |bytes: usize| {
        let line = format!("extra {}\nindex", base64(&vec![7; bytes]));
        InclusionProof::parse(inclusion().to_string().replacen("index", &line, 1).as_bytes())
    };
    assert!(with_extra(PROOF_EXTRA_BYTES_MAX).is_ok());
    assert_eq!(with_extra(PROOF_EXTRA_BYTES_MAX + 1), Err(ProofError::Extra));
    let long = vec![b'a'; PROOF_BYTES_MAX + 1];
    assert_eq!(InclusionProof::parse(&long), Err(ProofError::TooLong));
    assert_eq!(ConsistencyProof::parse(&long), Err(ProofError::TooLong));
}

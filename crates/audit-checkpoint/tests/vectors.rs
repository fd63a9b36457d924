//! What another implementation made of the same seeds and leaves, byte for byte.

#![expect(clippy::arithmetic_side_effects, reason = "seeds in tests count up to 64")]
#![expect(clippy::unwrap_used, reason = "a helper of tests fails where it stands")]

use audit_checkpoint::{
    Checkpoint, InclusionProof, KeyKind, KeyName, Note, Prover, SignedCheckpoint, SigningKey,
    VerifyingKey, cosign,
};
use audit_core::digest::leaf_hash;
use audit_core::{Digest, Frontier};

const LOG_VKEY: &str = "audit.example/host-1+0c20ca15+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
const WITNESS_VKEY: &str =
    "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X";

/// Seconds since 1970-01-01T00:00:00Z.
const COSIGNED_SECS: u64 = 1_700_000_000;

const NOTE: &str = "audit.example/host-1\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n\n\
    \u{2014} audit.example/host-1 DCDKFe/nRm4/w8DCbFS0hrMDuz+PEmQc3G5TWUHZRuK7lPClU3BTVrmqhoq9A24vqEKr\
    wj+Ie4DFLN4UwrCIDSAiLwU=\n\
    \u{2014} witness.example/w1 IDJKvgAAAABlU/EAYBsfJ8+S3ullaVC/L6eR7OYSBfvdEhWVlV+hx07jzXmXE22QknDOZn\
    AKe2iz6ygLX0F+y6eFmHkEOcS4pBDxBw==\n";
const NOTE_SHA256: &str = "ffa66bc5d4b59b05f1aa13115eb0ce721f5ce63b5e53d6c38f9aad4582325835";

const LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];

/// The key whose seed is 32 bytes that count up.
fn key(name: &str, kind: KeyKind, first: u8) -> SigningKey {
    let seed = std::array::from_fn(|at| first + u8::try_from(at).unwrap());
    SigningKey::from_seed(KeyName::new(name).unwrap(), kind, &seed).unwrap()
}

fn log_key() -> SigningKey {
    key("audit.example/host-1", KeyKind::Ed25519, 0x00)
}

fn witness_key() -> SigningKey {
    key("witness.example/w1", KeyKind::Cosignature, 0x20)
}

fn keys() -> [VerifyingKey; 2] {
    [LOG_VKEY.parse().unwrap(), WITNESS_VKEY.parse().unwrap()]
}

fn root() -> Digest {
    let mut tree = Frontier::new();
    for leaf in LEAVES {
        tree.push(leaf_hash(leaf));
    }
    tree.root()
}

#[test]
fn seeds_make_these_keys() {
    assert_eq!(log_key().verifying_key().to_string(), LOG_VKEY);
    assert_eq!(witness_key().verifying_key().to_string(), WITNESS_VKEY);
    assert_eq!(keys().map(|key| key.to_string()), [LOG_VKEY, WITNESS_VKEY]);
}

#[test]
fn the_note_is_made_byte_for_byte() {
    let checkpoint = Checkpoint::new(log_key().name(), 8, root());
    let mut note = checkpoint.sign(&log_key()).unwrap();
    let signed = SignedCheckpoint::open(note.clone(), &keys()).unwrap();
    note.add(cosign(&signed, &witness_key(), COSIGNED_SECS).unwrap()).unwrap();
    assert_eq!(note.to_string(), NOTE);
    assert_eq!(Digest::of(note.to_string().as_bytes()).to_string(), NOTE_SHA256);
}

#[test]
fn the_note_is_read_and_believed() {
    let note = Note::parse(NOTE.as_bytes()).unwrap();
    let signed = SignedCheckpoint::open(note, &keys()).unwrap();
    assert_eq!(signed.checkpoint(), &Checkpoint::new(log_key().name(), 8, root()));
    assert_eq!(signed.log_keys(), &keys()[..1]);
    let [cosigned] = signed.cosigned() else { panic!("{:?}", signed.cosigned()) };
    assert_eq!((&cosigned.key, cosigned.cosigned_secs), (&keys()[1], COSIGNED_SECS));
}

/// For index 5 over the note, as a file.
const PROOF_SHA256: &str = "d63cb5149c3a8158966d3e6b5d3850b6a21d339f1ebf3206f88baeb0c7a1fa6b";

#[test]
fn the_proof_is_made_byte_for_byte_and_checked() {
    let mut prover = Prover::inclusion(5, 8).unwrap();
    for leaf in LEAVES {
        prover.push(leaf_hash(leaf));
    }
    let note = Note::parse(NOTE.as_bytes()).unwrap();
    let proof = InclusionProof::new(5, prover.finish().unwrap(), note).unwrap();
    let text = proof.to_string();
    assert_eq!(Digest::of(text.as_bytes()).to_string(), PROOF_SHA256);
    assert_eq!(InclusionProof::parse(text.as_bytes()), Ok(proof.clone()));
    let signed = proof.check(leaf_hash(LEAVES[5]), &keys()).unwrap();
    assert_eq!(signed.cosigned()[0].cosigned_secs, COSIGNED_SECS);
}

/// Every bit of the note: nothing is left that can be changed and still be believed as before.
#[test]
fn a_note_with_one_bit_flipped_is_refused_or_is_no_longer_signed_by_both() {
    for at in 0..NOTE.len() {
        for bit in 0..8 {
            let mut bytes = NOTE.as_bytes().to_vec();
            bytes[at] ^= 1 << bit;
            let opened = Note::parse(&bytes).map(|note| SignedCheckpoint::open(note, &keys()));
            if let Ok(Ok(signed)) = opened {
                // Only the witness's name or key id may have become another's.
                assert!(signed.cosigned().is_empty(), "byte {at}, bit {bit}");
                assert_eq!(signed.checkpoint().root(), &root());
            }
        }
    }
}

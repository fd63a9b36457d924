//! Whatever bytes come, every parser answers; what it takes, it writes again byte for byte.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails where it stands")]

use std::fmt::Display;

use audit_checkpoint::{
    Checkpoint, ConsistencyProof, InclusionProof, KeyKind, KeyName, Note, NoteSignature, Policy,
    SignedCheckpoint, SigningKey, VerifyingKey, cosign,
};
use audit_core::Digest;
use proptest::prelude::*;

fn key(name: &str, kind: KeyKind, seed: u8) -> SigningKey {
    SigningKey::from_seed(KeyName::new(name).unwrap(), kind, &[seed; 32]).unwrap()
}

/// A valid text of each kind.
fn valid() -> [String; 8] {
    let log = key("log.example", KeyKind::Ed25519, 1);
    let witness = key("w.example", KeyKind::Cosignature, 2);
    let checkpoint = Checkpoint::new(log.name(), 9, Digest::of(b"root"));
    let mut note = checkpoint.sign(&log).unwrap();
    let keys = [log.verifying_key().clone()];
    let signed = SignedCheckpoint::open(note.clone(), &keys).unwrap();
    note.add(cosign(&signed, &witness, 5).unwrap()).unwrap();
    let (log, witness) = (log.verifying_key().to_string(), witness.verifying_key());
    let inclusion = InclusionProof::new(3, vec![Digest::ZERO; 4], note.clone()).unwrap();
    let inclusion = inclusion.to_string().replacen("index", "extra AAEC\nindex", 1);
    [
        inclusion,
        ConsistencyProof::new(3, vec![Digest::ZERO; 3], note.clone()).unwrap().to_string(),
        note.signatures().first().unwrap().to_string(),
        note.to_string(),
        checkpoint.to_string(),
        key("log.example", KeyKind::Ed25519, 1).encode().as_str().to_owned(),
        format!("log {log} u\nwitness w {witness}\ngroup g 1 w\nquorum g\n"),
        log,
    ]
}

/// Where a parser takes the bytes, the value writes them.
fn writes<T: Display, E>(parsed: Result<T, E>, bytes: &[u8]) -> bool {
    parsed.is_ok_and(|value| {
        assert_eq!(value.to_string().as_bytes(), bytes);
        true
    })
}

/// Gives the bytes to every parser, and says whether one took them.
fn is_taken(bytes: &[u8]) -> bool {
    let mut taken = [
        writes(Note::parse(bytes), bytes),
        writes(InclusionProof::parse(bytes), bytes),
        writes(ConsistencyProof::parse(bytes), bytes),
        // A policy is written by people, who may do so in several ways.
        Policy::parse(bytes).is_ok(),
    ]
    .contains(&true);
    if let Ok(text) = std::str::from_utf8(bytes) {
        taken |= writes(text.parse::<VerifyingKey>(), bytes);
        taken |= writes(text.parse::<NoteSignature>(), bytes);
        taken |= writes(text.parse::<Checkpoint>(), bytes);
        taken |= writes(KeyName::new(text), bytes);
        if let Ok(key) = SigningKey::parse(text) {
            assert_eq!(key.encode().as_str(), text);
            taken = true;
        }
    }
    taken
}

#[test]
fn what_is_valid_is_taken() {
    for text in valid() {
        assert!(is_taken(text.as_bytes()), "{text}");
    }
}

/// One of the changes that damage or an attacker may make.
#[derive(Clone, Debug)]
enum Change {
    Flip(usize, u8),
    Cut(usize),
    Insert(usize, Vec<u8>),
    /// A piece of the text, again.
    Repeat(usize, usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        let at = |place: usize| place.checked_rem(length).unwrap_or_default();
        match self {
            Self::Flip(place, mask) => {
                if let Some(byte) = bytes.get_mut(at(*place)) {
                    *byte ^= mask;
                }
            }
            Self::Cut(place) => bytes.truncate(at(*place)),
            Self::Insert(place, piece) => drop(bytes.splice(at(*place)..at(*place), piece.clone())),
            Self::Repeat(one, other) => {
                let (start, end) = (at(*one).min(at(*other)), at(*one).max(at(*other)));
                let piece = bytes.get(start..end).unwrap_or_default().to_vec();
                bytes.splice(end..end, piece);
            }
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 1..4),
        Just(b"\n".to_vec()),
        Just(b"\n\n".to_vec()),
        Just("\u{2014} ".as_bytes().to_vec()),
        Just(b"18446744073709551616".to_vec()),
    ];
    prop_oneof![
        (any::<usize>(), 1..=255_u8).prop_map(|(place, mask)| Change::Flip(place, mask)),
        any::<usize>().prop_map(Change::Cut),
        (any::<usize>(), piece).prop_map(|(place, piece)| Change::Insert(place, piece)),
        (any::<usize>(), any::<usize>()).prop_map(|(one, other)| Change::Repeat(one, other)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        is_taken(&bytes);
    }

    #[test]
    fn any_text_is_answered(text in "(\\PC|[ \n+\u{2014}]){0,80}") {
        is_taken(text.as_bytes());
    }

    #[test]
    fn any_change_is_answered(
        which in 0..8_usize,
        changes in proptest::collection::vec(change(), 1..4),
    ) {
        let mut bytes = valid().get(which).unwrap().clone().into_bytes();
        for change in &changes {
            change.apply(&mut bytes);
        }
        is_taken(&bytes);
    }

    #[test]
    fn any_note_survives_its_text(
        text in "(\\PC{0,9}\n){1,5}",
        seeds in proptest::collection::vec(any::<u8>(), 1..5),
    ) {
        let mut note = Note::new(text).unwrap();
        let keys: Vec<_> = seeds.iter().map(|seed| key("n", KeyKind::Ed25519, *seed)).collect();
        for key in &keys {
            note.sign(key).unwrap();
        }
        let read = Note::parse(note.to_string().as_bytes()).unwrap();
        prop_assert_eq!(&read, &note);
        let public: Vec<_> = keys.iter().map(|key| key.verifying_key().clone()).collect();
        prop_assert_eq!(read.verify(&public).unwrap().len(), note.signatures().len());
    }

    #[test]
    fn any_checkpoint_survives_its_text(size: u64, root: [u8; 32], name in "[^\\s+\\p{Cc}]{1,20}") {
        let name = KeyName::new(&name).unwrap();
        let checkpoint = Checkpoint::new(&name, size, Digest::from_bytes(root));
        prop_assert_eq!(checkpoint.to_string().parse(), Ok(checkpoint));
    }

    #[test]
    fn any_key_survives_its_text(seed: [u8; 32], name in "[^\\s+\\p{Cc}]{1,20}", is_log: bool) {
        let kind = if is_log { KeyKind::Ed25519 } else { KeyKind::Cosignature };
        let key = SigningKey::from_seed(KeyName::new(&name).unwrap(), kind, &seed).unwrap();
        let public = key.verifying_key();
        prop_assert_eq!(public.to_string().parse(), Ok(public.clone()));
        let again = SigningKey::parse(key.encode().as_str()).unwrap();
        prop_assert_eq!(again.verifying_key(), public);
        prop_assert!(public.verifies(b"message", &again.sign(b"message")));
    }
}

//! Signed notes.

use audit_checkpoint::{KeyId, Note, NoteError, VerifyingKey};
use audit_testkit::dice::Dice;
use signed_note::{StandardVerifier, VerifierList};

use crate::{Pair, ROUNDS, flip};

/// What a note is to somebody who trusts some keys.
#[derive(Debug, PartialEq)]
enum Standing {
    Malformed,
    Unverified,
    False(String, KeyId),
    /// The text, and whose signatures are good.
    Signed(String, Vec<(String, KeyId)>),
}

fn by_ours(bytes: &[u8], keys: &[VerifyingKey]) -> Standing {
    let Ok(note) = Note::parse(bytes) else { return Standing::Malformed };
    assert_eq!(note.to_string().as_bytes(), bytes);
    match note.verify(keys) {
        Ok(verified) => {
            let keys = verified.iter().map(|one| (one.key().name().to_string(), one.key().id()));
            Standing::Signed(note.text().to_owned(), keys.collect())
        }
        Err(NoteError::NoTrustedSignature) => Standing::Unverified,
        Err(NoteError::BadSignature { name, id }) => Standing::False(name.to_string(), id),
        Err(error) => panic!("{error}"),
    }
}

fn by_theirs(bytes: &[u8], keys: &VerifierList) -> Standing {
    let Ok(note) = signed_note::Note::from_bytes(bytes) else { return Standing::Malformed };
    let id = |id: u32| KeyId::from_bytes(id.to_be_bytes());
    match note.verify(keys) {
        Ok((verified, _)) => {
            let keys = verified.iter().map(|one| (one.name().to_owned(), id(one.id()))).collect();
            Standing::Signed(String::from_utf8(note.text().to_vec()).unwrap(), keys)
        }
        Err(signed_note::NoteError::UnverifiedNote) => Standing::Unverified,
        Err(signed_note::NoteError::InvalidSignature { name, id: bad }) => {
            Standing::False(name, id(bad))
        }
        Err(error) => panic!("{error}"),
    }
}

/// Signers of whom the first are trusted.
struct Signers {
    pairs: [Pair; 4],
    ours: Vec<VerifyingKey>,
    theirs: VerifierList,
}

impl Signers {
    fn new() -> Self {
        let names = ["log.example/one", "log.example/one", "w.example", "stranger.example"];
        let pairs = std::array::from_fn(|at| Pair::new(names[at], u8::try_from(at + 1).unwrap()));
        let trusted = || pairs[..3].iter().map(|pair: &Pair| pair.ours.verifying_key().clone());
        let verifier = |key: VerifyingKey| {
            let verifier = StandardVerifier::new(&key.to_string()).unwrap();
            Box::new(verifier) as Box<dyn signed_note::Verifier>
        };
        let theirs = VerifierList::new(trusted().map(verifier).collect());
        Self { ours: trusted().collect(), theirs, pairs }
    }

    /// The bytes of a note, which each implementation makes for itself.
    fn sign(&self, dice: &mut Dice, text: &str) -> Vec<u8> {
        let mut ours = Note::new(text).unwrap();
        let mut theirs = signed_note::Note::new(text.as_bytes(), &[]).unwrap();
        for pair in self.pairs.iter().filter(|_| dice.once_in(2)) {
            ours.sign(&pair.ours).unwrap();
            theirs.add_sigs(&[&pair.theirs]).unwrap();
        }
        assert_eq!(ours.to_string().as_bytes(), theirs.to_bytes());
        theirs.to_bytes()
    }
}

/// Lines of which some are empty, or look like signatures.
fn text(dice: &mut Dice) -> String {
    let lines = ["", "a", "\u{e8} subito sera.", "\u{2014} x AAAAAAA=", "\u{7f}\u{85}\u{2028}"];
    let drawn: Vec<_> = (0..dice.between(1, 6)).map(|_| lines[dice.index(lines.len())]).collect();
    drawn.join("\n") + "\n"
}

#[test]
fn ten_thousand_notes_and_as_many_changed_ones() {
    let (mut dice, signers) = (Dice::new(1), Signers::new());
    let mut seen = [0_u32; 4];
    for _ in 0..ROUNDS {
        let text = text(&mut dice);
        let mut bytes = signers.sign(&mut dice, &text);
        let whole = by_ours(&bytes, &signers.ours);
        assert_eq!(whole, by_theirs(&bytes, &signers.theirs), "{bytes:?}");
        flip(&mut dice, &mut bytes);
        let changed = by_ours(&bytes, &signers.ours);
        assert_eq!(changed, by_theirs(&bytes, &signers.theirs), "{bytes:?}");
        if let Standing::Signed(believed, _) = &changed {
            assert_eq!(believed, &text);
        }
        seen[match changed {
            Standing::Malformed => 0,
            Standing::Unverified => 1,
            Standing::False(..) => 2,
            Standing::Signed(..) => 3,
        }] += 1;
    }
    assert!(seen.iter().all(|&times| times > 100), "{seen:?}");
}

/// "If the key name and ID match a known key, verifiers MUST verify the signature. If a signature
/// from a known key fails to verify, clients SHOULD reject the whole note" (c2sp.org/signed-note,
/// "Signatures"). Theirs verifies the first of a key only, so ours refuses what theirs takes.
#[test]
fn a_false_signature_behind_a_good_one_of_the_same_key_is_refused_by_ours_alone() {
    let signers = Signers::new();
    let [good, mut other] = ["a\n", "b\n"].map(|text| Note::new(text).unwrap());
    let mut note = good;
    note.sign(&signers.pairs[0].ours).unwrap();
    other.sign(&signers.pairs[0].ours).unwrap();
    note.add(other.signatures()[0].clone()).unwrap();
    let bytes = note.to_string().into_bytes();
    let (name, id) = ("log.example/one".to_owned(), signers.ours[0].id());
    assert_eq!(by_ours(&bytes, &signers.ours), Standing::False(name.clone(), id));
    let signed = Standing::Signed("a\n".to_owned(), vec![(name, id)]);
    assert_eq!(by_theirs(&bytes, &signers.theirs), signed);
}

/// A key that is given twice is one key to ours. Theirs calls it ambiguous, of which the
/// specification says nothing.
#[test]
fn a_key_that_is_given_twice_is_refused_by_theirs_alone() {
    let signers = Signers::new();
    let mut note = Note::new("a\n").unwrap();
    note.sign(&signers.pairs[0].ours).unwrap();
    let key = &signers.ours[0];
    assert_eq!(note.verify(&[key.clone(), key.clone()]).unwrap().len(), 1);
    let verifier = StandardVerifier::new(&key.to_string()).unwrap();
    let twice = VerifierList::new(vec![Box::new(verifier.clone()), Box::new(verifier)]);
    let theirs = signed_note::Note::from_bytes(note.to_string().as_bytes()).unwrap();
    assert!(matches!(theirs.verify(&twice), Err(signed_note::NoteError::VerificationError(_))));
}

/// A mebibyte is more than their million bytes. The specification asks for a limit and names none.
#[test]
fn a_note_of_more_than_a_million_bytes_is_refused_by_theirs_alone() {
    let signers = Signers::new();
    let mut note = Note::new("a".repeat(1_000_000) + "\n").unwrap();
    note.sign(&signers.pairs[0].ours).unwrap();
    let bytes = note.to_string().into_bytes();
    assert!(matches!(by_ours(&bytes, &signers.ours), Standing::Signed(..)));
    assert_eq!(by_theirs(&bytes, &signers.theirs), Standing::Malformed);
}

//! Notes as others write them, and what is none.

use super::*;
use crate::encoding::base64;
use crate::sample;

/// The example of c2sp.org/signed-note, whose text holds an empty line.
const POEM: &str = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\n\
    ed \u{e8} subito sera.\n\n\
    \u{2014} quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouF\
    SQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";

/// The example of c2sp.org/signed-note, "Verifier keys", and what it verifies.
const VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const EXAMPLE: &str = "This is an example message.\n\n\
    \u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXm\
    RKuwHjG1Yu72IneyaQM=\n";

fn signed(keys: &[&SigningKey]) -> Note {
    let mut note = Note::new("text\n").unwrap();
    for key in keys {
        note.sign(key).unwrap();
    }
    note
}

/// A signature line of so many bytes, of no algorithm.
fn line(bytes: usize) -> String {
    format!("\u{2014} x {}\n", base64(&vec![7; bytes]))
}

#[test]
fn the_examples_of_the_specification_are_read() {
    let note = Note::parse(POEM.as_bytes()).unwrap();
    assert!(note.text().ends_with(":\n\ned \u{e8} subito sera.\n"));
    assert_eq!(note.signatures()[0].name().as_str(), "quasimodo.example/salvatore");
    assert_eq!(note.to_string(), POEM);
    let keys = [VKEY.parse().unwrap()];
    let note = Note::parse(EXAMPLE.as_bytes()).unwrap();
    assert_eq!(note.verify(&keys).unwrap()[0].key(), &keys[0]);
    assert_eq!(note.to_string(), EXAMPLE);
}

#[test]
fn what_golang_signs_is_signed_so() {
    let key = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    let text = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n";
    let mut note = Note::new(text).unwrap();
    note.sign(&SigningKey::parse(key).unwrap()).unwrap();
    assert_eq!(
        note.to_string(),
        format!(
            "{text}\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2p\
             ZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
        )
    );
}

#[test]
fn the_text_ends_at_the_last_empty_line() {
    for text in ["\n", "a\n", "a\n\n", "\n\na\n\nb\n", "\u{2014} a b\n\n\u{2014} x AAAAAAA=\n"] {
        let note = Note::parse(format!("{text}\n{}", line(5)).as_bytes()).unwrap();
        assert_eq!((note.text(), note.signatures().len()), (text, 1));
    }
}

#[test]
fn other_bytes_are_no_note() {
    let good = line(5);
    let cases: [(String, NoteError); 16] = [
        (String::new(), NoteError::NoText),
        (good.clone(), NoteError::NoText),
        (format!("\n{good}"), NoteError::NoText),
        (format!("a\n{good}"), NoteError::NoText),
        (format!("a\n\n{}", good.trim_end()), NoteError::SignatureLine),
        ("a\n\n".to_owned(), NoteError::SignatureLine),
        ("a\n\n\n".to_owned(), NoteError::SignatureLine),
        (format!("a\n\n{good}b\n"), NoteError::SignatureLine),
        (format!("a\n\n{good}\n"), NoteError::SignatureLine),
        (format!("a\n\n{}", good.replace('\u{2014}', "-")), NoteError::SignatureLine),
        (format!("a\n\n{}", good.replace(" x ", " x  ")), NoteError::SignatureLine),
        (format!("a\n\n{}", good.replace(" x ", " x+y ")), NoteError::SignatureLine),
        (format!("a\n\n{}", good.replace(" x ", "  ")), NoteError::SignatureLine),
        (format!("a\n\n{}", line(4)), NoteError::SignatureLine),
        (format!("a\r\n\n{good}"), NoteError::Characters),
        (format!("a\0\n\n{good}"), NoteError::Characters),
    ];
    for (bytes, error) in cases {
        assert_eq!(Note::parse(bytes.as_bytes()), Err(error), "{bytes:?}");
    }
    let invalid = [b"\xff\n\n", good.as_bytes()].concat();
    assert_eq!(Note::parse(&invalid), Err(NoteError::Characters));
}

#[test]
fn a_text_ends_with_a_line_feed() {
    assert_eq!(Note::new(""), Err(NoteError::NoText));
    assert_eq!(Note::new("a"), Err(NoteError::NoText));
    assert_eq!(Note::new("a\t\n"), Err(NoteError::Characters));
}

#[test]
fn a_signature_has_one_text() {
    let canonical = "\u{2014} x AAAAAAA=";
    assert_eq!(canonical.parse::<NoteSignature>().unwrap().to_string(), canonical);
    for other in ["AAAAAAB=", "AAAAAAA", "AAAAAAA=\n", "AAAAAAA= ", "AAAAAAA=="] {
        let error = format!("\u{2014} x {other}").parse::<NoteSignature>();
        assert_eq!(error, Err(NoteError::SignatureLine), "{other:?}");
    }
}

#[test]
fn a_hundred_signatures_and_a_mebibyte_are_enough() {
    let hundred = format!("a\n\n{}", line(5).repeat(NOTE_SIGNATURES_MAX));
    let mut note = Note::parse(hundred.as_bytes()).unwrap();
    assert_eq!(note.sign(&sample::log_key()), Err(NoteError::TooManySignatures));
    assert_eq!(note.to_string(), hundred);
    let more = format!("{hundred}{}", line(5));
    assert_eq!(Note::parse(more.as_bytes()), Err(NoteError::TooManySignatures));

    let rest = format!("\n\n{}", line(5));
    let longest = format!("{}{rest}", "a".repeat(NOTE_BYTES_MAX - rest.len()));
    let mut note = Note::parse(longest.as_bytes()).unwrap();
    assert_eq!(note.sign(&sample::log_key()), Err(NoteError::TooLong));
    assert_eq!(note.to_string(), longest);
    assert_eq!(Note::parse(format!("a{longest}").as_bytes()), Err(NoteError::TooLong));
    assert_eq!(Note::new("a".repeat(NOTE_BYTES_MAX) + "\n"), Err(NoteError::TooLong));
}

#[test]
fn a_signature_is_added_once_and_replaces_none() {
    let (one, other) =
        (sample::key("n", KeyKind::Ed25519, 1), sample::key("n", KeyKind::Ed25519, 2));
    let mut note = signed(&[&one, &other]);
    let before = note.clone();
    note.sign(&one).unwrap();
    assert_eq!(note, before);
    let stale = NoteSignature::by(&one, vec![0; 64]);
    note.add(stale.clone()).unwrap();
    assert_eq!(note.signatures()[..2], before.signatures()[..]);
    assert_eq!(note.signatures()[2], stale);
}

#[test]
fn a_false_signature_of_a_trusted_key_refuses_the_note() {
    let (one, other) =
        (sample::key("1", KeyKind::Ed25519, 1), sample::key("2", KeyKind::Ed25519, 2));
    let keys = sample::public(&[&one, &other]);
    let mut note = signed(&[&one]);
    note.add(NoteSignature::by(&other, vec![0; 64])).unwrap();
    let error = NoteError::BadSignature { name: other.name().clone(), id: other.id() };
    assert_eq!(note.verify(&keys), Err(error));
    // Nobody knows the other key, so nobody can say that its signature is false.
    assert_eq!(note.verify(&keys[..1]).unwrap().len(), 1);
}

#[test]
fn a_second_signature_of_a_key_is_verified_too() {
    let key = sample::log_key();
    let keys = sample::public(&[&key]);
    let good = signed(&[&key]);
    let doubled = format!("{good}{}\n", good.signatures()[0]);
    assert_eq!(Note::parse(doubled.as_bytes()).unwrap().verify(&keys).unwrap().len(), 2);
    let mut note = good;
    note.add(NoteSignature::by(&key, vec![1; 64])).unwrap();
    assert!(matches!(note.verify(&keys), Err(NoteError::BadSignature { .. })));
}

#[test]
fn a_signature_under_another_name_or_id_is_by_an_unknown_key() {
    let key = sample::key("n", KeyKind::Ed25519, 1);
    let note = signed(&[&key]);
    for stranger in [
        sample::key("m", KeyKind::Ed25519, 1),
        sample::key("n", KeyKind::Ed25519, 2),
        sample::key("n", KeyKind::Cosignature, 1),
    ] {
        let keys = sample::public(&[&stranger]);
        assert_eq!(note.verify(&keys), Err(NoteError::NoTrustedSignature));
    }
    assert_eq!(note.verify(&[]), Err(NoteError::NoTrustedSignature));
}

#[test]
fn a_key_that_is_given_twice_is_one_key() {
    let key = sample::log_key();
    let keys = sample::public(&[&key, &key]);
    assert_eq!(signed(&[&key]).verify(&keys).unwrap().len(), 1);
}

/// The first two numbers that are seeds of keys with one id, where all keys are called alike.
const COLLIDING: [u32; 2] = [0x3ea4, 0xc3a5];

#[test]
fn two_keys_of_one_name_and_id_are_told_apart_by_nobody() {
    let [one, other] = COLLIDING.map(|number| {
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&number.to_be_bytes());
        SigningKey::from_seed(KeyName::new("n").unwrap(), KeyKind::Ed25519, &seed).unwrap()
    });
    let keys = sample::public(&[&one, &other]);
    let error = NoteError::AmbiguousKey { name: one.name().clone(), id: other.id() };
    assert_eq!(signed(&[&one]).verify(&keys), Err(error));
    assert_eq!(signed(&[&one]).verify(&keys[..1]).unwrap().len(), 1);
    assert!(matches!(signed(&[&one]).verify(&keys[1..]), Err(NoteError::BadSignature { .. })));
}

#[test]
fn a_witness_key_signs_no_text() {
    let mut note = Note::new("text\n").unwrap();
    let error = note.sign(&sample::witness_key()).unwrap_err();
    assert_eq!(error, NoteError::WrongKind { name: sample::witness_key().name().clone() });
    assert!(note.signatures().is_empty());
}

#[test]
fn a_line_of_an_ml_dsa_cosignature_is_kept_and_refuses_nothing() {
    let (log, witness) = (sample::log_key(), sample::witness_key());
    let mut note = sample::note();
    // An id, a time, and a signature of FIPS 204 table 2.
    let line = format!("\u{2014} {} {}", witness.name(), base64(&[6; 4 + 8 + 2_420]));
    note.add(line.parse().unwrap()).unwrap();
    let again = Note::parse(note.to_string().as_bytes()).unwrap();
    assert_eq!(again, note);
    let keys = sample::public(&[&log, &witness]);
    assert_eq!(again.verify(&keys).unwrap().len(), 1);
}

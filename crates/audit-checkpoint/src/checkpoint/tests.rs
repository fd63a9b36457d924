//! Checkpoints as others write them, what is none, and whom one is to be believed.

use super::*;
use crate::cosignature::cosign;
use crate::sample;

/// The example of c2sp.org/tlog-checkpoint, without its signature.
const EXAMPLE: &str =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

#[test]
fn the_example_of_the_specification_is_read() {
    let checkpoint: Checkpoint = EXAMPLE.parse().unwrap();
    assert_eq!(
        (checkpoint.origin(), checkpoint.size()),
        ("example.com/behind-the-sofa", 20_852_163)
    );
    assert_eq!(checkpoint.extensions().count(), 0);
    assert_eq!(checkpoint.to_string(), EXAMPLE);
}

#[test]
fn an_origin_is_any_line_and_extensions_are_kept() {
    let text = format!("Go sum database + tree\n0\n{}one\n two \n", &EXAMPLE[37..]);
    let checkpoint: Checkpoint = text.parse().unwrap();
    assert_eq!(checkpoint.origin(), "Go sum database + tree");
    assert_eq!(checkpoint.extensions().collect::<Vec<_>>(), ["one", " two "]);
    assert_eq!(checkpoint.to_string(), text);
}

#[test]
fn other_texts_are_no_checkpoints() {
    let root = &EXAMPLE[37..81];
    let long = "a".repeat(NOTE_BYTES_MAX);
    for text in [
        "",
        "\n",
        "a\n",
        "a\n1\n",
        &format!("a\n1\n{root}"),
        &format!("\n1\n{root}\n"),
        &format!("a\n\n{root}\n"),
        &format!("a\n1\n{root}\n\n"),
        &format!("a\n1\n{root}\nb"),
        &format!("a\n1\n{root}\nb\n\nc\n"),
        &format!("a\r\n1\n{root}\n"),
        &format!("{long}\n1\n{root}\n"),
    ] {
        assert_eq!(text.parse::<Checkpoint>(), Err(CheckpointError::Lines), "{text:.80?}");
    }
    for size in ["01", "-1", "+1", "1 ", "0x1", "18446744073709551616"] {
        let text = format!("a\n{size}\n{root}\n");
        assert_eq!(text.parse::<Checkpoint>(), Err(CheckpointError::Size), "{size}");
    }
    for root in ["AA==", &root[1..], &format!("{root}="), &root.replace('=', "")] {
        let text = format!("a\n1\n{root}\n");
        assert_eq!(text.parse::<Checkpoint>(), Err(CheckpointError::Root), "{root}");
    }
}

#[test]
fn a_key_signs_for_its_own_log_only() {
    let checkpoint = sample::checkpoint();
    for key in [
        sample::key("log.example/other", KeyKind::Ed25519, 1),
        sample::key("log.example/one", KeyKind::Cosignature, 1),
    ] {
        let error = checkpoint.sign(&key).unwrap_err();
        assert!(matches!(error, CheckpointError::WrongKey { .. }), "{error}");
    }
}

#[test]
fn a_trusted_key_of_another_log_proves_nothing() {
    let other = sample::key("log.example/other", KeyKind::Ed25519, 3);
    let mut note = sample::note();
    note.sign(&other).unwrap();
    let keys = sample::public(&[&other, &sample::log_key()]);
    let opened = SignedCheckpoint::open(note.clone(), &keys).unwrap();
    assert_eq!(opened.log_keys(), &keys[1..]);
    let error = SignedCheckpoint::open(note, &keys[..1]).unwrap_err();
    assert_eq!(error, CheckpointError::NotByItsLog { origin: "log.example/one".to_owned() });
}

#[test]
fn a_log_may_sign_with_its_old_and_its_new_key() {
    let (old, new) = (sample::log_key(), sample::key("log.example/one", KeyKind::Ed25519, 9));
    let mut note = sample::note();
    note.sign(&new).unwrap();
    let doubled = format!("{note}{}\n", note.signatures()[0]);
    let keys = sample::public(&[&new, &old]);
    let opened = SignedCheckpoint::open(Note::parse(doubled.as_bytes()).unwrap(), &keys).unwrap();
    assert_eq!(opened.log_keys(), sample::public(&[&old, &new]));
}

#[test]
fn a_witness_called_like_the_log_is_not_the_log() {
    let witness = sample::key("log.example/one", KeyKind::Cosignature, 1);
    let mut note = sample::note();
    note.add(cosign(&sample::signed_checkpoint(), &witness, 5).unwrap()).unwrap();
    let error = SignedCheckpoint::open(note, &sample::public(&[&witness])).unwrap_err();
    assert!(matches!(error, CheckpointError::NotByItsLog { .. }), "{error}");
}

#[test]
fn a_witness_counts_once_with_its_latest_time() {
    let (log, witness) = (sample::log_key(), sample::witness_key());
    let mut note = sample::note();
    for secs in [5, 9, 7] {
        note.add(cosign(&sample::signed_checkpoint(), &witness, secs).unwrap()).unwrap();
    }
    let keys = sample::public(&[&log, &witness]);
    let opened = SignedCheckpoint::open(note.clone(), &keys).unwrap();
    let expected = Cosigned { key: keys[1].clone(), cosigned_secs: 9 };
    assert_eq!(opened.cosigned(), [expected]);
    assert_eq!((opened.checkpoint(), opened.note()), (&sample::checkpoint(), &note));
    // Nobody trusts the witness here.
    let opened = SignedCheckpoint::open(note, &keys[..1]).unwrap();
    assert!(opened.cosigned().is_empty());
}

#[test]
fn a_text_is_not_looked_at_before_its_signatures() {
    let mut note = Note::new("no checkpoint\n").unwrap();
    note.sign(&sample::log_key()).unwrap();
    let keys = sample::public(&[&sample::log_key()]);
    assert_eq!(SignedCheckpoint::open(note.clone(), &keys), Err(CheckpointError::Lines));
    let error = CheckpointError::Note(NoteError::NoTrustedSignature);
    assert_eq!(SignedCheckpoint::open(note, &[]), Err(error));
}

//! A log with checkpoints, and what an auditor has kept of it.

use std::sync::LazyLock;

use audit_checkpoint::{
    Checkpoint, KeyKind, KeyName, Note, Policy, SignedCheckpoint, SigningKey, cosign,
};
use audit_core::lifecycle::{LifecycleEvent, TailKind};
use audit_core::{Digest, Receipt};
use audit_verify::{Requirement, VerifyOptions};

use crate::log::{Begun, Files};

const PAYLOAD: &[u8] = br#"{"event_type":"x","k":"abcdefghijklmnopqrstuvwxyz"}"#;
const COSIGNED_SECS: u64 = 1_700_000_000;

/// An honest log, with what was kept of it.
pub(crate) struct Kept {
    pub(crate) files: Files,
    notes: Vec<Note>,
    head: Receipt,
    key: SigningKey,
    policy: Policy,
}

/// Made once: signatures are slow.
pub(crate) static KEPT: LazyLock<Kept> = LazyLock::new(make);

fn key(name: &str, kind: KeyKind, seed: u8) -> SigningKey {
    SigningKey::from_seed(KeyName::new(name).unwrap(), kind, &[seed; 32]).unwrap()
}

fn note_over(key: &SigningKey, size: u64, root: Digest) -> Note {
    Checkpoint::new(key.name(), size, root).sign(key).unwrap()
}

/// Three segments, the first of which was recovered, with a checkpoint at the end of each.
fn make() -> Kept {
    let key = key("audit.example/fuzz", KeyKind::Ed25519, 1);
    let witness = self::key("witness.example/fuzz", KeyKind::Cosignature, 2);
    let mut log = Begun::new();
    let mut notes = Vec::new();
    (0..3).for_each(|_| log.push(PAYLOAD));
    notes.push(note_over(&key, log.seq, log.frontier.root()));
    recover(&mut log);
    (0..3).for_each(|_| log.push(PAYLOAD));
    notes.push(note_over(&key, log.seq, log.frontier.root()));
    log.open_segment();
    (0..4).for_each(|_| log.push(PAYLOAD));
    let mut last = note_over(&key, log.seq, log.frontier.root());
    let opened = SignedCheckpoint::open(last.clone(), &[key.verifying_key().clone()]).unwrap();
    last.add(cosign(&opened, &witness, COSIGNED_SECS).unwrap()).unwrap();
    notes.push(last);

    let head = Receipt { seq: log.seq.saturating_sub(1), hash: log.prev_hash };
    let (log_key, witness_key) = (key.verifying_key(), witness.verifying_key());
    let policy = format!("log {log_key}\nwitness w {witness_key}\nquorum w\n");
    let policy = Policy::parse(policy.as_bytes()).unwrap();
    let mut files = log.files();
    for note in &notes {
        let size = note.text().parse::<Checkpoint>().unwrap().size();
        files.insert(format!("checkpoints/{size:020}.note"), note.to_string().into_bytes());
    }
    Kept { files, notes, head, key, policy }
}

/// Leaves the newest segment torn, and accounts for it in the next one, as a writer does.
fn recover(log: &mut Begun) {
    let tail = b"{\"v\":1,\"seq\":";
    let file = log.name.clone();
    let offset = u64::try_from(log.lines.len()).unwrap();
    log.lines.extend_from_slice(tail);
    log.open_segment();
    log.push_lifecycle(&LifecycleEvent::LogRecovered {
        file,
        offset,
        bytes: u64::try_from(tail.len()).unwrap(),
        sha256: Digest::of(tail),
        valid_records: 0,
        kind: TailKind::Torn,
    });
    log.log_opened();
}

impl Kept {
    /// What is given to the verifier, each bit one thing of it: the key, another key, three
    /// checkpoints, one of another history, the head, the policy.
    pub(crate) fn options(&self, bits: u8) -> VerifyOptions {
        let mut options = VerifyOptions::default();
        let is_given = |bit: u32| bits.checked_shr(bit).is_some_and(|bits| bits & 1 == 1);
        if is_given(0) {
            options.keys.push(self.key.verifying_key().clone());
        }
        if is_given(1) {
            let other = key("audit.example/other", KeyKind::Ed25519, 3);
            options.keys.push(other.verifying_key().clone());
        }
        for (note, bit) in self.notes.iter().zip(2..) {
            options.pins.extend(is_given(bit).then(|| note.clone()));
        }
        if is_given(5) {
            options.pins.push(note_over(&self.key, 7, Digest::of(b"another history")));
        }
        options.heads.extend(is_given(6).then_some(self.head));
        options.policy = is_given(7).then(|| self.policy.clone());
        options
    }

    /// The same, and what is asked: a first bit for each of the two requirements, and one for a time
    /// before which no cosignature counts.
    pub(crate) fn asked(&self, bits: u8, asked: u8) -> VerifyOptions {
        VerifyOptions {
            require: match asked & 3 {
                1 => Requirement::Signed,
                2 => Requirement::Intact,
                _ => Requirement::Consistent,
            },
            not_before_secs: (asked & 4 != 0).then_some(COSIGNED_SECS.saturating_add(1)),
            ..self.options(bits)
        }
    }
}

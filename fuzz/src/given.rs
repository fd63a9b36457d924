//! A log with checkpoints, and what an auditor has kept of it.

use std::sync::LazyLock;

use audit_checkpoint::{
    Checkpoint, KeyKind, KeyName, Note, Policy, SignedCheckpoint, SigningKey, cosign,
};
use audit_core::lifecycle::{
    FileId, LifecycleEvent, LossReason, NewestPrune, Place, PrunedFile, TailKind,
};
use audit_core::{Digest, Receipt, RecordTime};
use audit_verify::{Requirement, VerifyOptions};

use chrono::DateTime;

use crate::log::{Begun, Files, PAYLOAD, SEED, Sealing};

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
pub(crate) static KEPT: LazyLock<Kept> = LazyLock::new(unsealed);
/// The same of a sealed log.
pub(crate) static SEALED: LazyLock<Kept> = LazyLock::new(sealed);

fn key(name: &str, kind: KeyKind, seed: [u8; 32]) -> SigningKey {
    SigningKey::from_seed(KeyName::new(name).unwrap(), kind, &seed).unwrap()
}

fn log_key() -> SigningKey {
    key("audit.example/fuzz", KeyKind::Ed25519, SEED)
}

fn note_over(key: &SigningKey, size: u64, root: Digest) -> Note {
    Checkpoint::new(key.name(), size, root).sign(key).unwrap()
}

fn note_of(log: &Begun) -> Note {
    note_over(&log_key(), log.seq, log.frontier.root())
}

/// Three segments, the first of which was recovered, with a checkpoint at the end of each.
fn unsealed() -> Kept {
    let mut log = Begun::new();
    let mut notes = Vec::new();
    (0..3).for_each(|_| log.push(PAYLOAD, Sealing::None));
    notes.push(note_of(&log));
    log.lose(0, b"{\"v\":1,\"seq\":", TailKind::Torn);
    (0..3).for_each(|_| log.push(PAYLOAD, Sealing::None));
    notes.push(note_of(&log));
    log.open_segment(Sealing::None);
    (0..4).for_each(|_| log.push(PAYLOAD, Sealing::None));
    kept(log, notes)
}

/// Four segments: the first lost records that were not sealed yet, the third is a copy, and the first
/// could be deleted.
fn sealed() -> Kept {
    let mut log = Begun::sealed_by(&log_key().verifying_key().to_string());
    let mut notes = Vec::new();
    (0..3).for_each(|_| log.push(PAYLOAD, Sealing::None));
    log.push(PAYLOAD, Sealing::Sealed);
    let last_seq = log.seq.saturating_sub(1);
    notes.push(note_of(&log));
    log.lose(2, b"{\"v\":1,\"seq\":", TailKind::Unsealed);
    own_events(&mut log);
    notes.push(note_of(&log));
    let place = |inode| {
        let file = FileId { inode, born: RecordTime::new(DateTime::UNIX_EPOCH) };
        Place { dir: file, file }
    };
    let mut opened = log.segment_opened();
    opened.place = Some(place(2));
    log.open_segment_with(opened, Sealing::Sealed);
    let prune = prune(&log, last_seq);
    let pruned = NewestPrune { seq: log.seq, last_seq, last_hash: log.hash_of(last_seq) };
    log.push_lifecycle(&prune, Sealing::Sealed);
    let mut opened = log.segment_opened();
    (opened.pruned, opened.place) = (Some(pruned), Some(place(8)));
    log.open_segment_with(opened, Sealing::None);
    log.log_opened(Sealing::None);
    let copied = LifecycleEvent::LogCopied { from: place(2), to: place(8) };
    log.push_lifecycle(&copied, Sealing::Sealed);
    (0..2).for_each(|_| log.push(PAYLOAD, Sealing::None));
    kept(log, notes)
}

fn own_events(log: &mut Begun) {
    let time = RecordTime::new(DateTime::UNIX_EPOCH);
    let lost = LifecycleEvent::EventsLost {
        count: 1,
        critical_count: 0,
        reason: LossReason::QueueFull,
        first: time,
        last: time,
        sha256: None,
    };
    log.push_lifecycle(&lost, Sealing::None);
    log.push(PAYLOAD, Sealing::Sealed);
    log.push_lifecycle(&LifecycleEvent::ClockStepped { from: time, to: time }, Sealing::Sealed);
}

/// The record of a deletion of the first segment, which ends with this record.
fn prune(log: &Begun, last_seq: u64) -> LifecycleEvent {
    LifecycleEvent::SegmentsPruned {
        first_seq: 0,
        last_seq,
        last_hash: log.hash_of(last_seq),
        merkle_frontier: log.frontier_at(last_seq.saturating_add(1)),
        files: vec![PrunedFile {
            name: format!("{:020}.1970-01-01.audit.jsonl", 0),
            size: 1,
            sha256: Digest::ZERO,
            last_seq: Some(last_seq),
        }],
        reason: "age".to_owned(),
        after: None,
        before: Some(RecordTime::new(DateTime::UNIX_EPOCH)),
    }
}

/// A log with these checkpoints and one over all of it, which a witness has seen.
fn kept(log: Begun, mut notes: Vec<Note>) -> Kept {
    let key = log_key();
    let witness = self::key("witness.example/fuzz", KeyKind::Cosignature, [2; 32]);
    let mut last = note_of(&log);
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
            let other = key("audit.example/other", KeyKind::Ed25519, [3; 32]);
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

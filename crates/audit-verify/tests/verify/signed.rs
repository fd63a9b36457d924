//! Logs with checkpoints: signed with keys made here, never by the code that writes logs.

use audit_checkpoint::{Checkpoint, KeyKind, KeyName, Note, SigningKey, VerifyingKey};
use audit_core::Digest;
use audit_verify::{MemorySource, Report, VerifyOptions, verify_source};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::builder::{Builder, Files, LOG_ID};

pub(crate) const ORIGIN: &str = "audit.example/teller-1";

/// A log's key, made of a seed of one repeated byte.
pub(crate) fn key(seed: u8) -> SigningKey {
    key_called(ORIGIN, seed)
}

pub(crate) fn key_called(name: &str, seed: u8) -> SigningKey {
    SigningKey::from_seed(KeyName::new(name).unwrap(), KeyKind::Ed25519, &[seed; 32]).unwrap()
}

pub(crate) fn public(key: &SigningKey) -> VerifyingKey {
    key.verifying_key().clone()
}

pub(crate) fn note_path(size: u64) -> String {
    format!("checkpoints/{size:020}.note")
}

/// The note that a log with this root at this size has its key sign.
pub(crate) fn note(key: &SigningKey, size: u64, root: Digest) -> Vec<u8> {
    Checkpoint::new(key.name(), size, root).sign(key).unwrap().to_string().into_bytes()
}

impl Builder {
    /// The note over all records so far.
    pub(crate) fn note(&self, key: &SigningKey) -> Vec<u8> {
        note(key, self.seq, self.frontier.root())
    }

    /// Puts it beside the log.
    pub(crate) fn sign(&mut self, key: &SigningKey) {
        self.files.insert(note_path(self.seq), self.note(key));
    }

    /// The same, and says so in the log, as writers do.
    pub(crate) fn sign_and_record(&mut self, key: &SigningKey) {
        self.sign(key);
        let (size, root) = (self.seq, self.frontier.root());
        self.record(&checkpoint_signed(key, size, root));
    }
}

/// What a writer says of a checkpoint that a key made.
pub(crate) fn checkpoint_signed(key: &SigningKey, size: u64, root: Digest) -> String {
    let key_id = key.id();
    let root = STANDARD.encode(root.as_bytes());
    format!(
        r#"{{"event_type":"checkpoint_signed","size":{size},"root":"{root}","key_id":"{key_id}"}}"#
    )
}

impl Builder {
    /// A log that names the key of its writer.
    pub(crate) fn naming(key: &SigningKey) -> Self {
        let mut log = Self::empty();
        log.open_segment();
        log.record(&format!(
            r#"{{"event_type":"log_opened","writer":"by hand","flush_mode":"immediate","unsynced_max_bytes":4096,"vkey":"{}"}}"#,
            public(key)
        ));
        log
    }
}

/// What [`recorded_log`] is, by a writer that names its key.
pub(crate) fn named_log(key: &SigningKey) -> Builder {
    let mut log = Builder::naming(key);
    log.events(3);
    log.sign_and_record(key);
    log.events(3);
    log.sign_and_record(key);
    log.open_segment();
    log.events(3);
    log.sign_and_record(key);
    log.event();
    log.close();
    log.sign(key);
    log
}

/// What a `key_changed` says, and who signs it.
pub(crate) struct Change {
    pub(crate) log_id: String,
    pub(crate) seq: u64,
    pub(crate) old: SigningKey,
    pub(crate) new: SigningKey,
    pub(crate) old_signer: SigningKey,
    pub(crate) new_signer: SigningKey,
}

impl Change {
    /// From key 1 to key 2, as it has to be.
    pub(crate) fn at(seq: u64) -> Self {
        let log_id = LOG_ID.to_owned();
        Self { log_id, seq, old: key(1), new: key(2), old_signer: key(1), new_signer: key(2) }
    }

    pub(crate) fn event(&self) -> String {
        let Self { log_id, seq, .. } = self;
        let (old, new) = (public(&self.old), public(&self.new));
        let text = format!("audit key change v1\n{log_id}\n{seq}\n{old}\n{new}\n");
        let sign = |signer: &SigningKey| STANDARD.encode(signer.sign(text.as_bytes()));
        let (by_old, by_new) = (sign(&self.old_signer), sign(&self.new_signer));
        format!(
            r#"{{"event_type":"key_changed","old_vkey":"{old}","new_vkey":"{new}","old_signature":"{by_old}","new_signature":"{by_new}"}}"#
        )
    }
}

/// Removes the folder of the checkpoints.
pub(crate) fn strip(files: &mut Files) {
    files.retain(|name, _| !name.starts_with("checkpoints/"));
}

/// A log as writers leave it: each checkpoint is recorded after it, but for the closing one.
pub(crate) fn recorded_log(key: &SigningKey) -> Builder {
    let mut log = Builder::new();
    log.events(3);
    log.sign_and_record(key);
    log.events(3);
    log.sign_and_record(key);
    log.open_segment();
    log.events(3);
    log.sign_and_record(key);
    log.event();
    log.close();
    log.sign(key);
    log
}

/// The checkpoint of a file, as a pin.
pub(crate) fn pin(bytes: &[u8]) -> Note {
    Note::parse(bytes).unwrap()
}

pub(crate) fn with_pins(files: &Files, pins: &[Note]) -> Report {
    verify_by(files, &VerifyOptions { pins: pins.to_vec(), ..VerifyOptions::default() })
}

/// Twenty records in three segments, closed, with a checkpoint at the end of each.
pub(crate) fn signed_log(key: &SigningKey) -> Builder {
    let mut log = Builder::new();
    log.events(5);
    log.sign(key);
    log.open_segment();
    log.events(6);
    log.sign(key);
    log.open_segment();
    log.events(4);
    log.close();
    log.sign(key);
    log
}

pub(crate) fn verify_by(files: &Files, options: &VerifyOptions) -> Report {
    verify_source(&MemorySource::new(files.clone()), options, &mut |_| ()).unwrap()
}

/// What is said of a log when this key is given.
pub(crate) fn with_key(files: &Files, key: &SigningKey) -> Report {
    let options = VerifyOptions { keys: vec![public(key)], ..VerifyOptions::default() };
    verify_by(files, &options)
}

pub(crate) fn codes_of(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.code.as_str()).collect()
}

pub(crate) fn notices_of(report: &Report) -> Vec<&'static str> {
    report.notices.iter().map(|notice| notice.code.as_str()).collect()
}

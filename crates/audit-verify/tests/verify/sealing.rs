//! Logs that sign, built by hand: what their writers put where.

use crate::builder::{Builder, Sealing};
use crate::signed::{ORIGIN, checkpoint_signed, key};

pub(crate) const OPENED: &str = r#"{"event_type":"log_opened","writer":"by hand","flush_mode":"immediate","unsynced_max_bytes":4096}"#;
pub(crate) const UNSIGNED: &str = r#"{"event_type":"log_opened","writer":"by hand","flush_mode":"immediate","unsynced_max_bytes":4096,"unsigned":true}"#;
pub(crate) const CLOSED: &str = r#"{"event_type":"log_closed"}"#;

impl Builder {
    /// A log that a writer with the first key has just opened.
    pub(crate) fn sealed() -> Self {
        let mut log = Self::empty();
        log.seal_with(1);
        log.open_segment();
        log.record_sealed(OPENED);
        log
    }

    /// Seals the next segments with the key of this seed.
    pub(crate) fn seal_with(&mut self, seed: u8) {
        self.sealing = Some(Sealing::by(&key(seed), seed));
    }

    /// Seals the next segments with no key.
    pub(crate) fn seal_no_more(&mut self) {
        self.sealing = None;
    }

    /// Begins a segment of a writer that goes on: its only opening record is sealed.
    pub(crate) fn rotate_sealed(&mut self) {
        let (before, hash) = (self.clone(), self.prev_hash);
        self.open_segment();
        let event = before.with_seals_of(self).segment_opened(&before.file);
        let (seq, file) = (before.seq, self.file.clone());
        (self.seq, self.prev_hash, self.frontier) = (seq, hash, before.frontier);
        self.files.insert(file, Vec::new());
        self.record_sealed(&event);
    }

    fn with_seals_of(&self, other: &Self) -> Self {
        let (sealing, sealed_from) = (other.sealing.clone(), other.sealed_from);
        Self { sealing, sealed_from, ..self.clone() }
    }

    /// Begins a segment of a writer that opens the log, whose last opening record is the last of
    /// these.
    pub(crate) fn open_with(&mut self, events: &[String]) {
        self.open_segment();
        let (last, events) = events.split_last().unwrap();
        for event in events {
            self.record(event);
        }
        self.record_sealed(last);
    }

    /// So many events in one write.
    pub(crate) fn write(&mut self, count: usize) {
        self.events(count - 1);
        self.record_sealed(&self.event_text());
    }

    pub(crate) fn close_sealed(&mut self) {
        self.record_sealed(CLOSED);
    }

    /// Signs a checkpoint over all records, and says so.
    pub(crate) fn sign_and_seal(&mut self, seed: u8) {
        self.sign(&key(seed));
        self.record_sealed(&checkpoint_signed(&key(seed), self.seq, self.frontier.root()));
    }

    /// Bytes of the newest segment.
    pub(crate) fn length(&self) -> usize {
        self.files[&self.file].len()
    }
}

/// A sealed log of three segments, closed and signed.
pub(crate) fn sealed_log() -> Builder {
    let mut log = Builder::sealed();
    log.write(3);
    log.write(1);
    log.sign_and_seal(1);
    log.rotate_sealed();
    log.write(2);
    log.rotate_sealed();
    log.write(4);
    log.close_sealed();
    log.sign(&key(1));
    assert!(key(1).name().as_str() == ORIGIN);
    log
}

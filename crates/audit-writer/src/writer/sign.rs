//! Checkpoints: the tree over the log's durable records, signed, kept beside the log, and recorded
//! in it.
//!
//! The records are durable first; then the note is written, synced and named; then the log says so.
//! A crash between any two of these leaves records that no checkpoint covers, or a checkpoint that
//! the next open records: never two that contradict each other.

use std::sync::Arc;
use std::time::Duration;

use audit_checkpoint::Checkpoint;
use audit_checkpoint::Note;
use audit_checkpoint::SigningKey;
use audit_core::lifecycle::LifecycleEvent;
use audit_core::limits::SINK_DEADLINE_SECS;

use super::{AuditFileWriter, Claim, Log};
use crate::broken::{self, Broken};
use crate::clock::Clock;
use crate::error::{CheckpointFault, OpenError};
use crate::notes::{FOLDER, Notes, note_name};
use crate::outbox::{LastFailure, Outbox, SinkFailure};
use crate::recovery::{Damage, root_at, successor};
use crate::signing::{SignError, Signing};
use crate::sinks::CheckpointSink;
use crate::store::Store;

/// What a writer needs to sign.
#[derive(Debug)]
pub(super) struct Signer<S> {
    key: SigningKey,
    interval: Duration,
    notes: Notes<S>,
    newest: Option<Checkpoint>,
    /// A checkpoint that is kept, and that the log does not tell of yet.
    unrecorded: Option<LifecycleEvent>,
    /// Records that need no further checkpoint: those that one covers, and what the log says of
    /// that.
    quiet: u64,
    /// Since when there have been others.
    uncovered_since: Option<Duration>,
    failure: Option<SignError>,
    /// Where there are sinks.
    outbox: Option<Outbox>,
}

impl AuditFileWriter {
    /// From now on signs checkpoints, which lie in the folder `checkpoints` of the log's directory.
    /// It is made, mode 0700, where it is absent.
    ///
    /// # Errors
    ///
    /// [`OpenError::Io`] when the folder cannot be used, [`OpenError::RolledBack`] when the log lacks
    /// records that the newest checkpoint there covers, or has others in their place,
    /// [`OpenError::Damaged`] when it lost them to a crash, [`OpenError::Checkpoint`] when that
    /// checkpoint is not this log's, [`OpenError::KeyChanged`] when the log says that another key
    /// took the place of this one. Nothing is signed then, and the log is unchanged.
    pub fn sign(&mut self, signing: Signing) -> Result<(), OpenError> {
        let folder = self.store.folder(FOLDER);
        let folder = folder.map_err(OpenError::io("open the folder of the checkpoints"))?;
        self.sign_with(folder, signing)
    }
}

impl<S: Store, C: Clock> AuditFileWriter<S, C> {
    /// As [`sign`](AuditFileWriter::sign), with the folder of the checkpoints.
    ///
    /// # Errors
    ///
    /// As for [`sign`](AuditFileWriter::sign).
    pub fn sign_with(&mut self, folder: S, signing: Signing) -> Result<(), OpenError> {
        let Signing { key, interval, mut sinks } = signing;
        self.goes_on_with(&key)?;
        let notes = Notes::new(folder);
        let newest = notes.newest().map_err(OpenError::io("read the newest checkpoint"))?;
        let newest = newest.map(|(size, bytes)| {
            let checkpoint = parse(&bytes, &key).and_then(|known| is_of_size(known, size));
            let file = || format!("{FOLDER}/{}", note_name(size));
            checkpoint.map_err(|fault| OpenError::Checkpoint { file: file(), fault })
        });
        let newest = newest.transpose()?;
        if let Some(known) = &newest {
            self.extends(known)?;
        }
        for sink in &mut sinks {
            self.extends_kept(&mut **sink, &key)?;
        }
        let recorded = self.checkpoint_recorded;
        let unrecorded = newest.as_ref().filter(|known| Some(known.size()) > recorded);
        let unrecorded = unrecorded.map(|known| signed(known, &key));
        let quiet = newest.as_ref().map_or(0, Checkpoint::size);
        let (uncovered_since, failure) = (None, None);
        let outbox = if sinks.is_empty() { None } else { Some(start(sinks)?) };
        if let (Some(outbox), Some(known)) = (&outbox, &newest) {
            // One that a sink missed.
            let note = notes.read(&note_name(known.size()));
            let note = note.map_err(OpenError::io("read the newest checkpoint"))?;
            outbox.send(String::from_utf8_lossy(&note).into_owned());
        }
        self.signer = Some(Signer {
            key,
            interval,
            notes,
            newest,
            unrecorded,
            quiet,
            uncovered_since,
            failure,
            outbox,
        });
        Ok(())
    }

    /// Shows that no other key took the place of this one. A key that the newest segment names is
    /// the last; one that the log never named is taken.
    fn goes_on_with(&self, key: &SigningKey) -> Result<(), OpenError> {
        let is_named = self.key_named.as_ref().is_some_and(|id| *id == key.id().to_string());
        if is_named || broken::is(Broken::OldKeyTaken) {
            return Ok(());
        }
        let next = successor(&self.store, key.verifying_key())?;
        next.map_or(Ok(()), |vkey| Err(OpenError::KeyChanged { vkey }))
    }

    /// Shows that the log extends what a sink has.
    fn extends_kept(
        &self,
        sink: &mut dyn CheckpointSink,
        key: &SigningKey,
    ) -> Result<(), OpenError> {
        let kept = sink.newest().map_err(OpenError::io("ask a sink for its newest checkpoint"))?;
        let Some(bytes) = kept else { return Ok(()) };
        let known = parse(&bytes, key);
        let known = known.map_err(|fault| OpenError::Checkpoint { file: sink.name(), fault })?;
        self.extends(&known)
    }

    /// Signs a checkpoint over every record, after making these durable. Where a checkpoint covers
    /// all but what the log says of itself, that one is returned.
    ///
    /// # Errors
    ///
    /// [`SignError`]; each variant says what was done.
    pub fn checkpoint(&mut self) -> Result<Checkpoint, SignError> {
        broken::unless(Broken::CheckpointEarly, || self.flush())?;
        let signer = self.signer.as_ref().ok_or(SignError::NoKey)?;
        if let Some(newest) = signer.newest.as_ref().filter(|_| signer.quiet >= self.size()) {
            return Ok(newest.clone());
        }
        let checkpoint = self.sign_durable()?;
        self.record_checkpoint()?;
        Ok(checkpoint)
    }

    /// Signs a checkpoint if a record has been uncovered for the interval, and says how long until
    /// one will have been; `None` when none is.
    ///
    /// # Errors
    ///
    /// As for [`checkpoint`](Self::checkpoint). It is tried again after another interval.
    pub fn checkpoint_if_due(&mut self) -> Result<Option<Duration>, SignError> {
        let (now, size) = (self.clock.monotonic(), self.size());
        let Some(signer) = self.signer.as_mut().filter(|signer| signer.quiet < size) else {
            return Ok(None);
        };
        let since = *signer.uncovered_since.get_or_insert(now);
        let left = signer.interval.saturating_sub(now.saturating_sub(since));
        if !left.is_zero() {
            return Ok(Some(left));
        }
        signer.uncovered_since = Some(now);
        self.checkpoint().map(|_| None)
    }

    /// The newest checkpoint of the log that is known, where it was opened with a key.
    #[must_use]
    pub fn last_checkpoint(&self) -> Option<&Checkpoint> {
        self.signer.as_ref()?.newest.as_ref()
    }

    /// The note of the newest checkpoint, as it lies beside the log: witnesses may have signed it
    /// too.
    ///
    /// # Errors
    ///
    /// [`SignError::NoKey`] or [`SignError::Empty`] when there is none, [`SignError::Keep`] when it
    /// cannot be read.
    pub fn last_note(&self) -> Result<String, SignError> {
        let signer = self.signer.as_ref().ok_or(SignError::NoKey)?;
        let newest = signer.newest.as_ref().ok_or(SignError::Empty)?;
        let read = signer.notes.read(&note_name(newest.size()));
        let note = read.map_err(|error| SignError::Keep(Arc::new(error)))?;
        Ok(String::from_utf8_lossy(&note).into_owned())
    }

    /// Why the last checkpoint that was due was not signed.
    #[must_use]
    pub fn checkpoint_failure(&self) -> Option<&SignError> {
        self.signer.as_ref()?.failure.as_ref()
    }

    /// The key that it signs with.
    pub(super) fn signing_key(&self) -> Option<&SigningKey> {
        self.signer.as_ref().map(|signer| &signer.key)
    }

    /// Signs with another key from now on.
    pub(super) fn take_key(&mut self, key: SigningKey) {
        if let Some(signer) = &mut self.signer {
            signer.key = key;
        }
    }

    /// Whether it was opened with a key.
    pub(super) fn signs(&self) -> bool {
        self.signer.is_some()
    }

    /// Which sink did not take the last checkpoint that it was given, and why; of several, the
    /// first.
    #[must_use]
    pub fn sink_failure(&self) -> Option<SinkFailure> {
        self.last_sink_failure().look()
    }

    pub(crate) fn last_sink_failure(&self) -> LastFailure {
        let outbox = self.signer.as_ref().and_then(|signer| signer.outbox.as_ref());
        outbox.map(|outbox| outbox.failure().clone()).unwrap_or_default()
    }

    /// Waits for the sinks, for a while.
    pub(super) fn finish_sinks(&self) {
        if let Some(outbox) = self.signer.as_ref().and_then(|signer| signer.outbox.as_ref()) {
            outbox.finish(Duration::from_secs(SINK_DEADLINE_SECS));
        }
    }

    /// The key that the log is signed with, for `log_opened`.
    pub(super) fn vkey(&self) -> Option<String> {
        self.signer.as_ref().map(|signer| signer.key.verifying_key().to_string())
    }

    /// Signs where nobody waits for it: what fails is remembered, and does not keep the log up.
    pub(super) fn sign_quietly(&mut self) {
        if self.signer.as_ref().is_some_and(|signer| signer.quiet < self.size()) {
            drop(self.sign_durable());
        }
    }

    /// A checkpoint of which the opening records of a segment have to tell.
    pub(super) fn unrecorded(&self) -> Option<LifecycleEvent> {
        self.signer.as_ref()?.unrecorded.clone()
    }

    /// Notes that they did.
    pub(super) fn checkpoint_was_recorded(&mut self) {
        let size = self.size();
        if let Some(signer) = &mut self.signer
            && signer.unrecorded.take().is_some()
        {
            signer.quiet = size;
        }
    }

    /// Signs what is durable, which is every record.
    fn sign_durable(&mut self) -> Result<Checkpoint, SignError> {
        let (size, root) = (self.size(), self.chain.frontier().root());
        let signer = self.signer.as_mut().ok_or(SignError::NoKey)?;
        let outcome = signer.sign(size, root);
        signer.failure = outcome.as_ref().err().cloned();
        outcome
    }

    fn record_checkpoint(&mut self) -> Result<(), SignError> {
        // A writer that has written nothing has no segment, and leaves it to the next one.
        let (Some(Log { service_id, .. }), Some(event), Some(_)) =
            (self.log, self.unrecorded(), &self.current)
        else {
            return Ok(());
        };
        self.append_lifecycle(service_id, Claim::Critical, &event)?;
        self.sync()?;
        self.checkpoint_was_recorded();
        Ok(())
    }

    /// Shows that the log extends a checkpoint.
    fn extends(&self, known: &Checkpoint) -> Result<(), OpenError> {
        let records = self.size();
        if known.size() > records {
            for account in &self.accounts {
                if let LifecycleEvent::LogRecovered { file, offset, .. } = account {
                    let (file, offset) = (file.clone(), *offset);
                    let damage = Damage::CheckpointedRecordLost;
                    return Err(OpenError::Damaged { file, offset, damage });
                }
            }
        }
        let root = root_at(&self.store, &self.chain, known.size())?;
        if root == Some(*known.root()) || broken::is(Broken::RollbackUnseen) {
            return Ok(());
        }
        Err(OpenError::RolledBack { size: known.size(), records })
    }

    /// Records that there are.
    fn size(&self) -> u64 {
        self.chain.frontier().size()
    }
}

impl<S: Store> Signer<S> {
    fn sign(&mut self, size: u64, root: audit_core::Digest) -> Result<Checkpoint, SignError> {
        if size == 0 {
            return Err(SignError::Empty);
        }
        let checkpoint = Checkpoint::new(self.key.name(), size, root);
        let note = checkpoint.sign(&self.key)?;
        let note = note.to_string();
        let kept = self.notes.keep(size, &note);
        kept.map_err(|error| SignError::Keep(Arc::new(error)))?;
        if let Some(outbox) = &self.outbox {
            outbox.send(note);
        }
        self.unrecorded = Some(signed(&checkpoint, &self.key));
        self.newest = Some(checkpoint.clone());
        self.quiet = size;
        self.uncovered_since = None;
        Ok(checkpoint)
    }
}

fn signed(checkpoint: &Checkpoint, key: &SigningKey) -> LifecycleEvent {
    LifecycleEvent::CheckpointSigned {
        size: checkpoint.size(),
        root: checkpoint.root_base64(),
        key_id: key.id().to_string(),
    }
}

fn start(sinks: Vec<Box<dyn CheckpointSink>>) -> Result<Outbox, OpenError> {
    Outbox::start(sinks).map_err(OpenError::io("start the thread of the sinks"))
}

/// The checkpoint of this log that a note holds. Who signed it is not asked: whatever it says of
/// this log, the log must not contradict it.
fn parse(bytes: &[u8], key: &SigningKey) -> Result<Checkpoint, CheckpointFault> {
    let note = Note::parse(bytes).map_err(|_| CheckpointFault::NotANote)?;
    let checkpoint: Checkpoint = note.text().parse().map_err(|_| CheckpointFault::NotANote)?;
    if checkpoint.origin() != key.name().as_str() {
        return Err(CheckpointFault::OtherOrigin);
    }
    Ok(checkpoint)
}

/// The name of a checkpoint's file says its size.
fn is_of_size(known: Checkpoint, size: u64) -> Result<Checkpoint, CheckpointFault> {
    if known.size() == size { Ok(known) } else { Err(CheckpointFault::OtherSize) }
}

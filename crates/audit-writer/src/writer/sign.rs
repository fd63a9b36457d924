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
use audit_core::RecordTime;
use audit_core::lifecycle::LifecycleEvent;

use super::vouch::recorded_by;
use super::{AuditFileWriter, Claim, Log};
use crate::broken::{self, Broken};
use crate::clock::Clock;
use crate::error::CheckpointFault;
use crate::health::NotesBeside;
use crate::notes::{Notes, Own, OwnNote};
use crate::outbox::{Answer, LastFailure, Outbox, SinkFailure};
use crate::recovery::CheckpointRecord;
use crate::signing::SignError;
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
    /// Why nothing is signed any more: a sink has a checkpoint that the log contradicts.
    contradicted: Option<SignError>,
    /// The note of the newest checkpoint, until the sinks have it.
    note: Option<String>,
    /// What is wrong with the notes beside the log.
    beside: NotesBeside,
    /// Where there are sinks.
    outbox: Option<Outbox>,
}

impl<S: Store, C: Clock> AuditFileWriter<S, C> {
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
        self.announce()?;
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
        let read = signer.notes.read(newest.size());
        let note = read.map_err(|error| SignError::Keep(Arc::new(error)))?;
        Ok(String::from_utf8_lossy(&note).into_owned())
    }

    /// What was wrong with the notes beside the log when it was opened with its key.
    #[must_use]
    pub fn notes_beside(&self) -> NotesBeside {
        self.signer.as_ref().map(|signer| signer.beside).unwrap_or_default()
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

    /// Waits for the sinks, for a while; whether all that was sent is delivered.
    pub(super) fn finish_sinks(&self, patience: Duration) -> bool {
        let outbox = self.signer.as_ref().and_then(|signer| signer.outbox.as_ref());
        outbox.is_none_or(|outbox| outbox.finish(patience))
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

    /// Says that this writer opened the log, where it has not yet: what is found, taken over and lost
    /// is declared before anything is signed.
    fn announce(&mut self) -> Result<(), SignError> {
        let Some(Log { service_id, .. }) = self.log else { return Err(SignError::Empty) };
        if !self.announced && !broken::is(Broken::SignUndeclared) {
            let now = RecordTime::new(self.clock.now());
            self.open_segment(service_id, now)?;
        }
        Ok(())
    }

    /// Signs what is durable, which is every record.
    fn sign_durable(&mut self) -> Result<Checkpoint, SignError> {
        let outcome = self.sinks_agree().and_then(|()| self.sign_agreed());
        if let Some(signer) = &mut self.signer {
            signer.failure = outcome.as_ref().err().cloned();
        }
        outcome
    }

    fn sign_agreed(&mut self) -> Result<Checkpoint, SignError> {
        let (size, root) = (self.size(), self.chain.frontier().root());
        let signer = self.signer.as_mut().ok_or(SignError::NoKey)?;
        let made = signer.notes.make(&mut self.store);
        made.map_err(|error| SignError::Keep(Arc::new(error)))?;
        signer.sign(size, root)
    }

    /// Shows that the log extends what every sink has, once each has answered.
    pub(super) fn sinks_agree(&mut self) -> Result<(), SignError> {
        while let Some(answer) = self.signer.as_mut().and_then(Signer::answer) {
            if let Err(error) = self.extends_kept(&answer)
                && let Some(signer) = &mut self.signer
            {
                signer.contradicted.get_or_insert(SignError::of(error));
            }
        }
        let signer = self.signer.as_ref().ok_or(SignError::NoKey)?;
        if let Some(error) =
            signer.contradicted.as_ref().filter(|_| !broken::is(Broken::LateUnheard))
        {
            return Err(error.clone());
        }
        let silent = signer.outbox.as_ref().is_some_and(Outbox::awaits);
        if silent && !broken::is(Broken::SinkUnheard) { Err(SignError::SinkSilent) } else { Ok(()) }
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

    /// Records that there are.
    pub(super) fn size(&self) -> u64 {
        self.chain.frontier().size()
    }
}

impl<S: Store> Signer<S> {
    /// `recorded` is the last checkpoint that the log tells of; where somebody with the key made that
    /// record it is as good as its note.
    pub(super) fn new(
        key: SigningKey,
        interval: Duration,
        notes: Notes<S>,
        own: Own,
        recorded: Option<&CheckpointRecord>,
        is_vouched: bool,
    ) -> Self {
        let Own { newest, others } = own;
        let recorded_size = recorded.map(|recorded| recorded.size);
        let own_newest = newest.as_ref().map(|own| own.checkpoint.clone());
        let told = recorded.filter(|_| is_vouched && !broken::is(Broken::NoteForgotten));
        let told = told.and_then(|told| recorded_by(told, &key));
        let missing = told
            .as_ref()
            .filter(|told| Some(told.size()) > own_newest.as_ref().map(Checkpoint::size));
        let missing = missing.map(Checkpoint::size);
        let unrecorded =
            own_newest.as_ref().filter(|own_newest| Some(own_newest.size()) > recorded_size);
        let unrecorded = unrecorded.map(|own_newest| signed(own_newest, &key));
        let newest_known = if missing.is_some() { told } else { own_newest };
        Self {
            quiet: newest_known.as_ref().map_or(0, Checkpoint::size),
            newest: newest_known,
            unrecorded,
            notes,
            note: newest.map(|own| own.note),
            beside: NotesBeside { foreign: others, missing },
            uncovered_since: None,
            failure: None,
            contradicted: None,
            outbox: None,
            key,
            interval,
        }
    }

    pub(super) fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The own checkpoint of this size beside the log.
    pub(super) fn noted_at(&self, size: u64) -> Option<Checkpoint> {
        let keys = [self.key.verifying_key().clone()];
        let own = OwnNote::open(&self.notes.read(size).ok()?, &keys)?;
        Some(own.checkpoint).filter(|noted| noted.size() == size)
    }

    /// Takes checkpoints to sinks from now on, the newest one first: one may have missed it.
    pub(super) fn connect(&mut self, outbox: Outbox) {
        if let Some(note) = self.note.take() {
            outbox.send(note);
        }
        self.outbox = Some(outbox);
    }

    fn answer(&mut self) -> Option<Answer> {
        self.outbox.as_mut()?.answer(Duration::ZERO)
    }

    fn sign(&mut self, size: u64, root: audit_core::Digest) -> Result<Checkpoint, SignError> {
        if size == 0 {
            return Err(SignError::Empty);
        }
        let checkpoint = Checkpoint::new(self.key.name(), size, root);
        let note = checkpoint.sign(&self.key)?.to_string();
        let own = OwnNote { checkpoint: checkpoint.clone(), note };
        let kept = self.notes.keep(&own, &[self.key.verifying_key().clone()]);
        kept.map_err(|error| SignError::Keep(Arc::new(error)))?;
        if let Some(outbox) = &self.outbox {
            outbox.send(own.note);
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

/// The checkpoint of this log that a sink has.
pub(super) fn parse_kept(bytes: &[u8], key: &SigningKey) -> Result<Checkpoint, CheckpointFault> {
    let note = Note::parse(bytes).map_err(|_| CheckpointFault::NotANote)?;
    let checkpoint: Checkpoint = note.text().parse().map_err(|_| CheckpointFault::NotANote)?;
    if checkpoint.origin() != key.name().as_str() {
        return Err(CheckpointFault::OtherOrigin);
    }
    Ok(checkpoint)
}

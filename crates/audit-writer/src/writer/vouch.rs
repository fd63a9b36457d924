//! An open with a key: what of the log somebody with the key made, and what an operator takes over.
//!
//! Between two openings the directory belongs to anybody who can write it. Nothing is signed here
//! that neither a seal nor a checkpoint of the key covers, unless an operator says so, for this log
//! and this end of it.

use std::time::Duration;

use audit_checkpoint::{Checkpoint, SigningKey, VerifyingKey};
use audit_core::lifecycle::{AdoptionReason, LifecycleEvent, LogId};
use audit_core::limits::SINK_ANSWER_SECS;
use audit_core::{OnDamage, Receipt, SealKey};

use super::AuditFileWriter;
use super::sign::{Signer, parse_kept};
use crate::broken::{self, Broken};
use crate::clock::Clock;
use crate::error::{OpenError, Unvouched};
use crate::notes::{Notes, Own};
use crate::outbox::{Answer, Outbox};
use crate::recovery::{
    CheckpointRecord, Damage, Known, first_seq, last_right_seal, newest_right_seal, predecessor,
    root_at, successor,
};
use crate::signing::Signing;
use crate::sinks::CheckpointSink;
use crate::store::Store;

/// What the records of a log are sealed with.
#[derive(Debug)]
pub(super) struct Sealing {
    pub(super) key: SealKey,
    pub(super) vkey: String,
    /// Seq of the record that first named the key; `None` until that is written.
    pub(super) since: Option<u64>,
}

impl Sealing {
    pub(super) fn new(key: &SigningKey, log_id: LogId) -> Self {
        let vkey = key.verifying_key().to_string();
        Self { key: key.seal_key(log_id), vkey, since: None }
    }
}

impl<S: Store, C: Clock> AuditFileWriter<S, C> {
    /// From now on seals records and signs checkpoints, which are in the folder `checkpoints` of the
    /// log's directory. It is made, mode 0700, with the first of them. Call it before the first
    /// record. Changes nothing on disk.
    ///
    /// A log that was written without this key so far, or was signed before logs were sealed, has
    /// records that nothing vouches for. Then it takes an operator's word to continue:
    /// [`Signing::adopt`].
    ///
    /// # Errors
    ///
    /// [`OpenError::Io`] when the folder cannot be used; [`OpenError::RolledBack`] when the log lacks
    /// records that its newest checkpoint covers, or has others in their place, there or in a sink;
    /// [`OpenError::Damaged`] when it lost them to a crash, or when a seal is not of this key;
    /// [`OpenError::Unvouched`] when neither a seal nor a checkpoint of this key covers the end of
    /// the log, or when an operator's word is for another end; [`OpenError::Checkpoint`] when a sink
    /// has what is no checkpoint of this log; [`OpenError::KeyChanged`] when the log says that
    /// another key took the place of this one; [`OpenError::Writing`] when a record is written
    /// already. Nothing is signed then, and the log is unchanged.
    pub fn sign(&mut self, signing: Signing) -> Result<(), OpenError> {
        if self.announced || self.signer.is_some() {
            return Err(OpenError::Writing);
        }
        let Signing { key, interval, sinks, adopt } = signing;
        self.goes_on_with(&key)?;
        let log_id = self.log.and_then(|log| log.log_id);
        let mut sealing = log_id.map(|log_id| Sealing::new(&key, log_id));
        if let Some(sealing) = &mut sealing {
            self.judge_seals(sealing)?;
        }
        let notes = Notes::find(&self.store);
        let notes = notes.map_err(OpenError::io("open the folder of the checkpoints"))?;
        let own = self.newest_own(&notes, key.verifying_key(), sealing.as_ref())?;
        let newest = own.newest.as_ref().map(|own| &own.checkpoint);
        newest.map_or(Ok(()), |newest| self.extends(newest))?;
        let unvouched =
            sealing.as_ref().map(|sealing| self.unvouched(sealing, newest)).transpose()?;
        let adopted = taken_over(unvouched.flatten(), adopt, self.chain.head())?;
        // Among records that are sealed, what the log says of a checkpoint is as good as its note.
        let is_vouched = sealing.as_ref().is_some_and(|sealing| sealing.since.is_some());
        let recorded = self.found.as_ref().and_then(|found| found.recorded.clone());
        let signer = Signer::new(key, interval, notes, own, recorded.as_deref(), is_vouched);
        self.sealing = sealing;
        self.signer = Some(signer);
        let asked = self.ask_sinks(sinks);
        if asked.is_ok() {
            self.accounts.extend(adopted.filter(|_| !broken::is(Broken::AdoptUndeclared)));
        } else {
            (self.signer, self.sealing) = (None, None);
        }
        asked
    }

    /// Shows that no other key took the place of this one. A key that the newest segment names is
    /// the last; one that the log never named is taken.
    fn goes_on_with(&self, key: &SigningKey) -> Result<(), OpenError> {
        let named = self.found.as_ref().and_then(|found| found.key_named.as_deref());
        if named == Some(key.id().to_string().as_str()) || broken::is(Broken::OldKeyTaken) {
            return Ok(());
        }
        let next = successor(&self.store, key.verifying_key())?;
        next.map_or(Ok(()), |vkey| Err(OpenError::KeyChanged { vkey }))
    }

    /// Judges the last seal of the newest segment, where that is sealed with this key.
    fn judge_seals(&mut self, sealing: &mut Sealing) -> Result<(), OpenError> {
        let Some(found) = &self.found else { return Ok(()) };
        let Some(own) = found.opened.key.as_ref().filter(|key| key.vkey == sealing.vkey) else {
            return Ok(());
        };
        sealing.since = Some(own.since);
        if found.is_sealed_with(&sealing.key) || broken::is(Broken::SealUnjudged) {
            return Ok(());
        }
        let file = self.previous.as_ref().map(|(previous, _)| previous.file.clone());
        let file = file.unwrap_or_default();
        let end = last_right_seal(&self.store, &file, &sealing.key)?;
        if end.is_none() && broken::is(Broken::OpeningContinued) {
            return Ok(());
        }
        let Some(end) = end else {
            return Err(OpenError::Damaged { file, offset: 0, damage: Damage::OpeningUnsealed });
        };
        match self.on_damage {
            OnDamage::Refuse => {
                Err(OpenError::Damaged { file, offset: end.offset, damage: Damage::SealWrong })
            }
            OnDamage::ContinueInNewSegment => {
                self.cut_back(end, file);
                Ok(())
            }
        }
    }

    /// Goes on behind an earlier record, and declares what follows it as damage.
    fn cut_back(&mut self, end: Known, file: String) {
        if let Some(found) = &mut self.found {
            found.cut_back(&end);
        }
        let Known { chain, offset, .. } = end;
        if let (Some((previous, _)), Some(head)) = (&mut self.previous, chain.head()) {
            (previous.last_seq, previous.last_hash) = (head.seq, head.hash);
        }
        self.durable = chain.head();
        self.chain = chain;
        let code = Damage::SealWrong.code().to_owned();
        self.accounts = vec![LifecycleEvent::DamageFound { file, offset, code }];
        if broken::is(Broken::CutUndeclared) {
            self.accounts.clear();
        }
    }

    /// The newest checkpoint beside the log that this key, or the one whose place it took, has
    /// signed.
    fn newest_own(
        &self,
        notes: &Notes<S>,
        key: &VerifyingKey,
        sealing: Option<&Sealing>,
    ) -> Result<Own, OpenError> {
        let look = |key: VerifyingKey| {
            notes.newest_own(&[key]).map_err(OpenError::io("look for the newest checkpoint"))
        };
        let own = look(key.clone())?;
        let since = sealing.and_then(|sealing| sealing.since);
        if own.newest.is_some() {
            return Ok(own);
        }
        let before = since.map(|since| predecessor(&self.store, key, since)).transpose()?;
        before.flatten().map_or(Ok(own), look)
    }

    /// The records at the end of the log that neither a seal nor a checkpoint of the key covers.
    fn unvouched(
        &self,
        sealing: &Sealing,
        newest: Option<&Checkpoint>,
    ) -> Result<Option<Unvouched>, OpenError> {
        let (Some(found), Some(head)) = (&self.found, self.chain.head()) else { return Ok(None) };
        let covered = newest.map_or(0, Checkpoint::size);
        if sealing.since.is_some() || covered == self.size() || broken::is(Broken::AdoptUnasked) {
            return Ok(None);
        }
        let mut first = covered;
        let why = if found.opened.key.is_some() {
            AdoptionReason::OtherKey
        } else if found.opened.sealed_from.is_some() {
            let sealed = newest_right_seal(&self.store, &sealing.key, &sealing.vkey)?;
            first = first.max(sealed.map_or(0, |(records, _)| records));
            AdoptionReason::UnsignedOpening
        } else if found.is_signed() || newest.is_some() {
            AdoptionReason::BeforeSeals
        } else {
            AdoptionReason::NoKeyBefore
        };
        let begins = first_seq(&self.store)?;
        Ok(Some(Unvouched { first_seq: first.max(begins), last_seq: head.seq, begins, head, why }))
    }

    /// Shows that the log extends a checkpoint.
    pub(super) fn extends(&self, known: &Checkpoint) -> Result<(), OpenError> {
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

    /// Asks the sinks which checkpoint each has, and waits a moment for the answers. Those that come
    /// later are looked at before anything is signed.
    fn ask_sinks(&mut self, sinks: Vec<Box<dyn CheckpointSink>>) -> Result<(), OpenError> {
        if sinks.is_empty() {
            return Ok(());
        }
        let outbox = Outbox::start(sinks);
        let mut outbox = outbox.map_err(OpenError::io("start the thread of the sinks"))?;
        let patience = Duration::from_secs(SINK_ANSWER_SECS);
        while outbox.awaits() {
            let Some(answer) = outbox.answer(patience) else { break };
            self.extends_kept(&answer)?;
        }
        if let Some(signer) = &mut self.signer {
            signer.connect(outbox);
        }
        Ok(())
    }

    /// Shows that the log extends what a sink has.
    pub(super) fn extends_kept(&self, answer: &Answer) -> Result<(), OpenError> {
        let (Some(kept), Some(signer)) = (&answer.kept, &self.signer) else { return Ok(()) };
        let known = parse_kept(kept, signer.key());
        let file = || answer.sink.clone();
        self.extends(&known.map_err(|fault| OpenError::Checkpoint { file: file(), fault })?)
    }
}

/// The record that takes records over, where an operator's word is for this end; `None` where there
/// is nothing to take over.
fn taken_over(
    unvouched: Option<Unvouched>,
    word: Option<Receipt>,
    head: Option<Receipt>,
) -> Result<Option<LifecycleEvent>, OpenError> {
    if word.is_some() && word != head && !broken::is(Broken::AdoptAnyEnd) {
        return Err(OpenError::NotThisEnd { head });
    }
    let Some(unvouched) = unvouched else { return Ok(None) };
    if word.is_none() {
        return Err(OpenError::Unvouched(Box::new(unvouched)));
    }
    let Unvouched { first_seq, last_seq, begins, why, .. } = unvouched;
    Ok(Some(LifecycleEvent::RecordsAdopted { first_seq, last_seq, begins, why }))
}

/// The checkpoint that a record of the log tells of, as far as this key made it.
pub(super) fn recorded_by(record: &CheckpointRecord, key: &SigningKey) -> Option<Checkpoint> {
    let text = format!("{}\n{}\n{}\n", key.name(), record.size, record.root);
    text.parse().ok().filter(|_| record.key_id == key.id().to_string())
}

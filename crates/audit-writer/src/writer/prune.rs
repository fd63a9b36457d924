//! Retention: the one place that deletes a segment, and only after the log has said so.
//!
//! Declare, sign, then act: `segments_pruned` is durable, and in a log that signs a checkpoint that
//! covers it is durable here and in every sink, before the first file goes. Segments go one by one,
//! oldest first, each deletion durable before the next: whatever a crash interrupts, what is left
//! begins with one that the log names, and has no gap. The next prune finishes it; an open never does.

use std::time::Duration;

use audit_checkpoint::Checkpoint;
use audit_core::lifecycle::{LifecycleEvent, NewestPrune, PrunedEnd, PrunedFile};
use audit_core::limits::{PRUNED_FILES_MAX, SINK_DEADLINE_SECS};
use audit_core::{Frontier, RecordTime, RetentionPolicy, ServiceId};
use chrono::TimeDelta;

use super::{AuditFileWriter, Claim};
use crate::broken::{self, Broken};
use crate::clock::Clock;
use crate::error::OpenError;
use crate::recovery::{
    ClockTrust, Found, Old, Opening, Prunable, PruneError, PrunePlan, agrees_with_rest, first_seq,
    has_sealed_opening, is_allowed, is_as_declared, is_of_signed_log, newest_prune, prunable,
    pruned_files, segments,
};
use crate::segment::SegmentName;
use crate::signing::SignError;
use crate::store::Store;

impl<S: Store, C: Clock> AuditFileWriter<S, C> {
    /// Deletes the oldest segments whose records a policy lets go. Each is read to its end first,
    /// and has to be whole; the newest always stays. First finishes what a crash left of the prune
    /// before. Of a log that signs only segments go that a checkpoint covers, and never without its
    /// key. Returns what was deleted.
    ///
    /// # Errors
    ///
    /// [`PruneError`]; each variant says what was done.
    pub fn prune(
        &mut self,
        retention: RetentionPolicy,
        trust: ClockTrust,
    ) -> Result<PrunePlan, PruneError> {
        self.usable()?;
        self.has_key_if(|| Ok(self.signs_log))?;
        self.know_newest_prune()?;
        let Some(service_id) = self.service_id() else { return Ok(PrunePlan::default()) };
        is_allowed(retention)?;
        let left = match self.left_of_prune() {
            Err(PruneError::Gap { .. }) if broken::is(Broken::PruneOverGap) => Vec::new(),
            left => left?,
        };
        if !left.is_empty() {
            self.has_key_if(|| is_of_signed_log(&self.store))?;
        }
        self.delete_all(&left)?;
        let now = self.clock.now();
        let counts = |segment, next: Option<&Opening>| self.counts_opening(segment, next);
        let Prunable { mut old, capped } = prunable(&self.store, retention, trust, now, counts)?;
        if self.signs() && !broken::is(Broken::PruneUnnoted) {
            // What no checkpoint covers would leave nothing behind that it can be held against.
            let covered = self.last_checkpoint().map_or(0, Checkpoint::size);
            old.truncate(old.iter().take_while(|old| old.last.seq < covered).count());
        }
        if !old.is_empty() {
            self.has_key_if(|| is_of_signed_log(&self.store))?;
        }
        let days = retention.delete_after_days;
        let before = now.checked_sub_signed(TimeDelta::days(i64::from(days)));
        let before = before.map(RecordTime::new);
        for some in old.chunks(PRUNED_FILES_MAX) {
            self.declare_pruned(service_id, some, days, before)?;
            let files: Vec<_> = some.iter().map(|old| old.file.clone()).collect();
            self.delete_all(&files)?;
        }
        Ok(PrunePlan {
            last: old.last().map(|old| old.last),
            files: left.into_iter().chain(old.into_iter().map(|old| old.file)).collect(),
            capped,
        })
    }

    /// Refuses where the log signs and the key is not there. What its newest segment says of that,
    /// somebody without the key may have written, so before anything is deleted all are asked.
    fn has_key_if(
        &self,
        signs: impl FnOnce() -> Result<bool, OpenError>,
    ) -> Result<(), PruneError> {
        if self.signs() || broken::is(Broken::PruneUnsigned) || !signs()? {
            return Ok(());
        }
        Err(PruneError::KeyMissing)
    }

    /// Whether the time of an opening is to be believed. In a log that signs, somebody with the key
    /// has to have made that record: its segment is sealed, or leads to a checkpoint.
    fn counts_opening(
        &self,
        segment: SegmentName,
        next: Option<&Opening>,
    ) -> Result<bool, OpenError> {
        let Some(signer) = self.signer.as_ref().filter(|_| !broken::is(Broken::OpeningBelieved))
        else {
            return Ok(true);
        };
        if let Some(sealing) = &self.sealing
            && has_sealed_opening(&self.store, segment, &sealing.key)?
        {
            return Ok(true);
        }
        let Some(next) = next else { return Ok(false) };
        let Some(noted) = signer.noted_at(next.first_seq) else { return Ok(false) };
        let is_whole = Old::read(&self.store, segment, next)?.is_some();
        let frontier = Frontier::from_roots(next.first_seq, next.frontier());
        Ok(is_whole && frontier.is_some_and(|frontier| frontier.root() == *noted.root()))
    }

    /// Finds the newest prune where the newest segment cannot tell of it: writers of before segments
    /// repeated it made that one. In a log that signs, only one counts that a checkpoint covers.
    pub(super) fn know_newest_prune(&mut self) -> Result<(), OpenError> {
        let is_older = |found: &Found| found.opened.unsynced_max_bytes.is_none();
        if self.pruned.is_none()
            && self.found.as_ref().is_some_and(is_older)
            && first_seq(&self.store)? > 0
        {
            let covered = self.last_checkpoint().map_or(0, Checkpoint::size);
            let below = if self.signs() { covered } else { self.size() };
            let below = self.adopting_from().map_or(below, |from| from.min(below));
            self.pruned = newest_prune(&self.store, below)?;
        }
        Ok(())
    }

    /// Seq of the first record that an operator has taken over, which the log does not say yet.
    fn adopting_from(&self) -> Option<u64> {
        self.accounts.iter().find_map(|account| {
            let LifecycleEvent::RecordsAdopted { first_seq, .. } = account else { return None };
            Some(*first_seq)
        })
    }

    /// The files of the newest prune that a crash left. Each has to be as it was declared, and no
    /// other may stand among them: that is evidence of what happened to it.
    fn left_of_prune(&self) -> Result<Vec<PrunedFile>, PruneError> {
        let segments = segments(&self.store)?;
        let begins = segments.first().map_or(0, |first| first.first_seq);
        let Some(pruned) = self.pruned else {
            return if begins == 0 { Ok(Vec::new()) } else { Err(PruneError::Gap { begins }) };
        };
        if !agrees_with_rest(&self.store, pruned)? && !broken::is(Broken::PruneFalse) {
            return Err(PruneError::Gap { begins });
        }
        if begins > pruned.last_seq {
            let follows = pruned.last_seq.checked_add(1) == Some(begins);
            return if follows { Ok(Vec::new()) } else { Err(PruneError::Gap { begins }) };
        }
        let first = format!("{begins:020}.");
        let mut left = pruned_files(&self.store, pruned.seq)?;
        let Some(gone) = left.iter().position(|file| file.name.starts_with(&first)) else {
            return Err(PruneError::Gap { begins });
        };
        left.drain(..gone);
        let is_listed = |name: &String| left.iter().any(|file| file.name == *name);
        let there = segments.iter().take_while(|segment| segment.first_seq <= pruned.last_seq);
        let other = there.map(ToString::to_string).find(|name| !is_listed(name));
        let other = other.filter(|_| !broken::is(Broken::PruneAmong));
        let changed = || left.iter().find(|file| !is_as_declared(&self.store, file));
        match other.or_else(|| changed().map(|file| file.name.clone())) {
            Some(file) => Err(PruneError::Damaged { file }),
            None => Ok(left),
        }
    }

    fn declare_pruned(
        &mut self,
        service_id: ServiceId,
        some: &[Old],
        days: u32,
        before: Option<RecordTime>,
    ) -> Result<(), PruneError> {
        let Some(Old { last, frontier, .. }) = some.last() else { return Ok(()) };
        let after = self
            .pruned
            .map(|NewestPrune { last_seq, last_hash, .. }| PrunedEnd { last_seq, last_hash });
        let event = LifecycleEvent::SegmentsPruned {
            first_seq: 0,
            last_seq: last.seq,
            last_hash: last.hash,
            merkle_frontier: frontier.clone(),
            files: some.iter().map(|old| old.file.clone()).collect(),
            reason: format!("older than {days} days"),
            after,
            before,
        };
        self.finish_line()?;
        // Where the disk is full, deleting is what helps.
        self.append_lifecycle(service_id, Claim::Critical, &event)?;
        broken::unless(Broken::PruneUnsynced, || self.sync())?;
        let seq = self.size().saturating_sub(1);
        self.pruned = Some(NewestPrune { seq, last_seq: last.seq, last_hash: last.hash });
        Ok(())
    }

    fn delete_all(&mut self, files: &[PrunedFile]) -> Result<(), PruneError> {
        if files.is_empty() {
            return Ok(());
        }
        broken::unless(Broken::PruneUncovered, || self.attest_prune())?;
        files.iter().try_for_each(|file| self.delete(file))
    }

    /// In a log that signs, sees to it that a checkpoint covers the newest prune, here and in every
    /// sink.
    fn attest_prune(&mut self) -> Result<(), PruneError> {
        if !self.signs() {
            return Ok(());
        }
        let covers =
            |newest: Option<&Checkpoint>, seq| newest.is_some_and(|newest| newest.size() > seq);
        let seq = self.pruned.map_or(0, |pruned| pruned.seq);
        if !covers(self.last_checkpoint(), seq) {
            self.checkpoint().map_err(PruneError::NotCovered)?;
        }
        self.last_note().map_err(PruneError::NotCovered)?;
        let delivered = self.finish_sinks(Duration::from_secs(SINK_DEADLINE_SECS));
        // What a sink answers late may say that the log is an older copy, whose files are not its own.
        self.sinks_agree().map_err(PruneError::NotCovered)?;
        match self.sink_failure() {
            Some(failure) => Err(PruneError::NotKept(failure)),
            None if delivered => Ok(()),
            None => Err(PruneError::NotCovered(SignError::SinkSilent)),
        }
    }

    fn delete(&mut self, file: &PrunedFile) -> Result<(), PruneError> {
        let deleted = self.store.remove(&file.name);
        deleted.map_err(|source| PruneError::Delete { file: file.name.clone(), source })?;
        let synced = self.store.sync_dir();
        Ok(synced.map_err(|error| self.poison("sync the directory", error))?)
    }
}

//! What the writer's own events say, beside the records before them.

use super::adoption::Adoptable;
use super::chain::Link;
use super::prune::Declared;
use super::stated::Standing;
use super::{Checker, State, opening};
use crate::broken::{self, Broken};
use crate::finding::{Code, Finding, Notice, NoticeCode, Place, excerpt};
use crate::parse::lifecycle::{
    AdoptionReason, CheckpointSigned, KeyChanged, Lifecycle, LogCopied, LogOpened, RecordsAdopted,
    SegmentMissing, SegmentOpened,
};
use crate::parse::record::Record;
use crate::trust::Recorded;

impl Checker {
    /// Checks what an event says that is in its place.
    pub(super) fn check_lifecycle(
        &mut self,
        lifecycle: &Lifecycle,
        record: &Record<'_>,
        link: Link,
        place: Place<'_>,
    ) {
        let seq = record.seq;
        match lifecycle {
            Lifecycle::SegmentOpened(opened) => {
                self.check_segment_opened(opened, record, link, place);
            }
            Lifecycle::SegmentsPruned(pruned) => {
                let damaged = self.state.damaged;
                // Whoever seals accounts for every record: without that it is no writer's.
                let needs_checkpoint = pruned.is_exact() || self.state.stated.seals();
                let declared = Declared { seq, damaged, needs_checkpoint };
                let found = self.state.pruning.declared(pruned, declared);
                self.find_at(found, place, seq);
            }
            Lifecycle::LogOpened(opened) => self.check_log_opened(opened, seq, place),
            Lifecycle::EventsLost(lost) => {
                let (count, critical) = (lost.count, lost.critical_count);
                self.state.stats.events_lost = self.state.stats.events_lost.saturating_add(count);
                let message = format!(
                    "{count} events ({critical} critical) are not in the log: {}",
                    lost.reason.0
                );
                self.ledger.note(Notice::new(NoticeCode::EventsLost, message).at(place, seq));
            }
            Lifecycle::SegmentMissing(missing) => {
                let found = broken::unless(Broken::MissingExcused, Some(segment_missing(missing)));
                self.find_at(found, place, seq);
            }
            Lifecycle::DamageFound(damage) => {
                let found = format!("{} in {} at {}", damage.code, damage.file, damage.offset);
                let finding = Finding::new(Code::DamageFound, Code::DamageFound.meaning());
                let found = broken::unless(Broken::DamageExcused, Some(finding.found(found)));
                self.find_at(found, place, seq);
            }
            Lifecycle::CheckpointSigned(signed) => self.take_checkpoint(signed, record, place),
            Lifecycle::KeyChanged(changed) => self.take_key_changed(changed, seq, place),
            Lifecycle::RecordsAdopted(adopted) => self.take_adopted(*adopted, seq, place),
            Lifecycle::LogCopied(copied) => self.take_copied(copied, seq, place),
            Lifecycle::ClockStepped(stepped) => {
                let message =
                    format!("the clock jumped from {} to {}", stepped.from.0, stepped.to.0);
                self.ledger.note(Notice::new(NoticeCode::ClockStepped, message).at(place, seq));
            }
            Lifecycle::LogRecovered(_)
            | Lifecycle::FormatChanged(_)
            | Lifecycle::LogClosed
            | Lifecycle::DiskFull
            | Lifecycle::Malformed => {}
        }
    }

    fn find_at(&mut self, finding: Option<Finding>, place: Place<'_>, seq: u64) {
        if let Some(finding) = finding {
            self.ledger.find(finding.at(place).seq(seq));
        }
    }

    fn check_segment_opened(
        &mut self,
        opened: &SegmentOpened,
        record: &Record<'_>,
        link: Link,
        place: Place<'_>,
    ) {
        opened.key.iter().for_each(|key| self.state.trust.keys.name(&key.vkey));
        let seq = record.seq;
        let mut found = Vec::new();
        match self.state.log_id {
            None => self.state.log_id = Some(opened.log_id),
            Some(log_id) if log_id == opened.log_id => {}
            Some(log_id) => found.push(
                Finding::new(Code::LogIdChanged, Code::LogIdChanged.meaning())
                    .expected(log_id.0)
                    .found(opened.log_id.0),
            ),
        }
        let roots = opened.frontier();
        found.extend(opening::check_frontier(self.chain(), seq, &roots));
        self.compare_parts(seq, &roots);
        found.extend(self.state.opening.check_previous(opened, record, link));
        if let Some(name) = self.state.opening.name() {
            self.state.pruning.segment_starts(name, seq, record.prev_hash, roots);
        }
        found.extend(self.check_stated(opened, seq, link));
        for found in found {
            self.ledger.find(found.at(place).seq(seq));
        }
    }

    /// Compares what a segment says of seals, keys and prunes with what is before it.
    fn check_stated(&mut self, opened: &SegmentOpened, seq: u64, link: Link) -> Vec<Finding> {
        let State { stated, pruning, opening, damaged, .. } = &mut self.state;
        let begins = pruning.begins().unwrap_or(seq);
        let damaged = *damaged || !link.is_whole();
        let mut found = stated.segment_opened(opened, Standing { seq, begins, damaged });
        let is_by_another = stated.is_by_another_writer();
        opening.segment_opened(opened, seq, is_by_another && !damaged);
        let is_complete = opened.unsynced_max_bytes.is_some() && !is_by_another;
        found.extend(pruning.check_newest(opened.pruned, seq, damaged, is_complete));
        if opened.pruned.is_none() {
            pruning.owe_no_more();
        }
        found
    }

    /// Compares the given checkpoints of records that are not here with what a frontier tells of them: the
    /// roots of its first parts are roots of smaller trees.
    fn compare_parts(&mut self, size: u64, roots: &[audit_core::Digest]) {
        let is_first = self.state.pruning.begins().is_none() && self.chain().gap().is_none();
        let claims = &mut self.state.trust.claims;
        for frontier in opening::parts(size, roots).iter().filter(|_| is_first) {
            claims.compare_given(frontier, &mut self.ledger);
        }
    }

    fn check_log_opened(&mut self, opened: &LogOpened, seq: u64, place: Place<'_>) {
        opened.vkey.iter().for_each(|vkey| self.state.trust.keys.name(vkey));
        if let Some(notice) = self.state.opening.writer_opened(opened) {
            self.ledger.note(notice.at(place, seq));
        }
        let found = self.state.stated.check_log_opened(opened);
        self.find_at(found, place, seq);
        if opened.is_unsigned() && !broken::is(Broken::UnsignedUntold) {
            let who = excerpt(&opened.writer);
            let message = format!("{who} opened the log without its key, by an operator's word");
            self.ledger.note(Notice::new(NoticeCode::UnsignedOpening, message).at(place, seq));
        }
    }

    fn take_checkpoint(
        &mut self,
        signed: &CheckpointSigned,
        record: &Record<'_>,
        place: Place<'_>,
    ) {
        let found = self.check_signed(signed, record.seq);
        self.find_at(found, place, record.seq);
        // The record that ends the opening is still one of it.
        let in_opening =
            self.state.seals.is_sealed() && (self.state.seals.is_opening() || record.is_sealed);
        self.state.adoptions.checkpoint_signed(signed.size, in_opening);
        if self.state.seals.is_sealed() {
            self.state.recorded_sealed.clone_from(&self.state.trust.recorded);
        }
    }

    fn take_key_changed(&mut self, changed: &KeyChanged, seq: u64, place: Place<'_>) {
        self.check_key_changed(changed, seq, place);
        let found = self.state.stated.key_changed(changed, seq);
        self.find_at(found, place, seq);
    }

    /// Takes records that an operator adopted: what they attest no longer counts.
    fn take_adopted(&mut self, adopted: RecordsAdopted, seq: u64, place: Place<'_>) {
        let State { adoptions, opening, pruning, seals, stated, trust, recorded_sealed, .. } =
            &mut self.state;
        let there = Adoptable {
            opening_seq: opening.first_seq(),
            begins: pruning.begins(),
            last_sealed: seals.sealed_before(),
            stated,
        };
        let found = adoptions.declare(adopted, seq, place, &there);
        if found.is_none() {
            pruning.adopt_from(adopted.first_seq);
            match adopted.why {
                _ if broken::is(Broken::AdoptedRecorded) => {}
                // What another key sealed is as good as what nobody did.
                AdoptionReason::OtherKey => trust.recorded = Recorded::default(),
                AdoptionReason::UnsignedOpening
                | AdoptionReason::BeforeSeals
                | AdoptionReason::NoKeyBefore => trust.recorded.clone_from(recorded_sealed),
            }
            let RecordsAdopted { first_seq, last_seq, why, .. } = adopted;
            let message = format!(
                "an operator adopted the records from seq {first_seq} to {last_seq}, which nothing \
                 of the log's key covers: {why}"
            );
            self.ledger.note(Notice::new(NoticeCode::RecordsAdopted, message).at(place, seq));
        }
        self.find_at(found, place, seq);
    }

    fn take_copied(&mut self, copied: &LogCopied, seq: u64, place: Place<'_>) {
        let found = self.state.stated.check_log_copied(copied);
        self.find_at(found, place, seq);
        if broken::is(Broken::CopyUntold) {
            return;
        }
        let message = "the log goes on at another place than its newest segment was made at";
        self.ledger.note(Notice::new(NoticeCode::LogCopied, message).at(place, seq));
    }
}

fn segment_missing(missing: &SegmentMissing) -> Finding {
    let (first, last) = (missing.first_seq, missing.last_seq);
    let reason = missing.reason.0;
    let said = missing.text.as_ref().map_or_else(String::new, |text| format!(": {text}"));
    Finding::new(Code::SegmentMissing, Code::SegmentMissing.meaning())
        .expected(format_args!("{}, seq {first} to {last}", missing.file()))
        .found(format_args!("{reason}{said}"))
}

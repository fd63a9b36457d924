//! The check of one line after the other: a step that reads nothing but the line.
//!
//! A line is assessed first, which changes nothing, and then applied. Between the two, the reader
//! of a segment can tell that the prefix of whole, linked records ends here, and keep what is known
//! up to it.

mod adoption;
mod assess;
mod chain;
mod foreign;
mod opening;
mod own;
mod prune;
mod run;
mod seals;
mod signed;
mod state;
mod stated;
mod tree;

use audit_core::event::is_critical_type;
use audit_core::{Digest, Receipt};

use crate::broken::{self, Broken};
use crate::finding::{Code, Finding, Ledger, Place, excerpt_bytes, file};
use crate::parse::json::Scratch;
use crate::parse::lifecycle::Lifecycle;
use crate::parse::record::{Hashed, Record, RecordFault};
use crate::scan::SegmentName;
use crate::source::LogSource;
use crate::trust::{Coverage, End, Shown, Trust};
use crate::verdict::{AdoptedRecords, Requirement};
pub(crate) use assess::Assessed;
use chain::{Chain, Link};
pub(crate) use opening::is_tail;
pub(crate) use seals::{Follows, Unsealed};
pub(crate) use state::State;

/// Checks a log line by line.
#[derive(Debug)]
pub(crate) struct Checker {
    pub(crate) state: State,
    pub(crate) ledger: Ledger,
    scratch: Scratch,
}

impl Checker {
    pub(crate) fn new(trust: Trust, ledger: Ledger) -> Self {
        let state = State::new(trust);
        Self { state, ledger, scratch: Scratch::default() }
    }

    /// A checker that looks ahead from where this one is. What it finds is not kept, and it compares
    /// with nothing from outside of the chain.
    pub(crate) fn ahead(&mut self) -> Self {
        let trust = std::mem::replace(&mut self.state.trust, Trust::none());
        let state = self.state.clone();
        self.state.trust = trust;
        Self { state, ledger: Ledger::default(), scratch: Scratch::default() }
    }

    /// Goes on with a segment.
    pub(crate) fn begin_segment(&mut self, name: SegmentName) {
        self.state.cut = false;
        self.state.seals.begin_segment();
        let announced = self.state.opening.begin_segment(name);
        self.state.foreign = self.state.foreign.or(announced);
    }

    /// Says that the tail of the segment was compared with the `log_recovered` that comes next.
    pub(crate) fn tail_was_compared(&mut self) {
        self.state.opening.tail_was_compared();
    }

    /// Ends a segment that was read to its end, or to where its tail begins.
    pub(crate) fn end_segment(&mut self, name: &str, follows: Follows) {
        let next_seq = self.chain().next_seq();
        if let Some(finding) = self.state.opening.end_segment(next_seq) {
            self.ledger.find(finding.in_file(name));
        }
        if let Some(finding) = self.state.seals.end_segment(follows, name) {
            self.ledger.find(finding);
        }
        if let Some(finding) = self.state.stated.opening_is_over() {
            self.ledger.find(finding.in_file(name));
        }
    }

    /// Goes on behind bytes that cannot be read, with a segment that begins with this seq.
    pub(crate) fn lose(&mut self, next_seq: u64) {
        self.state.chain.get_or_insert_with(|| Chain::starting_at(next_seq)).lose(next_seq);
        self.state.opening.lose();
        self.state.seals.begin_segment();
        self.state.stated.lose();
        self.state.pruning.lose();
        self.state.damaged = true;
    }

    /// Takes a segment that holds nothing.
    pub(crate) fn take_empty(&mut self, name: SegmentName) {
        self.ledger.find(file::empty(name));
        let chain = broken::unless(Broken::EmptyCovered, self.state.chain.as_mut());
        chain.into_iter().for_each(Chain::break_off);
    }

    /// Takes a line as what it was assessed to be.
    pub(crate) fn apply(&mut self, assessed: Assessed<'_>, place: Place<'_>) {
        self.state.cut = match &assessed {
            Assessed::Damaged { code, .. } => *code == Code::LineNotARecord,
            Assessed::Rest { hashed } => hashed.is_none_or(|hashed| !hashed.is_whole),
            Assessed::Record { .. } | Assessed::Malformed { .. } | Assessed::Foreign { .. } => {
                false
            }
        };
        match assessed {
            Assessed::Record { record, hash, link } => {
                self.apply_record(&record, hash, link, place);
            }
            Assessed::Malformed { fault, hashed } => self.apply_malformed(fault, &hashed, place),
            Assessed::Foreign { foreign, hash, link } => {
                self.apply_foreign(&foreign, hash, link, place);
            }
            Assessed::Damaged { code, hashed, found } => {
                let due = self.chain().next_seq();
                let mut finding = Finding::new(code, code.meaning()).at(place).seq(due);
                if let (Code::HashMismatch, Some(hashed)) = (code, &hashed) {
                    finding = finding.expected(hashed.computed);
                }
                self.ledger.find(finding.found(found));
                self.skip(hashed.as_ref());
            }
            Assessed::Rest { hashed } => {
                let due = self.chain().next_seq();
                self.skip(hashed.as_ref());
                self.chain().expect(due);
            }
        }
    }

    /// The chain, which begins where the first segment's name says when no record has said it yet.
    fn chain(&mut self) -> &mut Chain {
        let first_seq = self.state.opening.name().map_or(0, |name| name.first_seq);
        self.state.chain.get_or_insert_with(|| Chain::starting_at(first_seq))
    }

    fn skip(&mut self, hashed: Option<&Hashed<'_>>) {
        self.chain().skip(hashed);
        if self.state.opening.is_first() {
            self.state.stated.lose();
        }
        self.state.opening.damaged();
        self.state.seals.damaged();
        self.state.damaged = true;
    }

    fn apply_malformed(&mut self, fault: RecordFault, hashed: &Hashed<'_>, place: Place<'_>) {
        let RecordFault { code, at, what } = fault;
        let rest = excerpt_bytes(hashed.body.get(at..).unwrap_or_default());
        let due = self.chain().next_seq();
        self.ledger.find(
            Finding::new(code, format!("{} At byte {at} of the line: {what}.", code.meaning()))
                .at(place)
                .seq(due)
                .found(rest),
        );
        self.state.stats.records = self.state.stats.records.saturating_add(1);
        self.skip(Some(hashed));
    }

    fn apply_record(&mut self, record: &Record<'_>, hash: Digest, link: Link, place: Place<'_>) {
        let seq = record.seq;
        if self.state.chain.is_none() {
            self.state.chain = Some(Chain::starting_at(seq));
        }
        if let Some(finding) = self.link_finding(seq, record.prev_hash, link) {
            self.ledger.find(finding.at(place).seq(seq));
        }
        self.chain().settle(seq, &record.prev_hash, link);
        self.state.trust.heads.compare(seq, hash, place, &mut self.ledger);
        self.check_name(record, place);
        self.check_service(record, place);
        let lifecycle = self.lifecycle(record, place);
        let is_in_place = self.step(record, lifecycle.as_ref(), link, place);
        match &lifecycle {
            // What it says of the segment before would be said of this one.
            Some(Lifecycle::SegmentOpened(_)) if !is_in_place => {}
            Some(lifecycle) => self.check_lifecycle(lifecycle, record, link, place),
            None => self.count_event(record),
        }
        self.state.trust.claims.pass(seq, record.timestamp);
        self.push(seq, hash);
        let stats = &mut self.state.stats;
        if stats.first_timestamp.is_none() {
            stats.first_timestamp = Some(record.timestamp.to_owned());
        }
        let last = stats.last_timestamp.get_or_insert_default();
        last.clear();
        last.push_str(record.timestamp);
    }

    /// Goes on after a record.
    fn push(&mut self, seq: u64, hash: Digest) {
        self.compare_checkpoints();
        self.chain().push(seq, hash);
        self.compare_checkpoints();
        let stats = &mut self.state.stats;
        stats.records = stats.records.saturating_add(1);
        stats.first_seq.get_or_insert(seq);
        stats.head = Some(Receipt { seq, hash });
    }

    /// Compares the checkpoints of the size that the tree has now.
    fn compare_checkpoints(&mut self) {
        let State { chain, trust, foreign, .. } = &mut self.state;
        let Some(chain) = chain else { return };
        if foreign.is_some() && broken::is(Broken::ForeignUncompared) {
            return;
        }
        if let Some(frontier) = chain.frontier() {
            trust.claims.compare(frontier, chain.gap().is_none(), &mut self.ledger);
        }
    }

    /// Tells what is wrong with a record's place and with its seal; whether its place is right.
    fn step(
        &mut self,
        record: &Record<'_>,
        lifecycle: Option<&Lifecycle>,
        link: Link,
        place: Place<'_>,
    ) -> bool {
        let is_closed = self.state.opening.is_closed();
        let misplaced = self.state.opening.step(lifecycle, record.seq, link);
        let is_in_place = misplaced.is_none();
        if let Some(misplaced) = misplaced {
            self.ledger.find(misplaced.at(place).seq(record.seq));
        }
        if let Some(Lifecycle::SegmentOpened(opened)) = lifecycle.filter(|_| is_in_place) {
            self.state.seals.segment_opened(opened);
        }
        let was_opening = self.state.seals.is_opening();
        if let Some(finding) = self.state.seals.step(record, lifecycle, place, is_closed)
            && (is_in_place || finding.code != Code::OpeningMisplaced)
        {
            self.ledger.find(finding);
        }
        let is_over = was_opening && !self.state.seals.is_opening();
        let changes_key = matches!(lifecycle, Some(Lifecycle::KeyChanged(_)));
        if let Some(finding) =
            (is_over && !changes_key).then(|| self.state.stated.opening_is_over()).flatten()
        {
            self.ledger.find(finding.at(place).seq(record.seq));
        }
        is_in_place
    }

    fn link_finding(&mut self, seq: u64, prev_hash: Digest, link: Link) -> Option<Finding> {
        let chain = self.chain();
        let due = chain.next_seq();
        let code = match link {
            Link::Good | Link::Resumed => return None,
            Link::Missing => Code::RecordsMissing,
            Link::OutOfOrder => Code::RecordOutOfOrder,
            Link::Broken => Code::LinkBroken,
            Link::WrongSeq => Code::SeqMismatch,
        };
        let finding = Finding::new(code, code.meaning());
        Some(match (link, chain.prev_hash()) {
            (Link::Broken, Some(due_hash)) => finding.expected(due_hash).found(prev_hash),
            _ => finding.expected(format_args!("seq {due}")).found(format_args!("seq {seq}")),
        })
    }

    /// A segment's name tells the seq and the date of its first record.
    fn check_name(&mut self, record: &Record<'_>, place: Place<'_>) {
        let Some(name) = self.state.opening.name().filter(|_| self.state.opening.is_first()) else {
            return;
        };
        let Some(right) = SegmentName::of_record(record.seq, record.timestamp) else { return };
        self.state.opening.ought_to_be(right);
        if name != right {
            self.ledger.find(
                Finding::new(Code::SegmentNameMismatch, Code::SegmentNameMismatch.meaning())
                    .at(place)
                    .seq(record.seq)
                    .expected(right)
                    .found(name),
            );
        }
    }

    fn check_service(&mut self, record: &Record<'_>, place: Place<'_>) {
        match &self.state.service_id {
            None => self.state.service_id = Some(record.service_id.to_owned()),
            Some(service_id) if service_id == record.service_id => {}
            Some(service_id) => self.ledger.find(
                Finding::new(Code::ServiceChanged, Code::ServiceChanged.meaning())
                    .at(place)
                    .seq(record.seq)
                    .expected(service_id)
                    .found(record.service_id),
            ),
        }
    }

    /// The writer's own event in a record, if it is one.
    fn lifecycle(&mut self, record: &Record<'_>, place: Place<'_>) -> Option<Lifecycle> {
        Lifecycle::parse(&record.event_type, record.event).unwrap_or_else(|fault| {
            self.ledger.find(
                Finding::new(Code::LifecycleMalformed, Code::LifecycleMalformed.meaning())
                    .at(place)
                    .seq(record.seq)
                    .found(fault),
            );
            Some(Lifecycle::Malformed)
        })
    }

    fn count_event(&mut self, record: &Record<'_>) {
        let stats = &mut self.state.stats;
        stats.events = stats.events.saturating_add(1);
        if is_critical_type(&record.event_type, || record.states_critical) {
            stats.critical = stats.critical.saturating_add(1);
        }
    }

    /// Says what can be said only at the end of the log.
    pub(crate) fn finish(&mut self) {
        let State { pruning, adoptions, damaged, .. } = &self.state;
        let is_acknowledged = self.ledger.finding_counts.contains_key(&Code::SegmentMissing);
        let is_excused = is_acknowledged && broken::is(Broken::GapAcknowledged);
        pruning.finish(*damaged, |begins| is_excused || adoptions.excuse(begins), &mut self.ledger);
    }

    /// Says how far the log is covered by what is trusted, and what else that shows.
    pub(crate) fn conclude(&mut self, source: &impl LogSource) -> Coverage {
        let State { stats, stated, adoptions, pruning, chain, trust, .. } = &self.state;
        let last_seq = stats.last_seq();
        let gap = chain.as_ref().and_then(Chain::gap);
        let unlinked = chain.as_ref().and_then(Chain::unlinked);
        let end = End {
            last_seq,
            records: self.state.end(),
            gone: pruning.gone(),
            gap,
            unlinked,
            first_seq: stats.first_seq,
            first_timestamp: stats.first_timestamp.as_deref(),
            shown: Shown {
                service_id: self.state.service_id.as_deref(),
                log_id: self.state.log_id.map(|log_id| log_id.0),
            },
        };
        adoptions.conclude(stated, &trust.claims, source, &mut self.ledger);
        let coverage = trust.conclude(source, end, &mut self.ledger);
        // A log that never signed has nothing that a key could attest.
        let has_signed = stated.seals() || coverage.by_key().is_some();
        let asks_for_key = !trust.keys.is_empty() && has_signed;
        let finding = asks_for_key.then(|| pruning.check_attested(coverage.by_key())).flatten();
        if let Some(finding) = broken::unless(Broken::PruneUnattested, finding) {
            self.ledger.find(finding);
        }
        coverage
    }

    /// Says of a log that is covered as is required that it holds records which were adopted.
    pub(crate) fn require_none_adopted(
        &mut self,
        require: Requirement,
        adopted: AdoptedRecords,
        coverage: &Coverage,
    ) {
        let is_asked = require != Requirement::Consistent
            && adopted == AdoptedRecords::Refuse
            && !broken::is(Broken::AdoptedAsSigned)
            && require.is_met(coverage.level(self.state.stats.last_seq()));
        if let (true, (ranges @ 1.., records)) = (is_asked, self.state.adopted()) {
            let code = Code::RequirementNotMet;
            let finding = Finding::new(code, code.meaning()).expected(require);
            self.ledger.find(finding.found(adopted_in_words(ranges, records)));
        }
    }
}

/// How much of a log was adopted.
pub(crate) fn adopted_in_words(ranges: u64, records: u64) -> String {
    format!("{records} records, in {ranges} ranges, that an operator adopted")
}

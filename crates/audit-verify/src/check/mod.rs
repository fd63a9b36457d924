//! The check of one line after the other: a step that reads nothing but the line.
//!
//! A line is assessed first, which changes nothing, and then applied. Between the two, the reader
//! of a segment can tell that the prefix of whole, linked records ends here, and keep what is known
//! up to it.

mod chain;
mod opening;
mod prune;
mod run;
mod signed;
mod tree;

use audit_core::event::is_critical_type;
use audit_core::limits::FORMAT_VERSION;
use audit_core::{Digest, Receipt};

use crate::finding::{Code, Finding, Ledger, Notice, NoticeCode, Place, excerpt_bytes};
use crate::parse::json::Scratch;
use crate::parse::lifecycle::{Lifecycle, LogId, SegmentOpened};
use crate::parse::record::{RECORD_START, Record, RecordFault, Sealed};
use crate::scan::SegmentName;
use crate::scan::lines::{Line, Text};
use crate::source::LogSource;
use crate::trust::{Coverage, End, Shown, Trust};
use chain::{Chain, Link};
use opening::Opening;
use prune::Pruning;

/// What is counted on the way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stats {
    /// Lines with a right hash.
    pub(crate) records: u64,
    /// Those of them that a caller reported.
    pub(crate) events: u64,
    /// Those of them that are critical.
    pub(crate) critical: u64,
    /// Events that the log says are not in it.
    pub(crate) events_lost: u64,
    pub(crate) first_seq: Option<u64>,
    pub(crate) first_timestamp: Option<String>,
    pub(crate) last_timestamp: Option<String>,
    pub(crate) head: Option<Receipt>,
}

/// All that is known after a line.
#[derive(Clone, Debug)]
pub(crate) struct State {
    chain: Option<Chain>,
    opening: Opening,
    pruning: Pruning,
    /// The version that the log went on in, once that is none this verifier knows.
    foreign: Option<u64>,
    foreign_told: bool,
    /// Whether anything was damaged so far, so that what is absent may be what was damaged.
    damaged: bool,
    /// Whether the line before did not end like a record, so that the next one may be its rest.
    cut: bool,
    pub(crate) service_id: Option<String>,
    pub(crate) log_id: Option<LogId>,
    pub(crate) trust: Trust,
    pub(crate) stats: Stats,
}

/// Checks a log line by line.
#[derive(Debug)]
pub(crate) struct Checker {
    pub(crate) state: State,
    pub(crate) ledger: Ledger,
    scratch: Scratch,
}

/// What a line is.
#[derive(Debug)]
pub(crate) enum Assessed<'l> {
    /// A record with a right hash.
    Record {
        record: Record<'l>,
        hash: Digest,
        link: Link,
    },
    /// A line with a right hash that is no record of this format.
    Malformed {
        fault: RecordFault,
        sealed: Sealed<'l>,
    },
    /// A record of a version that this verifier does not know.
    Foreign,
    /// What a crash may have left among such records, for all that this verifier knows of them.
    ForeignTail,
    Damaged {
        code: Code,
        sealed: Option<Sealed<'l>>,
        found: String,
    },
    /// The rest of a damaged line, behind a line feed that was not there.
    Rest {
        sealed: Option<Sealed<'l>>,
    },
}

impl Assessed<'_> {
    /// Whether the prefix of whole, linked records goes on with it.
    pub(crate) fn is_linked(&self) -> bool {
        match self {
            Self::Record { link, .. } => link.is_whole(),
            Self::Foreign | Self::ForeignTail => true,
            Self::Malformed { .. } | Self::Damaged { .. } | Self::Rest { .. } => false,
        }
    }
}

impl State {
    /// Whether so many bytes behind the newest whole record can be what a crash left, or why not.
    pub(crate) fn may_be_torn(&self, bytes: u64) -> Result<(), &'static str> {
        let next_seq = self.chain.as_ref().map_or(0, Chain::next_seq);
        self.opening.may_be_torn(bytes, next_seq)
    }

    /// How many records there are, damaged ones included, where that is known.
    fn end(&self) -> Option<u64> {
        match &self.chain {
            _ if self.foreign.is_some() => None,
            None => Some(0),
            Some(chain) => chain.end(),
        }
    }

    /// Up to which record the log was deleted, as it says itself.
    pub(crate) fn pruned_up_to(&self) -> Option<u64> {
        self.pruning.attested()
    }

    pub(crate) fn root(&self) -> Option<Digest> {
        self.chain.as_ref().and_then(Chain::root)
    }
}

impl Checker {
    pub(crate) fn new(trust: Trust, ledger: Ledger) -> Self {
        let state = State {
            chain: None,
            opening: Opening::default(),
            pruning: Pruning::default(),
            foreign: None,
            foreign_told: false,
            damaged: false,
            cut: false,
            service_id: None,
            log_id: None,
            trust,
            stats: Stats::default(),
        };
        Self { state, ledger, scratch: Scratch::default() }
    }

    /// Goes on with a segment.
    pub(crate) fn begin_segment(&mut self, name: SegmentName) {
        self.state.cut = false;
        let announced = self.state.opening.begin_segment(name);
        self.state.foreign = self.state.foreign.or(announced);
    }

    /// Says that the tail of the segment was compared with the `log_recovered` that comes next.
    pub(crate) fn tail_was_compared(&mut self) {
        self.state.opening.tail_was_compared();
    }

    /// Ends a segment that was read to its end.
    pub(crate) fn end_segment(&mut self, name: &str) {
        let next_seq = self.chain().next_seq();
        if let Some(finding) = self.state.opening.end_segment(next_seq) {
            self.ledger.find(finding.in_file(name));
        }
    }

    /// Goes on behind bytes that cannot be read, with a segment that begins with this seq.
    pub(crate) fn lose(&mut self, next_seq: u64) {
        self.state.chain.get_or_insert_with(|| Chain::starting_at(next_seq)).lose(next_seq);
        self.state.opening.lose();
        self.state.damaged = true;
    }

    /// Looks at a line. Changes nothing.
    pub(crate) fn assess<'l>(&mut self, line: &Line<'l>) -> Assessed<'l> {
        let is_foreign = self.state.foreign.is_some();
        if is_foreign && line.number > 1 && (!line.ended || line.holds_nul()) {
            return Assessed::ForeignTail;
        }
        let text = match line.text {
            Text::TooLong(long) => {
                let found = format!("{} bytes", long.bytes);
                return Assessed::Damaged { code: Code::LineTooLong, sealed: None, found };
            }
            Text::Whole(text) => text,
        };
        let sealed = Sealed::split(text);
        match sealed {
            Some(sealed) if sealed.is_right() && line.ended => self.assess_body(sealed),
            _ if self.state.cut && !text.starts_with(RECORD_START) => Assessed::Rest { sealed },
            _ => damaged(text, line.ended, sealed),
        }
    }

    fn assess_body<'l>(&mut self, sealed: Sealed<'l>) -> Assessed<'l> {
        if self.state.foreign.is_some() && sealed.body.starts_with(RECORD_START) {
            return self.assess_foreign(sealed);
        }
        match Record::parse(sealed.body, &mut self.scratch) {
            Err(fault) => Assessed::Malformed { fault, sealed },
            Ok(record) => {
                let link = match &self.state.chain {
                    Some(chain) => chain.link(record.seq, &record.prev_hash),
                    None => Chain::starting_at(record.seq).link(record.seq, &record.prev_hash),
                };
                Assessed::Record { record, hash: sealed.computed, link }
            }
        }
    }

    /// Of a version that is not known, this is: it is the one that was announced.
    fn assess_foreign<'l>(&self, sealed: Sealed<'l>) -> Assessed<'l> {
        let announced = self.state.opening.announced();
        let version = announced.map_or(String::new(), |version| format!("{version},"));
        let (code, at) = (Code::VersionChanged, RECORD_START.len());
        let rest = sealed.body.get(at..).unwrap_or_default();
        if rest.starts_with(version.as_bytes()) {
            return Assessed::Foreign;
        }
        let what = "the version is not the one that was announced";
        Assessed::Malformed { fault: RecordFault { code, at, what }, sealed }
    }

    /// Takes a line as what it was assessed to be.
    pub(crate) fn apply(&mut self, assessed: Assessed<'_>, place: Place<'_>) {
        self.state.cut = match &assessed {
            Assessed::Damaged { code, .. } => *code == Code::LineNotARecord,
            Assessed::Rest { sealed } => sealed.is_none_or(|sealed| !sealed.is_whole),
            Assessed::Record { .. }
            | Assessed::Malformed { .. }
            | Assessed::Foreign
            | Assessed::ForeignTail => false,
        };
        match assessed {
            Assessed::Record { record, hash, link } => {
                self.apply_record(&record, hash, link, place);
            }
            Assessed::Malformed { fault, sealed } => self.apply_malformed(fault, &sealed, place),
            Assessed::Foreign => self.apply_foreign(place),
            Assessed::ForeignTail => {}
            Assessed::Damaged { code, sealed, found } => {
                let due = self.chain().next_seq();
                let mut finding = Finding::new(code, code.meaning()).at(place).seq(due);
                if let (Code::HashMismatch, Some(sealed)) = (code, &sealed) {
                    finding = finding.expected(sealed.computed);
                }
                self.ledger.find(finding.found(found));
                self.skip(sealed.as_ref());
            }
            Assessed::Rest { sealed } => {
                let due = self.chain().next_seq();
                self.skip(sealed.as_ref());
                self.chain().expect(due);
            }
        }
    }

    /// The chain, which begins where the first segment's name says when no record has said it yet.
    fn chain(&mut self) -> &mut Chain {
        let first_seq = self.state.opening.name().map_or(0, |name| name.first_seq);
        self.state.chain.get_or_insert_with(|| Chain::starting_at(first_seq))
    }

    fn skip(&mut self, sealed: Option<&Sealed<'_>>) {
        self.chain().skip(sealed);
        self.state.opening.damaged();
        self.state.damaged = true;
    }

    fn apply_malformed(&mut self, fault: RecordFault, sealed: &Sealed<'_>, place: Place<'_>) {
        let RecordFault { code, at, what } = fault;
        let rest = excerpt_bytes(sealed.body.get(at..).unwrap_or_default());
        let due = self.chain().next_seq();
        self.ledger.find(
            Finding::new(code, format!("{} At byte {at} of the line: {what}.", code.meaning()))
                .at(place)
                .seq(due)
                .found(rest),
        );
        self.state.stats.records = self.state.stats.records.saturating_add(1);
        self.skip(Some(sealed));
    }

    fn apply_foreign(&mut self, place: Place<'_>) {
        self.state.stats.records = self.state.stats.records.saturating_add(1);
        // Once is enough: what follows is all alike.
        if let Some(to) = self.state.foreign.filter(|_| !self.state.foreign_told) {
            self.state.foreign_told = true;
            self.ledger.find(
                Finding::new(Code::VersionUnknown, Code::VersionUnknown.meaning())
                    .at(place)
                    .expected(format_args!("version {FORMAT_VERSION}"))
                    .found(format_args!("version {to}")),
            );
        }
    }

    fn apply_record(&mut self, record: &Record<'_>, hash: Digest, link: Link, place: Place<'_>) {
        let seq = record.seq;
        if self.state.chain.is_none() {
            self.state.chain = Some(Chain::starting_at(seq));
        }
        if let Some(finding) = self.link_finding(record, link) {
            self.ledger.find(finding.at(place).seq(seq));
        }
        self.chain().settle(seq, &record.prev_hash, link);
        self.state.trust.heads.compare(seq, hash, place, &mut self.ledger);
        self.check_name(record, place);
        self.check_service(record, place);
        let lifecycle = self.lifecycle(record, place);
        let misplaced = self.state.opening.step(lifecycle.as_ref(), seq, link);
        let is_in_place = misplaced.is_none();
        if let Some(misplaced) = misplaced {
            self.ledger.find(misplaced.at(place).seq(seq));
        }
        match &lifecycle {
            // What it says of the segment before would be said of this one.
            Some(Lifecycle::SegmentOpened(_)) if !is_in_place => {}
            Some(lifecycle) => self.check_lifecycle(lifecycle, record, link, place),
            None => self.count_event(record),
        }
        self.compare_checkpoints();
        self.state.trust.claims.pass(seq, record.timestamp);
        self.chain().push(seq, hash);
        self.compare_checkpoints();
        let stats = &mut self.state.stats;
        stats.records = stats.records.saturating_add(1);
        stats.first_seq.get_or_insert(seq);
        stats.head = Some(Receipt { seq, hash });
        if stats.first_timestamp.is_none() {
            stats.first_timestamp = Some(record.timestamp.to_owned());
        }
        let last = stats.last_timestamp.get_or_insert_default();
        last.clear();
        last.push_str(record.timestamp);
    }

    /// Compares the checkpoints of the size that the tree has now.
    fn compare_checkpoints(&mut self) {
        let State { chain, trust, .. } = &mut self.state;
        if let Some(frontier) = chain.as_ref().and_then(Chain::frontier) {
            trust.claims.compare(frontier, &mut self.ledger);
        }
    }

    fn link_finding(&mut self, record: &Record<'_>, link: Link) -> Option<Finding> {
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
            (Link::Broken, Some(prev_hash)) => finding.expected(prev_hash).found(record.prev_hash),
            _ => finding
                .expected(format_args!("seq {due}"))
                .found(format_args!("seq {}", record.seq)),
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
            Some(Lifecycle::Other)
        })
    }

    fn count_event(&mut self, record: &Record<'_>) {
        let stats = &mut self.state.stats;
        stats.events = stats.events.saturating_add(1);
        if is_critical_type(&record.event_type, || record.states_critical) {
            stats.critical = stats.critical.saturating_add(1);
        }
    }

    fn check_lifecycle(
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
                if let Some(finding) = self.state.pruning.declared(pruned, seq, damaged) {
                    self.ledger.find(finding.at(place).seq(seq));
                }
            }
            Lifecycle::LogOpened(opened) => {
                opened.vkey.iter().for_each(|vkey| self.state.trust.keys.name(vkey));
                if let Some(notice) = self.state.opening.writer_opened(opened) {
                    self.ledger.note(notice.at(place, seq));
                }
            }
            Lifecycle::EventsLost(lost) => {
                let (count, critical) = (lost.count, lost.critical_count);
                self.state.stats.events_lost = self.state.stats.events_lost.saturating_add(count);
                let message = format!(
                    "{count} events ({critical} critical) are not in the log: {}",
                    lost.reason.0
                );
                self.ledger.note(Notice::new(NoticeCode::EventsLost, message).at(place, seq));
            }
            Lifecycle::SegmentMissing(missing) => self.ledger.find(
                Finding::new(Code::SegmentMissing, Code::SegmentMissing.meaning())
                    .at(place)
                    .seq(seq)
                    .expected(format_args!(
                        "{}, seq {} to {}",
                        missing.file(),
                        missing.first_seq,
                        missing.last_seq
                    ))
                    .found(missing.reason.0),
            ),
            Lifecycle::DamageFound(damage) => self.ledger.find(
                Finding::new(Code::DamageFound, Code::DamageFound.meaning())
                    .at(place)
                    .seq(seq)
                    .found(format_args!("{} in {} at {}", damage.code, damage.file, damage.offset)),
            ),
            Lifecycle::CheckpointSigned(signed) => {
                if let Some(finding) = self.check_signed(signed, seq) {
                    self.ledger.find(finding.at(place).seq(seq));
                }
            }
            Lifecycle::KeyChanged(changed) => self.check_key_changed(changed, seq, place),
            Lifecycle::LogRecovered(_)
            | Lifecycle::FormatChanged(_)
            | Lifecycle::LogClosed
            | Lifecycle::Other => {}
        }
    }

    fn check_segment_opened(
        &mut self,
        opened: &SegmentOpened,
        record: &Record<'_>,
        link: Link,
        place: Place<'_>,
    ) {
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
        found.extend(self.state.opening.check_previous(opened, record, link));
        if let Some(name) = self.state.opening.name() {
            self.state.pruning.segment_starts(name, seq, record.prev_hash, roots);
        }
        for found in found {
            self.ledger.find(found.at(place).seq(seq));
        }
    }

    /// Says what can be said only at the end of the log.
    pub(crate) fn finish(&mut self) {
        self.state.pruning.finish(self.state.damaged, &mut self.ledger);
    }

    /// Says how far the log is covered by what is trusted, and what else that shows.
    pub(crate) fn conclude(&mut self, source: &impl LogSource) -> Coverage {
        let stats = &self.state.stats;
        let end = End {
            last_seq: stats.head.map(|head| head.seq),
            records: self.state.end(),
            first_seq: stats.first_seq,
            first_timestamp: stats.first_timestamp.as_deref(),
            shown: Shown {
                service_id: self.state.service_id.as_deref(),
                log_id: self.state.log_id.map(|log_id| log_id.0),
            },
        };
        self.state.trust.conclude(source, end, &mut self.ledger)
    }
}

/// A line whose hash is not right, or that has no end.
fn damaged<'l>(text: &'l [u8], ended: bool, sealed: Option<Sealed<'l>>) -> Assessed<'l> {
    let code = match sealed {
        _ if !ended => Code::LineUnterminated,
        Some(sealed) if sealed.is_whole && sealed.stated.is_some() => Code::HashMismatch,
        Some(_) | None => Code::LineNotARecord,
    };
    let found = match sealed.and_then(|sealed| sealed.stated) {
        Some(stated) if code == Code::HashMismatch => stated.to_string(),
        _ => excerpt_bytes(text),
    };
    Assessed::Damaged { code, sealed, found }
}

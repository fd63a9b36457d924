//! Where the records of a log that signs carry seals, judged by form and place alone.
//!
//! Each write ends with a sealed record. Without the key nobody can tell where a write ended, but
//! the opening records are one, and each of the writer's own records is last in its own, but for
//! `events_lost`. A segment that names no key has no seals.

use audit_core::Digest;

use crate::broken::{self, Broken};
use crate::finding::{Code, Finding, Place};
use crate::parse::lifecycle::{Lifecycle, SegmentOpened};
use crate::parse::record::Record;
use crate::piece::Run;
use crate::scan::lines::Span;

/// What is known of the seals of a log.
#[derive(Clone, Debug, Default)]
pub(super) struct Seals {
    segment: Segment,
    /// The newest record with a seal, and that of the segments before.
    last_sealed: Option<u64>,
    sealed_before: Option<u64>,
}

/// The segment that is being read.
#[derive(Clone, Debug, Default)]
enum Segment {
    /// Its first record has not been read, or is damaged.
    #[default]
    Unknown,
    Unsealed,
    Sealed(Course),
}

/// How far a sealed segment was read.
#[derive(Clone, Debug, Default)]
struct Course {
    /// The newest opening record's place among them, until they end with a seal.
    opening: Option<u8>,
    /// Where the newest record is.
    last: Option<At>,
    /// Whether the newest line is damaged, so that it may be what is missed.
    unsure: bool,
    /// Whether a record with a seal has been read, and nothing damaged since.
    has_seal: bool,
    unsealed: Option<Unsealed>,
}

#[derive(Clone, Copy, Debug)]
struct At {
    seq: u64,
    line: u64,
    offset: u64,
}

/// Whole, linked records behind the last one with a seal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unsealed {
    /// Where they begin in their file.
    pub(crate) start: u64,
    pub(crate) lines_before: u64,
    /// The hash of the sealed record before them.
    pub(crate) follows: Digest,
    /// Whether that record is `log_closed`.
    pub(crate) is_closed: bool,
}

/// Where an event is among the opening records; `None` for one that is none of them.
fn place_in_opening(lifecycle: Option<&Lifecycle>) -> Option<u8> {
    match lifecycle? {
        Lifecycle::SegmentOpened(_) => Some(0),
        Lifecycle::LogRecovered(_) => Some(1),
        Lifecycle::LogOpened(_) => Some(2),
        Lifecycle::RecordsAdopted(_) => Some(3),
        Lifecycle::LogCopied(_) => Some(4),
        Lifecycle::DamageFound(_) => Some(5),
        Lifecycle::SegmentMissing(_) => Some(6),
        Lifecycle::CheckpointSigned(_) => Some(7),
        Lifecycle::KeyChanged(_) => Some(8),
        Lifecycle::EventsLost(_)
        | Lifecycle::SegmentsPruned(_)
        | Lifecycle::ClockStepped(_)
        | Lifecycle::FormatChanged(_)
        | Lifecycle::LogClosed
        | Lifecycle::DiskFull
        | Lifecycle::Malformed => None,
    }
}

/// Which of them may be there several times.
const REPEATED: std::ops::RangeInclusive<u8> = 5..=7;

impl Seals {
    pub(super) fn begin_segment(&mut self) {
        self.segment = Segment::Unknown;
        self.sealed_before = self.last_sealed;
    }

    /// Notes whether a segment is sealed, as its first record says.
    pub(super) fn segment_opened(&mut self, opened: &SegmentOpened) {
        self.segment = match opened.key {
            None => Segment::Unsealed,
            Some(_) => Segment::Sealed(Course { opening: Some(0), ..Course::default() }),
        };
    }

    /// Whether the segment is known to be sealed.
    pub(super) fn is_sealed(&self) -> bool {
        matches!(self.segment, Segment::Sealed(_))
    }

    /// Whether its opening records are still to end with a seal.
    pub(super) fn is_opening(&self) -> bool {
        match &self.segment {
            Segment::Sealed(course) => course.opening.is_some(),
            Segment::Unknown | Segment::Unsealed => false,
        }
    }

    /// The newest record with a seal before this segment.
    pub(super) fn sealed_before(&self) -> Option<u64> {
        self.sealed_before
    }

    /// The records behind the last one with a seal, in a segment that is sealed.
    pub(super) fn unsealed(&self) -> Option<Unsealed> {
        match &self.segment {
            Segment::Sealed(course) => course.unsealed,
            Segment::Unknown | Segment::Unsealed => None,
        }
    }

    /// Takes a record, which may follow `log_closed`, and tells what is wrong with its seal.
    pub(super) fn step(
        &mut self,
        record: &Record<'_>,
        lifecycle: Option<&Lifecycle>,
        place: Place<'_>,
        is_closed: bool,
    ) -> Option<Finding> {
        let at = At { seq: record.seq, line: place.line, offset: place.offset };
        let found = match &mut self.segment {
            Segment::Unknown => None,
            Segment::Unsealed if broken::is(Broken::SealWithoutKey) => None,
            Segment::Unsealed => record.is_sealed.then_some((Code::SealMisplaced, at)),
            Segment::Sealed(course) => course.step(record, lifecycle, at, is_closed),
        };
        if record.is_sealed && self.is_sealed() {
            self.last_sealed = Some(record.seq);
        }
        found.map(|(code, at)| at.finding(code, place.file))
    }

    /// Notes a damaged line.
    pub(super) fn damaged(&mut self) {
        if let Segment::Sealed(course) = &mut self.segment {
            *course = Course { unsure: true, ..Course::default() };
        }
    }

    /// Whether a run of events can be taken without looking at each.
    pub(super) fn may_take(&self, run: &Run) -> bool {
        match &self.segment {
            Segment::Unknown => true,
            Segment::Unsealed => run.sealed.is_none(),
            Segment::Sealed(course) => course.opening.is_none(),
        }
    }

    /// Takes such a run, which begins with this span.
    pub(super) fn take_run(&mut self, run: &Run, span: Span) {
        let Segment::Sealed(course) = &mut self.segment else { return };
        let before = Unsealed {
            start: span.start,
            lines_before: span.lines_before,
            follows: run.prev_hash,
            is_closed: false,
        };
        course.unsealed = match &run.sealed {
            None => course.unsealed.or(course.has_seal.then_some(before)),
            Some(sealed) => (sealed.seq < run.last_seq).then(|| Unsealed {
                start: span.start.saturating_add(sealed.bytes),
                lines_before: span.lines_before.saturating_add(sealed.records),
                follows: sealed.hash,
                is_closed: false,
            }),
        };
        course.has_seal |= run.sealed.is_some();
        course.unsure = false;
        course.last = Some(At {
            seq: run.last_seq,
            line: span.lines_before.saturating_add(run.records()),
            offset: span.start.saturating_add(run.last_line_at),
        });
        self.last_sealed = run.sealed.as_ref().map(|sealed| sealed.seq).or(self.last_sealed);
    }

    /// Says at the end of a segment which seal it lacks. Another segment follows, unless the log may
    /// still be written.
    pub(super) fn end_segment(&self, follows: Follows, file: &str) -> Option<Finding> {
        let Segment::Sealed(course) = &self.segment else { return None };
        let last = course.last.filter(|_| !course.unsure)?;
        let owes = match follows {
            Follows::Nothing => false,
            Follows::Segment => course.unsealed.is_some() && !broken::is(Broken::LastUnsealed),
        };
        (owes || course.opening.is_some()).then(|| last.finding(Code::SealMissing, file))
    }
}

/// What comes after a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Follows {
    /// Nothing yet.
    Nothing,
    Segment,
}

impl Course {
    fn step(
        &mut self,
        record: &Record<'_>,
        lifecycle: Option<&Lifecycle>,
        at: At,
        is_closed: bool,
    ) -> Option<(Code, At)> {
        let is_behind_a_seal = self.has_seal && self.opening.is_none();
        let found = match self.opening {
            Some(newest) => self.step_in_opening(newest, lifecycle),
            None => misses_its_own(record, lifecycle).map(|code| (code, at)),
        };
        if record.is_sealed {
            (self.opening, self.unsealed, self.has_seal) = (None, None, true);
        } else if is_behind_a_seal {
            let (start, lines_before) = (at.offset, at.line.saturating_sub(1));
            let follows = record.prev_hash;
            let first = Unsealed { start, lines_before, follows, is_closed };
            self.unsealed = self.unsealed.or(Some(first));
        }
        self.last = Some(at);
        self.unsure = false;
        found
    }

    /// A record that is none of the opening, or not where it belongs there, shows that the one before
    /// it was the last of them.
    fn step_in_opening(&mut self, newest: u8, lifecycle: Option<&Lifecycle>) -> Option<(Code, At)> {
        if matches!(lifecycle, Some(Lifecycle::Malformed)) {
            return None;
        }
        let goes_on = place_in_opening(lifecycle)
            .filter(|&place| place > newest || place == newest && REPEATED.contains(&place))
            .or_else(|| place_in_opening(lifecycle).filter(|_| broken::is(Broken::OpeningOrder)));
        let last = self.last?;
        self.opening = goes_on;
        let is_over = goes_on.is_none() && !broken::is(Broken::OpeningUnsealed);
        is_over.then_some((Code::SealMissing, last))
    }
}

/// What is wrong with a record behind the opening ones, if that can be told of it alone.
fn misses_its_own(record: &Record<'_>, lifecycle: Option<&Lifecycle>) -> Option<Code> {
    match lifecycle? {
        Lifecycle::RecordsAdopted(_) | Lifecycle::LogCopied(_) => Some(Code::OpeningMisplaced),
        Lifecycle::EventsLost(_) | Lifecycle::Malformed => None,
        _ if broken::is(Broken::OwnUnsealed) => None,
        Lifecycle::SegmentOpened(_)
        | Lifecycle::LogRecovered(_)
        | Lifecycle::LogOpened(_)
        | Lifecycle::SegmentMissing(_)
        | Lifecycle::SegmentsPruned(_)
        | Lifecycle::DamageFound(_)
        | Lifecycle::ClockStepped(_)
        | Lifecycle::CheckpointSigned(_)
        | Lifecycle::KeyChanged(_)
        | Lifecycle::FormatChanged(_)
        | Lifecycle::LogClosed
        | Lifecycle::DiskFull => (!record.is_sealed).then_some(Code::SealMissing),
    }
}

impl At {
    fn finding(self, code: Code, file: &str) -> Finding {
        let place = Place { file, line: self.line, offset: self.offset };
        Finding::new(code, code.meaning()).at(place).seq(self.seq)
    }
}

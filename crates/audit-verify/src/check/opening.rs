//! Which of the writer's own events may stand where, and what the first records of a segment say.

use audit_core::Frontier;
use audit_core::limits::TAIL_BYTES_MAX;

use super::chain::{Chain, Link};
use crate::broken::{self, Broken};
use crate::finding::{Code, Finding, Notice, NoticeCode, excerpt};
use crate::parse::lifecycle::{Lifecycle, LogOpened, LogRecovered, SegmentOpened};
use crate::parse::record::Record;
use crate::scan::SegmentName;

/// Where in a segment the next record stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// First.
    #[default]
    First,
    /// After `segment_opened`.
    Opened,
    /// After `log_recovered`.
    Recovered,
    /// After `log_opened`.
    Announced,
    /// After `records_adopted`.
    Adopted,
    /// Among the first records, after a damaged one: which they are cannot be told.
    Unsure,
    /// After the opening records.
    Running,
    /// After `log_closed`.
    Closed,
    /// After `format_changed`, to this version.
    FormatChanged(u64),
}

/// The segment that is being read, and how the one before it ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Opening {
    name: Option<SegmentName>,
    /// The name that the segment ought to have.
    right_name: Option<SegmentName>,
    stage: Stage,
    /// Whether the newest line is damaged.
    unsure: bool,
    /// Whether the segment's tail was compared with the `log_recovered` in the next one.
    tail_compared: bool,
    /// The segment before, where there is one and it could be read.
    previous: Option<Previous>,
    limit: Limit,
    /// Seq of the segment's `segment_opened`.
    first_seq: Option<u64>,
    /// Whether its key shows that another writer opened the log.
    is_by_another: bool,
}

/// Most bytes that the newest writer said it leaves unsynced.
#[derive(Clone, Copy, Debug, Default)]
enum Limit {
    #[default]
    Unknown,
    /// In a `log_opened`, or in an earlier segment.
    OfWriter(u64),
    /// In this segment's `segment_opened`, which rules.
    OfSegment(u64),
}

/// Whether so many bytes can be a tail, whatever a writer stated.
pub(crate) fn is_tail(bytes: u64) -> bool {
    bytes <= TAIL_BYTES_MAX || broken::is(Broken::TailEndless)
}

impl Limit {
    /// What counts of it in the next segment.
    fn carried_on(self) -> Self {
        match self {
            Self::Unknown => Self::Unknown,
            Self::OfWriter(bytes) | Self::OfSegment(bytes) => Self::OfWriter(bytes),
        }
    }

    fn allows(self, bytes: u64) -> bool {
        match self {
            Self::Unknown => is_tail(bytes),
            Self::OfWriter(bytes_max) | Self::OfSegment(bytes_max) => {
                bytes <= bytes_max && is_tail(bytes)
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Previous {
    /// The name that it ought to have.
    name: SegmentName,
    ended: Stage,
    /// Whether its last line is damaged.
    unsure: bool,
    tail_compared: bool,
}

impl Opening {
    pub(super) fn name(&self) -> Option<SegmentName> {
        self.name
    }

    /// Whether the next record is the first of its segment.
    pub(super) fn is_first(&self) -> bool {
        self.stage == Stage::First
    }

    /// Whether the opening records are behind it, the newest line is whole, and any event may follow.
    pub(super) fn is_running(&self) -> bool {
        self.stage == Stage::Running && !self.unsure
    }

    /// Goes on with a segment; the version that the one before announced.
    pub(super) fn begin_segment(&mut self, name: SegmentName) -> Option<u64> {
        let ended = std::mem::take(&mut self.stage);
        self.previous = self.name.map(|name| Previous {
            name: self.right_name.unwrap_or(name),
            ended,
            unsure: self.unsure,
            tail_compared: self.tail_compared,
        });
        self.name = Some(name);
        self.right_name = None;
        self.unsure = false;
        self.tail_compared = false;
        (self.first_seq, self.is_by_another) = (None, false);
        self.limit = self.limit.carried_on();
        self.announced()
    }

    /// Notes what a segment says of its writer, whom its key may show to be another one.
    pub(super) fn segment_opened(&mut self, opened: &SegmentOpened, seq: u64, is_by_another: bool) {
        self.first_seq = Some(seq);
        self.is_by_another = is_by_another && self.previous.is_some_and(|it| !it.unsure);
        let of_segment = broken::unless(Broken::SegmentLimitIgnored, opened.unsynced_max_bytes);
        self.limit = of_segment.map_or(self.limit, Limit::OfSegment);
    }

    /// Seq of the segment's `segment_opened`.
    pub(super) fn first_seq(&self) -> Option<u64> {
        self.first_seq
    }

    /// Whether the newest record is the last one of its segment: `log_closed`, or `format_changed`.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self.stage, Stage::Closed | Stage::FormatChanged(_))
    }

    /// Notes a record of a version that is not known: whatever it is, the opening is over.
    pub(super) fn foreign(&mut self) {
        self.stage = Stage::Running;
        self.unsure = false;
        self.limit = Limit::Unknown;
    }

    /// The version of this segment, where the one before ended by announcing it.
    pub(super) fn announced(&self) -> Option<u64> {
        match self.previous?.ended {
            Stage::FormatChanged(to) => Some(to),
            Stage::First
            | Stage::Opened
            | Stage::Recovered
            | Stage::Announced
            | Stage::Adopted
            | Stage::Unsure
            | Stage::Running
            | Stage::Closed => None,
        }
    }

    /// Notes the name that the segment ought to have, as its first record says.
    pub(super) fn ought_to_be(&mut self, name: SegmentName) {
        self.right_name = Some(name);
    }

    pub(super) fn tail_was_compared(&mut self) {
        self.tail_compared = true;
    }

    /// Notes that bytes of the segment cannot be read.
    pub(super) fn lose(&mut self) {
        *self = Self::default();
    }

    /// Notes a damaged line.
    pub(super) fn damaged(&mut self) {
        self.unsure = true;
        if matches!(self.stage, Stage::First | Stage::Opened | Stage::Recovered) {
            self.stage = Stage::Unsure;
            // It may have been the log_opened that says it.
            if matches!(self.limit, Limit::OfWriter(_)) {
                self.limit = Limit::Unknown;
            }
        }
    }

    /// Takes a record, and tells what is wrong with its place.
    pub(super) fn step(
        &mut self,
        lifecycle: Option<&Lifecycle>,
        seq: u64,
        link: Link,
    ) -> Option<Finding> {
        use Lifecycle::{
            FormatChanged, LogClosed, LogCopied, LogOpened, LogRecovered, RecordsAdopted,
            SegmentOpened,
        };
        use Stage::{Adopted, Announced, Closed, First, Opened, Recovered, Running, Unsure};
        let before = self.stage;
        let misplaced = match (before, lifecycle) {
            (Closed, _) => Some(Code::RecordAfterClose),
            (Stage::FormatChanged(_), _) => Some(Code::FormatChangeMisplaced),
            (First | Unsure, Some(SegmentOpened(_)))
            | (Opened | Unsure, Some(LogRecovered(_)))
            | (Opened | Recovered | Unsure, Some(LogOpened(_)))
            | (Announced | Unsure, Some(RecordsAdopted(_)))
            | (Announced | Adopted | Unsure, Some(LogCopied(_))) => None,
            (First, _) => Some(Code::SegmentOpenedMissing),
            (_, Some(SegmentOpened(_))) => Some(Code::SegmentOpenedMisplaced),
            (_, Some(LogRecovered(_))) => Some(Code::LogRecoveredMisplaced),
            (_, Some(LogOpened(_))) => Some(Code::LogOpenedMisplaced),
            (_, Some(RecordsAdopted(_) | LogCopied(_))) => {
                broken::unless(Broken::OpeningLate, Some(Code::OpeningMisplaced))
            }
            (Opened | Recovered, _) if self.owes_log_opened(seq) => Some(Code::LogOpenedMissing),
            _ => None,
        };
        self.unsure = false;
        self.stage = match (before, lifecycle) {
            (First, Some(SegmentOpened(_))) => Opened,
            (Opened | Recovered, Some(LogRecovered(_))) => Recovered,
            (Unsure, Some(SegmentOpened(_) | LogRecovered(_))) => Unsure,
            (Opened | Recovered | Unsure, Some(LogOpened(_))) => Announced,
            (Announced | Unsure, Some(RecordsAdopted(_))) => Adopted,
            (_, Some(LogClosed)) => Closed,
            (_, Some(FormatChanged(changed))) => Stage::FormatChanged(changed.to),
            _ => Running,
        };
        match (misplaced, lifecycle) {
            (Some(code), _) => Some(Finding::new(code, code.meaning())),
            (None, Some(LogRecovered(recovered))) => self.check_recovered(recovered, link),
            (None, _) => None,
        }
    }

    /// Whether a writer must have opened the log here, so that its `log_opened` is due.
    fn owes_log_opened(&self, next_seq: u64) -> bool {
        let closed = self.previous.is_some_and(|previous| previous.ended == Stage::Closed);
        next_seq <= 1 || closed || self.is_by_another || self.stage == Stage::Recovered
    }

    /// Says at the end of a segment, before this seq, whether it lacks opening records.
    pub(super) fn end_segment(&self, next_seq: u64) -> Option<Finding> {
        let owes = match self.stage {
            Stage::Opened | Stage::Recovered => self.owes_log_opened(next_seq),
            Stage::First
            | Stage::Announced
            | Stage::Adopted
            | Stage::Unsure
            | Stage::Running
            | Stage::Closed
            | Stage::FormatChanged(_) => false,
        };
        let code = Code::LogOpenedMissing;
        owes.then(|| Finding::new(code, code.meaning()).seq(next_seq))
    }

    /// A tail that was not compared is another segment's, or none at all.
    fn check_recovered(&self, recovered: &LogRecovered, link: Link) -> Option<Finding> {
        let previous =
            self.previous.filter(|previous| link.is_whole() && !previous.tail_compared)?;
        let finding = Finding::new(
            Code::RecoveryMismatch,
            "A log_recovered speaks of another segment than the one before.",
        );
        Some(finding.expected(previous.name).found(recovered.file()))
    }

    /// Takes what a writer says of itself; whether the one before stopped without a word.
    pub(super) fn writer_opened(&mut self, opened: &LogOpened) -> Option<Notice> {
        if !matches!(self.limit, Limit::OfSegment(_)) {
            self.limit = Limit::OfWriter(opened.unsynced_max_bytes);
        }
        let previous = self.previous.filter(|previous| !previous.unsure)?;
        (previous.ended != Stage::Closed).then(|| {
            let host = opened.host.as_deref().unwrap_or("unknown");
            let pid = opened.pid.map_or("unknown".to_owned(), |pid| pid.to_string());
            let who = excerpt(&format!("{}, process {pid} on host {host}", opened.writer));
            let message = format!("{who}, opened the log, which the writer before had not closed");
            Notice::new(NoticeCode::UncleanStop, message)
        })
    }

    /// Whether so many bytes behind the newest whole record, after which this seq is due, can be
    /// what a crash left.
    ///
    /// # Errors
    ///
    /// Why they cannot.
    pub(super) fn may_be_torn(&self, bytes: u64, next_seq: u64) -> Result<(), &'static str> {
        let is_opening = match self.stage {
            Stage::Closed => return Err("it follows log_closed, after which nothing is written"),
            Stage::FormatChanged(_) => return Err("it follows format_changed"),
            Stage::First => true,
            Stage::Opened | Stage::Recovered => self.owes_log_opened(next_seq),
            Stage::Announced | Stage::Adopted | Stage::Unsure | Stage::Running => false,
        };
        if is_opening {
            return Err("a segment has its name only once its first records are on disk");
        }
        if !self.is_within_limit(bytes) && !broken::is(Broken::TailUnlimited) {
            return Err("it is longer than what its writer leaves unsynced");
        }
        Ok(())
    }

    /// Whether so many bytes are no more than the segment's writer leaves unsynced.
    pub(super) fn is_within_limit(&self, bytes: u64) -> bool {
        self.limit.allows(bytes)
    }

    /// What `segment_opened` says of the segment before.
    pub(super) fn check_previous(
        &self,
        opened: &SegmentOpened,
        record: &Record<'_>,
        link: Link,
    ) -> Option<Finding> {
        let finding = Finding::new(Code::PreviousMismatch, Code::PreviousMismatch.meaning());
        if record.seq > 0 && opened.continues.is_some() {
            return Some(finding.expected("no continues, but at seq 0").found("continues"));
        }
        let stated = opened.previous.as_ref()?;
        let (last_seq, last_hash) = (stated.last_seq, stated.last_hash());
        if last_seq.checked_add(1) != Some(record.seq) || last_hash != record.prev_hash {
            let due = format!("the record before seq {}, {}", record.seq, record.prev_hash);
            return Some(finding.expected(due).found(format_args!("seq {last_seq}, {last_hash}")));
        }
        let previous = self.previous.filter(|_| link.is_whole())?;
        (stated.file() != previous.name)
            .then(|| finding.expected(previous.name).found(stated.file()))
    }
}

/// The frontiers of the smaller trees that a frontier is made of: of its first part, of its first two
/// parts, and so on, without all of it.
pub(super) fn parts(size: u64, roots: &[audit_core::Digest]) -> Vec<Frontier> {
    let mut left = size;
    let mut parts = Vec::new();
    for count in 1..roots.len() {
        let Some(largest) = left.checked_ilog2() else { break };
        left ^= 1 << largest;
        let first = roots.get(..count).unwrap_or_default();
        parts.extend(Frontier::from_roots(size ^ left, first));
    }
    parts
}

/// Compares the frontier that a segment states with the one before its first record, or takes it
/// where that is not known.
pub(super) fn check_frontier(
    chain: &mut Chain,
    seq: u64,
    roots: &[audit_core::Digest],
) -> Option<Finding> {
    let finding = Finding::new(Code::FrontierMismatch, Code::FrontierMismatch.meaning());
    let Some(stated) = Frontier::from_roots(seq, roots) else {
        let due = seq.count_ones();
        return Some(
            finding
                .expected(format_args!("{due} roots, for {seq} records"))
                .found(format_args!("{} roots", roots.len())),
        );
    };
    match chain.frontier() {
        None => {
            chain.adopt(stated);
            None
        }
        Some(known) if *known == stated => None,
        Some(known) => Some(
            finding
                .expected(format_args!("the frontier of root {}", known.root()))
                .found(format_args!("that of root {}", stated.root())),
        ),
    }
}

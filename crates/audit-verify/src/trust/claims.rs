//! Checkpoints, each a claim of what root the tree has at a size, compared while records pass.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use audit_core::{Digest, EventTime, Frontier};

use super::base64;
use super::standing::Standing;
use crate::broken::{self, Broken};
use crate::finding::{Code, Finding, Ledger, Notice, NoticeCode};
use crate::notes::{name_of, path_of};

/// That the tree over the first `size` records has this root. Nothing else is kept of a checkpoint:
/// there may be any number of them.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(super) size: u64,
    pub(super) root: Digest,
    pub(super) by: By,
}

/// Where a claim is from.
#[derive(Debug)]
pub(super) enum By {
    /// A checkpoint beside the log. Its name is kept where it is not that of its size.
    Beside { name: Option<Box<str>>, standing: Standing },
    /// The given checkpoint of this number.
    Given(usize),
}

/// What came of a claim.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    seen: Seen,
    /// When the first record behind those that it covers was recorded, in seconds since
    /// 1970-01-01T00:00:00Z.
    next_secs: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    NotYet,
    /// The tree has that root.
    Held,
    /// It has, and bytes before cannot be read, so that nobody has seen all of these records.
    Agrees,
    Contradicted,
}

/// All claims, by size, and what came of them.
#[derive(Clone, Debug)]
pub(crate) struct Claims {
    by_size: Arc<[Claim]>,
    outcomes: Vec<Outcome>,
    /// The first that is not compared yet, and that was not passed by.
    next: usize,
    /// Whether it is asked when the records behind them were recorded.
    asks_times: bool,
}

impl Claims {
    pub(super) fn new(mut claims: Vec<Claim>, asks_times: bool) -> Self {
        claims.sort_by_key(|claim| claim.size);
        let outcomes = vec![Outcome { seen: Seen::NotYet, next_secs: None }; claims.len()];
        Self { by_size: claims.into(), outcomes, next: 0, asks_times }
    }

    /// Compares what is claimed of a tree of this size. A size that no frontier was known at is
    /// passed by. Whether all records of the tree were seen is told by `is_chained`.
    pub(crate) fn compare(&mut self, frontier: &Frontier, is_chained: bool, ledger: &mut Ledger) {
        while let (Some(claim), Some(outcome)) =
            (self.by_size.get(self.next), self.outcomes.get_mut(self.next))
        {
            if claim.size > frontier.size() {
                return;
            }
            if claim.size == frontier.size() {
                let root = frontier.root();
                let is_chained = is_chained || broken::is(Broken::GapCovered);
                let is_same = claim.root == root || broken::is(Broken::NoteUncompared);
                outcome.seen = match is_same {
                    true if is_chained => Seen::Held,
                    true => Seen::Agrees,
                    false => Seen::Contradicted,
                };
                if outcome.seen == Seen::Contradicted {
                    ledger.find(claim.contradicted(root));
                }
            }
            self.next = self.next.saturating_add(1);
        }
    }

    /// Compares what is claimed of a tree of this size by checkpoints that were given, whose records
    /// are not here.
    pub(crate) fn compare_given(&mut self, frontier: &Frontier, ledger: &mut Ledger) {
        let root = frontier.root();
        for (claim, outcome) in self.by_size.iter().zip(&mut self.outcomes) {
            if !matches!(claim.by, By::Given(_)) || claim.size != frontier.size() {
                continue;
            }
            let is_same = claim.root == root || broken::is(Broken::PinOfDeleted);
            outcome.seen = if is_same { Seen::Held } else { Seen::Contradicted };
            if !is_same {
                ledger.find(claim.contradicted(root));
            }
        }
    }

    /// Takes note of when the record of this seq was recorded, where that is asked.
    pub(crate) fn pass(&mut self, seq: u64, timestamp: &str) {
        if !self.asks_times {
            return;
        }
        let (of_size, secs) = (self.of_sizes(seq..=seq), secs_of(timestamp));
        for outcome in self.outcomes.get_mut(of_size).into_iter().flatten() {
            outcome.next_secs = outcome.next_secs.or(secs);
        }
    }

    /// Whether it is asked when one of these records was recorded.
    pub(crate) fn ask_time_within(&self, seqs: RangeInclusive<u64>) -> bool {
        self.asks_times && !self.of_sizes(seqs).is_empty()
    }

    fn of_sizes(&self, sizes: RangeInclusive<u64>) -> Range<usize> {
        let from = self.by_size.partition_point(|claim| claim.size < *sizes.start());
        from..self.by_size.partition_point(|claim| claim.size <= *sizes.end())
    }

    /// The root at this size, where a claim of it was found true.
    pub(crate) fn root_at(&self, size: u64) -> Option<Digest> {
        let of_size = self.of_sizes(size..=size);
        let (claims, outcomes) = (self.by_size.get(of_size.clone())?, self.outcomes.get(of_size)?);
        let is_true = |outcome: &Outcome| matches!(outcome.seen, Seen::Held | Seen::Agrees);
        let mut held = claims.iter().zip(outcomes).filter(|(_, outcome)| is_true(outcome));
        held.next().map(|(claim, _)| claim.root)
    }

    /// All of them, by size, and whether they were found true.
    pub(super) fn outcomes(&self) -> impl DoubleEndedIterator<Item = (&Claim, bool)> {
        let outcomes = self.by_size.iter().zip(&self.outcomes);
        let unseen = if broken::is(Broken::PinUndecided) { Seen::NotYet } else { Seen::Held };
        outcomes.map(move |(claim, outcome)| {
            (claim, outcome.seen == Seen::Held || outcome.seen == unseen)
        })
    }

    /// When the first record behind so many was recorded, if that was seen.
    pub(super) fn next_secs(&self, size: u64) -> Option<i64> {
        let outcomes = self.outcomes.get(self.of_sizes(size..=size))?;
        outcomes.iter().find_map(|outcome| outcome.next_secs)
    }

    /// The checkpoints beside the log over so many records: sizes and names.
    pub(crate) fn beside(&self, sizes: RangeInclusive<u64>) -> impl Iterator<Item = (u64, String)> {
        let of_sizes = self.by_size.iter().filter(move |claim| sizes.contains(&claim.size));
        of_sizes.filter_map(|claim| Some((claim.size, claim.name()?)))
    }

    /// Says of each claim that was not compared why it was not, once the log has been read: it has
    /// this many records, as far as it can be read, of which so many were deleted since.
    pub(super) fn finish(&self, end: u64, gone: u64, ledger: &mut Ledger) {
        let (mut least, mut most, mut passed) = (None, None, 0_u64);
        let claims = self.by_size.iter().zip(&self.outcomes);
        for (claim, _) in claims.filter(|(_, outcome)| outcome.seen == Seen::NotYet) {
            match &claim.by {
                By::Beside { .. } if broken::is(Broken::NoteBeyondEnd) => {}
                _ if claim.size > end => ledger.find(claim.beyond(end)),
                By::Given(_) if claim.size < gone => {
                    let records = claim.size;
                    let message = format!(
                        "the given checkpoint over {records} records says nothing: they were deleted"
                    );
                    ledger.note(Notice::new(NoticeCode::PinInPruned, message));
                }
                By::Given(_) => ledger.find(claim.finding(Code::PinNotChecked)),
                By::Beside { .. } => {
                    least.get_or_insert(claim.size);
                    most = Some(claim.size);
                    passed = passed.saturating_add(1);
                }
            }
        }
        if let (Some(least), Some(most)) = (least, most) {
            let message = format!(
                "{passed} checkpoints, over {least} to {most} records, were not compared, since it \
                 is not known which records these are"
            );
            ledger.note(Notice::new(NoticeCode::CheckpointsNotCompared, message));
        }
    }
}

impl Claim {
    /// The seq of the last record that it covers.
    pub(super) fn last_seq(&self) -> Option<u64> {
        self.size.checked_sub(1)
    }

    pub(super) fn finding(&self, code: Code) -> Finding {
        let finding = Finding::new(code, code.meaning()).seq(self.last_seq());
        match self.name() {
            Some(name) => finding.in_file(&path_of(&name)),
            None => finding,
        }
    }

    /// Its name beside the log.
    pub(super) fn name(&self) -> Option<String> {
        match &self.by {
            By::Beside { name, .. } => {
                Some(name.as_ref().map_or_else(|| name_of(self.size), ToString::to_string))
            }
            By::Given(_) => None,
        }
    }

    fn contradicted(&self, root: Digest) -> Finding {
        let code = match self.by {
            By::Beside { .. } => Code::CheckpointMismatch,
            By::Given(_) => Code::PinMismatch,
        };
        self.finding(code).expected(base64(self.root)).found(base64(root))
    }

    fn beyond(&self, end: u64) -> Finding {
        let code = match self.by {
            By::Beside { .. } => Code::CheckpointBeyondEnd,
            By::Given(_) => Code::PinBeyondEnd,
        };
        let expected = format!("{} records", self.size);
        self.finding(code).expected(expected).found(format_args!("{end} records"))
    }
}

/// The time of a record, in seconds since 1970-01-01T00:00:00Z.
pub(super) fn secs_of(timestamp: &str) -> Option<i64> {
    EventTime::parse(timestamp).map(|time| time.instant().timestamp())
}

//! What is known of a log after a line.

use audit_core::{Digest, Receipt};

use super::adoption::Adoptions;
use super::chain::Chain;
use super::opening::Opening;
use super::prune::Pruning;
use super::seals::{Seals, Unsealed};
use super::stated::Stated;
use crate::broken::{self, Broken};
use crate::parse::lifecycle::LogId;
use crate::trust::{Recorded, Trust};

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
    /// Whole records at the end that are not sealed yet, and do not count.
    pub(crate) unsealed: u64,
}

impl Stats {
    /// Seq of the newest record, sealed or not.
    pub(crate) fn last_seq(&self) -> Option<u64> {
        self.head.map(|head| head.seq.saturating_add(self.unsealed))
    }
}

/// All that is known after a line.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(super) chain: Option<Chain>,
    pub(super) opening: Opening,
    pub(super) pruning: Pruning,
    pub(super) seals: Seals,
    pub(super) stated: Stated,
    pub(super) adoptions: Adoptions,
    /// What sealed records say of the log's checkpoints.
    pub(super) recorded_sealed: Recorded,
    /// The version that the log went on in, once that is none this verifier knows.
    pub(super) foreign: Option<u64>,
    pub(super) foreign_told: bool,
    /// Whether anything was damaged so far, so that what is absent may be what was damaged.
    pub(super) damaged: bool,
    /// Whether the line before did not end like a record, so that the next one may be its rest.
    pub(super) cut: bool,
    pub(crate) service_id: Option<String>,
    pub(crate) log_id: Option<LogId>,
    pub(crate) trust: Trust,
    pub(crate) stats: Stats,
}

impl State {
    /// Nothing is known yet.
    pub(super) fn new(trust: Trust) -> Self {
        Self {
            chain: None,
            opening: Opening::default(),
            pruning: Pruning::default(),
            seals: Seals::default(),
            stated: Stated::default(),
            adoptions: Adoptions::default(),
            recorded_sealed: Recorded::default(),
            foreign: None,
            foreign_told: false,
            damaged: false,
            cut: false,
            service_id: None,
            log_id: None,
            trust,
            stats: Stats::default(),
        }
    }

    /// Whether so many bytes behind the newest whole record can be what a crash left, or why not.
    pub(crate) fn may_be_torn(&self, bytes: u64) -> Result<(), &'static str> {
        let next_seq = self.chain.as_ref().map_or(0, Chain::next_seq);
        self.opening.may_be_torn(bytes, next_seq)
    }

    /// Whether so many bytes are no more than the segment's writer leaves unsynced.
    pub(crate) fn is_within_limit(&self, bytes: u64) -> bool {
        self.opening.is_within_limit(bytes) || broken::is(Broken::EndUnlimited)
    }

    /// The whole, linked records behind the last one with a seal, in a segment that is sealed.
    pub(crate) fn unsealed(&self) -> Option<Unsealed> {
        broken::unless(Broken::UnsealedCounted, self.seals.unsealed())
    }

    /// Whether the segment is sealed.
    pub(crate) fn is_sealed(&self) -> bool {
        self.seals.is_sealed()
    }

    /// The hash of the newest record, where its tail is to begin with one that follows.
    pub(crate) fn head_hash(&self) -> Option<Digest> {
        self.chain.as_ref().and_then(Chain::prev_hash)
    }

    /// Whether the log is in a version that is not known.
    pub(crate) fn is_foreign(&self) -> bool {
        self.foreign.is_some()
    }

    /// How many records there are, damaged ones included, where that is known.
    pub(super) fn end(&self) -> Option<u64> {
        match &self.chain {
            None => Some(0),
            Some(chain) => chain.end(),
        }
    }

    /// How many ranges of records were adopted, and how many records are in them.
    pub(crate) fn adopted(&self) -> (u64, u64) {
        self.adoptions.counts()
    }

    /// How many records were deleted from the beginning, as the log says itself.
    pub(crate) fn gone(&self) -> u64 {
        self.pruning.gone()
    }

    pub(crate) fn root(&self) -> Option<Digest> {
        self.chain.as_ref().and_then(Chain::root)
    }
}

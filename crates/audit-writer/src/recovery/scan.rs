//! The walk over a segment's records, as far as they are whole and linked.

use audit_core::lifecycle::{LogId, PrunedFile, SegmentOpened};
use audit_core::{Frontier, ServiceId};

use super::line::{Line, other_version};
use super::order::{Before, Order};
use crate::chain::Chain;
use crate::segment::SegmentName;

/// The first record of a segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opened {
    pub(super) service_id: ServiceId,
    pub(super) log_id: LogId,
}

/// The walk over a segment's records.
#[derive(Debug)]
pub(super) struct Scan {
    name: SegmentName,
    /// What the segment has to begin after, where that is known.
    follows: Option<Chain>,
    pub(super) chain: Chain,
    /// Where the records that it has taken end.
    pub(super) offset: u64,
    pub(super) opened: Option<Opened>,
    /// What its first record says.
    first: Option<SegmentOpened>,
    pub(super) unsynced_bytes_max: Option<u64>,
    /// Whether the opening records say that a writer opened the log, and not yet which.
    pub(super) owes_log_opened: bool,
    pub(super) closed: bool,
    /// Where in the order of a segment its records are.
    order: Order,
    /// The version of the format that the log goes on in, where that is another.
    pub(super) other_version: Option<u64>,
    /// What its last `segments_pruned` names.
    pub(super) pruned: Vec<PrunedFile>,
    /// The size of the last checkpoint that it tells of.
    pub(super) checkpoint_recorded: Option<u64>,
    /// The id of the last key that it names.
    pub(super) key_named: Option<String>,
    /// The latest time of a record.
    pub(super) latest: String,
}

impl Scan {
    pub(super) fn new(name: SegmentName) -> Self {
        Self {
            name,
            follows: None,
            chain: Chain::new(),
            offset: 0,
            opened: None,
            first: None,
            unsynced_bytes_max: None,
            owes_log_opened: false,
            closed: false,
            order: Order::after(Before::NotClosed),
            other_version: None,
            pruned: Vec::new(),
            checkpoint_recorded: None,
            key_named: None,
            latest: String::new(),
        }
    }

    /// The walk over a segment that is to begin where another ended.
    pub(super) fn following(name: SegmentName, before: Option<Chain>) -> Self {
        Self { follows: before, ..Self::new(name) }
    }

    /// Takes the next line (without its line feed) if it is a whole record linked to the one before.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Option<()> {
        let Some(line) = Line::parse(bytes) else {
            if self.offset == 0 {
                self.other_version = other_version(bytes);
            }
            return None;
        };
        let order = self.order.step(&line).ok()?;
        if let Some(opened) = self.opened {
            let linked = line.prev_hash == *self.chain.prev_hash()
                && Some(line.seq) == self.chain.next_seq()
                && line.service_id == opened.service_id.as_str();
            let agrees = self
                .first
                .as_ref()
                .is_none_or(|first| line.agrees_with(first, self.name.first_seq));
            if !linked || !agrees || self.closed || self.other_version.is_some() {
                return None;
            }
        } else {
            self.open(&line)?;
        }
        if let Some(opened) = line.log_opened() {
            self.unsynced_bytes_max = Some(opened.unsynced_bytes_max);
        }
        self.owes_log_opened = order.check_opening().is_err();
        self.closed = line.is("log_closed");
        self.other_version = line.format_changed();
        if let Some((_, files)) = line.segments_pruned() {
            self.pruned = files.to_vec();
        }
        let signed = line.checkpoint_signed().map(|signed| signed.size);
        self.checkpoint_recorded = signed.or(self.checkpoint_recorded);
        self.key_named = line.key_id().or_else(|| self.key_named.take());
        if *line.timestamp > *self.latest {
            line.timestamp.clone_into(&mut self.latest);
        }
        self.order = order;
        self.chain.push(line.hash);
        let length = u64::try_from(bytes.len()).ok()?.checked_add(1)?;
        self.offset = self.offset.checked_add(length)?;
        Some(())
    }

    fn open(&mut self, line: &Line<'_>) -> Option<()> {
        let first = line.segment_opened()?;
        let frontier = Frontier::from_roots(line.seq, &first.merkle_frontier)?;
        if !line.is_first_of(self.name) {
            return None;
        }
        self.chain = Chain::after(line.prev_hash, frontier);
        if self.follows.as_ref().is_some_and(|before| *before != self.chain) {
            return None;
        }
        self.opened = Some(Opened {
            service_id: ServiceId::new(line.service_id).ok()?,
            log_id: first.log_id,
        });
        self.first = Some(first);
        Some(())
    }
}

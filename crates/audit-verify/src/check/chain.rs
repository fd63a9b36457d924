//! The link from record to record, and the Merkle tree over them. Pure.

use audit_core::{Digest, Frontier};

use super::tree::Tree;
use crate::broken::{self, Broken};
use crate::parse::record::Hashed;

/// The chain up to a record.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    before: Before,
    /// The seq that is due.
    next_seq: u64,
    /// `None` when it cannot be told which leaves there are.
    tree: Option<Tree>,
    /// The seq of the first record that may be another than the one that was there, since bytes
    /// before it cannot be read or do not lead to it.
    gap: Option<u64>,
    /// The seq of the first damaged line: the link in it proves nothing.
    damaged: Option<u64>,
}

/// What stands before the record that is due.
#[derive(Clone, Copy, Debug)]
enum Before {
    /// Nothing: it is the first one that there is.
    Start,
    Record(Digest),
    /// A line that was damaged, with the hash it states and the one it has.
    Damaged {
        stated: Option<Digest>,
        computed: Option<Digest>,
    },
    /// Bytes that could not be read.
    Unknown,
}

/// How a record stands to the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// It follows.
    Good,
    /// What stands before it is damaged, which was said already: it is not blamed.
    Resumed,
    /// It does not follow, since records are absent before it.
    Missing,
    /// It stands again, or too late.
    OutOfOrder,
    /// It has the right seq, and names another record as the one before it.
    Broken,
    /// It names the one before it, and has another seq than the next.
    WrongSeq,
}

impl Link {
    /// Whether the chain goes on from the record before.
    pub(crate) fn is_whole(self) -> bool {
        matches!(self, Self::Good | Self::Resumed)
    }
}

impl Chain {
    /// A chain whose first record is to have this seq.
    pub(crate) fn starting_at(seq: u64) -> Self {
        let tree = (seq == 0).then(|| Tree::new(Frontier::new()));
        Self { before: Before::Start, next_seq: seq, tree, gap: None, damaged: None }
    }

    pub(crate) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// From which seq on the records are not chained to the first one that there is.
    pub(crate) fn gap(&self) -> Option<u64> {
        self.gap
    }

    /// The first seq from which no links lead back to the first record that there is: behind a gap, or
    /// behind a damaged line. A root covers what is before a damaged line, a hash of one record does not.
    pub(crate) fn unlinked(&self) -> Option<u64> {
        [self.gap, self.damaged].into_iter().flatten().min()
    }

    /// Loses count of the leaves.
    fn lose_tree(&mut self) {
        self.tree = None;
        self.break_off();
    }

    /// From here on nothing vouches that the records are all there were.
    pub(crate) fn break_off(&mut self) {
        self.gap = self.gap.or(Some(self.next_seq));
    }

    /// How many records there are, damaged ones included, where the newest can be read.
    pub(crate) fn end(&self) -> Option<u64> {
        (!matches!(self.before, Before::Unknown)).then_some(self.next_seq)
    }

    /// What the next record's `prev_hash` has to be, if that is certain.
    pub(crate) fn prev_hash(&self) -> Option<Digest> {
        match self.before {
            Before::Start if self.next_seq == 0 => Some(Digest::ZERO),
            Before::Record(hash) => Some(hash),
            Before::Start | Before::Damaged { .. } | Before::Unknown => None,
        }
    }

    /// How a record with this seq and `prev_hash` would stand to the one before.
    pub(crate) fn link(&self, seq: u64, prev_hash: &Digest) -> Link {
        let linked = match self.before {
            Before::Start if seq == 0 => *prev_hash == Digest::ZERO,
            Before::Start => true,
            Before::Record(hash) => *prev_hash == hash,
            Before::Damaged { .. } | Before::Unknown => return Link::Resumed,
        };
        match (seq.cmp(&self.next_seq), linked) {
            (std::cmp::Ordering::Equal, true) => Link::Good,
            (std::cmp::Ordering::Equal, false) => Link::Broken,
            (_, true) if matches!(self.before, Before::Record(_)) => Link::WrongSeq,
            (std::cmp::Ordering::Greater, _) => Link::Missing,
            (std::cmp::Ordering::Less, _) => Link::OutOfOrder,
        }
    }

    /// Settles which leaf a damaged record before is, now that a record with this seq and
    /// `prev_hash` is linked in this way; or that it cannot be told which leaves there are.
    pub(crate) fn settle(&mut self, seq: u64, prev_hash: &Digest, link: Link) {
        match (self.before, link) {
            (_, Link::Good) => {}
            (Before::Damaged { stated, computed }, Link::Resumed)
                if seq == self.next_seq && [stated, computed].contains(&Some(*prev_hash)) =>
            {
                if let Some(tree) = &mut self.tree {
                    tree.push(*prev_hash);
                }
            }
            _ => {
                self.lose_tree();
                // What it stands behind may not be the log's beginning.
                if !broken::is(Broken::CoveredOutOfOrder) {
                    self.gap = self.gap.map(|gap| gap.min(seq));
                }
            }
        }
    }

    /// The frontier of the records before the one that is due.
    pub(crate) fn frontier(&self) -> Option<&Frontier> {
        self.tree.as_ref().map(Tree::frontier)
    }

    /// Takes a frontier that the log states, where none is known.
    pub(crate) fn adopt(&mut self, frontier: Frontier) {
        self.tree = Some(Tree::new(frontier));
    }

    /// Goes on after a record.
    pub(crate) fn push(&mut self, seq: u64, hash: Digest) {
        match &mut self.tree {
            Some(tree) => tree.push(hash),
            None => self.lose_tree(),
        }
        self.before = Before::Record(hash);
        self.next_seq = seq.saturating_add(1);
    }

    /// Goes on after a damaged line.
    pub(crate) fn skip(&mut self, line: Option<&Hashed<'_>>) {
        if !matches!(self.before, Before::Record(_) | Before::Start) {
            // The leaf of the damaged line before can no longer be told.
            self.lose_tree();
        }
        self.damaged = self.damaged.or(Some(self.next_seq));
        self.before = Before::Damaged {
            stated: line.and_then(|line| line.stated),
            computed: line.map(|line| line.computed),
        };
        self.next_seq = self.next_seq.saturating_add(1);
    }

    /// Says which seq is due, where a line was not a record of its own.
    pub(crate) fn expect(&mut self, seq: u64) {
        self.next_seq = seq;
    }

    /// Goes on after bytes that could not be read, before a segment that begins with this seq.
    pub(crate) fn lose(&mut self, next_seq: u64) {
        self.before = Before::Unknown;
        self.lose_tree();
        self.next_seq = next_seq;
    }

    /// The root of the tree, if it is certain.
    pub(crate) fn root(&self) -> Option<Digest> {
        let certain = matches!(self.before, Before::Record(_));
        self.frontier().filter(|_| certain).map(Frontier::root)
    }

    /// The root of the tree when it had this size, if that can be told.
    pub(crate) fn root_at(&self, size: u64) -> Option<Digest> {
        self.tree.as_ref()?.root_at(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(byte: u8) -> Digest {
        Digest::from_bytes([byte; 32])
    }

    fn after(seq: u64, before: u8) -> Chain {
        let mut chain = Chain::starting_at(0);
        chain.push(seq, hash(before));
        chain
    }

    #[test]
    fn a_record_follows_or_is_told_how_it_does_not() {
        let chain = after(6, 6);
        for (seq, prev, link) in [
            (7, 6, Link::Good),
            (7, 5, Link::Broken),
            (8, 6, Link::WrongSeq),
            (6, 6, Link::WrongSeq),
            (9, 8, Link::Missing),
            (6, 5, Link::OutOfOrder),
        ] {
            assert_eq!(chain.link(seq, &hash(prev)), link, "{seq} after {prev}");
        }
    }

    #[test]
    fn a_log_begins_with_zeros_or_was_cut() {
        let chain = Chain::starting_at(0);
        assert_eq!(chain.link(0, &Digest::ZERO), Link::Good);
        assert_eq!(chain.link(0, &hash(1)), Link::Broken);
        assert_eq!(Chain::starting_at(9).link(9, &hash(1)), Link::Good);
    }

    #[test]
    fn what_the_next_record_has_to_name_is_told_where_it_is_certain() {
        assert_eq!(Chain::starting_at(0).prev_hash(), Some(Digest::ZERO));
        assert_eq!(Chain::starting_at(9).prev_hash(), None);
        assert_eq!(after(6, 6).prev_hash(), Some(hash(6)));
        let mut lost = after(6, 6);
        lost.lose(9);
        assert_eq!((lost.prev_hash(), lost.link(9, &hash(1))), (None, Link::Resumed));
    }

    #[test]
    fn the_first_record_of_a_cut_log_has_the_seq_of_its_segment() {
        assert_eq!(Chain::starting_at(5).link(9, &hash(1)), Link::Missing);
        assert_eq!(Chain::starting_at(9).link(5, &hash(1)), Link::OutOfOrder);
    }

    #[test]
    fn the_leaf_of_a_damaged_record_is_the_one_its_successor_names() {
        let mut expected = after(0, 1);
        expected.push(1, hash(2));
        for (stated, computed) in [(2, 9), (9, 2)] {
            let mut chain = after(0, 1);
            let (stated, computed) = (Some(hash(stated)), hash(computed));
            chain.skip(Some(&Hashed { body: b"", stated, computed, is_whole: true }));
            assert_eq!((chain.root(), chain.prev_hash()), (None, None));
            let link = chain.link(2, &hash(2));
            assert_eq!(link, Link::Resumed);
            chain.settle(2, &hash(2), link);
            assert_eq!(chain.frontier(), expected.frontier());
        }
        let mut chain = after(0, 1);
        chain.skip(None);
        chain.settle(2, &hash(2), Link::Resumed);
        assert_eq!(chain.frontier(), None);
    }
}

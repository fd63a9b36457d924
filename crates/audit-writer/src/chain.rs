//! The chain as far as it is written: what the next record needs of all earlier ones.

use audit_core::limits::SEQ_MAX;
use audit_core::{Digest, Frontier, Receipt};

/// The head of the chain and the tree over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chain {
    prev_hash: Digest,
    frontier: Frontier,
}

impl Chain {
    /// The chain of an empty log.
    pub(crate) fn new() -> Self {
        Self { prev_hash: Digest::ZERO, frontier: Frontier::new() }
    }

    /// The chain after the records that a frontier stands for.
    pub(crate) fn after(prev_hash: Digest, frontier: Frontier) -> Self {
        Self { prev_hash, frontier }
    }

    /// Seq of the next record, if the format can count it.
    pub(crate) fn next_seq(&self) -> Option<u64> {
        Some(self.frontier.size()).filter(|&seq| seq <= SEQ_MAX)
    }

    /// Hash of the newest record; zeros for an empty log.
    pub(crate) fn prev_hash(&self) -> &Digest {
        &self.prev_hash
    }

    /// The tree over all records.
    pub(crate) fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// The newest record.
    pub(crate) fn head(&self) -> Option<Receipt> {
        let seq = self.frontier.size().checked_sub(1)?;
        Some(Receipt { seq, hash: self.prev_hash })
    }

    /// Links a record that was written.
    pub(crate) fn push(&mut self, hash: Digest) {
        self.frontier.push(hash);
        self.prev_hash = hash;
    }
}

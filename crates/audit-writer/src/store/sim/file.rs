//! A file, of which some appends are durable and some are not.

use std::sync::Arc;

use audit_core::RecordTime;
use audit_core::lifecycle::FileId;
use chrono::{DateTime, TimeDelta};

use super::change::{Fate, choose, mix};

/// What a disk loses at once, in bytes.
pub(super) const BLOCK_BYTES: usize = 512;

/// A file of a simulated disk.
#[derive(Clone, Debug, Default)]
pub(super) struct File {
    pub(super) bytes: Arc<Vec<u8>>,
    /// Appends since the last sync, oldest first. What is before them is durable.
    pub(super) appends: Vec<Append>,
    /// Where the space that it has ends; never before its last byte.
    pub(super) allocated: u64,
    /// What tells it from a copy; somebody else's file has none.
    pub(super) id: Option<FileId>,
}

/// An append that may not be durable.
#[derive(Clone, Copy, Debug)]
pub(super) struct Append {
    pub(super) operation: u64,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) standing: Standing,
}

/// What the syncs made of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// None has covered it.
    Dirty,
    /// One was to and failed. The system has given it up, and no later one covers it.
    GivenUp,
    /// It is durable, and one before it is not.
    Durable,
}

impl File {
    /// A file whose bytes are durable.
    pub(super) fn durable(bytes: Arc<Vec<u8>>) -> Self {
        let allocated = length(bytes.len());
        Self { bytes, appends: Vec::new(), allocated, id: None }
    }

    pub(super) fn append(&mut self, bytes: &[u8], operation: u64) {
        let start = self.bytes.len();
        Arc::make_mut(&mut self.bytes).extend_from_slice(bytes);
        let end = self.bytes.len();
        self.allocated = self.allocated.max(length(end));
        self.appends.push(Append { operation, start, end, standing: Standing::Dirty });
    }

    /// Makes durable what an earlier sync has not given up.
    pub(super) fn sync(&mut self) {
        self.settle(Standing::Dirty, Standing::Durable);
    }

    /// Fails to write back what is dirty.
    pub(super) fn sync_failed(&mut self) {
        self.settle(Standing::Dirty, Standing::GivenUp);
    }

    fn settle(&mut self, from: Standing, to: Standing) {
        for append in self.appends.iter_mut().filter(|append| append.standing == from) {
            append.standing = to;
        }
        if self.appends.iter().all(|append| append.standing == Standing::Durable) {
            self.appends.clear();
        }
    }

    /// Lets what was given up be read from the disk, which never had it. The length of the file is
    /// not in the pages that are dropped.
    pub(super) fn drop_cache(&mut self) {
        if self.appends.iter().any(|append| append.standing == Standing::GivenUp) {
            let mut found = self.found(|append| match append.standing {
                Standing::GivenUp => Fate::Lost,
                Standing::Dirty | Standing::Durable => Fate::Kept,
            });
            found.resize(self.bytes.len(), 0);
            self.bytes = Arc::new(found);
            self.settle(Standing::GivenUp, Standing::Durable);
        }
    }

    /// Sets the length, durably.
    pub(super) fn resize(&mut self, bytes: usize) {
        let start = self.bytes.len();
        Arc::make_mut(&mut self.bytes).resize(bytes, 0);
        self.allocated = self.allocated.max(length(bytes));
        self.appends.retain(|append| append.start < bytes);
        for append in &mut self.appends {
            append.end = append.end.min(bytes);
        }
        if start < bytes && !self.appends.is_empty() {
            let standing = Standing::Durable;
            self.appends.push(Append { operation: 0, start, end: bytes, standing });
        }
    }

    /// The bytes as a crash leaves them, each append by its fate.
    pub(super) fn after_crash(&self, mut fate: impl FnMut(&Append) -> Fate) -> Arc<Vec<u8>> {
        if self.appends.is_empty() {
            return Arc::clone(&self.bytes);
        }
        let found = self.found(|append| match append.standing {
            Standing::Durable => Fate::Kept,
            Standing::Dirty | Standing::GivenUp => fate(append),
        });
        Arc::new(found)
    }

    /// A disk writes blocks, and a system writes a block as it is then: what an append left in one
    /// is there when that append is, or any later one that wrote into the same block.
    fn found(&self, mut fate: impl FnMut(&Append) -> Fate) -> Vec<u8> {
        let durable = self.appends.first().map_or(self.bytes.len(), |first| first.start);
        let fates: Vec<_> = self.appends.iter().map(|append| (*append, fate(append))).collect();
        let reached = fates.iter().map(|(append, fate)| append.reached(*fate));
        let size = reached.max().unwrap_or(durable).max(durable);
        let mut found = self.bytes.get(..size).unwrap_or_default().to_vec();
        let mut block = durable.saturating_sub(durable % BLOCK_BYTES);
        while block < size {
            let end = block.saturating_add(BLOCK_BYTES);
            let written = fates.iter().filter(|(append, fate)| append.wrote(*fate, block));
            let valid = written.map(|(append, _)| append.end).max().unwrap_or(durable);
            let lost = valid.max(durable).max(block)..end.min(size);
            if let Some(lost) = found.get_mut(lost) {
                lost.fill(0);
            }
            block = end;
        }
        found
    }
}

impl Append {
    /// Where the file ends when this append has met its fate.
    fn reached(&self, fate: Fate) -> usize {
        match fate {
            Fate::Lost | Fate::Torn { bytes: 0 } => 0,
            Fate::Torn { bytes } => self.start.saturating_add(bytes).min(self.end),
            Fate::Kept | Fate::Zeroed { .. } | Fate::Doubled | Fate::Nameless => self.end,
        }
    }

    /// Whether it brought the block at this offset to the disk.
    fn wrote(&self, fate: Fate, block: usize) -> bool {
        let touches = self.start < block.saturating_add(BLOCK_BYTES) && block < self.reached(fate);
        touches
            && match fate {
                Fate::Zeroed { seed } => choose(seed ^ mix(length(block)), 1) == 1,
                Fate::Kept | Fate::Lost | Fate::Torn { .. } | Fate::Doubled | Fate::Nameless => {
                    true
                }
            }
    }
}

/// The identity of the file, or of the directory, that was made as the one of this number.
pub(super) fn file_id(number: u64) -> FileId {
    let after = TimeDelta::seconds(i64::try_from(number).unwrap_or_default());
    let born = DateTime::UNIX_EPOCH.checked_add_signed(after).unwrap_or_default();
    FileId { inode: number, born: RecordTime::new(born) }
}

pub(super) fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

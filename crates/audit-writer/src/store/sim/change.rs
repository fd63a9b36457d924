//! What was done and not synced, and what a crash makes of it.

use super::file::BLOCK_BYTES;

/// An operation that no sync has covered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsynced {
    /// Its number, counted from 0.
    pub operation: u64,
    /// What it did.
    pub change: Change,
}

/// What an operation changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// These bytes of a file were appended.
    Append {
        /// Which file, in the order in which they were made.
        file: usize,
        /// Where they begin.
        start: usize,
        /// Where they end.
        end: usize,
    },
    /// A file was made under this name, in the place of what was there.
    Create {
        /// The name.
        name: String,
        /// Which file.
        file: usize,
    },
    /// A file was renamed.
    Rename {
        /// From this name.
        from: String,
        /// To that.
        to: String,
        /// Which file.
        file: usize,
    },
    /// A name was removed.
    Remove {
        /// The name.
        name: String,
    },
}

impl Change {
    /// The name that is another's or nobody's afterwards; none for an append.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Append { .. } => "",
            Self::Create { name, .. } | Self::Remove { name } => name,
            Self::Rename { to, .. } => to,
        }
    }
}

/// What a crash makes of an operation. One that does not fit it means [`Kept`](Self::Kept).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It reached the disk.
    Kept,
    /// It did not. A block that a later append wrote too holds these bytes nevertheless; where the
    /// size of the file came from a later one, NULs stand in the place of the others.
    Lost,
    /// Of an append so many bytes reached the disk.
    Torn {
        /// How many.
        bytes: usize,
    },
    /// Of an append the size did, and each block or did not, as the seed says.
    Zeroed {
        /// Chooses the blocks.
        seed: u64,
    },
    /// Of a rename the new name did, and the old one is still there.
    Doubled,
    /// Of a rename the end of the old name did, and the new one did not.
    Nameless,
}

/// Lengths at which an append is torn, in bytes: on, before and after what disks and systems write
/// at once.
const TORN_BYTES: [usize; 7] = [0, 1, 511, 512, 513, 4_095, 4_096];

impl Unsynced {
    /// A fate that fits the operation, as the seed says. One seed keeps nearly all of a disk,
    /// another nearly nothing, and each operation has its own luck.
    #[must_use]
    pub fn fate(&self, seed: u64) -> Fate {
        let luck = mix(seed ^ mix(self.operation));
        let kept_in_eight = choose(mix(seed), 8);
        if choose(mix(luck), 7) < kept_in_eight {
            return Fate::Kept;
        }
        match (&self.change, choose(luck, 7)) {
            (Change::Append { start, end, .. }, kind @ 0..=3) => {
                Fate::Torn { bytes: torn_bytes(*start, end.saturating_sub(*start), kind, luck) }
            }
            (Change::Append { .. }, 4..=5) => Fate::Zeroed { seed: luck },
            (Change::Rename { .. }, 0) => Fate::Doubled,
            (Change::Rename { .. }, 1) => Fate::Nameless,
            _ => Fate::Lost,
        }
    }
}

/// A number of bytes up to `most`, of the kinds that matter.
fn torn_bytes(start: usize, most: usize, kind: usize, luck: u64) -> usize {
    let bytes = match kind {
        0 => choose(mix(luck), most),
        1 => {
            // Where a block of the file ends, wherever the append began.
            let to_block = BLOCK_BYTES.saturating_sub(start % BLOCK_BYTES);
            let blocks = choose(mix(luck), most / BLOCK_BYTES);
            blocks.saturating_mul(BLOCK_BYTES).saturating_add(to_block)
        }
        _ => {
            let chosen = choose(mix(luck), TORN_BYTES.len().saturating_sub(1));
            TORN_BYTES.get(chosen).copied().unwrap_or_default()
        }
    };
    bytes.min(most)
}

/// A number from 0 to `most`, by a seed.
pub(super) fn choose(seed: u64, most: usize) -> usize {
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    usize::try_from(mix(seed).checked_rem(most.saturating_add(1)).unwrap_or_default())
        .unwrap_or_default()
}

/// The finaliser of splitmix64: every bit of the seed reaches every bit of the result.
pub(super) fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

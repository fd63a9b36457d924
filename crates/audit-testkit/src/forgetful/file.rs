//! A file that is appended to: what it holds, and what a cut leaves of it.

use crate::dice::Dice;

/// What a disk loses at once, in bytes.
const BLOCK_BYTES: usize = 512;

/// Lengths at which an append is torn, in bytes.
const TORN_BYTES: [usize; 7] = [0, 1, 511, 512, 513, 4_095, 4_096];

#[derive(Clone, Debug, Default)]
pub(super) struct File {
    pub(super) bytes: Vec<u8>,
    pub(super) mode: u32,
    /// What is durable of it.
    durable: usize,
    /// Where each append since then ended.
    appends: Vec<usize>,
}

/// What of an append reached the disk.
#[derive(Clone, Debug)]
struct Reached {
    start: usize,
    /// Where the file ends by it.
    size: usize,
    /// Where its bytes end in the blocks that were written.
    end: usize,
    /// The blocks of it that did not, by their offset: its size did.
    lost_blocks: Vec<usize>,
}

impl File {
    /// An empty one.
    pub(super) fn new(mode: u32) -> Self {
        Self { mode, ..Self::default() }
    }

    pub(super) fn append(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.appends.push(self.bytes.len());
    }

    pub(super) fn sync(&mut self) {
        self.durable = self.bytes.len();
        self.appends.clear();
    }

    /// The file as it is found after a cut: of the appends that no sync covered, any.
    ///
    /// A block is written as it was at that moment, so one that a later append reached too holds
    /// what an earlier one put there. Where nothing reached a block, NULs stand.
    pub(super) fn after_cut(&self, kept_in_eight: u64, dice: &mut Dice) -> Self {
        let mut start = self.durable;
        let mut reached = Vec::new();
        for &end in &self.appends {
            reached.extend(reach(start, end, kept_in_eight, dice));
            start = end;
        }
        let size = reached.iter().map(|append| append.size).max().unwrap_or(self.durable);
        let mut bytes = self.bytes.get(..size).unwrap_or_default().to_vec();
        let mut block = self.durable.saturating_sub(self.durable % BLOCK_BYTES);
        while block < size {
            let block_end = block.saturating_add(BLOCK_BYTES);
            let writers = reached.iter().filter(|append| {
                let touches = append.start < block_end && block < append.size;
                touches && !append.lost_blocks.contains(&block)
            });
            let valid = writers.map(|append| append.end).max().unwrap_or(0).max(self.durable);
            if let Some(lost) = bytes.get_mut(valid.max(block)..block_end.min(size)) {
                lost.fill(0);
            }
            block = block_end;
        }
        Self { durable: bytes.len(), bytes, mode: self.mode, appends: Vec::new() }
    }
}

/// What a cut leaves of one append; nothing at all is a possibility.
fn reach(start: usize, end: usize, kept_in_eight: u64, dice: &mut Dice) -> Option<Reached> {
    let whole = Reached { start, size: end, end, lost_blocks: Vec::new() };
    if dice.between(1, 8) <= kept_in_eight {
        return Some(whole);
    }
    match dice.index(4) {
        0 => None,
        1 => {
            let first = start.saturating_sub(start % BLOCK_BYTES);
            let blocks = (first..end).step_by(BLOCK_BYTES);
            Some(Reached { lost_blocks: blocks.filter(|_| dice.once_in(2)).collect(), ..whole })
        }
        _ => {
            let torn = torn_bytes(end.saturating_sub(start), dice);
            (torn > 0).then(|| Reached { size: start.saturating_add(torn), ..whole })
        }
    }
}

fn torn_bytes(most: usize, dice: &mut Dice) -> usize {
    let known = dice.index(TORN_BYTES.len().saturating_mul(2));
    let any = dice.index(most.saturating_add(1));
    TORN_BYTES.get(known).copied().unwrap_or(any).min(most)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn file(durable: &[u8], appends: &[&[u8]]) -> File {
        let mut file = File::default();
        file.append(durable);
        file.sync();
        for bytes in appends {
            file.append(bytes);
        }
        file
    }

    fn found(file: &File, kept_in_eight: u64) -> BTreeSet<Vec<u8>> {
        let mut dice = Dice::new(1);
        (0..2_000).map(|_| file.after_cut(kept_in_eight, &mut dice).bytes).collect()
    }

    #[test]
    fn what_was_synced_is_never_lost_and_the_rest_may_be_or_not() {
        let file = file(&[b'a'; 700], &[&[b'b'; 600], &[b'c'; 5_000]]);
        let found = found(&file, 3);
        assert!(found.iter().all(|bytes| bytes.starts_with(&[b'a'; 700])));
        let lengths: BTreeSet<_> = found.iter().map(Vec::len).collect();
        for length in [700, 701, 700 + 511, 700 + 512, 700 + 513, 1_300, 1_300 + 4_096, 6_300] {
            assert!(lengths.contains(&length), "{length}");
        }
        assert!(found.contains(&file.bytes));
        assert_eq!(tests::found(&file, 8), BTreeSet::from([file.bytes]));
    }

    #[test]
    fn a_size_without_its_data_leaves_nuls_in_whole_blocks() {
        let file = file(&[b'a'; 700], &[&[b'b'; 2_000]]);
        let found = found(&file, 0);
        let mut with_nuls = found.iter().filter(|bytes| bytes.contains(&0)).peekable();
        assert!(with_nuls.peek().is_some());
        for bytes in with_nuls {
            for (block, bytes) in bytes.chunks(512).enumerate() {
                let written = bytes.iter().take_while(|&&byte| byte != 0).count();
                let before = 700_usize.saturating_sub(block * 512).min(512);
                assert!(written == bytes.len() || written == before, "block {block}: {written}");
            }
        }
    }

    #[test]
    fn a_later_append_takes_the_earlier_one_in_its_block_along() {
        let file = file(b"", &[b"first\n", b"second\n"]);
        let found = found(&file, 4);
        assert!(found.contains(&b"first\n"[..]) && found.contains(&b"first\nsecond\n"[..]));
        assert!(
            found.iter().all(|bytes| bytes.first() != Some(&0) || bytes.iter().all(|&b| b == 0))
        );
    }
}

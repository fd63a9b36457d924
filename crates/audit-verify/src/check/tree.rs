//! The Merkle tree over the records so far, and what its newest roots were. Pure.

use audit_core::{Digest, Frontier};

/// Sizes below the newest whose root can still be told, at least: a `checkpoint_signed` stands within
/// a few records of those that it covers.
const SIZES: usize = 64;

/// A tree that grows leaf by leaf.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    now: Frontier,
    /// An older state, and the leaves since.
    old: Frontier,
    leaves: Vec<Digest>,
    /// A state between the two, which is to be the next older one.
    newer: Frontier,
}

impl Tree {
    pub(super) fn new(now: Frontier) -> Self {
        Self { old: now.clone(), newer: now.clone(), now, leaves: Vec::new() }
    }

    pub(super) fn frontier(&self) -> &Frontier {
        &self.now
    }

    pub(super) fn push(&mut self, leaf: Digest) {
        self.now.push(leaf);
        self.leaves.push(leaf);
        if self.leaves.len() >= SIZES.saturating_mul(2) {
            self.leaves.drain(..SIZES);
            self.old = std::mem::replace(&mut self.newer, self.now.clone());
        } else if self.leaves.len() == SIZES {
            self.newer = self.now.clone();
        }
    }

    /// The root when the tree had this size, if it had it not long ago.
    pub(super) fn root_at(&self, size: u64) -> Option<Digest> {
        let since = usize::try_from(size.checked_sub(self.old.size())?).ok()?;
        let leaves = self.leaves.get(..since)?;
        let mut then = self.old.clone();
        for leaf in leaves {
            then.push(*leaf);
        }
        Some(then.root())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_roots_are_told_at_every_size_and_none_that_is_to_come() {
        let mut tree = Tree::new(Frontier::new());
        let mut roots = vec![Frontier::new().root()];
        for number in 0..400_u64 {
            tree.push(Digest::of(&number.to_be_bytes()));
            roots.push(tree.frontier().root());
            let size = number + 1;
            for back in 0..=SIZES as u64 {
                let Some(then) = size.checked_sub(back) else { continue };
                let root = roots[usize::try_from(then).unwrap()];
                assert_eq!(tree.root_at(then), Some(root), "{then} of {size}");
            }
            assert_eq!(tree.root_at(size + 1), None);
        }
        assert_eq!(tree.root_at(100), None);
        assert!(tree.leaves.len() < 2 * SIZES);
    }
}

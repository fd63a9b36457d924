//! The tree over a segment's records as it was not long ago, which `checkpoint_signed` speaks of.

use audit_core::{Digest, Frontier};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::line::CheckpointRecord;
use crate::broken::{self, Broken};

/// Sizes below the newest whose root is known, at least. The verifier knows as many.
const SIZES: usize = 64;

/// The last records, and the trees before the first of them and before one half of them.
#[derive(Clone, Debug)]
pub(super) struct Recent {
    first: Frontier,
    half: Frontier,
    leaves: Vec<Digest>,
}

impl Recent {
    pub(super) fn new(now: Frontier) -> Self {
        Self { first: now.clone(), half: now, leaves: Vec::new() }
    }

    /// Takes the record behind those of this tree.
    pub(super) fn push(&mut self, leaf: Digest, before: &Frontier) {
        if self.leaves.len() == SIZES.saturating_mul(2) {
            self.leaves.drain(..SIZES);
            self.first = std::mem::replace(&mut self.half, before.clone());
        } else if self.leaves.len() == SIZES {
            self.half = before.clone();
        }
        self.leaves.push(leaf);
    }

    /// Whether a checkpoint is of these records, as far as can be told.
    pub(super) fn allows(&self, signed: &CheckpointRecord) -> bool {
        let root = self.root_at(signed.size);
        let is_its = |root: Digest| STANDARD.encode(root.as_bytes()) == signed.root;
        root.is_none_or(is_its) || broken::is(Broken::RecordedUnread)
    }

    fn root_at(&self, size: u64) -> Option<Digest> {
        let count = usize::try_from(size.checked_sub(self.first.size())?).ok()?;
        let mut then = self.first.clone();
        self.leaves.get(..count)?.iter().for_each(|leaf| then.push(*leaf));
        Some(then.root())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_roots_are_known_and_no_other_is_allowed() {
        let mut now = Frontier::new();
        let mut recent = Recent::new(now.clone());
        let mut roots = vec![now.root()];
        for number in 0..500_u64 {
            let leaf = Digest::of(&number.to_be_bytes());
            recent.push(leaf, &now);
            now.push(leaf);
            roots.push(now.root());
            for back in 0..=SIZES {
                let Some(size) = (roots.len() - 1).checked_sub(back) else { continue };
                let size_said = u64::try_from(size).unwrap();
                assert_eq!(recent.root_at(size_said), Some(roots[size]), "{number} {back}");
                let signed = |root: Digest| CheckpointRecord {
                    size: size_said,
                    root: STANDARD.encode(root.as_bytes()),
                    key_id: "00000000".to_owned(),
                };
                assert!(recent.allows(&signed(roots[size])));
                assert!(!recent.allows(&signed(Digest::of(b"another"))));
            }
        }
        assert_eq!((recent.root_at(501), recent.root_at(0)), (None, None));
    }
}

//! What the hashes of a Merkle tree prove, and how they are gathered (RFC 6962 section 2.1).

mod prover;
#[cfg(test)]
mod tests;

pub use prover::Prover;

use audit_core::Digest;
use audit_core::digest::node_hash;

/// Why hashes prove nothing, or a proof cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// The leaf is not in a tree of that size, or the older tree is larger than the newer one.
    #[error("{inner} is beyond a tree of {size} leaves")]
    OutOfRange {
        /// The index of the leaf, or the size of the older tree.
        inner: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The proof has not as many hashes as trees of these sizes give.
    #[error("{hashes} hashes where a proof has {expected}")]
    Length {
        /// How many there are.
        hashes: usize,
        /// How many there would have to be.
        expected: usize,
    },
    /// The hashes lead to another root: what should be proved is not so.
    #[error("the hashes do not lead to the root")]
    Root,
    /// The leaves ended before the tree did.
    #[error("{given} leaves of a tree of {size}")]
    Leaves {
        /// How many leaves there were.
        given: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The proof needs the hash of a part of the prefix that only its leaves could give.
    #[error("the proof needs leaves before the {prefix} that are known by their frontier alone")]
    Prefix {
        /// The size of the prefix.
        prefix: u64,
    },
}

/// Checks that a leaf is at an index of the tree with this root: a Merkle audit path, RFC 6962
/// section 2.1.1, from the leaf's sibling up to the root's child.
///
/// # Errors
///
/// [`TreeError::OutOfRange`], [`TreeError::Length`] or [`TreeError::Root`], as they say.
pub fn check_inclusion(
    index: u64,
    size: u64,
    leaf: Digest,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), TreeError> {
    if index >= size {
        return Err(TreeError::OutOfRange { inner: index, size });
    }
    let path = Path::new(index, size);
    check_length(proof, path.steps())?;
    let reached = path.zip(proof).fold(leaf, |node, (sibling, side)| match side {
        Side::Left => node_hash(sibling, &node),
        Side::Right => node_hash(&node, sibling),
    });
    if reached == *root { Ok(()) } else { Err(TreeError::Root) }
}

/// Checks that the leaves of an older tree are the first ones of a newer tree: a Merkle consistency
/// proof, RFC 6962 section 2.1.2.
///
/// The RFC has none for an empty older tree; as c2sp.org/tlog-witness says ("add-checkpoint"), the
/// proof is then empty. An empty tree has the root `SHA-256("")` or is none.
///
/// # Errors
///
/// [`TreeError::OutOfRange`], [`TreeError::Length`] or [`TreeError::Root`], as they say.
pub fn check_consistency(
    old_size: u64,
    old_root: &Digest,
    new_size: u64,
    new_root: &Digest,
    proof: &[Digest],
) -> Result<(), TreeError> {
    if old_size > new_size {
        return Err(TreeError::OutOfRange { inner: old_size, size: new_size });
    }
    let empty = Digest::of(b"");
    if (old_size == 0 && *old_root != empty) || (new_size == 0 && *new_root != empty) {
        return Err(TreeError::Root);
    }
    let reached = if old_size == 0 || old_size == new_size {
        check_length(proof, 0)?;
        (*old_root, if old_size == 0 { *new_root } else { *old_root })
    } else {
        both_roots(old_size, old_root, new_size, proof)?
    };
    if reached == (*old_root, *new_root) { Ok(()) } else { Err(TreeError::Root) }
}

/// The roots that a proof leads to, of the older and of the newer tree: from the largest subtree
/// that ends with the older tree, upwards. What lies to the left is in both, what lies to the right
/// in the newer one only.
fn both_roots(
    old_size: u64,
    old_root: &Digest,
    new_size: u64,
    proof: &[Digest],
) -> Result<(Digest, Digest), TreeError> {
    let path = Path::new(old_size.saturating_sub(1), new_size).above(old_size.trailing_zeros());
    // A complete older tree is itself that subtree, and everybody knows its root.
    let is_complete = old_size.is_power_of_two();
    let start = usize::from(!is_complete);
    check_length(proof, path.steps().saturating_add(start))?;
    let first = if is_complete { Some(old_root) } else { proof.first() };
    let (Some(&first), Some(siblings)) = (first, proof.get(start..)) else {
        return Err(TreeError::Root);
    };
    Ok(path.zip(siblings).fold((first, first), |(old, new), (sibling, side)| match side {
        Side::Left => (node_hash(sibling, &old), node_hash(sibling, &new)),
        Side::Right => (old, node_hash(&new, sibling)),
    }))
}

fn check_length(proof: &[Digest], expected: usize) -> Result<(), TreeError> {
    let hashes = proof.len();
    if hashes == expected { Ok(()) } else { Err(TreeError::Length { hashes, expected }) }
}

/// On which side of a node its sibling is.
#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

/// The way from a node up to the root.
#[derive(Clone, Copy)]
struct Path {
    /// The index of the node on its level; its bits say on which side each sibling is.
    index: u64,
    /// How many levels up the way is not yet the right edge of the tree. There, every node has a
    /// sibling; on the edge, only right children have one.
    inner: u32,
}

impl Path {
    /// From a leaf of a tree that has it.
    fn new(index: u64, size: u64) -> Self {
        // The way joins that of the last leaf above the highest bit in which they differ.
        let differing = index ^ size.saturating_sub(1);
        Self { index, inner: u64::BITS.saturating_sub(differing.leading_zeros()) }
    }

    /// From the node so many levels above, which is below the edge.
    fn above(self, levels: u32) -> Self {
        let index = self.index.checked_shr(levels).unwrap_or(0);
        Self { index, inner: self.inner.saturating_sub(levels) }
    }

    fn steps(self) -> usize {
        let edge = self.index.checked_shr(self.inner).unwrap_or(0).count_ones();
        usize::try_from(self.inner.saturating_add(edge)).unwrap_or(usize::MAX)
    }

    /// The siblings, each with its side.
    fn zip(self, siblings: &[Digest]) -> impl Iterator<Item = (&Digest, Side)> {
        siblings.iter().zip(0..).map(move |(sibling, level)| {
            let is_right_child = self.index.checked_shr(level).unwrap_or(0) & 1 == 1;
            let is_left = is_right_child || level >= self.inner;
            (sibling, if is_left { Side::Left } else { Side::Right })
        })
    }
}

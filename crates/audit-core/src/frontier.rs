//! The Merkle frontier: all of a tree that appending to it and signing it need.

use crate::digest::{Digest, node_hash};

/// Most roots a frontier holds: one for each bit of its size.
const ROOTS_MAX: usize = 64;

/// The roots of the maximal complete subtrees of an RFC 6962 tree, largest first: one for each set
/// bit of its size.
#[derive(Debug, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    roots: Vec<Digest>,
}

impl Frontier {
    /// The frontier of the empty tree. Room for every later state is taken here, once.
    #[must_use]
    pub fn new() -> Self {
        Self { size: 0, roots: Vec::with_capacity(ROOTS_MAX) }
    }

    /// The frontier of a tree of `size` leaves with these roots, if that many roots it has.
    #[must_use]
    pub fn from_roots(size: u64, roots: &[Digest]) -> Option<Self> {
        let expected = usize::try_from(size.count_ones()).ok()?;
        if roots.len() != expected {
            return None;
        }
        let mut frontier = Self::new();
        frontier.size = size;
        frontier.roots.extend_from_slice(roots);
        Some(frontier)
    }

    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the maximal complete subtrees, largest first.
    #[must_use]
    pub fn roots(&self) -> &[Digest] {
        &self.roots
    }

    /// Appends a leaf: as a binary counter carries, equal subtrees are joined.
    pub fn push(&mut self, leaf: Digest) {
        let mut node = leaf;
        let mut carry = self.size;
        while carry & 1 == 1 {
            let Some(left) = self.roots.pop() else { break };
            node = node_hash(&left, &node);
            carry >>= 1;
        }
        self.roots.push(node);
        self.size = self.size.saturating_add(1);
    }

    /// The root of the tree, RFC 6962 section 2.1; that of the empty tree is `SHA-256("")`.
    #[must_use]
    pub fn root(&self) -> Digest {
        let smallest_first = self.roots.iter().rev().copied();
        smallest_first
            .reduce(|right, left| node_hash(&left, &right))
            .unwrap_or_else(|| Digest::of(b""))
    }
}

/// A copy has room for every later state, too.
impl Clone for Frontier {
    fn clone(&self) -> Self {
        let mut copy = Self::new();
        copy.size = self.size;
        copy.roots.extend_from_slice(&self.roots);
        copy
    }
}

impl Default for Frontier {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::leaf_hash;

    /// The leaves that the RFC 6962 test vectors of other implementations use.
    const LEAVES: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];

    fn tree(size: usize) -> Frontier {
        let mut frontier = Frontier::new();
        LEAVES.iter().take(size).for_each(|leaf| frontier.push(leaf_hash(leaf)));
        frontier
    }

    #[test]
    fn roots_are_those_of_rfc_6962() {
        let vectors = [
            (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
            (7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
            (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ];
        for (size, root) in vectors {
            assert_eq!(tree(size).root().to_string(), root, "size {size}");
        }
    }

    #[test]
    fn a_stored_frontier_goes_on_where_it_stopped() {
        for (size, leaf) in LEAVES.iter().enumerate() {
            let stored = tree(size);
            let mut resumed = Frontier::from_roots(stored.size(), stored.roots()).unwrap();
            resumed.push(leaf_hash(leaf));
            assert_eq!(resumed, tree(size.saturating_add(1)));
        }
    }

    #[test]
    fn a_frontier_with_a_root_too_many_is_none() {
        assert_eq!(Frontier::from_roots(4, tree(7).roots()), None);
    }
}

//! Makes a proof while the leaves of a tree pass by once, in memory for the proof alone.

use std::collections::VecDeque;

use audit_core::{Digest, Frontier};

use super::TreeError;

/// Makes one proof from the leaves of a tree, which come in order and need not be kept.
///
/// The subtrees whose roots are in a proof lie beside each other, and with the one that the proof is
/// about they are the whole tree. So there is one at a time whose leaves are passing, and its
/// frontier is all that is kept of it.
#[derive(Clone, Debug)]
pub struct Prover {
    size: u64,
    /// How many leaves have passed.
    given: u64,
    /// What is still to come, the first part being the one whose leaves are passing.
    parts: VecDeque<Part>,
    /// Of the leaves of that part.
    frontier: Frontier,
    /// The roots so far, each with its place in the proof.
    roots: Vec<(usize, Digest)>,
}

/// Leaves beside each other whose common root is a node of the tree.
#[derive(Clone, Copy, Debug)]
struct Part {
    start: u64,
    end: u64,
    /// Where its root stands in the proof; what the proof is about is not in it.
    place: Option<usize>,
}

impl Prover {
    /// Makes the proof that a leaf is in a tree, the one that
    /// [`check_inclusion`](super::check_inclusion) checks.
    ///
    /// # Errors
    ///
    /// [`TreeError::OutOfRange`] when the tree has no such leaf.
    pub fn inclusion(index: u64, size: u64) -> Result<Self, TreeError> {
        if index >= size {
            return Err(TreeError::OutOfRange { inner: index, size });
        }
        let (leaf, siblings) = descend(size, index, |node| node.end.abs_diff(node.start) == 1);
        Ok(Self::of_parts(size, Part { place: None, ..leaf }, siblings))
    }

    /// Makes the proof that a tree begins with an older one, the one that
    /// [`check_consistency`](super::check_consistency) checks.
    ///
    /// # Errors
    ///
    /// [`TreeError::OutOfRange`] when the older tree is the larger one.
    pub fn consistency(old_size: u64, size: u64) -> Result<Self, TreeError> {
        if old_size > size {
            return Err(TreeError::OutOfRange { inner: old_size, size });
        }
        let (node, siblings) = match old_size.checked_sub(1) {
            Some(last) => descend(size, last, |node| node.end == old_size),
            None => (Part { start: 0, end: size, place: None }, Vec::new()),
        };
        // Where it is the whole older tree, everybody knows its root (RFC 6962 section 2.1.2).
        let place = (node.start != 0).then_some(0);
        Ok(Self::of_parts(size, Part { place, ..node }, siblings))
    }

    /// From the node that the proof is about, and the siblings on the way down to it.
    fn of_parts(size: u64, node: Part, siblings: Vec<Part>) -> Self {
        let first = usize::from(node.place.is_some());
        let upwards = siblings.into_iter().rev().zip(first..);
        let mut parts: Vec<Part> =
            upwards.map(|(part, place)| Part { place: Some(place), ..part }).collect();
        parts.push(node);
        parts.retain(|part| part.start < part.end);
        parts.sort_unstable_by_key(|part| part.start);
        let parts = VecDeque::from(parts);
        Self { size, given: 0, parts, frontier: Frontier::new(), roots: Vec::new() }
    }

    /// Goes on after a prefix whose leaves are gone and whose frontier is known, instead of beginning
    /// with leaf 0.
    ///
    /// For a leaf at or after the end of the prefix, and for an older tree that is no smaller than
    /// it, this is always possible: left of the way down to such a leaf, each part of the proof is a
    /// maximal complete subtree of the prefix or begins with some of them.
    ///
    /// # Errors
    ///
    /// [`TreeError::Prefix`] when a root is needed that the frontier does not give, or leaves have
    /// been given already.
    pub fn after(mut self, prefix: &Frontier) -> Result<Self, TreeError> {
        let refused = TreeError::Prefix { prefix: prefix.size() };
        if self.given > 0 {
            return Err(refused);
        }
        let sizes = (0..u64::BITS).rev().map(|bit| prefix.size() & (1_u64 << bit));
        for (leaves, root) in sizes.filter(|leaves| *leaves > 0).zip(prefix.roots()) {
            self.push_subtree(leaves, *root).ok_or(refused)?;
        }
        Ok(self)
    }

    /// The next leaf. Those beyond the tree belong to a later one, and change nothing.
    pub fn push(&mut self, leaf: Digest) {
        let Some(part) = self.parts.front().copied() else { return };
        if part.place.is_some() {
            self.frontier.push(leaf);
        }
        self.pass(part, 1);
    }

    /// The hashes, in the order in which they stand in the proof.
    ///
    /// # Errors
    ///
    /// [`TreeError::Leaves`] when there were not enough leaves.
    pub fn finish(mut self) -> Result<Vec<Digest>, TreeError> {
        if self.given < self.size {
            return Err(TreeError::Leaves { given: self.given, size: self.size });
        }
        self.roots.sort_unstable_by_key(|(place, _)| *place);
        Ok(self.roots.into_iter().map(|(_, root)| root).collect())
    }

    /// A complete subtree instead of its leaves; `None` where a part ends inside of it.
    fn push_subtree(&mut self, leaves: u64, root: Digest) -> Option<()> {
        let Some(part) = self.parts.front().copied() else { return Some(()) };
        if leaves > part.end.saturating_sub(self.given) {
            return None;
        }
        if part.place.is_some() {
            let roots = [self.frontier.roots(), &[root]].concat();
            self.frontier =
                Frontier::from_roots(self.frontier.size().saturating_add(leaves), &roots)?;
        }
        self.pass(part, leaves);
        Some(())
    }

    /// Counts leaves of a part, and takes its root when they were its last.
    fn pass(&mut self, part: Part, leaves: u64) {
        self.given = self.given.saturating_add(leaves);
        if self.given < part.end {
            return;
        }
        if let Some(place) = part.place {
            self.roots.push((place, self.frontier.root()));
            self.frontier = Frontier::new();
        }
        self.parts.pop_front();
    }
}

/// Goes down from the root to a node above a leaf, and says what it leaves aside.
fn descend(size: u64, leaf: u64, is_there: impl Fn(Part) -> bool) -> (Part, Vec<Part>) {
    let mut node = Part { start: 0, end: size, place: None };
    let mut siblings = Vec::new();
    while !is_there(node) {
        // "the largest power of two smaller than n", RFC 6962 section 2.1.
        let leaves = node.end.abs_diff(node.start);
        let Some(bit) = leaves.saturating_sub(1).checked_ilog2() else { break };
        let middle = node.start.saturating_add(1_u64 << bit);
        let (left, right) = (Part { end: middle, ..node }, Part { start: middle, ..node });
        let (on_the_way, aside) = if leaf < middle { (left, right) } else { (right, left) };
        siblings.push(aside);
        node = on_the_way;
    }
    (node, siblings)
}

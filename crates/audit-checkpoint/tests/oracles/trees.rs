//! Roots and proofs of trees.

use audit_checkpoint::{Prover, TreeError, check_consistency, check_inclusion};
use audit_core::digest::leaf_hash;
use audit_core::{Digest, Frontier};
use audit_testkit::dice::Dice;
use tlog_tiles::{Hash, HashReader};

use crate::{ROUNDS, flip};

/// Leaves of the largest tree.
const LEAVES_MAX: u64 = 5_000;

/// Sequences of leaves of which the trees are beginnings.
const SEQUENCES: u64 = 8;

/// The hashes of all complete subtrees, in the order in which theirs stores them.
struct Stored(Vec<Hash>);

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|&index| self.0[usize::try_from(index).unwrap()]).collect())
    }
}

/// Leaves, and what both make of them.
struct Sequence {
    leaves: Vec<Digest>,
    /// The root of each beginning, made by ours.
    roots: Vec<Digest>,
    stored: Stored,
}

impl Sequence {
    fn new(dice: &mut Dice) -> Self {
        let mut frontier = Frontier::new();
        let mut sequence =
            Self { leaves: Vec::new(), roots: vec![frontier.root()], stored: Stored(Vec::new()) };
        for at in 0..LEAVES_MAX {
            let data = dice.seed().to_be_bytes();
            let leaf = leaf_hash(&data);
            frontier.push(leaf);
            sequence.leaves.push(leaf);
            sequence.roots.push(frontier.root());
            let hashes = tlog_tiles::stored_hashes(at, &data, &sequence.stored).unwrap();
            sequence.stored.0.extend(hashes);
        }
        sequence
    }

    fn root(&self, size: u64) -> Digest {
        self.roots[usize::try_from(size).unwrap()]
    }

    fn prove(&self, prover: Result<Prover, TreeError>) -> Vec<Digest> {
        let mut prover = prover.unwrap();
        for leaf in &self.leaves {
            prover.push(*leaf);
        }
        prover.finish().unwrap()
    }
}

/// Sizes of every order of magnitude are as likely.
fn size(dice: &mut Dice) -> u64 {
    let most = 1_u64 << dice.between(0, 13);
    dice.between(1, most.min(LEAVES_MAX))
}

fn theirs(digests: &[Digest]) -> Vec<Hash> {
    digests.iter().map(|digest| Hash(*digest.as_bytes())).collect()
}

/// What a proof says, with everything in it that could be changed.
#[derive(Clone)]
struct Claim {
    /// The index of the leaf, or the size of the older tree.
    inner: u64,
    size: u64,
    /// The leaf, or the root of the older tree.
    of: Digest,
    root: Digest,
    proof: Vec<Digest>,
}

impl Claim {
    /// The same with one bit changed, or a hash too many or too few.
    fn spoiled(mut self, dice: &mut Dice) -> Self {
        match dice.index(7) {
            0 => self.inner ^= 1 << dice.index(64),
            1 => self.size ^= 1 << dice.index(64),
            2 => flip_digest(dice, &mut self.of),
            3 => flip_digest(dice, &mut self.root),
            4 => self.proof.push(self.root),
            5 if !self.proof.is_empty() => drop(self.proof.remove(dice.index(self.proof.len()))),
            _ if !self.proof.is_empty() => {
                let at = dice.index(self.proof.len());
                flip_digest(dice, &mut self.proof[at]);
            }
            _ => flip_digest(dice, &mut self.root),
        }
        self
    }

    fn is_inclusion_by_ours(&self) -> bool {
        check_inclusion(self.inner, self.size, self.of, &self.proof, &self.root).is_ok()
    }

    fn is_inclusion_by_theirs(&self) -> bool {
        let (of, root) = (Hash(*self.of.as_bytes()), Hash(*self.root.as_bytes()));
        tlog_tiles::check_record(&theirs(&self.proof), self.size, root, self.inner, of).is_ok()
    }

    fn is_consistent_by_ours(&self) -> bool {
        check_consistency(self.inner, &self.of, self.size, &self.root, &self.proof).is_ok()
    }

    fn is_consistent_by_theirs(&self) -> bool {
        let (of, root) = (Hash(*self.of.as_bytes()), Hash(*self.root.as_bytes()));
        tlog_tiles::check_tree(&theirs(&self.proof), self.size, root, self.inner, of).is_ok()
    }
}

fn flip_digest(dice: &mut Dice, digest: &mut Digest) {
    let mut bytes = *digest.as_bytes();
    flip(dice, &mut bytes);
    *digest = Digest::from_bytes(bytes);
}

/// Draws trees, each beginning one of the sequences.
fn each_tree(seed: u64, mut look: impl FnMut(&mut Dice, &Sequence, u64)) {
    let mut dice = Dice::new(seed);
    let sequences: Vec<Sequence> = (0..SEQUENCES).map(|_| Sequence::new(&mut dice)).collect();
    for _ in 0..ROUNDS {
        let sequence = &sequences[dice.index(sequences.len())];
        let size = size(&mut dice);
        look(&mut dice, sequence, size);
    }
}

/// A changed size is refused or not, as long as both agree: where the way from the leaf to the root is
/// the same in both trees, so is the proof. What binds the size is the signature of the checkpoint.
#[test]
fn inclusion_in_ten_thousand_trees() {
    each_tree(1, |dice, sequence, size| {
        let root = sequence.root(size);
        let their_root = tlog_tiles::tree_hash(size, &sequence.stored).unwrap();
        assert_eq!(root.as_bytes(), &their_root.0, "size {size}");
        let inner = dice.between(0, size - 1);
        let proof = sequence.prove(Prover::inclusion(inner, size));
        let their_proof = tlog_tiles::prove_record(size, inner, &sequence.stored).unwrap();
        assert!(theirs(&proof) == their_proof, "{inner} of {size}");
        let of = sequence.leaves[usize::try_from(inner).unwrap()];
        let claim = Claim { inner, size, of, root, proof };
        assert!(claim.is_inclusion_by_ours() && claim.is_inclusion_by_theirs());
        let spoiled = claim.spoiled(dice);
        assert_eq!(spoiled.is_inclusion_by_ours(), spoiled.is_inclusion_by_theirs());
        assert!(!spoiled.is_inclusion_by_ours() || spoiled.size != size, "{inner} of {size}");
    });
}

/// An older tree of size 0 is not among them: RFC 6962 section 2.1.2 has proofs for 0 < m < n only,
/// so theirs refuses it, while c2sp.org/tlog-witness ("add-checkpoint") says "the empty tree is
/// consistent with any tree", so ours takes it with an empty proof.
#[test]
fn consistency_of_ten_thousand_trees() {
    each_tree(2, |dice, sequence, size| {
        let inner = dice.between(1, size);
        let proof = sequence.prove(Prover::consistency(inner, size));
        let their_proof = tlog_tiles::prove_tree(size, inner, &sequence.stored).unwrap();
        assert!(theirs(&proof) == their_proof, "{inner} of {size}");
        let (of, root) = (sequence.root(inner), sequence.root(size));
        let claim = Claim { inner, size, of, root, proof };
        assert!(claim.is_consistent_by_ours() && claim.is_consistent_by_theirs());
        let spoiled = claim.spoiled(dice);
        if spoiled.inner > 0 {
            assert_eq!(spoiled.is_consistent_by_ours(), spoiled.is_consistent_by_theirs());
        }
        assert!(!spoiled.is_consistent_by_ours() || spoiled.size != size, "{inner} of {size}");
    });
}

/// Proofs that fit nothing: whatever the numbers are, both refuse, and neither panics.
#[test]
fn proofs_of_chance() {
    let mut dice = Dice::new(3);
    for _ in 0..ROUNDS {
        let shift = dice.between(0, 63);
        let (inner, size) = (dice.seed() >> shift, dice.seed() >> shift);
        let mut digest = || Digest::of(&dice.seed().to_be_bytes());
        let (of, root) = (digest(), digest());
        let proof = (0..dice.index(68)).map(|_| root).collect();
        let claim = Claim { inner, size, of, root, proof };
        assert!(!claim.is_inclusion_by_ours() && !claim.is_inclusion_by_theirs());
        assert!(!claim.is_consistent_by_ours() && !claim.is_consistent_by_theirs());
    }
}

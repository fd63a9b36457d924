//! Proofs against RFC 6962's own words, which are recursive.

#![expect(clippy::arithmetic_side_effects, reason = "the trees of tests are small")]

use super::*;
use audit_core::Frontier;
use audit_core::digest::leaf_hash;

/// Trees of up to so many leaves are tried in full.
const SIZES: usize = 40;

fn leaves(count: usize) -> Vec<Digest> {
    (0..count).map(|index| leaf_hash(&index.to_be_bytes())).collect()
}

fn split(size: usize) -> usize {
    size.next_power_of_two() / 2
}

/// `MTH(D[n])`, section 2.1.
fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::of(b""),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

/// `PATH(m, D[n])`, section 2.1.1.
fn audit_path(m: usize, leaves: &[Digest]) -> Vec<Digest> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut path, other) =
        if m < k { (audit_path(m, left), right) } else { (audit_path(m - k, right), left) };
    path.push(root(other));
    path
}

/// `SUBPROOF(m, D[n], b)`, section 2.1.2.
fn subproof(m: usize, leaves: &[Digest], is_old: bool) -> Vec<Digest> {
    if m == leaves.len() {
        return if is_old { Vec::new() } else { vec![root(leaves)] };
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut proof, other) = if m <= k {
        (subproof(m, left, is_old), right)
    } else {
        (subproof(m - k, right, false), left)
    };
    proof.push(root(other));
    proof
}

fn frontier(leaves: &[Digest]) -> Frontier {
    let mut frontier = Frontier::new();
    for leaf in leaves {
        frontier.push(*leaf);
    }
    frontier
}

/// What a prover says after a prefix and the leaves behind it.
fn prove(prover: Prover, prefix: usize, leaves: &[Digest]) -> Result<Vec<Digest>, TreeError> {
    let mut prover = prover.after(&frontier(&leaves[..prefix]))?;
    for leaf in &leaves[prefix..] {
        prover.push(*leaf);
    }
    prover.finish()
}

fn size(leaves: &[Digest]) -> u64 {
    leaves.len().try_into().unwrap()
}

fn check(old: &[Digest], new: &[Digest], proof: &[Digest]) -> Result<(), TreeError> {
    check_consistency(size(old), &root(old), size(new), &root(new), proof)
}

#[test]
fn inclusion_is_proved_in_one_pass_and_checked() {
    for count in 1..=SIZES {
        let leaves = leaves(count);
        for index in 0..count {
            let at = index.try_into().unwrap();
            let proof = prove(Prover::inclusion(at, size(&leaves)).unwrap(), 0, &leaves).unwrap();
            assert_eq!(proof, audit_path(index, &leaves), "{index} of {count}");
            let check = |at, size, leaf| check_inclusion(at, size, leaf, &proof, &root(&leaves));
            assert_eq!(check(at, size(&leaves), leaves[index]), Ok(()), "{index} of {count}");
            let other = leaves[(index + 1) % count];
            assert_eq!(check(at, size(&leaves), other).is_ok(), count == 1);
        }
    }
}

#[test]
fn consistency_is_proved_in_one_pass_and_checked() {
    for count in 0..=SIZES {
        let leaves = leaves(count);
        for old in 0..=count {
            let prover = Prover::consistency(old.try_into().unwrap(), size(&leaves)).unwrap();
            let proof = prove(prover, 0, &leaves).unwrap();
            let expected = if old == 0 { Vec::new() } else { subproof(old, &leaves, true) };
            assert_eq!(proof, expected, "{old} of {count}");
            assert_eq!(check(&leaves[..old], &leaves, &proof), Ok(()), "{old} of {count}");
        }
    }
}

#[test]
fn a_hash_that_is_changed_missing_or_too_much_proves_nothing() {
    for count in 1..=SIZES {
        let leaves = leaves(count);
        let (index, old) = (count / 3, count - count / 4);
        for (proof, is_inclusion) in
            [(audit_path(index, &leaves), true), (subproof(old, &leaves, true), false)]
        {
            let check = |proof: &[Digest]| {
                if is_inclusion {
                    let (at, size, root) =
                        (index.try_into().unwrap(), size(&leaves), root(&leaves));
                    check_inclusion(at, size, leaves[index], proof, &root)
                } else {
                    check(&leaves[..old], &leaves, proof)
                }
            };
            assert_eq!(check(&proof), Ok(()));
            for at in 0..proof.len() {
                let mut changed = proof.clone();
                changed[at] = Digest::of(b"other");
                assert_eq!(check(&changed), Err(TreeError::Root));
            }
            let (hashes, expected) = (proof.len() + 1, proof.len());
            let more = [proof.as_slice(), &[Digest::ZERO]].concat();
            assert_eq!(check(&more), Err(TreeError::Length { hashes, expected }));
            if let Some(hashes) = expected.checked_sub(1) {
                assert_eq!(check(&proof[1..]), Err(TreeError::Length { hashes, expected }));
            }
        }
    }
}

#[test]
fn a_tree_that_was_rewritten_is_not_consistent() {
    for count in 2..=SIZES {
        let (new, mut old) = (leaves(count), leaves(count - 1));
        let proof = subproof(old.len(), &new, true);
        let last = old.len() - 1;
        for at in [0, last / 2, last] {
            old[at] = Digest::of(b"other");
            assert_eq!(check(&old, &new, &proof), Err(TreeError::Root), "{at} of {count}");
        }
    }
}

#[test]
fn an_empty_tree_begins_every_tree_and_has_one_root() {
    let leaves = leaves(3);
    assert_eq!(check(&[], &leaves, &[]), Ok(()));
    assert_eq!(check(&[], &[], &[]), Ok(()));
    let length = TreeError::Length { hashes: 1, expected: 0 };
    assert_eq!(check(&[], &leaves, &[Digest::ZERO]), Err(length));
    assert_eq!(check(&leaves, &leaves, &[Digest::ZERO]), Err(length));
    let (zero, empty) = (Digest::ZERO, root(&[]));
    assert_eq!(check_consistency(0, &zero, 3, &root(&leaves), &[]), Err(TreeError::Root));
    assert_eq!(check_consistency(0, &zero, 0, &zero, &[]), Err(TreeError::Root));
    assert_eq!(check_consistency(0, &empty, 0, &zero, &[]), Err(TreeError::Root));
    assert_eq!(check_consistency(3, &zero, 3, &root(&leaves), &[]), Err(TreeError::Root));
}

#[test]
fn what_is_beyond_the_tree_is_refused() {
    let error = TreeError::OutOfRange { inner: 3, size: 3 };
    assert_eq!(check_inclusion(3, 3, Digest::ZERO, &[], &Digest::ZERO), Err(error));
    assert_eq!(Prover::inclusion(3, 3).map(|_| ()), Err(error));
    let error = TreeError::OutOfRange { inner: 4, size: 3 };
    assert_eq!(check_consistency(4, &Digest::ZERO, 3, &Digest::ZERO, &[]), Err(error));
    assert_eq!(Prover::consistency(4, 3).map(|_| ()), Err(error));
    assert_eq!(
        Prover::inclusion(0, 0).map(|_| ()),
        Err(TreeError::OutOfRange { inner: 0, size: 0 })
    );
}

/// Sizes that nobody has leaves for: the number of hashes is right, and nothing overflows.
#[test]
fn the_largest_trees_are_no_trouble() {
    let proof = vec![Digest::ZERO; 64];
    for (index, size) in [(0, u64::MAX), (u64::MAX - 1, u64::MAX), (1 << 62, 1 << 63)] {
        let prover = Prover::inclusion(index, size).unwrap();
        assert_eq!(prover.finish(), Err(TreeError::Leaves { given: 0, size }));
        let expected = audit_path_length(index, size);
        let checked = check_inclusion(index, size, Digest::ZERO, &proof[..expected], &Digest::ZERO);
        assert_eq!(checked, Err(TreeError::Root), "{index} of {size}");
    }
    for (old, new) in [(1, u64::MAX), (3, u64::MAX), (1 << 63, u64::MAX), (u64::MAX - 1, u64::MAX)]
    {
        assert!(Prover::consistency(old, new).is_ok());
        let zero = Digest::ZERO;
        let checked = check_consistency(old, &zero, new, &zero, &[zero; 70]);
        assert!(matches!(checked, Err(TreeError::Length { hashes: 70, expected: 1..=65 })));
    }
}

fn audit_path_length(index: u64, size: u64) -> usize {
    if size == 1 {
        return 0;
    }
    let k = 1 << (size - 1).ilog2();
    1 + if index < k { audit_path_length(index, k) } else { audit_path_length(index - k, size - k) }
}

#[test]
fn what_was_pruned_is_no_obstacle_to_what_came_after() {
    for count in 1..=SIZES {
        let leaves = leaves(count);
        for prefix in 0..=count {
            for index in prefix..count {
                let prover = Prover::inclusion(index.try_into().unwrap(), size(&leaves)).unwrap();
                assert_eq!(prove(prover, prefix, &leaves), Ok(audit_path(index, &leaves)));
            }
            for old in prefix.max(1)..=count {
                let prover = Prover::consistency(old.try_into().unwrap(), size(&leaves)).unwrap();
                assert_eq!(prove(prover, prefix, &leaves), Ok(subproof(old, &leaves, true)));
            }
        }
    }
}

/// Where the hashes happen to be in the frontier, there is a proof also for what was pruned; where
/// not, nothing is made up.
#[test]
fn a_proof_for_what_was_pruned_is_right_or_refused() {
    let mut refused = 0;
    for count in 1..=SIZES {
        let leaves = leaves(count);
        for prefix in 1..=count {
            for index in 0..prefix {
                let prover = Prover::inclusion(index.try_into().unwrap(), size(&leaves)).unwrap();
                match prove(prover, prefix, &leaves) {
                    Ok(proof) => assert_eq!(proof, audit_path(index, &leaves)),
                    Err(error) => {
                        assert_eq!(error, TreeError::Prefix { prefix: prefix.try_into().unwrap() });
                        refused += 1;
                    }
                }
            }
            for old in 1..prefix {
                let prover = Prover::consistency(old.try_into().unwrap(), size(&leaves)).unwrap();
                let made = prove(prover, prefix, &leaves);
                assert!(made.is_err() || made == Ok(subproof(old, &leaves, true)));
            }
        }
    }
    assert!(refused > SIZES, "{refused}");
}

#[test]
fn leaves_that_are_missing_are_missed_and_later_ones_do_no_harm() {
    let leaves = leaves(9);
    let prover = Prover::inclusion(2, 8).unwrap();
    let error = TreeError::Leaves { given: 7, size: 8 };
    assert_eq!(prove(prover.clone(), 0, &leaves[..7]), Err(error));
    assert_eq!(prove(prover.clone(), 0, &leaves), Ok(audit_path(2, &leaves[..8])));
    // A prefix comes before the leaves.
    let mut begun = prover;
    begun.push(leaves[0]);
    let error = begun.after(&frontier(&leaves[..2])).map(|_| ()).unwrap_err();
    assert_eq!(error, TreeError::Prefix { prefix: 2 });
}

//! What a log is, told by the offsets of the format and the tree of RFC 6962 alone.

use std::collections::BTreeSet;

use audit_checkpoint::{Checkpoint, Note, SignedCheckpoint, VerifyingKey};
use audit_core::digest::leaf_hash;
use audit_core::{Digest, Frontier, Receipt};

use crate::log::Files;

/// `,"hash":"` and 64 digits and `"}` and a line feed.
const HASH_BYTES: usize = 9 + 64 + 3;
/// `,"seal":"` and 22 characters and `"`.
const SEAL_BYTES: usize = 9 + 22 + 1;
/// `,"prev_hash":"` and 64 digits and `"`.
const PREV_HASH_BYTES: usize = 14 + 64 + 1;

/// Whether a file is a segment by the end of its name.
pub(crate) fn is_segment(name: &str) -> bool {
    name.ends_with(".audit.jsonl")
}

/// The hash of a whole line that has a right one, and the one that it says the record before has.
fn hashed(line: &[u8]) -> Option<(Digest, Digest)> {
    let (body, end) = line.split_at_checked(line.len().checked_sub(HASH_BYTES)?)?;
    let hash = leaf_hash(body);
    if end != format!(",\"hash\":\"{hash}\"}}\n").as_bytes() {
        return None;
    }
    let body = without_seal(body).unwrap_or(body);
    let before = body.get(body.len().checked_sub(PREV_HASH_BYTES)?..)?;
    let digits = before.strip_prefix(b",\"prev_hash\":\"")?.strip_suffix(b"\"")?;
    Some((Digest::from_hex(digits)?, hash))
}

/// What is before a seal, where there is one.
fn without_seal(body: &[u8]) -> Option<&[u8]> {
    let (before, seal) = body.split_at_checked(body.len().checked_sub(SEAL_BYTES)?)?;
    seal.starts_with(b",\"seal\":\"").then_some(before)
}

fn lines(files: &Files) -> impl Iterator<Item = &[u8]> {
    let segments = files.iter().filter(|(name, _)| is_segment(name));
    segments.flat_map(|(_, bytes)| bytes.split_inclusive(|&byte| byte == b'\n'))
}

/// The hashes of all lines that have a right one.
pub(crate) fn hashes(files: &Files) -> BTreeSet<String> {
    lines(files).filter_map(hashed).map(|(_, hash)| hash.to_string()).collect()
}

/// The hashes of the records that follow from each other, from the first one on. Where a segment
/// follows an older one than the last of them, the others had no seal yet and were lost.
pub(crate) fn chain(files: &Files) -> Vec<Digest> {
    let mut chain: Vec<Digest> = Vec::new();
    for (_, bytes) in files.iter().filter(|(name, _)| is_segment(name)) {
        let lines = bytes.split_inclusive(|&byte| byte == b'\n');
        for (number, line) in lines.enumerate() {
            let Some((prev_hash, hash)) = hashed(line) else { continue };
            let followed = chain.iter().rposition(|hash| *hash == prev_hash);
            if let (0, Some(followed)) = (number, followed) {
                chain.truncate(followed.saturating_add(1));
            }
            if prev_hash == chain.last().copied().unwrap_or(Digest::ZERO) {
                chain.push(hash);
            }
        }
    }
    chain
}

/// Whether these are the records that a checkpoint covers.
pub(crate) fn holds(chain: &[Digest], checkpoint: &Checkpoint) -> bool {
    let size = usize::try_from(checkpoint.size()).unwrap_or(usize::MAX);
    let Some(covered) = chain.get(..size) else { return false };
    let mut frontier = Frontier::new();
    for hash in covered {
        frontier.push(*hash);
    }
    frontier.root() == *checkpoint.root()
}

pub(crate) fn holds_head(chain: &[Digest], head: &Receipt) -> bool {
    usize::try_from(head.seq).is_ok_and(|seq| chain.get(seq) == Some(&head.hash))
}

/// What a note says, if one of the keys has signed it, or if there are no keys.
pub(crate) fn vouched(note: &Note, keys: &[VerifyingKey]) -> Option<Checkpoint> {
    if keys.is_empty() {
        return note.text().parse().ok();
    }
    let signed = SignedCheckpoint::open(note.clone(), keys).ok()?;
    Some(signed.checkpoint().clone())
}

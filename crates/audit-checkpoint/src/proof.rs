//! Proofs as texts that carry their checkpoint with them (c2sp.org/tlog-proof).

mod consistency;
mod inclusion;
#[cfg(test)]
mod tests;

pub use consistency::ConsistencyProof;
pub use inclusion::InclusionProof;

use std::fmt;

use audit_core::Digest;
use audit_core::limits::{PROOF_BYTES_MAX, PROOF_EXTRA_BYTES_MAX, PROOF_HASHES_MAX};

use crate::checkpoint::CheckpointError;
use crate::encoding::{base64, digest_from_base64};
use crate::note::{Note, NoteError};
use crate::tree::TreeError;

/// Why a text is no proof, or proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The proof has more bytes than [`PROOF_BYTES_MAX`].
    #[error("a proof has at most {PROOF_BYTES_MAX} bytes")]
    TooLong,
    /// The proof is not UTF-8, or has no empty line with a checkpoint after it.
    #[error("a proof is lines of text, an empty line, and a checkpoint")]
    NoCheckpoint,
    /// The first line is not `c2sp.org/tlog-proof@v1`.
    #[error("not an inclusion proof: the first line is not c2sp.org/tlog-proof@v1")]
    Version,
    /// The extra data is empty or no Base 64, or has more bytes than [`PROOF_EXTRA_BYTES_MAX`].
    #[error("the extra data is not 1 to {PROOF_EXTRA_BYTES_MAX} bytes in Base 64")]
    Extra,
    /// The line with the index or the old size is missing, or its number is no ASCII decimal below
    /// 2^64 without leading zero.
    #[error("the line with the index or the old size is missing or malformed")]
    Number,
    /// A line that should be a hash is not the Base 64 of 32 bytes.
    #[error("a hash of the proof is not 32 bytes in Base 64")]
    Hash,
    /// There are more hashes than [`PROOF_HASHES_MAX`].
    #[error("a proof has at most {PROOF_HASHES_MAX} hashes")]
    TooManyHashes,
    /// What follows the empty line is no signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The checkpoint is none, or is not signed by a trusted key of its log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The two checkpoints are not of one log.
    #[error("a checkpoint of {new} does not follow one of {old}")]
    OtherLog {
        /// The log of the older checkpoint.
        old: String,
        /// The log of the newer one.
        new: String,
    },
    /// The proof begins at another size than the older checkpoint has.
    #[error("the proof begins at size {proof}, the older checkpoint is of size {checkpoint}")]
    OldSize {
        /// What the proof says.
        proof: u64,
        /// What the checkpoint says.
        checkpoint: u64,
    },
    /// The hashes do not prove it.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// Takes a proof apart at its first empty line: the lines before it, and the note.
fn split(bytes: &[u8]) -> Result<(std::str::Split<'_, char>, Note), ProofError> {
    if bytes.len() > PROOF_BYTES_MAX {
        return Err(ProofError::TooLong);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| ProofError::NoCheckpoint)?;
    let (head, note) = text.split_once("\n\n").ok_or(ProofError::NoCheckpoint)?;
    Ok((head.split('\n'), Note::parse(note.as_bytes())?))
}

/// Reads what is left of the lines: a hash each.
fn hashes<'l>(lines: impl Iterator<Item = &'l str>) -> Result<Vec<Digest>, ProofError> {
    let mut hashes = Vec::new();
    for line in lines {
        hashes.push(digest_from_base64(line).ok_or(ProofError::Hash)?);
        check_count(&hashes)?;
    }
    Ok(hashes)
}

fn check_count(hashes: &[Digest]) -> Result<(), ProofError> {
    if hashes.len() > PROOF_HASHES_MAX { Err(ProofError::TooManyHashes) } else { Ok(()) }
}

/// Writes the hashes, the empty line and the note.
fn write_rest(f: &mut fmt::Formatter<'_>, hashes: &[Digest], note: &Note) -> fmt::Result {
    hashes.iter().try_for_each(|hash| writeln!(f, "{}", base64(hash.as_bytes())))?;
    write!(f, "\n{note}")
}

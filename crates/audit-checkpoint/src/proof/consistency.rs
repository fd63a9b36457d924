//! That a log only grew: what a witness is sent (c2sp.org/tlog-witness, "add-checkpoint"). No
//! specification has a file for it, so the body of that request is the file.

use std::fmt;

use audit_core::Digest;

use super::{ProofError, check_count, hashes, split, write_rest};
use crate::checkpoint::SignedCheckpoint;
use crate::encoding::from_decimal;
use crate::key::VerifyingKey;
use crate::note::Note;
use crate::tree::check_consistency;

/// That the tree of a checkpoint begins with an older one: the size of that one, the hashes, and the
/// newer checkpoint. Nothing of it is checked until [`check`](Self::check) is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsistencyProof {
    old_size: u64,
    hashes: Vec<Digest>,
    note: Note,
}

impl ConsistencyProof {
    /// A proof of these parts: the hashes as [`Prover::consistency`](crate::Prover::consistency)
    /// makes them, and the note of the newer checkpoint.
    ///
    /// # Errors
    ///
    /// [`ProofError::TooManyHashes`].
    pub fn new(old_size: u64, hashes: Vec<Digest>, note: Note) -> Result<Self, ProofError> {
        check_count(&hashes)?;
        Ok(Self { old_size, hashes, note })
    }

    /// Reads the text of a proof, or the body of a request.
    ///
    /// # Errors
    ///
    /// [`ProofError::TooLong`], [`ProofError::NoCheckpoint`], [`ProofError::Number`],
    /// [`ProofError::Hash`], [`ProofError::TooManyHashes`] and [`ProofError::Note`], as their
    /// descriptions say.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofError> {
        let (mut lines, note) = split(bytes)?;
        let old = lines.next().and_then(|line| line.strip_prefix("old "));
        let old_size = old.and_then(from_decimal).ok_or(ProofError::Number)?;
        Ok(Self { old_size, hashes: hashes(lines)?, note })
    }

    /// The number of leaves of the older tree.
    #[must_use]
    pub fn old_size(&self) -> u64 {
        self.old_size
    }

    /// The hashes, in the order of RFC 6962 section 2.1.2.
    #[must_use]
    pub fn hashes(&self) -> &[Digest] {
        &self.hashes
    }

    /// The newer checkpoint's note.
    #[must_use]
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// Checks that the newer log is the older one, or that with records added, and gives the newer
    /// checkpoint.
    ///
    /// # Errors
    ///
    /// [`ProofError::Checkpoint`] where the newer checkpoint is not to be trusted,
    /// [`ProofError::OtherLog`] and [`ProofError::OldSize`] where the proof is not about these two,
    /// and [`ProofError::Tree`] where the hashes do not prove it.
    pub fn check(
        &self,
        old: &SignedCheckpoint,
        keys: &[VerifyingKey],
    ) -> Result<SignedCheckpoint, ProofError> {
        let signed = SignedCheckpoint::open(self.note.clone(), keys)?;
        let (old, new) = (old.checkpoint(), signed.checkpoint());
        if old.origin() != new.origin() {
            let (old, new) = (old.origin().to_owned(), new.origin().to_owned());
            return Err(ProofError::OtherLog { old, new });
        }
        if old.size() != self.old_size {
            return Err(ProofError::OldSize { proof: self.old_size, checkpoint: old.size() });
        }
        check_consistency(old.size(), old.root(), new.size(), new.root(), &self.hashes)?;
        Ok(signed)
    }
}

/// The text, byte for byte as [`parse`](ConsistencyProof::parse) read it.
impl fmt::Display for ConsistencyProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old_size)?;
        write_rest(f, &self.hashes, &self.note)
    }
}

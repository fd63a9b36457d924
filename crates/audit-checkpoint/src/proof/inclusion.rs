//! That a record is in a log: a `.tlog-proof` file (c2sp.org/tlog-proof, "Format").

use std::fmt;

use audit_core::Digest;
use audit_core::limits::PROOF_EXTRA_BYTES_MAX;

use super::{ProofError, check_count, hashes, split, write_rest};
use crate::checkpoint::SignedCheckpoint;
use crate::encoding::{base64, from_base64, from_decimal};
use crate::key::VerifyingKey;
use crate::note::Note;
use crate::tree::check_inclusion;

const VERSION: &str = "c2sp.org/tlog-proof@v1";

/// That a leaf is in a log: its index, the hashes from it to the root, and the checkpoint. Nothing
/// of it is checked until [`check`](Self::check) is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionProof {
    extra: Option<Vec<u8>>,
    index: u64,
    hashes: Vec<Digest>,
    note: Note,
}

impl InclusionProof {
    /// A proof of these parts: the hashes as [`Prover::inclusion`](crate::Prover::inclusion) makes
    /// them, and the note of the checkpoint.
    ///
    /// # Errors
    ///
    /// [`ProofError::TooManyHashes`].
    pub fn new(index: u64, hashes: Vec<Digest>, note: Note) -> Result<Self, ProofError> {
        check_count(&hashes)?;
        Ok(Self { extra: None, index, hashes, note })
    }

    /// Reads the text of a proof.
    ///
    /// # Errors
    ///
    /// [`ProofError::TooLong`], [`ProofError::NoCheckpoint`], [`ProofError::Version`],
    /// [`ProofError::Extra`], [`ProofError::Number`], [`ProofError::Hash`],
    /// [`ProofError::TooManyHashes`] and [`ProofError::Note`], as their descriptions say.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofError> {
        let (mut lines, note) = split(bytes)?;
        if lines.next() != Some(VERSION) {
            return Err(ProofError::Version);
        }
        let mut line = lines.next().ok_or(ProofError::Number)?;
        let mut extra = None;
        if let Some(encoded) = line.strip_prefix("extra ") {
            extra = Some(parse_extra(encoded)?);
            line = lines.next().ok_or(ProofError::Number)?;
        }
        let index = line.strip_prefix("index ").and_then(from_decimal).ok_or(ProofError::Number)?;
        Ok(Self { extra, index, hashes: hashes(lines)?, note })
    }

    /// Where the leaf is said to be, from 0.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The hashes, the sibling of the leaf first.
    #[must_use]
    pub fn hashes(&self) -> &[Digest] {
        &self.hashes
    }

    /// The checkpoint's note.
    #[must_use]
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// What an application put beside the proof. Nothing signs it: "Applications MUST NOT
    /// implicitly trust the extra data" (c2sp.org/tlog-proof, "Format").
    #[must_use]
    pub fn extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }

    /// Checks that the leaf is in the log, and gives the checkpoint that says so, with the witnesses
    /// among the keys: whether they are enough is for a [`Policy`](crate::Policy) to say
    /// (c2sp.org/tlog-proof, "Verifying a tlog proof", steps 2 to 4).
    ///
    /// # Errors
    ///
    /// [`ProofError::Checkpoint`] where the checkpoint is not to be trusted, and
    /// [`ProofError::Tree`] where the hashes do not prove it.
    pub fn check(
        &self,
        leaf: Digest,
        keys: &[VerifyingKey],
    ) -> Result<SignedCheckpoint, ProofError> {
        let signed = SignedCheckpoint::open(self.note.clone(), keys)?;
        let checkpoint = signed.checkpoint();
        check_inclusion(self.index, checkpoint.size(), leaf, &self.hashes, checkpoint.root())?;
        Ok(signed)
    }
}

/// The text, byte for byte as [`parse`](InclusionProof::parse) read it.
impl fmt::Display for InclusionProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{VERSION}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", base64(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        write_rest(f, &self.hashes, &self.note)
    }
}

/// "If no extra data is present, this line is omitted", so there is some.
fn parse_extra(encoded: &str) -> Result<Vec<u8>, ProofError> {
    let extra = from_base64(encoded).ok_or(ProofError::Extra)?;
    if extra.is_empty() || extra.len() > PROOF_EXTRA_BYTES_MAX {
        return Err(ProofError::Extra);
    }
    Ok(extra)
}

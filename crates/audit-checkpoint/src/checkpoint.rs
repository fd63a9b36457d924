//! The size and the root of a log's tree, signed by the log (c2sp.org/tlog-checkpoint).

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use audit_core::Digest;
use audit_core::limits::NOTE_BYTES_MAX;

use crate::encoding::{base64, digest_from_base64, from_decimal, has_control};
use crate::key::{KeyKind, KeyName, SigningKey, VerifyingKey};
use crate::note::{Note, NoteError, Verified};

/// Why a text is no checkpoint, or a checkpoint is not to be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The text is not at least three lines that are not empty, each ended by a line feed, without
    /// other control characters, or longer than a note may be.
    #[error("a checkpoint is an origin, a size, a root, and nothing but non-empty lines")]
    Lines,
    /// The second line is no ASCII decimal below 2^64, or has a leading zero.
    #[error("the second line of a checkpoint is its size in decimal")]
    Size,
    /// The third line is not the Base 64 of 32 bytes.
    #[error("the third line of a checkpoint is its root in Base 64")]
    Root,
    /// The key that should sign is not the log's: its name is not the origin, or it is not of
    /// [`KeyKind::Ed25519`].
    #[error("the key {name} is not that of the log {origin}")]
    WrongKey {
        /// What the key is called.
        name: KeyName,
        /// The log of the checkpoint.
        origin: String,
    },
    /// Trusted keys have signed the note, but none that is the log's own.
    #[error("no trusted key of the log {origin} has signed the checkpoint")]
    NotByItsLog {
        /// The log of the checkpoint.
        origin: String,
    },
    /// The note is malformed, false, or not signed by any trusted key.
    #[error(transparent)]
    Note(#[from] NoteError),
}

/// What a log says of its tree. Anybody can make one: see [`SignedCheckpoint`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Digest,
    /// Lines, each with its line feed.
    extensions: String,
}

impl Checkpoint {
    /// The checkpoint of a log, called like its key, over the first `size` leaves.
    #[must_use]
    pub fn new(origin: &KeyName, size: u64, root: Digest) -> Self {
        Self { origin: origin.as_str().to_owned(), size, root, extensions: String::new() }
    }

    /// The log whose tree this is.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree, RFC 6962 section 2.1.
    #[must_use]
    pub fn root(&self) -> &Digest {
        &self.root
    }

    /// The root as the note's text has it: in Base 64.
    #[must_use]
    pub fn root_base64(&self) -> String {
        base64(self.root.as_bytes())
    }

    /// The lines after the third, which mean nothing here.
    pub fn extensions(&self) -> impl Iterator<Item = &str> {
        self.extensions.lines()
    }

    /// The note that says so, signed by the log.
    ///
    /// The key's name has to be the origin: "SHOULD match" (c2sp.org/tlog-checkpoint,
    /// "Signatures"), and c2sp.org/tlog-policy knows logs by nothing else. That the tree extends
    /// all that the log signed before is the caller's to know.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::WrongKey`], and [`CheckpointError::Note`] where the origin is so long that
    /// the note could not be read again.
    pub fn sign(&self, key: &SigningKey) -> Result<Note, CheckpointError> {
        if !is_key_of(key.verifying_key(), self) {
            let (name, origin) = (key.name().clone(), self.origin.clone());
            return Err(CheckpointError::WrongKey { name, origin });
        }
        let mut note = Note::new(self.to_string())?;
        note.sign(key)?;
        Ok(note)
    }
}

/// Reads the text of a note (c2sp.org/tlog-checkpoint, "Note text").
impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let is_lines = text.len() <= NOTE_BYTES_MAX
            && text.ends_with('\n')
            && !text.starts_with('\n')
            && !text.contains("\n\n")
            && !has_control(text);
        let mut parts = text.splitn(4, '\n');
        let (Some(origin), Some(size), Some(root), Some(extensions), true) =
            (parts.next(), parts.next(), parts.next(), parts.next(), is_lines)
        else {
            return Err(CheckpointError::Lines);
        };
        Ok(Self {
            origin: origin.to_owned(),
            size: from_decimal(size).ok_or(CheckpointError::Size)?,
            root: digest_from_base64(root).ok_or(CheckpointError::Root)?,
            extensions: extensions.to_owned(),
        })
    }
}

/// The text of the note.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, size, extensions, .. } = self;
        write!(f, "{origin}\n{size}\n{}\n{extensions}", self.root_base64())
    }
}

/// That a witness has seen a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// The key of the witness.
    pub key: VerifyingKey,
    /// When, in seconds since 1970-01-01T00:00:00Z; of several times, the latest.
    pub cosigned_secs: u64,
}

/// A checkpoint that a trusted key of its log has signed. [`open`](Self::open) alone makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    note: Note,
    checkpoint: Checkpoint,
    log_keys: Vec<VerifyingKey>,
    cosigned: Vec<Cosigned>,
    /// All of them, also those of one witness at several times.
    all_cosigned: Vec<Cosigned>,
}

impl SignedCheckpoint {
    /// Verifies what stands below a checkpoint. Keys of [`KeyKind::Ed25519`] are those of logs,
    /// keys of [`KeyKind::Cosignature`] those of witnesses.
    ///
    /// A log's key counts only for the log that it is called like: trust in one log is none in
    /// another (c2sp.org/tlog-proof, "Verifying a tlog proof", step 2).
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Note`] where no trusted key has signed, or one has not that should have.
    /// Only then is the text looked at: [`CheckpointError::Lines`], [`CheckpointError::Size`] or
    /// [`CheckpointError::Root`] where it is no checkpoint, [`CheckpointError::NotByItsLog`] where
    /// it is that of a log none of whose keys is trusted and has signed.
    pub fn open(note: Note, keys: &[VerifyingKey]) -> Result<Self, CheckpointError> {
        let verified = note.verify(keys)?;
        let checkpoint: Checkpoint = note.text().parse()?;
        let mut log_keys: Vec<VerifyingKey> = Vec::new();
        for key in verified.iter().map(Verified::key) {
            if is_key_of(key, &checkpoint) && !log_keys.contains(key) {
                log_keys.push(key.clone());
            }
        }
        if log_keys.is_empty() {
            return Err(CheckpointError::NotByItsLog { origin: checkpoint.origin });
        }
        let all_cosigned = all_cosigned(&verified);
        let cosigned = latest_of_each(&all_cosigned);
        Ok(Self { note, checkpoint, log_keys, cosigned, all_cosigned })
    }

    /// What the log says of its tree.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note that it was read from, signatures of unknown keys included.
    #[must_use]
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// The trusted keys of the log that signed: at least one, each once, in the order in which they
    /// first stand in the note.
    #[must_use]
    pub fn log_keys(&self) -> &[VerifyingKey] {
        &self.log_keys
    }

    /// The trusted witnesses that cosigned, each once, in the order in which they first stand in
    /// the note.
    #[must_use]
    pub fn cosigned(&self) -> &[Cosigned] {
        &self.cosigned
    }

    /// When a witness cosigned last, of the times that are not after this one.
    pub(crate) fn cosigned_until(&self, key: &VerifyingKey, until_secs: u64) -> Option<u64> {
        let by_key = self.all_cosigned.iter().filter(|cosigned| cosigned.key == *key);
        by_key.map(|cosigned| cosigned.cosigned_secs).filter(|secs| *secs <= until_secs).max()
    }
}

fn is_key_of(key: &VerifyingKey, checkpoint: &Checkpoint) -> bool {
    key.kind() == KeyKind::Ed25519 && key.name().as_str() == checkpoint.origin
}

fn all_cosigned(verified: &[Verified<'_>]) -> Vec<Cosigned> {
    let cosigned = verified.iter().filter_map(|signature| {
        let cosigned_secs = signature.cosigned_secs()?;
        Some(Cosigned { key: signature.key().clone(), cosigned_secs })
    });
    cosigned.collect()
}

/// A witness may cosign a checkpoint again when it is still the largest.
fn latest_of_each(cosigned: &[Cosigned]) -> Vec<Cosigned> {
    let mut latest: Vec<Cosigned> = Vec::new();
    for one in cosigned {
        match latest.iter_mut().find(|known| known.key == one.key) {
            Some(known) => known.cosigned_secs = known.cosigned_secs.max(one.cosigned_secs),
            None => latest.push(one.clone()),
        }
    }
    latest
}

//! Text with signatures below it (c2sp.org/signed-note).

mod signature;
#[cfg(test)]
mod tests;

pub use signature::NoteSignature;

use std::fmt;

use audit_core::limits::{NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX};

use crate::cosignature;
use crate::encoding::has_control;
use crate::key::{KeyId, KeyKind, KeyName, SigningKey, VerifyingKey};

/// Why bytes are no note, or a note is not to be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// The note has more bytes than [`NOTE_BYTES_MAX`].
    #[error("a note has at most {NOTE_BYTES_MAX} bytes")]
    TooLong,
    /// The note has more signatures than [`NOTE_SIGNATURES_MAX`].
    #[error("a note has at most {NOTE_SIGNATURES_MAX} signatures")]
    TooManySignatures,
    /// The note is not UTF-8, or holds a control character that is no line feed.
    #[error("a note is UTF-8 without control characters")]
    Characters,
    /// The text is empty or does not end with a line feed, or no empty line follows it.
    #[error("a note is a text that ends with a line feed, an empty line, and signatures")]
    NoText,
    /// What follows the last empty line is not signature lines, each ended by a line feed.
    #[error("not a signature line: U+2014, the key's name, Base 64 of key id and signature")]
    SignatureLine,
    /// The key is of a kind that does not sign just any text.
    #[error("the key {name} signs checkpoints with a time, not texts")]
    WrongKind {
        /// What the key is called.
        name: KeyName,
    },
    /// A signature that claims to be by a trusted key is not. The whole note is refused.
    #[error("the signature by {name}+{id} is false")]
    BadSignature {
        /// The name of the key.
        name: KeyName,
        /// Its id.
        id: KeyId,
    },
    /// Two of the trusted keys have the name and the id of this signature.
    #[error("two trusted keys are called {name}+{id}")]
    AmbiguousKey {
        /// The name of the keys.
        name: KeyName,
        /// Their id.
        id: KeyId,
    },
    /// None of the signatures is by a trusted key: nothing can be said of the note.
    #[error("the note is not signed by any of the trusted keys")]
    NoTrustedSignature,
}

/// A text and the signatures below it, none of which has been verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// A signature of a note that a trusted key has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified<'k> {
    key: &'k VerifyingKey,
    cosigned_secs: Option<u64>,
}

impl<'k> Verified<'k> {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &'k VerifyingKey {
        self.key
    }

    /// When it cosigned, in seconds since 1970-01-01T00:00:00Z; only signatures of
    /// [`KeyKind::Cosignature`] say so.
    #[must_use]
    pub fn cosigned_secs(&self) -> Option<u64> {
        self.cosigned_secs
    }
}

impl Note {
    /// A text without a signature yet.
    ///
    /// # Errors
    ///
    /// [`NoteError::TooLong`], [`NoteError::Characters`], and [`NoteError::NoText`] where it does
    /// not end with a line feed.
    pub fn new(text: impl Into<String>) -> Result<Self, NoteError> {
        let text = text.into();
        check_characters(&text)?;
        if !text.ends_with('\n') {
            return Err(NoteError::NoText);
        }
        Ok(Self { text, signatures: Vec::new() })
    }

    /// Reads a note with at least one signature (c2sp.org/signed-note, "Format").
    ///
    /// The text ends at the *last* empty line, and may hold others. Signatures of unknown
    /// algorithms are kept and never judged.
    ///
    /// # Errors
    ///
    /// [`NoteError::TooLong`], [`NoteError::TooManySignatures`], [`NoteError::Characters`],
    /// [`NoteError::NoText`] and [`NoteError::SignatureLine`], as their descriptions say.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong);
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::Characters)?;
        check_characters(note)?;
        let end = note.rfind("\n\n").ok_or(NoteError::NoText)?;
        let (text, rest) = note.split_at_checked(end.saturating_add(1)).ok_or(NoteError::NoText)?;
        let lines = rest.strip_prefix('\n').and_then(|rest| rest.strip_suffix('\n'));
        let lines = lines.ok_or(NoteError::SignatureLine)?;
        if lines.split('\n').count() > NOTE_SIGNATURES_MAX {
            return Err(NoteError::TooManySignatures);
        }
        let signatures = lines.split('\n').map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The text, its last line feed included. It MUST be ignored until a signature of a trusted key
    /// has been verified (c2sp.org/signed-note).
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, as they stand below the text.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature below the others, and replaces none. One that stands there already is not
    /// added again.
    ///
    /// # Errors
    ///
    /// [`NoteError::TooManySignatures`] or [`NoteError::TooLong`] where nobody could read the note
    /// with it. The note is then as it was.
    pub fn add(&mut self, signature: NoteSignature) -> Result<(), NoteError> {
        if self.signatures.contains(&signature) {
            return Ok(());
        }
        if self.signatures.len() >= NOTE_SIGNATURES_MAX {
            return Err(NoteError::TooManySignatures);
        }
        self.signatures.push(signature);
        if self.to_string().len() > NOTE_BYTES_MAX {
            self.signatures.pop();
            return Err(NoteError::TooLong);
        }
        Ok(())
    }

    /// Signs the text (c2sp.org/signed-note, "Ed25519 signatures").
    ///
    /// # Errors
    ///
    /// [`NoteError::WrongKind`] where the key is not of [`KeyKind::Ed25519`], and the errors of
    /// [`add`](Self::add). The note is then as it was.
    pub fn sign(&mut self, key: &SigningKey) -> Result<(), NoteError> {
        match key.kind() {
            KeyKind::Ed25519 => {
                self.add(NoteSignature::by(key, key.sign(self.text.as_bytes()).to_vec()))
            }
            KeyKind::Cosignature => Err(NoteError::WrongKind { name: key.name().clone() }),
        }
    }

    /// Verifies every signature that claims to be by one of the keys, in the order in which they
    /// stand; what a key has signed twice is listed twice.
    ///
    /// Name and id together tell the key; signatures of others are ignored. A false signature of
    /// a known key refuses the whole note (c2sp.org/signed-note, "Signatures"), also where a good
    /// one of the same key stands before it.
    ///
    /// # Errors
    ///
    /// [`NoteError::BadSignature`], [`NoteError::AmbiguousKey`], and
    /// [`NoteError::NoTrustedSignature`] where there is nothing to list.
    pub fn verify<'k>(&self, keys: &'k [VerifyingKey]) -> Result<Vec<Verified<'k>>, NoteError> {
        let mut verified = Vec::new();
        for signature in &self.signatures {
            if let Some(key) = signature.signer(keys)? {
                verified.push(self.verify_one(signature, key)?);
            }
        }
        if verified.is_empty() {
            return Err(NoteError::NoTrustedSignature);
        }
        Ok(verified)
    }

    fn verify_one<'k>(
        &self,
        signature: &NoteSignature,
        key: &'k VerifyingKey,
    ) -> Result<Verified<'k>, NoteError> {
        let verified = match key.kind() {
            KeyKind::Ed25519 => key
                .verifies(self.text.as_bytes(), signature.bytes())
                .then_some(Verified { key, cosigned_secs: None }),
            KeyKind::Cosignature => cosignature::verify(&self.text, key, signature.bytes())
                .map(|secs| Verified { key, cosigned_secs: Some(secs) }),
        };
        verified.ok_or_else(|| NoteError::BadSignature {
            name: signature.name().clone(),
            id: signature.id(),
        })
    }
}

/// The note, byte for byte as [`parse`](Note::parse) read it.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

fn check_characters(text: &str) -> Result<(), NoteError> {
    if text.len() > NOTE_BYTES_MAX {
        return Err(NoteError::TooLong);
    }
    if has_control(text) { Err(NoteError::Characters) } else { Ok(()) }
}

//! One signature line of a note.

use std::fmt;
use std::str::FromStr;

use super::NoteError;
use crate::encoding::{base64, from_base64};
use crate::key::{KeyId, KeyName, SigningKey, VerifyingKey};

/// What begins a signature line: an em dash and a space.
const PREFIX: &str = "\u{2014} ";

/// A signature as it stands below a text: who is said to have signed, and bytes that only the
/// algorithm of that key can judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    name: KeyName,
    id: KeyId,
    bytes: Vec<u8>,
}

impl NoteSignature {
    /// What a key has signed, under its name and id.
    pub(crate) fn by(key: &SigningKey, bytes: Vec<u8>) -> Self {
        Self { name: key.name().clone(), id: key.id(), bytes }
    }

    /// The name of the key that is said to have signed.
    #[must_use]
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The id of that key.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The signature, without the key id that stands before it in the line.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The one among the keys that is said to have signed. A key that is given twice is one key.
    pub(super) fn signer<'k>(
        &self,
        keys: &'k [VerifyingKey],
    ) -> Result<Option<&'k VerifyingKey>, NoteError> {
        let mut called = keys.iter().filter(|key| key.id() == self.id && *key.name() == self.name);
        let first = called.next();
        if called.any(|other| first != Some(other)) {
            return Err(NoteError::AmbiguousKey { name: self.name.clone(), id: self.id });
        }
        Ok(first)
    }
}

/// Reads a line without its line feed, as a witness answers with.
impl FromStr for NoteSignature {
    type Err = NoteError;

    fn from_str(line: &str) -> Result<Self, NoteError> {
        let rest = line.strip_prefix(PREFIX).ok_or(NoteError::SignatureLine)?;
        let (name, encoded) = rest.split_once(' ').ok_or(NoteError::SignatureLine)?;
        let name = KeyName::new(name).map_err(|_| NoteError::SignatureLine)?;
        let bytes = from_base64(encoded).ok_or(NoteError::SignatureLine)?;
        let (id, bytes) = bytes.split_first_chunk().ok_or(NoteError::SignatureLine)?;
        if bytes.is_empty() {
            return Err(NoteError::SignatureLine);
        }
        Ok(Self { name, id: KeyId::from_bytes(*id), bytes: bytes.to_vec() })
    }
}

/// The line without its line feed.
impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let identified = [self.id.as_bytes(), self.bytes.as_slice()].concat();
        write!(f, "{PREFIX}{} {}", self.name, base64(&identified))
    }
}

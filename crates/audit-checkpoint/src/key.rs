//! Keys: what they are called, what they may sign, and their text forms (c2sp.org/signed-note).

mod signing;
#[cfg(test)]
mod tests;
mod verifying;
mod witness;

pub use signing::{SecretText, SigningKey};
pub use verifying::VerifyingKey;
pub use witness::{MlDsa44Key, WitnessKey};

use std::fmt;

use audit_core::digest::Hasher;

use crate::encoding::has_control;

/// Bytes of an Ed25519 public key, RFC 8032 section 5.1.5.
pub(crate) const PUBLIC_KEY_BYTES: usize = 32;

/// Bytes of an Ed25519 seed, RFC 8032 section 5.1.5.
pub(crate) const SEED_BYTES: usize = 32;

/// Bytes of an Ed25519 signature, RFC 8032 section 5.1.6.
pub(crate) const SIGNATURE_BYTES: usize = 64;

/// Why a text is no key, or no key that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The name is empty, or holds a space, a plus or a control character.
    #[error("a key's name is not empty and holds no space, plus or control character")]
    Name,
    /// The text has not the parts of a key, or they are not hex and Base 64 as they have to be.
    #[error("not a key in the text form of signed notes")]
    Malformed,
    /// The key is of a type that this crate does not know.
    #[error("keys of type 0x{0:02x} are not known here")]
    UnknownType(u8),
    /// The key id in the text is not that of the name and the key beside it.
    #[error("the key id is {stated} where name and key give {computed}")]
    IdMismatch {
        /// What the text says.
        stated: KeyId,
        /// What it would have to say.
        computed: KeyId,
    },
    /// The public key is no point of the curve, is not written as RFC 8032 does, or is of small
    /// order: then a signature can be made that fits almost any text.
    #[error("the public key is no point that signatures can be checked with")]
    Point,
}

/// The name of a key; of a log's key, also the log's origin.
///
/// It may hold any character that a note may, those included that a terminal or a page obeys or
/// hides: whoever shows a name of unknown origin makes it safe first.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyName(String);

impl KeyName {
    /// Takes a name.
    ///
    /// A name must not be empty and must hold neither Unicode spaces nor plus, and a note holds no
    /// ASCII control characters (c2sp.org/signed-note, "Format").
    ///
    /// # Errors
    ///
    /// [`KeyError::Name`] when the name breaks one of these rules.
    pub fn new(name: &str) -> Result<Self, KeyError> {
        let is_name = !name.is_empty()
            && !name.contains(|character: char| character.is_whitespace() || character == '+')
            && !has_control(name);
        is_name.then(|| Self(name.to_owned())).ok_or(KeyError::Name)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What tells keys of one name apart. It is short: an identifier, no fingerprint.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; 4]);

impl KeyId {
    /// Takes the four bytes, in the order in which they begin a signature.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    /// The four bytes, in that order.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 4] {
        &self.0
    }

    /// `SHA-256(name || 0x0A || type || public key)[:4]` (c2sp.org/signed-note, "Signatures"; so
    /// also c2sp.org/tlog-cosignature, "Format").
    fn of(name: &KeyName, kind: KeyKind, public: &[u8; PUBLIC_KEY_BYTES]) -> Self {
        Self::of_type(name, kind.type_byte(), public)
    }

    fn of_type(name: &KeyName, type_byte: u8, public: &[u8]) -> Self {
        let mut hasher = Hasher::default();
        hasher.update(name.as_str().as_bytes());
        hasher.update(&[b'\n', type_byte]);
        hasher.update(public);
        let [a, b, c, d, ..] = *hasher.finish().as_bytes();
        Self([a, b, c, d])
    }

    /// Reads eight lowercase hex digits.
    fn from_hex(digits: &str) -> Option<Self> {
        let id = Self(u32::from_str_radix(digits, 16).ok()?.to_be_bytes());
        (id.to_string() == digits).then_some(id)
    }
}

/// Eight lowercase hex digits.
impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a key signs, and so what its signatures look like (c2sp.org/signed-note, "Signature
/// types").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// Type 0x01: the text of a note. The key of a log.
    Ed25519,
    /// Type 0x04: a checkpoint with the time at which it was seen. The key of a witness.
    Cosignature,
}

impl KeyKind {
    pub(crate) const fn type_byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
        }
    }

    const fn from_type_byte(byte: u8) -> Result<Self, KeyError> {
        match byte {
            0x01 => Ok(Self::Ed25519),
            0x04 => Ok(Self::Cosignature),
            other => Err(KeyError::UnknownType(other)),
        }
    }
}

/// Takes apart `name+id+rest`; the rest may hold a plus, which Base 64 uses too.
fn split_text(text: &str) -> Result<(KeyName, KeyId, &str), KeyError> {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(KeyError::Malformed);
    };
    let id = KeyId::from_hex(id).ok_or(KeyError::Malformed)?;
    Ok((KeyName::new(name)?, id, rest))
}

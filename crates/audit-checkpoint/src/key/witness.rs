//! The key of a witness, also of a kind whose cosignatures cannot be verified here yet.

use std::fmt;
use std::str::FromStr;

use super::{KeyError, KeyId, KeyKind, KeyName, VerifyingKey, split_text};
use crate::encoding::{base64, from_base64};

/// The type of ML-DSA-44 cosignatures (c2sp.org/signed-note, "Signature types").
const ML_DSA_44: u8 = 0x06;

/// Bytes of an ML-DSA-44 public key, FIPS 204 table 2.
const ML_DSA_44_PUBLIC_BYTES: usize = 1_312;

/// The key of a witness, as a policy names it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WitnessKey {
    /// Its cosignatures are verified here.
    Ed25519(VerifyingKey),
    /// Its cosignatures cannot be verified here yet, so it counts as a witness that has not
    /// cosigned: a policy that names it is read, and never met sooner for it.
    MlDsa44(MlDsa44Key),
}

/// A key of type 0x06, of which only the text form is checked.
#[derive(Clone, PartialEq, Eq)]
pub struct MlDsa44Key {
    name: KeyName,
    id: KeyId,
    public: Vec<u8>,
}

impl WitnessKey {
    /// The key that cosignatures are verified with, if they can be.
    #[must_use]
    pub const fn verifying_key(&self) -> Option<&VerifyingKey> {
        match self {
            Self::Ed25519(key) => Some(key),
            Self::MlDsa44(_) => None,
        }
    }

    /// What the key is called.
    #[must_use]
    pub fn name(&self) -> &KeyName {
        match self {
            Self::Ed25519(key) => key.name(),
            Self::MlDsa44(key) => &key.name,
        }
    }

    /// What tells keys apart whatever they are called.
    pub(crate) fn public(&self) -> &[u8] {
        match self {
            Self::Ed25519(key) => key.public_bytes(),
            Self::MlDsa44(key) => &key.public,
        }
    }
}

/// Reads the text form of a key: [`KeyKind::Cosignature`], or type 0x06. A key of
/// [`KeyKind::Ed25519`] is read too, and is none of a witness: see [`VerifyingKey::kind`].
impl FromStr for WitnessKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        match text.parse() {
            Ok(key) => Ok(Self::Ed25519(key)),
            Err(KeyError::UnknownType(ML_DSA_44)) => text.parse().map(Self::MlDsa44),
            Err(error) => Err(error),
        }
    }
}

impl FromStr for MlDsa44Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, stated, rest) = split_text(text)?;
        let bytes = from_base64(rest).ok_or(KeyError::Malformed)?;
        let public = bytes.strip_prefix(&[ML_DSA_44]).ok_or(KeyError::Malformed)?;
        if public.len() != ML_DSA_44_PUBLIC_BYTES {
            return Err(KeyError::Malformed);
        }
        let id = KeyId::of_type(&name, ML_DSA_44, public);
        if id != stated {
            return Err(KeyError::IdMismatch { stated, computed: id });
        }
        Ok(Self { name, id, public: public.to_vec() })
    }
}

impl fmt::Display for MlDsa44Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed = [&[ML_DSA_44], self.public.as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, self.id, base64(&typed))
    }
}

impl fmt::Debug for MlDsa44Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MlDsa44Key({}+{})", self.name, self.id)
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ed25519(key) => key.fmt(f),
            Self::MlDsa44(key) => key.fmt(f),
        }
    }
}

impl WitnessKey {
    /// Whether it is a key that witnesses sign with.
    pub(crate) fn is_of_witness(&self) -> bool {
        match self {
            Self::Ed25519(key) => key.kind() == KeyKind::Cosignature,
            Self::MlDsa44(_) => true,
        }
    }
}

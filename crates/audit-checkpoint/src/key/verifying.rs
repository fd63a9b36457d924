//! Public keys, and the text form in which they are handed on.

use std::fmt;
use std::str::FromStr;

use super::{KeyError, KeyId, KeyKind, KeyName, PUBLIC_KEY_BYTES, split_text};
use crate::encoding::{base64, from_base64};

/// A public key with its name and what it may sign.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    name: KeyName,
    id: KeyId,
    kind: KeyKind,
    point: ed25519_dalek::VerifyingKey,
}

impl VerifyingKey {
    pub(super) fn new(
        name: KeyName,
        kind: KeyKind,
        public: &[u8; PUBLIC_KEY_BYTES],
    ) -> Result<Self, KeyError> {
        let point = ed25519_dalek::VerifyingKey::from_bytes(public).map_err(|_| KeyError::Point)?;
        // RFC 8032 section 5.1.3 refuses a coordinate that is not reduced, which reading it did
        // not: two texts would be one key.
        let is_canonical = point.to_edwards().compress().as_bytes() == public;
        if !is_canonical || point.is_weak() {
            return Err(KeyError::Point);
        }
        let id = KeyId::of(&name, kind, public);
        Ok(Self { name, id, kind, point })
    }

    /// What the key is called.
    #[must_use]
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// What tells it apart from others of that name.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// What it may sign.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The public key as RFC 8032 section 5.1.5 writes it.
    #[must_use]
    pub fn public_bytes(&self) -> &[u8; PUBLIC_KEY_BYTES] {
        self.point.as_bytes()
    }

    /// Whether this is an Ed25519 signature of exactly these bytes: RFC 8032 section 5.1.7 without
    /// cofactor, and without points of small order. What the key may sign is the caller's to check.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.point.verify_strict(message, &signature).is_ok())
    }
}

/// Reads `<name>+<key id>+<base64(type || public key)>` (c2sp.org/signed-note, "Verifier keys").
impl FromStr for VerifyingKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, stated, rest) = split_text(text)?;
        let bytes = from_base64(rest).ok_or(KeyError::Malformed)?;
        let (&kind, public) = bytes.split_first().ok_or(KeyError::Malformed)?;
        let kind = KeyKind::from_type_byte(kind)?;
        let public = public.try_into().map_err(|_| KeyError::Malformed)?;
        let key = Self::new(name, kind, public)?;
        if key.id != stated {
            return Err(KeyError::IdMismatch { stated, computed: key.id });
        }
        Ok(key)
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut typed = vec![self.kind.type_byte()];
        typed.extend_from_slice(self.public_bytes());
        write!(f, "{}+{}+{}", self.name, self.id, base64(&typed))
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VerifyingKey").field(&self.to_string()).finish()
    }
}

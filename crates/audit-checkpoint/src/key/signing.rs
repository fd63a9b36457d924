//! Private keys, and the text form in which they are stored.

use std::fmt;

use audit_core::SealKey;
use audit_core::lifecycle::LogId;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer as _;
use zeroize::Zeroizing;

use super::{
    KeyError, KeyId, KeyKind, KeyName, SEED_BYTES, SIGNATURE_BYTES, VerifyingKey, split_text,
};

/// Bytes of type and seed.
const TYPED_SEED_BYTES: usize = 1 + SEED_BYTES;

/// Characters of their Base 64.
const TYPED_SEED_CHARS: usize = TYPED_SEED_BYTES.div_ceil(3) * 4;

/// A private key with its name and what it may sign. Its seed is in one place of the memory, which is
/// overwritten when it is dropped, and in no output but [`encode`](Self::encode)'s.
pub struct SigningKey {
    verifying: VerifyingKey,
    // A key that is moved leaves no copy behind.
    seed: Box<Zeroizing<[u8; SEED_BYTES]>>,
}

impl SigningKey {
    /// What begins the text of every private key, so that none is taken for a public one.
    pub const TEXT_PREFIX: &str = "PRIVATE+KEY+";

    /// The key that the records of a log are sealed with, derived from the seed.
    #[must_use]
    pub fn seal_key(&self, log_id: LogId) -> SealKey {
        SealKey::derive(&self.seed, log_id)
    }

    /// Makes the key pair of 32 random bytes, RFC 8032 section 5.1.5. They are as secret as the key
    /// is; the caller overwrites its copy.
    ///
    /// # Errors
    ///
    /// [`KeyError::Point`] where the public key is of small order, which no seed is known to give.
    pub fn from_seed(
        name: KeyName,
        kind: KeyKind,
        seed: &[u8; SEED_BYTES],
    ) -> Result<Self, KeyError> {
        let mut kept = Box::new(Zeroizing::new([0; SEED_BYTES]));
        kept.copy_from_slice(seed);
        let public = ed25519_dalek::SigningKey::from_bytes(&kept).verifying_key();
        let verifying = VerifyingKey::new(name, kind, public.as_bytes())?;
        Ok(Self { verifying, seed: kept })
    }

    /// Reads `PRIVATE+KEY+<name>+<key id>+<base64(type || seed)>`, the form that
    /// golang.org/x/mod/sumdb/note uses. The signed-note specification has none.
    ///
    /// # Errors
    ///
    /// [`KeyError::Malformed`] or [`KeyError::Name`] where the text is not of this form,
    /// [`KeyError::UnknownType`] where this crate cannot sign with such a key, and
    /// [`KeyError::IdMismatch`] where name, id and seed do not belong together.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let rest = text.strip_prefix(Self::TEXT_PREFIX).ok_or(KeyError::Malformed)?;
        let (name, stated, encoded) = split_text(rest)?;
        let mut typed = Zeroizing::new([0; TYPED_SEED_CHARS]);
        let length = STANDARD
            .decode_slice(encoded, typed.as_mut_slice())
            .map_err(|_| KeyError::Malformed)?;
        let (&kind, seed) =
            typed.get(..length).and_then(<[u8]>::split_first).ok_or(KeyError::Malformed)?;
        let kind = KeyKind::from_type_byte(kind)?;
        let key = Self::from_seed(name, kind, seed.try_into().map_err(|_| KeyError::Malformed)?)?;
        if key.id() != stated {
            return Err(KeyError::IdMismatch { stated, computed: key.id() });
        }
        Ok(key)
    }

    /// The text that [`parse`](Self::parse) reads.
    #[must_use]
    pub fn encode(&self) -> SecretText {
        let mut typed = Zeroizing::new([self.kind().type_byte(); TYPED_SEED_BYTES]);
        for (to, from) in typed.iter_mut().skip(1).zip(self.seed.iter()) {
            *to = *from;
        }
        let mut encoded = Zeroizing::new([0; TYPED_SEED_CHARS]);
        // So many characters they are, the only condition under which this can fail.
        let written = STANDARD.encode_slice(typed.as_slice(), encoded.as_mut_slice());
        debug_assert_eq!(written, Ok(TYPED_SEED_CHARS));
        let head = format!("{}{}+{}+", Self::TEXT_PREFIX, self.name(), self.id());
        // Room for all of it from the beginning: a text that grows leaves copies behind.
        let length = head.len().saturating_add(TYPED_SEED_CHARS);
        let mut text = Zeroizing::new(String::with_capacity(length));
        text.push_str(&head);
        encoded.iter().for_each(|&digit| text.push(char::from(digit)));
        SecretText(text)
    }

    /// The public half.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// What the key is called.
    #[must_use]
    pub fn name(&self) -> &KeyName {
        self.verifying.name()
    }

    /// What tells it apart from others of that name.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.verifying.id()
    }

    /// What it may sign.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.verifying.kind()
    }

    /// The Ed25519 signature of exactly these bytes, RFC 8032 section 5.1.6. The caller sees to it
    /// that nothing signed for one purpose can be read as something else: a note's text begins with
    /// a log's origin, a cosigned one with `cosignature/`.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        ed25519_dalek::SigningKey::from_bytes(&self.seed).sign(message).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("verifying", &self.verifying).finish_non_exhaustive()
    }
}

/// The text of a private key. It is overwritten when dropped, and shown only to who asks for it.
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// The text, without a line feed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(..)")
    }
}

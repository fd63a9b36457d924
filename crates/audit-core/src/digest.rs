//! SHA-256 digests: the record hash, which is also the Merkle leaf, and the Merkle node.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// What stands in `prev_hash` of the first record of a log.
    pub const ZERO: Self = Self([0; 32]);

    /// Takes the 32 bytes of a digest.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// SHA-256 of `bytes`, with no prefix: for files, tails and refused input, never for records.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The 64 lowercase hex digits, as ASCII bytes.
    #[must_use]
    pub fn to_hex(self) -> [u8; 64] {
        let mut digits = [b'0'; 64];
        // 64 is twice 32, the only condition under which this can fail.
        let encoded = hex::encode_to_slice(self.0, &mut digits);
        debug_assert!(encoded.is_ok());
        digits
    }

    /// Reads exactly 64 lowercase hex digits. Upper case is not the format's, hence `None`.
    #[must_use]
    pub fn from_hex(digits: &[u8]) -> Option<Self> {
        // Two for each record that is read, so all digits at once and without a branch: the library
        // takes both cases, and a third of the time that hashing does.
        let digits: &[u8; 64] = digits.try_into().ok()?;
        let values = digits.map(digit_value);
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(values.as_chunks().0) {
            let [high, low] = *pair;
            *byte = high << 4 | low;
        }
        values.iter().all(|value| *value < 16).then_some(Self(bytes))
    }
}

/// The value of a lowercase hex digit; of anything else, one that no digit has.
const fn digit_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit.wrapping_sub(b'0'),
        b'a'..=b'f' => digit.wrapping_sub(b'a' - 10),
        _ => u8::MAX,
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_hex().iter().try_for_each(|&digit| fmt::Write::write_char(f, char::from(digit)))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// SHA-256 over pieces that arrive one after the other.
#[derive(Clone, Debug, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all bytes added.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

/// `SHA-256(0x00 || body)`: the `hash` of a record whose line without its last 75 bytes is `body`,
/// and the leaf hash of RFC 6962 section 2.1.
#[must_use]
pub fn leaf_hash(body: &[u8]) -> Digest {
    leaf_hasher(body).finish()
}

/// A hasher that has taken the beginning of what a [`leaf_hash`] is of.
#[must_use]
pub fn leaf_hasher(body: &[u8]) -> Hasher {
    let mut hasher = Sha256::new_with_prefix([0x00]);
    hasher.update(body);
    Hasher(hasher)
}

/// `SHA-256(0x01 || left || right)`: an inner node of the tree, RFC 6962 section 2.1.
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut node = [0x01; 65];
    let (first, second) = node.split_at_mut(33);
    for (to, from) in first.iter_mut().skip(1).zip(left.0) {
        *to = from;
    }
    second.copy_from_slice(&right.0);
    Digest::of(&node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_lowercase_and_exact() {
        let digest = Digest::of(b"");
        assert_eq!(
            digest.to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(Digest::from_hex(digest.to_string().as_bytes()), Some(digest));
        assert_eq!(Digest::from_hex(digest.to_string().to_uppercase().as_bytes()), None);
        assert_eq!(Digest::from_hex(&digest.to_hex()[1..]), None);
    }

    #[test]
    fn pieces_hash_like_the_whole() {
        let mut hasher = Hasher::default();
        hasher.update(b"ab");
        hasher.update(b"c");
        assert_eq!(hasher.finish(), Digest::of(b"abc"));
    }
}

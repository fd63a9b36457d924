//! Seals: what the holder of a log's key adds to the last record of each write.
//!
//! ```text
//! ...,"prev_hash":"P","seal":"M","hash":"D"} LF
//! |<------ B' ----->|<-- 32 -->|<--- 75 -->|
//!
//! D' = SHA-256(0x00 || B')
//! K  = HKDF-SHA256(salt empty, ikm = the key's 32-byte seed, info = "audit seal v1" || log_id in hex)
//! M  = base64url(HMAC-SHA256(K, D')[..16])
//! ```
//!
//! HKDF is RFC 5869, HMAC RFC 2104, base64url RFC 4648 section 5 without padding. A seal says that
//! whoever holds the key made this record with this past, at some time. It does not say that the
//! record is the newest one. It is checked by a writer alone: whoever could check it could make it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::digest::{Digest, Hasher, leaf_hasher};
use crate::lifecycle::LogId;
use crate::record::{HASH_FIELD_BYTES, HASH_FIELD_END, HASH_FIELD_START};

/// What stands between the digits of `prev_hash` with their quote and a seal.
pub const SEAL_FIELD_START: &[u8] = br#","seal":""#;

/// Characters of a seal.
pub const SEAL_CHARS: usize = 22;

/// Bytes that a seal adds to a line: what stands before it, the seal, and a quote.
pub const SEAL_FIELD_BYTES: usize = 32;

/// Bytes of a message authentication code that a seal keeps.
const SEAL_BYTES: usize = 16;

/// What the derivation of a log's seal key begins its `info` with.
const INFO: &[u8] = b"audit seal v1";

/// A seal: 16 bytes of a message authentication code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seal([u8; SEAL_BYTES]);

impl Seal {
    /// Reads the one text form of a seal: 22 characters of base64url without padding, the last one
    /// of `A`, `Q`, `g` and `w`. `None` for anything else.
    #[must_use]
    pub fn from_text(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; SEAL_BYTES];
        let is_whole = text.len() == SEAL_CHARS
            && URL_SAFE_NO_PAD.decode_slice_unchecked(text, &mut bytes) == Ok(SEAL_BYTES);
        is_whole.then_some(Self(bytes))
    }

    /// The 22 characters, as ASCII bytes.
    #[must_use]
    pub fn to_text(self) -> [u8; SEAL_CHARS] {
        let mut text = [b'A'; SEAL_CHARS];
        // 22 characters hold 16 bytes, the only condition under which this can fail.
        let encoded = URL_SAFE_NO_PAD.encode_slice(self.0, &mut text);
        debug_assert_eq!(encoded, Ok(SEAL_CHARS));
        text
    }
}

/// The key that a log's records are sealed with. Its bytes are wiped when it is dropped.
#[derive(Clone)]
pub struct SealKey(Hmac<Sha256>);

impl SealKey {
    /// Derives the key of a log from the seed of its signing key, so that a seal of one log is none
    /// of another.
    #[must_use]
    pub fn derive(seed: &[u8; 32], log_id: LogId) -> Self {
        // HMAC fills a key up to a block of its hash with zeros.
        let mut block = Zeroizing::new([0; 64]);
        if let Some(key) = block.first_chunk_mut::<32>() {
            expand(seed, log_id, key);
        }
        Self(Hmac::new((&*block).into()))
    }

    /// The seal of a record whose hash without a seal would be `unsealed`.
    #[must_use]
    pub fn seal(&self, unsealed: &Digest) -> Seal {
        let (head, _) =
            self.mac(unsealed).finalize().into_bytes().split::<hmac::digest::consts::U16>();
        Seal(head.into())
    }

    /// Whether a seal is the right one, in a time that does not depend on where it differs.
    #[must_use]
    pub fn verifies(&self, unsealed: &Digest, seal: &Seal) -> bool {
        self.mac(unsealed).verify_truncated_left(&seal.0).is_ok()
    }

    fn mac(&self, unsealed: &Digest) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(unsealed.as_bytes());
        mac
    }
}

/// Fills in the 32 bytes of a log's seal key.
fn expand(seed: &[u8; 32], log_id: LogId, key: &mut [u8; 32]) {
    let hkdf = Hkdf::<Sha256>::new(None, seed);
    let derived = hkdf.expand_multi_info(&[INFO, log_id.to_string().as_bytes()], key);
    // They are fewer than the 8,160 that RFC 5869 allows.
    debug_assert!(derived.is_ok());
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(..)")
    }
}

/// Seals the last record in a buffer, which begins at `start`, ends with its line feed and has no
/// seal yet. `hash` is its hash; its new one is returned.
pub fn seal_record(out: &mut Vec<u8>, start: usize, hash: &Digest, key: &SealKey) -> Digest {
    let end = out.len().saturating_sub(HASH_FIELD_BYTES.saturating_add(1));
    let hasher = leaf_hasher(out.get(start..end).unwrap_or_default());
    seal_hashed(out, hasher, hash, key)
}

/// As [`seal_record`], with what [`write_hashed`](crate::record::write_hashed) has hashed of the record,
/// which is not hashed again.
pub fn seal_hashed(out: &mut Vec<u8>, mut hasher: Hasher, hash: &Digest, key: &SealKey) -> Digest {
    out.truncate(out.len().saturating_sub(HASH_FIELD_BYTES.saturating_add(1)));
    let start = out.len();
    out.extend_from_slice(SEAL_FIELD_START);
    out.extend_from_slice(&key.seal(hash).to_text());
    out.push(b'"');
    hasher.update(out.get(start..).unwrap_or_default());
    let sealed = hasher.finish();
    out.extend_from_slice(HASH_FIELD_START);
    out.extend_from_slice(&sealed.to_hex());
    out.extend_from_slice(HASH_FIELD_END);
    out.push(b'\n');
    sealed
}

/// Splits the seal off the bytes of a record that its hash covers: what stands before it, and the
/// seal. `None` where the bytes do not end with a seal.
#[must_use]
pub fn split_seal(body: &[u8]) -> Option<(&[u8], Seal)> {
    let (unsealed, field) = body.split_at_checked(body.len().checked_sub(SEAL_FIELD_BYTES)?)?;
    let text = field.strip_prefix(SEAL_FIELD_START)?.strip_suffix(b"\"")?;
    Some((unsealed, Seal::from_text(text)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::leaf_hash;
    use crate::lifecycle::write_audit_id;
    use crate::record::{RecordHead, write_record};
    use crate::service::ServiceId;
    use crate::time::{EventTime, RecordTime};

    /// Computed by another implementation, from the words above.
    #[test]
    fn the_vector_comes_out() {
        let seed = std::array::from_fn(|index| u8::try_from(index).unwrap());
        let log_id = LogId::from_hex("00112233445566778899aabbccddeeff").unwrap();
        let key = SealKey::derive(&seed, log_id);
        let mut bytes = [0; 32];
        expand(&seed, log_id, &mut bytes);
        assert_eq!(
            hex::encode(bytes),
            "f5079b956e5e064c3101c767ed89f06b63bb1c7d4530880263075e4ad49b0f03"
        );
        let service_id = ServiceId::new("a").unwrap();
        let mut audit_id = String::new();
        write_audit_id(&mut audit_id, service_id, 0);
        let timestamp =
            RecordTime::new(EventTime::parse("2026-01-02T00:00:00Z").unwrap().instant());
        let head = RecordHead { seq: 0, audit_id: &audit_id, timestamp, service_id };
        let mut line = b"before\n".to_vec();
        let unsealed = write_record(&mut line, &head, br#"{"event_type":"x"}"#, &Digest::ZERO);
        assert_eq!(
            unsealed.to_string(),
            "7b0bed3de7b407623c52a4caf14a276c212b386b7d18398016c426f49da57299"
        );
        let before = line.len();
        let sealed = seal_record(&mut line, 7, &unsealed, &key);
        assert_eq!(
            sealed.to_string(),
            "996e323a314d271d8bd0681a46b14ad372e1b2f93a46f43879aba4fbc2194550"
        );
        assert_eq!(line.len(), before.saturating_add(SEAL_FIELD_BYTES));
        assert!(line.starts_with(b"before\n") && line.ends_with(b"\"}\n"));
        let body = &line[7..line.len() - HASH_FIELD_BYTES - 1];
        assert_eq!(leaf_hash(body), sealed);
        let (rest, seal) = split_seal(body).unwrap();
        assert_eq!(seal.to_text(), *b"oTDGbuV4pxAgPcP6ZKWYxw");
        assert_eq!(leaf_hash(rest), unsealed);
        assert!(key.verifies(&unsealed, &seal) && !key.verifies(&sealed, &seal));
    }

    #[test]
    fn a_seal_has_one_text_form() {
        let text = b"oTDGbuV4pxAgPcP6ZKWYxw";
        assert_eq!(Seal::from_text(text).map(Seal::to_text), Some(*text));
        for last in 0..=u8::MAX {
            let mut other = *text;
            other[SEAL_CHARS - 1] = last;
            assert_eq!(Seal::from_text(&other).is_some(), b"AQgw".contains(&last), "{last}");
        }
        for wrong in [&text[1..], b"oTDGbuV4pxAgPcP6ZKWYxw==", b"oTDGbuV4px+gPcP6ZKWYxw", b""] {
            assert_eq!(Seal::from_text(wrong), None);
        }
    }

    #[test]
    fn another_log_has_another_key_and_none_is_shown() {
        let other = SealKey::derive(&[7; 32], LogId::from_bytes([1; 16]));
        let same_seed = SealKey::derive(&[7; 32], LogId::from_bytes([2; 16]));
        assert_ne!(other.seal(&Digest::ZERO), same_seed.seal(&Digest::ZERO));
        assert_eq!(format!("{other:?}"), "SealKey(..)");
    }
}

//! That a checkpoint was seen at a time (c2sp.org/tlog-cosignature, Ed25519 cosignatures).

use crate::checkpoint::SignedCheckpoint;
use crate::key::{KeyKind, KeyName, SigningKey, VerifyingKey};
use crate::note::NoteSignature;

/// Latest time of a cosignature in seconds since 1970-01-01T00:00:00Z: "MUST NOT exceed 2^63 - 1"
/// (c2sp.org/tlog-cosignature, "Format").
pub const COSIGNED_SECS_MAX: u64 = (1 << 63) - 1;

/// How far into the future a cosignature may be dated, in seconds: clocks differ, and time zones get
/// mixed up. What is dated later says nothing of when it was made, so nothing should count it.
pub const FUTURE_SECS_MAX: u64 = 24 * 60 * 60;

/// Why a checkpoint cannot be cosigned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CosignatureError {
    /// The key is not of [`KeyKind::Cosignature`].
    #[error("the key {name} signs texts, not checkpoints with a time")]
    WrongKind {
        /// What the key is called.
        name: KeyName,
    },
    /// The time is later than [`COSIGNED_SECS_MAX`].
    #[error("a cosignature's time is at most {COSIGNED_SECS_MAX} seconds")]
    Time,
}

/// Makes a cosignature: that at this time, in seconds since 1970-01-01T00:00:00Z, the checkpoint
/// was the largest consistent one that the holder of the key had seen of its log. That it was is the
/// caller's to know. It is not in the note until it is [added](crate::Note::add).
///
/// # Errors
///
/// [`CosignatureError`], as its variants say.
pub fn cosign(
    checkpoint: &SignedCheckpoint,
    key: &SigningKey,
    cosigned_secs: u64,
) -> Result<NoteSignature, CosignatureError> {
    if key.kind() != KeyKind::Cosignature {
        return Err(CosignatureError::WrongKind { name: key.name().clone() });
    }
    if cosigned_secs > COSIGNED_SECS_MAX {
        return Err(CosignatureError::Time);
    }
    let text = checkpoint.note().text();
    let signature = key.sign(message(text, cosigned_secs).as_bytes());
    let timestamped = [cosigned_secs.to_be_bytes().as_slice(), &signature].concat();
    Ok(NoteSignature::by(key, timestamped))
}

/// The time at which a key cosigned a text; `None` where these bytes are not its doing.
pub(crate) fn verify(text: &str, key: &VerifyingKey, timestamped: &[u8]) -> Option<u64> {
    let (secs, signature) = timestamped.split_first_chunk()?;
    let secs = u64::from_be_bytes(*secs);
    let is_signed =
        secs <= COSIGNED_SECS_MAX && key.verifies(message(text, secs).as_bytes(), signature);
    is_signed.then_some(secs)
}

/// What is signed: `cosignature/v1`, the time, and the whole text (c2sp.org/tlog-cosignature,
/// "Ed25519 signed message").
fn message(text: &str, secs: u64) -> String {
    format!("cosignature/v1\ntime {secs}\n{text}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::NoteError;
    use crate::sample;

    #[test]
    fn a_log_key_does_not_cosign() {
        let checkpoint = sample::signed_checkpoint();
        let error = cosign(&checkpoint, &sample::log_key(), 1).unwrap_err();
        assert_eq!(error, CosignatureError::WrongKind { name: sample::log_key().name().clone() });
    }

    #[test]
    fn a_time_has_63_bits() {
        let (checkpoint, key) = (sample::signed_checkpoint(), sample::witness_key());
        for good in [0, 1, COSIGNED_SECS_MAX] {
            let signature = cosign(&checkpoint, &key, good).unwrap();
            let text = checkpoint.note().text();
            assert_eq!(verify(text, key.verifying_key(), signature.bytes()), Some(good));
        }
        assert_eq!(cosign(&checkpoint, &key, 1 << 63), Err(CosignatureError::Time));
        // Also one that somebody signed nevertheless.
        let text = checkpoint.note().text();
        let signature = key.sign(message(text, 1 << 63).as_bytes());
        let timestamped = [(1_u64 << 63).to_be_bytes().as_slice(), &signature].concat();
        assert_eq!(verify(text, key.verifying_key(), &timestamped), None);
    }

    #[test]
    fn a_cosignature_of_another_time_or_text_or_length_is_false() {
        let (checkpoint, key) = (sample::signed_checkpoint(), sample::witness_key());
        let text = checkpoint.note().text();
        let bytes = cosign(&checkpoint, &key, 7).unwrap().bytes().to_vec();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(verify(text, key.verifying_key(), &changed), None, "byte {at}");
            assert_eq!(verify(text, key.verifying_key(), &bytes[..at]), None, "cut at {at}");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(verify(text, key.verifying_key(), &longer), None);
        assert_eq!(verify(&format!("{text}more\n"), key.verifying_key(), &bytes), None);
    }

    #[test]
    fn a_witness_that_signs_as_a_log_does_has_not_cosigned() {
        let checkpoint = sample::signed_checkpoint();
        let (key, mut note) = (sample::witness_key(), checkpoint.note().clone());
        let untimed = key.sign(note.text().as_bytes()).to_vec();
        note.add(NoteSignature::by(&key, untimed)).unwrap();
        let error = note.verify(&[key.verifying_key().clone()]).unwrap_err();
        assert!(matches!(error, NoteError::BadSignature { .. }));
    }
}

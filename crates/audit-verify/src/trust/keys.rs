//! Whose signatures count.

use std::sync::Arc;

use audit_checkpoint::{
    CheckpointError, KeyKind, Note, NoteError, Policy, Quorum, SignedCheckpoint, VerifyingKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::parse::lifecycle::KeyChanged;
use crate::verify::VerifyOptions;

/// What can be said of who signed a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// No trusted key, so anybody may have made it.
    Unknown,
    /// A trusted key of the log.
    Signed(Witnessed),
}

/// What can be said of who has seen a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Witnessed {
    /// Nobody has to have seen it.
    NotAsked,
    /// Not enough witnesses have, or too early.
    TooFew,
    /// Enough of them had by this time, in seconds since 1970-01-01T00:00:00Z.
    Enough { cosigned_secs: u64 },
}

/// What becomes of a change of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Following {
    /// The new key is trusted from now on.
    Followed,
    /// No key was given, so none is trusted.
    NoKeys,
    /// The old key is not trusted, so neither is the new one.
    Untrusted,
    /// The old key is trusted, and the signatures are not those of the two keys.
    False,
}

/// The trusted keys.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    /// Those of the log, and those of the witnesses.
    trusted: Vec<VerifyingKey>,
    has_followed: bool,
    policy: Option<Arc<Policy>>,
    not_before_secs: u64,
}

impl Keys {
    pub(super) fn new(options: &VerifyOptions) -> Self {
        let log_keys = options.keys.iter().filter(|key| key.kind() == KeyKind::Ed25519);
        let of_policy = options.policy.iter().flat_map(Policy::keys);
        Self {
            trusted: log_keys.cloned().chain(of_policy).collect(),
            has_followed: false,
            policy: options.policy.clone().map(Arc::new),
            not_before_secs: options.not_before_secs.unwrap_or(0),
        }
    }

    /// Whether no key of the log is trusted.
    pub(crate) fn is_empty(&self) -> bool {
        self.of_log().next().is_none()
    }

    fn of_log(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.trusted.iter().filter(|key| key.kind() == KeyKind::Ed25519)
    }

    /// Whether keys are trusted that were not when the checkpoints were read.
    pub(super) fn has_followed(&self) -> bool {
        self.has_followed
    }

    /// Verifies the signatures of a checkpoint.
    ///
    /// # Errors
    ///
    /// What claims to be by a trusted key is not.
    pub(super) fn judge(&self, note: &Note) -> Result<Standing, NoteError> {
        match SignedCheckpoint::open(note.clone(), &self.trusted) {
            Ok(signed) => Ok(Standing::Signed(self.witnessed(&signed))),
            Err(CheckpointError::Note(error @ NoteError::BadSignature { .. })) => Err(error),
            Err(_) => Ok(Standing::Unknown),
        }
    }

    fn witnessed(&self, signed: &SignedCheckpoint) -> Witnessed {
        let Some(policy) = &self.policy else { return Witnessed::NotAsked };
        // That a trusted key of the log has signed it is known, be it one of the policy's or another.
        match policy.evaluate(signed).quorum() {
            Quorum::NotRequired => Witnessed::NotAsked,
            Quorum::Met { cosigned_secs } if cosigned_secs >= self.not_before_secs => {
                Witnessed::Enough { cosigned_secs }
            }
            Quorum::Met { .. } | Quorum::NotMet => Witnessed::TooFew,
        }
    }

    /// Takes over a new key of the log where a trusted old one vouches for it, and the new one for
    /// itself, lest a log takes over a key that belongs to somebody else.
    pub(crate) fn follow(&mut self, changed: &KeyChanged, log_id: &str, seq: u64) -> Following {
        let KeyChanged { old_vkey, new_vkey, old_signature, new_signature } = changed;
        if self.is_empty() {
            return Following::NoKeys;
        }
        let Some(old) = self.of_log().find(|key| key.to_string() == *old_vkey) else {
            return Following::Untrusted;
        };
        let text = format!("audit key change v1\n{log_id}\n{seq}\n{old_vkey}\n{new_vkey}\n");
        let signs = |key: &VerifyingKey, signature: &str| {
            let bytes = STANDARD.decode(signature);
            bytes.is_ok_and(|bytes| key.verifies(text.as_bytes(), &bytes))
        };
        let new = new_vkey.parse::<VerifyingKey>().ok();
        match new.filter(|new| new.kind() == KeyKind::Ed25519) {
            Some(new) if signs(old, old_signature) && signs(&new, new_signature) => {
                self.trusted.push(new);
                self.has_followed = true;
                Following::Followed
            }
            // A key of a kind that is not known here cannot be followed, and is not false for that.
            None if signs(old, old_signature) => Following::Untrusted,
            Some(_) | None => Following::False,
        }
    }
}

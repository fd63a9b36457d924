//! The key of a log, changed for another: said in the log, and signed by both.

use audit_checkpoint::{Checkpoint, KeyKind, SigningKey};
use audit_core::RecordTime;
use audit_core::lifecycle::{LifecycleEvent, LogId};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{AuditFileWriter, Log};
use crate::broken::{self, Broken};
use crate::clock::Clock;
use crate::signing::SignError;
use crate::store::Store;

impl<S: Store, C: Clock> AuditFileWriter<S, C> {
    /// Signs with another key from now on, of the same name. The old one signs a last checkpoint,
    /// then `key_changed`, signed by both, is the last opening record of a new segment, durably, and
    /// sealed with the new one; then the new one signs a checkpoint, which is returned. Who trusts the old key trusts the new one from
    /// there on.
    ///
    /// From then on the log is to be opened with the new key; with the old one it is
    /// [`OpenError::KeyChanged`](crate::OpenError::KeyChanged). Where this fails in the middle, or a
    /// crash cuts it short, the same error tells whether the log says `key_changed` already.
    ///
    /// # Errors
    ///
    /// [`SignError::OtherKey`], [`SignError::NoKey`] and [`SignError::Empty`]: nothing was done.
    /// Otherwise as for [`checkpoint`](Self::checkpoint).
    pub fn change_key(&mut self, new: SigningKey) -> Result<Checkpoint, SignError> {
        let old = self.signing_key().ok_or(SignError::NoKey)?;
        let is_renamed = new.name() != old.name() && !broken::is(Broken::KeyRenamed);
        if is_renamed || new.kind() != KeyKind::Ed25519 {
            let (new, old) = (new.name().to_string(), old.name().to_string());
            return Err(SignError::OtherKey { new, old });
        }
        self.checkpoint()?;
        let Some(Log { service_id, log_id: Some(_) }) = self.log else {
            return Err(SignError::Empty);
        };
        let now = RecordTime::new(self.clock.now());
        // Where the rename failed it may have happened, and the log is poisoned then.
        self.open_segment_with(service_id, now, Some(&new))?;
        self.take_key(new);
        self.checkpoint()
    }
}

/// The record of a change, as the format says: signed for this log and this place in it.
pub(super) fn key_changed(
    old: &SigningKey,
    new: &SigningKey,
    log_id: LogId,
    seq: u64,
) -> LifecycleEvent {
    let (old_vkey, new_vkey) = (old.verifying_key().to_string(), new.verifying_key().to_string());
    let text = format!("audit key change v1\n{log_id}\n{seq}\n{old_vkey}\n{new_vkey}\n");
    let signature = |key: &SigningKey| STANDARD.encode(key.sign(text.as_bytes()));
    let (old_signature, new_signature) = (signature(old), signature(new));
    LifecycleEvent::KeyChanged { old_vkey, new_vkey, old_signature, new_signature }
}

//! Changes of a log's key: which are followed, and what becomes of the old one.

use audit_checkpoint::VerifyingKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::keys::{Keys, LogKey, Why, log_key};
use crate::broken::{self, Broken};
use crate::parse::lifecycle::KeyChanged;

/// What becomes of a change of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Following {
    /// The new key speaks for the log from now on, and the old one for the records before.
    Followed,
    /// No key is known.
    NoKeys,
    /// The old key is not known, so neither is the new one.
    Unknown,
    /// One of the keys is known, and the signatures are not those of the two keys.
    False,
    /// One of the keys is known, and the other one has another name.
    Renamed,
    /// Another key took the place of the old one before.
    Replaced,
}

/// A change as it is said, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change<'c> {
    pub(crate) changed: &'c KeyChanged,
    pub(crate) log_id: &'c str,
    pub(crate) seq: u64,
}

impl Change<'_> {
    fn is_signed_by(&self, key: &VerifyingKey, signature: &str) -> bool {
        let KeyChanged { old_vkey, new_vkey, .. } = self.changed;
        let Self { log_id, seq, .. } = self;
        let text = format!("audit key change v1\n{log_id}\n{seq}\n{old_vkey}\n{new_vkey}\n");
        let bytes = STANDARD.decode(signature);
        let is_right = bytes.is_ok_and(|bytes| key.verifies(text.as_bytes(), &bytes));
        is_right || broken::is(Broken::ChangeUnsigned)
    }

    fn is_signed_by_old(&self, key: &VerifyingKey) -> bool {
        self.is_signed_by(key, &self.changed.old_signature)
    }

    fn is_signed_by_new(&self, key: &VerifyingKey) -> bool {
        self.is_signed_by(key, &self.changed.new_signature)
    }
}

impl Keys {
    /// Takes over a new key of the log where a known old one vouches for it, and the new one for
    /// itself, lest a log takes over a key that belongs to somebody else.
    pub(crate) fn follow(&mut self, change: Change<'_>) -> Following {
        let KeyChanged { old_vkey, new_vkey, .. } = change.changed;
        self.name(old_vkey);
        self.name(new_vkey);
        let known = |vkey: &str| log_key(vkey).and_then(|key| self.position(&key));
        match (known(old_vkey), known(new_vkey)) {
            (Some(old), _) => self.follow_from(old, change),
            (None, Some(new)) => self.follow_back(new, change),
            (None, None) if self.log.is_empty() => Following::NoKeys,
            (None, None) => Following::Unknown,
        }
    }

    fn follow_from(&mut self, number: usize, change: Change<'_>) -> Following {
        let Some(old) = self.log.get_mut(number) else { return Following::Unknown };
        if old.why == Why::Replaced {
            return Following::Replaced;
        }
        if !change.is_signed_by_old(&old.key) {
            return Following::False;
        }
        // A key of a kind that is not known here cannot be followed, and is not false for that.
        let Some(new) = log_key(&change.changed.new_vkey) else { return Following::Unknown };
        if !change.is_signed_by_new(&new) {
            return Following::False;
        }
        if new.name() != old.key.name() {
            return Following::Renamed;
        }
        let replaced = Some((change.seq, new.clone()));
        if old.replaced == replaced {
            // The same record again, which is found for what it is.
            return Following::Followed;
        }
        if !old.is_current() && !broken::is(Broken::ChangeByReplaced) {
            return Following::Replaced;
        }
        let why = old.why;
        old.end_with(change.seq);
        old.replaced = replaced;
        match self.position(&new).and_then(|number| self.log.get_mut(number)) {
            // A log may go back to a key that it had.
            Some(known) if known.is_current() => {}
            Some(known) => {
                known.sizes.push(change.seq.saturating_add(1)..=u64::MAX);
                known.why = if known.why == Why::Replaced { why } else { known.why };
            }
            None => self.add(LogKey { why, ..LogKey::given(new) }),
        }
        let is_told = why == Why::Given && !broken::is(Broken::ChangeUntold);
        self.followed = self.followed.saturating_add(u64::from(is_told));
        Following::Followed
    }

    /// The new key alone is known: it says which one it took the place of.
    fn follow_back(&mut self, number: usize, change: Change<'_>) -> Following {
        let Some(new) = self.log.get(number) else { return Following::Unknown };
        if !change.is_signed_by_new(&new.key) {
            return Following::False;
        }
        let Some(old) = log_key(&change.changed.old_vkey) else { return Following::Unknown };
        if !change.is_signed_by_old(&old) {
            return Following::False;
        }
        if old.name() != new.key.name() {
            return Following::Renamed;
        }
        if new.why == Why::Replaced {
            return Following::Unknown;
        }
        let (sizes, replaced) = (vec![0..=change.seq], Some((change.seq, new.key.clone())));
        let why = if broken::is(Broken::OldKeyTrusted) { Why::Given } else { Why::Replaced };
        self.add(LogKey { key: old, why, sizes, replaced });
        Following::Followed
    }
}

//! Whose signatures count, and over how many records.

use std::ops::RangeInclusive;
use std::sync::Arc;

use audit_checkpoint::cosignature::FUTURE_SECS_MAX;
use audit_checkpoint::{
    CheckpointError, KeyKind, Note, NoteError, Policy, Quorum, SignedCheckpoint, VerifyingKey,
};

use super::standing::{Standing, Witnessed};
use crate::broken::{self, Broken};
use crate::verify::VerifyOptions;

/// Most keys that are kept of those that a log names and nothing vouches for: more than any log
/// changes its key.
const NAMED_KEYS_MAX: usize = 64;

/// Why a key of the log is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// It was given, or is the successor of one that was.
    Given,
    /// It signed a given checkpoint, though no key was given, or is the successor of one that did.
    OfPin,
    /// One of the above took its place, and nothing more is known of it.
    Replaced,
}

/// A key of the log.
#[derive(Clone, Debug)]
pub(super) struct LogKey {
    pub(super) key: VerifyingKey,
    pub(super) why: Why,
    /// How many records a checkpoint may cover that it signs.
    pub(super) sizes: Vec<RangeInclusive<u64>>,
    /// Where another key took its place last, and which.
    pub(super) replaced: Option<(u64, VerifyingKey)>,
}

/// The keys that are known.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(super) log: Vec<LogKey>,
    /// Those of the log and those of the witnesses, to verify notes with.
    all: Vec<VerifyingKey>,
    /// Those that the log names, and nothing vouches for.
    named: Vec<VerifyingKey>,
    /// How many of the keys were given; they come first.
    given_count: usize,
    /// How many changes from a given key to another were followed.
    pub(super) followed: u64,
    has_grown: bool,
    pins: Arc<[Note]>,
    policy: Option<Arc<Policy>>,
    /// Cosignatures count that were made from then on, and until then.
    cosigned_secs: RangeInclusive<u64>,
    /// What the key of the log has to be called.
    origin: Option<String>,
}

impl LogKey {
    pub(super) fn given(key: VerifyingKey) -> Self {
        Self { key, why: Why::Given, sizes: vec![0..=u64::MAX], replaced: None }
    }

    pub(super) fn may_sign(&self, size: u64) -> bool {
        self.sizes.iter().any(|sizes| sizes.contains(&size) || broken::is(Broken::OldKeyCounted))
    }

    /// Whether no other key took its place.
    pub(super) fn is_current(&self) -> bool {
        self.sizes.last().is_some_and(|sizes| *sizes.end() == u64::MAX)
    }

    /// Lets it sign no more records than this.
    pub(super) fn end_with(&mut self, size: u64) {
        if let Some(sizes) = self.sizes.last_mut() {
            *sizes = *sizes.start()..=size;
        }
    }

    /// Whether it speaks for the log, by itself or with what was given.
    fn is_vouched_for(&self) -> bool {
        match self.why {
            Why::Given | Why::OfPin => true,
            Why::Replaced => false,
        }
    }
}

impl Keys {
    pub(super) fn new(options: &VerifyOptions) -> Self {
        let mut keys = Self {
            log: Vec::new(),
            all: options.policy.iter().flat_map(Policy::keys).collect(),
            named: Vec::new(),
            given_count: 0,
            followed: 0,
            has_grown: false,
            pins: options.pins.iter().chain(&options.since).cloned().collect(),
            policy: options.policy.clone().map(Arc::new),
            cosigned_secs: options.not_before_secs.unwrap_or(0)
                ..=broken::unless(Broken::FutureCosigned, options.now_secs)
                    .map_or(u64::MAX, |now| now.saturating_add(FUTURE_SECS_MAX)),
            origin: options.identity.origin.clone(),
        };
        let of_policy = options.policy.iter().flat_map(Policy::keys);
        for key in options.keys.iter().cloned().chain(of_policy) {
            if key.kind() == KeyKind::Ed25519 && keys.position(&key).is_none() {
                keys.all.push(key.clone());
                keys.log.push(LogKey::given(key));
            }
        }
        keys.given_count = keys.log.len();
        keys
    }

    /// Whether no key of the log was given.
    pub(crate) fn is_empty(&self) -> bool {
        self.given_count == 0
    }

    /// The keys that were given, without their successors.
    pub(super) fn given(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.log.iter().take(self.given_count).map(|known| &known.key)
    }

    /// Whether keys are known that were not when the checkpoints were read.
    pub(super) fn has_grown(&self) -> bool {
        self.has_grown
    }

    pub(super) fn position(&self, key: &VerifyingKey) -> Option<usize> {
        self.log.iter().position(|known| known.key == *key)
    }

    pub(super) fn add(&mut self, key: LogKey) {
        self.has_grown = true;
        self.all.push(key.key.clone());
        self.log.push(key);
    }

    /// Takes note of a key that the log names. Where no key was given, one that signed a given
    /// checkpoint speaks for the log: that signature shows which of all keys it is.
    pub(crate) fn name(&mut self, vkey: &str) {
        let Some(key) = log_key(vkey) else { return };
        if self.position(&key).is_some() || self.named.contains(&key) {
            return;
        }
        let keys = std::slice::from_ref(&key);
        let signed = |pin: &Note| SignedCheckpoint::open(pin.clone(), keys).is_ok();
        if self.is_empty() && self.pins.iter().any(signed) {
            self.add(LogKey { why: Why::OfPin, ..LogKey::given(key) });
        } else if self.named.len() < NAMED_KEYS_MAX {
            self.named.push(key);
        }
    }

    /// Verifies the signatures of a checkpoint.
    ///
    /// # Errors
    ///
    /// What claims to be by a known key is not.
    pub(super) fn judge(&self, note: &Note) -> Result<Standing, NoteError> {
        match SignedCheckpoint::open(note.clone(), &self.all) {
            Ok(signed) => Ok(Standing {
                signers: signed.log_keys().iter().filter_map(|key| self.position(key)).collect(),
                witnessed: self.witnessed(&signed),
            }),
            Err(CheckpointError::Note(error @ NoteError::BadSignature { .. })) => Err(error),
            Err(_) => Ok(Standing::default()),
        }
    }

    fn witnessed(&self, signed: &SignedCheckpoint) -> Witnessed {
        let Some(policy) = &self.policy else { return Witnessed::NotAsked };
        // That a known key of the log has signed it is known, be it one of the policy's or another.
        match policy.evaluate_until(signed, *self.cosigned_secs.end()).quorum() {
            Quorum::NotRequired => Witnessed::NotAsked,
            Quorum::Met { cosigned_secs }
                if self.cosigned_secs.contains(&cosigned_secs)
                    || broken::is(Broken::OldCosigned) =>
            {
                Witnessed::Enough { cosigned_secs }
            }
            Quorum::Met { .. } | Quorum::NotMet => Witnessed::TooFew,
        }
    }

    fn signers<'k>(&'k self, standing: &'k Standing) -> impl Iterator<Item = &'k LogKey> {
        standing.signers.iter().filter_map(|number| self.log.get(*number))
    }

    /// The given key by which a checkpoint over so many records counts.
    pub(super) fn counted<'k>(
        &'k self,
        standing: &'k Standing,
        size: u64,
    ) -> Option<&'k VerifyingKey> {
        let mut counted = self.signers(standing).filter(|known| {
            known.why == Why::Given && known.may_sign(size) && self.is_demanded(&known.key)
        });
        let any = self.given().next().filter(|_| broken::is(Broken::StrangerCounted));
        counted.next().map(|known| &known.key).or(any)
    }

    /// Whether the key is called as the log has to be.
    fn is_demanded(&self, key: &VerifyingKey) -> bool {
        let origin = broken::unless(Broken::OriginCovers, self.origin.as_ref());
        origin.is_none_or(|origin| key.name().as_str() == origin)
    }

    /// The origins that given keys give a checkpoint, whether these are demanded or not.
    pub(super) fn origins<'k>(&'k self, standing: &'k Standing) -> impl Iterator<Item = &'k str> {
        let given = self.signers(standing).filter(|known| known.why == Why::Given);
        given.map(|known| known.key.name().as_str())
    }

    /// Whether a key that is vouched for made a checkpoint over so many records.
    pub(super) fn is_own(&self, standing: &Standing, size: u64) -> bool {
        self.signers(standing).any(|known| known.is_vouched_for() && known.may_sign(size))
    }

    /// The key that signed a checkpoint over more records than it may.
    pub(super) fn outlived<'k>(
        &'k self,
        standing: &'k Standing,
        size: u64,
    ) -> Option<&'k VerifyingKey> {
        let mut outlived = self.signers(standing).filter(|known| !known.may_sign(size));
        outlived.next().map(|known| &known.key)
    }

    /// Whether the key of this id, as the log says, has signed more records than it may.
    pub(crate) fn has_outlived(&self, key_id: &str, size: u64) -> bool {
        let mut called = self.log.iter().filter(|known| known.key.id().to_string() == key_id);
        let is_known = called.clone().next().is_some();
        is_known && called.all(|known| !known.may_sign(size))
    }

    /// Whether a key of this id is vouched for.
    pub(super) fn vouches_for_id(&self, key_id: &str) -> bool {
        let mut vouched = self.log.iter().filter(|known| known.is_vouched_for());
        vouched.any(|known| known.key.id().to_string() == key_id)
    }

    /// Whether the log names a key of this id.
    pub(super) fn names_id(&self, key_id: &str) -> bool {
        self.named().any(|key| key.id().to_string() == key_id)
    }

    /// Whether a key that the log names made the checkpoint.
    pub(super) fn is_by_named(&self, note: &Note) -> bool {
        let named: Vec<_> = self.named().cloned().collect();
        SignedCheckpoint::open(note.clone(), &named).is_ok()
    }

    fn named(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.named.iter().chain(self.log.iter().map(|known| &known.key))
    }

    /// How many witnesses the policy names that cannot be met yet.
    pub(super) fn witnesses_not_known(&self) -> usize {
        let witnesses = self.policy.iter().flat_map(|policy| policy.witnesses());
        witnesses.filter(|witness| witness.key.verifying_key().is_none()).count()
    }

    /// Whether cosignatures have to be of after some time.
    pub(super) fn bounds_age(&self) -> bool {
        *self.cosigned_secs.start() > 0
    }
}

/// A key of a log in its text form.
pub(super) fn log_key(vkey: &str) -> Option<VerifyingKey> {
    vkey.parse().ok().filter(|key: &VerifyingKey| key.kind() == KeyKind::Ed25519)
}

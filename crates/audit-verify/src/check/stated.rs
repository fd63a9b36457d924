//! What `segment_opened` says of the log's seals and key, beside what earlier records say.

use std::collections::BTreeMap;

use crate::broken::{self, Broken};
use crate::finding::{Code, Finding};
use crate::parse::lifecycle::{
    KeyChanged, LogCopied, LogOpened, LogPlace, SegmentKey, SegmentOpened,
};

/// Most keys that are kept: more than any log has.
const KEYS_MAX: usize = 64;

/// Longest key that is kept, in bytes.
const VKEY_BYTES_MAX: usize = 1_024;

/// What earlier segments say, and the newest one.
#[derive(Clone, Debug, Default)]
pub(super) struct Stated {
    origin: Origin,
    /// The seq of the record that named a key last.
    named: BTreeMap<String, u64>,
    /// Which key took the place of which: the old one and the new one.
    changes: Vec<(String, String)>,
    /// What the log was sealed with before the newest segment, and is with it.
    before: SealedBy,
    current: SealedBy,
    /// A key that the newest segment names and that a `key_changed` in its opening has to bring.
    due: Option<SegmentKey>,
    /// Whether the log was sealed before the newest segment.
    was_sealed: bool,
    unsynced_max_bytes: Option<u64>,
    place: Option<LogPlace>,
    previous_place: Option<LogPlace>,
}

/// What a segment is sealed with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum SealedBy {
    #[default]
    Unknown,
    Nothing,
    Key(String),
}

/// What is known of where a log begins to be sealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Origin {
    /// No segment has been read yet, or one is damaged that may have said it.
    #[default]
    Unknown,
    /// It is not sealed so far.
    Nowhere,
    At(u64),
}

/// Where a segment stands in the log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// Seq of its `segment_opened`.
    pub(super) seq: u64,
    /// Seq of the first record of the log that there is.
    pub(super) begins: u64,
    /// Whether something before it is damaged.
    pub(super) damaged: bool,
}

impl Stated {
    /// The key that the newest segment is sealed with.
    pub(super) fn key(&self) -> Option<&str> {
        match &self.current {
            SealedBy::Key(vkey) => Some(vkey),
            SealedBy::Unknown | SealedBy::Nothing => None,
        }
    }

    /// What the segment before was sealed with.
    pub(super) fn sealed_before_by(&self) -> &SealedBy {
        &self.before
    }

    /// Whether the log seals by now, as the newest segment says or one before it.
    pub(super) fn seals(&self) -> bool {
        matches!(self.origin, Origin::At(_))
    }

    /// Whether the log was sealed before the newest segment.
    pub(super) fn was_sealed(&self) -> bool {
        self.was_sealed
    }

    /// Whether the newest segment has another key than the one before, or only one of them has one:
    /// another writer opened the log.
    pub(super) fn is_by_another_writer(&self) -> bool {
        let is_known = self.due.is_none() && self.before != SealedBy::Unknown;
        is_known && self.before != self.current && !broken::is(Broken::OtherWriterUnsaid)
    }

    /// A key and those whose place it took, as the log says.
    pub(super) fn with_predecessors(&self, vkey: &str) -> Vec<String> {
        let mut keys = vec![vkey.to_owned()];
        let mut looked = 0;
        while let Some(newer) = keys.get(looked).cloned() {
            for (old, _) in self.changes.iter().filter(|(_, new)| *new == newer) {
                if !keys.contains(old) {
                    keys.push(old.clone());
                }
            }
            looked = looked.saturating_add(1);
        }
        keys
    }

    /// Notes that a segment, or its first record, cannot be read.
    pub(super) fn lose(&mut self) {
        let named = std::mem::take(&mut self.named);
        let changes = std::mem::take(&mut self.changes);
        *self = Self { named, changes, origin: self.known_origin(), ..Self::default() };
    }

    /// Where seals begin is known for good once it is.
    fn known_origin(&self) -> Origin {
        match self.origin {
            Origin::At(_) => self.origin,
            Origin::Unknown | Origin::Nowhere => Origin::Unknown,
        }
    }

    /// Takes what a segment says of the log's seals.
    pub(super) fn segment_opened(
        &mut self,
        opened: &SegmentOpened,
        standing: Standing,
    ) -> Vec<Finding> {
        self.was_sealed = matches!(self.origin, Origin::At(_));
        self.before = std::mem::take(&mut self.current);
        self.unsynced_max_bytes = opened.unsynced_max_bytes;
        self.previous_place = std::mem::replace(&mut self.place, opened.place.clone());
        self.due = None;
        let mut found = Vec::new();
        found.extend(self.check_origin(opened, standing.seq));
        found.extend(opened.key.as_ref().and_then(|key| self.check_key(key, standing)));
        self.current = match &opened.key {
            None => SealedBy::Nothing,
            Some(key) => SealedBy::Key(key.vkey.clone()),
        };
        found
    }

    fn check_origin(&mut self, opened: &SegmentOpened, seq: u64) -> Option<Finding> {
        let (said, is_sealed) = (opened.sealed_from, opened.key.is_some());
        let begins_here = said == Some(seq) && is_sealed;
        let is_right = match self.origin {
            Origin::At(known) => said == Some(known),
            Origin::Nowhere => begins_here || said.is_none() && !is_sealed,
            Origin::Unknown => match said {
                Some(said) => said < seq || begins_here,
                None => !is_sealed,
            },
        };
        let known = match self.origin {
            Origin::At(known) => format!("seq {known}"),
            Origin::Unknown | Origin::Nowhere if is_sealed => format!("seq {seq}, or earlier"),
            Origin::Unknown | Origin::Nowhere => "none".to_owned(),
        };
        self.origin = match (self.origin, said) {
            (Origin::At(known), _) => Origin::At(known),
            (_, Some(said)) => Origin::At(said),
            (origin, None) if is_sealed => origin,
            (_, None) => Origin::Nowhere,
        };
        let finding = Finding::new(Code::SealedFromFalse, Code::SealedFromFalse.meaning());
        let said = said.map_or_else(|| "none".to_owned(), |said| format!("seq {said}"));
        let is_right = is_right || broken::is(Broken::SealedFrom);
        (!is_right).then(|| finding.expected(known).found(said))
    }

    fn check_key(&mut self, key: &SegmentKey, standing: Standing) -> Option<Finding> {
        let Standing { seq, begins, damaged } = standing;
        let named = self.named.get(&key.vkey).copied();
        if key.since > seq {
            self.due = Some(key.clone());
            return None;
        }
        let goes_on = matches!(&self.before, SealedBy::Key(before) if *before == key.vkey);
        let is_right = match named {
            Some(named) => key.since == named || !goes_on && key.since == seq,
            // The record that named it may be among those that are gone.
            None => key.since == seq || key.since < begins || damaged,
        };
        self.name(&key.vkey, key.since);
        (!is_right && !broken::is(Broken::KeySince)).then(|| {
            let expected = named.map_or_else(|| format!("since {seq}"), |at| format!("since {at}"));
            false_key().expected(expected).found(format_args!("since {}", key.since))
        })
    }

    fn name(&mut self, vkey: &str, since: u64) {
        let is_room = self.named.len() < KEYS_MAX || self.named.contains_key(vkey);
        if is_room && vkey.len() <= VKEY_BYTES_MAX {
            self.named.insert(vkey.to_owned(), since);
        }
    }

    /// Takes a change of the key.
    pub(super) fn key_changed(&mut self, changed: &KeyChanged, seq: u64) -> Option<Finding> {
        let KeyChanged { old_vkey, new_vkey, .. } = changed;
        let due = self.due.take();
        self.name(new_vkey, seq);
        if self.changes.len() < KEYS_MAX && old_vkey.len().max(new_vkey.len()) <= VKEY_BYTES_MAX {
            self.changes.push((old_vkey.clone(), new_vkey.clone()));
        }
        let is_sealed = self.key().is_some();
        if is_sealed {
            self.current = SealedBy::Key(new_vkey.clone());
        }
        let due = due.filter(|due| due.vkey != *new_vkey || due.since != seq)?;
        Some(
            false_key().expected(format_args!("{} at seq {}", due.vkey, due.since)).found(new_vkey),
        )
    }

    /// Says, once the opening records are over, that a change is absent which has to be among them.
    pub(super) fn opening_is_over(&mut self) -> Option<Finding> {
        let due = broken::unless(Broken::KeyUnchanged, self.due.take())?;
        let expected = format!("a key_changed at seq {}", due.since);
        Some(false_key().expected(expected).found("none among the opening records"))
    }

    /// Compares what a writer says of itself with what it says of its segment.
    pub(super) fn check_log_opened(&self, opened: &LogOpened) -> Option<Finding> {
        let finding = Finding::new(Code::OpeningMismatch, Code::OpeningMismatch.meaning());
        if let Some(bytes) = self.unsynced_max_bytes.filter(|&it| it != opened.unsynced_max_bytes) {
            let found = opened.unsynced_max_bytes;
            return Some(finding.expected(format_args!("{bytes} bytes unsynced")).found(found));
        }
        let (key, due) = (self.key(), self.due.as_ref());
        match key {
            _ if broken::is(Broken::OpenedOtherwise) => None,
            Some(_) if opened.is_unsigned() => {
                Some(finding.expected("a writer with the key").found("unsigned"))
            }
            // Before a change of the key that is among the opening records, it is the old one.
            Some(key) if due.is_none() => {
                let other = opened.vkey.as_deref().filter(|vkey| *vkey != key)?;
                Some(finding.expected(key).found(other))
            }
            None if self.was_sealed && !opened.is_unsigned() => {
                Some(finding.expected("unsigned, since the segment has no key").found("nothing"))
            }
            Some(_) | None => None,
        }
    }

    /// Compares from where a log says that it was copied with where it said that it was.
    pub(super) fn check_log_copied(&self, copied: &LogCopied) -> Option<Finding> {
        let said = broken::unless(Broken::CopyUncompared, self.previous_place.as_ref())?;
        let finding = Finding::new(Code::OpeningMismatch, Code::OpeningMismatch.meaning());
        (said != copied.from()).then(|| {
            finding
                .expected("the place of the segment before")
                .found("another place to be copied from")
        })
    }
}

fn false_key() -> Finding {
    Finding::new(Code::SegmentKeyFalse, Code::SegmentKeyFalse.meaning())
}

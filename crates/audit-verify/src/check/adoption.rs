//! Records that an operator took over, which nothing of the log's key covers.

use std::collections::BTreeSet;

use audit_checkpoint::{KeyKind, SignedCheckpoint, VerifyingKey};

use super::stated::{SealedBy, Stated};
use crate::broken::{self, Broken};
use crate::finding::{Code, Finding, Ledger, Place};
use crate::notes;
use crate::parse::lifecycle::{AdoptionReason, RecordsAdopted};
use crate::source::LogSource;
use crate::trust::Claims;

/// The records that were adopted, opening by opening.
#[derive(Clone, Debug, Default)]
pub(super) struct Adoptions {
    ranges: Vec<Adopted>,
}

/// One range of them.
#[derive(Clone, Debug)]
struct Adopted {
    said: RecordsAdopted,
    /// The seq of the record that says so, and where that is.
    seq: u64,
    file: String,
    line: u64,
    offset: u64,
    /// The key of whoever adopted them.
    vkey: String,
    /// The least seq that the range can begin with, were there no checkpoint of the key.
    least: u64,
    /// Whether the opening tells of a checkpoint that ends where the range begins.
    is_recorded: bool,
}

/// What there was to adopt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Adoptable<'a> {
    /// Seq of the segment's `segment_opened`, where it is known.
    pub(super) opening_seq: Option<u64>,
    /// Seq of the first record of the log that there is now.
    pub(super) begins: Option<u64>,
    /// The newest sealed record before.
    pub(super) last_sealed: Option<u64>,
    pub(super) stated: &'a Stated,
}

impl Adoptions {
    /// How many ranges there are, and how many records are in them.
    pub(super) fn counts(&self) -> (u64, u64) {
        let records = self.ranges.iter().fold(0_u64, |sum, range| {
            let RecordsAdopted { first_seq, last_seq, .. } = range.said;
            let more = last_seq.saturating_sub(first_seq).saturating_add(1);
            sum.saturating_add(more)
        });
        (u64::try_from(self.ranges.len()).unwrap_or(u64::MAX), records)
    }

    /// Whether an operator took the log over although the records before this seq were gone.
    pub(super) fn excuse(&self, begins: u64) -> bool {
        let excuses = |range: &Adopted| range.said.begins == begins;
        self.ranges.iter().any(|range| excuses(range) || broken::is(Broken::AdoptedHead))
    }

    /// Takes a range that a record declares, and tells what is wrong with it.
    pub(super) fn declare(
        &mut self,
        said: RecordsAdopted,
        seq: u64,
        place: Place<'_>,
        there: &Adoptable<'_>,
    ) -> Option<Finding> {
        let least = least(said, there);
        let fault = fault(said, least, there);
        if let Some((expected, found)) = fault {
            return Some(adoption_false().expected(expected).found(found));
        }
        let Place { file, line, offset } = place;
        let (file, vkey) = (file.to_owned(), there.stated.key().unwrap_or_default().to_owned());
        self.ranges.push(Adopted {
            said,
            seq,
            file,
            line,
            offset,
            vkey,
            least,
            is_recorded: false,
        });
        None
    }

    /// Takes note of a checkpoint that a record tells of, which may be in the same opening.
    pub(super) fn checkpoint_signed(&mut self, size: u64, in_opening: bool) {
        if let Some(newest) = self.ranges.last_mut().filter(|_| in_opening) {
            newest.is_recorded |= newest.said.first_seq == size;
        }
    }

    /// Compares the ranges with the checkpoints beside the log that the adopting keys have signed. Each
    /// of them is read once, however many ranges there are.
    pub(super) fn conclude(
        &self,
        stated: &Stated,
        claims: &Claims,
        source: &impl LogSource,
        ledger: &mut Ledger,
    ) {
        if self.ranges.is_empty() {
            return;
        }
        let mut judged: Vec<_> =
            self.ranges.iter().map(|range| Judged::new(range, stated)).collect();
        let vkeys: BTreeSet<_> = judged.iter().flat_map(|range| &range.vkeys).cloned().collect();
        let keys: Vec<_> = vkeys.iter().filter_map(|vkey| log_key(vkey)).collect();
        for (size, name) in claims.beside(0..=u64::MAX) {
            let Some(note) = notes::read_again(source, &name).map(|again| again.note) else {
                continue;
            };
            // Key by key, so that a false signature by one does not hide a good one by another.
            let is_by = |key: &&VerifyingKey| {
                SignedCheckpoint::open(note.clone(), std::slice::from_ref(*key)).is_ok()
            };
            let signers: Vec<_> = keys.iter().filter(is_by).map(ToString::to_string).collect();
            for range in judged.iter_mut().filter(|range| range.is_by_one_of(&signers)) {
                if let Some(finding) = range.take(size, &name) {
                    ledger.find(finding);
                }
            }
        }
        judged.iter().filter_map(Judged::finish).for_each(|finding| ledger.find(finding));
    }
}

/// A key of a log in its text form.
fn log_key(vkey: &str) -> Option<VerifyingKey> {
    vkey.parse().ok().filter(|key: &VerifyingKey| key.kind() == KeyKind::Ed25519)
}

/// A range, and what the checkpoints beside the log say of it.
struct Judged<'a> {
    range: &'a Adopted,
    /// The adopting key and its predecessors.
    vkeys: Vec<String>,
    /// Whether a checkpoint is why the range begins where it does, or none has to be.
    begins_rightly: bool,
    has_own: bool,
}

impl<'a> Judged<'a> {
    fn new(range: &'a Adopted, stated: &Stated) -> Self {
        let least = range.least.max(range.said.begins);
        let begins_rightly = range.said.first_seq <= least || range.is_recorded;
        let mut vkeys = stated.with_predecessors(&range.vkey);
        vkeys.truncate(if broken::is(Broken::AdoptedOverOlder) { 1 } else { vkeys.len() });
        Self { range, vkeys, begins_rightly, has_own: false }
    }

    fn is_by_one_of(&self, signers: &[String]) -> bool {
        signers.iter().any(|signer| self.vkeys.contains(signer))
    }

    /// Takes a checkpoint of its keys over so many records.
    fn take(&mut self, size: u64, name: &str) -> Option<Finding> {
        let RecordsAdopted { first_seq, last_seq, .. } = self.range.said;
        self.has_own = true;
        self.begins_rightly |= size == first_seq;
        let is_inside = size > first_seq && size <= last_seq.saturating_add(1);
        (is_inside && !broken::is(Broken::AdoptedOverNote)).then(|| {
            let found = format!("{size} records, of which {first_seq} and later were adopted");
            Finding::new(Code::CheckpointInAdopted, Code::CheckpointInAdopted.meaning())
                .in_file(&notes::path_of(name))
                .seq(size.checked_sub(1))
                .found(found)
        })
    }

    /// Says that the range begins where no checkpoint ends. Where none is left, that is for others to
    /// say.
    fn finish(&self) -> Option<Finding> {
        if self.begins_rightly || !self.has_own || broken::is(Broken::AdoptionLater) {
            return None;
        }
        let Adopted { said, seq, file, line, offset, least, .. } = self.range;
        let found = format!("from seq {}, up to which no checkpoint is", said.first_seq);
        let place = Place { file, line: *line, offset: *offset };
        let expected = format!("records from seq {least}");
        Some(adoption_false().at(place).seq(*seq).expected(expected).found(found))
    }
}

fn adoption_false() -> Finding {
    Finding::new(Code::AdoptionFalse, Code::AdoptionFalse.meaning())
}

/// The seq that a range begins with where no checkpoint of the key covers records before it: behind
/// the last seal, if that is of the adopting key.
fn least(said: RecordsAdopted, there: &Adoptable<'_>) -> u64 {
    match said.why {
        AdoptionReason::OtherKey => 0,
        AdoptionReason::UnsignedOpening
        | AdoptionReason::BeforeSeals
        | AdoptionReason::NoKeyBefore => there.last_sealed.map_or(0, |last| last.saturating_add(1)),
    }
}

/// What a range has to be, and what it is instead.
fn fault(said: RecordsAdopted, least: u64, there: &Adoptable<'_>) -> Option<(String, String)> {
    let RecordsAdopted { first_seq, last_seq, begins, why } = said;
    if there.stated.key().is_none() && !broken::is(Broken::AdoptionUnsealed) {
        return Some(("a segment that is sealed".to_owned(), "one without a key".to_owned()));
    }
    let opening_seq = broken::unless(Broken::AdoptionEnd, there.opening_seq);
    if let Some(due) = opening_seq.filter(|&opening| last_seq.checked_add(1) != Some(opening)) {
        let expected = format!("records up to the one before seq {due}");
        return Some((expected, format!("up to seq {last_seq}")));
    }
    if first_seq > last_seq || first_seq < least && !broken::is(Broken::AdoptionBegin) {
        let expected = format!("records from seq {least} or later");
        return Some((expected, format!("from seq {first_seq} to {last_seq}")));
    }
    if let Some(first) = there.begins.filter(|&first| begins > first) {
        return Some((format!("a log that begins at seq {first}"), format!("at seq {begins}")));
    }
    let reasons: &[AdoptionReason] = match there.stated.sealed_before_by() {
        SealedBy::Unknown => return None,
        SealedBy::Key(_) => &[AdoptionReason::OtherKey],
        SealedBy::Nothing if there.stated.was_sealed() => &[AdoptionReason::UnsignedOpening],
        SealedBy::Nothing => &[AdoptionReason::BeforeSeals, AdoptionReason::NoKeyBefore],
    };
    let is_right = reasons.contains(&why) || broken::is(Broken::AdoptionReason);
    (!is_right).then(|| {
        let expected: Vec<_> = reasons.iter().map(ToString::to_string).collect();
        (expected.join(" or "), why.to_string())
    })
}

//! What can be said once the log has been read.

use std::collections::BTreeSet;

use super::claims::{By, Claim};
use super::coverage::Vouched;
use super::identity::Shown;
use super::standing::{Standing, Witnessed};
use super::unsigned::Unsigned;
use super::{Coverage, Elsewhere, Kept, Trust, judge, not_verified};
use crate::broken::{self, Broken};
use crate::finding::{Code, Finding, Ledger, Notice, NoticeCode};
use crate::notes;
use crate::source::LogSource;
use crate::verdict::Verdict;

/// Where a log begins and ends, and whose it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End<'l> {
    /// Seq of the newest record.
    pub(crate) last_seq: Option<u64>,
    /// How many records there are, where that is known.
    pub(crate) records: Option<u64>,
    /// How many were deleted from the beginning, as the log says.
    pub(crate) gone: u64,
    /// From which seq on the records are not chained to the first one.
    pub(crate) gap: Option<u64>,
    /// From which seq on no links lead back to the first one.
    pub(crate) unlinked: Option<u64>,
    /// Seq and time of the first record.
    pub(crate) first_seq: Option<u64>,
    pub(crate) first_timestamp: Option<&'l str>,
    pub(crate) shown: Shown<'l>,
}

/// What came of all claims.
#[derive(Debug, Default)]
struct Tally {
    coverage: Coverage,
    /// Checkpoints beside the log that count for no given key.
    unknown: u64,
    /// Whether a checkpoint of a given key was seen by too few witnesses.
    is_quorum_missed: bool,
    /// The newest record that a given key signed for, beside the log or in a given checkpoint.
    signed: Option<u64>,
    /// The origins under which what is trusted was found to hold.
    origins: BTreeSet<String>,
}

impl Tally {
    /// Takes note of who had seen a checkpoint of a given key, which covers the records up to this
    /// one.
    fn witness(&mut self, witnessed: Witnessed, covered: Option<u64>) {
        if let Witnessed::Enough { cosigned_secs } = witnessed {
            let witnessed = covered.map(|seq| (seq, cosigned_secs));
            self.coverage.witnessed = self.coverage.witnessed.max(witnessed);
        }
    }
}

impl Trust {
    /// Says what is wrong or to be known by now, and how far the log is covered.
    pub(crate) fn conclude(
        &self,
        source: &impl LogSource,
        end: End<'_>,
        ledger: &mut Ledger,
    ) -> Coverage {
        // What cannot be read accounts for nothing: a record that is known to have been is absent.
        let read = end.last_seq.map_or(0, |seq| seq.saturating_add(1));
        let read = if broken::is(Broken::EndHidden) { u64::MAX } else { read };
        let records = end.records.unwrap_or(read);
        self.heads.finish(records, ledger);
        self.claims.finish(records, end.gone, ledger);
        self.say_of_recorded(ledger);
        self.miss_checkpoints(source, ledger);
        let mut tally = self.tally(source, end, ledger);
        match tally.coverage.witnessed {
            // What was seen at some time may be what the log was rolled back to.
            Some((seq, cosigned_secs))
                if self.keys.bounds_age() || broken::is(Broken::QuorumUnbound) =>
            {
                tally.coverage.add(Some(seq), Elsewhere::Witnesses { cosigned_secs });
            }
            None if tally.is_quorum_missed && !broken::is(Broken::QuorumUnmet) => {
                ledger.find(Finding::new(Code::QuorumNotMet, Code::QuorumNotMet.meaning()));
            }
            Some(_) | None => {}
        }
        self.say_who_signed(&tally, ledger);
        self.identity.check(end.shown, &tally.origins, ledger);
        let unsigned = unsigned(tally.signed, end);
        self.limit(unsigned, end, ledger);
        let mut coverage = tally.coverage;
        coverage.keys = self.keys.given().map(ToString::to_string).collect();
        coverage.changes_followed = self.keys.followed;
        coverage.unsigned = (!self.keys.is_empty()).then_some(unsigned.records);
        self.require(coverage.level(end.last_seq), ledger);
        coverage
    }

    fn tally(&self, source: &impl LogSource, end: End<'_>, ledger: &mut Ledger) -> Tally {
        let mut tally = Tally::default();
        let unlinked = if broken::is(Broken::HeadOverDamage) { end.gap } else { end.unlinked };
        tally.coverage.add(self.heads.covered(unlinked), Elsewhere::Head);
        for (claim, is_held) in self.claims.outcomes() {
            // A record that stood out of order since may belong before those that were compared.
            let is_held = is_held && end.gap.is_none_or(|gap| claim.size <= gap);
            match &claim.by {
                By::Beside { standing, .. } => {
                    let again = self.judge_again(claim, standing, source, ledger);
                    let standing = again.as_ref().unwrap_or(standing);
                    self.count_beside(claim, standing, is_held, &mut tally, ledger);
                }
                By::Given(number) => {
                    if let Some(kept) = self.kept.get(*number) {
                        self.count_given(claim, kept, is_held, end, &mut tally, ledger);
                    }
                }
            }
        }
        tally
    }

    fn count_beside(
        &self,
        claim: &Claim,
        standing: &Standing,
        is_held: bool,
        tally: &mut Tally,
        ledger: &mut Ledger,
    ) {
        tally.coverage.checkpoints = tally.coverage.checkpoints.saturating_add(1);
        let covered = claim.last_seq().filter(|_| is_held);
        if !self.count_signers(claim, standing, covered, tally, ledger) {
            tally.unknown = tally.unknown.saturating_add(1);
            return;
        }
        tally.coverage.signed = tally.coverage.signed.max(covered);
        tally.is_quorum_missed |= standing.witnessed == Witnessed::TooFew;
    }

    fn count_given(
        &self,
        claim: &Claim,
        kept: &Kept,
        is_held: bool,
        end: End<'_>,
        tally: &mut Tally,
        ledger: &mut Ledger,
    ) {
        let covered = claim.last_seq().filter(|_| is_held);
        let mut standing = self.keys.judge(&kept.note).unwrap_or_default();
        if broken::is(Broken::PinUnwitnessed) {
            standing.witnessed = Witnessed::NotAsked;
        }
        let counts = self.count_signers(claim, &standing, covered, tally, ledger);
        if !counts && !self.keys.is_empty() && !broken::is(Broken::PinByAnother) {
            ledger.find(not_verified().seq(claim.last_seq()));
            return;
        }
        let origin = kept.checkpoint.origin();
        if covered.is_some() && self.keys.is_empty() {
            tally.origins.insert(origin.to_owned());
            tally.coverage.vouch(covered, || Vouched { origin: origin.to_owned(), vkey: None });
        }
        tally.coverage.add(covered, Elsewhere::Pin);
        if kept.is_since {
            let records = end.records.filter(|_| is_held);
            tally.coverage.since = records.and_then(|end| end.checked_sub(claim.size));
        }
    }

    /// Takes note of the keys of the log that signed a checkpoint; whether it counts for one that was
    /// given.
    fn count_signers(
        &self,
        claim: &Claim,
        standing: &Standing,
        covered: Option<u64>,
        tally: &mut Tally,
        ledger: &mut Ledger,
    ) -> bool {
        if let Some(key) = self.keys.outlived(standing, claim.size) {
            ledger.find(claim.finding(Code::CheckpointByReplacedKey).found(key));
        }
        if covered.is_some() {
            tally.origins.extend(self.keys.origins(standing).map(str::to_owned));
        }
        let Some(key) = self.keys.counted(standing, claim.size) else { return false };
        tally.signed = tally.signed.max(covered);
        tally.witness(standing.witnessed, covered);
        let vouched = || Vouched { origin: key.name().to_string(), vkey: Some(key.to_string()) };
        tally.coverage.vouch(covered, vouched);
        true
    }

    /// Who signed a checkpoint beside the log that no known key had signed, now that the log has named
    /// more keys.
    fn judge_again(
        &self,
        claim: &Claim,
        standing: &Standing,
        source: &impl LogSource,
        ledger: &mut Ledger,
    ) -> Option<Standing> {
        if !standing.is_unknown() || !self.keys.has_grown() {
            return None;
        }
        let name = claim.name()?;
        let again = notes::read_again(source, &name)?;
        // What it said when it was compared counts, and nothing else.
        let is_same =
            again.checkpoint.size() == claim.size && *again.checkpoint.root() == claim.root;
        is_same.then(|| judge(&name, &again.note, &self.keys, ledger))
    }

    fn require(&self, unbroken: Verdict, ledger: &mut Ledger) {
        if !self.require.is_met(unbroken) {
            let finding = Finding::new(Code::RequirementNotMet, Code::RequirementNotMet.meaning());
            ledger.find(finding.expected(self.require).found(unbroken));
        }
    }

    fn say_of_recorded(&self, ledger: &mut Ledger) {
        let uncompared = self.recorded.uncompared;
        if uncompared > 0 {
            let message = format!(
                "what the log says of {uncompared} of its checkpoints was not compared, since it is \
                 not known which records these cover"
            );
            ledger.note(Notice::new(NoticeCode::CheckpointsNotCompared, message));
        }
    }

    fn say_who_signed(&self, tally: &Tally, ledger: &mut Ledger) {
        let (all, unknown) = (tally.coverage.checkpoints, tally.unknown);
        if self.keys.is_empty() {
            if all > 0 {
                let message = format!(
                    "{all} checkpoints were compared with the records; who signed them was not \
                     asked, since no key was given"
                );
                ledger.note(Notice::new(NoticeCode::CheckpointsNotVerified, message));
            }
        } else if unknown == all {
            let code = Code::NoCheckpointByKey;
            ledger
                .find(Finding::new(code, code.meaning()).found(format_args!("{all} checkpoints")));
        } else if unknown > 0 {
            let message = format!("{unknown} of {all} checkpoints are not signed by a given key");
            ledger.note(Notice::new(NoticeCode::CheckpointsOfOtherKeys, message));
        }
        let not_known = self.keys.witnesses_not_known();
        if not_known > 0 {
            let message = format!(
                "{not_known} witnesses of the policy have a kind of key that cannot be verified with \
                 yet, and count as if they had not cosigned"
            );
            ledger.note(Notice::new(NoticeCode::WitnessKeyNotKnown, message));
        }
    }
}

/// The records at the end behind the newest one that a given key signed for.
fn unsigned(signed: Option<u64>, end: End<'_>) -> Unsigned {
    let of_last = end.last_seq.map_or(0, |seq| seq.saturating_add(1));
    let size = of_last.max(end.records.unwrap_or(0));
    let signed_size = signed.map_or(0, |seq| seq.saturating_add(1));
    let first = signed_size.max(end.first_seq.unwrap_or(0));
    Unsigned { records: size.saturating_sub(first), signed_size }
}

//! What can be said once the log has been read.

use super::claims::{By, Claim};
use super::keys::{Standing, Witnessed};
use super::{Coverage, Elsewhere, Trust, judge, not_verified};
use crate::finding::{Code, Finding, Ledger, Notice, NoticeCode};
use crate::notes;
use crate::source::LogSource;
use crate::verdict::Verdict;

/// Where a log ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    /// Seq of the newest record.
    pub(crate) last_seq: Option<u64>,
    /// How many records there are, where that is known.
    pub(crate) records: Option<u64>,
    /// How many were deleted from the beginning, as the log says.
    pub(crate) gone: u64,
    /// From which seq on the records are not chained to the first one.
    pub(crate) gap: Option<u64>,
}

/// What came of all claims.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    coverage: Coverage,
    /// Checkpoints beside the log that no trusted key has signed.
    unknown: u64,
    /// Whether a checkpoint of a trusted key was seen by too few witnesses.
    is_quorum_missed: bool,
}

impl Tally {
    /// Takes note of a checkpoint beside the log, which covers the records up to this one.
    fn beside(&mut self, standing: Standing, covered: Option<u64>) {
        let Self { coverage, unknown, is_quorum_missed } = self;
        coverage.checkpoints = coverage.checkpoints.saturating_add(1);
        let Standing::Signed(witnessed) = standing else {
            *unknown = unknown.saturating_add(1);
            return;
        };
        coverage.signed = coverage.signed.max(covered);
        *is_quorum_missed |= witnessed == Witnessed::TooFew;
        if let Witnessed::Enough { cosigned_secs } = witnessed {
            let witnessed = covered.map(|seq| (seq, cosigned_secs));
            coverage.witnessed = coverage.witnessed.max(witnessed);
        }
    }
}

impl Trust {
    /// Says what is wrong or to be known by now, and how far the log is covered.
    pub(crate) fn conclude(
        &self,
        source: &impl LogSource,
        end: End,
        ledger: &mut Ledger,
    ) -> Coverage {
        self.heads.finish(end.records, ledger);
        self.claims.finish(end.records, end.gone, ledger);
        self.say_of_recorded(ledger);
        self.miss_checkpoints(source, ledger);
        let tally = self.tally(source, end, ledger);
        let mut coverage = tally.coverage;
        if let Some((seq, cosigned_secs)) = coverage.witnessed {
            coverage.add(Some(seq), Elsewhere::Witnesses { cosigned_secs });
        } else if tally.is_quorum_missed {
            ledger.find(Finding::new(Code::QuorumNotMet, Code::QuorumNotMet.meaning()));
        }
        self.say_who_signed(&tally, ledger);
        self.require(coverage.level(end.last_seq), ledger);
        coverage
    }

    fn tally(&self, source: &impl LogSource, end: End, ledger: &mut Ledger) -> Tally {
        let mut tally = Tally::default();
        tally.coverage.add(self.heads.covered(end.gap), Elsewhere::Head);
        for (claim, is_held) in self.claims.outcomes() {
            let standing = self.standing(claim, source, ledger);
            let covered = claim.last_seq().filter(|_| is_held);
            match &claim.by {
                By::Beside { .. } => tally.beside(standing, covered),
                By::Given(_) | By::Since(_)
                    if standing == Standing::Unknown && !self.keys.is_empty() =>
                {
                    ledger.find(not_verified().seq(claim.last_seq()));
                }
                By::Given(_) => tally.coverage.add(covered, Elsewhere::Pin),
                By::Since(_) => {
                    tally.coverage.add(covered, Elsewhere::Pin);
                    let records = end.records.filter(|_| is_held);
                    tally.coverage.since = records.and_then(|end| end.checked_sub(claim.size()));
                }
            }
        }
        tally
    }

    /// Who signed what a claim is from, now that the log has said with which keys it goes on.
    fn standing(&self, claim: &Claim, source: &impl LogSource, ledger: &mut Ledger) -> Standing {
        match &claim.by {
            By::Given(note) | By::Since(note) => self.keys.judge(note).unwrap_or(Standing::Unknown),
            By::Beside { name, standing: Standing::Unknown } if self.keys.has_followed() => {
                let again = notes::read_again(source, name);
                // What it said when it was compared counts, and nothing else.
                let again = again.filter(|again| again.checkpoint == claim.checkpoint);
                again
                    .map_or(Standing::Unknown, |again| judge(name, &again.note, &self.keys, ledger))
            }
            By::Beside { standing, .. } => *standing,
        }
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

    /// Misses the newest checkpoint that the log, or one kept elsewhere, shows to have been made.
    /// Older ones may have been thinned out, and a newer one speaks for it too.
    fn miss_checkpoints(&self, source: &impl LogSource, ledger: &mut Ledger) {
        let sizes = |is_beside: bool| {
            let claims = self.claims.outcomes();
            claims
                .filter(move |(claim, is_held)| {
                    matches!(claim.by, By::Beside { .. }) == is_beside && (is_beside || *is_held)
                })
                .map(|(claim, _)| claim.size())
                .max()
        };
        let Some(newest) = self.recorded.newest.max(sizes(false)) else { return };
        let lying = self.unreadable.max(sizes(true));
        // A log that is being written may have got it since its checkpoints were read.
        if lying >= Some(newest) || notes::has_since(source, newest) {
            return;
        }
        let found = lying.map_or("none".to_owned(), |size| format!("one over {size} records"));
        ledger.find(
            Finding::new(Code::CheckpointMissing, Code::CheckpointMissing.meaning())
                .in_file(&notes::path_of(&notes::name_of(newest)))
                .seq(newest.checked_sub(1))
                .expected(format_args!("one over {newest} records or more"))
                .found(found),
        );
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
    }
}

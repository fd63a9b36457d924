//! The ledger: findings and notices as they come, all counted, some kept.

use super::{Finding, Notice};
use crate::verdict::Verdict;

/// Findings, and notices, that are kept: more than anyone reads, and memory stays bounded whatever
/// the log holds.
const LISTED_MAX: usize = 1_000;

/// Findings and notices. All of them are counted, and all of them count for the verdict.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) findings: Vec<Finding>,
    pub(crate) findings_total: u64,
    pub(crate) worst: Option<Verdict>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) notices_total: u64,
}

impl Ledger {
    pub(crate) fn find(&mut self, finding: Finding) {
        self.findings_total = self.findings_total.saturating_add(1);
        self.worst = self.worst.max(Some(finding.verdict));
        if self.findings.len() < LISTED_MAX {
            self.findings.push(finding);
        }
    }

    pub(crate) fn note(&mut self, notice: Notice) {
        self.notices_total = self.notices_total.saturating_add(1);
        if self.notices.len() < LISTED_MAX {
            self.notices.push(notice);
        }
    }

    /// Takes over what another ledger holds.
    pub(crate) fn append(&mut self, held: Self) {
        let Self { findings, findings_total, worst, notices, notices_total } = held;
        let room = LISTED_MAX.saturating_sub(self.findings.len());
        self.findings.extend(findings.into_iter().take(room));
        self.findings_total = self.findings_total.saturating_add(findings_total);
        self.worst = self.worst.max(worst);
        let room = LISTED_MAX.saturating_sub(self.notices.len());
        self.notices.extend(notices.into_iter().take(room));
        self.notices_total = self.notices_total.saturating_add(notices_total);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Code, NoticeCode};

    #[test]
    fn the_thousand_and_first_is_counted_and_still_decides() {
        let mut ledger = Ledger::default();
        (0..LISTED_MAX).for_each(|_| ledger.find(Finding::new(Code::TornTail, "torn")));
        ledger.find(Finding::new(Code::HashMismatch, "changed"));
        assert_eq!((ledger.findings.len(), ledger.findings_total), (1_000, 1_001));
        assert_eq!(ledger.worst, Some(Verdict::Tampered));

        (0..=LISTED_MAX).for_each(|_| ledger.note(Notice::new(NoticeCode::TailRecovered, "so")));
        assert_eq!((ledger.notices.len(), ledger.notices_total), (1_000, 1_001));

        let mut whole = Ledger::default();
        whole.find(Finding::new(Code::TornTail, "torn"));
        whole.append(ledger);
        assert_eq!((whole.findings.len(), whole.findings_total), (1_000, 1_002));
        assert_eq!(whole.worst, Some(Verdict::Tampered));
    }
}

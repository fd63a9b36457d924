//! The ledger: findings and notices as they come, all counted, some kept.

use std::collections::BTreeMap;

use super::{Code, Finding, FirstFault, Notice, NoticeCode};
use crate::broken::{self, Broken};
use crate::verdict::Verdict;

/// Findings, and notices, that are kept of one code: who wants to see more looks at the log itself.
/// So a report has a bounded length, and no number of findings of one code crowds out another.
pub(crate) const LISTED_MAX: usize = 20;

/// Findings and notices. All of them are counted, and all of them count for the verdict.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    /// Of each code the first ones, as they came.
    pub(crate) findings: Vec<Finding>,
    /// How many there are of each code.
    pub(crate) finding_counts: BTreeMap<Code, u64>,
    /// The earliest place in the log that something is wrong with, listed or not.
    pub(crate) first_fault: Option<FirstFault>,
    pub(crate) worst: Option<Verdict>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) notice_counts: BTreeMap<NoticeCode, u64>,
    /// Whether they are taken out as they come, so that none needs to be left out.
    lists_all: bool,
}

impl Ledger {
    /// A ledger from which findings and notices are taken as they come. They stay counted.
    pub(crate) fn listing_all() -> Self {
        Self { lists_all: true, ..Self::default() }
    }

    pub(crate) fn find(&mut self, finding: Finding) {
        self.worst = self.worst.max(Some(finding.verdict));
        if let Some(fault) = FirstFault::of(&finding) {
            self.see(fault);
        }
        if count(&mut self.finding_counts, finding.code, 1) || self.lists_all {
            self.findings.push(finding);
        }
    }

    /// Whether something that is listed is wrong with a file.
    pub(crate) fn finds_in(&self, file: &str) -> bool {
        let is_wrong = |finding: &Finding| finding.verdict == Verdict::Tampered;
        let is_its = |finding: &Finding| finding.file.as_deref() == Some(file);
        self.findings.iter().any(|finding| is_wrong(finding) && is_its(finding))
    }

    pub(crate) fn note(&mut self, notice: Notice) {
        if count(&mut self.notice_counts, notice.code, 1) || self.lists_all {
            self.notices.push(notice);
        }
    }

    /// Counts findings that are not made, since more of their code than are listed were.
    pub(crate) fn find_unlisted(&mut self, code: Code, more: u64) {
        if more > 0 {
            self.worst = self.worst.max(Some(code.verdict()));
            count(&mut self.finding_counts, code, more);
        }
    }

    /// Counts notices likewise.
    pub(crate) fn note_unlisted(&mut self, code: NoticeCode, more: u64) {
        if more > 0 {
            count(&mut self.notice_counts, code, more);
        }
    }

    pub(crate) fn findings_total(&self) -> u64 {
        self.finding_counts.values().fold(0, |total, count| total.saturating_add(*count))
    }

    pub(crate) fn notices_total(&self) -> u64 {
        self.notice_counts.values().fold(0, |total, count| total.saturating_add(*count))
    }

    fn see(&mut self, fault: FirstFault) {
        let is_earlier = |known: &FirstFault| fault.is_before(known);
        let is_first = self.first_fault.is_none() || !broken::is(Broken::FirstAsFound);
        if is_first && self.first_fault.as_ref().is_none_or(is_earlier) {
            self.first_fault = Some(fault);
        }
    }
}

/// Counts more of a code; whether so few were counted before that one is listed.
fn count<C: Ord>(counts: &mut BTreeMap<C, u64>, code: C, more: u64) -> bool {
    let of_all = if broken::is(Broken::FloodHides) { counts.values().sum() } else { 0 };
    let total = counts.entry(code).or_default();
    let before = of_all.max(*total);
    let is_listed = usize::try_from(before).is_ok_and(|before| before < LISTED_MAX);
    let is_listed = is_listed || broken::is(Broken::FloodListed);
    *total = total.saturating_add(more);
    is_listed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Place;

    fn at(code: Code, file: &str, line: u64) -> Finding {
        Finding::new(code, "wrong").at(Place { file, line, offset: line })
    }

    #[test]
    fn of_each_code_the_first_twenty_are_listed_and_all_counted_and_decide() {
        let mut ledger = Ledger::default();
        (0..1_000).for_each(|_| ledger.find(Finding::new(Code::TornTail, "torn")));
        ledger.find(Finding::new(Code::HashMismatch, "changed"));
        assert_eq!((ledger.findings.len(), ledger.findings_total()), (21, 1_001));
        assert_eq!(ledger.findings[20].code, Code::HashMismatch);
        assert_eq!(ledger.worst, Some(Verdict::Tampered));

        (0..1_000).for_each(|_| ledger.note(Notice::new(NoticeCode::TailRecovered, "so")));
        ledger.note(Notice::new(NoticeCode::PrunedPrefix, "so"));
        assert_eq!((ledger.notices.len(), ledger.notices_total()), (21, 1_001));
    }

    #[test]
    fn what_is_only_counted_decides_and_leaves_no_room_for_more() {
        let mut ledger = Ledger::default();
        ledger.find_unlisted(Code::HashMismatch, 0);
        assert_eq!((ledger.worst, ledger.findings_total()), (None, 0));
        ledger.find_unlisted(Code::HashMismatch, 20);
        ledger.find(Finding::new(Code::HashMismatch, "changed"));
        assert_eq!((ledger.findings.len(), ledger.findings_total()), (0, 21));
        assert_eq!(ledger.worst, Some(Verdict::Tampered));
    }

    #[test]
    fn the_first_fault_is_the_earliest_place_whenever_it_is_found_and_whatever_is_listed() {
        let mut ledger = Ledger::default();
        ledger.find(Finding::new(Code::HeadMissing, "no line"));
        assert_eq!(ledger.first_fault, None);
        (0..30).for_each(|_| ledger.find(at(Code::TornTail, "2", 5)));
        ledger.find(at(Code::TornTail, "1", 7));
        ledger.find(at(Code::HashMismatch, "1", 7));
        let first = ledger.first_fault.clone().unwrap();
        assert_eq!((first.code, first.file.as_str(), first.line), (Code::TornTail, "1", 7));
    }
}

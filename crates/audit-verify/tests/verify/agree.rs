//! A report and a view say the same of the lines of a log.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use audit_verify::{Code, Finding, LogSource, NoticeCode, Report, View, Viewer};

/// What is said of a line, but for the words.
type Said = (&'static str, Option<String>, Option<u64>, Option<u64>, Option<u64>);

fn said(finding: &Finding) -> Said {
    let Finding { code, file, line, offset, seq, .. } = finding;
    (code.as_str(), file.clone(), *line, *offset, *seq)
}

/// Whether something else than a checkpoint, or what else was kept, is compared with the log.
fn is_of_lines(finding: &Finding) -> bool {
    let of_trust = [
        Code::CheckpointMissing,
        Code::CheckpointBeyondEnd,
        Code::CheckpointInAdopted,
        Code::CheckpointRecordFalse,
    ];
    let is_of_note = finding.file.as_ref().is_some_and(|file| file.starts_with("checkpoints"));
    !is_of_note && !of_trust.contains(&finding.code)
}

/// What a view finds, and skips.
#[derive(Default)]
struct Viewed {
    findings: Vec<Finding>,
    skipped: BTreeMap<NoticeCode, u64>,
}

impl Viewed {
    fn take(&mut self, view: View<'_>) -> ControlFlow<()> {
        match view {
            View::Faulty { findings, .. } => self.findings.extend_from_slice(findings),
            View::Skipped(notice) => *self.skipped.entry(notice.code).or_default() += 1,
            View::Record(_) | _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// A view names each line that it cannot show. The verifier has named it already, as the rest of a
/// damaged one, or as one in a version that is not known.
fn is_shown_only(finding: &Finding, told: &mut BTreeSet<Code>) -> bool {
    finding.message == "The rest of a damaged line."
        || finding.code == Code::VersionUnknown && !told.insert(finding.code)
}

/// Compares a report, for which nothing was given, with a view of the same log.
///
/// # Errors
///
/// What only one of both says.
pub(crate) fn report_and_view_agree(report: &Report, source: impl LogSource) -> Result<(), String> {
    let mut seen = Viewed::default();
    let mut viewer = Viewer::new(source);
    let flow = viewer.read(&mut |view| seen.take(view));
    assert!(flow.unwrap().is_continue());
    viewer.finish(&mut |view| seen.take(view));
    let mut told = BTreeSet::new();
    seen.findings.retain(|finding| !is_shown_only(finding, &mut told) && is_of_lines(finding));

    let mut counts: BTreeMap<_, u64> = BTreeMap::new();
    seen.findings.iter().for_each(|finding| *counts.entry(finding.code).or_default() += 1);
    let is_listed =
        |code: &Code| report.findings.iter().any(|it| it.code == *code && is_of_lines(it));
    let due: BTreeMap<_, _> = report
        .finding_counts
        .iter()
        .filter(|(code, _)| is_listed(code))
        .map(|(code, count)| (*code, *count))
        .collect();
    let mut left: Vec<_> = seen.findings.iter().map(said).collect();
    let mut unseen = Vec::new();
    for finding in report.findings.iter().filter(|it| is_of_lines(it)).map(said) {
        match left.iter().position(|other| *other == finding) {
            Some(at) => drop(left.swap_remove(at)),
            None => unseen.push(finding),
        }
    }
    let skips =
        |code: &NoticeCode| [NoticeCode::TailRecovered, NoticeCode::UnsealedEnd].contains(code);
    let skipped: BTreeMap<_, _> = report
        .notice_counts
        .iter()
        .filter(|(code, _)| skips(code))
        .map(|(code, count)| (*code, *count))
        .collect();
    if counts != due || !unseen.is_empty() || skipped != seen.skipped {
        return Err(format!("not in the view: {unseen:?}, {counts:?} and {due:?}\n{report}"));
    }
    Ok(())
}

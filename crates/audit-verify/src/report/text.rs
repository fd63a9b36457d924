//! The text of a report for a person.

use std::collections::BTreeMap;
use std::fmt;

use audit_core::Inert;

use super::Report;
use crate::check::adopted_in_words;
use crate::finding::{Code, FirstFault, NoticeCode};
use crate::trust::base64;
use crate::verdict::Verdict;

/// Most given keys that the text for a person shows. The JSON has all.
const KEYS_SHOWN_MAX: usize = 5;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.painted(|_, text| text.to_owned()).fmt(f)
    }
}

/// A piece of the report's text that a terminal may set apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// The verdict.
    Verdict(Verdict),
    /// Where the first line is that something is wrong with.
    FirstFault,
    /// The code of a finding.
    FindingCode,
}

/// The text of a report for a person, its parts painted.
#[derive(Clone, Copy, Debug)]
pub struct PaintedReport<'r> {
    report: &'r Report,
    paint: fn(Part, &str) -> String,
}

impl Report {
    /// The text for a person, with parts of it as `paint` gives them back.
    #[must_use]
    pub fn painted(&self, paint: fn(Part, &str) -> String) -> PaintedReport<'_> {
        PaintedReport { report: self, paint }
    }
}

impl fmt::Display for PaintedReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { report, paint } = self;
        let verdict = report.verdict.as_str().to_uppercase();
        let verdict = paint(Part::Verdict(report.verdict), &verdict);
        writeln!(f, "{verdict}: {}", report.meaning)?;
        writeln!(f)?;
        if let Some(first) = &report.first_fault {
            let place = paint(Part::FirstFault, &place_in_words(first));
            write_row(f, "first bad", &place)?;
        }
        report.write_facts(f)?;
        self.write_findings(f)?;
        report.write_notices(f)
    }
}

impl PaintedReport<'_> {
    fn write_findings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { report, paint } = self;
        if report.findings.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nFindings: {}", report.findings_total)?;
        for finding in &report.findings {
            write!(f, "  {}", paint(Part::FindingCode, finding.code.as_str()))?;
            write_place(f, finding.file.as_deref(), finding.line, finding.seq)?;
            writeln!(f, "\n      {}", finding.message)?;
            for (name, value) in [("expected", &finding.expected), ("found", &finding.found)] {
                if let Some(value) = value {
                    writeln!(f, "      {name:<8}  {value}")?;
                }
            }
        }
        let codes = report.findings.iter().map(|finding| finding.code);
        write_rest(f, &report.finding_counts, codes, Code::as_str)
    }
}

impl Report {
    fn write_facts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(records) = self.unsigned_records {
            let covered = "at the end are covered by no checkpoint of a given key";
            write_row(f, "unsigned", &format_args!("{records} records {covered}"))?;
        }
        if let Some(service_id) = &self.service_id {
            write_row(f, "service", &Inert(service_id))?;
        }
        if let Some(log_id) = &self.log_id {
            write_row(f, "log", log_id)?;
        }
        self.write_keys(f)?;
        self.write_beginning(f)?;
        let Self { segments, bytes, records, events, critical, .. } = self;
        write_row(f, "segments", &format_args!("{segments}, {bytes} bytes"))?;
        write_row(
            f,
            "records",
            &format_args!("{records}, {events} of them events, {critical} critical"),
        )?;
        if self.events_lost > 0 {
            write_row(f, "lost", &format_args!("{} events, as the log says", self.events_lost))?;
        }
        if self.unsealed_records > 0 {
            let more = format!("{} records more, which are not sealed yet", self.unsealed_records);
            write_row(f, "unsealed", &more)?;
        }
        if self.adopted_ranges > 0 {
            let adopted = adopted_in_words(self.adopted_ranges, self.adopted_records);
            write_row(f, "adopted", &adopted)?;
        }
        if let (Some(first), Some(last)) = (&self.first_timestamp, &self.last_timestamp) {
            write_row(f, "written", &format_args!("{first} to {last}"))?;
        }
        if let Some(head) = &self.head {
            write_row(f, "head", head)?;
        }
        if let Some(root) = self.root {
            write_row(f, "root", &base64(root))?;
        }
        if let Some(signed) = self.signed_up_to {
            write_row(f, "signed", &format_args!("up to seq {signed}"))?;
        }
        if let (Some(seq), Some(time)) = (self.witnessed_up_to, &self.witnessed_at) {
            write_row(f, "witnessed", &format_args!("up to seq {seq}, by {time}"))?;
        }
        if let Some(records) = self.records_since {
            write_row(f, "since", &format_args!("{records} records"))?;
        }
        write_row(f, "coverage", &self.coverage)
    }

    fn write_notices(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.notices.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nNotices: {}", self.notices_total)?;
        for notice in &self.notices {
            write!(f, "  {}", notice.code.as_str())?;
            write_place(f, notice.file.as_deref(), notice.line, notice.seq)?;
            writeln!(f, ": {}", notice.message)?;
        }
        let codes = self.notices.iter().map(|notice| notice.code);
        write_rest(f, &self.notice_counts, codes, NoticeCode::as_str)
    }

    /// Who vouches for the log, and which keys were given.
    fn write_keys(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.origin, &self.vouched_by) {
            (Some(origin), Some(vkey)) => {
                write_row(f, "origin", &format_args!("{origin}, by {vkey}"))?;
            }
            (Some(origin), None) => write_row(f, "origin", origin)?,
            (None, _) => {}
        }
        for vkey in self.vkeys.iter().take(KEYS_SHOWN_MAX) {
            write_row(f, "key given", vkey)?;
        }
        if let Some(more @ 1..) = self.vkeys.len().checked_sub(KEYS_SHOWN_MAX) {
            write_row(f, "key given", &format_args!("and {more} more"))?;
        }
        if !self.vkeys.is_empty() {
            let changes = format_args!("{} followed", self.key_changes_followed);
            write_row(f, "changes", &format_args!("of the key: {changes}"))?;
        }
        Ok(())
    }

    fn write_beginning(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first_seq, self.pruned_up_to) {
            (Some(first), Some(pruned)) => {
                let deleted = format!("records up to seq {pruned} were deleted, as the log says");
                write_row(f, "begins", &format_args!("at seq {first}: {deleted}"))
            }
            (Some(first), None) => write_row(f, "begins", &format_args!("at seq {first}")),
            (None, _) => Ok(()),
        }
    }
}

fn write_row(f: &mut fmt::Formatter<'_>, name: &str, value: &dyn fmt::Display) -> fmt::Result {
    writeln!(f, "  {name:<9} {value}")
}

/// Where something is wrong.
fn place_in_words(fault: &FirstFault) -> String {
    let FirstFault { file, line, offset, .. } = fault;
    let seq = fault.seq.map_or_else(String::new, |seq| format!(", seq {seq}"));
    format!("{file} line {line}, byte {offset}{seq}")
}

fn write_place(
    f: &mut fmt::Formatter<'_>,
    file: Option<&str>,
    line: Option<u64>,
    seq: Option<u64>,
) -> fmt::Result {
    if let Some(file) = file {
        write!(f, "  {file}")?;
    }
    if let Some(line) = line {
        write!(f, " line {line}")?;
    }
    if let Some(seq) = seq {
        write!(f, " (seq {seq})")?;
    }
    Ok(())
}

/// How many there are of each code besides those that are listed.
fn write_rest<C: Copy + Ord>(
    f: &mut fmt::Formatter<'_>,
    counts: &BTreeMap<C, u64>,
    listed: impl Iterator<Item = C>,
    name: fn(C) -> &'static str,
) -> fmt::Result {
    let mut rest = counts.clone();
    for code in listed {
        rest.entry(code).and_modify(|count| *count = count.saturating_sub(1));
    }
    let mut rest = rest.into_iter().filter(|(_, count)| *count > 0);
    rest.try_for_each(|(code, count)| writeln!(f, "  and {count} more of {}", name(code)))
}

//! What a verification says.

use std::fmt;

use audit_core::{Digest, Inert, Receipt};
use serde::Serialize;

use crate::check::{Checker, adopted_in_words};
use crate::finding::{Finding, Notice};
use crate::trust::{Coverage, base64, time_of};
use crate::verdict::Verdict;

/// Version of the report's JSON.
pub const SCHEMA_VERSION: u32 = 1;

/// Most findings, and most notices, that the text for a person shows. The JSON has more.
const SHOWN_MAX: usize = 50;

/// The report on a log: the answer of every verification that could look.
///
/// [`fmt::Display`] gives the text for a person, [`Serialize`] the JSON. Every text out of the log
/// has its hostile code points made visible.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "schema",
    schemars(title = "VerifyReport", description = "What `audit verify --format json` prints.")
)]
#[non_exhaustive]
pub struct Report {
    /// Version of this report's form: [`SCHEMA_VERSION`].
    #[cfg_attr(
        feature = "schema",
        schemars(
            extend("const" = SCHEMA_VERSION),
            description = "Version of this report's form. It changes when a member changes its \
                           meaning or goes; members may be added."
        )
    )]
    pub schema_version: u32,
    /// The verdict.
    pub verdict: Verdict,
    /// What the verdict means.
    pub meaning: &'static str,
    /// What is covered by something kept elsewhere, and what can therefore not be excluded.
    pub coverage: String,
    /// The seq of the newest record that something kept elsewhere covers.
    pub covered_up_to: Option<u64>,
    /// The seq of the newest record that a checkpoint of a given key covers.
    pub signed_up_to: Option<u64>,
    /// The seq of the newest record that a checkpoint covers which enough witnesses had seen.
    pub witnessed_up_to: Option<u64>,
    /// By when they had (RFC 3339).
    pub witnessed_at: Option<String>,
    /// Records since the checkpoint up to which the log was verified before, where it extends a
    /// given one.
    pub records_since: Option<u64>,
    /// Checkpoints beside the log.
    pub checkpoints: u64,
    /// Lines with a right hash, up to where the log ends.
    pub records: u64,
    /// Records of events that a caller reported.
    pub events: u64,
    /// Those of them that are critical.
    pub critical: u64,
    /// Events that, as the log says, are not in it.
    pub events_lost: u64,
    /// Whole records at the end that are not sealed yet, and do not count: nobody was told that they
    /// are safe. Absent where there are none.
    #[serde(skip_serializing_if = "is_zero")]
    pub unsealed_records: u64,
    /// Ranges of records that an operator adopted, since nothing of the log's key covers them. Absent
    /// where there are none.
    #[serde(skip_serializing_if = "is_zero")]
    pub adopted_ranges: u64,
    /// Records in them.
    #[serde(skip_serializing_if = "is_zero")]
    pub adopted_records: u64,
    /// Segments.
    pub segments: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// The service whose log it is.
    pub service_id: Option<String>,
    /// The log's identity, in hex.
    pub log_id: Option<String>,
    /// The seq of the first record.
    pub first_seq: Option<u64>,
    /// The first record's timestamp.
    pub first_timestamp: Option<String>,
    /// The newest record's timestamp.
    pub last_timestamp: Option<String>,
    /// The newest record, as `SEQ:HASH`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Head>"))]
    pub head: Option<Receipt>,
    /// Root of the Merkle tree over all records (RFC 6962 section 2.1), in base64 in JSON, where it
    /// is certain which records there are.
    #[serde(serialize_with = "as_base64")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Root>"))]
    pub root: Option<Digest>,
    /// Findings that there are.
    pub findings_total: u64,
    /// The first of them.
    pub findings: Vec<Finding>,
    /// Notices that there are.
    pub notices_total: u64,
    /// The first of them.
    pub notices: Vec<Notice>,
}

impl Report {
    pub(crate) fn new(checker: Checker, covered: Coverage, segments: usize, bytes: u64) -> Self {
        let Checker { state, ledger, .. } = checker;
        let root = state.root();
        let (adopted_ranges, adopted_records) = state.adopted();
        let stats = state.stats;
        let last_seq = stats.last_seq();
        let unbroken = covered.level(last_seq);
        let verdict = Verdict::of(ledger.worst, unbroken);
        Self {
            schema_version: SCHEMA_VERSION,
            verdict,
            meaning: verdict.meaning(),
            coverage: with_adopted(
                covered.in_words(verdict, last_seq),
                adopted_ranges,
                adopted_records,
            ),
            covered_up_to: covered.elsewhere.map(|(seq, _)| seq),
            signed_up_to: covered.signed,
            witnessed_up_to: covered.witnessed.map(|(seq, _)| seq),
            witnessed_at: covered.witnessed.map(|(_, secs)| time_of(secs).to_string()),
            records_since: covered.since,
            checkpoints: covered.checkpoints,
            records: stats.records,
            events: stats.events,
            critical: stats.critical,
            events_lost: stats.events_lost,
            unsealed_records: stats.unsealed,
            adopted_ranges,
            adopted_records,
            segments: u64::try_from(segments).unwrap_or(u64::MAX),
            bytes,
            service_id: state.service_id,
            log_id: state.log_id.map(|log_id| log_id.0.to_string()),
            first_seq: stats.first_seq,
            first_timestamp: stats.first_timestamp,
            last_timestamp: stats.last_timestamp,
            head: stats.head,
            root,
            findings_total: ledger.findings_total,
            findings: ledger.findings,
            notices_total: ledger.notices_total,
            notices: ledger.notices,
        }
    }
}

/// What is covered, and of how many records only since an operator took them over.
fn with_adopted(coverage: String, ranges: u64, records: u64) -> String {
    if ranges == 0 {
        return coverage;
    }
    let adopted = adopted_in_words(ranges, records);
    format!(
        "{coverage} It holds {adopted}: what they were before that, neither a seal nor a checkpoint of \
         the log's key shows."
    )
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a field so")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[expect(clippy::ref_option, reason = "serde passes a field so")]
fn as_base64<S: serde::Serializer>(
    root: &Option<Digest>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    root.map(base64).serialize(serializer)
}

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

    /// The first finding, in the order of the chain, that has a line. Who looks at one place only,
    /// looks there.
    fn first_fault(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.line.is_some())
    }
}

impl fmt::Display for PaintedReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { report, paint } = self;
        let verdict = report.verdict.as_str().to_uppercase();
        let verdict = paint(Part::Verdict(report.verdict), &verdict);
        writeln!(f, "{verdict}: {}", report.meaning)?;
        writeln!(f)?;
        if let Some(first) = report.first_fault() {
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
        for finding in report.findings.iter().take(SHOWN_MAX) {
            write!(f, "  {}", paint(Part::FindingCode, finding.code.as_str()))?;
            write_place(f, finding.file.as_deref(), finding.line, finding.seq)?;
            writeln!(f, "\n      {}", finding.message)?;
            for (name, value) in [("expected", &finding.expected), ("found", &finding.found)] {
                if let Some(value) = value {
                    writeln!(f, "      {name:<8}  {value}")?;
                }
            }
        }
        write_rest(f, report.findings_total)
    }
}

impl Report {
    fn write_facts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(service_id) = &self.service_id {
            write_row(f, "service", &Inert(service_id))?;
        }
        if let Some(log_id) = &self.log_id {
            write_row(f, "log", log_id)?;
        }
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
        for notice in self.notices.iter().take(SHOWN_MAX) {
            write!(f, "  {}", notice.code.as_str())?;
            write_place(f, notice.file.as_deref(), notice.line, notice.seq)?;
            writeln!(f, ": {}", notice.message)?;
        }
        write_rest(f, self.notices_total)
    }
}

fn write_row(f: &mut fmt::Formatter<'_>, name: &str, value: &dyn fmt::Display) -> fmt::Result {
    writeln!(f, "  {name:<9} {value}")
}

/// Where a finding is.
fn place_in_words(finding: &Finding) -> String {
    let mut place = finding.file.clone().unwrap_or_default();
    let numbers = [(" line", finding.line), (", byte", finding.offset), (", seq", finding.seq)];
    for (name, number) in numbers {
        place.extend(number.map(|number| format!("{name} {number}")));
    }
    place
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

fn write_rest(f: &mut fmt::Formatter<'_>, total: u64) -> fmt::Result {
    let shown = u64::try_from(SHOWN_MAX).unwrap_or(u64::MAX);
    match total.checked_sub(shown) {
        Some(rest @ 1..) => writeln!(f, "  and {rest} more"),
        Some(0) | None => Ok(()),
    }
}

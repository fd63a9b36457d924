//! What a verification says.

mod text;

pub use text::{PaintedReport, Part};

use std::cmp::Reverse;
use std::collections::BTreeMap;

use audit_core::{Digest, Inert, Receipt};
use serde::Serialize;

use crate::broken::{self, Broken};
use crate::check::{Checker, adopted_in_words};
use crate::finding::{Code, Finding, FirstFault, Notice, NoticeCode, excerpt};
use crate::trust::{Coverage, base64, time_of};
use crate::verdict::Verdict;

/// Version of the report's JSON.
pub const SCHEMA_VERSION: u32 = 1;

/// The report on a log: the answer of every verification that could look.
///
/// [`Display`](std::fmt::Display) gives the text for a person, [`Serialize`] the JSON. Every text out of the log
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
    /// The origin of the checkpoint that vouches for the newest record that any trusted one vouches
    /// for: one that a given key signed, or, where no key was given, one that was kept elsewhere.
    pub origin: Option<String>,
    /// The key that signed it, where one was given.
    pub vouched_by: Option<String>,
    /// The keys of the log that were given, those of the policy too.
    pub vkeys: Vec<String>,
    /// How many changes from a given key to another were followed.
    pub key_changes_followed: u64,
    /// Records at the end that no checkpoint of a given key covers, where a key was given.
    pub unsigned_records: Option<u64>,
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
    /// The seq up to which records were deleted, as the log says.
    pub pruned_up_to: Option<u64>,
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
    /// The earliest place in the log that something is wrong with.
    pub first_fault: Option<FirstFault>,
    /// Findings that there are.
    pub findings_total: u64,
    /// Findings that there are of each code.
    pub finding_counts: BTreeMap<Code, u64>,
    /// Findings, the worst first; of one code, the first twenty.
    pub findings: Vec<Finding>,
    /// Notices that there are.
    pub notices_total: u64,
    /// Notices that there are of each code.
    pub notice_counts: BTreeMap<NoticeCode, u64>,
    /// Notices; of one code, the first twenty.
    pub notices: Vec<Notice>,
}

impl Report {
    pub(crate) fn new(checker: Checker, covered: &Coverage, segments: usize, bytes: u64) -> Self {
        let Checker { state, mut ledger, .. } = checker;
        let (root, gone) = (state.root(), state.gone());
        let (adopted_ranges, adopted_records) = state.adopted();
        let stats = state.stats;
        let last_seq = stats.last_seq();
        let unbroken = covered.level(last_seq);
        let verdict = Verdict::of(ledger.worst, unbroken);
        // Those of one verdict stay in the order in which they were found.
        if !broken::is(Broken::WorstUnsorted) {
            ledger.findings.sort_by_key(|finding| Reverse(finding.verdict));
        }
        let (findings_total, notices_total) = (ledger.findings_total(), ledger.notices_total());
        let vouched = covered.vouched.as_ref().map(|(_, vouched)| vouched);
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
            origin: vouched.map(|vouched| excerpt(&vouched.origin)),
            vouched_by: vouched.and_then(|vouched| vouched.vkey.as_deref()).map(inert),
            vkeys: covered.keys.iter().map(|vkey| inert(vkey)).collect(),
            key_changes_followed: covered.changes_followed,
            unsigned_records: covered.unsigned,
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
            pruned_up_to: broken::unless(Broken::BeginsUntold, gone.checked_sub(1)),
            first_timestamp: stats.first_timestamp,
            last_timestamp: stats.last_timestamp,
            head: stats.head,
            root,
            first_fault: ledger.first_fault,
            findings_total,
            finding_counts: ledger.finding_counts,
            findings: ledger.findings,
            notices_total,
            notice_counts: ledger.notice_counts,
            notices: ledger.notices,
        }
    }
}

/// What is covered, and of how many records only since an operator took them over.
fn with_adopted(coverage: String, ranges: u64, records: u64) -> String {
    if ranges == 0 || broken::is(Broken::AdoptedUntold) {
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

/// Text that somebody else chose, all of it, without hostile code points.
fn inert(text: &str) -> String {
    Inert(text).to_string()
}

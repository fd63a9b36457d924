//! The names of a log's files.

use std::fmt;

use audit_core::limits::SEQ_MAX;
use chrono::NaiveDate;

/// A segment being made; renamed when it is complete. A leftover means nothing.
pub const NEW_SEGMENT: &str = ".new-segment";

/// What the name of every segment ends with.
pub const SEGMENT_SUFFIX: &str = ".audit.jsonl";

/// `<first seq, 20 digits>.<YYYY-MM-DD>.audit.jsonl`. Names sort in chain order, whatever the
/// clock did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SegmentName {
    /// Seq of its first record.
    pub first_seq: u64,
    /// UTC date of that record's timestamp.
    pub date: NaiveDate,
}

impl SegmentName {
    /// Reads a file name; `None` when it is not exactly that of a segment.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let (digits, date) = name.strip_suffix(SEGMENT_SUFFIX)?.split_once('.')?;
        let whole = digits.len() == 20 && digits.bytes().all(|digit| digit.is_ascii_digit());
        let first_seq = digits.parse().ok().filter(|&seq| whole && seq <= SEQ_MAX)?;
        let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
        let parsed = Self { first_seq, date };
        (parsed.to_string() == name).then_some(parsed)
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:020}.{}{SEGMENT_SUFFIX}", self.first_seq, self.date)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_and_nothing_else_is_one() {
        let name = "00000000000000001000.2026-01-02.audit.jsonl";
        let parsed = SegmentName::parse(name).unwrap();
        assert_eq!((parsed.first_seq, parsed.to_string().as_str()), (1000, name));
        for other in [
            "1000.2026-01-02.audit.jsonl",
            "00000000000000001000.2026-1-2.audit.jsonl",
            "00000000000000001000.2026-02-30.audit.jsonl",
            "00000000000000001000.2026-01-02.audit.jsonl.gz",
            "+0000000000000001000.2026-01-02.audit.jsonl",
            "99999999999999999999.2026-01-02.audit.jsonl",
        ] {
            assert_eq!(SegmentName::parse(other), None, "{other}");
        }
    }
}

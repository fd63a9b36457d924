//! The names of a log's files.

use std::fmt;

use audit_core::limits::SEQ_MAX;

use crate::parse::time::is_date;

/// What the name of every segment ends with.
const SEGMENT_SUFFIX: &str = ".audit.jsonl";

/// `<seq of the first record, 20 digits>.<YYYY-MM-DD>.audit.jsonl`. Orders as the chain does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SegmentName {
    /// Seq of the first record.
    pub(crate) first_seq: u64,
    date: [u8; 10],
}

/// What a name in the directory stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Segment(SegmentName),
    /// It ends like a segment, and is none.
    FalseSegment,
    Checkpoints,
    NewSegment,
    Unknown,
}

impl Entry {
    pub(crate) fn of(name: &[u8]) -> Self {
        match name {
            b"checkpoints" => Self::Checkpoints,
            b".new-segment" => Self::NewSegment,
            _ if !name.ends_with(SEGMENT_SUFFIX.as_bytes()) => Self::Unknown,
            _ => SegmentName::parse(name).map_or(Self::FalseSegment, Self::Segment),
        }
    }
}

impl SegmentName {
    pub(crate) fn parse(name: &[u8]) -> Option<Self> {
        let stem = name.strip_suffix(SEGMENT_SUFFIX.as_bytes())?;
        let (digits, date) = stem.split_at_checked(20)?;
        let date: [u8; 10] = date.strip_prefix(b".")?.try_into().ok()?;
        if !digits.iter().all(u8::is_ascii_digit) || !is_date(&date) {
            return None;
        }
        let first_seq = std::str::from_utf8(digits).ok()?.parse().ok()?;
        (first_seq <= SEQ_MAX).then_some(Self { first_seq, date })
    }

    /// The name of the segment that begins with a record of this seq and timestamp.
    pub(crate) fn of_record(seq: u64, timestamp: &str) -> Option<Self> {
        let date = timestamp.as_bytes().first_chunk::<10>()?;
        Some(Self { first_seq: seq, date: *date })
    }

    /// `YYYY-MM-DD`.
    fn date(&self) -> &str {
        std::str::from_utf8(&self.date).unwrap_or_default()
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:020}.{}{SEGMENT_SUFFIX}", self.first_seq, self.date())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_and_nothing_else_is_one() {
        let name = "00000000000000001000.2026-01-02.audit.jsonl";
        let parsed = SegmentName::parse(name.as_bytes()).unwrap();
        assert_eq!((parsed.first_seq, parsed.to_string().as_str()), (1_000, name));
        for other in [
            "1000.2026-01-02.audit.jsonl",
            "00000000000000001000.2026-1-2.audit.jsonl",
            "00000000000000001000.2026-02-30.audit.jsonl",
            "+0000000000000001000.2026-01-02.audit.jsonl",
            "00009007199254740992.2026-01-02.audit.jsonl",
            "99999999999999999999.2026-01-02.audit.jsonl",
            ".audit.jsonl",
            "00000000000000001000.2026-01-02 .audit.jsonl",
        ] {
            assert_eq!(Entry::of(other.as_bytes()), Entry::FalseSegment, "{other}");
        }
        let gz = b"00000000000000001000.2026-01-02.audit.jsonl.gz";
        assert_eq!(Entry::of(gz), Entry::Unknown);
        assert_eq!(Entry::of(b"\xff.audit.jsonl"), Entry::FalseSegment);
    }
}

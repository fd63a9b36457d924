//! Where to look first.

use serde::Serialize;

use super::{Code, Finding};

/// The earliest place in the log that something is wrong with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct FirstFault {
    /// What is wrong there.
    pub code: Code,
    /// The segment.
    pub file: String,
    /// The line in it, from 1.
    pub line: u64,
    /// Where that line begins, in bytes.
    pub offset: u64,
    /// The seq of the record there, or the one that is due there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
}

impl FirstFault {
    /// That of a finding which has a line.
    pub(super) fn of(finding: &Finding) -> Option<Self> {
        let Finding { code, file, line, offset, seq, .. } = finding;
        let (file, line, offset) = (file.clone()?, (*line)?, (*offset)?);
        Some(Self { code: *code, file, line, offset, seq: *seq })
    }

    /// Whether it is before another in the log: the names of segments sort in the order of the chain.
    pub(super) fn is_before(&self, other: &Self) -> bool {
        (&self.file, self.line) < (&other.file, other.line)
    }
}

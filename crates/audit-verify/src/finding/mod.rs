//! Findings and notices: what is wrong, and what an auditor asks for besides.

mod code;
pub(crate) mod file;
mod first_fault;
mod ledger;
mod names;

pub use code::Code;
pub use first_fault::FirstFault;
pub(crate) use ledger::Ledger;
pub(crate) use names::FirstNames;

use std::fmt::{self, Write as _};

use audit_core::Inert;
use serde::Serialize;

use crate::verdict::Verdict;

/// Longest text out of a log or a directory in a finding, in characters: a line of a terminal.
const EXCERPT_CHARS_MAX: usize = 160;

/// Where in the log something is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The segment's name.
    pub(crate) file: &'a str,
    /// The line, from 1.
    pub(crate) line: u64,
    /// Where the line begins, in bytes.
    pub(crate) offset: u64,
}

/// One thing that is wrong. Every text in it is safe to print: hostile code points are made
/// visible, and lengths are bounded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Finding {
    /// What is wrong.
    pub code: Code,
    /// The verdict that it leads to, at least.
    pub verdict: Verdict,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in it, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Where that line begins, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The seq of the record there, or the one that is due there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// What ought to be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// One sentence.
    pub message: String,
}

impl Finding {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            verdict: code.verdict(),
            file: None,
            line: None,
            offset: None,
            seq: None,
            expected: None,
            found: None,
            message: message.into(),
        }
    }

    pub(crate) fn in_file(mut self, file: &str) -> Self {
        self.file = Some(excerpt(file));
        self
    }

    pub(crate) fn at(mut self, place: Place<'_>) -> Self {
        self.line = Some(place.line);
        self.offset = Some(place.offset);
        self.in_file(place.file)
    }

    pub(crate) fn seq(mut self, seq: impl Into<Option<u64>>) -> Self {
        self.seq = seq.into();
        self
    }

    pub(crate) fn expected(mut self, expected: impl fmt::Display) -> Self {
        self.expected = Some(excerpt(&expected.to_string()));
        self
    }

    pub(crate) fn found(mut self, found: impl fmt::Display) -> Self {
        self.found = Some(excerpt(&found.to_string()));
        self
    }
}

/// What is not wrong, and still to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum NoticeCode {
    /// A file that is none of a log's.
    UnknownFile,
    /// A file of the log has more than one name.
    HardLinked,
    /// A segment that was being made when the writer stopped.
    LeftoverSegment,
    /// A checkpoint that was being made when the writer stopped.
    LeftoverCheckpoint,
    /// Checkpoints were compared with the records, but no key was given to verify them with.
    CheckpointsNotVerified,
    /// Checkpoints lie beside the log that no given key has signed.
    CheckpointsOfOtherKeys,
    /// The policy names a witness whose kind of key cannot be verified with yet.
    WitnessKeyNotKnown,
    /// A checkpoint names another origin than the others.
    CheckpointOriginDiffers,
    /// The log goes on with another key, and no given key vouches for that.
    KeyChangeNotFollowed,
    /// Checkpoints cover records that are not here, or cannot be told.
    CheckpointsNotCompared,
    /// A writer opened the log, and the one before had not closed it.
    UncleanStop,
    /// The end of a segment was left by a crash, and the next writer accounted for it.
    TailRecovered,
    /// Events were offered and are not in the log.
    EventsLost,
    /// Old segments were deleted, as a record in the log says.
    PrunedPrefix,
    /// The log does not begin at seq 0, and what may say why is damaged.
    HeadMissing,
    /// Records that nothing of the log's key covers were adopted, by an operator's word.
    RecordsAdopted,
    /// Whole records at the end are not sealed yet. Who wrote them was not told that they are safe.
    UnsealedEnd,
    /// A writer opened a log that signs without its key, by an operator's word.
    UnsignedOpening,
    /// The log was copied.
    LogCopied,
    /// The clock of the machine jumped.
    ClockStepped,
    /// A given checkpoint is of records that were deleted, and says nothing.
    PinInPruned,
}

impl Notice {
    /// A file of the log has several names.
    pub(crate) fn hard_linked(path: &str) -> Self {
        let message = "the file has other names too: what is written under one is so under all";
        Self::new(NoticeCode::HardLinked, message).in_file(path)
    }
}

impl NoticeCode {
    /// The name in a report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownFile => "unknown_file",
            Self::HardLinked => "hard_linked",
            Self::LeftoverSegment => "leftover_segment",
            Self::LeftoverCheckpoint => "leftover_checkpoint",
            Self::CheckpointsNotVerified => "checkpoints_not_verified",
            Self::CheckpointsOfOtherKeys => "checkpoints_of_other_keys",
            Self::WitnessKeyNotKnown => "witness_key_not_known",
            Self::CheckpointOriginDiffers => "checkpoint_origin_differs",
            Self::KeyChangeNotFollowed => "key_change_not_followed",
            Self::CheckpointsNotCompared => "checkpoints_not_compared",
            Self::UncleanStop => "unclean_stop",
            Self::TailRecovered => "tail_recovered",
            Self::EventsLost => "events_lost",
            Self::PrunedPrefix => "pruned_prefix",
            Self::HeadMissing => "head_missing",
            Self::RecordsAdopted => "records_adopted",
            Self::UnsealedEnd => "unsealed_end",
            Self::UnsignedOpening => "unsigned_opening",
            Self::LogCopied => "log_copied",
            Self::ClockStepped => "clock_stepped",
            Self::PinInPruned => "pin_in_pruned",
        }
    }
}

/// Something to be known. Every text in it is safe to print, as in a [`Finding`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Notice {
    /// What it is about.
    pub code: NoticeCode,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in it, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The seq of the record there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// One sentence.
    pub message: String,
}

impl Notice {
    pub(crate) fn new(code: NoticeCode, message: impl Into<String>) -> Self {
        Self { code, file: None, line: None, seq: None, message: message.into() }
    }

    pub(crate) fn in_file(mut self, file: &str) -> Self {
        self.file = Some(excerpt(file));
        self
    }

    pub(crate) fn at(mut self, place: Place<'_>, seq: u64) -> Self {
        self.line = Some(place.line);
        self.seq = Some(seq);
        self.in_file(place.file)
    }
}

/// Text that nobody has cleaned, on one line, without hostile code points, and of bounded length.
pub(crate) fn excerpt(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(EXCERPT_CHARS_MAX) else {
        return Inert(text).to_string();
    };
    let mut shown = Inert(text.get(..end).unwrap_or_default()).to_string();
    // Writing into a String does not fail.
    let written = write!(shown, "... ({} bytes)", text.len());
    debug_assert!(written.is_ok());
    shown
}

/// The same, of bytes.
pub(crate) fn excerpt_bytes(bytes: &[u8]) -> String {
    // Four bytes are the longest character, so enough is left to be cut.
    let beginning = bytes.get(..EXCERPT_CHARS_MAX.saturating_mul(4)).unwrap_or(bytes);
    excerpt(&String::from_utf8_lossy(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_out_of_a_log_is_shown_on_one_bounded_line() {
        assert_eq!(excerpt("a\nb\u{202e}"), "a\u{27e6}U+000A\u{27e7}b\u{27e6}U+202E\u{27e7}");
        let long = "\u{e9}".repeat(10_000);
        assert_eq!(excerpt(&long), format!("{}... (20000 bytes)", "\u{e9}".repeat(160)));
        let shown = excerpt_bytes(&vec![0xff; 100_000]);
        assert!((2..2_000).contains(&shown.len()), "{shown}");
    }
}

//! What a line is, by itself and after the one before it.

use audit_core::Digest;

use super::Checker;
use super::chain::{Chain, Link};
use crate::finding::{Code, excerpt_bytes};
use crate::parse::record::{Foreign, Hashed, RECORD_START, Record, RecordFault};
use crate::scan::lines::{Line, Text};

/// What a line is.
#[derive(Debug)]
pub(crate) enum Assessed<'l> {
    /// A record with a right hash.
    Record {
        record: Record<'l>,
        hash: Digest,
        link: Link,
    },
    /// A line with a right hash that is no record of this format.
    Malformed {
        fault: RecordFault,
        hashed: Hashed<'l>,
    },
    /// A record of a version that this verifier does not know.
    Foreign {
        foreign: Foreign,
        hash: Digest,
        link: Link,
    },
    Damaged {
        code: Code,
        hashed: Option<Hashed<'l>>,
        found: String,
    },
    /// The rest of a damaged line, behind a line feed that was not there.
    Rest {
        hashed: Option<Hashed<'l>>,
    },
}

impl Assessed<'_> {
    /// Whether the prefix of whole, linked records goes on with it.
    pub(crate) fn is_linked(&self) -> bool {
        match self {
            Self::Record { link, .. } | Self::Foreign { link, .. } => link.is_whole(),
            Self::Malformed { .. } | Self::Damaged { .. } | Self::Rest { .. } => false,
        }
    }
}

impl Checker {
    /// Looks at a line. Changes nothing.
    pub(crate) fn assess<'l>(&mut self, line: &Line<'l>) -> Assessed<'l> {
        let text = match line.text {
            Text::TooLong(long) => {
                let found = format!("{} bytes", long.bytes);
                return Assessed::Damaged { code: Code::LineTooLong, hashed: None, found };
            }
            Text::Whole(text) => text,
        };
        let hashed = Hashed::split(text);
        match hashed {
            Some(hashed) if hashed.is_right() && line.ended => self.assess_body(hashed),
            _ if self.state.cut && !text.starts_with(RECORD_START) => Assessed::Rest { hashed },
            _ => damaged(text, line.ended, hashed),
        }
    }

    fn assess_body<'l>(&mut self, hashed: Hashed<'l>) -> Assessed<'l> {
        if self.state.foreign.is_some() && hashed.body.starts_with(RECORD_START) {
            return self.assess_foreign(hashed);
        }
        match Record::parse(hashed.body, &mut self.scratch) {
            Err(fault) => Assessed::Malformed { fault, hashed },
            Ok(record) => {
                let link = self.link(record.seq, &record.prev_hash);
                Assessed::Record { record, hash: hashed.computed, link }
            }
        }
    }

    /// How a record would stand to the one before.
    pub(super) fn link(&self, seq: u64, prev_hash: &Digest) -> Link {
        match &self.state.chain {
            Some(chain) => chain.link(seq, prev_hash),
            None => Chain::starting_at(seq).link(seq, prev_hash),
        }
    }
}

/// A line whose hash is not right, or that has no end.
fn damaged<'l>(text: &'l [u8], ended: bool, hashed: Option<Hashed<'l>>) -> Assessed<'l> {
    let code = match hashed {
        _ if !ended => Code::LineUnterminated,
        Some(hashed) if hashed.is_whole && hashed.stated.is_some() => Code::HashMismatch,
        Some(_) | None => Code::LineNotARecord,
    };
    let found = match hashed.and_then(|hashed| hashed.stated) {
        Some(stated) if code == Code::HashMismatch => stated.to_string(),
        _ => excerpt_bytes(text),
    };
    Assessed::Damaged { code, hashed, found }
}

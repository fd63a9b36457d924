//! Whether the bytes behind the last whole record look like what a crash leaves.
//!
//! Lost blocks leave NULs that begin after a line feed or at a block, and end at a block or at the
//! end of the file; an interrupted append leaves an unfinished last line. A changed byte leaves
//! neither, and neither does a line that was taken out, put in or moved: what follows it is whole.

use audit_core::Digest;
use audit_core::digest::Hasher;
use audit_core::lifecycle::is_lifecycle_type;
use audit_core::record::{HASH_FIELD_BYTES, HASH_FIELD_END, HASH_FIELD_START};
use memchr::memmem;

use crate::broken::{self, Broken};
use crate::parse::json::Scratch;
use crate::parse::record::{Foreign, Hashed, Record};
use crate::scan::lines::{Buffer, Line, Lines, ReadError, Span, Tap, Text};
use crate::source::LogFile;

const DOES_NOT_FOLLOW: &str = "one of its records is whole and does not follow";
const OWES_SEAL: &str = "one of its records is the writer's own, and has no seal";
const TOO_LONG: &str = "its unfinished line is longer than any record";
const GOES_ON: &str = "its last record is followed by another byte than a line feed";

/// What a disk loses at once, in bytes: never less than a sector.
const BLOCK_BYTES: u64 = 512;

/// A tail, examined.
#[derive(Clone, Debug)]
pub(crate) struct Tail {
    pub(crate) bytes: u64,
    pub(crate) sha256: Digest,
    /// Whole lines with a right hash.
    pub(crate) valid_records: u64,
    /// Those of them that follow, one after the other, the record before the tail.
    pub(crate) unsealed_records: u64,
    /// Whether the tail holds nothing else.
    pub(crate) is_unsealed_only: bool,
    /// Whether one of them has a seal, so that it cannot be what a crash left behind.
    pub(crate) drops_sealed: bool,
    /// Why it does not look like a crash.
    pub(crate) fault: Option<&'static str>,
}

/// What is before a tail.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Before {
    /// The hash of the last sealed record, of which the tail is all that follows. Without it, the
    /// tail begins where whole, linked records end.
    pub(crate) sealed: Option<Digest>,
    /// Whether the records are of a version that is not known.
    pub(crate) is_foreign: bool,
}

/// What whole record may come next.
#[derive(Clone, Copy, Debug)]
enum Due {
    NoRecord,
    /// The one after that of this hash.
    After(Digest),
    /// Any, since what stands before it was lost.
    AnyRecord,
}

/// Examines the tail of a file, which begins after a line feed, or with the file.
pub(crate) fn examine(
    file: &impl LogFile,
    span: Span,
    before: Before,
    buffer: &mut Buffer,
) -> Result<Tail, ReadError> {
    let bytes = span.end.saturating_sub(span.start);
    let mut lines = Lines::new(file, span, buffer, Watch::new(span.start));
    let mut look = Look { scratch: Scratch::default(), is_foreign: before.is_foreign };
    let mut tail = Tail {
        bytes,
        sha256: Digest::ZERO,
        valid_records: 0,
        unsealed_records: 0,
        is_unsealed_only: true,
        drops_sealed: false,
        fault: None,
    };
    // A whole record at the beginning would be no tail if it followed, but where seals are owed.
    let mut due = before.sealed.map_or(Due::NoRecord, Due::After);
    while let Some(line) = lines.next()? {
        let fault = if let Some(record) = look.whole_record(&line) {
            tail.valid_records = tail.valid_records.saturating_add(1);
            let follows = match due {
                Due::NoRecord => false,
                Due::After(hash) => hash == record.prev_hash,
                Due::AnyRecord => true,
            };
            if tail.is_unsealed_only {
                tail.unsealed_records = tail.unsealed_records.saturating_add(1);
                tail.drops_sealed |= follows && record.is_sealed;
            }
            due = Due::After(record.hash);
            let owes_seal = tail.is_unsealed_only && record.owes_seal && before.sealed.is_some();
            let owes_seal = owes_seal && !broken::is(Broken::OwnInEnd);
            if follows { owes_seal.then_some(OWES_SEAL) } else { Some(DOES_NOT_FOLLOW) }
        } else {
            due = Due::AnyRecord;
            tail.is_unsealed_only = false;
            look.line_fault(&line)
        };
        tail.fault = tail.fault.or(fault);
    }
    tail.fault = tail.fault.or_else(|| lines.tap.fault());
    tail.sha256 = lines.tap.hasher.finish();
    Ok(tail)
}

/// A whole record.
struct Whole {
    prev_hash: Digest,
    hash: Digest,
    is_sealed: bool,
    /// Whether it would be the last one of its write, and so have a seal.
    owes_seal: bool,
}

/// How lines are looked at.
struct Look {
    scratch: Scratch,
    is_foreign: bool,
}

impl Look {
    fn whole_record(&mut self, line: &Line<'_>) -> Option<Whole> {
        match line.text {
            Text::Whole(text) if line.ended => self.record(text),
            Text::Whole(_) | Text::TooLong(_) => None,
        }
    }

    fn record(&mut self, text: &[u8]) -> Option<Whole> {
        let hashed = Hashed::split(text).filter(Hashed::is_right)?;
        let hash = hashed.computed;
        if self.is_foreign {
            let Foreign { prev_hash, is_sealed, .. } = Foreign::parse(hashed.body).ok()?;
            return Some(Whole { prev_hash, hash, is_sealed, owes_seal: false });
        }
        let Record { prev_hash, is_sealed, event_type, .. } =
            Record::parse(hashed.body, &mut self.scratch).ok()?;
        let owes_seal = is_lifecycle_type(&event_type) && event_type != "events_lost" && !is_sealed;
        Some(Whole { prev_hash, hash, is_sealed, owes_seal })
    }

    /// Why a line that is no whole record is not what a crash leaves.
    fn line_fault(&mut self, line: &Line<'_>) -> Option<&'static str> {
        match line.text {
            _ if line.holds_nul() => None,
            _ if line.ended => Some("one of its lines is no record and holds no lost block"),
            Text::TooLong(_) => Some(TOO_LONG),
            Text::Whole(text) => self.goes_on_after_a_record(text).then_some(GOES_ON),
        }
    }

    /// Whether an unfinished line begins with a whole record and goes on.
    fn goes_on_after_a_record(&mut self, text: &[u8]) -> bool {
        memmem::find_iter(text, HASH_FIELD_START).any(|at| {
            let end = at.saturating_add(HASH_FIELD_BYTES);
            let begins = text.get(..end).filter(|begins| begins.ends_with(HASH_FIELD_END));
            end < text.len() && begins.is_some_and(|begins| self.record(begins).is_some())
        })
    }
}

/// Sees every byte: hashes it, and watches where runs of NULs begin and end.
#[derive(Debug)]
struct Watch {
    hasher: Hasher,
    position: u64,
    before: u8,
    strays: bool,
}

impl Watch {
    fn new(position: u64) -> Self {
        // The tail begins where a whole record ended.
        Self { hasher: Hasher::default(), position, before: b'\n', strays: false }
    }

    fn fault(&self) -> Option<&'static str> {
        self.strays.then_some("it holds NULs that no lost block leaves")
    }
}

impl Tap for Watch {
    fn bytes(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        for &byte in bytes {
            let at_block = self.position.is_multiple_of(BLOCK_BYTES);
            self.strays |= match (self.before == 0, byte == 0) {
                (false, true) => self.before != b'\n' && !at_block,
                (true, false) => !at_block,
                (false, false) | (true, true) => false,
            };
            self.before = byte;
            self.position = self.position.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests;

//! Whether the bytes behind the last whole record look like what a crash leaves.
//!
//! Lost blocks leave NULs that begin after a line feed or at a block, and end at a block or at the
//! end of the file; an interrupted append leaves an unfinished last line. A changed byte leaves
//! neither.

use audit_core::Digest;
use audit_core::digest::Hasher;
use audit_core::record::{HASH_FIELD_BYTES, HASH_FIELD_END, HASH_FIELD_START};
use memchr::memmem;

use crate::parse::json::Scratch;
use crate::parse::record::{Record, Sealed};
use crate::scan::lines::{Buffer, Line, Lines, ReadError, Span, Tap, Text};
use crate::source::LogFile;

/// What a disk loses at once, in bytes: never less than a sector.
const BLOCK_BYTES: u64 = 512;

/// A tail, examined.
#[derive(Clone, Debug)]
pub(crate) struct Tail {
    pub(crate) bytes: u64,
    pub(crate) sha256: Digest,
    /// Whole lines with a right hash.
    pub(crate) valid_records: u64,
    /// The seq and `prev_hash` of its first line, if that is a whole record.
    pub(crate) first: Option<(u64, Digest)>,
    /// Why it does not look like a crash.
    pub(crate) fault: Option<&'static str>,
}

/// Examines the tail of a file, which begins after a line feed, or with the file.
pub(crate) fn examine(
    file: &impl LogFile,
    span: Span,
    buffer: &mut Buffer,
) -> Result<Tail, ReadError> {
    let bytes = span.end.saturating_sub(span.start);
    let mut lines = Lines::new(file, span, buffer, Watch::new(span.start));
    let mut scratch = Scratch::default();
    let mut tail = Tail { bytes, sha256: Digest::ZERO, valid_records: 0, first: None, fault: None };
    while let Some(line) = lines.next()? {
        let is_first = line.offset == span.start;
        match whole_record(&line, &mut scratch) {
            Some(record) => {
                tail.valid_records = tail.valid_records.saturating_add(1);
                tail.first = tail.first.or(is_first.then_some((record.seq, record.prev_hash)));
            }
            None => tail.fault = tail.fault.or_else(|| line_fault(&line, &mut scratch)),
        }
    }
    tail.fault = tail.fault.or_else(|| lines.tap.fault());
    tail.sha256 = lines.tap.hasher.finish();
    Ok(tail)
}

fn whole_record<'l>(line: &Line<'l>, scratch: &mut Scratch) -> Option<Record<'l>> {
    match line.text {
        Text::Whole(text) if line.ended => record(text, scratch),
        Text::Whole(_) | Text::TooLong(_) => None,
    }
}

fn record<'l>(text: &'l [u8], scratch: &mut Scratch) -> Option<Record<'l>> {
    let sealed = Sealed::split(text).filter(Sealed::is_right)?;
    Record::parse(sealed.body, scratch).ok()
}

/// Why a line that is no whole record is not what a crash leaves.
fn line_fault(line: &Line<'_>, scratch: &mut Scratch) -> Option<&'static str> {
    let holds_nul = match line.text {
        Text::Whole(text) => memchr::memchr(0, text).is_some(),
        Text::TooLong(long) => long.holds_nul,
    };
    match line.text {
        _ if holds_nul => None,
        _ if line.ended => Some("one of its lines is no record and holds no lost block"),
        Text::Whole(text) if goes_on_after_a_record(text, scratch) => {
            Some("its last record is followed by another byte than a line feed")
        }
        Text::Whole(_) | Text::TooLong(_) => None,
    }
}

/// Whether an unfinished line begins with a whole record and goes on.
fn goes_on_after_a_record(text: &[u8], scratch: &mut Scratch) -> bool {
    memmem::find_iter(text, HASH_FIELD_START).any(|at| {
        let end = at.saturating_add(HASH_FIELD_BYTES);
        let begins = text.get(..end).filter(|begins| begins.ends_with(HASH_FIELD_END));
        end < text.len() && begins.is_some_and(|begins| record(begins, scratch).is_some())
    })
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

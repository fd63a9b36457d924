//! Lines of a file, one after the other, in a buffer of fixed size.

use std::io;

use audit_core::limits::RECORD_BYTES_MAX;
use memchr::memchr;

use crate::finding::Place;
use crate::source::LogFile;

/// Bytes read at once: enough that the calls cost nothing.
const READ_BYTES: usize = 1 << 20;

/// Where lines are read into. One serves all files, one after the other.
#[derive(Debug)]
pub(crate) struct Buffer(Vec<u8>);

impl Buffer {
    /// Room for a full read behind the longest line that is still whole.
    pub(crate) fn new() -> Self {
        Self(vec![0; RECORD_BYTES_MAX.saturating_add(READ_BYTES)])
    }

    /// Room for two of the longest lines: for a look at the beginning of a file.
    pub(crate) fn small() -> Self {
        Self(vec![0; RECORD_BYTES_MAX.saturating_add(1).saturating_mul(2)])
    }
}

/// A part of a file, and what may become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Where its first line begins.
    pub(crate) start: u64,
    /// Lines before it.
    pub(crate) lines_before: u64,
    /// Where it ends.
    pub(crate) end: u64,
}

impl Span {
    pub(crate) const fn up_to(end: u64) -> Self {
        Self { start: 0, lines_before: 0, end }
    }

    /// Where its first line is, in the file of this name.
    pub(crate) const fn place<'f>(&self, file: &'f str) -> Place<'f> {
        Place { file, line: self.lines_before.saturating_add(1), offset: self.start }
    }

    /// What is left of it behind this many whole lines, given without the last line feed.
    pub(crate) fn behind(self, lines: &[u8], count: u64) -> Self {
        let bytes = u64::try_from(lines.len()).unwrap_or(u64::MAX).saturating_add(1);
        let start = self.start.saturating_add(bytes);
        Self { start, lines_before: self.lines_before.saturating_add(count), ..self }
    }
}

/// A line without its line feed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'b> {
    /// From 1.
    pub(crate) number: u64,
    /// Where it begins, in bytes.
    pub(crate) offset: u64,
    pub(crate) text: Text<'b>,
    /// Whether a line feed follows.
    pub(crate) ended: bool,
}

impl Line<'_> {
    /// Whether it holds NULs, as a block does that a crash lost.
    pub(crate) fn holds_nul(&self) -> bool {
        match self.text {
            Text::Whole(text) => memchr(0, text).is_some(),
            Text::TooLong(long) => long.holds_nul,
        }
    }
}

/// What stands in a line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Text<'b> {
    /// At most as many bytes as a record has.
    Whole(&'b [u8]),
    /// More.
    TooLong(TooLong),
}

/// What is known of a line that was too long to be kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TooLong {
    pub(crate) bytes: u64,
    pub(crate) holds_nul: bool,
}

/// Reading stopped.
#[derive(Debug)]
pub(crate) struct ReadError {
    /// Where, in bytes.
    pub(crate) offset: u64,
    pub(crate) source: io::Error,
}

/// Whoever wants to see bytes as they are read.
pub(crate) trait Tap {
    fn bytes(&mut self, bytes: &[u8]);

    /// A hole, which nobody read.
    fn hole(&mut self, length: u64) {
        let nuls = [0; 1 << 12];
        let mut left = length;
        while left > 0 {
            let now = usize::try_from(left).unwrap_or(usize::MAX).min(nuls.len());
            self.bytes(nuls.get(..now).unwrap_or_default());
            left = left.saturating_sub(u64::try_from(now).unwrap_or(u64::MAX));
        }
    }
}

impl Tap for () {
    fn bytes(&mut self, _: &[u8]) {}

    fn hole(&mut self, _: u64) {}
}

/// The lines of a span of a file.
#[derive(Debug)]
pub(crate) struct Lines<'f, F, T = ()> {
    file: &'f F,
    buffer: &'f mut Buffer,
    /// What of the buffer is read and not yet given out.
    from: usize,
    to: usize,
    /// Where the next read begins.
    position: u64,
    span: Span,
    /// Whether the file may grow meanwhile, and a line that was being written is waited out.
    grows: bool,
    pub(crate) tap: T,
}

impl<'f, F: LogFile, T: Tap> Lines<'f, F, T> {
    pub(crate) fn new(file: &'f F, span: Span, buffer: &'f mut Buffer, tap: T) -> Self {
        let (from, to, position) = (0, 0, span.start);
        Self { file, buffer, from, to, position, span, grows: false, tap }
    }

    /// Has a line that ends with the span, and not with a line feed, looked at again: a writer may
    /// have been in the middle of it when the span was taken.
    pub(crate) fn of_growing_file(mut self) -> Self {
        self.grows = true;
        self
    }

    /// Where the span ends.
    pub(crate) fn end(&self) -> u64 {
        self.span.end
    }

    /// The next line.
    pub(crate) fn next(&mut self) -> Result<Option<Line<'_>>, ReadError> {
        let mut searched = 0_usize;
        loop {
            let unsearched = self.from.saturating_add(searched);
            let found = memchr(b'\n', self.buffer.0.get(unsearched..self.to).unwrap_or_default());
            if let Some(length) = found.map(|at| at.saturating_add(searched)) {
                return Ok(Some(self.give(length, true)));
            }
            searched = self.to.saturating_sub(self.from);
            if searched > RECORD_BYTES_MAX {
                return self.skip().map(Some);
            }
            if self.position == self.span.end && !self.extend()? {
                return Ok((searched > 0).then(|| self.give(searched, false)));
            }
            self.fill()?;
        }
    }

    fn give(&mut self, length: usize, ended: bool) -> Line<'_> {
        let offset = self.offset();
        let end = self.from.saturating_add(length);
        let text = self.from..end;
        self.from = end.saturating_add(usize::from(ended)).min(self.to);
        self.span.lines_before = self.span.lines_before.saturating_add(1);
        let text = self.buffer.0.get(text).unwrap_or_default();
        let text = if length > RECORD_BYTES_MAX {
            let bytes = u64::try_from(length).unwrap_or(u64::MAX);
            let holds_nul = memchr(0, text).is_some();
            Text::TooLong(TooLong { bytes, holds_nul })
        } else {
            Text::Whole(text)
        };
        Line { number: self.span.lines_before, offset, text, ended }
    }

    /// Streams past a line that is longer than any record, once more than that of it is read.
    fn skip(&mut self) -> Result<Line<'_>, ReadError> {
        let offset = self.offset();
        let mut long = TooLong { bytes: 0, holds_nul: false };
        let ended = loop {
            let rest = self.buffer.0.get(self.from..self.to).unwrap_or_default();
            let found = memchr(b'\n', rest);
            let piece = found.and_then(|length| rest.get(..length)).unwrap_or(rest);
            long.holds_nul |= memchr(0, piece).is_some();
            let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
            long.bytes = long.bytes.saturating_add(length);
            let consumed = piece.len().saturating_add(usize::from(found.is_some()));
            self.from = self.from.saturating_add(consumed);
            if found.is_some() {
                break true;
            }
            let hole = self.pass_hole()?;
            long.holds_nul |= hole > 0;
            long.bytes = long.bytes.saturating_add(hole);
            if self.position == self.span.end && !self.extend()? {
                break false;
            }
            self.fill()?;
        };
        self.span.lines_before = self.span.lines_before.saturating_add(1);
        Ok(Line { number: self.span.lines_before, offset, text: Text::TooLong(long), ended })
    }

    /// Passes by a hole that the next read would begin in; its length. All that was read before is
    /// given out.
    fn pass_hole(&mut self) -> Result<u64, ReadError> {
        let offset = self.position;
        let data = self.file.data_from(offset).map_err(|source| ReadError { offset, source })?;
        let hole = data.min(self.span.end).saturating_sub(offset);
        if hole > 0 {
            self.tap.hole(hole);
            self.position = offset.saturating_add(hole);
        }
        Ok(hole)
    }

    /// Where the bytes not yet given out begin in the file.
    fn offset(&self) -> u64 {
        let waiting = u64::try_from(self.to.saturating_sub(self.from)).unwrap_or(u64::MAX);
        self.position.saturating_sub(waiting)
    }

    /// Moves what is waiting to the beginning of the buffer and reads on.
    fn fill(&mut self) -> Result<(), ReadError> {
        self.buffer.0.copy_within(self.from..self.to, 0);
        self.to = self.to.saturating_sub(self.from);
        self.from = 0;
        let left = self.span.end.saturating_sub(self.position);
        let room = self.buffer.0.get_mut(self.to..).unwrap_or_default();
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(READ_BYTES).min(room.len());
        let room = room.get_mut(..wanted).unwrap_or_default();
        let offset = self.position;
        let failed = |source| ReadError { offset, source };
        let read = match self.file.read_at(offset, room).map_err(failed)? {
            0 => return Err(failed(io::ErrorKind::UnexpectedEof.into())),
            read => read.min(room.len()),
        };
        self.tap.bytes(room.get(..read).unwrap_or_default());
        self.to = self.to.saturating_add(read);
        self.position = self.position.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(())
    }

    /// Takes in the rest of a line that was being written when the span was taken. Nothing beyond
    /// it, or a busy log would never end.
    fn extend(&mut self) -> Result<bool, ReadError> {
        if !self.grows || self.from == self.to {
            return Ok(false);
        }
        self.grows = false;
        let offset = self.span.end;
        let failed = |source| ReadError { offset, source };
        let size = self.file.size().map_err(failed)?;
        let mut rest = vec![0; RECORD_BYTES_MAX.saturating_add(1)];
        if size <= offset {
            return Ok(false);
        }
        let read = self.file.read_at(offset, &mut rest).map_err(failed)?;
        let Some(feed) = memchr(b'\n', rest.get(..read).unwrap_or_default()) else {
            return Ok(false);
        };
        let more = u64::try_from(feed).unwrap_or(u64::MAX).saturating_add(1);
        self.span.end = offset.saturating_add(more);
        Ok(true)
    }
}

#[cfg(test)]
mod tests;

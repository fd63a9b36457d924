//! One record of a log, found without reading the log through.

use std::io;

use audit_core::EventTime;
use audit_core::limits::RECORD_BYTES_MAX;
use memchr::memchr;

use crate::finding::Ledger;
use crate::parse::json::Scratch;
use crate::parse::record::{Hashed, Record};
use crate::source::{LogFile, LogSource};

/// Bytes of the longest line, with its line feed.
const LINE_BYTES_MAX: u64 = RECORD_BYTES_MAX as u64 + 1;

/// Bytes that surely hold a whole line, wherever they begin.
const WINDOW_BYTES: u64 = LINE_BYTES_MAX * 2;

/// When the first record that is not before `seq` was recorded, as it says itself; `None` where there
/// is none, or where something is wrong on the way.
///
/// Records are looked at until that one is found, some twenty of each segment however long it is.
/// Neither the chain nor any other record is checked: [`verify_dir`](crate::verify_dir) does that.
///
/// # Errors
///
/// The names of the files cannot be listed, or a file cannot be opened or read.
pub fn recorded_at(source: &impl LogSource, seq: u64) -> io::Result<Option<EventTime>> {
    let segments = crate::scan::segments(source, &mut Ledger::default())?;
    let behind = segments.partition_point(|segment| segment.first_seq <= seq);
    let Some(segment) = segments.get(behind.saturating_sub(1)) else { return Ok(None) };
    let file = source.open(&segment.to_string()).map_err(io::Error::other)?;
    let found = Lookup { file: &file, size: file.size()? }.find(seq.max(segment.first_seq))?;
    Ok(found.as_deref().and_then(EventTime::parse))
}

struct Lookup<'f, F> {
    file: &'f F,
    size: u64,
}

impl<F: LogFile> Lookup<'_, F> {
    /// The timestamp of the record of this seq.
    fn find(&self, seq: u64) -> io::Result<Option<String>> {
        // The record begins at `from` or behind it, and before `to`.
        let (mut from, mut to) = (0, self.size);
        while to.saturating_sub(from) > LINE_BYTES_MAX {
            let middle = from.midpoint(to);
            match self.line_from(middle)? {
                Some((at, Seen { seq: seen, .. })) if seen <= seq && at < to => from = at,
                Some(_) | None => to = middle,
            }
        }
        let window = self.read(from)?;
        let mut lines = window.split(|byte| *byte == b'\n').filter_map(Seen::of);
        Ok(lines.find(|seen| seen.seq == seq).map(|seen| seen.timestamp))
    }

    /// The first record that begins behind this byte, and where.
    fn line_from(&self, offset: u64) -> io::Result<Option<(u64, Seen)>> {
        let window = self.read(offset)?;
        let Some(before) = memchr(b'\n', &window) else { return Ok(None) };
        let start = before.saturating_add(1);
        let rest = window.get(start..).unwrap_or_default();
        let line = rest.split(|byte| *byte == b'\n').next().and_then(Seen::of);
        let at = offset.saturating_add(u64::try_from(start).unwrap_or(u64::MAX));
        Ok(line.map(|seen| (at, seen)))
    }

    fn read(&self, offset: u64) -> io::Result<Vec<u8>> {
        let length = self.size.saturating_sub(offset).min(WINDOW_BYTES);
        self.file.read_up_to(offset, usize::try_from(length).unwrap_or(0))
    }
}

/// What a record says.
struct Seen {
    seq: u64,
    timestamp: String,
}

impl Seen {
    fn of(line: &[u8]) -> Option<Self> {
        let hashed = Hashed::split(line).filter(Hashed::is_right)?;
        let record = Record::parse(hashed.body, &mut Scratch::default()).ok()?;
        Some(Self { seq: record.seq, timestamp: record.timestamp.to_owned() })
    }
}

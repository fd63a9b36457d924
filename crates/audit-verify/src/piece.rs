//! A piece of a segment, read and looked at without knowing what stands before it.
//!
//! Most of what a verifier does with a record needs nothing but the record: its hash, its JSON, and
//! whether the next one names it. A piece tells of records that go on from each other as a *run*,
//! and of all other lines where they stand. It judges nothing.

use std::ops::Range;

use audit_core::Digest;
use audit_core::event::is_critical_type;
use audit_core::limits::RECORD_BYTES_MAX;
use memchr::{memchr, memrchr};

use crate::parse::json::Scratch;
use crate::parse::lifecycle::Lifecycle;
use crate::parse::record::{Hashed, Record};
use crate::source::LogFile;

/// Bytes read at once behind a piece, until its last line ends.
const READ_ON_BYTES: usize = 4_096;

/// The lines that begin in a part of a file. One serves many parts, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Piece {
    /// Where its first line begins in the file.
    pub(crate) start: u64,
    /// What was read, and older bytes behind it.
    buffer: Vec<u8>,
    read: usize,
    /// Where in it the first line begins that was looked at.
    first: usize,
    stretches: Vec<Stretch>,
    scratch: Scratch,
}

/// Whole lines that are alike.
#[derive(Debug)]
struct Stretch {
    bytes: usize,
    /// What they are, unless each is to be looked at alone.
    run: Option<Run>,
}

/// Records of events, one at least, each with a right hash, of the same service, each going on from
/// the one before. None is the writer's own.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
    /// What the first one names.
    pub(crate) prev_hash: Digest,
    pub(crate) hashes: Vec<Digest>,
    pub(crate) service_id: String,
    pub(crate) last_timestamp: String,
    /// Those of them that are critical.
    pub(crate) critical: u64,
    /// The last one that carries a seal.
    pub(crate) sealed: Option<RunSeal>,
    /// Bytes of the run before its last line.
    pub(crate) last_line_at: u64,
}

/// The last sealed record of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunSeal {
    pub(crate) seq: u64,
    pub(crate) hash: Digest,
    /// Records of the run up to it.
    pub(crate) records: u64,
    /// Bytes of the run up to its line feed.
    pub(crate) bytes: u64,
}

impl Piece {
    /// Reads the lines that begin in a part of a file, whose lines end at `end`. It stops before a
    /// line that has no end, is longer than any record, or cannot be read.
    pub(crate) fn read(&mut self, file: &impl LogFile, part: Range<u64>, end: u64) {
        (self.read, self.first) = (0, 0);
        self.stretches.clear();
        // The byte before tells whether a line begins with the part.
        let begin = part.start.saturating_sub(1);
        self.start = begin;
        let bytes = part.end.min(end).saturating_sub(begin);
        self.read_on(file, begin, usize::try_from(bytes).unwrap_or(usize::MAX));
        if part.start > 0 {
            let Some(feed) = memchr(b'\n', self.read_bytes()) else { return };
            self.first = feed.saturating_add(1);
        }
        self.start = begin.saturating_add(u64::try_from(self.first).unwrap_or(u64::MAX));
        self.finish_line(file, begin, end);
        self.look();
    }

    /// Whether no line begins in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.stretches.is_empty()
    }

    /// Its lines in order, without the last line feed: those of a run, or others.
    pub(crate) fn stretches(&self) -> impl Iterator<Item = (&[u8], Option<&Run>)> {
        let mut at = self.first;
        self.stretches.iter().map(move |stretch| {
            let end = at.saturating_add(stretch.bytes);
            let lines = self.buffer.get(at..end.saturating_sub(1)).unwrap_or_default();
            at = end;
            (lines, stretch.run.as_ref())
        })
    }

    fn read_bytes(&self) -> &[u8] {
        self.buffer.get(..self.read).unwrap_or_default()
    }

    /// Reads so many bytes more of a file of which the first one read stands at `begin`; how many
    /// came, which is less at its end and at a fault.
    fn read_on(&mut self, file: &impl LogFile, begin: u64, bytes: usize) -> usize {
        let (before, wanted) = (self.read, self.read.saturating_add(bytes));
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        while let Some(room) =
            self.buffer.get_mut(self.read..wanted).filter(|room| !room.is_empty())
        {
            let offset = begin.saturating_add(u64::try_from(self.read).unwrap_or(u64::MAX));
            let read = file.read_at(offset, room).unwrap_or(0).min(room.len());
            if read == 0 {
                break;
            }
            self.read = self.read.saturating_add(read);
        }
        self.read.saturating_sub(before)
    }

    /// Reads on until the last line ends, if it does.
    fn finish_line(&mut self, file: &impl LogFile, begin: u64, end: u64) {
        let lines = self.read_bytes().get(self.first..).unwrap_or_default();
        let mut open = lines
            .len()
            .saturating_sub(memrchr(b'\n', lines).map_or(0, |feed| feed.saturating_add(1)));
        while open > 0 && open <= RECORD_BYTES_MAX {
            let at = begin.saturating_add(u64::try_from(self.read).unwrap_or(u64::MAX));
            let left = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX);
            let before = self.read;
            let more = self.read_on(file, begin, left.min(READ_ON_BYTES));
            let new = self.read_bytes().get(before..).unwrap_or_default();
            if let Some(feed) = memchr(b'\n', new) {
                self.read = before.saturating_add(feed).saturating_add(1);
                return;
            }
            if more == 0 {
                return;
            }
            open = open.saturating_add(more);
        }
    }

    /// Tells what the lines are that were read.
    fn look(&mut self) {
        let Self { buffer, read, first, stretches, scratch, .. } = self;
        let mut rest = buffer.get(*first..*read).unwrap_or_default();
        while let Some((line, after)) =
            memchr(b'\n', rest).and_then(|feed| rest.split_at_checked(feed.saturating_add(1)))
        {
            let Some((_, text)) = line.split_last() else { return };
            if text.len() > RECORD_BYTES_MAX {
                return;
            }
            let event = Event::of(text, scratch);
            let bytes = line.len();
            let is_alike =
                stretches.last_mut().is_some_and(|stretch| stretch.goes_on(bytes, event.as_ref()));
            if !is_alike {
                stretches.push(Stretch { bytes, run: event.map(|event| Run::of(event, bytes)) });
            }
            rest = after;
        }
    }
}

/// A record of an event that a caller reported.
struct Event<'l> {
    record: Record<'l>,
    hash: Digest,
}

impl<'l> Event<'l> {
    fn of(text: &'l [u8], scratch: &mut Scratch) -> Option<Self> {
        let hashed = Hashed::split(text).filter(Hashed::is_right)?;
        let record = Record::parse(hashed.body, scratch).ok()?;
        let lifecycle = Lifecycle::parse(&record.event_type, record.event);
        matches!(lifecycle, Ok(None)).then_some(Self { record, hash: hashed.computed })
    }

    fn is_critical(&self) -> bool {
        is_critical_type(&self.record.event_type, || self.record.states_critical)
    }
}

impl Stretch {
    /// Takes the next line in, if it is like those before.
    fn goes_on(&mut self, bytes: usize, event: Option<&Event<'_>>) -> bool {
        let is_alike = match (&mut self.run, event) {
            (Some(run), Some(event)) => run.goes_on(event, self.bytes, bytes),
            (run, event) => run.is_none() && event.is_none(),
        };
        if is_alike {
            self.bytes = self.bytes.saturating_add(bytes);
        }
        is_alike
    }
}

impl Run {
    pub(crate) fn records(&self) -> u64 {
        u64::try_from(self.hashes.len()).unwrap_or(u64::MAX)
    }

    /// A run of one record, whose line has so many bytes with its line feed.
    fn of(event: Event<'_>, bytes: usize) -> Self {
        let critical = u64::from(event.is_critical());
        let Event { record, hash } = event;
        let seal = RunSeal { seq: record.seq, hash, records: 1, bytes: length(bytes) };
        Self {
            first_seq: record.seq,
            last_seq: record.seq,
            prev_hash: record.prev_hash,
            hashes: vec![hash],
            service_id: record.service_id.to_owned(),
            last_timestamp: record.timestamp.to_owned(),
            critical,
            sealed: record.is_sealed.then_some(seal),
            last_line_at: 0,
        }
    }

    /// Takes a record in that follows, whose line has so many bytes behind those before.
    fn goes_on(&mut self, event: &Event<'_>, before: usize, bytes: usize) -> bool {
        let Event { record, hash } = event;
        let follows = self.last_seq.checked_add(1) == Some(record.seq)
            && self.hashes.last() == Some(&record.prev_hash)
            && self.service_id == record.service_id;
        if follows {
            self.last_seq = record.seq;
            self.hashes.push(*hash);
            self.critical = self.critical.saturating_add(u64::from(event.is_critical()));
            self.last_timestamp.clear();
            self.last_timestamp.push_str(record.timestamp);
            self.last_line_at = length(before);
            if record.is_sealed {
                let (seq, records) = (record.seq, self.records());
                let bytes = length(before.saturating_add(bytes));
                self.sealed = Some(RunSeal { seq, hash: *hash, records, bytes });
            }
        }
        follows
    }
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

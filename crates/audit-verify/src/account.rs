//! What the next segment says of the tail of one, and whether it is so.

use crate::finding::{Code, Finding, Notice, NoticeCode, Place};
use crate::parse::json::Scratch;
use crate::parse::lifecycle::{Lifecycle, LogRecovered};
use crate::parse::record::{Hashed, Record};
use crate::scan::SegmentName;
use crate::scan::lines::{Buffer, Lines, ReadError, Span, Text};
use crate::source::{LogFile, LogSource};
use crate::tail::{self, Tail};

/// Lines at the beginning of a segment among which `log_recovered` is looked for: it is the second
/// one, unless a byte was changed so that one line became two.
const OPENING_LINES: usize = 3;

/// What comes after a segment, and says of its tail.
#[derive(Debug)]
pub(crate) enum After {
    /// Nothing: it is the newest one.
    Nothing,
    /// A segment that accounts for no tail.
    NoAccount,
    Account(LogRecovered),
    /// A segment that may have accounted for one, but is damaged there.
    Damaged,
    /// A segment that cannot be read.
    Unreadable,
}

impl After {
    /// Looks at the opening records of the next segment for what they say of the tail of `name`.
    pub(crate) fn peek(
        source: &impl LogSource,
        buffer: &mut Buffer,
        next: SegmentName,
        name: SegmentName,
    ) -> Self {
        let Ok(file) = source.open(&next.to_string()) else { return Self::Unreadable };
        let Ok(size) = file.size() else { return Self::Unreadable };
        let mut lines = Lines::new(&file, Span::up_to(size), buffer, ());
        let mut scratch = Scratch::default();
        for read in 0..OPENING_LINES {
            let line = match lines.next() {
                Ok(Some(line)) if line.ended => line,
                Ok(None) if read > 0 => return Self::NoAccount,
                Ok(_) => return Self::Damaged,
                Err(_) => return Self::Unreadable,
            };
            let Text::Whole(text) = line.text else { return Self::Damaged };
            let hashed = Hashed::split(text).filter(Hashed::is_right);
            let record = hashed.and_then(|hashed| Record::parse(hashed.body, &mut scratch).ok());
            let Some(record) = record else { return Self::Damaged };
            match Lifecycle::parse(&record.event_type, record.event) {
                Ok(Some(Lifecycle::SegmentOpened(_))) => {}
                Ok(Some(Lifecycle::LogRecovered(recovered)))
                    if recovered.file().first_seq == name.first_seq =>
                {
                    return Self::Account(recovered);
                }
                _ => return Self::NoAccount,
            }
        }
        Self::NoAccount
    }

    /// Whether the bytes behind a break may be a crash's, although nothing accounts for them.
    pub(crate) fn excuses(&self) -> bool {
        match self {
            Self::Nothing | Self::Damaged | Self::Unreadable => true,
            Self::NoAccount | Self::Account(_) => false,
        }
    }

    /// Where the lines of a file of this size end, and its tail begins.
    pub(crate) fn end_of_lines(&self, size: u64) -> u64 {
        match self {
            Self::Account(recovered) => recovered.offset.min(size),
            Self::Nothing | Self::NoAccount | Self::Damaged | Self::Unreadable => size,
        }
    }
}

/// A finding about a tail that was examined.
pub(crate) fn tail_finding(code: Code, tail: &Tail, place: Place<'_>) -> Finding {
    Finding::new(code, code.meaning())
        .at(place)
        .found(format_args!("{} bytes, SHA-256 {}", tail.bytes, tail.sha256))
}

/// Compares the tail of a file with what the next segment says of it. `may_be_torn` tells why no
/// crash can have left so many bytes there.
pub(crate) fn compare(
    file: &impl LogFile,
    span: Span,
    recovered: &LogRecovered,
    may_be_torn: Result<(), &'static str>,
    name: SegmentName,
    buffer: &mut Buffer,
) -> Result<Result<Notice, Finding>, ReadError> {
    let text = name.to_string();
    let line = span.lines_before.saturating_add(1);
    let place = Place { file: &text, line, offset: span.start };
    let bytes = span.end.saturating_sub(span.start);
    let finding = |code: Code| Finding::new(code, code.meaning()).at(place);
    if bytes == 0 {
        return Ok(Err(finding(Code::RecoveryWithoutTail).found(recovered.offset)));
    }
    let tail = tail::examine(file, span, buffer)?;
    let stated = (recovered.offset, recovered.bytes, recovered.valid_records, recovered.sha256());
    let is_there = (span.start, tail.bytes, tail.valid_records, tail.sha256);
    let show = |(offset, bytes, valid, sha256)| {
        format!("{bytes} bytes at {offset} with {valid} valid records, SHA-256 {sha256}")
    };
    if stated != is_there {
        let finding = finding(Code::RecoveryMismatch).expected(show(stated));
        return Ok(Err(finding.found(show(is_there))));
    }
    if let Some(fault) = may_be_torn.err().or(tail.fault) {
        return Ok(Err(finding(Code::RecoveryNotACrash).found(fault)));
    }
    let message = format!("{bytes} bytes that a crash left were accounted for");
    Ok(Ok(Notice::new(NoticeCode::TailRecovered, message).in_file(&text)))
}

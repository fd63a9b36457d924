//! The lines of a segment in order, up to where they end or a crash left an unfinished end.
//!
//! Both who judges a log and who shows it read it this way. A line that an unfinished end may begin
//! with is held: before it is taken, it is looked ahead to where the log ends, and what looks like a
//! crash there is left out. So what was taken never has to be taken back.

mod ahead;
mod pieces;
mod rest;

use std::io;
use std::ops::ControlFlow;

pub(crate) use ahead::{Ahead, Gone, Opened, restarted};

use crate::account::{self, After};
use crate::broken::{self, Broken};
use crate::check::{Assessed, Checker, State};
use crate::finding::{Finding, Place, file};
use crate::pool::Jobs;
use crate::scan::SegmentName;
use crate::scan::lines::{Buffer, Line, Lines, ReadError, Span, Text};
use crate::source::LogFile;
use crate::tail::Tail;
use rest::Rest;

/// Who has a log read.
pub(crate) trait Visit {
    /// Takes the next line, which the checker has not taken yet.
    fn line(
        &mut self,
        checker: &mut Checker,
        line: &Line<'_>,
        assessed: Assessed<'_>,
        place: Place<'_>,
    ) -> ControlFlow<()>;

    /// Hears now and then how many bytes of the segment were read.
    fn reached(&mut self, _: u64) {}
}

/// Reads segments, one after another.
#[derive(Debug)]
pub(crate) struct Segments {
    pub(crate) checker: Checker,
    jobs: Jobs,
    buffer: Buffer,
    small: Buffer,
    /// Tails that a damaged record of the segment behind may account for.
    pub(crate) unaccounted: Vec<(Finding, SegmentName)>,
}

/// A segment was not read, or not to its end.
#[derive(Debug)]
pub(crate) struct Unread;

/// How far a segment was read.
#[derive(Debug)]
pub(crate) struct Position {
    pub(crate) name: SegmentName,
    text: String,
    /// Where the next line begins, and how many are before it.
    pub(crate) offset: u64,
    lines: u64,
    /// How many bytes were read: with an end that a crash left, if there is one.
    pub(crate) bytes: u64,
    /// Whether the prefix of whole, linked records ended with a fault that is no crash's.
    is_broken: bool,
    /// What follows the last record that counts, as long as no other segment does.
    rest: Option<Rest>,
}

/// What is to be read of a segment.
struct Course {
    /// Where its lines end.
    end: u64,
    /// Whether what looks like a crash there may be one.
    excuses: bool,
    may_grow: bool,
}

/// Where reading lines stopped.
enum Stop {
    End,
    /// Before a line that the end a crash left may begin with.
    Held,
    /// Where the visitor had seen enough.
    Visitor,
}

impl Segments {
    pub(crate) fn new(checker: Checker, jobs: Jobs) -> Self {
        let (buffer, small) = (Buffer::new(), Buffer::small());
        Self { checker, jobs, buffer, small, unaccounted: Vec::new() }
    }

    /// Goes on with a segment.
    pub(crate) fn begin(&mut self, name: SegmentName) -> Position {
        self.checker.begin_segment(name);
        let (offset, lines, bytes, is_broken, rest) = (0, 0, 0, false, None);
        Position { name, text: name.to_string(), offset, lines, bytes, is_broken, rest }
    }

    /// Reads a segment on from where it was left, which is to its end if another follows.
    ///
    /// # Errors
    ///
    /// It cannot be read, as the ledger says. The chain goes on behind it.
    pub(crate) fn read<F: LogFile>(
        &mut self,
        opened: &Opened<F>,
        next: Option<&Opened<F>>,
        at: &mut Position,
        visit: &mut impl Visit,
    ) -> Result<ControlFlow<()>, Unread> {
        let read = match &opened.file {
            Ok(file) => self
                .read_file(file, next, at, visit)
                .map_err(|error| file::not_read(at.name, &error)),
            Err(error) => Err(file::not_opened(at.name, error)),
        };
        read.map_err(|finding| {
            if !broken::is(Broken::SegmentUnread) {
                self.checker.ledger.find(finding);
            }
            self.checker.lose(next.map_or(0, |next| next.name.first_seq));
            Unread
        })
    }

    fn read_file<F: LogFile>(
        &mut self,
        file: &F,
        next: Option<&Opened<F>>,
        at: &mut Position,
        visit: &mut impl Visit,
    ) -> Result<ControlFlow<()>, ReadError> {
        let failed = |offset| move |source| ReadError { offset, source };
        let size = file.size().map_err(failed(at.offset))?;
        if size < at.offset {
            return Err(failed(size)(io::ErrorKind::UnexpectedEof.into()));
        }
        let after = match next.map(|next| &next.file) {
            None => After::Nothing,
            Some(Err(_)) => After::Unreadable,
            Some(Ok(next)) => After::peek(next, &mut self.small, at.name),
        };
        let mut course = Course {
            end: after.end_of_lines(size).max(at.offset),
            excuses: after.excuses() && !at.is_broken,
            may_grow: matches!(after, After::Nothing),
        };
        let mut tail: Option<(Span, Tail)> = None;
        loop {
            match self.read_lines(file, &mut course, at, visit)? {
                Stop::Visitor => return Ok(ControlFlow::Break(())),
                Stop::End => break,
                Stop::Held => {
                    course.excuses = false;
                    // What cannot be read there is met again by whoever reads on.
                    tail = self.look_ahead(file, &course, at).unwrap_or_default();
                    if let Some((span, _)) = &tail {
                        (course.end, course.may_grow) = (span.start, false);
                    }
                }
            }
        }
        at.bytes = tail.as_ref().map_or(at.offset, |(span, _)| span.end);
        if at.offset == 0 && course.end == 0 {
            self.checker.take_empty(at.name);
        }
        self.end(tail, &after, next.map(|next| next.name), at);
        if let After::Account(recovered) = &after {
            let tail = at.up_to(size);
            self.checker.tail_was_compared();
            let state = &self.checker.state;
            match account::compare(file, tail, recovered, state, at.name, &mut self.buffer)? {
                Ok(notice) => self.checker.ledger.note(notice),
                Err(finding) => self.checker.ledger.find(finding),
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Takes lines up to their end, or up to one that is held.
    fn read_lines(
        &mut self,
        file: &impl LogFile,
        course: &mut Course,
        at: &mut Position,
        visit: &mut impl Visit,
    ) -> Result<Stop, ReadError> {
        if let ControlFlow::Break(stop) = self.join_pieces(file, course, at, visit) {
            return Ok(stop);
        }
        let mut lines = course.lines(file, at, &mut self.buffer);
        while let Some(line) = lines.next()? {
            if let ControlFlow::Break(stop) = take(&mut self.checker, &line, course, at, visit) {
                return Ok(stop);
            }
        }
        course.end = lines.end();
        Ok(Stop::End)
    }
}

/// Takes a line, unless it is held.
fn take(
    checker: &mut Checker,
    line: &Line<'_>,
    course: &Course,
    at: &mut Position,
    visit: &mut impl Visit,
) -> ControlFlow<Stop> {
    if course.holds(&checker.state, line.end()) {
        return ControlFlow::Break(Stop::Held);
    }
    let assessed = checker.assess(line);
    let is_linked = assessed.is_linked();
    if course.excuses && !is_linked {
        return ControlFlow::Break(Stop::Held);
    }
    at.is_broken |= !is_linked;
    (at.offset, at.lines, at.bytes) = (line.end(), line.number, line.end());
    let text = std::mem::take(&mut at.text);
    let place = Place { file: &text, line: line.number, offset: line.offset };
    let seen = visit.line(checker, line, assessed, place);
    at.text = text;
    seen.map_break(|()| Stop::Visitor)
}

impl Course {
    /// The lines that were not taken yet.
    fn lines<'f, F: LogFile>(
        &self,
        file: &'f F,
        at: &Position,
        buffer: &'f mut Buffer,
    ) -> Lines<'f, F> {
        let lines = Lines::new(file, at.up_to(self.end), buffer, ());
        if self.may_grow { lines.of_growing_file() } else { lines }
    }

    /// Whether a line that ends here may be of the end that a crash left in a sealed segment: it
    /// begins behind a seal, and is no longer than what a writer leaves unsealed. Elsewhere it begins
    /// with the first line that does not go on from the one before.
    fn holds(&self, state: &State, line_end: u64) -> bool {
        self.excuses
            && state.is_sealed()
            && state.is_within_limit(self.end.saturating_sub(line_end))
            && !broken::is(Broken::UnsealedShown)
    }
}

impl Position {
    /// What is before an end, from the next line on.
    pub(crate) const fn up_to(&self, end: u64) -> Span {
        Span { start: self.offset, lines_before: self.lines, end }
    }
}

impl Line<'_> {
    /// Where the next line begins.
    fn end(&self) -> u64 {
        let bytes = match self.text {
            Text::Whole(text) => u64::try_from(text.len()).unwrap_or(u64::MAX),
            Text::TooLong(long) => long.bytes,
        };
        self.offset.saturating_add(bytes).saturating_add(u64::from(self.ended))
    }
}

//! A log for people to read: every line in order, and what is wrong where.

mod rest;
mod shown;

use std::io;
use std::ops::ControlFlow;

use crate::account::{self, After};
use crate::check::{Assessed, Checker, Follows};
use crate::finding::{Code, Finding, Ledger, Notice, Place, file};
use crate::parse::json::Scratch;
use crate::parse::lifecycle::LogRecovered;
use crate::scan::SegmentName;
use crate::scan::lines::{Buffer, Line, Lines, ReadError, Span, Text};
use crate::source::{LogFile, LogSource};
use crate::tail;
use crate::trust::Trust;
pub use shown::{RecordView, View};

/// Reads a log that it does not trust, line by line, and goes on after a fault and while the log
/// grows.
///
/// It reads with the verifier's parser and the verifier's steps, in memory that is bounded whatever
/// the log holds. It is not the verifier: it gives no verdict and compares with no head, and what it
/// shows proves nothing beyond each record's own hash and link. Whether the log is whole is for
/// [`verify_dir`](crate::verify_dir) to say.
#[derive(Debug)]
pub struct Viewer<S> {
    source: S,
    reader: Reader,
    at: Option<Position>,
    /// What was said of the names in the directory.
    listed: Vec<Finding>,
}

/// What reading takes besides the bytes.
#[derive(Debug)]
struct Reader {
    checker: Checker,
    scratch: Scratch,
    buffer: Buffer,
    small: Buffer,
}

/// How far a segment was read.
#[derive(Debug)]
struct Position {
    name: SegmentName,
    /// Where the next line begins, and how many stand before it.
    offset: u64,
    lines: u64,
    /// How long the segment was.
    size: Option<u64>,
    /// Whether nothing more of it is shown, whatever it becomes.
    is_done: bool,
    /// Whether a fault in it is no crash's, so that every line behind it is shown.
    is_broken: bool,
    /// Whether its first record says that it is sealed.
    is_sealed: bool,
    /// An end as a crash leaves it, or a writer that is at work on it.
    rest: Option<Rest>,
}

/// What is to be said of such an end where reading ends.
#[derive(Debug)]
enum Rest {
    Torn(Finding),
    Unsealed(Notice),
}

/// Where reading lines stopped.
enum Stop {
    /// At this end.
    End(u64),
    /// At a line that does not go on from the one before, with this end behind it.
    Break(u64),
    /// Where the visitor had seen enough.
    Visitor,
}

impl<S: LogSource> Viewer<S> {
    /// A view of a log from its beginning. Nothing is read yet.
    #[must_use]
    pub fn new(source: S) -> Self {
        let reader = Reader {
            checker: Checker::new(Trust::none(), Ledger::default()),
            scratch: Scratch::default(),
            buffer: Buffer::new(),
            small: Buffer::small(),
        };
        Self { source, reader, at: None, listed: Vec::new() }
    }

    /// Shows what stands in the log by now and was not shown yet. An unfinished end is left to
    /// [`finish`](Self::finish), for a writer may be at work on it.
    ///
    /// # Errors
    ///
    /// The names of the files cannot be listed. What was shown stays shown, and it may be tried
    /// again. Whatever is wrong with the log is no error, and shown.
    pub fn read(
        &mut self,
        visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>,
    ) -> io::Result<ControlFlow<()>> {
        let mut ledger = Ledger::default();
        let segments = crate::scan::segments(&self.source, &mut ledger)?;
        let before = std::mem::replace(&mut self.listed, ledger.findings);
        for finding in self.listed.iter().filter(|finding| !before.contains(finding)) {
            if fault(finding, visit).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        let current = self.at.as_ref().map(|at| at.name);
        let done = segments.partition_point(|&name| Some(name) < current);
        let mut rest = segments.get(done..).unwrap_or_default();
        while let Some((&name, after)) = rest.split_first() {
            if self.read_segment(name, after.first().copied(), visit).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            rest = after;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Shows what can be said only where reading ends.
    pub fn finish(mut self, visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>) {
        let checker = &mut self.reader.checker;
        let mut unsealed = None;
        match self.at {
            None => checker.ledger.find(Finding::new(Code::NoRecords, Code::NoRecords.meaning())),
            Some(at) if !at.is_done => {
                checker.end_segment(&at.name.to_string(), Follows::Nothing);
                match at.rest {
                    Some(Rest::Torn(torn)) => checker.ledger.find(torn),
                    Some(Rest::Unsealed(notice)) => unsealed = Some(notice),
                    None => {}
                }
            }
            Some(_) => {}
        }
        checker.finish();
        if unsealed.is_some_and(|notice| visit(View::Skipped(notice)).is_break()) {
            return;
        }
        // Whether the visitor has seen enough no longer matters.
        let _seen = self.reader.tell(visit);
    }

    fn read_segment(
        &mut self,
        name: SegmentName,
        next: Option<SegmentName>,
        visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Self { source, reader, at, .. } = self;
        if at.as_ref().is_none_or(|at| at.name != name) {
            reader.checker.begin_segment(name);
        }
        let at = match at {
            Some(at) if at.name == name => at,
            at => at.insert(Position::start(name)),
        };
        if at.is_done {
            return ControlFlow::Continue(());
        }
        let opened = source.open(&name.to_string()).and_then(|file| {
            let size = file.size()?;
            Ok((file, size))
        });
        let read = match opened {
            // As long as it does not grow, there is nothing new in it.
            Ok((_, size)) if next.is_none() && at.size == Some(size) => {
                return ControlFlow::Continue(());
            }
            Ok((file, size)) => {
                let after = next.map_or(After::Nothing, |next| {
                    After::peek(source, &mut reader.small, next, name)
                });
                let read = reader.read_file(&file, size, &after, at, visit);
                if matches!(read, Ok(ControlFlow::Continue(()))) {
                    at.size = Some(size);
                }
                read.map_err(|error| file::not_read(name, &error))
            }
            Err(error) => Err(file::not_opened(name, &error)),
        };
        read.unwrap_or_else(|finding| {
            at.is_done = true;
            reader.checker.ledger.find(finding);
            reader.checker.lose(next.map_or(0, |next| next.first_seq));
            reader.tell(visit)
        })
    }
}

impl Position {
    const fn start(name: SegmentName) -> Self {
        let (offset, lines, size, rest) = (0, 0, None, None);
        let (is_done, is_broken, is_sealed) = (false, false, false);
        Self { name, offset, lines, size, is_done, is_broken, is_sealed, rest }
    }

    /// What lies before an end, from the next line on.
    const fn up_to(&self, end: u64) -> Span {
        Span { start: self.offset, lines_before: self.lines, end }
    }

    /// Goes on behind a line.
    fn pass(&mut self, line: &Line<'_>) {
        let bytes = match line.text {
            Text::Whole(text) => u64::try_from(text.len()).unwrap_or(u64::MAX),
            Text::TooLong(long) => long.bytes,
        };
        let end = line.offset.saturating_add(bytes);
        self.offset = end.saturating_add(u64::from(line.ended));
        self.lines = line.number;
    }
}

impl Reader {
    fn read_file(
        &mut self,
        file: &impl LogFile,
        size: u64,
        after: &After,
        at: &mut Position,
        visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ReadError> {
        if size < at.offset {
            let source = io::ErrorKind::UnexpectedEof.into();
            return Err(ReadError { offset: size, source });
        }
        at.rest = None;
        if at.offset == 0 {
            at.is_sealed = account::is_sealed(file, size, &mut self.small);
        }
        let mut end = after.end_of_lines(size).max(at.offset);
        let mut rest = if after.excuses() { self.rest(file, at, end)? } else { None };
        let whole = end;
        end = rest.as_ref().map_or(end, |(span, _)| span.start);
        loop {
            match self.read_lines(file, end, after, at, visit)? {
                Stop::Visitor => return Ok(ControlFlow::Break(())),
                Stop::End(reached) => {
                    let bytes = whole.saturating_sub(reached);
                    if let Some((span, before)) = rest.take() {
                        let is_within = self.checker.state.is_within_limit(bytes);
                        let examine = || tail::examine(file, span, before, &mut self.buffer);
                        let tail = is_within.then(examine).transpose()?;
                        let Some(tail) = tail.filter(|tail| tail.fault.is_none()) else {
                            // No writer leaves so much unsealed, or leaves it so: all of it is shown.
                            end = whole;
                            continue;
                        };
                        self.keep_tail(&tail, after, at);
                    }
                    end = reached;
                    break;
                }
                Stop::Break(reached) => {
                    end = reached;
                    if let Some(tail) = self.crash(file, at.up_to(reached))? {
                        self.keep_tail(&tail, after, at);
                        break;
                    }
                    at.is_broken = true;
                }
            }
        }
        if end == 0 {
            at.is_done = true;
            self.checker.take_empty(at.name);
        }
        if !matches!(after, After::Nothing) {
            at.is_done = true;
            self.checker.end_segment(&at.name.to_string(), after.follows());
        }
        if let After::Account(recovered) = after {
            let skipped = self.compare_tail(file, at.up_to(size), recovered, at.name)?;
            if let Some(notice) = skipped
                && visit(View::Skipped(notice)).is_break()
            {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(self.tell(visit))
    }

    /// Shows lines, up to an end or to a break that may be a crash's.
    fn read_lines(
        &mut self,
        file: &impl LogFile,
        end: u64,
        after: &After,
        at: &mut Position,
        visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>,
    ) -> Result<Stop, ReadError> {
        let text = at.name.to_string();
        let Self { checker, scratch, buffer, .. } = self;
        let lines = Lines::new(file, at.up_to(end), buffer, ());
        let may_grow = matches!(after, After::Nothing);
        let mut lines = if may_grow { lines.of_growing_file() } else { lines };
        let may_be_crash = after.excuses() && !at.is_broken;
        while let Some(line) = lines.next()? {
            let place = Place { file: &text, line: line.number, offset: line.offset };
            let assessed = checker.assess(&line);
            if may_be_crash && !assessed.is_linked() {
                return Ok(Stop::Break(lines.end()));
            }
            at.pass(&line);
            let record = RecordView::of(&line, &assessed, place, scratch);
            let is_foreign = matches!(assessed, Assessed::Foreign { .. });
            checker.apply(assessed, place);
            let mut findings = std::mem::take(&mut checker.ledger).findings;
            if record.is_none() && findings.is_empty() {
                findings.push(unsaid(is_foreign).at(place));
            }
            let view = match record {
                Some(record) if findings.is_empty() => View::Record(record),
                record => View::Faulty { record, findings: &findings },
            };
            if visit(view).is_break() {
                return Ok(Stop::Visitor);
            }
        }
        Ok(Stop::End(lines.end()))
    }

    /// Compares a tail with what the next segment says of it; what is to be known when both agree.
    fn compare_tail(
        &mut self,
        file: &impl LogFile,
        span: Span,
        recovered: &LogRecovered,
        name: SegmentName,
    ) -> Result<Option<Notice>, ReadError> {
        self.checker.tail_was_compared();
        let state = &self.checker.state;
        match account::compare(file, span, recovered, state, name, &mut self.buffer)? {
            Ok(notice) => Ok(Some(notice)),
            Err(finding) => {
                self.checker.ledger.find(finding);
                Ok(None)
            }
        }
    }

    /// Shows the findings that belong to no line.
    fn tell(&mut self, visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        let findings = std::mem::take(&mut self.checker.ledger).findings;
        findings.iter().try_for_each(|finding| fault(finding, visit))
    }
}

/// Shows a finding alone.
fn fault(finding: &Finding, visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
    visit(View::Faulty { record: None, findings: std::slice::from_ref(finding) })
}

/// What is to be said of a line that cannot be shown, and of which the verifier says nothing since
/// it has said it of a line before.
fn unsaid(is_foreign: bool) -> Finding {
    if is_foreign {
        return Finding::new(Code::VersionUnknown, Code::VersionUnknown.meaning());
    }
    Finding::new(Code::LineNotARecord, "The rest of a damaged line.")
}

//! From the segments of a directory to a report.

mod end;
mod unread;

use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use audit_checkpoint::{Note, Policy, VerifyingKey};
use audit_core::Receipt;
use audit_core::limits::RECORD_BYTES_MAX;

use crate::account::{self, After};
use crate::broken::{self, Broken};
use crate::check::{Checker, State};
use crate::finding::{Code, Finding, Ledger, Place, file};
use crate::parse::lifecycle::LogRecovered;
use crate::pool::{self, Jobs};
use crate::report::Report;
use crate::scan::SegmentName;
use crate::scan::lines::{Buffer, Line, Lines, ReadError, Span, Text};
use crate::source::{DirSource, LogFile, LogSource};
use crate::trust::{Coverage, Identity, Trust, UnsignedLimit};
use crate::verdict::{AdoptedRecords, Requirement};
use end::Crash;

/// Lines between two calls of a progress function.
const LINES_BETWEEN_PROGRESS: u64 = 4_096;

/// What to verify a log against.
#[derive(Clone, Debug, Default)]
pub struct VerifyOptions {
    /// Keys of the log. A checkpoint beside the log counts as the log's own when one of them has
    /// signed it and is called like the checkpoint's origin.
    pub keys: Vec<VerifyingKey>,
    /// Heads that were kept elsewhere. The log has to hold each of them.
    pub heads: Vec<Receipt>,
    /// Checkpoints that were kept elsewhere. The log has to extend each of them. Where keys are
    /// given, one of them has to have signed it; otherwise it counts as whoever kept it says.
    pub pins: Vec<Note>,
    /// The checkpoint up to which the log was verified before: one more pin, from which the records
    /// are counted that came since.
    pub since: Option<Note>,
    /// Which witnesses have to have seen a checkpoint, beside the log or given. With
    /// [`not_before_secs`](Self::not_before_secs), one beside the log then covers like one that was
    /// kept elsewhere. The keys of the logs in it count like [`keys`](Self::keys).
    pub policy: Option<Policy>,
    /// Cosignatures of before this time do not count; in seconds since 1970-01-01T00:00:00Z. Without
    /// such a bound they are no reason to call a log intact: they may be as old as a copy that took
    /// the log's place.
    pub not_before_secs: Option<u64>,
    /// What time it is, in seconds since 1970-01-01T00:00:00Z: nothing here reads a clock. Cosignatures
    /// of more than a day later do not count.
    pub now_secs: Option<u64>,
    /// What the log has to be called.
    pub identity: Identity,
    /// How much of the end may be without a checkpoint of a given key, so that the verdict is not
    /// [`Verdict::Unverifiable`](crate::Verdict::Unverifiable).
    pub max_unsigned: Option<UnsignedLimit>,
    /// What the log has to be covered by, so that the verdict is not
    /// [`Verdict::Unverifiable`](crate::Verdict::Unverifiable).
    pub require: Requirement,
    /// Whether a log with adopted records can meet that.
    pub adopted: AdoptedRecords,
    /// By how many threads the log is read.
    pub jobs: Jobs,
}

/// How far a verification has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Segments that are read to their end.
    pub segments_done: usize,
    /// Segments that there are.
    pub segments_total: usize,
    /// Bytes that are read.
    pub bytes_done: u64,
}

/// Verifies the log in a directory.
///
/// The log may be written meanwhile: it is verified up to its length at the start. Nothing is
/// locked or changed.
///
/// # Errors
///
/// The directory cannot be opened or listed. Whatever is wrong with the log is no error but a
/// finding, and so is a file that cannot be read.
pub fn verify_dir(path: impl AsRef<Path>, options: &VerifyOptions) -> io::Result<Report> {
    verify_source(&DirSource::open_dir(path.as_ref())?, options, &mut |_| ())
}

/// Verifies a log, wherever its bytes are, and tells from time to time how far it has come.
///
/// # Errors
///
/// The names of the files cannot be listed, as with [`verify_dir`].
pub fn verify_source(
    source: &impl LogSource,
    options: &VerifyOptions,
    progress: &mut dyn FnMut(Progress),
) -> io::Result<Report> {
    let mut ledger = Ledger::default();
    // Before it is asked how long the segments are: see there.
    let trust = Trust::gather(source, options, &mut ledger);
    let segments = crate::scan::segments(source, &mut ledger)?;
    if segments.is_empty() {
        ledger.find(Finding::new(Code::NoRecords, Code::NoRecords.meaning()));
    }
    let trust = match trust {
        _ if broken::is(Broken::NotesLate) => Trust::gather(source, options, &mut ledger),
        trust => trust,
    };
    let told = Progress { segments_total: segments.len(), ..Progress::default() };
    let mut small = Buffer::small();
    let chained = unread::of_the_chain(source, &segments, &mut small, &mut ledger);
    let mut reader = Reader {
        source,
        checker: Checker::new(trust, ledger),
        buffer: Buffer::new(),
        small,
        jobs: options.jobs,
        told,
        progress,
        next: None,
        unaccounted: Vec::new(),
    };
    let mut rest = chained.as_slice();
    while let Some((&name, after)) = rest.split_first() {
        reader.read_segment(name, after.first().copied());
        reader.told.segments_done = reader.told.segments_done.saturating_add(1);
        (reader.progress)(reader.told);
        rest = after;
    }
    let coverage = reader.finish();
    reader.checker.require_none_adopted(options.require, options.adopted, &coverage);
    Ok(Report::new(reader.checker, &coverage, segments.len(), reader.told.bytes_done))
}

struct Reader<'r, S> {
    source: &'r S,
    checker: Checker,
    buffer: Buffer,
    small: Buffer,
    jobs: Jobs,
    told: Progress,
    progress: &'r mut dyn FnMut(Progress),
    /// Tails that seemed to be accounted for by a damaged record of the segment behind.
    unaccounted: Vec<(Finding, Option<SegmentName>)>,
    /// The segment behind the one that is being read.
    next: Option<SegmentName>,
}

/// What came of reading the lines of a segment.
struct Read {
    /// Where the prefix of whole, linked records ends, if it does before the span.
    broken: Option<Break>,
    /// What was known before a segment that is sealed, if what follows its last seal may have to be
    /// taken back.
    begun: Option<Box<(State, Ledger)>>,
    /// How far the span reached in the end.
    span: Span,
}

/// What was known where the prefix of whole, linked records ended.
struct Break {
    state: State,
    ledger: Ledger,
    /// The first line after it.
    start: u64,
    lines_before: u64,
}

impl<S: LogSource> Reader<'_, S> {
    fn read_segment(&mut self, name: SegmentName, next: Option<SegmentName>) {
        let text = name.to_string();
        self.checker.begin_segment(name);
        let opened = self.source.open(&text).and_then(|file| {
            let size = file.size()?;
            Ok((file, size))
        });
        let read = match opened {
            Ok((file, size)) => self
                .read_file(&file, size, name, next)
                .map_err(|error| file::not_read(name, &error)),
            Err(error) => Err(file::not_opened(name, &error)),
        };
        if let Err(finding) = read {
            if !broken::is(Broken::SegmentUnread) {
                self.checker.ledger.find(finding);
            }
            self.checker.lose(next.map_or(0, |next| next.first_seq));
        }
    }

    fn finish(&mut self) -> Coverage {
        self.checker.finish();
        let coverage = self.checker.conclude(self.source);
        for (finding, next) in std::mem::take(&mut self.unaccounted) {
            // Without the damage that was to explain it, nothing accounts for that tail.
            if !next.is_some_and(|next| self.checker.ledger.finds_in(&next.to_string())) {
                self.checker.ledger.find(finding);
            }
        }
        coverage
    }

    fn read_file(
        &mut self,
        file: &S::File<'_>,
        size: u64,
        name: SegmentName,
        next: Option<SegmentName>,
    ) -> Result<(), ReadError> {
        let after = next
            .map_or(After::Nothing, |next| After::peek(self.source, &mut self.small, next, name));
        self.next = next;
        let end = after.end_of_lines(size);
        let Read { broken, begun, span } = self.read_lines(file, Span::up_to(end), name, &after)?;
        if span.end == 0 {
            self.checker.take_empty(name);
        }
        let crash = self.examine_end(file, broken.as_ref(), span, &after)?;
        match (broken, crash) {
            (broken, Some(Crash { tail, unsealed: Some(span) })) => {
                drop(broken);
                self.go_back(file, begun, span, name)?;
                self.keep_tail(&tail, span, name, &after);
            }
            (Some(broken), Some(Crash { tail, unsealed: None })) => {
                let Break { state, ledger, start, lines_before } = broken;
                (self.checker.state, self.checker.ledger) = (state, ledger);
                let span = Span { start, lines_before, end: span.end };
                self.keep_tail(&tail, span, name, &after);
            }
            (Some(broken), None) => self.keep_findings(broken),
            (None, _) => self.check_unsealed(span, name, &after),
        }
        self.checker.end_segment(&name.to_string(), after.follows());
        if let After::Account(recovered) = &after {
            let tail = Span { start: span.end, end: size, ..span };
            self.compare_tail(file, tail, recovered, name)?;
        }
        Ok(())
    }

    /// Checks the lines of a span that begins with the file.
    fn read_lines(
        &mut self,
        file: &S::File<'_>,
        span: Span,
        name: SegmentName,
        after: &After,
    ) -> Result<Read, ReadError> {
        let text = name.to_string();
        let before = self.told.bytes_done;
        let mut kept = Kept { begun: None, may_go_back: after.excuses(), broken: None };
        let span = self.join_pieces(file, span, &text, &mut kept);
        let lines = Lines::new(file, span, &mut self.buffer, ());
        let may_grow = matches!(after, After::Nothing);
        let mut lines = if may_grow { lines.of_growing_file() } else { lines };
        let read = loop {
            let line = match lines.next() {
                Ok(Some(line)) => line,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            };
            if line.number.is_multiple_of(LINES_BETWEEN_PROGRESS) {
                self.told.bytes_done = before.saturating_add(line.offset);
                (self.progress)(self.told);
            }
            take_line(&mut self.checker, &line, &text, &mut kept);
        };
        let span = Span { start: 0, lines_before: lines.lines(), end: lines.end() };
        self.told.bytes_done = before.saturating_add(span.end);
        let Kept { broken, begun, .. } = kept;
        match read {
            Ok(()) => Ok(Read { broken, begun, span }),
            Err(error) => {
                if let Some(broken) = broken {
                    self.keep_findings(broken);
                }
                Err(error)
            }
        }
    }

    /// Takes what other threads read ahead, as far as each piece begins where the one before ended;
    /// what of the span is still to be read.
    fn join_pieces(
        &mut self,
        file: &S::File<'_>,
        mut span: Span,
        text: &str,
        kept: &mut Kept,
    ) -> Span {
        let before = self.told.bytes_done;
        pool::read_ahead(file, span.end, self.jobs, &mut |piece| {
            if piece.is_empty() {
                // Whoever reads a line that is longer than any record passes by its holes.
                let bytes = piece.start.saturating_sub(span.start);
                let is_long = usize::try_from(bytes).map_or(true, |bytes| bytes > RECORD_BYTES_MAX);
                return if is_long { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
            }
            if piece.start != span.start {
                return ControlFlow::Break(());
            }
            for (lines, run) in piece.stretches() {
                if let Some(run) = run.filter(|run| self.checker.take_run(run, span)) {
                    span = span.behind(lines, run.records());
                    continue;
                }
                for text_of_line in lines.split(|byte| *byte == b'\n') {
                    let number = span.lines_before.saturating_add(1);
                    let whole = Text::Whole(text_of_line);
                    let line = Line { number, offset: span.start, text: whole, ended: true };
                    take_line(&mut self.checker, &line, text, kept);
                    span = span.behind(text_of_line, 1);
                }
            }
            self.told.bytes_done = before.saturating_add(span.start);
            (self.progress)(self.told);
            ControlFlow::Continue(())
        });
        self.told.bytes_done = before;
        span
    }

    fn keep_findings(&mut self, broken: Break) {
        let found = std::mem::replace(&mut self.checker.ledger, broken.ledger);
        self.checker.ledger.append(found);
    }

    /// Compares the tail of a segment with what the next one says of it.
    fn compare_tail(
        &mut self,
        file: &S::File<'_>,
        span: Span,
        recovered: &LogRecovered,
        name: SegmentName,
    ) -> Result<(), ReadError> {
        self.checker.tail_was_compared();
        let state = &self.checker.state;
        match account::compare(file, span, recovered, state, name, &mut self.buffer)? {
            Ok(notice) => self.checker.ledger.note(notice),
            Err(finding) => self.checker.ledger.find(finding),
        }
        Ok(())
    }
}

/// What is kept while the lines of a segment are read.
struct Kept {
    begun: Option<Box<(State, Ledger)>>,
    may_go_back: bool,
    broken: Option<Break>,
}

/// Checks a line of a file. Keeps what was known before the first one that does not go on from the
/// one before, and before a segment that is sealed.
fn take_line(checker: &mut Checker, line: &Line<'_>, file: &str, kept: &mut Kept) {
    let place = Place { file, line: line.number, offset: line.offset };
    let assessed = checker.assess(line);
    if line.number == 1 && kept.may_go_back && assessed.names_a_key() {
        kept.begun = Some(Box::new((checker.state.clone(), checker.ledger.clone())));
    }
    if kept.broken.is_none() && !assessed.is_linked() {
        kept.broken = Some(Break {
            state: checker.state.clone(),
            ledger: std::mem::take(&mut checker.ledger),
            start: line.offset,
            lines_before: line.number.saturating_sub(1),
        });
    }
    checker.apply(assessed, place);
}

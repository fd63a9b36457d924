//! A log for people to read: every line in order, and what is wrong where.

mod shown;

use std::io;
use std::ops::ControlFlow;

use crate::check::{Assessed, Checker};
use crate::finding::{Code, Finding, Ledger, NoticeCode, Place};
use crate::parse::json::Scratch;
use crate::pool::Jobs;
use crate::scan::lines::Line;
use crate::segment::{Ahead, Gone, Opened, Position, Segments, Unread, Visit, restarted};
use crate::source::{LogFile, LogSource};
use crate::trust::Trust;
use crate::verdict::Verdict;
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
    at: Option<At>,
    /// What was said of the names in the directory.
    listed: Vec<Finding>,
    /// What was said of files that were left out.
    left_out: Vec<Finding>,
}

/// What reading takes besides the bytes.
#[derive(Debug)]
struct Reader {
    segments: Segments,
    scratch: Scratch,
}

/// How far a segment was shown.
#[derive(Debug)]
struct At {
    position: Position,
    /// How long the segment was.
    size: Option<u64>,
    /// Whether nothing more of it is shown, whatever it becomes.
    is_done: bool,
    /// Whether something is wrong with it.
    is_wrong: bool,
}

/// Shows lines.
struct Showing<'r> {
    scratch: &'r mut Scratch,
    is_wrong: &'r mut bool,
    visit: &'r mut dyn FnMut(View<'_>) -> ControlFlow<()>,
}

impl<S: LogSource> Viewer<S> {
    /// A view of a log from its beginning. Nothing is read yet.
    #[must_use]
    pub fn new(source: S) -> Self {
        let checker = Checker::new(Trust::none(), Ledger::listing_all());
        let reader =
            Reader { segments: Segments::new(checker, Jobs::ONE), scratch: Scratch::default() };
        Self { source, reader, at: None, listed: Vec::new(), left_out: Vec::new() }
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
        restarted(|gone| self.read_listed(visit, gone))
    }

    /// Shows what is listed now; `None` where that is to be done again, for a segment is gone.
    fn read_listed(
        &mut self,
        visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>,
        gone: Gone,
    ) -> io::Result<Option<ControlFlow<()>>> {
        let mut ledger = Ledger::default();
        let names = crate::scan::segments(&self.source, &mut ledger)?;
        let before = std::mem::replace(&mut self.listed, ledger.findings);
        for finding in self.listed.iter().filter(|finding| !before.contains(finding)) {
            if fault(finding, visit).is_break() {
                return Ok(Some(ControlFlow::Break(())));
            }
        }
        let Self { source, reader, at, left_out, .. } = self;
        let current = at.as_ref().map(|at| at.position.name);
        let done = names.partition_point(|&name| Some(name) < current);
        let mut ahead = Ahead::new(source, names.get(done..).unwrap_or_default());
        let mut ledger = Ledger::default();
        while let Some(opened) = ahead.next(&mut ledger) {
            for finding in std::mem::take(&mut ledger).findings {
                if !left_out.contains(&finding) {
                    let flow = fault(&finding, visit);
                    left_out.push(finding);
                    if flow.is_break() {
                        return Ok(Some(ControlFlow::Break(())));
                    }
                }
            }
            if opened.restarts(gone) {
                return Ok(None);
            }
            let at = match &mut *at {
                Some(at) if at.position.name == opened.name => at,
                at => at.insert(At::start(reader.segments.begin(opened.name))),
            };
            if reader.read_segment(&opened, ahead.behind(), at, visit).is_break() {
                return Ok(Some(ControlFlow::Break(())));
            }
        }
        Ok(Some(ControlFlow::Continue(())))
    }

    /// Shows what can be said only where reading ends.
    pub fn finish(mut self, visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>) {
        let checker = &mut self.reader.segments.checker;
        match &mut self.at {
            None => checker.ledger.find(Finding::new(Code::NoRecords, Code::NoRecords.meaning())),
            Some(at) if !at.is_done => checker.end_newest(&mut at.position),
            Some(_) => {}
        }
        checker.finish();
        if let Some(at) = &mut self.at {
            self.reader.mark(at);
            self.reader.account(at);
        }
        // Whether the visitor has seen enough no longer matters.
        let _seen = self.reader.tell(visit);
    }
}

impl At {
    const fn start(position: Position) -> Self {
        Self { position, size: None, is_done: false, is_wrong: false }
    }
}

impl Reader {
    fn read_segment<F: LogFile>(
        &mut self,
        opened: &Opened<F>,
        next: Option<&Opened<F>>,
        at: &mut At,
        visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let size = opened.file.as_ref().ok().and_then(|file| file.size().ok());
        // As long as it does not grow, there is nothing new in it.
        let is_as_it_was = next.is_none() && size.is_some() && at.size == size;
        if at.is_done || is_as_it_was {
            return ControlFlow::Continue(());
        }
        let Self { segments, scratch } = self;
        let mut showing = Showing { scratch, is_wrong: &mut at.is_wrong, visit };
        match segments.read(opened, next, &mut at.position, &mut showing) {
            Ok(ControlFlow::Break(())) => return ControlFlow::Break(()),
            Ok(ControlFlow::Continue(())) => {
                at.size = size;
                at.is_done = next.is_some();
            }
            Err(Unread) => at.is_done = true,
        }
        self.mark(at);
        if at.is_done {
            self.account(at);
        }
        self.tell(visit)
    }

    /// Keeps in mind that something is wrong with a segment.
    fn mark(&self, at: &mut At) {
        at.is_wrong |= self.segments.checker.ledger.finds_in(&at.position.name.to_string());
    }

    /// Says of a tail what no damage of the segment behind it explains, once that has been read.
    fn account(&mut self, at: &At) {
        let Segments { checker, unaccounted, .. } = &mut self.segments;
        let due = unaccounted.extract_if(.., |(_, next)| *next == at.position.name);
        due.filter(|_| !at.is_wrong).for_each(|(finding, _)| checker.ledger.find(finding));
    }

    /// Shows what belongs to no line.
    fn tell(&mut self, visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        let ledger = &mut self.segments.checker.ledger;
        let findings = std::mem::take(&mut ledger.findings);
        let notices = std::mem::take(&mut ledger.notices);
        let skips = |code| matches!(code, NoticeCode::TailRecovered | NoticeCode::UnsealedEnd);
        let mut skipped = notices.into_iter().filter(|notice| skips(notice.code));
        skipped.try_for_each(|notice| visit(View::Skipped(notice)))?;
        findings.iter().try_for_each(|finding| fault(finding, visit))
    }
}

impl Visit for Showing<'_> {
    fn line(
        &mut self,
        checker: &mut Checker,
        line: &Line<'_>,
        assessed: Assessed<'_>,
        place: Place<'_>,
    ) -> ControlFlow<()> {
        let record = RecordView::of(line, &assessed, place, self.scratch);
        let is_foreign = matches!(assessed, Assessed::Foreign { .. });
        checker.apply(assessed, place);
        let mut findings = std::mem::take(&mut checker.ledger.findings);
        checker.ledger.notices.clear();
        if record.is_none() && findings.is_empty() {
            findings.push(unsaid(is_foreign).at(place));
        }
        *self.is_wrong |= findings.iter().any(is_tampered);
        (self.visit)(match record {
            Some(record) if findings.is_empty() => View::Record(record),
            record => View::Faulty { record, findings: &findings },
        })
    }
}

fn is_tampered(finding: &Finding) -> bool {
    finding.verdict == Verdict::Tampered
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

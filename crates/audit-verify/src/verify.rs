//! From the segments of a directory to a report.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use audit_checkpoint::{Note, Policy, VerifyingKey};
use audit_core::Receipt;

use crate::broken::{self, Broken};
use crate::check::{Assessed, Checker};
use crate::finding::{Code, Finding, Ledger, Place};
use crate::pool::Jobs;
use crate::report::Report;
use crate::scan::lines::Line;
use crate::segment::{Ahead, Gone, Segments, Visit, restarted};
use crate::source::{DirSource, LogSource};
use crate::trust::{Identity, Trust, UnsignedLimit};
use crate::verdict::{AdoptedRecords, Requirement};

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
/// The log may be written meanwhile: it is verified up to its length at the start. Where a segment is
/// gone that was listed, as when it is pruned meanwhile, it is listed again, three times at most.
/// Nothing is locked or changed.
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
    restarted(|gone| verify_listed(source, options, progress, gone))
}

/// Verifies what is listed now; `None` where that is to be done again.
fn verify_listed(
    source: &impl LogSource,
    options: &VerifyOptions,
    progress: &mut dyn FnMut(Progress),
    gone: Gone,
) -> io::Result<Option<Report>> {
    let mut ledger = Ledger::default();
    // Before it is asked how long the segments are: see there.
    let trust = Trust::gather(source, options, &mut ledger);
    let names = crate::scan::segments(source, &mut ledger)?;
    if names.is_empty() {
        ledger.find(Finding::new(Code::NoRecords, Code::NoRecords.meaning()));
    }
    let trust = match trust {
        _ if broken::is(Broken::NotesLate) => Trust::gather(source, options, &mut ledger),
        trust => trust,
    };
    let told = Progress { segments_total: names.len(), ..Progress::default() };
    let mut telling = Telling { told, before: 0, progress };
    let mut segments = Segments::new(Checker::new(trust, ledger), options.jobs);
    let mut ahead = Ahead::new(source, &names);
    while let Some(opened) = ahead.next(&mut segments.checker.ledger) {
        if opened.restarts(gone) {
            return Ok(None);
        }
        let mut at = segments.begin(opened.name);
        let next = ahead.behind();
        let read = segments.read(&opened, next, &mut at, &mut telling);
        if read.is_ok() && next.is_none() {
            segments.checker.end_newest(&mut at);
        }
        telling.end_segment(at.bytes);
    }
    let Segments { mut checker, unaccounted, .. } = segments;
    checker.finish();
    let coverage = checker.conclude(source);
    for (finding, next) in unaccounted {
        // Without the damage that was to explain it, nothing accounts for that tail.
        if !checker.ledger.finds_in(&next.to_string()) {
            checker.ledger.find(finding);
        }
    }
    checker.require_none_adopted(options.require, options.adopted, &coverage);
    Ok(Some(Report::new(checker, &coverage, names.len(), telling.told.bytes_done)))
}

/// Tells how far reading has come.
struct Telling<'p> {
    told: Progress,
    /// Bytes of the segments before.
    before: u64,
    progress: &'p mut dyn FnMut(Progress),
}

impl Telling<'_> {
    fn end_segment(&mut self, bytes: u64) {
        self.before = self.before.saturating_add(bytes);
        self.told.bytes_done = self.before;
        self.told.segments_done = self.told.segments_done.saturating_add(1);
        (self.progress)(self.told);
    }
}

impl Visit for Telling<'_> {
    fn line(
        &mut self,
        checker: &mut Checker,
        line: &Line<'_>,
        assessed: Assessed<'_>,
        place: Place<'_>,
    ) -> ControlFlow<()> {
        if line.number.is_multiple_of(LINES_BETWEEN_PROGRESS) {
            self.reached(line.offset);
        }
        checker.apply(assessed, place);
        ControlFlow::Continue(())
    }

    fn reached(&mut self, bytes: u64) {
        self.told.bytes_done = self.before.saturating_add(bytes);
        (self.progress)(self.told);
    }
}

//! What lies in the directory, and the lines of a file.

pub(crate) mod lines;
mod name;

use std::io;
use std::os::unix::ffi::OsStrExt as _;

use name::Entry;
pub(crate) use name::SegmentName;

use crate::finding::{Code, Finding, FirstNames, Ledger, Notice, NoticeCode};
use crate::source::LogSource;

/// Lists the segments of a log in the order of the chain, and reports everything else.
///
/// # Errors
///
/// The directory cannot be listed.
pub(crate) fn segments(
    source: &impl LogSource,
    ledger: &mut Ledger,
) -> io::Result<Vec<SegmentName>> {
    let mut segments = Vec::new();
    let (mut false_segments, mut unknown) = (FirstNames::default(), FirstNames::default());
    source.visit_names(&mut |name| match Entry::of(name.as_bytes()) {
        Entry::Segment(segment) => segments.push(segment),
        Entry::FalseSegment => false_segments.add(name),
        // What is in it was read before.
        Entry::Checkpoints => {}
        Entry::NewSegment => ledger.note(
            Notice::new(NoticeCode::LeftoverSegment, "a segment that was never completed")
                .in_file(&name.to_string_lossy()),
        ),
        Entry::Unknown => unknown.add(name),
    })?;
    segments.sort_unstable();
    let more = false_segments.show(&mut |name| ledger.find(false_segment(name)));
    ledger.find_unlisted(Code::SegmentNameInvalid, more);
    let more = unknown.show(&mut |name| ledger.note(unknown_file(name)));
    ledger.note_unlisted(NoticeCode::UnknownFile, more);
    // A directory has no order of its own, and a report is to be the same each time.
    ledger.findings.sort_by(|a, b| a.file.cmp(&b.file));
    ledger.notices.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(segments)
}

/// A file that is none of the log's.
pub(crate) fn unknown_file(path: &str) -> Notice {
    Notice::new(NoticeCode::UnknownFile, "not a file of the log, and not looked at").in_file(path)
}

fn false_segment(name: &str) -> Finding {
    Finding::new(Code::SegmentNameInvalid, "the name ends like a segment's, but is not one")
        .in_file(name)
        .expected("<first seq, 20 digits>.<YYYY-MM-DD>.audit.jsonl")
        .found(name)
}

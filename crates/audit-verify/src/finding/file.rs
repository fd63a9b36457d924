//! Findings about a segment as a whole.

use super::{Code, Finding};
use crate::scan::SegmentName;
use crate::scan::lines::ReadError;
use crate::source::OpenError;

/// A segment, or a part of it, was not read.
pub(crate) fn not_read(name: SegmentName, error: &ReadError) -> Finding {
    Finding::new(Code::SegmentUnreadable, Code::SegmentUnreadable.meaning())
        .in_file(&name.to_string())
        .found(format_args!("at byte {}: {}", error.offset, error.source))
}

/// A segment was not opened.
pub(crate) fn not_opened(name: SegmentName, error: &OpenError) -> Finding {
    let finding = |code: Code| Finding::new(code, code.meaning()).in_file(&name.to_string());
    match error {
        OpenError::NotAFile(kind) => finding(Code::SegmentNotAFile).expected("a file").found(kind),
        OpenError::Io(error) => finding(Code::SegmentUnreadable).found(error),
    }
}

/// A segment holds nothing.
pub(crate) fn empty(name: SegmentName) -> Finding {
    Finding::new(Code::SegmentEmpty, Code::SegmentEmpty.meaning()).in_file(&name.to_string())
}

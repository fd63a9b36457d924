//! Records that other threads have read ahead.

use std::ops::ControlFlow;

use audit_core::limits::RECORD_BYTES_MAX;

use super::{Course, Position, Segments, Stop, Visit, take};
use crate::pool;
use crate::scan::lines::{Line, Text};
use crate::source::LogFile;

impl Segments {
    /// Takes what other threads read ahead, as far as each piece begins where the one before ended,
    /// up to a line that is held or at which the visitor had seen enough.
    pub(super) fn join_pieces(
        &mut self,
        file: &impl LogFile,
        course: &Course,
        at: &mut Position,
        visit: &mut impl Visit,
    ) -> ControlFlow<Stop> {
        let checker = &mut self.checker;
        let mut stopped = ControlFlow::Continue(());
        pool::read_ahead(file, at.offset..course.end, self.jobs, &mut |piece| {
            if piece.is_empty() {
                // Whoever reads a line that is longer than any record passes by its holes.
                let bytes = piece.start.saturating_sub(at.offset);
                let is_long = usize::try_from(bytes).map_or(true, |bytes| bytes > RECORD_BYTES_MAX);
                return if is_long { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
            }
            if piece.start != at.offset {
                return ControlFlow::Break(());
            }
            for (lines, run) in piece.stretches() {
                let span = at.up_to(course.end);
                if let Some(run) = run
                    && let behind = span.behind(lines, run.records())
                    && !course.holds(&checker.state, behind.start)
                    && checker.take_run(run, span)
                {
                    (at.offset, at.lines) = (behind.start, behind.lines_before);
                    at.bytes = at.offset;
                    continue;
                }
                for text in lines.split(|byte| *byte == b'\n') {
                    let (number, offset) = (at.lines.saturating_add(1), at.offset);
                    let line = Line { number, offset, text: Text::Whole(text), ended: true };
                    stopped = take(checker, &line, course, at, visit);
                    if stopped.is_break() {
                        return ControlFlow::Break(());
                    }
                }
            }
            visit.reached(at.offset);
            ControlFlow::Continue(())
        });
        stopped
    }
}

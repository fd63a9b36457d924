//! Where a segment ends: what follows the last record that counts.

use super::{Course, Position, Segments};
use crate::account::{self, After};
use crate::check::{Checker, Follows, Unsealed};
use crate::finding::{Code, Finding, Notice, Place};
use crate::scan::SegmentName;
use crate::scan::lines::{ReadError, Span};
use crate::source::LogFile;
use crate::tail::{self, Before, Tail};

/// What is to be said of the end of the newest segment, unless it goes on.
#[derive(Debug)]
pub(crate) enum Rest {
    Torn { finding: Finding, unsealed: u64 },
    Unsealed { notice: Notice, unsealed: u64 },
    TooLong(Finding),
}

impl Segments {
    /// Looks ahead from a line that is held to the end of the log. What follows there the last record
    /// that counts, if it looks like a crash: in a sealed segment behind its last seal, and elsewhere
    /// behind the last record of the prefix of whole, linked ones.
    pub(super) fn look_ahead(
        &mut self,
        file: &impl LogFile,
        course: &Course,
        at: &Position,
    ) -> Result<Option<(Span, Tail)>, ReadError> {
        let mut ahead = self.checker.ahead();
        let mut held = at.up_to(course.end);
        let mut lines = course.lines(file, at, &mut self.buffer);
        let mut is_broken = false;
        while let Some(line) = lines.next()? {
            let assessed = ahead.assess(&line);
            if !assessed.is_linked() {
                is_broken = true;
                break;
            }
            (held.start, held.lines_before) = (line.end(), line.number);
            let place = Place { file: &at.text, line: line.number, offset: line.offset };
            ahead.apply(assessed, place);
        }
        held.end = lines.end();
        let state = &ahead.state;
        let unsealed = state.unsealed();
        let mut span = held;
        if let Some(Unsealed { start, lines_before, .. }) = unsealed {
            (span.start, span.lines_before) = (start, lines_before);
        }
        let bytes = span.end.saturating_sub(span.start);
        let may_be_torn = match unsealed {
            Some(unsealed) => !unsealed.is_closed && state.is_within_limit(bytes),
            None => is_broken && state.may_be_torn(bytes).is_ok(),
        };
        if !may_be_torn {
            return Ok(None);
        }
        let sealed = unsealed.map(|unsealed| unsealed.follows);
        let before = Before { sealed, is_foreign: state.is_foreign() };
        let tail = tail::examine(file, span, before, &mut self.buffer)?;
        Ok(tail.fault.is_none().then_some((span, tail)))
    }

    /// Ends a segment that was read to its end, or to where its tail begins. The newest is left open,
    /// since it may go on.
    pub(super) fn end(
        &mut self,
        tail: Option<(Span, Tail)>,
        after: &After,
        next: Option<SegmentName>,
        at: &mut Position,
    ) {
        match (after, tail) {
            (After::Nothing, tail) => {
                at.rest = match tail {
                    Some((span, tail)) => Some(rest(&tail, span, at)),
                    None => self.unsealed_too_long(at).map(Rest::TooLong),
                };
                return;
            }
            // The record that accounts for it is damaged, which is said where that record is.
            (After::Damaged, Some((span, tail))) => {
                self.checker.tail_was_compared();
                let place = span.place(&at.text);
                let finding = account::tail_finding(Code::RecoveryMismatch, &tail, place);
                self.unaccounted.extend(next.map(|next| (finding, next)));
            }
            _ => {}
        }
        self.checker.end_segment(&at.text, Follows::Segment);
    }

    /// Says of an end that is not sealed that it is longer than any writer leaves it.
    fn unsealed_too_long(&self, at: &Position) -> Option<Finding> {
        let state = &self.checker.state;
        let Unsealed { start, lines_before, .. } = state.unsealed().filter(|_| !at.is_broken)?;
        let bytes = at.offset.saturating_sub(start);
        if state.is_within_limit(bytes) {
            return None;
        }
        let code = Code::UnsealedTooLong;
        let place = Span { start, lines_before, end: at.offset }.place(&at.text);
        Some(Finding::new(code, code.meaning()).at(place).found(format!("{bytes} bytes")))
    }
}

impl Checker {
    /// Ends the newest segment, which does not go on.
    pub(crate) fn end_newest(&mut self, at: &mut Position) {
        match at.rest.take() {
            Some(Rest::Torn { finding, unsealed }) => {
                self.state.stats.unsealed = unsealed;
                self.ledger.find(finding);
            }
            Some(Rest::Unsealed { notice, unsealed }) => {
                self.state.stats.unsealed = unsealed;
                self.ledger.note(notice);
            }
            Some(Rest::TooLong(finding)) => self.ledger.find(finding),
            None => {}
        }
        self.end_segment(&at.text, Follows::Nothing);
    }
}

/// What is said of a tail that looks like a crash: it is not parsed, and the next writer accounts for
/// it.
fn rest(tail: &Tail, span: Span, at: &Position) -> Rest {
    let place = span.place(&at.text);
    let unsealed = tail.unsealed_records;
    if tail.is_unsealed_only {
        return Rest::Unsealed { notice: account::unsealed_end(tail, place), unsealed };
    }
    Rest::Torn { finding: account::tail_finding(Code::TornTail, tail, place), unsealed }
}

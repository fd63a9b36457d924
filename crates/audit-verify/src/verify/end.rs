//! Where a segment ends: what follows the last record that counts.

use super::{Break, Reader};
use crate::account::{self, After};
use crate::check::{State, Unsealed};
use crate::finding::{Code, Finding, Ledger, Place};
use crate::scan::SegmentName;
use crate::scan::lines::{ReadError, Span};
use crate::source::LogSource;
use crate::tail::{self, Before, Tail};

/// A tail that looks like a crash.
pub(super) struct Crash {
    pub(super) tail: Tail,
    /// Where it is, if it begins behind the last sealed record and not where linked records end.
    pub(super) unsealed: Option<Span>,
}

impl<S: LogSource> Reader<'_, S> {
    /// What is behind the last record that counts, if it looks like a crash and nothing else is to say
    /// so: behind a break, or in a sealed segment behind the last seal.
    pub(super) fn examine_end(
        &mut self,
        file: &S::File<'_>,
        broken: Option<&Break>,
        span: Span,
        after: &After,
    ) -> Result<Option<Crash>, ReadError> {
        let state = broken.map_or(&self.checker.state, |broken| &broken.state);
        let unsealed = state.unsealed();
        let from = match (unsealed, broken) {
            (Some(unsealed), _) => (unsealed.start, unsealed.lines_before),
            (None, Some(broken)) => (broken.start, broken.lines_before),
            (None, None) => return Ok(None),
        };
        let span = Span { start: from.0, lines_before: from.1, end: span.end };
        let bytes = span.end.saturating_sub(span.start);
        let may_be_torn = match unsealed {
            Some(unsealed) => !unsealed.is_closed && state.is_within_limit(bytes),
            None => state.may_be_torn(bytes).is_ok(),
        };
        if !after.excuses() || !may_be_torn {
            return Ok(None);
        }
        let sealed = unsealed.map(|unsealed| unsealed.follows);
        let before = Before { sealed, is_foreign: state.is_foreign() };
        let tail = tail::examine(file, span, before, &mut self.buffer)?;
        let unsealed = unsealed.map(|_| span);
        Ok(tail.fault.is_none().then_some(Crash { tail, unsealed }))
    }

    /// Says of an end that is not sealed that it is longer than any writer leaves it.
    pub(super) fn check_unsealed(&mut self, span: Span, name: SegmentName, after: &After) {
        let state = &self.checker.state;
        let Some(Unsealed { start, lines_before, .. }) = state.unsealed() else { return };
        let bytes = span.end.saturating_sub(start);
        if matches!(after, After::Nothing) && !state.is_within_limit(bytes) {
            let (file, code) = (name.to_string(), Code::UnsealedTooLong);
            let place = Place { file: &file, line: lines_before.saturating_add(1), offset: start };
            let found = format!("{bytes} bytes");
            self.checker.ledger.find(Finding::new(code, code.meaning()).at(place).found(found));
        }
    }

    /// Goes back to the last sealed record of a segment, which is read again up to there: no state is
    /// kept of every seal.
    pub(super) fn go_back(
        &mut self,
        file: &S::File<'_>,
        begun: Option<Box<(State, Ledger)>>,
        tail: Span,
        name: SegmentName,
    ) -> Result<(), ReadError> {
        let Some(begun) = begun else { return Ok(()) };
        (self.checker.state, self.checker.ledger) = *begun;
        let done = self.told.bytes_done;
        self.told.bytes_done = done.saturating_sub(tail.end);
        let read = self.read_lines(file, Span::up_to(tail.start), name, &After::NoAccount);
        self.told.bytes_done = done;
        // Only a file that was changed meanwhile is broken there.
        read?.broken.into_iter().for_each(|broken| self.keep_findings(broken));
        Ok(())
    }

    /// Says of a tail that looks like a crash what is known of it: it is not parsed, but accounted for.
    pub(super) fn keep_tail(&mut self, tail: &Tail, span: Span, name: SegmentName, after: &After) {
        let text = name.to_string();
        let line = span.lines_before.saturating_add(1);
        let place = Place { file: &text, line, offset: span.start };
        let finding = |code: Code| account::tail_finding(code, tail, place);
        match after {
            After::Nothing => {
                self.checker.state.stats.unsealed = tail.unsealed_records;
                if tail.is_unsealed_only {
                    self.checker.ledger.note(account::unsealed_end(tail, place));
                } else {
                    self.checker.ledger.find(finding(Code::TornTail));
                }
            }
            // The record that accounts for it is damaged, which is said where that record stands.
            After::Damaged => {
                self.checker.tail_was_compared();
                self.unaccounted.push((finding(Code::RecoveryMismatch), self.next));
            }
            After::Unreadable | After::NoAccount | After::Account(_) | After::Opaque(_) => {}
        }
    }
}

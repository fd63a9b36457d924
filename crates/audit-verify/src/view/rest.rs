//! What is at the end of a segment and not shown.

use audit_core::seal::split_seal;

use super::{Position, Reader, Rest};
use crate::account::{self, After};
use crate::broken::{self, Broken};
use crate::finding::{Code, Place};
use crate::parse::record::Hashed;
use crate::scan::lines::{Lines, ReadError, Span, Text};
use crate::source::LogFile;
use crate::tail::{self, Before, Tail};

impl Reader {
    /// What is behind the last seal of a segment that is sealed and may still be written, or left by a
    /// crash. If it looks so it is not shown, since the next writer accounts for it.
    pub(super) fn rest(
        &mut self,
        file: &impl LogFile,
        at: &Position,
        end: u64,
    ) -> Result<Option<(Span, Before)>, ReadError> {
        if !at.is_sealed || at.is_broken || broken::is(Broken::UnsealedShown) {
            return Ok(None);
        }
        let mut span = at.up_to(end);
        let mut sealed = self.checker.state.head_hash().filter(|_| at.offset > 0);
        let mut lines = Lines::new(file, span, &mut self.buffer, ());
        while let Some(line) = lines.next()? {
            let Text::Whole(text) = line.text else { continue };
            let hashed = Hashed::split(text).filter(Hashed::is_right);
            let hashed = hashed.filter(|hashed| split_seal(hashed.body).is_some());
            if let Some(hashed) = hashed.filter(|_| line.ended) {
                sealed = Some(hashed.computed);
                let length = u64::try_from(text.len()).unwrap_or(u64::MAX).saturating_add(1);
                span.start = line.offset.saturating_add(length);
                span.lines_before = line.number;
            }
        }
        if sealed.is_none() || span.start == end {
            return Ok(None);
        }
        let before = Before { sealed, is_foreign: self.checker.state.is_foreign() };
        Ok(Some((span, before)))
    }

    /// What is behind a break, if it looks like a crash.
    pub(super) fn crash(
        &mut self,
        file: &impl LogFile,
        span: Span,
    ) -> Result<Option<Tail>, ReadError> {
        if self.checker.state.may_be_torn(span.end.saturating_sub(span.start)).is_err() {
            return Ok(None);
        }
        let is_foreign = self.checker.state.is_foreign();
        let before = Before { sealed: None, is_foreign };
        let tail = tail::examine(file, span, before, &mut self.buffer)?;
        Ok(tail.fault.is_none().then_some(tail))
    }

    /// Says of a tail that looks like a crash what is known of it.
    pub(super) fn keep_tail(&mut self, tail: &Tail, after: &After, at: &mut Position) {
        let file = at.name.to_string();
        let place = Place { file: &file, line: at.lines.saturating_add(1), offset: at.offset };
        let finding = |code: Code| account::tail_finding(code, tail, place);
        match after {
            After::Nothing if tail.is_unsealed_only => {
                at.rest = Some(Rest::Unsealed(account::unsealed_end(tail, place)));
            }
            After::Nothing => at.rest = Some(Rest::Torn(finding(Code::TornTail))),
            After::Damaged => {
                self.checker.tail_was_compared();
                self.checker.ledger.find(finding(Code::RecoveryMismatch));
            }
            After::Unreadable | After::NoAccount | After::Account(_) | After::Opaque(_) => {
                self.checker.ledger.find(finding(Code::TornTail));
            }
        }
    }
}

//! The receipts of `audit record`: printed in the order of the lines, as soon as they are resolved.

use std::collections::VecDeque;
use std::future::Future as _;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use audit_core::limits::CALL_DEADLINE_SECS_DEFAULT;
use audit_log::writer::QueueError;
use audit_log::{PendingReceipt, Receipt};

use super::fault::Fault;
use crate::bell::Bell;
use crate::output;

/// Lines whose receipts are not printed yet. Its descriptor is readable when one may be.
pub(super) struct Receipts {
    bell: Arc<Bell>,
    waker: Waker,
    waiting: VecDeque<(u64, PendingReceipt)>,
}

impl Receipts {
    pub(super) fn new() -> io::Result<Self> {
        let bell = Arc::new(Bell::new()?);
        let waker = Waker::from(Arc::clone(&bell));
        Ok(Self { bell, waker, waiting: VecDeque::new() })
    }

    pub(super) fn push(&mut self, line: u64, receipt: PendingReceipt) {
        self.waiting.push_back((line, receipt));
    }

    /// Makes the descriptor quiet, before receipts are looked at.
    pub(super) fn hush(&self) {
        self.bell.hush();
    }

    /// Prints those that are resolved, in order.
    pub(super) fn print_resolved(&mut self) -> Result<(), Fault> {
        let mut context = Context::from_waker(&self.waker);
        while let Some((line, receipt)) = self.waiting.front_mut() {
            let Poll::Ready(outcome) = Pin::new(receipt).poll(&mut context) else { break };
            print(*line, outcome)?;
            self.waiting.pop_front();
        }
        Ok(())
    }

    /// Prints all of them, where the log has ended: what is not resolved is being resolved. The
    /// first one that is an error is the fault; those after it are not printed.
    pub(super) fn print_all(&mut self) -> Result<(), Fault> {
        while let Some((line, receipt)) = self.waiting.pop_front() {
            print(line, receipt.wait(Duration::from_secs(CALL_DEADLINE_SECS_DEFAULT)))?;
        }
        Ok(())
    }
}

impl AsFd for Receipts {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}

fn print(line: u64, outcome: Result<Receipt, QueueError>) -> Result<(), Fault> {
    match outcome {
        Ok(receipt) => output::print(format_args!("{line} {receipt}\n")).map_err(Fault::Print),
        Err(QueueError::Write(source)) => Err(Fault::Receipt { line, source: Box::new(source) }),
        Err(QueueError::Pending(_)) => Err(Fault::waited(line, None)),
        Err(error) => Err(Fault::Emit { line, source: Box::new(error.into()) }),
    }
}

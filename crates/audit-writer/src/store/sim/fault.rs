//! Operations that fail without the power going.

use std::io;

use super::operations::Operation;

/// That operations of a disk fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The first that does, counted from 0.
    pub at: u64,
    /// How.
    pub failure: Failure,
    /// Whether later ones do.
    pub lasting: Lasting,
}

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It is not done, and this is the error. Of a sync that fails so, the bytes that it was to
    /// cover are lost to every later one as well: a system gives up what it could not write back.
    Errno(i32),
    /// It is done, and this is the error all the same; an append is not.
    Late(i32),
    /// An append takes half of its bytes. Any other operation succeeds.
    Short,
}

/// Whether operations go on failing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// One fails.
    Once,
    /// It and all later ones fail.
    FromThenOn,
}

impl Fault {
    /// How the operation of this number fails.
    pub(super) fn strikes(self, operation: u64) -> Option<Failure> {
        let strikes = match self.lasting {
            Lasting::Once => operation == self.at,
            Lasting::FromThenOn => operation >= self.at,
        };
        strikes.then_some(self.failure)
    }
}

impl Failure {
    /// The error of an operation that is not done because of it.
    pub(super) fn prevents(self, operation: &Operation) -> Option<io::Error> {
        let is_append = matches!(operation, Operation::Append(_));
        match self {
            Self::Errno(errno) => Some(io::Error::from_raw_os_error(errno)),
            Self::Late(errno) if is_append => Some(io::Error::from_raw_os_error(errno)),
            Self::Late(_) | Self::Short => None,
        }
    }

    /// How many of the bytes of an append are taken.
    pub(super) fn share(failure: Option<Self>, bytes: usize) -> usize {
        if failure == Some(Self::Short) { bytes.div_ceil(2) } else { bytes }
    }
}

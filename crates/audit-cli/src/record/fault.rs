//! Why `audit record` could not do its work.

use std::fmt;
use std::io;

use audit_core::limits::COMMAND_DEADLINE_SECS;
use audit_log::{
    Condition, EmitError, Health, OpenError, ShutdownError, SignError, SinkFailure, WriteError,
};

use crate::key_file::KeyFileError;

/// Lines are numbered from 1; line 0 is the beginning of the input.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("cannot open {path}: {source}")]
    Input { path: String, source: io::Error },
    #[error("cannot prepare: {0}")]
    Prepare(io::Error),
    #[error("cannot open the log {dir}: {source}")]
    Open { dir: String, source: Box<OpenError> },
    #[error("cannot read the input after line {line}: {source}")]
    Read { line: u64, source: io::Error },
    #[error("line {line} was not recorded as asked: {source}")]
    Emit { line: u64, source: Box<EmitError> },
    #[error("line {line} was not recorded as asked: {source}")]
    Receipt { line: u64, source: Box<WriteError> },
    #[error(
        "line {line} was not recorded as asked: the disk has not taken it for \
         {COMMAND_DEADLINE_SECS} s{}",
        Because(cause)
    )]
    Waited { line: u64, cause: Option<Box<WriteError>> },
    #[error("cannot close the log after line {line}: {source}")]
    Close { line: u64, source: Box<ShutdownError> },
    #[error(transparent)]
    Key(#[from] KeyFileError),
    #[error("every line is recorded, but the last checkpoint is missing: {0}")]
    Sign(Box<SignError>),
    #[error("every line is recorded, but the last checkpoint did not get out: {0}")]
    Sink(SinkFailure),
    #[error("cannot print: {0}")]
    Print(io::Error),
}

impl Fault {
    /// The disk did not take a line in time, because of what the log says of itself.
    pub(super) fn waited(line: u64, health: Option<Health>) -> Self {
        let cause = health.and_then(|health| match health.condition {
            Condition::Stalled(cause) | Condition::Failed(cause) => Some(Box::new(cause)),
            Condition::Working | Condition::Closing | Condition::Closed | Condition::Forked | _ => {
                None
            }
        });
        Self::Waited { line, cause }
    }
}

struct Because<'c>(&'c Option<Box<WriteError>>);

impl fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_disk_without_room_is_named_as_the_cause() {
        let cause = Arc::new(io::Error::from(io::ErrorKind::StorageFull));
        let cause = Box::new(WriteError::Io { action: "write a record", cause });
        let told = Fault::Waited { line: 7, cause: Some(cause) }.to_string();
        assert_eq!(
            told,
            "line 7 was not recorded as asked: the disk has not taken it for 60 s: cannot write a \
             record: no storage space"
        );
        let told = Fault::waited(7, None).to_string();
        assert!(told.ends_with("has not taken it for 60 s"), "{told}");
    }
}

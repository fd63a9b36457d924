//! Audit records to disk: in order, linked, durable as promised.
//!
//! [`AuditFileWriter`] is the single-threaded core: it opens and locks a log, continues its chain,
//! writes each record as one line in one write, makes records durable as the flush mode says, and
//! rotates. It never changes a byte that is already in the log, and after the first failed sync it
//! does nothing any more. [`QueuedWriter`] puts a queue and one worker thread in front, for callers
//! on any thread.
//!
//! This crate does not clean text (`audit-validate` does) and does not judge a log (`audit-verify`
//! does: only the end of the newest segment is read here, to go on after it). The disk is a trait
//! ([`store::Store`]) with a real directory and a simulated one behind it, and so is the clock.

pub mod clock;
pub mod error;
pub mod flush;
pub mod rotation;
pub mod segment;
pub mod store;

mod at_exit;
mod broken;
mod chain;
mod health;
mod loss;
mod notes;
mod outbox;
mod queue;
mod recovery;
mod signing;
mod sinks;
mod sync;
mod worker;
mod writer;

pub use clock::{Clock, SimClock, SystemClock};
pub use error::{CheckpointFault, OpenError, QueueError, ShutdownError, Unvouched, WriteError};
pub use health::{Condition, Health, NotesBeside, Reserve};
pub use loss::Loss;
pub use outbox::SinkFailure;
pub use queue::{PendingReceipt, QueuedWriter};
pub use recovery::{
    ClockTrust, Copied, Damage, Glance, Inspection, NewestRecord, NewestSegment, PruneError,
    PrunePlan, glance, inspect, plan_prune,
};
pub use signing::{SignError, Signing};
pub use sinks::{CheckpointSink, CommandSink, FileSink};
pub use store::{RealStore, SimDisk, SimStore, Store};
pub use writer::AuditFileWriter;

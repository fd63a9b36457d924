//! What an audit record is.
//!
//! The events and their table, the record line and its hash, the Merkle frontier, the types a log
//! is configured with, and every limit. Everything here is a pure function of its arguments: this
//! crate opens no file, reads no clock, starts no thread and depends on no other crate of the
//! project. Whether text is safe is decided here ([`is_hostile`]); making it safe is
//! `audit-validate`'s work, writing it `audit-writer`'s, and checking it `audit-verify`'s.

pub mod config;
pub mod digest;
pub mod event;
pub mod frontier;
pub mod lifecycle;
pub mod limits;
pub mod marks;
pub mod record;
pub mod seal;

mod envelope;
mod hostile;
mod service;
mod time;

pub use config::{
    AuditConfig, AuditMode, Copies, FileSystems, FlushMode, Keyless, OnDamage, OpenPolicy,
    OverflowPolicy, RetentionPolicy, RotationPolicy, TextPolicy,
};
pub use digest::Digest;
pub use envelope::{AuditEventEnvelope, Receipt, ReceiptError};
pub use event::{AuditEvent, EventCategory};
pub use frontier::Frontier;
pub use hostile::{Inert, escape_json, is_hostile, write_neutral};
pub use marks::Marks;
pub use seal::{Seal, SealKey};
pub use service::{ServiceId, ServiceIdError};
pub use time::{EventTime, RecordTime};

//! Tamper-evident audit logging for services.
//!
//! Add this crate, open an [`AuditLogger`], and [`emit`](AuditLogger::emit) events from any thread.
//! Each is one line of JSON in an append-only file, bound to all earlier ones by SHA-256; anyone
//! can check it later with `audit verify`, or with `sha256sum` and a JSON parser.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use audit_log::{ActorInfo, AuditConfig, AuditEvent, AuditLogger, AuthMethod, ServiceId};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let parent = tempfile::tempdir()?;
//! # let dir = parent.path().join("audit");
//! let service = ServiceId::new("bank.teller-1")?;
//! let log = AuditLogger::open(Arc::new(AuditConfig::local(service, dir)))?;
//! log.emit(AuditEvent::PathTraversalAttempt {
//!     timestamp: chrono::Utc::now().into(),
//!     actor: ActorInfo::new("mallory", AuthMethod::ApiKey).at("192.0.2.7"),
//!     attempted_path: "../../etc/passwd".into(),
//!     endpoint: "/statements".into(),
//! })?; // Critical, so it is on disk now.
//! let head = log.shutdown(Duration::from_secs(5))?;
//! println!("head {}", head.ok_or("an empty log")?);
//! # Ok(())
//! # }
//! ```
//!
//! This crate only joins the others: the events and the record are [`core`]'s, safe text is
//! [`validate`]'s, the disk is [`writer`]'s, signed
//! checkpoints are [`checkpoint`]'s. The verifier is no part of it: who checks a log should
//! not run the code that wrote it.
//!
//! Features, all off by default:
//!
//! - `signal`: `signal::EndSignals` catches SIGTERM and SIGINT and closes the log then. Without it
//!   the library installs no handler.
//! - `metrics`: `AuditLogger::record_metrics` tells the `metrics` facade how the log is doing, under
//!   the names in `metrics`.
//! - `tracing`: an event of the `tracing` facade at the target `audit` for each event that was
//!   accepted, never before it was: `WARN` where it is critical, `INFO` otherwise, with its
//!   `category` and with `record`, the cleaned event as JSON. It goes outward only: what is traced
//!   elsewhere never becomes a record, and a subscriber costs no event, but its time is the caller's.
//! - `arbitrary-precision`: numbers in events are kept exactly, whatever their size, at the price of
//!   changing `serde_json` for the whole build.

mod logger;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(feature = "signal")]
pub mod signal;
#[cfg(feature = "tracing")]
mod traced;

pub use audit_checkpoint as checkpoint;
pub use audit_core as core;
pub use audit_validate as validate;
pub use audit_writer as writer;

pub use audit_core::event::{
    ActorInfo, AuditResult, AuthMethod, EventName, IpText, OpaqueEvent, ResourceInfo, Severity,
};
pub use audit_core::{
    AuditConfig, AuditEvent, AuditEventEnvelope, AuditMode, Copies, EventCategory, EventTime,
    FileSystems, FlushMode, Keyless, OnDamage, OpenPolicy, OverflowPolicy, Receipt,
    RetentionPolicy, RotationPolicy, ServiceId, TextPolicy,
};
pub use audit_writer::{
    AuditFileWriter, CheckpointFault, CheckpointSink, CommandSink, Condition, Damage, FileSink,
    Health, NotesBeside, OpenError, PendingReceipt, ShutdownError, SignError, Signing, SinkFailure,
    Unvouched, WriteError,
};
pub use logger::{AuditLogger, EmitError};

/// The program of the README, as a test.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

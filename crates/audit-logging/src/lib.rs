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
//! use audit_logging::{ActorInfo, AuditConfig, AuditEvent, AuditLogger, AuthMethod, ServiceId};
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
//! [`validate`]'s, the disk is [`writer`]'s. The verifier is no part of it: who checks a log should
//! not run the code that wrote it.

mod logger;

pub use audit_core as core;
pub use audit_validate as validate;
pub use audit_writer as writer;

pub use audit_core::event::{
    ActorInfo, AuditResult, AuthMethod, EventName, IpText, OpaqueEvent, ResourceInfo, Severity,
};
pub use audit_core::{
    AuditConfig, AuditEvent, AuditEventEnvelope, AuditMode, EventCategory, EventTime, FlushMode,
    OverflowPolicy, Receipt, RetentionPolicy, RotationPolicy, ServiceId, TextPolicy,
};
pub use audit_writer::{
    AuditFileWriter, Condition, Health, OpenError, PendingReceipt, ShutdownError, WriteError,
};
pub use logger::{AuditLogger, EmitError};

/// The program of the README, as a test.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

//! The offline verifier: reads a log that it does not trust, and says what is wrong with it.
//!
//! ```no_run
//! use audit_verify::{VerifyOptions, Verdict, verify_dir};
//!
//! let report = verify_dir("audit.log", &VerifyOptions::default())?;
//! print!("{report}");
//! assert_eq!(report.verdict, Verdict::Consistent);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A broken log is a successful answer full of findings; an error means that nobody could look.
//! Lines are read one after the other, so memory is bounded whatever the log holds.
//!
//! This crate shares no code with the one that writes logs, but for constants and hash functions:
//! a writer's bug must not approve itself. It knows no event types, so old logs outlive old code. It
//! takes no lock, repairs nothing, changes nothing, and judges neither file modes nor times.

mod account;
mod broken;
mod check;
mod finding;
mod lookup;
mod notes;
mod parse;
mod piece;
mod pool;
mod report;
mod scan;
#[cfg(feature = "schema")]
mod schema;
mod segment;
mod source;
mod tail;
mod trust;
mod verdict;
mod verify;
mod view;

pub use finding::{Code, Finding, FirstFault, Notice, NoticeCode};
pub use lookup::recorded_at;
pub use pool::Jobs;
pub use report::{PaintedReport, Part, Report, SCHEMA_VERSION};
#[cfg(feature = "schema")]
pub use schema::report_schema;
pub use source::{
    DirFile, DirSource, FileIdentity, LogFile, LogSource, MemoryFile, MemorySource, OpenError,
};
pub use trust::{Identity, UnsignedLimit};
pub use verdict::{AdoptedRecords, Requirement, Verdict};
pub use verify::{Progress, VerifyOptions, verify_dir, verify_source};
pub use view::{RecordView, View, Viewer};

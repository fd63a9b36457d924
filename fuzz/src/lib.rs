//! What must hold of the results of the fuzz targets.
//!
//! Each target is one call of a public function on the bytes that libFuzzer makes. A failed
//! assertion here is a finding, as a panic anywhere else is.

mod hostile;
mod log;
mod text;

pub use log::{judge, log_of_files, log_of_payload, log_of_record, recover};
pub use text::{decode, sanitize};

//! What must hold of the results of the fuzz targets.
//!
//! Each target is one call of a public function on the bytes that libFuzzer makes. A failed
//! assertion here is a finding, as a panic anywhere else is.

mod given;
mod hostile;
mod log;
mod oracle;
mod script;
mod text;
mod verdict;

pub use log::{judge, log_of_files, log_of_payload, log_of_record, recover};
pub use script::log_of_script;
pub use text::{decode, sanitize};
pub use verdict::decide;

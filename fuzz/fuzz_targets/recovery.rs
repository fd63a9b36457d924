//! A writer opens what may be a log, and goes on after it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| audit_fuzz::recover(data));

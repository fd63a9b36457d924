//! A log is judged by what was kept elsewhere, and once more when something was added to it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| audit_fuzz::decide(data));

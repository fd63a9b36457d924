//! A line of input becomes an event, and that a payload.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| audit_fuzz::decode(data));

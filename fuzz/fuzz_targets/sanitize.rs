//! Text is cleaned and comes back.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| audit_fuzz::sanitize(&String::from_utf8_lossy(data)));

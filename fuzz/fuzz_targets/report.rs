//! A log of any files is reported in text and in JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| drop(audit_fuzz::judge(audit_fuzz::log_of_files(data))));

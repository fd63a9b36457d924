//! A log of any files, or of any writer, is reported in text and in JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // No name of a file begins so.
    let files = match data.split_first() {
        Some((1, script)) => audit_fuzz::log_of_script(script),
        _ => audit_fuzz::log_of_files(data),
    };
    drop(audit_fuzz::judge(files));
});

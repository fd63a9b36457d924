//! A record with a right hash is taken apart, whatever is in it.
#![no_main]

use audit_fuzz::{judge, log_of_payload, log_of_record};
use audit_verify::Verdict;
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;

fuzz_target!(|data: &[u8]| {
    drop(judge(log_of_record(data)));
    // What the verifier takes for an event, every reader of JSON does.
    let is_json = || serde_json::from_slice::<IgnoredAny>(&[b"{\"event\":", data, b"}"].concat());
    if !data.contains(&b'\n') && judge(log_of_payload(data)).verdict == Verdict::Consistent {
        assert!(is_json().is_ok());
    }
});

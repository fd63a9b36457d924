//! One changed bit is one finding, at the line it is in.

use audit_verify::Verdict;

use crate::builder::{Builder, Files, place, twenty_records, verify};

/// Flips a bit and expects it to be found.
fn flip(files: &Files, file: &str, at: usize, bit: usize) {
    let mut flipped = files.clone();
    let bytes = flipped.get_mut(file).unwrap();
    let line = 1 + memchr::memchr_iter(b'\n', &bytes[..at]).count();
    bytes[at] ^= 1 << bit;
    let report = verify(&flipped);
    let told = || format!("bit {bit} of byte {at} of {file}\n{report}");
    assert_eq!(report.verdict, Verdict::Tampered, "{}", told());
    assert_eq!(report.findings_total, 1, "{}", told());
    assert_eq!(place(&report.findings[0]), (file, line as u64), "{}", told());
}

/// Every bit of a share of the bytes, so that the shares run side by side.
fn flip_share(share: usize, shares: usize) {
    let log = twenty_records();
    assert_eq!(verify(&log.files).verdict, Verdict::Consistent);
    for (file, bytes) in &log.files {
        for at in (share..bytes.len()).step_by(shares) {
            (0..8).for_each(|bit| flip(&log.files, file, at, bit));
        }
    }
}

#[test]
fn every_bit_of_twenty_records_in_three_segments_even_bytes() {
    flip_share(0, 2);
}

#[test]
fn every_bit_of_twenty_records_in_three_segments_odd_bytes() {
    flip_share(1, 2);
}

#[test]
fn five_thousand_bits_of_two_hundred_records() {
    let mut log = Builder::new();
    while log.seq < 200 {
        log.events(23);
        log.open_segment();
    }
    let total: usize = log.files.values().map(Vec::len).sum();
    // Steps of a prime, so that bits and bytes of all kinds are met.
    let mut at = 0;
    for sample in 0..5_000 {
        at = (at + 7_919) % total;
        let mut before = 0;
        let (file, bytes) = log
            .files
            .iter()
            .find(|(_, bytes)| {
                let here = at < before + bytes.len();
                before += if here { 0 } else { bytes.len() };
                here
            })
            .unwrap();
        assert!(at - before < bytes.len());
        flip(&log.files, file, at - before, sample % 8);
    }
}

#[test]
fn a_changed_log_recovered_is_one_finding_though_the_tail_it_speaks_of_is_unaccounted_for() {
    let log = crate::accounts::recovered_log();
    assert_eq!(verify(&log.files).verdict, Verdict::Consistent);
    for (file, bytes) in &log.files {
        for at in 0..bytes.len() {
            flip(&log.files, file, at, at % 8);
        }
    }
}

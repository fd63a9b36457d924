//! The seed of a signing key is in one place of a service's memory, and in none once the log is closed.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails where it stands"
)]

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::time::Duration;

use audit_log::checkpoint::{KeyKind, KeyName, SigningKey};
use audit_log::writer::Signing;
use audit_log::{AuditConfig, AuditEvent, AuditLogger, EventTime, ServiceId};
use zeroize::Zeroizing;

/// A byte of the seed, in a form that is not looked for.
fn masked(place: usize) -> u8 {
    u8::try_from(place).unwrap().wrapping_mul(37).wrapping_add(11)
}

const MASK: u8 = 0xa5;

fn key() -> SigningKey {
    let mut seed = Zeroizing::new([0; 32]);
    seed.iter_mut().enumerate().for_each(|(place, byte)| *byte = masked(place) ^ MASK);
    let name = KeyName::new("audit.example/host-1").unwrap();
    SigningKey::from_seed(name, KeyKind::Ed25519, &seed).unwrap()
}

/// How often the seed is in the memory of this process.
fn seeds_in_memory() -> usize {
    let memory = File::open("/proc/self/mem").unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let masked: Vec<u8> = (0..32).map(masked).collect();
    let mut bytes = vec![0; 1 << 20];
    let here = bytes.as_ptr().addr()..bytes.as_ptr().addr() + bytes.len();
    let mut found = 0_usize;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (range, _) = line.split_once(' ').unwrap();
        let (from, to) = range.split_once('-').unwrap();
        let [mut from, to] = [from, to].map(|hex| usize::from_str_radix(hex, 16).unwrap());
        while from < to {
            let length = bytes.len().min(to - from);
            if memory.read_exact_at(&mut bytes[..length], from as u64).is_err() {
                break;
            }
            for (place, window) in bytes[..length].windows(32).enumerate() {
                let is_seed = window.iter().zip(&masked).all(|(byte, of)| byte ^ MASK == *of);
                found += usize::from(is_seed && !here.contains(&(from + place)));
            }
            // What lies across the end of a piece is in the next one.
            from += if from + length < to { length - 31 } else { length };
        }
    }
    found
}

#[test]
fn a_service_that_signs_has_the_seed_in_one_place_and_then_in_none() {
    assert_eq!(seeds_in_memory(), 0, "it is there before");
    let parent = tempfile::tempdir().unwrap();
    let config = AuditConfig::local(ServiceId::new("bank").unwrap(), parent.path().join("log"));
    let log = AuditLogger::open_signed(Arc::new(config), Signing::new(key())).unwrap();
    for number in 0..3 {
        let event = AuditEvent::SealVerified {
            timestamp: EventTime::parse("2026-01-02T03:04:05Z").unwrap(),
            shard_id: format!("shard-{number}").into(),
            worker_id: "worker-1".into(),
        };
        log.emit(event).unwrap();
        log.checkpoint().unwrap();
    }
    assert_eq!(seeds_in_memory(), 1, "while it signs");
    log.shutdown(Duration::from_mins(1)).unwrap();
    assert_eq!(seeds_in_memory(), 0, "once it is closed");
    drop(log);
    assert_eq!(seeds_in_memory(), 0, "once it is gone");
}

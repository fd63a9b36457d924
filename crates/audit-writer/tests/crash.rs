//! A killed writer leaves its cache, and a tail is taken for that of a crash as far as its writer
//! stated, and no further.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, and small numbers"
)]

#[expect(dead_code, reason = "each scenario file uses what it needs")]
mod common;

use audit_core::{FlushMode, Receipt, RotationPolicy};
use audit_verify::{Report, Verdict};
use audit_writer::segment::SegmentName;
use audit_writer::{OpenError, SimDisk};
use common::{clock_at, open, routine, verify, verify_with_heads};

const LAZY: FlushMode = FlushMode::Batched { size: u32::MAX, interval_secs: u32::MAX };
const POLICY: RotationPolicy = RotationPolicy::SizeLimit { bytes_max: 4_000 };

/// Opens, writes over several rotations, closes, opens again, writes, and is dropped. Only rotation,
/// closing and opening sync here. Returns what was durable by the writer's word when the power went.
fn workload(disk: &SimDisk) -> Vec<Receipt> {
    let clock = clock_at("2026-01-02T03:04:05Z");
    let mut promised = Vec::new();
    for session in 0..2 {
        let Ok(mut writer) = open(disk, &clock, POLICY, LAZY) else { return promised };
        promised.extend(writer.durable());
        for number in 0..12 {
            if writer.write_event(&routine(number)).is_err() {
                break;
            }
            promised.extend(writer.durable());
        }
        if session == 0 {
            promised.extend(writer.close().ok().flatten());
        }
    }
    promised.sort_unstable_by_key(|receipt| receipt.seq);
    promised.dedup();
    promised
}

fn accounts_of_tails(disk: &SimDisk) -> usize {
    let files = disk.files();
    let segments = files.iter().filter(|(name, _)| SegmentName::parse(name).is_some());
    let lines = segments.flat_map(|(_, bytes)| bytes.split(|&byte| byte == b'\n'));
    let account = br#""event":{"event_type":"log_recovered""#;
    lines.filter(|line| line.windows(account.len()).any(|window| window == account)).count()
}

/// Judges a disk as it is found, goes on writing on it, and judges it again.
fn check_found(found: &SimDisk, promised: &[Receipt], story: &str) -> Report {
    let before = verify_with_heads(found.files(), promised);
    let has_segment = found.files().keys().any(|name| SegmentName::parse(name).is_some());
    let is_mild = if has_segment {
        matches!(before.verdict, Verdict::Intact | Verdict::Consistent | Verdict::Torn)
    } else {
        before.verdict == Verdict::Unverifiable && promised.is_empty()
    };
    assert!(is_mild, "{story}: {before:#?}");
    let accounts = accounts_of_tails(found);

    let clock = clock_at("2026-01-02T04:00:00Z");
    let mut writer = open(found, &clock, POLICY, FlushMode::Immediate)
        .unwrap_or_else(|error| panic!("{story}: {error}"));
    let receipt = writer.write_event(&routine(99)).unwrap();
    drop(writer);

    // Whatever was whole before is where it was.
    let mut heads = promised.to_vec();
    heads.extend(before.head);
    heads.push(receipt);
    let after = verify_with_heads(found.files(), &heads);
    assert_eq!(after.verdict, Verdict::Consistent, "{story}: {after:#?}");
    assert_eq!(after.covered_up_to, Some(receipt.seq), "{story}");
    let tails = usize::from(before.verdict == Verdict::Torn);
    assert_eq!(accounts_of_tails(found), accounts + tails, "{story}");
    before
}

/// A kill leaves the cache as it is: what the next writer takes for durable has to survive a power
/// cut right after its opening.
#[test]
fn what_a_killed_writer_left_in_the_cache_is_durable_once_the_log_is_open() {
    let whole = SimDisk::default();
    workload(&whole);
    let mut opened = 0;
    for operation in 0..whole.operations() {
        let disk = SimDisk::default();
        disk.crash_at(operation);
        let mut promised = workload(&disk);
        disk.crash_at(u64::MAX);
        let clock = clock_at("2026-01-02T03:30:00Z");
        let writer = open(&disk, &clock, POLICY, LAZY).unwrap();
        assert_eq!(writer.durable(), writer.head());
        opened += u32::from(writer.durable().is_some());
        promised.extend(writer.durable());
        drop(writer);
        for seed in 0..4 {
            let story = format!("killed at operation {operation}, then a power cut, {seed}");
            let found = disk.after_crash(|operation| operation.fate(seed));
            check_found(&found, &promised, &story);
        }
    }
    assert!(opened > 50);
}

/// What a writer never leaves unsynced, no crash takes away: a longer tail was made.
#[test]
fn a_tail_is_recovered_up_to_the_length_that_its_writer_stated() {
    let clock = clock_at("2026-01-02T03:04:05Z");
    for rotations in [0, 20] {
        let disk = SimDisk::default();
        let mut writer = open(&disk, &clock, POLICY, LAZY).unwrap();
        for number in 0..=rotations {
            writer.write_event(&routine(number)).unwrap();
        }
        writer.flush().unwrap();
        disk.crash_at(0);
        drop(writer);
        let with_tail = |bytes: u64| {
            let mut files = disk.files();
            let (_, newest) = files.iter_mut().next_back().unwrap();
            newest.resize(newest.len() + usize::try_from(bytes).unwrap(), 0);
            SimDisk::with_files(files)
        };
        let longest = LAZY.unsynced_bytes_max();
        assert_eq!(longest, 1 << 20);
        let report = check_found(&with_tail(longest), &[], "as long as stated");
        assert_eq!(report.verdict, Verdict::Torn);
        let longer = with_tail(longest + 1);
        assert_eq!(verify(longer.files()).verdict, Verdict::Tampered);
        let opened = open(&longer, &clock, POLICY, LAZY);
        assert!(matches!(opened, Err(OpenError::Damaged { .. })), "{rotations}: {opened:?}");
    }
}

#[test]
fn a_tail_after_a_clean_shutdown_is_no_crash() {
    let disk = SimDisk::default();
    let clock = clock_at("2026-01-02T03:04:05Z");
    let mut writer = open(&disk, &clock, POLICY, LAZY).unwrap();
    writer.write_event(&routine(0)).unwrap();
    writer.close().unwrap();
    let mut files = disk.files();
    files.iter_mut().next_back().unwrap().1.push(b'{');
    assert_eq!(verify(files.clone()).verdict, Verdict::Tampered);
    let opened = open(&SimDisk::with_files(files), &clock, POLICY, LAZY);
    assert!(matches!(opened, Err(OpenError::Damaged { .. })), "{opened:?}");
}

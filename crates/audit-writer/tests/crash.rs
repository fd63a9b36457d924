//! The power goes at each operation, and whatever it takes away, the log goes on.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests, and small numbers"
)]

#[expect(dead_code, reason = "each scenario file uses what it needs")]
mod common;

use audit_core::{FlushMode, Receipt, RotationPolicy};
use audit_verify::{Report, Verdict};
use audit_writer::segment::SegmentName;
use audit_writer::store::Fate;
use audit_writer::{OpenError, SimDisk};
use common::{clock_at, critical, open, routine, verify, verify_with_heads};

const HYBRID: FlushMode =
    FlushMode::Hybrid { batch_size: 4, batch_interval_secs: 60, critical_immediate: true };
const BATCHED: FlushMode = FlushMode::Batched { size: 4, interval_secs: 60 };
const LAZY: FlushMode = FlushMode::Batched { size: u32::MAX, interval_secs: u32::MAX };
const POLICY: RotationPolicy = RotationPolicy::SizeLimit { bytes_max: 4_000 };

/// How many of the records that a mode accepted it may still lose, at most.
fn unsynced_max(flush: FlushMode, is_critical: bool) -> usize {
    match flush {
        FlushMode::Immediate => 0,
        FlushMode::Hybrid { .. } if is_critical => 0,
        FlushMode::Batched { size: n, .. } | FlushMode::Hybrid { batch_size: n, .. } => {
            n as usize - 1
        }
    }
}

/// Opens, writes over several rotations, closes, opens again, writes, and is dropped. Returns what
/// was promised to be durable when the power went: by the flush mode, and by the writer's word.
fn workload(disk: &SimDisk, flush: FlushMode) -> Vec<Receipt> {
    let clock = clock_at("2026-01-02T03:04:05Z");
    let mut promised = Vec::new();
    for session in 0..2 {
        let Ok(mut writer) = open(disk, &clock, POLICY, flush) else { return promised };
        promised.extend(writer.durable());
        let mut accepted: Vec<Receipt> = Vec::new();
        for number in 0..12 {
            let is_critical = number % 5 == 4;
            let event = if is_critical { critical(number) } else { routine(number) };
            let Ok(receipt) = writer.write_event(&event) else { break };
            accepted.push(receipt);
            let safe = accepted.len().saturating_sub(unsynced_max(flush, is_critical));
            promised.extend(&accepted[..safe]);
            promised.extend(writer.durable());
        }
        if session == 0
            && let Ok(head) = writer.close()
        {
            promised.extend(accepted);
            promised.extend(head);
        }
    }
    promised.sort_unstable_by_key(|receipt| receipt.seq);
    promised.dedup();
    promised
}

fn fates() -> Vec<Fate> {
    let seeded = (0..4).flat_map(|seed| [Fate::Zeroed { seed }, Fate::Torn { seed }]);
    [Fate::Kept, Fate::Lost].into_iter().chain(seeded).collect()
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

/// Returns how many states were found, and how many of them with a tail.
fn crash_everywhere(flush: FlushMode) -> (u32, u32) {
    let whole = SimDisk::default();
    workload(&whole, flush);
    let (mut states, mut torn) = (0, 0);
    for operation in 0..whole.operations() {
        let disk = SimDisk::default();
        disk.crash_at(operation);
        let promised = workload(&disk, flush);
        for entries in [Fate::Kept, Fate::Lost] {
            for bytes in fates() {
                let story = format!("crash at operation {operation}, {entries:?}, {bytes:?}");
                let found = disk.after_crash(entries, bytes);
                let report = check_found(&found, &promised, &story);
                states += 1;
                torn += u32::from(report.verdict == Verdict::Torn);
            }
        }
    }
    (states, torn)
}

#[test]
fn a_crash_at_any_operation_loses_nothing_that_was_promised() {
    let (states, torn) = crash_everywhere(HYBRID);
    assert!(states > 1_000 && torn > 100, "only {torn} tails in {states} states");
}

#[test]
fn a_crash_of_a_writer_that_syncs_every_record_loses_none() {
    crash_everywhere(FlushMode::Immediate);
}

#[test]
fn a_crash_of_a_batching_writer_costs_no_more_than_a_batch() {
    crash_everywhere(BATCHED);
}

/// Only rotation, closing and opening sync here, so each of them is on its own.
#[test]
fn a_crash_of_a_writer_that_never_syncs_by_itself_leaves_a_log_that_goes_on() {
    let (states, torn) = crash_everywhere(LAZY);
    assert!(torn > 100, "only {torn} tails in {states} states");
}

/// A kill leaves the cache as it is: what the next writer takes for durable has to survive a power
/// cut right after its opening.
#[test]
fn what_a_killed_writer_left_in_the_cache_is_durable_once_the_log_is_open() {
    let whole = SimDisk::default();
    workload(&whole, LAZY);
    let mut opened = 0;
    for operation in 0..whole.operations() {
        let disk = SimDisk::default();
        disk.crash_at(operation);
        let mut promised = workload(&disk, LAZY);
        disk.crash_at(u64::MAX);
        let clock = clock_at("2026-01-02T03:30:00Z");
        let writer = open(&disk, &clock, POLICY, LAZY).unwrap();
        assert_eq!(writer.durable(), writer.head());
        opened += u32::from(writer.durable().is_some());
        promised.extend(writer.durable());
        drop(writer);
        for bytes in [Fate::Lost, Fate::Zeroed { seed: operation }] {
            let story = format!("killed at operation {operation}, then a power cut, {bytes:?}");
            check_found(&disk.after_crash(Fate::Lost, bytes), &promised, &story);
        }
    }
    assert!(opened > 50);
}

/// A crash, a crash while the log is recovered, and for a sample one while that is recovered.
#[test]
fn a_crash_during_recovery_ends_with_the_same_records() {
    let whole = SimDisk::default();
    workload(&whole, LAZY);
    let (mut torn, mut states) = (0, 0);
    for (seed, first) in (0..whole.operations()).step_by(5).enumerate() {
        let seed = seed as u64;
        let disk = SimDisk::default();
        disk.crash_at(first);
        let mut promised = workload(&disk, LAZY);
        let found = disk.after_crash(Fate::Kept, Fate::Torn { seed });
        let before = verify(found.files());
        torn += u32::from(before.verdict == Verdict::Torn);
        promised.extend(before.head);

        let calm = found.after_crash(Fate::Kept, Fate::Kept);
        recover(&calm).unwrap();
        for second in 0..calm.operations() {
            let again = found.after_crash(Fate::Kept, Fate::Kept);
            again.crash_at(second);
            recover(&again).unwrap_or_default();
            for (entries, bytes) in [
                (Fate::Lost, Fate::Kept),
                (Fate::Kept, Fate::Zeroed { seed }),
                (Fate::Lost, Fate::Lost),
            ] {
                let story = format!("crashes at {first} and {second}, {entries:?}, {bytes:?}");
                let twice = again.after_crash(entries, bytes);
                check_found(&twice.after_crash(Fate::Kept, Fate::Kept), &promised, &story);
                states += 1;
                if states % 16 == 0 {
                    crash_a_third_time(&twice, &promised, &story);
                }
            }
        }
    }
    assert!(torn > 5 && states > 300, "{torn} tails, {states} states");
}

fn crash_a_third_time(found: &SimDisk, promised: &[Receipt], story: &str) {
    let calm = found.after_crash(Fate::Kept, Fate::Kept);
    recover(&calm).unwrap();
    for third in (0..calm.operations()).step_by(2) {
        let again = found.after_crash(Fate::Kept, Fate::Kept);
        again.crash_at(third);
        recover(&again).unwrap_or_default();
        let story = format!("{story}, and at {third}");
        check_found(&again.after_crash(Fate::Kept, Fate::Torn { seed: third }), promised, &story);
    }
}

/// Opens a log and writes one event; `None` when the power went.
fn recover(disk: &SimDisk) -> Option<()> {
    let clock = clock_at("2026-01-02T03:50:00Z");
    let mut writer = open(disk, &clock, POLICY, FlushMode::Immediate).ok()?;
    writer.write_event(&routine(50)).ok()?;
    writer.close().ok().map(drop)
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

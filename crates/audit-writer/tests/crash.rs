//! The power goes at each operation, and whatever it takes away, the log goes on.

mod common;

use std::collections::BTreeSet;

use audit_core::{FlushMode, Receipt, RotationPolicy};
use audit_verify::Verdict;
use audit_writer::{Fate, SimDisk};
use common::{HandClock, critical, open, routine, verify};

const HYBRID: FlushMode =
    FlushMode::Hybrid { batch_size: 4, batch_interval_secs: 60, critical_immediate: true };
const LAZY: FlushMode = FlushMode::Batched { size: u32::MAX, interval_secs: u32::MAX };
const POLICY: RotationPolicy = RotationPolicy::SizeLimit { bytes_max: 4_000 };

/// Opens, writes over several rotations, closes, opens again, writes, and is dropped. Returns what
/// was promised to be durable when the power went.
fn workload(disk: &SimDisk, flush: FlushMode) -> BTreeSet<(u64, String)> {
    let clock = HandClock::at("2026-01-02T03:04:05Z");
    let mut promised = BTreeSet::new();
    for session in 0..2 {
        let Ok(mut writer) = open(disk, &clock, POLICY, flush) else { return promised };
        let mut accepted: Vec<Receipt> = Vec::new();
        for number in 0..12 {
            let event = if number % 5 == 4 { critical(number) } else { routine(number) };
            let Ok(receipt) = writer.write_event(&event) else { break };
            accepted.push(receipt);
            let durable = writer.durable().map_or(0, |durable| durable.seq);
            promised.extend(
                accepted
                    .iter()
                    .filter(|receipt| receipt.seq <= durable)
                    .map(|receipt| (receipt.seq, receipt.hash.to_string())),
            );
        }
        if session == 0 {
            let _ = writer.close();
        }
    }
    promised
}

fn fates() -> Vec<Fate> {
    let seeded = (0..4).flat_map(|seed| [Fate::Zeroed { seed }, Fate::Torn { seed }]);
    [Fate::Kept, Fate::Lost].into_iter().chain(seeded).collect()
}

/// What the log holds of what was promised, found by text alone.
fn assert_holds(disk: &SimDisk, promised: &BTreeSet<(u64, String)>, story: &str) {
    let files = disk.files();
    let text: String =
        files.values().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
    for (seq, hash) in promised {
        assert!(
            text.contains(&format!(r#""hash":"{hash}"}}"#)),
            "{story}: record {seq} was promised and is gone"
        );
    }
}

fn crash_everywhere(flush: FlushMode) -> u64 {
    let whole = SimDisk::default();
    workload(&whole, flush);
    let mut states = 0;
    for operation in 0..whole.operations() {
        let disk = SimDisk::default();
        disk.crash_at(operation);
        let promised = workload(&disk, flush);
        for entries in [Fate::Kept, Fate::Lost] {
            for bytes in fates() {
                let story = format!("crash at operation {operation}, {entries:?}, {bytes:?}");
                let found = disk.after_crash(entries, bytes);
                check_found(&found, &promised, &story);
                states += 1;
            }
        }
    }
    states
}

fn check_found(found: &SimDisk, promised: &BTreeSet<(u64, String)>, story: &str) {
    assert_holds(found, promised, story);
    let before = verify(found.files());
    let mild = [Verdict::Consistent, Verdict::Torn, Verdict::Unverifiable];
    assert!(mild.contains(&before.verdict), "{story}: {before:#?}");

    let tails = u64::from(before.verdict == Verdict::Torn);
    let clock = HandClock::at("2026-01-02T04:00:00Z");
    let mut writer = open(found, &clock, POLICY, FlushMode::Immediate)
        .unwrap_or_else(|error| panic!("{story}: {error}"));
    writer.write_event(&routine(99)).unwrap();
    drop(writer);

    let after = verify(found.files());
    assert_eq!(after.verdict, Verdict::Consistent, "{story}: {after:#?}");
    let text: String =
        found.files().values().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
    let declared = text.matches(r#""event_type":"log_recovered""#).count();
    assert!(declared as u64 >= tails, "{story}: a tail is not accounted for");
    assert_holds(found, promised, story);
}

#[test]
fn a_crash_at_any_operation_loses_nothing_that_was_promised() {
    let states = crash_everywhere(HYBRID);
    assert!(states > 1_000, "only {states} states");
}

#[test]
fn a_crash_of_a_writer_that_syncs_every_record_loses_none() {
    crash_everywhere(FlushMode::Immediate);
}

#[test]
fn a_crash_of_a_writer_that_never_syncs_by_itself_leaves_a_log_that_goes_on() {
    crash_everywhere(LAZY);
}

#[test]
fn a_crash_during_recovery_ends_with_the_same_records() {
    let disk = SimDisk::default();
    disk.crash_at(30);
    workload(&disk, LAZY);
    for seed in 0..8 {
        let found = disk.after_crash(Fate::Kept, Fate::Torn { seed });
        let calm = found.after_crash(Fate::Kept, Fate::Kept);
        workload(&calm, LAZY);
        for operation in 0..calm.operations() {
            let again = found.after_crash(Fate::Kept, Fate::Kept);
            again.crash_at(operation);
            workload(&again, LAZY);
            for bytes in [Fate::Kept, Fate::Lost, Fate::Zeroed { seed }, Fate::Torn { seed }] {
                let story = format!("recovery crashed at {operation}, {bytes:?}, seed {seed}");
                let twice = again.after_crash(Fate::Lost, bytes);
                check_found(&twice, &BTreeSet::new(), &story);
            }
        }
    }
}

//! When events become durable, by exact numbers.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails where it stands")]

#[expect(dead_code, reason = "each scenario file uses what it needs")]
mod common;

use std::time::Duration;

use audit_core::{FlushMode, RotationPolicy};
use audit_writer::{SimClock, SimDisk};
use common::{SimWriter, clock_at, critical, open, routine};

const HYBRID: FlushMode =
    FlushMode::Hybrid { batch_size: 100, batch_interval_secs: 60, critical_immediate: true };

fn writer(flush: FlushMode) -> (SimWriter, SimDisk, SimClock) {
    let (disk, clock) = (SimDisk::default(), clock_at("2026-01-02T03:04:05Z"));
    (open(&disk, &clock, RotationPolicy::Daily, flush).unwrap(), disk, clock)
}

fn syncs(disk: &SimDisk) -> usize {
    disk.trace().iter().filter(|operation| operation.starts_with("sync file")).count()
}

#[test]
fn batched_syncs_the_tenth_of_ten() {
    let (mut writer, ..) = writer(FlushMode::Batched { size: 10, interval_secs: 60 });
    for number in 0..9 {
        writer.write_event(&routine(number)).unwrap();
    }
    assert_eq!(writer.events_since_sync(), 9);
    writer.write_event(&routine(9)).unwrap();
    assert_eq!(writer.events_since_sync(), 0);
}

#[test]
fn hybrid_syncs_a_critical_event_at_once_and_a_routine_one_later() {
    let (mut writer, ..) = writer(HYBRID);
    writer.write_event(&critical(0)).unwrap();
    assert_eq!(writer.events_since_sync(), 0);
    writer.write_event(&routine(1)).unwrap();
    assert_eq!(writer.events_since_sync(), 1);
}

#[test]
fn hybrid_syncs_the_fifth_routine_event_of_five() {
    let (mut writer, ..) = writer(FlushMode::Hybrid {
        batch_size: 5,
        batch_interval_secs: 60,
        critical_immediate: true,
    });
    for number in 0..4 {
        writer.write_event(&routine(number)).unwrap();
    }
    assert_eq!(writer.events_since_sync(), 4);
    writer.write_event(&routine(4)).unwrap();
    assert_eq!(writer.events_since_sync(), 0);
}

#[test]
fn immediate_syncs_every_event() {
    let (mut writer, disk, _) = writer(FlushMode::Immediate);
    for number in 0..5 {
        let before = syncs(&disk);
        let receipt = writer.write_event(&routine(number)).unwrap();
        assert!(syncs(&disk) > before);
        assert_eq!(writer.durable(), Some(receipt));
    }
}

#[test]
fn a_critical_event_takes_the_routine_ones_before_it_along() {
    let (mut writer, disk, _) = writer(HYBRID);
    for number in 0..7 {
        writer.write_event(&routine(number)).unwrap();
    }
    assert_eq!(writer.events_since_sync(), 7);
    let before = syncs(&disk);
    let receipt = writer.write_event(&critical(7)).unwrap();
    assert_eq!(syncs(&disk), before + 1);
    assert_eq!((writer.events_since_sync(), writer.durable()), (0, Some(receipt)));
}

#[test]
fn without_critical_immediate_a_critical_event_waits_too() {
    let (mut writer, ..) = writer(FlushMode::Hybrid {
        batch_size: 5,
        batch_interval_secs: 60,
        critical_immediate: false,
    });
    writer.write_event(&critical(0)).unwrap();
    assert_eq!(writer.events_since_sync(), 1);
}

#[test]
fn an_idle_batch_is_synced_by_time_alone() {
    let (mut writer, disk, clock) = writer(HYBRID);
    writer.write_event(&routine(0)).unwrap();
    let before = syncs(&disk);
    clock.pass(Duration::from_secs(59));
    assert_eq!(writer.flush_if_due().unwrap(), Some(Duration::from_secs(1)));
    assert_eq!((writer.events_since_sync(), syncs(&disk)), (1, before));
    clock.pass(Duration::from_secs(1));
    assert_eq!(writer.flush_if_due().unwrap(), None);
    assert_eq!((writer.events_since_sync(), syncs(&disk)), (0, before + 1));
    clock.pass(Duration::from_hours(1));
    assert_eq!(writer.flush_if_due().unwrap(), None);
    assert_eq!(syncs(&disk), before + 1);
}

#[test]
fn an_old_batch_is_synced_by_the_next_event() {
    let (mut writer, _, clock) = writer(HYBRID);
    writer.write_event(&routine(0)).unwrap();
    clock.pass(Duration::from_mins(1));
    writer.write_event(&routine(1)).unwrap();
    assert_eq!(writer.events_since_sync(), 0);
}

#[test]
fn no_more_bytes_wait_than_log_opened_states() {
    let (mut writer, disk, _) = writer(FlushMode::Batched { size: u32::MAX, interval_secs: 3600 });
    writer.write_event(&routine(0)).unwrap();
    let name = disk.files().into_keys().next().unwrap();
    let length = |disk: &SimDisk| disk.files()[&name].len();
    let mut durable = length(&disk);
    let before = syncs(&disk);
    for number in 1..6_000 {
        let synced = syncs(&disk);
        let length_before = length(&disk);
        writer.write_event(&routine(number)).unwrap();
        if syncs(&disk) > synced {
            durable = length_before;
        }
        assert!(length(&disk) - durable <= 1 << 20);
    }
    assert!(syncs(&disk) > before, "the limit was never reached");
}

//! A short write in a log that seals, by way of the queue.

use std::time::Duration;

use audit_core::{FlushMode, OnDamage, OverflowPolicy, RotationPolicy};
use audit_writer::{AuditFileWriter, Condition, QueuedWriter, Signing, SimClock, SimDisk};

use crate::common::{critical, routine, service, wait_until};
use crate::log::{is_sealed, key, lines, newest, noon};

fn queued(disk: &SimDisk, clock: &SimClock) -> QueuedWriter {
    let flush = FlushMode::Batched { size: 100, interval_secs: 3_600 };
    let (rotation, damage) = (RotationPolicy::Daily, OnDamage::Refuse);
    let mut log =
        AuditFileWriter::with(disk.store(), clock.clone(), rotation, flush, damage).unwrap();
    log.sign(Signing::new(key())).unwrap();
    let overflow = OverflowPolicy::Block { deadline: Duration::from_hours(1_000_000) };
    QueuedWriter::start(log, service(), overflow).unwrap()
}

/// The disk is full behind the first of three records, which share a write: it is whole, and has no
/// seal, since it was not to be the last.
#[test]
fn a_record_that_a_full_disk_made_the_last_is_not_durable_before_a_seal_follows() {
    let (disk, clock) = (SimDisk::default(), noon());
    let log = queued(&disk, &clock);
    log.emit(&critical(0).event, &critical(0).sanitized).unwrap();
    log.flush().unwrap();
    let line = {
        let disk = SimDisk::default();
        let log = queued(&disk, &noon());
        log.emit(&critical(0).event, &critical(0).sanitized).unwrap();
        log.flush().unwrap();
        let before = newest(&disk).1.len();
        log.emit(&routine(1).event, &routine(1).sanitized).unwrap();
        log.flush().unwrap();
        newest(&disk).1.len() - before - 32
    };
    disk.leave_writable(line as u64);
    let receipts: Vec<_> =
        (1..4).map(|n| log.try_emit(&routine(n).event, &routine(n).sanitized).unwrap()).collect();
    // What is asserted of the full disk is asserted once nobody waits for it any more.
    let (last, is_waiting) = std::thread::scope(|scope| {
        let flushed = scope.spawn(|| log.flush());
        wait_until(|| matches!(log.health().condition, Condition::Stalled(_)));
        let last = lines(&newest(&disk).1).pop().unwrap();
        let is_waiting = receipts[0].wait(Duration::ZERO).is_err();
        disk.limit(None);
        // The worker tries again after a second of a clock that each look at it moves a little.
        wait_until(|| {
            clock.pass(Duration::from_millis(1));
            flushed.is_finished()
        });
        flushed.join().unwrap().unwrap();
        (last, is_waiting)
    });
    assert!(last.ends_with(b"\n") && !is_sealed(&last), "it is whole, without a seal");
    assert!(is_waiting, "its receipt waits");
    assert!(receipts.iter().all(|receipt| receipt.wait(Duration::from_mins(1)).is_ok()));
    assert!(is_sealed(&lines(&newest(&disk).1).pop().unwrap()));
}

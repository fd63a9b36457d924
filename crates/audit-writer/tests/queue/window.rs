//! More is acknowledged than may be lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use audit_core::FlushMode;

use super::{HYBRID, PATIENCE, Rig};
use crate::common::{verify_consistent, wait_until};

#[test]
fn of_64_producers_no_more_is_accepted_and_not_durable_than_the_count() {
    let size = 10;
    let rig = Rig::new(FlushMode::Batched { size, interval_secs: 60 });
    let (returned, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (seen, largest) = (Arc::clone(&returned), Arc::clone(&most));
    rig.steering.watch(move |plan| {
        let open = seen.load(Ordering::SeqCst).saturating_sub(plan.synced);
        largest.fetch_max(open, Ordering::SeqCst);
    });
    thread::scope(|scope| {
        for producer in 0..64 {
            let (rig, returned) = (&rig, &returned);
            scope.spawn(move || {
                for number in 0..25 {
                    rig.routine(producer * 100 + number).unwrap();
                    returned.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert!(most.load(Ordering::SeqCst) > 0, "nothing was observed");
    assert!(most.load(Ordering::SeqCst) <= size as usize, "{most:?} were open");
    rig.queue.shutdown(PATIENCE).unwrap();
    assert_eq!(verify_consistent(rig.disk.files()).events, 64 * 25);
}

#[test]
fn the_event_beyond_the_count_waits_for_the_disk() {
    let rig = Rig::new(FlushMode::Batched { size: 3, interval_secs: 60 });
    rig.steering.hang();
    for number in 0..3 {
        rig.routine(number).unwrap();
    }
    wait_until(|| rig.steering.is_hanging());
    let returned = thread::scope(|scope| {
        let fourth = scope.spawn(|| rig.routine(3).map(|()| rig.steering.synced()));
        wait_until(|| rig.queue.health().queued_records == 1);
        let is_waiting = || rig.clock.has_sleeper(Duration::from_secs(5));
        wait_until(|| is_waiting() || fourth.is_finished());
        assert!(!fourth.is_finished(), "more than the count is accepted");
        rig.steering.answer();
        fourth.join().unwrap()
    });
    assert!(returned.unwrap() >= 1);
}

#[test]
fn a_batch_of_one_is_immediate() {
    let hybrid = |batch_size| FlushMode::Hybrid {
        batch_size,
        batch_interval_secs: 60,
        critical_immediate: true,
    };
    let batched = |size| FlushMode::Batched { size, interval_secs: 60 };
    for mode in [batched(1), batched(0), hybrid(1), hybrid(0)] {
        let rig = Rig::new(mode);
        rig.routine(0).unwrap();
        assert_eq!(rig.queue.health().durable, 1, "{mode:?}");
        rig.steering.hang();
        thread::scope(|scope| {
            let second = scope.spawn(|| rig.routine(1));
            wait_until(|| rig.clock.has_sleeper(Duration::from_secs(5)) || second.is_finished());
            assert!(!second.is_finished(), "{mode:?}: it is accepted before it is durable");
            rig.steering.answer();
            second.join().unwrap().unwrap();
        });
        assert_eq!(rig.queue.health().durable, 2, "{mode:?}");
    }
}

#[test]
fn what_arrives_while_a_sync_runs_is_committed_by_the_next_one() {
    let rig = Rig::new(HYBRID);
    rig.critical(0).unwrap();
    let before = rig.steering.count("sync");
    rig.steering.hang();
    thread::scope(|scope| {
        scope.spawn(|| rig.critical(1).unwrap());
        wait_until(|| rig.steering.is_hanging());
        for number in 2..66 {
            let rig = &rig;
            scope.spawn(move || rig.critical(number).unwrap());
        }
        wait_until(|| rig.queue.health().queued_records == 64);
        rig.steering.answer();
    });
    assert_eq!(rig.steering.count("sync"), before + 2, "one for the first, one for all others");
    assert_eq!(rig.steering.synced(), 66);
}

#[test]
fn a_flush_makes_durable_what_was_accepted() {
    let rig = Rig::new(HYBRID);
    rig.routine(0).unwrap();
    rig.queue.flush().unwrap();
    assert_eq!(rig.steering.synced(), 1);
    let operations = rig.steering.operations();
    rig.queue.flush().unwrap();
    rig.routine(1).unwrap();
    assert_eq!(rig.steering.operations(), operations, "nothing was left to be flushed");
}

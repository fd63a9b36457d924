//! Records stand where their tickets say, and receipts say where they stand.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use audit_core::{FlushMode, OverflowPolicy, RotationPolicy};
use audit_verify::Verdict;
use audit_writer::{QueuedWriter, ShutdownError};

use super::{HYBRID, PATIENCE, Rig};
use crate::common::verify_with_heads;

#[test]
fn a_durable_critical_event_has_every_earlier_ticket_durable() {
    let rig = Rig::new(HYBRID);
    for round in 0..20 {
        for number in 0..5 {
            drop(rig.try_routine(round * 10 + number).unwrap());
        }
        rig.critical(round).unwrap();
        assert_eq!(rig.steering.synced() as u64, (round + 1) * 6);
    }
}

#[test]
fn events_of_a_thread_keep_their_order_and_every_receipt_is_in_the_log() {
    let rotation = RotationPolicy::SizeLimit { bytes_max: 8_000 };
    let flush = FlushMode::Batched { size: 40, interval_secs: 60 };
    let rig = Rig::with(flush, OverflowPolicy::default(), rotation);
    let receipts: Vec<Vec<_>> = thread::scope(|scope| {
        let producing: Vec<_> = (0..8)
            .map(|producer| {
                let rig = &rig;
                scope.spawn(move || {
                    let number = |of: u64| producer * 1_000 + of;
                    (0..60).map(|of| rig.try_routine(number(of)).unwrap()).collect()
                })
            })
            .collect();
        producing.into_iter().map(|producing| producing.join().unwrap()).collect()
    });
    let head = rig.queue.shutdown(PATIENCE).unwrap().unwrap();
    let lines = rig.lines();
    let mut heads = vec![head];
    for (producer, receipts) in receipts.iter().enumerate() {
        let resolved: Vec<_> = receipts.iter().map(|r| r.wait(PATIENCE).unwrap()).collect();
        assert!(resolved.is_sorted_by_key(|receipt| receipt.seq));
        for (of, receipt) in resolved.iter().enumerate() {
            let line = &lines[usize::try_from(receipt.seq).unwrap()];
            assert!(line.contains(&format!("\"shard-{}\"", producer * 1_000 + of)), "{line}");
        }
        heads.extend(resolved);
    }
    let report = verify_with_heads(rig.disk.files(), &heads);
    assert_eq!((report.verdict, report.events), (Verdict::Intact, 8 * 60), "{report}");
    assert!(report.segments > 20, "{report}");
}

/// Says whether it was woken, and holds what a task would hold.
struct Task(Mutex<Option<Arc<QueuedWriter>>>, thread::Thread);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if let Some(queue) = self.0.lock().unwrap().take() {
            // On the worker's own thread nothing may wait for the worker.
            let closed = queue.shutdown(PATIENCE);
            assert!(matches!(closed, Err(ShutdownError::Deadline { .. })), "{closed:?}");
        }
        self.1.unpark();
    }
}

#[test]
fn a_receipt_is_awaited_and_its_waker_may_hold_the_log() {
    let rig = Rig::new(HYBRID);
    let Rig { queue, disk, .. } = rig.clone();
    let mut receipt = pin!(rig.try_routine(1).unwrap());
    drop(rig);
    let task = Arc::new(Task(Mutex::new(Some(Arc::clone(&queue))), thread::current()));
    let waker = Waker::from(Arc::clone(&task));
    let mut context = Context::from_waker(&waker);
    assert!(receipt.as_mut().poll(&mut context).is_pending());
    queue.flush().unwrap();
    let receipt = loop {
        if let Poll::Ready(receipt) = receipt.as_mut().poll(&mut context) {
            break receipt.unwrap();
        }
        thread::park();
    };
    let head = queue.shutdown(PATIENCE).unwrap().unwrap();
    let report = verify_with_heads(disk.files(), &[receipt, head]);
    assert_eq!((report.verdict, report.events), (Verdict::Intact, 1), "{report}");
    assert!(task.0.lock().unwrap().is_none());
}

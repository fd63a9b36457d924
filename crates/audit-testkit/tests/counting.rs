//! Counts that would be too low would let an allocation pass unseen.

use std::hint::black_box;
use std::thread;

use audit_testkit::{Allocations, CountingAllocator, count};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

#[test]
fn nothing_is_counted_where_nothing_is_asked() {
    let on_the_stack = count(|| assert_eq!(black_box([7_u8; 64]).len(), 64));
    assert_eq!(on_the_stack, Allocations::NONE);
}

#[test]
fn every_call_counts_with_its_bytes() {
    let counted = count(|| {
        let mut bytes: Vec<u8> = black_box(Vec::with_capacity(16));
        bytes.reserve_exact(100);
        drop(black_box(bytes));
        drop(black_box(vec![0_u64; 4]));
    });
    assert_eq!(counted, Allocations { allocations: 2, reallocations: 1, bytes: 16 + 100 + 32 });
}

#[test]
fn another_thread_is_not_counted() {
    let (go, gone) = std::sync::mpsc::channel();
    let busy = thread::spawn(move || {
        let mut spins = 0_u64;
        while gone.try_recv().is_err() {
            drop(black_box(Box::new(spins)));
            spins = spins.wrapping_add(1);
        }
    });
    let counted = count(thread::yield_now);
    go.send(()).expect("the other thread waits");
    busy.join().expect("it only allocates");
    assert_eq!(counted, Allocations::NONE);
}

#[test]
fn a_count_within_a_count_belongs_to_both() {
    let mut inner = Allocations::NONE;
    let outer = count(|| inner = count(|| drop(black_box(Box::new(1_u32)))));
    assert_eq!(inner, Allocations { allocations: 1, reallocations: 0, bytes: 4 });
    // The probe for the allocator is the other one.
    assert_eq!(outer.allocations, 2);
}

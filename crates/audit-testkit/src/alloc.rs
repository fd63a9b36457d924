//! The system's allocator, counting for each thread by itself.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

use serde_json::json;

/// Counts what it passes on to the system's allocator. A program that calls [`count`] declares it:
///
/// ```
/// use audit_testkit::{CountingAllocator, count};
///
/// #[global_allocator]
/// static ALLOCATOR: CountingAllocator = CountingAllocator;
///
/// let of_a_box = count(|| drop(std::hint::black_box(Box::new(7_u64))));
/// assert_eq!((of_a_box.allocations, of_a_box.reallocations, of_a_box.bytes), (1, 0, 8));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CountingAllocator;

/// What one thread asked of the allocator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocations {
    /// Calls that took new memory.
    pub allocations: u64,
    /// Calls that resized some.
    pub reallocations: u64,
    /// Bytes that these calls asked for; of a resized block, its whole new size.
    pub bytes: u64,
}

impl Allocations {
    /// Nothing was asked.
    pub const NONE: Self = Self { allocations: 0, reallocations: 0, bytes: 0 };

    fn since(self, earlier: Self) -> Self {
        Self {
            allocations: self.allocations.wrapping_sub(earlier.allocations),
            reallocations: self.reallocations.wrapping_sub(earlier.reallocations),
            bytes: self.bytes.wrapping_sub(earlier.bytes),
        }
    }
}

thread_local! {
    /// Needs neither memory nor a destructor, so that the allocator can use it at any time.
    static ASKED: Cell<Allocations> = const { Cell::new(Allocations::NONE) };
}

/// What the calling thread asks of the allocator while `act` runs. Other threads do not matter, so
/// tests that count can run side by side.
///
/// # Panics
///
/// The program does not allocate with [`CountingAllocator`]; every count would be zero.
pub fn count(act: impl FnOnce()) -> Allocations {
    let before = asked();
    drop(black_box(Box::new(0_u8)));
    let start = asked();
    assert_ne!(before, start, "this program does not declare the CountingAllocator");
    act();
    asked().since(start)
}

/// Asserts that `act` allocates nothing, and prints the count as a line of JSON that
/// `cargo xtask bench` collects. `path` is what is measured, `event_type` with which event.
///
/// # Panics
///
/// It does allocate; or as with [`count`].
#[expect(clippy::print_stdout, reason = "tests show what they measured to whoever asks for it")]
pub fn assert_none(path: &str, event_type: &str, act: impl FnOnce()) {
    let Allocations { allocations, reallocations, bytes } = count(act);
    let row = json!({
        "kind": "allocations", "name": format!("{path}/{event_type}"), "allocations": allocations,
        "reallocations": reallocations, "bytes": bytes,
    });
    // The first line feed ends what the test harness may have begun.
    println!("\n{row}");
    assert_eq!((allocations, reallocations), (0, 0), "{path} allocates for {event_type}");
}

fn asked() -> Allocations {
    ASKED.with(Cell::get)
}

fn note(change: impl FnOnce(&mut Allocations)) {
    // A thread that is being torn down may have lost its cell, and nobody counts there any more.
    let noted = ASKED.try_with(|cell| {
        let mut asked = cell.get();
        change(&mut asked);
        cell.set(asked);
    });
    noted.unwrap_or_default();
}

fn note_allocation(size: usize) {
    note(|asked| {
        asked.allocations = asked.allocations.wrapping_add(1);
        asked.bytes = asked.bytes.wrapping_add(in_bytes(size));
    });
}

fn note_reallocation(size: usize) {
    note(|asked| {
        asked.reallocations = asked.reallocations.wrapping_add(1);
        asked.bytes = asked.bytes.wrapping_add(in_bytes(size));
    });
}

fn in_bytes(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

// SAFETY: Every call goes to the system's allocator as it came, so this one keeps the contract
// because that one does. Counting touches a cell of the thread, which neither allocates nor unwinds.
#[expect(unsafe_code, reason = "the trait of allocators is unsafe, and so are its methods")]
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note_allocation(layout.size());
        // SAFETY: The caller keeps the contract of `GlobalAlloc::alloc`, which is the same there.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note_allocation(layout.size());
        // SAFETY: As for `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        note_reallocation(new_size);
        // SAFETY: The block is from `alloc` of this type, which is `System.alloc`; the rest is the
        // caller's contract.
        unsafe { System.realloc(block, layout, new_size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: As for `realloc`.
        unsafe { System.dealloc(block, layout) }
    }
}

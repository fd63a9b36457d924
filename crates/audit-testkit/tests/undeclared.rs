//! A program that forgot the allocator must not be told that it allocates nothing.

use audit_testkit::count;

#[test]
#[should_panic(expected = "does not declare the CountingAllocator")]
fn counting_without_the_allocator_fails() {
    count(|| ());
}

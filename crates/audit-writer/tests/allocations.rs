//! Writing an event takes no memory, however many were written before.

use audit_core::{AuditEventEnvelope, FlushMode, RotationPolicy};
use audit_testkit::events::{CLEAN_TEXT, of_every_type, service_id, usual};
use audit_testkit::{CountingAllocator, assert_none};
use audit_writer::AuditFileWriter;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// With that many of each type, batches fill up while they are counted, and critical ones sync.
const EVENTS: usize = 24;

/// No segment is begun while events are counted, not even at midnight.
const ONE_SEGMENT: RotationPolicy = RotationPolicy::SizeLimit { bytes_max: u64::MAX };

#[test]
fn events_of_every_type_take_no_memory_once_the_segment_is_there() {
    let parent = tempfile::tempdir().expect("a directory");
    let dir = parent.path().join("audit");
    let mut writer =
        AuditFileWriter::new(dir, ONE_SEGMENT, FlushMode::default()).expect("a new log");
    let mut written = 0;
    for (name, event) in of_every_type(CLEAN_TEXT).into_iter().chain(usual()) {
        let envelope = AuditEventEnvelope::new(service_id(), event);
        writer.write_event(&envelope).expect("the first one of its type");
        assert_none("write_event", name, || {
            for _ in 0..EVENTS {
                let receipt = writer.write_event(&envelope).expect("the next one");
                assert!(receipt.seq > written, "a record took the place of another");
                written = receipt.seq;
            }
        });
    }
}

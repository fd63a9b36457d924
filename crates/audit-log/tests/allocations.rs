//! Emitting an event takes no memory: neither cleaning, nor the way to the writer, nor writing.

use std::sync::Arc;
use std::time::Duration;

use audit_log::{AuditConfig, AuditLogger, RotationPolicy};
use audit_testkit::events::{CLEAN_TEXT, of_every_type, service_id, usual};
use audit_testkit::{CountingAllocator, assert_none};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// With that many of each type, batches fill up while they are counted, and critical ones sync.
const EVENTS: usize = 24;

#[test]
fn events_of_every_type_take_no_memory_once_the_segment_is_there() {
    let parent = tempfile::tempdir().expect("a directory");
    let mut config = AuditConfig::local(service_id(), parent.path().join("audit"));
    // No segment is begun while events are counted, not even at midnight.
    config.rotation_policy = RotationPolicy::SizeLimit { bytes_max: u64::MAX };
    let log = AuditLogger::open(Arc::new(config)).expect("a new log");
    for (name, event) in of_every_type(CLEAN_TEXT).into_iter().chain(usual()) {
        log.emit(event.clone()).expect("the first one of its type");
        let mut events = vec![event; EVENTS];
        assert_none("emit", name, || {
            for event in events.drain(..) {
                log.emit(event).expect("the next one");
            }
        });
    }
    let head = log.shutdown(Duration::from_mins(1)).expect("a whole log").expect("events");
    let types = of_every_type(CLEAN_TEXT).len() + usual().len();
    assert!(usize::try_from(head.seq).expect("few") > types * EVENTS, "events are missing");
}

//! Encoding and linking an event whose text is borrowed takes no memory.

use audit_core::limits::RECORD_BYTES_MAX;
use audit_core::record::{RecordHead, write_payload, write_record};
use audit_core::{AuditEvent, Digest, Frontier, Marks, RecordTime};
use audit_testkit::events::{CLEAN_TEXT, of_every_type, service_id, usual};
use audit_testkit::{CountingAllocator, assert_none};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Those made from the table, and those with words and addresses in the place of texts.
fn events() -> Vec<(&'static str, AuditEvent<'static>)> {
    of_every_type(CLEAN_TEXT).into_iter().chain(usual()).collect()
}

#[test]
fn a_payload_in_a_buffer_with_room_takes_no_memory() {
    let mut payload = Vec::with_capacity(RECORD_BYTES_MAX);
    for (name, event) in events() {
        payload.clear();
        assert_none("write_payload", name, || {
            write_payload(&mut payload, &event, &Marks::none());
        });
        assert!(payload.starts_with(b"{\"event_type\":"), "{name} was not written");
    }
}

#[test]
fn a_record_in_a_buffer_with_room_takes_no_memory() {
    let head = RecordHead {
        seq: u64::MAX,
        audit_id: "audit-bank.teller-1-ffffffffffffffff",
        timestamp: RecordTime::new(chrono::DateTime::UNIX_EPOCH),
        service_id: service_id(),
    };
    let (mut payload, mut line) = (Vec::new(), Vec::with_capacity(RECORD_BYTES_MAX));
    for (name, event) in events() {
        payload.clear();
        line.clear();
        write_payload(&mut payload, &event, &Marks::none());
        assert_none("write_record", name, || {
            write_record(&mut line, &head, &payload, &Digest::ZERO);
        });
        assert!(line.ends_with(b"\"}\n"), "{name} was not written");
    }
}

#[test]
fn a_tree_of_any_size_grows_without_taking_memory() {
    let full = vec![Digest::ZERO; 63];
    for size in [0, 1, 1 << 20, u64::MAX >> 1] {
        let roots = full.iter().take(usize::try_from(size.count_ones()).expect("at most 64"));
        let roots: Vec<Digest> = roots.copied().collect();
        let mut frontier = Frontier::from_roots(size, &roots).expect("a root for each bit");
        let mut copy = frontier.clone();
        assert_none("frontier", &format!("push_after_{size}"), || {
            frontier.push(Digest::ZERO);
            copy.push(Digest::ZERO);
        });
        assert_eq!((frontier.size(), &copy), (size.saturating_add(1), &frontier));
    }
}

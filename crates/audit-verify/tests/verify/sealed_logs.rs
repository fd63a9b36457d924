//! Logs that are sealed, or hold what only newer writers say: whole, and with something false.

use audit_core::Digest;
use serde_json::{Value, json};

use crate::plan::{Plan, Planned, Seal, TIME, log_opened, next_vkey, place, vkey};
use crate::signed::Change;

/// A log, and what its directory is called in the corpus.
pub(crate) type Sealed = (&'static str, fn() -> Plan);

/// Logs of which the corpus has others like them.
pub(crate) const PLAIN: &[Sealed] = &[
    ("closed", closed),
    ("newest not sealed yet", newest_not_yet),
    ("recovered", || recovered(2, b"")),
];

pub(crate) const WHOLE: &[Sealed] = &[
    ("whole-sealed-recovered-line", || recovered(2, b"{\"v\":1,\"seq\":")),
    ("whole-sealed-own-events", own_events),
    ("whole-sealed-key-changed", key_changed),
    ("whole-adopted-from-before-seals", || adopted("no_key_before")),
    ("whole-adopted-without-head", adopted_without_head),
    ("whole-adopted-unsigned-opening", unsigned_opening),
    ("whole-adopted-other-key", other_key),
    ("whole-copied", copied),
    ("whole-pruned-twice", pruned_twice),
    ("whole-pruned-with-its-record", pruned_with_its_record),
];

/// The same, of which something is false.
pub(crate) const FALSE: &[Sealed] = &[
    ("sealed-missed-segment", missed_segment),
    ("sealed-recovered-own-record", recovered_own_record),
    ("key-changed-elsewhere", || with(key_changed(), 1, 0, "/key/since", 5.into())),
    ("copied-from-elsewhere", || with(copied(), 1, 2, "/from", place(3))),
    ("adopted-other-records", || with(adopted("before_seals"), 2, 2, "/last_seq", 5.into())),
    ("adopted-begins-elsewhere", || with(adopted_without_head(), 2, 2, "/begins", 0.into())),
    ("pruned-with-a-gap", || with(pruned_twice(), 3, 2, "/files/0/last_seq", 7.into())),
    ("pruned-after-another", || {
        with(pruned_twice(), 3, 2, "/after/last_hash", another_hash().into())
    }),
];

/// A log with another value of a member in a record of a segment.
fn with(mut plan: Plan, segment: usize, record: usize, pointer: &str, value: Value) -> Plan {
    *plan.segments[segment].records[record].event.pointer_mut(pointer).unwrap() = value;
    plan
}

/// A record of the writer's own that was recovered over, though it would have had a seal.
fn recovered_own_record() -> Plan {
    let mut plan = recovered(2, b"");
    let event = json!({ "event_type": "disk_full", "available_bytes": 4096 });
    plan.segments[0].lost.push(Planned { event, seal: Seal::None });
    plan
}

/// An opening and two writes, sealed.
pub(crate) fn opened() -> Plan {
    let mut plan = Plan::default();
    plan.open_sealed(&vkey(), 0, json!({})).log_opened(Seal::Right).write(1).write(3);
    plan
}

/// Three segments, closed.
pub(crate) fn closed() -> Plan {
    let mut plan = opened();
    rotate(&mut plan).write(2);
    rotate(&mut plan).write(1).own("log_closed", json!({}), Seal::Right);
    plan
}

fn rotate(plan: &mut Plan) -> &mut Plan {
    plan.open_sealed(&vkey(), 0, json!({}));
    plan.segments.last_mut().unwrap().records.last_mut().unwrap().seal = Seal::Right;
    plan
}

fn newest_not_yet() -> Plan {
    let mut plan = opened();
    plan.events(2);
    plan
}

/// Events whose seal was lost in a crash, and more, that the next writer declared.
pub(crate) fn recovered(events: usize, torn: &[u8]) -> Plan {
    let mut plan = opened();
    plan.lose(events, torn).open_sealed(&vkey(), 0, json!({})).recovered("unsealed");
    plan.log_opened(Seal::Right).write(2);
    plan
}

fn own_events() -> Plan {
    let mut plan = opened();
    let lost = json!({ "count": 2, "critical_count": 0, "reason": "queue_full", "first": TIME, "last": TIME });
    plan.own("events_lost", lost, Seal::None).write(1);
    plan.own("clock_stepped", json!({ "from": TIME, "to": TIME }), Seal::Right);
    plan.own("disk_full", json!({ "available_bytes": 4096 }), Seal::Right).write(2);
    plan
}

/// The writer left a segment that somebody had made longer.
fn missed_segment() -> Plan {
    let mut plan = opened();
    let last_seq = plan.next_seq() - 1;
    let missing = json!({
        "file": crate::builder::segment_name(0), "first_seq": 0, "last_seq": last_seq,
        "last_hash": null, "reason": "size_changed",
    });
    plan.open_sealed(&vkey(), 0, json!({})).own("segment_missing", missing, Seal::Right).write(1);
    plan
}

/// The key is changed, and the log opened with the new one.
pub(crate) fn key_changed() -> Plan {
    let mut plan = opened();
    let since = plan.next_seq() + 2;
    plan.open_sealed(&next_vkey(), since, json!({})).log_opened(Seal::None);
    let changed = serde_json::from_str(&Change::at(since).event()).unwrap();
    plan.own("key_changed", changed, Seal::Right).write(1);
    plan.open_sealed(&next_vkey(), since, json!({})).log_opened(Seal::Right).write(1);
    plan
}

/// A log of two segments that is not sealed, sealed from a third one on.
fn sealed_late() -> Plan {
    let mut plan = Plan::default();
    plan.open(json!({})).log_opened(Seal::None).events(3).open(json!({})).events(2);
    let from = plan.next_seq();
    plan.open_sealed(&vkey(), from, json!({ "sealed_from": from })).log_opened(Seal::None);
    plan
}

/// What a first key adopts of a log that had none.
pub(crate) fn adopted(why: &str) -> Plan {
    let mut plan = sealed_late();
    let last_seq = plan.next_seq() - 3;
    let members = json!({ "first_seq": 0, "last_seq": last_seq, "begins": 0, "why": why });
    plan.own("records_adopted", members, Seal::Right).write(2);
    plan
}

fn adopted_without_head() -> Plan {
    let mut plan = sealed_late();
    let (begins, last_seq) = (plan.segments[0].records.len(), plan.next_seq() - 3);
    let members =
        json!({ "first_seq": 0, "last_seq": last_seq, "begins": begins, "why": "before_seals" });
    plan.own("records_adopted", members, Seal::Right).write(2);
    plan.segments[0].is_deleted = true;
    plan
}

/// A sealed log that was opened without its key, and later with it.
pub(crate) fn unsigned_opening() -> Plan {
    let mut plan = opened();
    let first_seq = plan.next_seq();
    let mut unsigned = log_opened();
    unsigned["unsigned"] = true.into();
    plan.open(json!({ "unsynced_max_bytes": 4096, "sealed_from": 0 }));
    plan.own("log_opened", unsigned, Seal::None).events(2);
    let last_seq = plan.next_seq() - 1;
    plan.open_sealed(&vkey(), 0, json!({})).log_opened(Seal::None);
    let members = json!({ "first_seq": first_seq, "last_seq": last_seq, "begins": 0, "why": "unsigned_opening" });
    plan.own("records_adopted", members, Seal::Right).write(1);
    plan
}

/// A sealed log that goes on with another key, which none vouches for.
fn other_key() -> Plan {
    let mut plan = opened();
    let since = plan.next_seq();
    plan.open_sealed(&next_vkey(), since, json!({})).log_opened(Seal::None);
    let members = json!({ "first_seq": 0, "last_seq": since - 1, "begins": 0, "why": "other_key" });
    plan.own("records_adopted", members, Seal::Right).write(1);
    plan
}

fn copied() -> Plan {
    let mut plan = Plan::default();
    plan.open_sealed(&vkey(), 0, json!({ "place": place(2) })).log_opened(Seal::Right).write(2);
    plan.open_sealed(&vkey(), 0, json!({ "place": place(8) })).log_opened(Seal::None);
    plan.own("log_copied", json!({ "from": place(2), "to": place(8) }), Seal::Right).write(1);
    plan
}

/// Two deletions, of which the newer one is repeated.
pub(crate) fn pruned_twice() -> Plan {
    let mut plan = opened();
    rotate(&mut plan).write(2);
    rotate(&mut plan).write(1);
    rotate(&mut plan).prune(0..1).prune(1..2);
    let (seq, last_seq) = (plan.next_seq() - 1, plan.segments[2].records.len());
    let last_seq = seq - 3 - last_seq as u64;
    let pruned = json!({ "seq": seq, "last_seq": last_seq, "last_hash": null });
    plan.open_sealed(&vkey(), 0, json!({ "pruned": pruned })).log_opened(Seal::Right).write(1);
    (0..2).for_each(|number| plan.segments[number].is_deleted = true);
    plan
}

/// The record of a first deletion goes with a second one.
fn pruned_with_its_record() -> Plan {
    let mut plan = opened();
    rotate(&mut plan).prune(0..1).write(1);
    rotate(&mut plan).prune(1..2).write(1);
    (0..2).for_each(|number| plan.segments[number].is_deleted = true);
    plan
}

/// The digest of a record that is not there.
pub(crate) fn another_hash() -> String {
    Digest::of(b"another record").to_string()
}

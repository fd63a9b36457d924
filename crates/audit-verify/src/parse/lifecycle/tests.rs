//! Each event of a writer's own in its good form, and every field of it in other forms.

use audit_core::lifecycle::LIFECYCLE_TYPES;
use audit_testkit::hostile_lines::own_events;
use serde_json::{Value, json};

use super::form::{LossReason, MissingReason};
use super::*;
use crate::parse::json::{self, Scratch};

/// Fields that may be absent.
const OPTIONAL: [&str; 18] = [
    "/previous",
    "/continues",
    "segment_opened/unsynced_max_bytes",
    "/key",
    "/sealed_from",
    "/pruned",
    "/place",
    "/host",
    "/pid",
    "/boot_id",
    "/vkey",
    "/storage",
    "/unsigned",
    "events_lost/sha256",
    "/text",
    "/after",
    "/before",
    "/files/0/last_seq",
];

/// Fields that hold any text.
const FREE: [&str; 15] = [
    "/key/vkey",
    "/text",
    "/writer",
    "/flush_mode",
    "/host",
    "/boot_id",
    "/vkey",
    "/code",
    "/key_id",
    "/old_vkey",
    "/new_vkey",
    "/old_signature",
    "/new_signature",
    "damage_found/file",
    "segments_pruned/reason",
];

fn hash(digit: char) -> String {
    String::from(digit).repeat(64)
}

fn root() -> String {
    format!("{}=", "A".repeat(43))
}

fn place() -> Value {
    let file = json!({"inode": 5, "born": "2026-01-02T00:00:00.000000002Z"});
    json!({"dir": file, "file": file})
}

/// One event of each type, with all of its fields.
fn good_forms() -> Vec<Value> {
    let file = "00000000000000000007.2026-01-02.audit.jsonl";
    let time = "2026-01-02T00:00:00.000000002Z";
    let frontier = [hash('a'), hash('b')];
    vec![
        json!({"event_type": "checkpoint_signed", "size": 8, "root": root(), "key_id": "0000abcd"}),
        json!({"event_type": "clock_stepped", "from": time, "to": time}),
        json!({"event_type": "damage_found", "file": file, "offset": 3, "code": "hash_mismatch"}),
        json!({"event_type": "disk_full", "available_bytes": 4096}),
        json!({"event_type": "events_lost", "count": 3, "critical_count": 1, "reason": "queue_full",
            "first": time, "last": time, "sha256": hash('e')}),
        json!({"event_type": "format_changed", "to": 2}),
        json!({"event_type": "key_changed", "old_vkey": "a", "new_vkey": "b",
            "old_signature": "c", "new_signature": "d"}),
        json!({"event_type": "log_closed"}),
        json!({"event_type": "log_copied", "from": place(), "to": place()}),
        json!({"event_type": "log_opened", "writer": "audit-writer 0.1.0", "flush_mode": "batched",
            "unsynced_max_bytes": 1024, "host": "queen-1", "pid": 7, "boot_id": "b", "vkey": "k",
            "storage": "volatile", "unsigned": true}),
        json!({"event_type": "log_recovered", "file": file, "offset": 9, "bytes": 5,
            "sha256": hash('c'), "valid_records": 1, "kind": "torn"}),
        json!({"event_type": "records_adopted", "first_seq": 3, "last_seq": 9, "begins": 1,
            "why": "other_key"}),
        json!({"event_type": "segment_missing", "file": file, "first_seq": 7, "last_seq": 9,
            "last_hash": hash('d'), "reason": "unlinked", "text": "a disk"}),
        json!({"event_type": "segment_opened", "log_id": "c".repeat(32),
            "merkle_frontier": frontier,
            "previous": {"file": file, "last_seq": 9, "last_hash": hash('f')},
            "continues": {"log_id": "d".repeat(32), "head": format!("7:{}", hash('a'))},
            "unsynced_max_bytes": 512, "key": {"vkey": "k", "since": 4}, "sealed_from": 3,
            "pruned": {"seq": 8, "last_seq": 2, "last_hash": hash('b')}, "place": place()}),
        json!({"event_type": "segments_pruned", "first_seq": 0, "last_seq": 9,
            "last_hash": hash('a'), "merkle_frontier": frontier, "reason": "age",
            "files": [{"name": file, "size": 512, "sha256": hash('b'), "last_seq": 9}],
            "after": {"last_seq": 6, "last_hash": hash('c')}, "before": time}),
    ]
}

fn event_type(event: &Value) -> &str {
    event["event_type"].as_str().unwrap()
}

fn good_form(name: &str) -> Value {
    good_forms().into_iter().find(|event| event_type(event) == name).unwrap()
}

fn parse(event: &Value) -> Result<Option<Lifecycle>, String> {
    Lifecycle::parse(event_type(event), event.to_string().as_bytes())
}

#[track_caller]
fn accepted(event: &Value) {
    assert!(matches!(parse(event), Ok(Some(_))), "{event}: {:?}", parse(event));
}

#[track_caller]
fn refused(event: &Value) {
    assert!(parse(event).is_err(), "{event}");
}

/// The event with something else in a field.
fn with(event: &Value, field: &str, value: impl Into<Value>) -> Value {
    let mut event = event.clone();
    *event.pointer_mut(field).unwrap() = value.into();
    event
}

fn without(event: &Value, field: &str) -> Value {
    let (parent, key) = field.rsplit_once('/').unwrap();
    let mut event = event.clone();
    event.pointer_mut(parent).and_then(Value::as_object_mut).unwrap().remove(key).unwrap();
    event
}

/// JSON Pointers to every field but the type, at any depth, and to items of lists.
fn places(event: &Value) -> Vec<String> {
    fn visit(value: &Value, at: &str, seen: &mut Vec<String>) {
        let inside: Vec<(String, &Value)> = match value {
            Value::Object(members) => {
                members.iter().map(|(k, v)| (format!("{at}/{k}"), v)).collect()
            }
            Value::Array(items) => {
                (0..).zip(items).map(|(n, v): (usize, _)| (format!("{at}/{n}"), v)).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        };
        for (place, value) in inside {
            visit(value, &place, seen);
            seen.push(place);
        }
    }
    let mut seen = Vec::new();
    visit(event, "", &mut seen);
    seen.retain(|place| place != "/event_type");
    seen
}

/// Whether a field is among these, by itself or for the type of its event.
fn is_one_of(fields: &[&str], event: &Value, place: &str) -> bool {
    fields.contains(&place) || fields.contains(&&*format!("{}{place}", event_type(event)))
}

/// Each field of each event.
fn each_field(mut look: impl FnMut(&Value, &str)) {
    for event in good_forms() {
        for place in places(&event) {
            look(&event, &place);
        }
    }
}

fn is_item(place: &str) -> bool {
    place.rsplit('/').next().is_some_and(|key| key.bytes().all(|byte| byte.is_ascii_digit()))
}

#[test]
fn there_is_a_good_form_of_every_type() {
    let forms = good_forms();
    assert_eq!(forms.iter().map(event_type).collect::<Vec<_>>(), LIFECYCLE_TYPES);
    forms.iter().for_each(accepted);
    let fields: usize = forms.iter().map(|event| places(event).len()).sum();
    assert_eq!(fields, 103, "fields and items in all");
}

#[test]
fn a_field_may_be_absent_only_where_the_format_says_so() {
    let mut optional = 0;
    each_field(|event, place| {
        if is_item(place) {
            return;
        }
        if is_one_of(&OPTIONAL, event, place) {
            optional += 1;
            accepted(&without(event, place));
        } else {
            refused(&without(event, place));
        }
    });
    assert_eq!(optional, OPTIONAL.len());
    let least = good_forms().into_iter().map(|mut event| {
        let whole = event.clone();
        let optional = |key: &str| is_one_of(&OPTIONAL, &whole, &format!("/{key}"));
        event.as_object_mut().unwrap().retain(|key, _| !optional(key));
        event
    });
    least.for_each(|event| accepted(&event));
}

#[test]
fn no_field_is_null_or_of_another_type() {
    each_field(|event, place| {
        let original = event.pointer(place).unwrap();
        let wrapped = original.as_str().map_or(json!({"a": original}), |text| json!({text: null}));
        let values = original.as_object().map(|members| members.values().cloned().collect());
        let others = [
            json!(null),
            json!(true),
            json!(1),
            json!("1"),
            json!([]),
            json!({}),
            json!([original]),
            wrapped,
            values.map_or(json!([null]), Value::Array),
            original.as_u64().map_or(json!(1), |n| json!(n.to_string())),
        ];
        let kind = |value: &Value| std::mem::discriminant(value);
        let mut tried = 0;
        for other in others.into_iter().filter(|other| kind(other) != kind(original)) {
            tried += 1;
            refused(&with(event, place, other));
        }
        assert!(tried >= 6, "{place}: {tried}");
    });
}

#[test]
fn a_number_is_a_whole_one_that_64_bits_hold() {
    each_field(|event, place| {
        if !event.pointer(place).unwrap().is_number() {
            return;
        }
        let marked = with(event, place, "here").to_string();
        for number in ["-1", "-0", "1.0", "1.5", "1e0", "18446744073709551616", "1e30", "\"1\""] {
            let text = marked.replace("\"here\"", number);
            assert!(Lifecycle::parse(event_type(event), text.as_bytes()).is_err(), "{text}");
        }
    });
}

#[test]
fn a_text_has_one_form_unless_it_is_free() {
    let (mut free, mut strict) = (0, 0);
    each_field(|event, place| {
        let Some(text) = event.pointer(place).and_then(Value::as_str) else { return };
        if is_one_of(&FREE, event, place) {
            free += 1;
            accepted(&with(event, place, ""));
            accepted(&with(event, place, "\u{e9} or anything"));
            return;
        }
        strict += 1;
        let (shorter, tail) = text.split_at(text.len() - 1);
        let others = [
            String::new(),
            shorter.to_owned(),
            text[1..].to_owned(),
            format!("{text}{tail}"),
            format!("0{text}"),
            format!("+{text}"),
            format!(" {text}"),
            format!("{text}\n"),
            text.repeat(2),
            format!("{shorter}g"),
            "x".repeat(text.len()),
            flip_case(text),
            format!("{shorter}\u{e9}"),
            format!("\u{0}{text}"),
            "0".to_owned(),
        ];
        for other in others {
            refused(&with(event, place, other));
        }
    });
    assert_eq!(free, FREE.len());
    assert_eq!(strict, 36);
}

fn flip_case(text: &str) -> String {
    let flip =
        |c: char| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    text.chars().map(flip).collect()
}

#[test]
fn a_file_is_a_name_that_a_segment_can_have() {
    for name in [
        "7.2026-01-02.audit.jsonl",
        "00000000000000000007.2026-02-30.audit.jsonl",
        "00000000000000000007.audit.jsonl",
        "00009007199254740992.2026-01-02.audit.jsonl",
        "00000000000000000007.2026-01-02.audit.jsonl.gz",
        ".new-segment",
        "../00000000000000000007.2026-01-02.audit.jsonl",
        "checkpoints",
        "00000000000000000007.2026-01-02.AUDIT.JSONL",
    ] {
        refused(&with(&good_form("log_recovered"), "/file", name));
        refused(&with(&good_form("segment_missing"), "/file", name));
        refused(&with(&good_form("segment_opened"), "/previous/file", name));
        refused(&with(&good_form("segments_pruned"), "/files/0/name", name));
    }
}

#[test]
fn a_head_is_a_seq_and_a_hash() {
    let digits = hash('a');
    for (head, good) in [
        (format!("0:{digits}"), true),
        (format!("9007199254740991:{digits}"), true),
        (format!("9007199254740992:{digits}"), false),
        (format!("+1:{digits}"), false),
        (format!("01:{digits}"), false),
        (format!("-1:{digits}"), false),
        (format!(":{digits}"), false),
        ("1:".to_owned(), false),
        (digits.clone(), false),
        (format!("1 :{digits}"), false),
        (format!("1:{}", digits.to_uppercase()), false),
    ] {
        let event = with(&good_form("segment_opened"), "/continues/head", head);
        assert_eq!(parse(&event).is_ok(), good, "{event}");
    }
}

#[test]
fn each_kind_and_reason_is_known_and_no_other() {
    for (name, field, known) in [
        ("log_recovered", "/kind", &["torn", "zeros", "superseded", "unreadable", "unsealed"][..]),
        ("events_lost", "/reason", &["queue_full", "disk_full", "refused", "io_error"]),
        ("segment_missing", "/reason", &["unlinked", "replaced", "size_changed", "acknowledged"]),
        ("log_opened", "/storage", &["volatile"]),
        (
            "records_adopted",
            "/why",
            &["no_key_before", "before_seals", "other_key", "unsigned_opening"],
        ),
    ] {
        let event = good_form(name);
        for &word in known {
            accepted(&with(&event, field, word));
        }
        for other in [
            "",
            "other",
            "Torn",
            "QueueFull",
            "queue full",
            "unknown",
            "queue_full ",
            "age",
            "TORN",
        ] {
            refused(&with(&event, field, other));
        }
    }
}

#[test]
fn numbers_that_contradict_each_other_are_refused() {
    let lost = good_form("events_lost");
    accepted(&with(&lost, "/critical_count", 3));
    accepted(&with(&lost, "/critical_count", 0));
    refused(&with(&lost, "/critical_count", 4));
    let changed = good_form("format_changed");
    accepted(&with(&changed, "/to", u64::MAX));
    refused(&with(&changed, "/to", 1));
    refused(&with(&changed, "/to", 0));
    refused(&with(&good_form("segments_pruned"), "/first_seq", 1));
    refused(&with(&good_form("log_opened"), "/unsigned", false));
}

#[test]
fn lists_may_be_empty_and_one_deletion_names_256_files_at_most() {
    let pruned = good_form("segments_pruned");
    let file = pruned["files"][0].clone();
    accepted(&with(&pruned, "/files", json!([])));
    accepted(&with(&pruned, "/files", vec![file.clone(); 256]));
    refused(&with(&pruned, "/files", vec![file.clone(); 257]));
    refused(&with(&pruned, "/files", file));
    accepted(&with(&pruned, "/merkle_frontier", json!([])));
    accepted(&with(&good_form("segment_opened"), "/merkle_frontier", json!([])));
}

#[test]
fn members_that_the_format_does_not_name_are_accepted() {
    for event in good_forms() {
        let objects =
            places(&event).into_iter().filter(|place| event.pointer(place).unwrap().is_object());
        for place in objects.chain([String::new()]) {
            let mut more = event.clone();
            let members = more.pointer_mut(&place).and_then(Value::as_object_mut).unwrap();
            members.insert("x".to_owned(), "here".into());
            for value in [
                "null",
                "[{\"a\":[]}]",
                "{\"event_type\":\"y\"}",
                "1e999999",
                "-0.0",
                r#""\ud83d\ude00""#,
            ] {
                let text = more.to_string().replace("\"here\"", value);
                let parsed = Lifecycle::parse(event_type(&event), text.as_bytes());
                assert!(matches!(parsed, Ok(Some(_))), "{text}: {parsed:?}");
            }
        }
    }
}

#[test]
fn a_type_of_another_name_is_not_looked_at() {
    for name in [
        "",
        "auth_failure",
        "Log_opened",
        "log_opened ",
        "log_open",
        "log-opened",
        "logopened",
        "custom",
        "Other",
    ] {
        assert!(matches!(Lifecycle::parse(name, b"{}"), Ok(None)), "{name}");
        assert!(matches!(Lifecycle::parse(name, b"no JSON at all"), Ok(None)), "{name}");
    }
}

#[test]
fn what_is_read_is_what_stands_there() {
    let file = SegmentName::parse(b"00000000000000000007.2026-01-02.audit.jsonl").unwrap();
    let digest = |digit| Digest::from_hex(hash(digit).as_bytes()).unwrap();
    let read = |name| parse(&good_form(name)).unwrap().unwrap();
    let Lifecycle::SegmentOpened(opened) = read("segment_opened") else { panic!("another type") };
    assert_eq!(opened.frontier(), [digest('a'), digest('b')]);
    let previous = opened.previous.unwrap();
    assert_eq!((previous.file(), previous.last_seq, previous.last_hash()), (file, 9, digest('f')));
    assert_eq!(opened.log_id.0.to_string(), "c".repeat(32));
    let Lifecycle::LogRecovered(found) = read("log_recovered") else { panic!("another type") };
    assert_eq!((found.file(), found.sha256()), (file, digest('c')));
    assert_eq!((found.offset, found.bytes, found.valid_records), (9, 5, 1));
    let Lifecycle::LogOpened(opened) = read("log_opened") else { panic!("another type") };
    assert_eq!((opened.writer.as_str(), opened.unsynced_max_bytes), ("audit-writer 0.1.0", 1_024));
    assert_eq!((opened.host.as_deref(), opened.pid), (Some("queen-1"), Some(7)));
    let Lifecycle::EventsLost(lost) = read("events_lost") else { panic!("another type") };
    assert_eq!((lost.count, lost.critical_count, lost.reason), (3, 1, LossReason("queue_full")));
    let Lifecycle::SegmentMissing(missing) = read("segment_missing") else {
        panic!("another type")
    };
    assert_eq!((missing.file(), missing.first_seq, missing.last_seq), (file, 7, 9));
    assert_eq!(missing.reason, MissingReason("unlinked"));
    let Lifecycle::SegmentsPruned(pruned) = read("segments_pruned") else { panic!("another type") };
    assert_eq!((pruned.last_seq, pruned.last_hash()), (9, digest('a')));
    assert_eq!(pruned.frontier(), [digest('a'), digest('b')]);
    let another = SegmentName::of_record(8, "2026-01-02T00:00:00.000000002Z").unwrap();
    assert!(pruned.names(file) && !pruned.names(another));
    let Lifecycle::DamageFound(damage) = read("damage_found") else { panic!("another type") };
    assert_eq!((damage.file.as_str(), damage.offset), (&*file.to_string(), 3));
    assert_eq!(damage.code, "hash_mismatch");
    let changed = read("format_changed");
    assert!(matches!(changed, Lifecycle::FormatChanged(FormatChanged { to: 2 })), "{changed:?}");
    assert!(matches!(read("log_closed"), Lifecycle::LogClosed));
}

#[test]
fn what_is_read_of_seals_is_what_stands_there() {
    let digest = |digit| Digest::from_hex(hash(digit).as_bytes()).unwrap();
    let read = |name| parse(&good_form(name)).unwrap().unwrap();
    let Lifecycle::SegmentOpened(opened) = read("segment_opened") else { panic!("another type") };
    assert_eq!((opened.unsynced_max_bytes, opened.sealed_from), (Some(512), Some(3)));
    assert_eq!(opened.key, Some(SegmentKey { vkey: "k".to_owned(), since: 4 }));
    assert_eq!(opened.pruned, Some(NewestPrune::new(8, 2, digest('b'))));
    let Lifecycle::LogCopied(copied) = read("log_copied") else { panic!("another type") };
    assert_eq!(opened.place.as_ref(), Some(copied.from()));
    let Lifecycle::LogRecovered(found) = read("log_recovered") else { panic!("another type") };
    assert_eq!(found.kind, TailKind::Torn);
    let Lifecycle::LogOpened(opened) = read("log_opened") else { panic!("another type") };
    assert_eq!((opened.vkey.as_deref(), opened.is_unsigned()), (Some("k"), true));
    let Lifecycle::RecordsAdopted(adopted) = read("records_adopted") else {
        panic!("another type")
    };
    assert_eq!((adopted.first_seq, adopted.last_seq, adopted.begins), (3, 9, 1));
    assert_eq!(adopted.why, AdoptionReason::OtherKey);
    let Lifecycle::SegmentMissing(missing) = read("segment_missing") else {
        panic!("another type")
    };
    assert_eq!(missing.text.as_deref(), Some("a disk"));
    let Lifecycle::SegmentsPruned(pruned) = read("segments_pruned") else { panic!("another type") };
    assert_eq!(pruned.after(), Some((6, digest('c'))));
    assert!(pruned.is_exact());
}

#[test]
fn the_files_of_a_deletion_reach_without_a_gap_to_its_last_record() {
    let name = |seq: u64| format!("{seq:020}.2026-01-02.audit.jsonl");
    let pruned = |after: Option<u64>, files: &[(u64, Option<u64>)], last: u64| {
        let mut event = with(&good_form("segments_pruned"), "/last_seq", last);
        event["files"] = Value::Array(Vec::new());
        for (first, last) in files {
            let mut file = json!({"name": name(*first), "size": 1, "sha256": hash('b')});
            if let Some(last) = last {
                file["last_seq"] = (*last).into();
            }
            event["files"].as_array_mut().unwrap().push(file);
        }
        match after {
            None => drop(event.as_object_mut().unwrap().remove("after")),
            Some(last) => event["after"]["last_seq"] = last.into(),
        }
        let Ok(Some(Lifecycle::SegmentsPruned(pruned))) = parse(&event) else { panic!("{event}") };
        pruned.is_without_gap()
    };
    assert!(pruned(None, &[(0, Some(4))], 4));
    assert!(pruned(None, &[(0, Some(4)), (5, Some(5)), (6, Some(9))], 9));
    assert!(pruned(Some(4), &[(5, Some(9))], 9));
    for (after, files, last) in [
        (None, &[][..], 0),
        (None, &[(0, Some(4))], 5),
        (None, &[(0, Some(4))], 3),
        (None, &[(0, None)], 4),
        (None, &[(1, Some(4))], 4),
        (None, &[(0, Some(4)), (6, Some(9))], 9),
        (None, &[(0, Some(4)), (4, Some(9))], 9),
        (None, &[(5, Some(9)), (0, Some(4))], 9),
        (Some(4), &[(0, Some(9))], 9),
        (Some(4), &[(6, Some(9))], 9),
        (Some(4), &[], 4),
        (Some(4), &[(5, Some(3))], 3),
        (Some(u64::MAX), &[(0, Some(9))], 9),
    ] {
        assert!(!pruned(after, files, last), "{after:?} {files:?} {last}");
    }
}

#[test]
fn every_own_event_of_the_shared_table_is_judged_as_it_says() {
    let mut scratch = Scratch::default();
    for own in own_events() {
        let event = json::event(own.event.as_bytes(), &mut scratch).unwrap();
        let event_type = std::str::from_utf8(event.event_type).unwrap();
        let parsed = Lifecycle::parse(event_type, own.event.as_bytes());
        let is_well_formed = matches!(parsed, Ok(Some(_)));
        assert_eq!(is_well_formed, own.is_well_formed, "{}: {parsed:?}", own.name);
    }
}

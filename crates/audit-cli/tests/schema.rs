//! What the command prints fits the schemas that it prints, and what it refuses does not.

#![expect(clippy::unwrap_used, reason = "a test fails")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use audit_core::AuditEvent;
use audit_core::digest::leaf_hash;
use audit_core::lifecycle::LIFECYCLE_TYPES;
use audit_verify::{MemorySource, VerifyOptions, verify_source};
use common::{Log, audit, events, shared_data};
use jsonschema::Validator;
use serde_json::{Value, json};

const HEX: &str = "dd59e59173464ee3e30d4bd89cbf7e937d5e978cd5452591644584afeca33ce4";
const SEAL: &str = "oTDGbuV4-xAgPcP6ZKWYxw";
const SEGMENT: &str = "00000000000000000000.2026-01-02.audit.jsonl";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The verifier's corpus.
fn corpus() -> PathBuf {
    root().join("crates/audit-verify/tests/fixtures")
}

fn printed(name: &str) -> String {
    let done = audit(&["schema", name], "");
    assert_eq!(done.status.code(), Some(0), "{}", common::told(&done));
    String::from_utf8(done.stdout).unwrap()
}

fn schema(name: &str) -> Validator {
    let schema = serde_json::from_str(&printed(name)).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    let options = jsonschema::options().should_validate_formats(true);
    options.build(&schema).unwrap()
}

fn fits(schema: &Validator, value: &Value, told: &str) {
    let errors: Vec<_> = schema.iter_errors(value).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0], "{told}");
}

/// How many lines of a log there are, all of which have to fit.
fn records_fit(schema: &Validator, text: &str) -> usize {
    let lines = text.lines().map(|line| (line, serde_json::from_str(line).unwrap()));
    lines.inspect(|(line, record)| fits(schema, record, line)).count()
}

fn example_events() -> String {
    fs::read_to_string(root().join("examples/events.jsonl")).unwrap()
}

#[test]
fn the_published_schemas_are_what_the_command_prints() {
    let published = root().join("docs/schema");
    let names: Vec<_> = fs::read_dir(&published).unwrap().collect();
    assert_eq!(names.len(), 2);
    for name in ["record", "verify-report"] {
        let text = fs::read_to_string(published.join(format!("{name}.json"))).unwrap();
        assert!(text == printed(name), "`cargo xtask fixtures` writes docs/schema anew");
    }
}

#[test]
fn every_record_of_the_examples_and_of_another_implementation_fits() {
    let schema = schema("record");
    let log = Log::new();
    log.record(&format!("{}not an event\n", example_events()), &["--rotate", "size:9000"]);
    log.record(&events(3), &[]);
    assert!(records_fit(&schema, &log.text()) > 60);
    if let Some(data) = shared_data() {
        assert_eq!(records_fit(&schema, &Log::copy_of(&data.join("golden")).text()), 1_048);
        assert_eq!(records_fit(&schema, &Log::copy_of(&data.join("golden-sealed")).text()), 24);
    }
}

#[test]
fn every_record_of_a_whole_log_of_the_corpus_fits() {
    let schema = schema("record");
    let mut records = 0_usize;
    for entry in fs::read_dir(corpus()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        // What a crash left is no record, and was accounted for.
        if path.is_dir() && name.starts_with("whole-") && !name.contains("recovered") {
            for file in fs::read_dir(&path).unwrap().map(|file| file.unwrap().path()) {
                if file.extension().is_some_and(|extension| extension == "jsonl") {
                    let text = fs::read_to_string(file).unwrap();
                    records = records.saturating_add(records_fit(&schema, &text));
                }
            }
        }
    }
    assert!(records > 70, "{records}");
}

#[test]
fn values_that_were_too_large_fit_as_what_stands_for_them() {
    let schema = schema("record");
    let many: Vec<_> = (0..90).map(|number| format!("{number}{}", "x".repeat(900))).collect();
    let large = || (0..9).map(|number| (format!("k{number}"), json!("x".repeat(8_000))));
    let with_large = |mut event: Value| {
        event.as_object_mut().unwrap().extend(large());
        event
    };
    let granted = |more: &str| {
        json!({
            "event_type": "permission_changed", "timestamp": "2026-01-02T03:04:05+02:00",
            "actor": with_large(json!({ "user_id": "u", "auth_method": "smart card" })),
            "subject": "s", "old_permissions": many, "new_permissions": ["\u{7}"], (more): 1,
        })
    };
    // Too much for a record altogether.
    let too_much = |event_type: &str| {
        with_large(json!({
            "event_type": event_type, "timestamp": "2026-01-02T03:04:05Z",
            "shard_id": "s", "worker_id": "w",
        }))
    };
    let events =
        [granted("x"), granted("oversized"), too_much("unheard_of"), too_much("seal_verified")];
    let input = events.map(|event| format!("{event}\n")).concat();
    let log = Log::new();
    let done = log.record(&input, &[]);
    assert_eq!(done.status.code(), Some(0), "{}", common::told(&done));
    let text = log.text();
    assert!(text.contains(
        r#""event_type":"seal_verified","timestamp":"2026-01-02T03:04:05Z","oversized""#
    ));
    assert!(text.contains(r#""actor":{"oversized""#) && text.contains(r#""sanitized":[""]"#));
    assert_eq!(records_fit(&schema, &text), 7);
}

/// What may stand in the place of a member.
fn replacements() -> Vec<Option<Value>> {
    let values =
        [json!(null), json!(true), json!(-5), json!(1.5), json!(7), json!("no time"), json!([])];
    let more = [json!(["x"]), json!({}), json!({ "x": 1 })];
    [None].into_iter().chain(values.into_iter().chain(more).map(Some)).collect()
}

/// The event with each of its members in turn taken out or replaced.
fn mutants(event: &Value) -> Vec<Value> {
    let members = event.as_object().unwrap();
    let others = members.keys().filter(|name| *name != "event_type");
    let mutant = |name: &String, value: &Option<Value>| {
        let mut mutant = members.clone();
        match value {
            Some(value) => mutant.insert(name.clone(), value.clone()),
            None => mutant.shift_remove(name),
        };
        Value::Object(mutant)
    };
    others
        .flat_map(|name| replacements().iter().map(|value| mutant(name, value)).collect::<Vec<_>>())
        .collect()
}

/// A record of the event, but for its hashes.
fn record_of(event: &Value) -> Value {
    json!({
        "v": 1, "seq": 2, "audit_id": "audit-web.shop-1-0000000000000002",
        "timestamp": "2026-01-02T03:04:05.000000000Z", "service_id": "web.shop-1",
        "event": event, "prev_hash": HEX, "seal": SEAL, "hash": HEX,
    })
}

#[test]
fn an_event_fits_if_and_only_if_it_is_recorded() {
    let schema = schema("record");
    let samples: BTreeMap<String, Value> = example_events()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|event| (event["event_type"].as_str().unwrap().to_owned(), event))
        .collect();
    for row in AuditEvent::TABLE {
        assert!(samples.contains_key(row.event_type), "{}", row.event_type);
    }
    let mutants: Vec<Value> = samples.values().flat_map(mutants).collect();
    let input = mutants.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    let log = Log::new();
    let done = log.record(&input, &["--receipts"]);
    let receipts = String::from_utf8(done.stdout).unwrap();
    let refused: Vec<usize> =
        receipts.lines().filter_map(|line| line.split_once(" refused ")?.0.parse().ok()).collect();
    assert!(refused.len() > 500 && refused.len() < mutants.len());
    for (line, event) in (1..).zip(&mutants) {
        let is_recorded = !refused.contains(&line);
        assert_eq!(schema.is_valid(&record_of(event)), is_recorded, "{event}");
    }
    records_fit(&schema, &log.text());
}

/// A place on a file system.
fn place(inode: u32) -> Value {
    let file = json!({ "inode": inode, "born": "2026-01-02T00:00:00.000000000Z" });
    json!({ "dir": file, "file": file })
}

/// One of each event that only a writer adds, with all of its members.
fn writers_events() -> Vec<Value> {
    vec![
        json!({
            "event_type": "checkpoint_signed", "size": 7,
            "root": "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=", "key_id": "0c20",
        }),
        json!({
            "event_type": "clock_stepped", "from": "2026-01-02T00:00:00.000000000Z",
            "to": "2027-01-02T00:00:00.000000000Z",
        }),
        json!({ "event_type": "damage_found", "file": "x", "offset": 7, "code": "hash_mismatch" }),
        json!({ "event_type": "disk_full", "available_bytes": 7 }),
        json!({
            "event_type": "events_lost", "count": 7, "critical_count": 7, "reason": "refused",
            "first": "2026-01-02T00:00:00.000000000Z", "last": "2026-01-02T00:00:00.000000000Z",
            "sha256": HEX,
        }),
        json!({ "event_type": "format_changed", "to": 2 }),
        json!({
            "event_type": "key_changed", "old_vkey": "a", "new_vkey": "b", "old_signature": "c",
            "new_signature": "d",
        }),
        json!({ "event_type": "log_closed" }),
        json!({ "event_type": "log_copied", "from": place(7), "to": place(8) }),
        json!({
            "event_type": "log_opened", "writer": "w", "flush_mode": "f", "unsynced_max_bytes": 7,
            "host": "h", "pid": 7, "boot_id": "b", "vkey": "v", "storage": "volatile",
            "unsigned": true,
        }),
        json!({
            "event_type": "log_recovered", "file": SEGMENT, "offset": 7, "bytes": 7, "sha256": HEX,
            "valid_records": 7, "kind": "unsealed",
        }),
        json!({
            "event_type": "records_adopted", "first_seq": 0, "last_seq": 7, "begins": 0,
            "why": "before_seals",
        }),
        json!({
            "event_type": "segment_missing", "file": SEGMENT, "first_seq": 0, "last_seq": 7,
            "last_hash": HEX, "reason": "acknowledged", "text": "t",
        }),
        json!({
            "event_type": "segment_opened", "log_id": &HEX[..32], "merkle_frontier": [HEX],
            "previous": { "file": SEGMENT, "last_seq": 7, "last_hash": HEX },
            "continues": { "log_id": &HEX[..32], "head": format!("7:{HEX}") },
            "unsynced_max_bytes": 7, "key": { "vkey": "v", "since": 0 }, "sealed_from": 0,
            "pruned": { "seq": 7, "last_seq": 3, "last_hash": HEX }, "place": place(7),
        }),
        json!({
            "event_type": "segments_pruned", "first_seq": 0, "last_seq": 7, "last_hash": HEX,
            "merkle_frontier": [HEX],
            "files": [{ "name": SEGMENT, "size": 7, "sha256": HEX, "last_seq": 7 }],
            "reason": "old", "after": { "last_seq": 3, "last_hash": HEX },
            "before": "2026-01-02T00:00:00.000000000Z",
        }),
    ]
}

/// Whether the verifier calls the form of the event, in a record with a right hash, good.
fn verifier_accepts(event: &Value) -> bool {
    let body = format!(
        r#"{{"v":1,"seq":0,"audit_id":"audit-w-0000000000000000","timestamp":"2026-01-02T00:00:00.000000000Z","service_id":"w","event":{event},"prev_hash":"{}""#,
        audit_core::Digest::ZERO
    );
    let line = format!("{body},\"hash\":\"{}\"}}\n", leaf_hash(body.as_bytes()));
    let files = BTreeMap::from([(SEGMENT.to_owned(), line.into_bytes())]);
    let report =
        verify_source(&MemorySource::new(files), &VerifyOptions::default(), &mut |_| ()).unwrap();
    assert_eq!(report.records, 1, "{report}");
    report.findings.iter().all(|finding| finding.code.as_str() != "lifecycle_malformed")
}

#[test]
fn an_event_of_the_writer_fits_if_and_only_if_the_verifier_accepts_its_form() {
    let schema = schema("record");
    let events = writers_events();
    let types: Vec<_> = events.iter().map(|event| event["event_type"].as_str().unwrap()).collect();
    assert_eq!(types, LIFECYCLE_TYPES);
    for event in &events {
        assert!(verifier_accepts(event), "{event}");
        fits(&schema, &record_of(event), "");
        for mutant in mutants(event) {
            let is_valid = schema.is_valid(&record_of(&mutant));
            assert_eq!(is_valid, verifier_accepts(&mutant), "{mutant}");
        }
    }
}

#[test]
fn a_record_that_lacks_a_member_or_has_another_does_not_fit() {
    let schema = schema("record");
    let record = record_of(&json!({ "event_type": "unheard_of" }));
    fits(&schema, &record, "");
    for name in record.as_object().unwrap().keys() {
        let mut without = record.clone();
        without.as_object_mut().unwrap().shift_remove(name);
        assert_eq!(schema.is_valid(&without), name == "seal", "{name}");
        let mut other = record.clone();
        other[name] = json!({});
        assert!(!schema.is_valid(&other), "{name}");
    }
    // Its last digit has bits that are not used, and are zero.
    for seal in ["", &SEAL[1..], &SEAL.replace('w', "x"), &SEAL.replace('-', "+")] {
        let mut other = record.clone();
        other["seal"] = json!(seal);
        assert!(!schema.is_valid(&other), "{seal}");
    }
    for (name, value) in [("sanitized", json!([])), ("sanitized", json!(["a"])), ("x", json!(1))] {
        let mut more = record.clone();
        more[name] = value;
        assert!(!schema.is_valid(&more), "{more}");
    }
}

#[test]
fn every_report_fits() {
    let schema = schema("verify-report");
    let report = |log: &Log, more: &[&str]| {
        let done = log.verify(&[&["--format", "json"], more].concat());
        let report: Value = serde_json::from_slice(&done.stdout).unwrap();
        fits(&schema, &report, "");
        report["verdict"].as_str().unwrap().to_owned()
    };
    let log = Log::new();
    log.record(&example_events(), &[]);
    assert_eq!(report(&log, &[]), "consistent");
    assert_eq!(report(&log, &["--head", &format!("999:{HEX}")]), "truncated");
    assert_eq!(report(&log, &["--head", &format!("5:{HEX}")]), "tampered");
    let nothing = Log::new();
    fs::create_dir(nothing.path()).unwrap();
    assert_eq!(report(&nothing, &[]), "unverifiable");

    let mut expected = 0_usize;
    for entry in fs::read_dir(corpus()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let report = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            fits(&schema, &report, path.to_str().unwrap());
            expected = expected.saturating_add(1);
        }
    }
    assert!(expected > 70, "{expected}");
}

#[test]
fn a_report_that_lacks_a_member_or_has_an_unknown_word_does_not_fit() {
    let schema = schema("verify-report");
    let log = Log::new();
    log.record(&events(3), &[]);
    fs::write(format!("{}/other", log.path()), "").unwrap();
    let done = log.verify(&["--format", "json", "--head", &format!("5:{HEX}")]);
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    fits(&schema, &report, "");
    for name in report.as_object().unwrap().keys() {
        let mut without = report.clone();
        without.as_object_mut().unwrap().shift_remove(name);
        assert!(!schema.is_valid(&without), "{name}");
    }
    for path in ["/verdict", "/head", "/root", "/findings/0/code", "/notices/0/code"] {
        let mut other = report.clone();
        *other.pointer_mut(path).unwrap() = json!("unheard of");
        assert!(!schema.is_valid(&other), "{path}");
    }
}

//! Hostile input through the built command: what an attacker, a broken program or a random number
//! generator writes into a line.

#![expect(clippy::arithmetic_side_effects, reason = "numbers in tests are small")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of tests fails where it stands"
)]

mod common;
#[expect(dead_code, reason = "other tests need more of it")]
#[path = "../../audit-validate/tests/hostile/corpus.rs"]
mod corpus;
#[path = "../../audit-validate/tests/hostile/read_back.rs"]
mod read_back;
#[path = "../../audit-validate/tests/hostile/says.rs"]
mod says;

use std::fs::{self, File};
use std::io::Read as _;
use std::process::Output;

use audit_core::limits::INPUT_LINE_BYTES_MAX;
use audit_core::{Digest, is_hostile};
use common::{Log, audit, audit_bytes, told};
use serde_json::Value;

use read_back::{events, records};
use says::{assert_says, assert_tells};

/// What `audit` prints, on both its streams, has lines and nothing else that is hostile.
#[track_caller]
fn assert_prints_nothing_hostile(done: &Output) {
    for stream in [&done.stdout, &done.stderr] {
        let text = str::from_utf8(stream).unwrap();
        let raw = text.chars().find(|&c| is_hostile(c) && c != '\n');
        assert_eq!(raw, None, "{text:.400}");
    }
}

/// Records lines; each output is looked at, and the log has to verify, in either format, with as
/// many critical events. Returns what was told.
#[track_caller]
fn recorded(log: &Log, input: &[u8], critical: u64) -> String {
    let args = ["record", "--dir", log.path(), "--service", "web.shop-1", "--receipts"];
    let done = audit_bytes(&args, input);
    assert_prints_nothing_hostile(&done);
    let verified = log.verify(&[]);
    assert_prints_nothing_hostile(&verified);
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stdout));
    let verified = log.verify(&["--format", "json"]);
    assert_prints_nothing_hostile(&verified);
    assert_shown(log);
    let report: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!(report["critical"].as_u64(), Some(critical));
    told(&done)
}

/// Each record is shown on one line, in either format.
#[track_caller]
fn assert_shown(log: &Log) {
    for format in ["human", "json"] {
        let shown = audit(&["show", log.path(), "--format", format, "--width", "full"], "");
        assert_prints_nothing_hostile(&shown);
        assert_eq!(shown.status.code(), Some(0), "{}", told(&shown));
        assert_eq!(str::from_utf8(&shown.stdout).unwrap().lines().count(), all_records(log).len());
    }
}

fn all_events(log: &Log) -> Vec<(Value, Value)> {
    log.segments().iter().flat_map(|path| events(&fs::read(path).unwrap())).collect()
}

fn all_records(log: &Log) -> Vec<(Value, Value)> {
    log.segments().iter().flat_map(|path| records(&fs::read(path).unwrap())).collect()
}

/// The bytes of a text as JSON writes them.
fn quoted(text: &[u8]) -> Vec<u8> {
    let byte = |byte: &u8| match byte {
        b'"' | b'\\' => vec![b'\\', *byte],
        0..=0x1f => format!("\\u{byte:04x}").into_bytes(),
        byte => vec![*byte],
    };
    [b"\"".to_vec(), text.iter().flat_map(byte).collect(), b"\"".to_vec()].concat()
}

/// A critical event that has a text in four places.
fn failure(text: &[u8]) -> Vec<u8> {
    let text = quoted(text);
    let parts: [&[u8]; 9] = [
        br#"{"event_type":"auth_failure","timestamp":"2026-01-02T03:04:05Z","attempted_user":"#,
        &text,
        br#","reason":"#,
        &text,
        br#","ip":"#,
        &text,
        br#","path":"#,
        &text,
        br#","service_id":"web"}"#,
    ];
    parts.concat()
}

/// An event that nobody knows, with a text as its type, as a key and as a value.
fn unknown(text: &[u8]) -> Vec<u8> {
    let (text, event_type) = (quoted(text), quoted(&[b"x.", text].concat()));
    let parts: [&[u8]; 7] =
        [b"{\"event_type\":", &event_type, b",\"m\":{", &text, b":", &text, b"}}"];
    parts.concat()
}

#[test]
fn the_whole_corpus_is_recorded_says_what_it_was_and_is_printed_nowhere() {
    let log = Log::new();
    // But for two texts that are longer than a line may be, four times over and escaped.
    let fits = |text: &Vec<u8>| failure(text).len() <= INPUT_LINE_BYTES_MAX;
    let corpus: Vec<_> = corpus::corpus().into_iter().filter(fits).collect();
    let lines = corpus.iter().flat_map(|text| [failure(text), unknown(text)]);
    let told = recorded(&log, &lines.collect::<Vec<_>>().join(&b'\n'), 1_198);
    assert!(told.contains("recorded 2396 events (1198 critical), refused 0\n"), "{told}");
    let all = all_events(&log);
    for (text, events) in corpus.iter().zip(all.chunks(2)) {
        let [(failure, _), (unknown, _)] = events else { panic!("two events a text") };
        for member in ["attempted_user", "reason", "ip", "path"] {
            assert_says(failure[member].as_str().unwrap(), text);
        }
        let event_type = [b"x.", text.as_slice()].concat();
        assert_says(unknown["event_type"].as_str().unwrap(), &event_type);
        if let Ok(text) = str::from_utf8(text) {
            assert_tells(&unknown["m"], &serde_json::json!({ text: text }));
        } else {
            let (key, value) = unknown["m"].as_object().unwrap().iter().next().unwrap();
            assert_says(key, text);
            assert_says(value.as_str().unwrap(), text);
        }
    }
}

#[test]
fn a_key_or_a_name_that_is_hostile_is_refused_or_shown_and_never_printed_raw() {
    let log = Log::new();
    let twice = corpus::corpus().into_iter().map(|text| {
        let key = quoted(&text);
        [b"{\"event_type\":\"x\",".as_slice(), &key, b":1,", &key, b":2}"].concat()
    });
    let told = recorded(&log, &twice.collect::<Vec<_>>().join(&b'\n'), 0);
    assert!(told.contains("recorded 0 events (0 critical), refused 1200\n"), "{told}");

    let log = Log::new();
    let named = corpus::corpus().into_iter().map(|text| {
        let name = quoted(&text);
        let head = br#"{"event_type":"custom","critical":true,"attributes":{},"timestamp":"2026-01-02T03:04:05Z","name":"#;
        [head.as_slice(), &name, b"}"].concat()
    });
    let told = recorded(&log, &named.collect::<Vec<_>>().join(&b'\n'), 1_200);
    assert!(told.contains("recorded 1200 events (1200 critical), refused 0\n"), "{told}");
}

#[test]
fn a_log_with_hostile_names_and_bytes_is_reported_without_them() {
    let log = Log::new();
    log.record(&common::events(3), &[]);
    let path = log.segments()[0].clone();
    let clean = fs::read(&path).unwrap();
    for text in corpus::corpus() {
        let mut bytes = clean.clone();
        bytes.extend([&text, b"\n".as_slice()].concat());
        fs::remove_file(&path).unwrap();
        fs::write(&path, bytes).unwrap();
        let named: String = String::from_utf8_lossy(&text).chars().take(40).collect();
        let name = log.segments()[0]
            .with_file_name(format!("{}.audit.jsonl", named.replace(['/', '\0'], "_")));
        fs::write(&name, b"").unwrap();
        for format in ["human", "json"] {
            let done = audit(&["verify", log.path(), "--format", format], "");
            assert_prints_nothing_hostile(&done);
            assert_ne!(done.status.code(), Some(0));
        }
        let done = audit(&["show", log.path()], "");
        assert_prints_nothing_hostile(&done);
        assert_ne!(done.status.code(), Some(0));
        fs::remove_file(&name).unwrap();
    }
}

#[test]
fn too_much_is_recorded_marked_and_stays_critical() {
    let log = Log::new();
    let digits = "1234567890".repeat(6);
    let big = format!(
        "{{{}}}",
        (0..3_000)
            .map(|key| format!("\"k{key}\":\"{}\"", "v".repeat(100)))
            .collect::<Vec<_>>()
            .join(",")
    );
    let items = format!("[{}]", vec!["\"\\n\""; 10_000].join(","));
    let deep = format!("{}\"\\u001b\"{}", "[".repeat(500), "]".repeat(500));
    let controls = format!("\"{}\"", "\\u0007".repeat(8_192));
    let values = [big, items, deep, controls, digits.clone()];
    let mut lines: Vec<String> = values.iter().flat_map(|value| [
        format!(r#"{{"event_type":"custom","name":"a.b","timestamp":"2026-01-02T03:04:05Z","critical":true,"attributes":{{"k":{value}}}}}"#),
        format!(r#"{{"event_type":"invalid_token_used","timestamp":"2026-01-02T03:04:05Z","ip":"::1","token_prefix":"t","endpoint":"/","more":{value}}}"#),
        format!(r#"{{"event_type":"unheard_of","k":{value}}}"#),
    ]).collect();
    // So much in each member, and so many of them, that only type and digest are left.
    let members: Vec<_> = (0..12).map(|index| format!(r#""m{index}":{}"#, values[3])).collect();
    lines.push(format!(
        r#"{{"event_type":"custom","name":"a.b","timestamp":"2026-01-02T03:04:05Z","critical":true,"attributes":{{}},{}}}"#,
        members.join(",")
    ));
    let told = recorded(&log, lines.join("\n").as_bytes(), 11);
    assert!(told.contains("recorded 16 events (11 critical), refused 0\n"), "{told}");

    let all = all_events(&log);
    for (event, marks) in &all[..12] {
        assert!(marks.as_array().is_some_and(|marks| !marks.is_empty()), "{event:.200}");
    }
    for (event, marks) in &all[12..15] {
        assert!(marks.is_null());
        assert!(event.to_string().contains(&digits));
    }
    let (event, marks) = &all[15];
    assert_eq!(marks, &serde_json::json!([""]));
    assert_eq!(event["critical"], true);
    assert!(event["oversized"]["bytes"].as_u64().unwrap() > 65_535);
}

/// Lines that are no events, and where they stand.
fn with_events_between(bad: &[Vec<u8>]) -> Vec<u8> {
    let one = |(number, bad): (usize, &Vec<u8>)| {
        let good = format!("\n{{\"event_type\":\"good\",\"number\":{number}}}\n");
        [bad.as_slice(), good.as_bytes()].concat()
    };
    bad.iter().enumerate().flat_map(one).collect()
}

/// Every bad line is refused by its number and declared with its digest, in its place; every good
/// one is there.
#[track_caller]
fn assert_refused_and_declared(bad: &[Vec<u8>], origin: &str) {
    let log = Log::new();
    let told = recorded(&log, &with_events_between(bad), 0);
    let summary = format!("recorded {0} events (0 critical), refused {0}\n", bad.len());
    assert!(told.contains(&summary), "{origin}: {told:.4000}");
    let own = |(event, _): &(Value, Value)| {
        ["good", "events_lost"].iter().any(|&kept| event["event_type"] == kept)
    };
    let all: Vec<_> = all_records(&log).into_iter().filter(own).collect();
    assert_eq!(all.len(), bad.len() * 2, "{origin}");
    for (number, (bad, pair)) in bad.iter().zip(all.chunks(2)).enumerate() {
        let line = format!("audit: line {} refused: ", number * 2 + 1);
        assert!(told.contains(&line), "{origin}: {line}");
        let [(lost, _), (good, _)] = pair else { panic!("a loss and an event") };
        assert_eq!(lost["event_type"], "events_lost", "{origin}: {number}");
        assert_eq!(lost["count"], 1);
        assert_eq!(lost["sha256"], Digest::of(bad).to_string(), "{origin}: {number}");
        assert_eq!(good["number"], number, "{origin}");
    }
}

/// Splits bytes into lines of some length that no reader takes for blank.
fn lines_of(bytes: &[u8]) -> Vec<Vec<u8>> {
    let without_lf: Vec<u8> = bytes.iter().copied().filter(|&byte| byte != b'\n').collect();
    without_lf.chunks(97).map(|chunk| [b"x", chunk].concat()).collect()
}

#[test]
fn random_lines_are_refused_by_number_and_the_events_between_them_are_kept() {
    let mut state = 7_u64;
    let mut random = || {
        // The finaliser of splitmix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)).to_le_bytes()[0]
    };
    let bytes: Vec<u8> = (0..200_000).map(|_| random()).collect();
    assert_refused_and_declared(&lines_of(&bytes), "seed 7");
}

#[test]
fn lines_of_urandom_are_refused_by_number_and_the_events_between_them_are_kept() {
    let mut bytes = vec![0; 20_000];
    File::open("/dev/urandom").unwrap().read_exact(&mut bytes).unwrap();
    let hex: String = bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from_digit(digit.into(), 16).unwrap())
        .collect();
    assert_refused_and_declared(&lines_of(&bytes), &hex);
}

#[test]
fn truncated_events_are_refused_by_number_and_the_events_between_them_are_kept() {
    let whole = failure("caf\u{e9} \u{1f600}".as_bytes());
    let bad: Vec<Vec<u8>> = (1..whole.len()).map(|length| whole[..length].to_vec()).collect();
    assert_refused_and_declared(&bad, "truncated");
}

#[test]
fn half_a_sequence_and_a_line_of_two_mebibytes_are_refused_or_kept_by_what_they_are() {
    let no_event = vec![b'x'; 2 << 20];
    let long_event = failure("\u{1b}".repeat(400_000).as_bytes());
    let half_outside = b"{\"event_type\":\"x\"}\xf0\x9f".to_vec();
    let unended = b"{\"event_type\":\"x\",\"k\":\"\xe2\x82".to_vec();
    assert_refused_and_declared(&[no_event, long_event, half_outside, unended], "long");
    // Half a sequence within a text is evidence, and no reason to refuse.
    let log = Log::new();
    let told = recorded(&log, &failure(b"a\xf0\x9f"), 1);
    assert!(told.contains("recorded 1 event (1 critical), refused 0\n"), "{told}");
    assert_says(all_events(&log)[0].0["path"].as_str().unwrap(), b"a\xf0\x9f");
}

#[test]
fn lines_refused_in_a_row_and_at_the_end_are_declared_together() {
    let log = Log::new();
    let bad: [&[u8]; 3] = [b"\xff\xfe", b"{\"event_type\":\"log_closed\"}", b"[\x1b"];
    recorded(&log, &bad.join(&b'\n'), 0);
    let all = all_records(&log);
    let lost: Vec<_> =
        all.iter().filter(|(event, _)| event["event_type"] == "events_lost").collect();
    assert_eq!(lost.len(), 1);
    assert_eq!(lost[0].0["count"], 3);
    let digests: Vec<u8> = bad.iter().flat_map(|line| *Digest::of(line).as_bytes()).collect();
    assert_eq!(lost[0].0["sha256"], Digest::of(&digests).to_string());
}

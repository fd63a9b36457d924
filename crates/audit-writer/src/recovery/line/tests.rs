//! Records with a right hash, and lines with one that are none.

use super::*;

const GOLDEN: &str = r#"{"v":1,"seq":0,"audit_id":"audit-sshd.LabSZ-0000000000000000","timestamp":"2026-01-02T00:00:00.000000000Z","service_id":"sshd.LabSZ","event":{"event_type":"segment_opened","log_id":"dd56de4137951d9c92681b03416ec15f","merkle_frontier":[]},"prev_hash":"0000000000000000000000000000000000000000000000000000000000000000","hash":"2e5664b109192772a9de09331df5df6123ea95732979c8affa07df38371c0e9e"}"#;

/// The line of a body, whose hash is right.
fn hashed(body: &[u8]) -> Vec<u8> {
    let hash = leaf_hash(body).to_hex();
    [body, HASH_FIELD_START, &hash, HASH_FIELD_END].concat()
}

fn golden_with(right: &str, wrong: &str) -> Vec<u8> {
    let (body, _) = GOLDEN.split_once(r#","hash":"#).unwrap();
    let changed = body.replacen(right, wrong, 1);
    assert!(changed != body || right == wrong, "{right}");
    hashed(changed.as_bytes())
}

#[test]
fn a_record_by_another_implementation_is_taken_apart() {
    let line = Line::parse(GOLDEN.as_bytes()).unwrap();
    assert_eq!((line.seq, line.service_id), (0, "sshd.LabSZ"));
    assert_eq!(line.timestamp, "2026-01-02T00:00:00.000000000Z");
    assert_eq!(line.hash.to_string(), GOLDEN[GOLDEN.len() - 66..GOLDEN.len() - 2]);
    assert!(line.is("segment_opened") && line.segment_opened().is_some());
    assert!(line.sealed.is_none());
}

#[test]
fn a_record_may_have_a_seal_of_one_form() {
    let event = r#"{"event_type":"a"}"#;
    let record = r#"{"event_type":"segment_opened","log_id":"dd56de4137951d9c92681b03416ec15f","merkle_frontier":[]}"#;
    let with = |after: &str| {
        let (body, _) = GOLDEN.split_once(r#","hash":"#).unwrap();
        hashed(format!("{}{after}", body.replace(record, event)).as_bytes())
    };
    assert!(Line::parse(&with("")).unwrap().sealed.is_none());
    let sealed = with(r#","seal":"oTDGbuV4pxAgPcP6ZKWYxw""#);
    let seal = Line::parse(&sealed).unwrap().sealed.unwrap();
    assert_eq!(seal.seal.to_text(), *b"oTDGbuV4pxAgPcP6ZKWYxw");
    let unsealed = with("");
    assert_eq!(seal.digest(), Line::parse(&unsealed).unwrap().hash);
    for wrong in [
        r#","seal":"oTDGbuV4pxAgPcP6ZKWYxx""#,
        r#","seal":"oTDGbuV4pxAgPcP6ZKWYx""#,
        r#","seal":"oTDGbuV4pxAgPcP6ZKWYx+""#,
        r#","seal":"oTDGbuV4pxAgPcP6ZKWYxw==""#,
        r#","seal":"""#,
        r#","seal": "oTDGbuV4pxAgPcP6ZKWYxw""#,
        r#","Seal":"oTDGbuV4pxAgPcP6ZKWYxw""#,
        r#","seal":"oTDGbuV4pxAgPcP6ZKWYxw","seal":"oTDGbuV4pxAgPcP6ZKWYxw""#,
        r#","x":0"#,
    ] {
        assert!(Line::parse(&with(wrong)).is_none(), "{wrong}");
    }
}

#[test]
fn a_right_hash_does_not_make_a_record() {
    let hashes = "merkle_frontier\":[";
    for (right, wrong) in [
        ("\"v\":1", "\"v\":2"),
        ("\"seq\":0", "\"seq\":+0"),
        ("\"seq\":0", "\"seq\":00"),
        ("0000000000000000\",\"timestamp", "0000000000000001\",\"timestamp"),
        ("2026-01-02T", "2026-13-02T"),
        ("\"service_id\":\"sshd.LabSZ\"", "\"service_id\":\"sshd.Labsz\""),
        ("\"event\":{", "\"event\":{ "),
        ("\"event\":{", "\"event\":[{"),
        ("{\"event_type\":\"segment_opened\",", "{"),
        ("\"log_id\":\"", "\"log_id\":\"\u{1}"),
        ("\"log_id\":\"dd", "\"log_id\":\"d"),
        ("\"log_id\":", "\"log_id\":\"\",\"log_id\":"),
        (hashes, "merkle_frontier\":[0"),
        (hashes, "x\":["),
        ("},\"prev_hash\"", "},\"x\":0,\"prev_hash\""),
        ("},\"prev_hash\"", "},\"sanitized\":[],\"prev_hash\""),
        ("},\"prev_hash\"", "}, \"prev_hash\""),
        ("\"prev_hash\":\"0", "\"prev_hash\":\""),
        ("\"prev_hash\":\"0", "\"prev_hash\":\"G"),
        ("\"prev_hash\":\"0", "\"prev_hash\":\"1"),
    ] {
        assert!(Line::parse(&golden_with(right, wrong)).is_none(), "{wrong}");
    }
    assert!(Line::parse(&golden_with("", "")).is_some());
    let marked = golden_with("},\"prev_hash\"", "},\"sanitized\":[\"/x\"],\"prev_hash\"");
    assert!(Line::parse(&marked).is_some());
    let body = GOLDEN.as_bytes()[..GOLDEN.len() - HASH_FIELD_BYTES].to_vec();
    let not_utf8 = body.iter().map(|&byte| if byte == b'L' { 0xff } else { byte });
    assert!(Line::parse(&hashed(&not_utf8.collect::<Vec<_>>())).is_none());
}

#[test]
fn a_line_is_no_longer_than_the_format_allows() {
    let opened = r#"{"event_type":"segment_opened","log_id":"dd56de4137951d9c92681b03416ec15f","merkle_frontier":[]}"#;
    let long = |bytes: usize| {
        let filled = |fill: usize| {
            golden_with(opened, &format!(r#"{{"event_type":"{}"}}"#, "x".repeat(fill)))
        };
        filled(bytes - filled(0).len())
    };
    assert!(Line::parse(&long(RECORD_BYTES_MAX)).is_some());
    assert!(Line::parse(&long(RECORD_BYTES_MAX + 1)).is_none());
}

#[test]
fn a_type_is_what_its_escapes_stand_for() {
    let escaped = golden_with("\"segment_opened\"", r#""segment\u005fopened""#);
    let line = Line::parse(&escaped).unwrap();
    assert!(line.is("segment_opened") && line.segment_opened().is_some());
    let malformed =
        golden_with(r#""segment_opened","log_id":"dd"#, r#""segment\u005fopened","log_id":"d"#);
    assert!(Line::parse(&malformed).is_none());
}

#[test]
fn another_version_is_told_and_no_other_number() {
    assert_eq!(other_version(br#"{"v":2,"seq":0"#), Some(2));
    for none in [r#"{"v":1,"#, r#"{"v":+2,"#, r#"{"v":02,"#, r#"{"v":,"#, r#"{"x":2,"#] {
        assert_eq!(other_version(none.as_bytes()), None, "{none}");
    }
}

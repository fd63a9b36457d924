//! A record that is well formed, and everything that one change makes of it.

use audit_core::limits::RECORD_BYTES_MAX;
use audit_testkit::hostile_lines::{Spot, hostile_lines};

use super::*;

const SEQ: u64 = 26;
const EVENT: &str = r#"{"event_type":"auth_failure","user":"root"}"#;
const PREV: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// The members of a record, without its hash.
fn members() -> Vec<String> {
    vec![
        r#""v":1"#.to_owned(),
        format!(r#""seq":{SEQ}"#),
        r#""audit_id":"audit-sshd.LabSZ-000000000000001a""#.to_owned(),
        r#""timestamp":"2026-01-02T00:00:00.000000002Z""#.to_owned(),
        r#""service_id":"sshd.LabSZ""#.to_owned(),
        format!(r#""event":{EVENT}"#),
        format!(r#""prev_hash":"{PREV}""#),
    ]
}

/// What a hash covers.
fn body() -> String {
    format!("{{{}", members().join(","))
}

fn line(body: &[u8]) -> Vec<u8> {
    let hash = leaf_hash(body).to_string();
    [body, br#","hash":""#, hash.as_bytes(), br#""}"#].concat()
}

/// What a line with this body and a right hash is.
fn outcome(body: &[u8]) -> Result<u64, RecordFault> {
    let line = line(body);
    let hashed = Hashed::split(&line).unwrap();
    assert!(hashed.is_right());
    Record::parse(hashed.body, &mut Scratch::default()).map(|record| record.seq)
}

#[track_caller]
fn refused(body: impl AsRef<[u8]>, code: Code) {
    let body = body.as_ref();
    let shown = String::from_utf8_lossy(body);
    let fault = outcome(body).expect_err(&shown);
    assert_eq!(fault.code, code, "{shown}: {}", fault.what);
    assert!(fault.at <= body.len(), "{shown}: at {}", fault.at);
}

/// The body with one thing changed.
#[track_caller]
fn changed(from: &str, to: &str) -> String {
    let body = body();
    assert_eq!(body.matches(from).count(), 1, "{from}");
    body.replace(from, to)
}

/// The body with something between the event and `prev_hash`.
fn after_event(text: &str) -> String {
    changed(EVENT, &format!("{EVENT}{text}"))
}

#[test]
fn a_record_is_read_as_it_is_written() {
    let line = line(body().as_bytes());
    let hashed = Hashed::split(&line).unwrap();
    assert_eq!(hashed.body, body().as_bytes());
    assert_eq!(hashed.stated, Some(leaf_hash(body().as_bytes())));
    let record = Record::parse(hashed.body, &mut Scratch::default()).unwrap();
    assert_eq!(record.seq, SEQ);
    assert_eq!(record.timestamp, "2026-01-02T00:00:00.000000002Z");
    assert_eq!(record.service_id, "sshd.LabSZ");
    assert_eq!(record.event_type, "auth_failure");
    assert_eq!(record.event, EVENT.as_bytes());
    assert_eq!(record.prev_hash.to_string(), PREV);
    assert!(!record.states_critical);
}

#[test]
fn a_type_is_read_without_its_escapes() {
    let event = r#"{"event_type":"\u0061\"\\\ud83d\ude00","critical":true}"#;
    let body = changed(EVENT, &format!(r#"{event},"sanitized":["/event_type"]"#));
    let record = Record::parse(body.as_bytes(), &mut Scratch::default()).unwrap();
    assert_eq!(record.event_type, "a\"\\\u{1f600}");
    assert_eq!(record.event, event.as_bytes());
    assert!(record.states_critical);
}

#[test]
fn what_looks_like_a_member_inside_of_a_text_is_none() {
    let event = format!(
        r#"{{"event_type":"x","a":"{{\"v\":1,\",\"prev_hash\":\"{PREV}\"","b":",\"event\":"}}"#
    );
    assert_eq!(outcome(changed(EVENT, &event).as_bytes()), Ok(SEQ));
    let nested =
        format!(r#"{{"event_type":"x","a":{{"b":1,"prev_hash":"{PREV}","hash":"{PREV}"}}}}"#);
    assert_eq!(outcome(changed(EVENT, &nested).as_bytes()), Ok(SEQ));
}

#[test]
fn only_version_one_is_this_version() {
    for version in
        ["2", "0", "01", "-1", "+1", "1.0", "1e0", "11", "\"1\"", "null", "", "true", "4294967297"]
    {
        refused(changed("\"v\":1", &format!("\"v\":{version}")), Code::VersionChanged);
    }
}

#[test]
fn a_seq_is_a_plain_number_below_two_to_the_53() {
    for seq in [
        "026",
        "00",
        "-26",
        "+26",
        "26.0",
        "2.6e1",
        "26e0",
        "0x1a",
        "\"26\"",
        "null",
        "",
        "2 6",
        "\u{662}6",
        // 2^53, the numbers that 64 bits hold at most and no longer, and 26 after a wrap.
        "9007199254740992",
        "18446744073709551615",
        "18446744073709551616",
        "18446744073709551642",
    ] {
        refused(changed("\"seq\":26", &format!("\"seq\":{seq}")), Code::RecordMalformed);
    }
    for (seq, id) in [
        (0, "0000000000000000"),
        (9, "0000000000000009"),
        (9_007_199_254_740_991, "001fffffffffffff"),
    ] {
        let numbered =
            changed("\"seq\":26", &format!("\"seq\":{seq}")).replace("000000000000001a", id);
        assert_eq!(outcome(numbered.as_bytes()), Ok(seq));
    }
    let beyond = changed("\"seq\":26", "\"seq\":9007199254740992")
        .replace("000000000000001a", "0020000000000000");
    refused(beyond, Code::RecordMalformed);
}

#[test]
fn an_audit_id_is_that_of_its_service_and_seq() {
    for audit_id in [
        "audit-sshd.LabSZ-000000000000001b",
        "audit-sshd.LabSZ-000000000000001A",
        "audit-sshd.LabSZ-0000000000000026",
        "audit-sshd.LabSZ-00000000000001a",
        "audit-sshd.LabSZ-0000000000000001a",
        "audit-sshd.LabSZ-+00000000000001a",
        "audit-sshd.LabSZ-1a",
        "audit-sshd.LabSZ-",
        "audit-sshd.LabSZ",
        "audit-sshd.LabSZ000000000000001a",
        "",
        "audit-sshd.Other-000000000000001a",
        "audit-sshd-000000000000001a",
        "audit--000000000000001a",
        "sshd.LabSZ-000000000000001a",
        "Audit-sshd.LabSZ-000000000000001a",
        "audit-sshd.LabSZ-000000000000001a ",
        "audit-sshd.LabSZ-000000000000001\\u0061",
        "audit-SSHD.LABSZ-000000000000001a",
        " audit-sshd.LabSZ-000000000000001a",
    ] {
        refused(changed("audit-sshd.LabSZ-000000000000001a", audit_id), Code::RecordMalformed);
    }
}

#[test]
fn a_timestamp_has_one_form_and_a_calendar() {
    for timestamp in [
        "2026-01-02T00:00:00.00000000Z",
        "2026-01-02T00:00:00.0000000020Z",
        "2026-01-02T00:00:00Z",
        "2026-01-02T00:00:00.Z",
        "2026-01-02t00:00:00.000000002Z",
        "2026-01-02T00:00:00.000000002z",
        "2026-01-02 00:00:00.000000002Z",
        "2026-01-02T00:00:00.000000002",
        "2026-01-02T00:00:00.000000002+00:00",
        "2026-01-02T00:00:00.0002+00:00",
        "2026-01-02T00:00:60.000000002Z",
        "2026-01-02T00:60:00.000000002Z",
        "2026-01-02T24:00:00.000000002Z",
        "2026-13-02T00:00:00.000000002Z",
        "2026-02-29T00:00:00.000000002Z",
        "2026-00-02T00:00:00.000000002Z",
        "2026-01-00T00:00:00.000000002Z",
        "2026-01-02T00:00:00,000000002Z",
        "+026-01-02T00:00:00.000000002Z",
        "20260102T000000.000000002000000Z",
        "2026-01-02T00:00:00.00000000\u{662}Z",
        "",
    ] {
        refused(changed("2026-01-02T00:00:00.000000002Z", timestamp), Code::RecordMalformed);
    }
    let leap = changed("2026-01-02", "2024-02-29");
    assert_eq!(outcome(leap.as_bytes()), Ok(SEQ));
}

#[test]
fn a_service_id_keeps_to_its_letters_and_its_length() {
    let with = |service: &str| body().replace("sshd.LabSZ", service);
    let longest = "s".repeat(41);
    for service in ["a", "0", "a-b", "A.b_c-9", "a-000000000000001a", longest.as_str()] {
        assert_eq!(outcome(with(service).as_bytes()), Ok(SEQ), "{service}");
    }
    let too_long = "s".repeat(42);
    for service in [
        "",
        ".a",
        "-a",
        "_a",
        "a b",
        "a/b",
        "a:b",
        "a\\u0062",
        "a\\\"b",
        "\u{e9}",
        "a\u{0}",
        "a\u{200b}",
        too_long.as_str(),
    ] {
        refused(with(service), Code::RecordMalformed);
    }
    refused(
        changed("\"service_id\":\"sshd.LabSZ\"", "\"service_id\":\"sshd.Other\""),
        Code::RecordMalformed,
    );
}

#[test]
fn a_previous_hash_is_64_lowercase_digits() {
    for prev in [
        &PREV.to_uppercase(),
        &PREV[1..],
        "",
        &format!("0{PREV}"),
        &PREV.replace('a', "g"),
        &PREV.replace("00", "0 "),
    ] {
        refused(changed(PREV, prev), Code::RecordMalformed);
    }
    for field in [
        String::new(),
        r#","prev_hash":null"#.to_owned(),
        format!(r#","prev-hash":"{PREV}""#),
        format!(r#","PREV_HASH":"{PREV}""#),
        format!(r#","prev_hash": "{PREV}""#),
        format!(r#", "prev_hash":"{PREV}""#),
        format!(r#","prev_hash":'{PREV}'"#),
        format!(r#","prev_hash":"{PREV}" "#),
        format!(r#","prev_hash":["{PREV}"]"#),
        format!(r#""prev_hash":"{PREV}""#),
    ] {
        refused(changed(&format!(r#","prev_hash":"{PREV}""#), &field), Code::RecordMalformed);
    }
    for end in ["", "'", "}", " ", "\\"] {
        refused(changed(&format!("{PREV}\""), &format!("{PREV}{end}")), Code::RecordMalformed);
    }
    let zeros = changed(PREV, &"0".repeat(64));
    assert_eq!(outcome(zeros.as_bytes()), Ok(SEQ));
}

#[test]
fn the_members_stand_all_of_them_once_and_in_one_order() {
    let join = |members: &[String]| format!("{{{}", members.join(","));
    let members = members();
    for index in 0..members.len() {
        let mut without = members.clone();
        without.remove(index);
        assert!(outcome(join(&without).as_bytes()).is_err(), "without {}", members[index]);
        for other in 0..=members.len() {
            let mut more = members.clone();
            more.insert(other, members[index].clone());
            assert!(outcome(join(&more).as_bytes()).is_err(), "{} also at {other}", members[index]);
            let mut extra = members.clone();
            extra.insert(other, r#""x":1"#.to_owned());
            assert!(outcome(join(&extra).as_bytes()).is_err(), "an extra member at {other}");
        }
        for other in 0..index {
            let mut swapped = members.clone();
            swapped.swap(index, other);
            assert!(outcome(join(&swapped).as_bytes()).is_err(), "{index} and {other} swapped");
        }
    }
}

#[test]
fn another_member_is_refused_for_where_it_stands() {
    refused(changed(r#""seq""#, r#""x":1,"seq""#), Code::RecordMalformed);
    refused(changed(r#""event":"#, r#""sanitized":["/a"],"event":"#), Code::RecordMalformed);
    refused(after_event(r#","x":1"#), Code::SanitizedMalformed);
    refused(after_event(r#","sanitized":["/a"],"x":1"#), Code::SanitizedMalformed);
    refused(after_event(r#","sanitized":["/a"],"sanitized":["/b"]"#), Code::SanitizedMalformed);
    refused(after_event(r#","Sanitized":["/a"]"#), Code::SanitizedMalformed);
    refused(after_event(r#","sanitized":["/a"],"#), Code::SanitizedMalformed);
    refused(after_event(r#""sanitized":["/a"]"#), Code::SanitizedMalformed);
    refused(after_event("}"), Code::SanitizedMalformed);
    refused(format!(r#"{},"x":1"#, body()), Code::RecordMalformed);
    refused(format!(r#"{},"sanitized":["/a"]"#, body()), Code::RecordMalformed);
    refused(format!("{}}}", body()), Code::RecordMalformed);
}

#[test]
fn white_space_is_refused_everywhere_but_in_the_texts_of_the_event() {
    let body = after_event(r#","sanitized":["/user"]"#);
    let texts = body.find("auth_failure\"").unwrap()..=body.find("\",\"user").unwrap();
    let value = body.find("root\"").unwrap()..=body.find("\"},\"san").unwrap();
    let key = body.find("user\":").unwrap()..=body.find("\":\"root").unwrap();
    let pointer = body.find("user\"]").unwrap()..=body.find("\"],\"prev").unwrap();
    for at in 0..=body.len() {
        for space in [" ", "\t", "\n", "\r", "\u{b}", "\u{a0}", "\u{feff}"] {
            let mut spaced = body.clone();
            spaced.insert_str(at, space);
            let within = [&texts, &value, &key, &pointer].iter().any(|range| range.contains(&at));
            let control = space.starts_with(char::is_control);
            assert_eq!(outcome(spaced.as_bytes()).is_ok(), within && !control, "{spaced:?}");
        }
    }
}

#[test]
fn a_carriage_return_before_the_end_is_part_of_the_line() {
    refused(format!("{}\r", body()), Code::RecordMalformed);
    let mut line = line(body().as_bytes());
    line.push(b'\r');
    assert!(!Hashed::split(&line).unwrap().is_right());
}

#[test]
fn what_is_not_utf8_is_no_record() {
    for bytes in
        [&b"\xff"[..], b"\x80", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"]
    {
        for text in ["root", "sshd.LabSZ\",\"event"] {
            let at = body().find(text).unwrap();
            let (before, after) = (&body()[..at], &body()[at..]);
            let broken = [before.as_bytes(), bytes, after.as_bytes()].concat();
            refused(&broken, Code::RecordMalformed);
            assert_eq!(outcome(&broken).unwrap_err().at, at);
        }
    }
    for text in ["\u{e9}\u{1f600}\u{10ffff}", "\u{7f}\u{80}\u{2028}\u{202e}"] {
        assert_eq!(outcome(changed("root", text).as_bytes()), Ok(SEQ));
    }
}

#[test]
fn a_byte_order_mark_does_not_begin_a_record() {
    refused(format!("\u{feff}{}", body()), Code::RecordMalformed);
    assert_eq!(outcome(format!("\u{feff}{}", body()).as_bytes()).unwrap_err().at, 0);
}

#[test]
fn an_event_that_is_not_strict_is_told_from_a_record_that_is_not() {
    for event in [
        "",
        "null",
        "[]",
        "{}",
        r#""x""#,
        r#"{"event_type":1}"#,
        r#"{"a":1,"event_type":"x"}"#,
        r#"{"event_type":"x""#,
        r#"{"event_type":"x","a":1,"a":2}"#,
        r#"{"event_type":"x","a":01}"#,
        r#"{"event_type":"x","a":"\ud800"}"#,
        r#"{"event_type":"x", "a":1}"#,
        " {\"event_type\":\"x\"}",
        "{\"event_type\":\"x\n\"}",
    ] {
        refused(changed(EVENT, event), Code::EventMalformed);
    }
    for after in [" ", "x", r#"{"event_type":"x"}"#, "\n", "\u{0}", ","] {
        refused(after_event(after), Code::SanitizedMalformed);
    }
}

#[test]
fn a_fault_is_reported_where_it_stands() {
    // The text that replaces another begins with a caret, which marks the fault and is not there.
    for (from, to) in [
        (r#"{"v":1"#, r#"^ {"v":1"#),
        ("1,\"seq", "^2,\"seq"),
        (r#""seq""#, r#"^"Seq""#),
        (":26", ":^026"),
        (r#""audit_id""#, r#"^"id""#),
        (r#""audit-"#, r#""^audit_"#),
        ("\"2026", "\"^26"),
        (":\"sshd", ":\"^?"),
        (r#""event":"#, r#"^"Event":"#),
        (r#"":"root""#, r#"":^root""#),
        ("root\"}", "root\"}^,\"x\":1"),
    ] {
        let marked = changed(from, to);
        let at = marked.find('^').unwrap();
        assert_eq!(outcome(marked.replace('^', "").as_bytes()).unwrap_err().at, at, "{marked}");
    }
}

fn sanitized(list: &str) -> Result<u64, RecordFault> {
    outcome(after_event(&format!(r#","sanitized":{list}"#)).as_bytes())
}

fn pointers(count: usize) -> String {
    let pointers: Vec<_> = (0..count).map(|index| format!("\"/a/{index}\"")).collect();
    format!("[{}]", pointers.join(","))
}

#[test]
fn the_pointers_to_what_was_cleaned_are_accepted() {
    for list in [
        r#"[""]"#,
        r#"["/"]"#,
        r#"["/a"]"#,
        r#"["/a","/b"]"#,
        r#"["/b","/a"]"#,
        r#"["/a","/a/b","/a/"]"#,
        r#"["//"]"#,
        r#"["/~0~1"]"#,
        r#"["/~1","/~0"]"#,
        r#"["/~01"]"#,
        r#"["/a b\"\\\u0000"]"#,
        r#"["\/a"]"#,
        r#"["\u002fa"]"#,
        r#"["/\ud83d\ude00"]"#,
        "[\"/\u{e9}\"]",
        &pointers(31),
        &pointers(32),
    ] {
        assert_eq!(sanitized(list), Ok(SEQ), "{list}");
    }
}

#[test]
fn what_is_no_list_of_different_pointers_is_refused() {
    for list in [
        "[]",
        r#"["",""]"#,
        r#"["","/a"]"#,
        r#"["/a",""]"#,
        &pointers(33),
        &pointers(1_000),
        r#"["/a","/a"]"#,
        r#"["/a","/b","/a"]"#,
        r#"["/a","/\u0061"]"#,
        r#"["\/a","/a"]"#,
        "[\"/\u{e9}\",\"/\\u00e9\"]",
        r#"["a"]"#,
        r#"["a/b"]"#,
        r##"["#/a"]"##,
        r#"[" /a"]"#,
        r#"["/a","b"]"#,
        r#"["~0"]"#,
        r#"["/~2"]"#,
        r#"["/~"]"#,
        r#"["/a~"]"#,
        r#"["/~/"]"#,
        r#"["/~0~"]"#,
        r#"["/~~0"]"#,
        r#"["/\u007e2"]"#,
        "null",
        "{}",
        r#""/a""#,
        "1",
        "",
        "[1]",
        "[null]",
        r#"[["/a"]]"#,
        r#"["/a",]"#,
        r#"[,"/a"]"#,
        r#"["/a"]]"#,
        r#"["/a""#,
        r#"["/\ud800"]"#,
        r#"["/\x"]"#,
        "[\"/\t\"]",
    ] {
        assert_eq!(
            sanitized(list).map_err(|fault| fault.code),
            Err(Code::SanitizedMalformed),
            "{list}"
        );
    }
    let whole = after_event(r#","sanitized":[]"#);
    assert_eq!(sanitized("[]").unwrap_err().at, whole.find(r#","sanitized"#).unwrap());
}

#[test]
fn a_line_of_any_length_is_split_without_a_panic() {
    let whole = line(body().as_bytes());
    for length in 0..=80 {
        for text in [
            &whole[..length],
            &whole[whole.len().saturating_sub(length)..],
            &[0xff; 80][..length],
            &[b'0'; 80][..length],
        ] {
            let hashed = Hashed::split(text);
            assert_eq!(hashed.is_some(), length >= 75, "{length}");
            assert!(!hashed.is_some_and(|hashed| hashed.is_right()), "{length}");
        }
    }
    let empty = line(b"");
    assert_eq!(empty.len(), 75);
    let hashed = Hashed::split(&empty).unwrap();
    assert!(hashed.is_right() && hashed.body.is_empty());
    assert!(Record::parse(hashed.body, &mut Scratch::default()).is_err());
}

#[test]
fn any_bit_that_is_flipped_makes_a_hash_wrong() {
    let whole = line(body().as_bytes());
    assert!(Hashed::split(&whole).unwrap().is_right());
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            assert!(!Hashed::split(&flipped).unwrap().is_right(), "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn what_a_line_states_is_told_from_what_it_ought_to_have() {
    let other = leaf_hash(b"other").to_string();
    let text = [body().as_bytes(), br#","hash":""#, other.as_bytes(), br#""}"#].concat();
    let hashed = Hashed::split(&text).unwrap();
    assert!(hashed.is_whole && !hashed.is_right());
    assert_eq!(
        (hashed.stated, hashed.computed),
        (Some(leaf_hash(b"other")), leaf_hash(body().as_bytes()))
    );
    let upper = leaf_hash(body().as_bytes()).to_string().to_uppercase();
    let text = [body().as_bytes(), br#","hash":""#, upper.as_bytes(), br#""}"#].concat();
    let hashed = Hashed::split(&text).unwrap();
    assert!(hashed.is_whole && hashed.stated.is_none() && !hashed.is_right());
}

#[test]
fn every_line_of_the_shared_table_is_judged_as_it_says() {
    let prev_hash = Digest::from_hex(PREV.as_bytes()).unwrap();
    let spot = Spot { seq: SEQ, service_id: "sshd.LabSZ", prev_hash };
    let mut scratch = Scratch::default();
    for line in hostile_lines() {
        let bytes = line.bytes(&spot);
        let text = bytes.strip_suffix(b"\n").unwrap();
        let hashed = Hashed::split(text).unwrap();
        assert!(hashed.is_right(), "{}", line.name);
        let record = Record::parse(hashed.body, &mut scratch);
        let is_record = text.len() <= RECORD_BYTES_MAX && record.is_ok();
        assert_eq!(is_record, line.is_well_formed, "{}: {record:?}", line.name);
        if let Ok(record) = record {
            let place = (record.seq, record.prev_hash, record.is_sealed);
            assert_eq!(place, (SEQ, prev_hash, line.is_sealed), "{}", line.name);
        }
    }
}

#[test]
fn a_seal_is_between_the_link_and_the_hash_and_has_one_form() {
    let sealed = |seal: &str| format!("{}{seal}", body());
    let seal = r#","seal":"AAAAAAAAAAAAAAAAAAAAAA""#;
    assert_eq!(outcome(sealed(seal).as_bytes()), Ok(SEQ));
    for other in [
        &seal.replace('A', "="),
        &seal.replace("AA\"", "AB\""),
        &seal.replace("AA\"", "A\""),
        &seal.replace('"', ""),
    ] {
        let is_seal = other.contains(r#","seal":""#);
        let code = if is_seal { Code::SealMalformed } else { Code::RecordMalformed };
        refused(sealed(other), code);
    }
    refused(sealed(&seal.repeat(2)), Code::RecordMalformed);
}

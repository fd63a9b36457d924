//! Lines of input as attackers and broken programs write them.

use audit_core::limits::INPUT_LINE_BYTES_MAX;
use audit_core::{AuditEvent, Digest, TextPolicy, is_hostile};
use audit_validate::{Decoded, Refusal, RestoreError, decode_line, restore_bytes, sanitize};
use proptest::prelude::*;
use serde_json::Value;

use crate::sample::{assert_inert, assert_marks_lead_somewhere, event_json, payload, written};

/// A line that says an event of one member, a text or what stands in its place.
fn line(key: &[u8], value: &[u8]) -> Vec<u8> {
    let parts: [&[u8]; 5] = [br#"{"event_type":"x",""#, key, br#"":"#, value, b"}"];
    parts.concat()
}

fn quoted(text: &[u8]) -> Vec<u8> {
    [b"\"", text, b"\""].concat()
}

fn decode(line: &[u8]) -> Decoded {
    decode_line(line, TextPolicy::Neutralise).unwrap()
}

fn refused(line: &[u8]) -> String {
    let refusal = decode_line(line, TextPolicy::Neutralise).unwrap_err().to_string();
    assert!(refusal.chars().count() <= 3_000 && !refusal.chars().any(is_hostile), "{refusal}");
    refusal
}

fn marks(decoded: &Decoded) -> Vec<&str> {
    decoded.sanitized.iter().collect()
}

/// What becomes of a text in a line.
fn text(written_as: &[u8]) -> (String, bool) {
    let decoded = decode(&line(b"k", &quoted(written_as)));
    let event = written(&decoded.event);
    assert_inert(&event);
    let marked = match marks(&decoded)[..] {
        [] => false,
        ["/k"] => true,
        ref other => panic!("{other:?}"),
    };
    (event["k"].as_str().unwrap().to_owned(), marked)
}

#[test]
fn a_byte_that_is_not_utf_8_is_named() {
    let (shown, marked) = text(b"caf\xe9 \xf0\x9f\x98");
    assert_eq!(
        shown,
        "caf\u{27e6}xE9\u{27e7} \u{27e6}xF0\u{27e7}\u{27e6}x9F\u{27e7}\u{27e6}x98\u{27e7}"
    );
    assert!(marked);
    assert_eq!(restore_bytes(&shown).unwrap(), b"caf\xe9 \xf0\x9f\x98");
}

#[test]
fn a_surrogate_without_its_partner_is_named() {
    assert_eq!(text(br"a\ud83db"), ("a\u{27e6}U+D83D\u{27e7}b".to_owned(), true));
    assert_eq!(text(br"a\ud83d\ude00"), ("a\u{1f600}".to_owned(), false));
    assert_eq!(text(br"a\\ud83d"), (r"a\ud83d".to_owned(), false));
}

#[test]
fn a_bracket_is_escaped_once_whether_or_not_the_line_is_repaired() {
    let escaped = "\u{27e6}U+27E6\u{27e7}xFF\u{27e7}";
    for bracket in ["\u{27e6}xFF\u{27e7}".as_bytes(), br"\u27e6xFF\u27E7"] {
        assert_eq!(text(bracket), (escaped.to_owned(), true));
        let (shown, marked) = text(&[bracket, b"\xfe\\u001b"].concat());
        assert_eq!(shown, format!("{escaped}\u{27e6}xFE\u{27e7}\u{27e6}U+001B\u{27e7}"));
        assert!(marked);
        assert_eq!(
            restore_bytes(&shown).unwrap(),
            "\u{27e6}xFF\u{27e7}".bytes().chain([0xfe, 0x1b]).collect::<Vec<_>>()
        );
    }
}

#[test]
fn only_the_values_with_a_marker_are_marked_in_a_repaired_line() {
    let decoded = decode(
        b"{\"event_type\":\"x\",\"a\":\"fine\",\"b\":[\"\xff\",\"fine\"],\"c\xfe\":1,\"d\":\"\\u27e6\",\"e\":\"\\u202e\"}",
    );
    assert_eq!(marks(&decoded), ["/b/0", "/c\u{27e6}xFE\u{27e7}", "/d", "/e"]);
    assert_marks_lead_somewhere(&decoded.sanitized, &written(&decoded.event));
}

#[test]
fn bytes_are_kept_in_every_text_of_every_event() {
    const STAND_IN: &str = "STAND-IN";
    for row in AuditEvent::TABLE {
        let json = event_json(row, STAND_IN).to_string();
        let line: Vec<&[u8]> = json.split(STAND_IN).map(str::as_bytes).collect();
        let decoded = decode(&line.join(&b"a\xff\\udc00b"[..]));
        assert_eq!(decoded.event.event_type(), row.event_type);
        assert!(!matches!(decoded.event, AuditEvent::Opaque(_)));
        let safe = "a\u{27e6}xFF\u{27e7}\u{27e6}U+DC00\u{27e7}b";
        let expected = json.replace(STAND_IN, safe);
        let kept = payload(&decoded.event, &decoded.sanitized);
        assert_eq!(kept["event"], serde_json::from_str::<Value>(&expected).unwrap());
        assert_eq!(decoded.sanitized.is_empty(), !json.contains(STAND_IN));
        assert_marks_lead_somewhere(&decoded.sanitized, &kept["event"]);
    }
}

#[test]
fn different_keys_stay_different_and_equal_ones_are_refused() {
    let decoded = decode(
        b"{\"event_type\":\"x\",\"k\xff\":1,\"k\xfe\":2,\"k\\u27e6xFF\\u27e7\":3,\"k\\ud800\":4,\"k\\u0000\":5}",
    );
    assert_eq!(written(&decoded.event).as_object().unwrap().len(), 6);
    assert!(refused(b"{\"event_type\":\"x\",\"k\xff\":1,\"k\xff\":2}").ends_with("occurs twice"));
    assert!(refused(br#"{"event_type":"x","k\ud800":1,"k\uD800":2}"#).ends_with("occurs twice"));
}

#[test]
fn what_is_left_out_of_a_repaired_text_is_told_by_its_bytes() {
    let bytes = b"\xff".repeat(20_000);
    let (shown, _) = text(&bytes);
    let (kept, _) = shown.rsplit_once('\u{27e6}').unwrap();
    let kept = restore_bytes(kept).unwrap();
    assert!(bytes.starts_with(&kept));
    assert_eq!(
        restore_bytes(&shown),
        Err(RestoreError::Shortened {
            bytes: bytes.len() - kept.len(),
            sha256: Digest::of(&bytes)
        })
    );
    let list = [b"[", vec![quoted(b"\xff"); 10_000].join(&b',').as_slice(), b"]"].concat();
    let event = written(&decode(&line(b"k", &list)).event);
    assert_eq!(event["k"]["oversized"]["bytes"], list.len());
    assert_eq!(event["k"]["oversized"]["sha256"], Digest::of(&list).to_string());
}

#[test]
fn a_value_too_deep_is_marked_under_its_clean_name() {
    let deep = [b"[".repeat(500), b"]".repeat(500)].concat();
    for (key, clean) in [
        (&b"a/~"[..], "/a~1~0"),
        (b"~1~0/", "/~01~00~1"),
        (br"\u202e", "/\u{27e6}U+202E\u{27e7}"),
        (b"\xff", "/\u{27e6}xFF\u{27e7}"),
    ] {
        let decoded = decode(&line(key, &deep));
        assert_eq!(marks(&decoded), [clean]);
        let event = written(&decoded.event);
        assert_inert(&event);
        assert_eq!(event.pointer(clean).unwrap()["oversized"]["bytes"], 1_000);
    }
    let member = |index: u32| format!(r#""k{index}":[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]"#);
    let members: Vec<_> = (0..40).map(member).collect();
    let decoded = decode(format!(r#"{{"event_type":"x",{}}}"#, members.join(",")).as_bytes());
    assert_eq!(marks(&decoded), [""]);
}

#[test]
fn the_digest_of_a_value_too_deep_is_that_of_its_text_as_it_came() {
    let deep = format!("{}\"\u{27e6}\\u27E6\"{}", "[".repeat(17), "]".repeat(17));
    let event = written(&decode(&line(b"k", deep.as_bytes())).event);
    assert_eq!(event["k"]["oversized"]["bytes"], deep.len());
    assert_eq!(event["k"]["oversized"]["sha256"], Digest::of(deep.as_bytes()).to_string());
}

#[test]
fn the_items_left_out_of_a_repaired_list_are_told_by_their_bytes() {
    let row = AuditEvent::TABLE.iter().find(|row| row.event_type == "data_deleted").unwrap();
    let mut event = event_json(row, "x");
    event["data_types"] = serde_json::json!(["STAND-IN"]);
    let items = vec![quoted(b"\xff"); 70].join(&b',');
    let json = event.to_string();
    let (before, after) = json.split_once("\"STAND-IN\"").unwrap();
    let line = [before.as_bytes(), &items, after.as_bytes()].concat();
    let event = written(&decode(&line).event);
    let rest = [b"[", vec![quoted(b"\xff"); 6].join(&b',').as_slice(), b"]"].concat();
    assert_eq!(
        restore_bytes(event["data_types"][64].as_str().unwrap()),
        Err(RestoreError::Shortened { bytes: rest.len(), sha256: Digest::of(&rest) })
    );
}

#[test]
fn what_is_no_event_is_refused_in_one_line() {
    let invalid = b"{\"event_type\":\"x\",\"k\":\xff}";
    assert!(refused(invalid).starts_with("not JSON: "));
    assert!(refused(b"\xef\xbb\xbf\xff").starts_with("not JSON: "));
    assert!(refused(br#"{"event_type":"x","k":\ud800}"#).starts_with("not JSON: "));
    assert!(refused(b"").starts_with("not JSON: "));
    assert_eq!(
        refused(b"{\"k\":1}"),
        "an event is a JSON object with a text member \"event_type\""
    );
    assert_eq!(
        refused(br#"{"event_type":"log_closed"}"#),
        "\"log_closed\" is recorded by the writer alone"
    );
    assert_eq!(
        refused(br#"{"event_type":"seal_verified"}"#),
        "the member \"timestamp\" of \"seal_verified\" is missing or mistyped"
    );
}

#[test]
fn a_refusal_quotes_no_more_than_a_line_of_a_hostile_key() {
    let key = "\\u202e\u{1b}".replace('\u{1b}', "\\u001b").repeat(10_000);
    let twice = format!(r#"{{"{key}":1,"{key}":2}}"#);
    assert!(refused(twice.as_bytes()).starts_with("the key \""));
    // Nor can a key imitate a marker there.
    let marker = "{\"\u{27e6}xFF\u{27e7}\":1,\"\u{27e6}xFF\u{27e7}\":2}";
    assert_eq!(
        refused(marker.as_bytes()),
        "the key \"\u{27e6}U+27E6\u{27e7}xFF\u{27e7}\" occurs twice"
    );
    let text = format!(r#""{key}""#);
    assert!(refused(text.as_bytes()).starts_with("not JSON: "));
}

#[test]
fn a_line_may_end_with_a_carriage_return() {
    let decoded = decode(b"{\"event_type\":\"x\",\"k\":1}\r");
    assert_eq!(written(&decoded.event)["k"], 1);
    assert!(decoded.sanitized.is_empty());
}

#[test]
fn the_limit_of_a_line_is_exact() {
    let overhead = line(b"k", br#""""#).len();
    let with = |bytes: usize| line(b"k", &quoted(&b"x".repeat(bytes - overhead)));
    decode(&with(INPUT_LINE_BYTES_MAX));
    assert_eq!(
        decode_line(&with(INPUT_LINE_BYTES_MAX + 1), TextPolicy::Neutralise),
        Err(Refusal::TooLong { bytes: INPUT_LINE_BYTES_MAX + 1 })
    );
    assert_eq!(
        refused(&with(INPUT_LINE_BYTES_MAX + 1)),
        "1048577 bytes in a line where 1048576 are allowed"
    );
}

#[test]
fn the_worst_of_lines_leave_a_record_that_fits() {
    let room = INPUT_LINE_BYTES_MAX - 100;
    for worst in [
        quoted(&b"\xff".repeat(room)),
        quoted(&br"\u0000".repeat(room / 6)),
        quoted(&br"\ud800".repeat(room / 6)),
        quoted(&"\u{27e6}".repeat(room / 3).into_bytes()),
        b"[".repeat(room),
        [b"[".repeat(room / 2), b"]".repeat(room / 2)].concat(),
        [b"[0".as_slice(), &b",0".repeat(room / 2 - 1), b"]"].concat(),
        b"9".repeat(room),
    ] {
        if let Ok(Decoded { event, sanitized, .. }) =
            decode_line(&line(b"k", &worst), TextPolicy::Neutralise)
        {
            payload(&event, &sanitized);
        }
    }
}

/// A piece of a text in a line: how it is written there, and what it says.
#[derive(Clone, Debug)]
enum Said {
    Bytes(Vec<u8>),
    Char(char),
    Unit(u16),
}

impl Said {
    fn in_line(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Char(c) => {
                let units = c.encode_utf16(&mut [0; 2]).to_vec();
                units.into_iter().flat_map(|unit| format!("\\u{unit:04x}").into_bytes()).collect()
            }
            Self::Unit(unit) => format!("\\u{unit:04X}").into_bytes(),
        }
    }
}

/// The bytes of what was said; surrogates that meet are a character.
fn original(said: &[Said]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = said;
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (Said::Unit(high @ 0xd800..=0xdbff), [Said::Unit(low @ 0xdc00..), after @ ..]) => {
                out.extend(String::from_utf16(&[*high, *low]).unwrap().bytes());
                rest = after;
            }
            (Said::Bytes(bytes), _) => out.extend(bytes),
            (Said::Char(c), _) => out.extend(c.to_string().bytes()),
            (Said::Unit(unit), _) => {
                out.extend([0xed, 0x80 | (unit >> 6 & 0x3f) as u8, 0x80 | (unit & 0x3f) as u8]);
            }
        }
    }
    out
}

fn said() -> impl Strategy<Value = Said> {
    let is_plain = |byte: &u8| !matches!(byte, 0..0x20 | b'"' | b'\\');
    let odd = prop::sample::select(vec!['\u{27e6}', '\u{1b}', '\u{202e}', '"', '\\', '\u{1f600}']);
    prop_oneof![
        prop::collection::vec(any::<u8>().prop_filter("plain", is_plain), 1..5)
            .prop_map(Said::Bytes),
        odd.clone().prop_map(Said::Char),
        any::<char>().prop_map(Said::Char),
        prop::sample::select(vec!["\u{27e6}", "U+001B\u{27e7}", "\u{e9}"])
            .prop_map(|text| Said::Bytes(text.as_bytes().to_vec())),
        (0xd800_u16..=0xdfff).prop_map(Said::Unit),
    ]
}

proptest! {
    #[test]
    fn the_bytes_of_a_text_come_back_whatever_they_were(
        said in prop::collection::vec(said(), 0..24),
    ) {
        let in_line: Vec<u8> = said.iter().flat_map(Said::in_line).collect();
        let (shown, marked) = text(&in_line);
        let original = original(&said);
        prop_assert_eq!(restore_bytes(&shown).unwrap(), original.clone());
        prop_assert_eq!(marked, shown.as_bytes() != original);
        if let Ok(text) = String::from_utf8(original) {
            prop_assert_eq!(shown, audit_validate::sanitize_free(&text).unwrap());
        }
    }

    #[test]
    fn no_line_does_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(refusal) = decode_line(&bytes, TextPolicy::Neutralise) {
            prop_assert!(!refusal.to_string().chars().any(is_hostile));
        }
    }

    #[test]
    fn keys_never_become_one(
        keys in prop::collection::btree_set(crate::sample::any_text(), 0..12),
    ) {
        let object: serde_json::Map<String, Value> =
            keys.iter().map(|key| (key.clone(), Value::Null)).collect();
        let object = Value::Object(object).to_string();
        let kept = written(&decode(&line(b"k", object.as_bytes())).event);
        let kept: Vec<&str> = kept["k"].as_object().unwrap().keys().map(String::as_str).collect();
        let clean: Vec<_> = keys.iter().map(|key| sanitize(key).unwrap()).collect();
        prop_assert_eq!(kept, clean);
    }
}

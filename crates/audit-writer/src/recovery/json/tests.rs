//! What JSON is, and what is not.

use super::*;

fn is_event(text: &str) -> bool {
    event(text).is_some_and(|(_, rest)| rest.is_empty())
}

/// Whether an event may have a member of this value.
fn is_value(value: &str) -> bool {
    is_event(&format!(r#"{{"event_type":"x","a":{value}}}"#))
}

#[test]
fn an_event_is_taken_off_the_beginning() {
    let (event, rest) = event(r#"{"event_type":"x\u0079","a":[{}]},"b":1"#).unwrap();
    assert_eq!(event.event_type.to_plain(), "xy");
    assert_eq!(event.json, br#"{"event_type":"x\u0079","a":[{}]}"#);
    assert_eq!(rest, br#","b":1"#);
}

#[test]
fn an_event_begins_with_its_type() {
    for right in [
        r#"{"event_type":"x"}"#,
        r#"{"event_type":""}"#,
        r#"{"event\u005ftype":"x"}"#,
        r#"{"event_type":"x","":0}"#,
    ] {
        assert!(is_event(right), "{right}");
    }
    for wrong in [
        "",
        "{}",
        "[]",
        r#""event_type""#,
        r#"{"event_type":0}"#,
        r#"{"event_type":null}"#,
        r#"{"event_type"}"#,
        r#"{"a":0,"event_type":"x"}"#,
        r#"{"Event_type":"x"}"#,
        r#"{"event_type":"x""#,
        r#"{"event_type":"x",}"#,
        r#"{"event_type":"x","a"}"#,
        r#"{"event_type":"x","a":}"#,
        r#"{"event_type":"x" "a":0}"#,
        r#"{"event_type":"x","a":0]"#,
        r#"{"event_type":"x",0:0}"#,
    ] {
        assert!(!is_event(wrong), "{wrong}");
    }
}

#[test]
fn numbers_have_the_form_of_json_and_any_range() {
    for right in ["0", "-0", "10", "-1.50", "1e9", "1E+9", "0.1e-99999", &"9".repeat(999)] {
        assert!(is_value(right), "{right}");
    }
    for wrong in
        ["", "-", "+1", "01", "-01", "1.", ".1", "1e", "1e+", "0x1", "1_0", "NaN", "Infinity", "1-"]
    {
        assert!(!is_value(wrong), "{wrong}");
    }
}

#[test]
fn words_are_three() {
    for right in ["true", "false", "null"] {
        assert!(is_value(right), "{right}");
    }
    for wrong in ["True", "tru", "truex", "nul", "nil", "undefined"] {
        assert!(!is_value(wrong), "{wrong}");
    }
}

#[test]
fn escapes_are_those_of_json_and_surrogates_come_in_pairs() {
    for right in [
        r#""\"\\\/\b\f\n\r\t""#,
        r#""\u0000\uffff\uFFFF""#,
        r#""\ud83d\ude00""#,
        r#""\uDBFF\uDFFF""#,
        "\"\u{7f}\u{e9}\u{1f600}\"",
    ] {
        assert!(is_value(right), "{right}");
    }
    for wrong in [
        r#""\""#,
        r#""\x""#,
        r#""\U0041""#,
        r#""\u""#,
        r#""\u12""#,
        r#""\u12g4""#,
        r#""\u+123""#,
        r#""\ud83d""#,
        r#""\ude00""#,
        r#""\ud83d\ud83d""#,
        r#""\ud83dx\ude00""#,
        r#""\ud83d\u0041""#,
        r#""\ude00\ud83d""#,
        r#""a"#,
    ] {
        assert!(!is_value(wrong), "{wrong}");
    }
}

#[test]
fn no_control_and_no_white_space_is_raw() {
    for control in (0..b' ').map(char::from) {
        assert!(!is_value(&format!("\"{control}\"")), "{control:?}");
    }
    for space in [' ', '\t', '\r', '\n', '\u{feff}'] {
        for wrong in [
            format!(r#"{space}{{"event_type":"x"}}"#),
            format!(r#"{{{space}"event_type":"x"}}"#),
            format!(r#"{{"event_type"{space}:"x"}}"#),
            format!(r#"{{"event_type":{space}"x"}}"#),
            format!(r#"{{"event_type":"x"{space}}}"#),
            format!(r#"{{"event_type":"x"}}{space}"#),
        ] {
            assert!(!is_event(&wrong), "{wrong:?}");
        }
        assert!(!is_value(&format!("[{space}]")));
        assert!(!is_value(&format!("[0{space},1]")));
        assert!(!is_value(&format!("[0,{space}1]")));
    }
    assert!(is_value("\" \""));
}

#[test]
fn a_key_is_unique_in_its_object_whatever_its_escapes() {
    for right in [r#"{"a":0,"b":{"a":0}}"#, r#"[{"a":0},{"a":0}]"#, r#"{"a":0,"A":0,"":0}"#] {
        assert!(is_value(right), "{right}");
    }
    for wrong in [
        r#"{"a":0,"a":0}"#,
        r#"{"a":0,"b":1,"\u0061":0}"#,
        r#"{"\/":0,"/":1}"#,
        r#"{"\ud83d\ude00":0,"\uD83D\uDE00":1}"#,
        "{\"\\ud83d\\ude00\":0,\"\u{1f600}\":1}",
        r#"[[{"a":{"b":0,"b":0}}]]"#,
        r#"{"":0,"":0}"#,
    ] {
        assert!(!is_value(wrong), "{wrong}");
    }
    assert!(!is_event(r#"{"event_type":"x","event_type":"x"}"#));
    assert!(!is_event(r#"{"event_type":"x","a":0,"event\u005ftype":"y"}"#));
}

#[test]
fn a_key_is_unique_among_many() {
    for count in [2, 15, 16, 17, 1_000] {
        let keys: Vec<_> = (0..count).map(|number| format!("\"k{number}\":0")).collect();
        let object = |extra: &str| format!("{{{}{extra}}}", keys.join(","));
        assert!(is_value(&object("")), "{count}");
        for twin in [0, count / 2, count - 1] {
            assert!(!is_value(&object(&format!(",\"k{twin}\":1"))), "{count}: {twin}");
            assert!(!is_value(&object(&format!(",\"\\u006b{twin}\":1"))), "{count}: {twin}");
        }
    }
}

#[test]
fn a_text_ends_at_its_quote_wherever_that_is() {
    for before in 0..20 {
        for plain in ["a", "\u{7f}", "\u{e9}", "!", "#", "]", "[", "\u{a2}", "\u{dc}"] {
            let text = format!("\"{}\"", plain.repeat(before));
            assert!(is_value(&text), "{text}");
            assert!(!is_value(&format!("{text}a")), "{text}");
            let escaped = format!("\"{}\\\"{plain}\"", plain.repeat(before));
            assert!(is_value(&escaped), "{escaped}");
        }
    }
}

#[test]
fn depth_is_limited() {
    // The event itself is one level.
    let nested = |open: &str, close: &str, depth: usize| open.repeat(depth) + &close.repeat(depth);
    assert!(is_value(&nested("[", "]", 31)));
    assert!(!is_value(&nested("[", "]", 32)));
    let objects = |depth: usize| r#"{"a":"#.repeat(depth) + "0" + &"}".repeat(depth);
    assert!(is_value(&objects(31)));
    assert!(!is_value(&objects(32)));
    assert!(!is_value(&"[".repeat(60_000)));
    assert!(!is_value(&r#"{"a":"#.repeat(10_000)));
}

#[test]
fn values_are_shown_with_their_keys() {
    let shown = members(br#"{"a":[1,{"b":2}],"\u0063":"x"}"#).unwrap();
    let shown: Vec<_> =
        shown.iter().map(|(key, value)| (key.to_plain().into_owned(), *value)).collect();
    let list: &[u8] = br#"[1,{"b":2}]"#;
    assert_eq!(shown, [("a".to_owned(), list), ("c".to_owned(), br#""x""#)]);
    assert_eq!(items(list).unwrap(), [&b"1"[..], br#"{"b":2}"#]);
    assert!(members(b"{}").unwrap().is_empty() && items(b"[]").unwrap().is_empty());
    assert!(members(list).is_none() && items(br#"{"a":0}"#).is_none());
    let plain: Vec<_> = texts(br#"["a","\u0062"]"#).unwrap().iter().map(|t| t.to_plain()).collect();
    assert_eq!(plain, ["a", "b"]);
    assert!(texts(br#"["a",0]"#).is_none() && texts(br#"["a"]x"#).is_none());
    assert!(text(br#""a""#).is_some_and(|text| text.is("a") && !text.is("b")));
    assert!(text(br#""a"b"#).is_none());
}

/// What another parser refuses is no JSON, and what it reads differs only in what it is lax about.
#[test]
fn another_parser_agrees_on_every_change_of_a_byte() {
    // No change of one byte makes one key another.
    let whole = r#"{"event_type":"x","aa":[-1.5e+3,{"b":null}],"cc":"\u00e9\"\ud83d\ude00 "}"#;
    for at in 0..whole.len() {
        for byte in 0..=u8::MAX {
            let mut changed = whole.as_bytes().to_vec();
            changed[at] = byte;
            let Ok(changed) = String::from_utf8(changed) else { continue };
            let read = serde_json::from_str::<serde_json::Value>(&changed);
            if is_event(&changed) {
                let read = read.unwrap_or_else(|error| panic!("{changed}: {error}"));
                assert!(read["event_type"].is_string(), "{changed}");
            } else if let Ok(read) = read {
                let is_typed = read["event_type"].is_string();
                let is_spaced = at < whole.len() - 3 && b" \t\r\n".contains(&byte);
                assert!(!is_typed || is_spaced, "{changed}");
            }
        }
    }
}

//! Texts that differ from strict JSON in one thing, and laws against another reader of JSON.

#![expect(clippy::arithmetic_side_effects, reason = "small numbers of a test")]

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

use super::*;

/// What stands before the value of [`member`].
const BEFORE_VALUE: &str = r#"{"event_type":"x","a":"#;

fn look(text: &str) -> Result<usize, JsonFault> {
    event(text.as_bytes(), &mut Scratch::default()).map(|event| event.length)
}

/// An event with one more member, of this value.
fn member(value: &str) -> String {
    format!("{BEFORE_VALUE}{value}}}")
}

#[track_caller]
fn accepted(text: &str) {
    assert_eq!(look(text), Ok(text.len()), "{text}");
}

#[track_caller]
fn refused(text: &str, at: usize) {
    assert_eq!(look(text).map_err(|fault| fault.at), Err(at), "{text}");
}

/// The text without its first caret is refused, where that stands.
#[track_caller]
fn refused_at_caret(text: &str) {
    refused(&text.replacen('^', "", 1), text.find('^').expect("a caret"));
}

/// For each byte of a text, whether something put before it would be part of a string.
fn in_strings(text: &str) -> Vec<bool> {
    let (mut inside, mut escaped) = (false, false);
    let mut seen = Vec::new();
    for byte in text.bytes() {
        seen.push(inside);
        (inside, escaped) = match (inside, byte) {
            (true, _) if escaped => (true, false),
            (true, b'\\') => (true, true),
            (_, b'"') => (!inside, false),
            _ => (inside, false),
        };
    }
    seen
}

#[test]
fn values_of_every_form_are_accepted() {
    let values = r#"0 -0 7 10 -10 0.5 -0.0 1.50 1e5 1E5 1e+5 1e-05 0e0 0.0E-0 1.5e308 1e999999999999
        -1e-999999999999 12345678901234567890123456789 true false null [] {} "" [[],[{}]]
        [null,true,-1,""] {"":{"":""}} "\"\\\/\b\f\n\r\t" "\u0000\u001f\u00e9\u00E9\uffff"
        "\ud7ff\ue000" "\ud800\udc00" "\uDBFF\uDFFF" "\ud83d\ude00\ud83D\uDe00" "\\ud800" "\\\"""#;
    values.split_whitespace().for_each(|value| accepted(&member(value)));
    accepted(&member("\"\u{7f}\u{80}\u{e9}\u{2028}\u{feff}\u{ffff}\u{1f600}\u{10ffff}\""));
}

#[test]
fn numbers_have_one_grammar() {
    let faults = "0^1 0^0 -0^1 ^- ^--1 ^+1 ^1. ^-1. ^.5 ^-.5 ^1.e5 ^1e ^1E ^1e+ ^1e- ^1e+-5 1.5^.5 \
        1e5^e5 1e5^.5 0^x10 1^_000 1^f 1^- 1,^, ^Infinity ^-Infinity ^NaN ^\u{661} 1^\u{661}";
    for value in faults.split(' ') {
        refused_at_caret(&member(&format!("[{value}]")));
    }
}

#[test]
fn there_are_three_words_and_no_comments() {
    let faults = "^True ^TRUE ^tru ^trUe true^e true^false ^fals false^y ^nul null^l ^nil ^a \
        ^undefined ^'a' ^/**/1 1^// ^: ^\\u0031";
    for value in faults.split(' ') {
        refused_at_caret(&member(&format!("[{value}]")));
    }
    refused_at_caret(&member("^"));
}

#[test]
fn lists_and_objects_hold_values_between_single_commas() {
    let faults = r#"[1,^] [^,1] [1,^,2] [1^} [^} [1^:2] ^] {"b":1,^} {^,"b":1} {"b"^} {"b"^,1}
        {"b":^:1} {"b":^} {^b:1} {^1:1} {^null:1} {^'b':1} {"b":1^] {^] {"b":1^"c":2}"#;
    for value in faults.split_whitespace() {
        refused_at_caret(&member(value));
    }
    let whole = member(r#"[1,{"b":"c"}]"#);
    for cut in 0..whole.len() {
        assert!(look(&whole[..cut]).is_err(), "{}", &whole[..cut]);
    }
}

#[test]
fn an_escape_that_json_does_not_have_is_refused() {
    let escapes = r"\x41 \a \v \0 \' \U0041 \u \u1 \u12 \u123 \u123g \u+123 \u-123 \u{41} \_ \N";
    let others = ["\\ ", "\\\u{e9}", "\\\n", "\\u00\u{e9}9", r"\u 123"];
    for escape in escapes.split(' ').chain(others) {
        refused_at_caret(&member(&format!("\"^{escape}\"")));
        refused_at_caret(&member(&format!("[\"long enough ^{escape}\"]")));
        refused_at_caret(&member(&format!("{{\"^{escape}\":1}}")));
    }
}

#[test]
fn half_of_a_surrogate_pair_is_refused_in_either_order() {
    let halves = r"^\ud800 ^\uDBFF ^\udc00 ^\uDFFF ^\udc00\ud800 ^\ud800\ud800 ^\udc00\udc00
        ^\ud800\u0041 ^\ud800\ue000 ^\ud800\udbff ^\ud800x ^\ud800\n ^\ud800\\udc00 ^\ud83d\u
        ^\ud83d\ude0 ^\ud83d\Ude00 ^\ud83dude00 \ud83d\ude00^\ude00 \u0041^\ud800";
    for half in halves.split_whitespace() {
        refused_at_caret(&member(&format!("\"{half}\"")));
        refused_at_caret(&member(&format!("{{\"{half}\":1}}")));
    }
}

#[test]
fn a_raw_control_character_is_refused_wherever_it_stands() {
    for control in '\u{0}'..='\u{1f}' {
        for before in 0..20 {
            let (before, after) = ("a".repeat(before), "b".repeat(20 - before));
            refused_at_caret(&member(&format!("\"{before}^{control}{after}\"")));
            refused_at_caret(&member(&format!("{{\"{before}^{control}{after}\":1}}")));
        }
    }
}

#[test]
fn white_space_is_refused_everywhere_outside_strings() {
    let text = member(r#"[12,-1.5e+3,{"b":null,"c":true},{"d":"e \" f"},[[],{}],false]"#);
    accepted(&text);
    for (at, inside) in in_strings(&text).into_iter().enumerate() {
        for space in [" ", "\t", "\n", "\r", "\u{b}", "\u{a0}", "\u{feff}"] {
            let mut spaced = text.clone();
            spaced.insert_str(at, space);
            assert!(inside || look(&spaced).is_err(), "{spaced:?}");
        }
    }
}

#[test]
fn an_event_is_an_object_that_begins_with_its_type() {
    let faults = r#"^ ^x ^[] ^1 ^null ^"event_type" ^[{"event_type":"x"}] ^{} {^"event_type":1}
        {^"event_type":null} {^"event_type":true} {^"event_type":["x"]} {^"Event_type":"x"}
        {^"event_type":{"event_type":"x"}} {^"event_type_":"x"} {^"event":"x"} {^"":"x"}
        {^"a":1,"event_type":"x"} {^"a":{"event_type":"x"}} {^"event_type":1,"event_type":"x"}
        {"event_type":"x","^event_type":"x"} {"\u0065vent_type":"x","^event_type":"y"}"#;
    faults.split_whitespace().for_each(refused_at_caret);
    refused_at_caret("^ {\"event_type\":\"x\"}");
    refused_at_caret("^\u{feff}{\"event_type\":\"x\"}");
}

#[test]
fn a_type_is_given_as_it_is_written() {
    for (text, event_type) in [
        (r#"{"event_type":"x"}"#, "x"),
        (r#"{"event_type":""}"#, ""),
        (r#"{"event_type":"\u0078\"\\"}"#, r#"\u0078\"\\"#),
        (r#"{"event\u005ftype":"x"}"#, "x"),
        (r#"{"event_type":"x","a":{"event_type":"y"}}"#, "x"),
    ] {
        let seen = event(text.as_bytes(), &mut Scratch::default()).unwrap();
        assert_eq!((seen.event_type, seen.length), (event_type.as_bytes(), text.len()), "{text}");
    }
}

#[test]
fn only_the_event_itself_says_that_it_is_critical() {
    let says = r#""critical":true "a":1,"critical":true,"b":2 "\u0063ritical":true"#;
    let says_not = r#""critical":false "critical":"true" "critical":[true] "critical":1 "a":true
        "Critical":true "a":{"critical":true} "a":[{"critical":true}] "a":"\"critical\":true""#;
    let says = says.split_whitespace().map(|members| (members, true));
    let says_not = says_not.split_whitespace().map(|members| (members, false));
    for (members, critical) in says.chain(says_not) {
        let text = format!("{{\"event_type\":\"x\",{members}}}");
        let seen = event(text.as_bytes(), &mut Scratch::default()).unwrap();
        assert_eq!(seen.critical, critical, "{text}");
    }
}

#[test]
fn what_follows_an_event_is_not_part_of_it() {
    let text = member(r#"{"b":["}"]}"#);
    for after in [r#","sanitized":["/a"]"#, "}", ",", " ", "\n", "{}", "x", "\"", "\u{0}"] {
        assert_eq!(look(&format!("{text}{after}")), Ok(text.len()), "{after:?}");
    }
}

#[test]
fn thirty_two_levels_are_accepted_and_one_more_is_not() {
    let forms = [("[", "]", "[]"), ("[", "]", "{}"), ("[1,", "]", "[2]"), ("{\"b\":", "}", "{}")];
    for (open, close, innermost) in forms {
        // The event is the first level, and the innermost value the last.
        let nested = |depth: usize| {
            let between = depth - 2;
            member(&format!("{}{innermost}{}", open.repeat(between), close.repeat(between)))
        };
        accepted(&nested(31));
        accepted(&nested(32));
        let deep = nested(33);
        refused(&deep, deep.find(innermost).unwrap());
        refused(&nested(5_000), deep.find(innermost).unwrap());
    }
    accepted(&member(&format!("[{}[]]", "[[]],".repeat(100))));
    accepted(&member(&format!("\"{}\"", "[{".repeat(100))));
}

/// An object, of which the member at `second` has the key of that at `first`, behind some text;
/// and where the key of each begins.
fn object(before: &str, members: usize, first: usize, second: usize) -> (String, Vec<usize>) {
    let mut text = before.to_owned();
    let mut places = Vec::new();
    for index in 0..members {
        let key = if index == second { first } else { index };
        text.push_str(if text.ends_with('{') { "\"" } else { ",\"" });
        places.push(text.len());
        // Neither in the order of the alphabet nor against it, and every third one with an escape.
        let letter = if index % 3 == 2 { "\\u006b" } else { "k" };
        text.push_str(&[&(key * 7 % 10).to_string(), letter, &key.to_string(), "\":1"].concat());
    }
    text.push('}');
    (text, places)
}

#[test]
fn a_key_that_stands_twice_is_found_in_an_object_of_any_size() {
    for members in [2, 3, 15, 16, 17, 18, 40] {
        accepted(&object(r#"{"event_type":"x""#, members, 0, 0).0);
        for second in 1..members {
            for first in 0..second {
                let (text, places) = object(r#"{"event_type":"x""#, members, first, second);
                refused(&text, places[second]);
                let (text, places) = object(&format!("{BEFORE_VALUE}[{{"), members, first, second);
                refused(&format!("{text}]}}"), places[second]);
            }
        }
    }
}

#[test]
fn of_three_equal_keys_the_second_is_reported() {
    for members in [3, 20] {
        let (text, places) = object(r#"{"event_type":"x""#, members, 0, 1);
        refused(&format!("{},\"0k0\":2}}", text.trim_end_matches('}')), places[1]);
    }
}

#[test]
fn keys_are_compared_after_unescaping_and_within_one_object() {
    let twice = r#"{"b":1,"^b":1} {"b":1,"^\u0062":1} {"\u0062":1,"^b":1} {"":1,"^":1}
        {"\u00e9":1,"^\u00E9":1} {"\/":1,"^/":1} {"\n":1,"^\u000a":1} [[{"b":1,"^b":1}]]
        {"b":{"c":1},"^b":{"c":1}} {"\u0062":{"c":1,"\u0064":1},"^\u0062":3}
        {"\u0062":{"\u0063":1},"\u0064":2,"^d":3} {"\ud83d\ude00":1,"^\uD83D\uDE00":1}"#;
    twice.split_whitespace().for_each(|value| refused_at_caret(&member(value)));
    refused_at_caret(&member("{\"\u{e9}\":1,\"^\\u00e9\":1}"));
    refused_at_caret(&member("{\"\\ud83d\\ude00\":1,\"^\u{1f600}\":1}"));
    let once = r#"{"b":1,"B":1} {"b":1,"":1} {"\u0061":1,"\\u0061":1} {"b":1,"b\u0000":1}
        {"b":{"b":{"b":1}}} [{"b":1},{"b":1}] {"b":{"c":1},"d":{"c":1}} {"b":"c","c":"b"}
        {"\u0062":{"\u0062":1},"\u0063":2} {"event_type":"y","a":1}"#;
    once.split_whitespace().for_each(|value| accepted(&member(value)));
    accepted(&member("{\"\u{e9}\":1,\"e\u{301}\":1}"));
}

#[test]
fn a_scan_is_not_misled_by_the_one_before() {
    let mut scratch = Scratch::default();
    let text = member(r#"{"b":1,"\u0063":2}"#);
    for before in [&text, &text[..text.len() - 2], &member(r#"{"b":1,"\u0063":{"d":x"#), ""] {
        assert_eq!(event(before.as_bytes(), &mut scratch).is_ok(), before == text);
        let length = event(text.as_bytes(), &mut scratch).map(|event| event.length);
        assert_eq!(length, Ok(text.len()), "after {before}");
    }
}

#[test]
fn a_list_of_texts_is_shown_as_it_is_written() {
    let show = |list: &str| {
        let mut shown = Vec::new();
        let looked = texts(list.as_bytes(), &mut Scratch::default(), |raw| shown.push(raw));
        looked.map(|()| String::from_utf8(shown.join(&b'|')).unwrap()).ok()
    };
    assert_eq!(show(r#"[""]"#), Some(String::new()));
    assert_eq!(show(r#"["a","\u0062\"","a","],["]"#), Some(r#"a|\u0062\"|a|],["#.to_owned()));
    let faults = r#"[] [ ["a" ["a",] [,"a"] ["a"]] ["a"]x [1] [null] [["a"]] {"a":"b"} "a" ["a""b"]
        ["a":"b"] [a] ["\ud800"] ["\x"]"#;
    let spaced = ["", "[\"a\"] ", " [\"a\"]", "[ \"a\"]", "[\"a\" ]", "[\"a\", \"b\"]", "[\"\t\"]"];
    for list in faults.split_whitespace().chain(spaced) {
        assert_eq!(show(list), None, "{list:?}");
    }
}

/// Characters that mean something to a reader of JSON, and others.
fn character() -> impl Strategy<Value = char> {
    let telling: Vec<char> =
        "{}[]\",:\\/ueEbn+-.019adfx \t\n\u{0}\u{1f}\u{7f}\u{e9}\u{1f600}".chars().collect();
    prop_oneof![4 => select(telling), 1 => any::<char>()]
}

fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(character(), 0..12).prop_map(String::from_iter)
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 20, |inner| {
        let members = proptest::collection::vec((text(), inner.clone()), 0..20);
        prop_oneof![
            proptest::collection::vec(inner, 0..5).prop_map(Value::from),
            members.prop_map(Value::from_iter),
        ]
    })
}

/// Any event, written without white space.
fn any_event() -> impl Strategy<Value = String> {
    let members = proptest::collection::vec((text(), value()), 0..8);
    (text(), members).prop_map(|(event_type, mut members)| {
        members.retain(|(key, _)| key != "event_type");
        members.insert(0, ("event_type".to_owned(), Value::from(event_type)));
        Value::from_iter(members).to_string()
    })
}

/// How many members and how many levels a value has.
fn members_and_depth(value: &Value) -> (usize, usize) {
    let inside = |values: &mut dyn Iterator<Item = &Value>| {
        let (members, depths): (Vec<_>, Vec<_>) = values.map(members_and_depth).unzip();
        (members.iter().sum::<usize>(), 1 + depths.iter().max().unwrap_or(&0))
    };
    match value {
        Value::Array(items) => inside(&mut items.iter()),
        Value::Object(object) => {
            let (members, depth) = inside(&mut object.values());
            (members + object.len(), depth)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (0, 0),
    }
}

/// What another reader of JSON says of the whole text; nothing when it has no such large numbers.
///
/// That reader keeps one of two members with equal keys, so there are fewer than colons.
fn judge(text: &str) -> Option<bool> {
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) if error.to_string().starts_with("number out of range") => return None,
        Err(_) => return Some(false),
    };
    let outside = in_strings(text).into_iter().zip(text.bytes()).filter(|(inside, _)| !inside);
    let (spaces, others): (Vec<u8>, Vec<u8>) =
        outside.map(|(_, byte)| byte).partition(u8::is_ascii_whitespace);
    let colons = others.split(|&byte| byte == b':').count() - 1;
    let (members, depth) = members_and_depth(&value);
    let first = value.as_object().and_then(|members| members.iter().next());
    let begins = first.is_some_and(|(key, value)| key == "event_type" && value.is_string());
    Some(begins && spaces.is_empty() && members == colons && depth <= 32)
}

/// A character as a text may write it: with the shortest escape, in hex digits of either case, or
/// as it is where that is allowed.
fn written(c: char, style: u32) -> String {
    let mut units = [0; 2];
    let units = c.encode_utf16(&mut units).iter();
    match (c, style) {
        ('\\', 0) => r"\\".to_owned(),
        ('"', 0) => r#"\""#.to_owned(),
        ('/', 0) => r"\/".to_owned(),
        ('\n', 0) => r"\n".to_owned(),
        ('\t', 0) => r"\t".to_owned(),
        ('b', 0) => r"\b\f\r".to_owned(),
        ('\\' | '"' | '\u{0}'..='\u{1f}', _) | (_, 1) => {
            units.map(|unit| format!("\\u{unit:04X}")).collect::<Vec<_>>().concat()
        }
        (_, 0) => units.map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat(),
        _ => c.to_string(),
    }
}

proptest! {
    #[test]
    fn any_event_written_compactly_is_accepted_whole(text in any_event()) {
        prop_assert_eq!(look(&text), Ok(text.len()));
    }

    #[test]
    fn another_reader_agrees_on_any_change(
        text in any_event(),
        changes in proptest::collection::vec((any::<Index>(), 0..3, character()), 1..4),
    ) {
        let mut changed: Vec<char> = text.chars().collect();
        for (at, kind, character) in changes {
            let at = at.index(changed.len());
            match kind {
                0 => changed[at] = character,
                1 => changed.insert(at, character),
                _ if changed.len() > 1 => drop(changed.remove(at)),
                _ => {}
            }
        }
        let changed = String::from_iter(changed);
        match look(&changed) {
            Ok(length) => prop_assert_ne!(judge(&changed[..length]), Some(false), "{}", changed),
            Err(fault) => prop_assert_ne!(judge(&changed), Some(true), "{}: {:?}", changed, fault),
        }
    }

    #[test]
    fn another_reader_finds_the_same_duplicate_keys(
        keys in proptest::collection::vec(
            (select(vec!["a", "b", "\\u0061", "ab", "", "c\\n"]), 0..30_usize),
            0..24,
        ),
    ) {
        let spread = |(key, number): (&str, usize)| format!("\"{key}{}\":0", "z".repeat(number));
        let members: Vec<String> = keys.into_iter().map(spread).collect();
        let text = member(&format!("{{{}}}", members.join(",")));
        prop_assert_eq!(Some(look(&text).is_ok()), judge(&text));
    }

    #[test]
    fn a_text_without_its_escapes_is_what_another_reader_sees(
        styled in proptest::collection::vec((character(), 0..3_u32), 0..20),
    ) {
        let raw: String = styled.into_iter().map(|(c, style)| written(c, style)).collect();
        let expected: String = serde_json::from_str(&format!("\"{raw}\"")).unwrap();
        let mut plain = b"kept".to_vec();
        unescape(raw.as_bytes(), &mut plain);
        prop_assert_eq!(plain, [b"kept", expected.as_bytes()].concat());
    }

    #[test]
    fn unescaping_stops_at_what_is_no_escape(
        bytes in proptest::collection::vec(select(b"\\ud8c0e\"n\xff".to_vec()), 0..24),
    ) {
        let mut plain = Vec::new();
        unescape(&bytes, &mut plain);
        prop_assert!(plain.len() <= bytes.len());
    }

    #[test]
    fn eight_bytes_at_a_time_see_what_one_at_a_time_sees(
        bytes in proptest::collection::vec(
            prop_oneof![
                30 => 0x20_u8..=0xff,
                1 => any::<u8>(),
                1 => select(vec![0, 0x1f, b'"', b'\\']),
            ],
            0..64,
        ),
    ) {
        let naive = bytes.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\');
        prop_assert_eq!(plain_bytes(&bytes), naive.unwrap_or(bytes.len()));
    }
}

#[test]
fn every_byte_is_plain_or_special_at_every_place() {
    for byte in 0..=u8::MAX {
        for (filler, at) in [b' ', b'!', b'#', b'[', b']', 0x7f, 0x80, 0xff]
            .into_iter()
            .flat_map(|f| (0..17).map(move |at| (f, at)))
        {
            let mut text = [filler; 17];
            text[at] = byte;
            let special = byte < 0x20 || byte == b'"' || byte == b'\\';
            assert_eq!(plain_bytes(&text), if special { at } else { 17 }, "{byte:#x} at {at}");
        }
    }
}

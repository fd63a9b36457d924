//! More than a record can hold, in every event that has room for it.

use std::borrow::Cow;
use std::convert::Infallible;

use audit_core::AuditEvent;
use audit_core::event::{Json, Object, Text, TextList, TextVisitor};
use audit_core::marks::Pointer;
use audit_log::TextPolicy;
use audit_log::validate::{decode_line, validate_event};
use serde_json::{Map, Value, json};

use crate::fill::shapes;
use crate::log::Log;

/// Too much of something, for each place.
struct TooMuch {
    text: String,
    items: usize,
    json: Value,
}

impl TooMuch {
    fn map(&self) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("k".to_owned(), self.json.clone());
        map
    }
}

impl<'a> TextVisitor<'a> for &TooMuch {
    type Error = Infallible;

    fn text(&mut self, at: &Pointer<'_>, text: &mut Text<'a>) -> Result<(), Infallible> {
        // An event type that is not as the table has it would be another event.
        if at.name() != "event_type" {
            *text = Cow::Owned(self.text.clone());
        }
        Ok(())
    }

    fn list(&mut self, _: &Pointer<'_>, list: &mut TextList<'a>) -> Result<(), Infallible> {
        let item = |index| Cow::Owned(format!("{index}\u{1b}"));
        *list = (0..self.items).map(item).collect();
        Ok(())
    }

    fn json(&mut self, _: &Pointer<'_>, value: &mut Json<'a>) -> Result<(), Infallible> {
        *value = Cow::Owned(self.json.clone());
        Ok(())
    }

    fn object(&mut self, _: &Pointer<'_>, map: &mut Object<'a>) -> Result<(), Infallible> {
        *map = Cow::Owned(self.map());
        Ok(())
    }

    fn members(&mut self, members: &mut Object<'a>) -> Result<(), Infallible> {
        *members = Cow::Owned(self.map());
        Ok(())
    }
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!("\u{1b}"), |inner, level| {
        if level % 2 == 0 { json!([inner]) } else { json!({ "k": inner }) }
    })
}

fn too_much() -> Vec<TooMuch> {
    let with = |text: &str, items, json| TooMuch { text: text.to_owned(), items, json };
    let entry = |index: u32| (format!("k\u{1b}{index}"), json!("v".repeat(100)));
    let attributes = || Value::Object((0..3_000).map(entry).collect());
    vec![
        with("x", 3, attributes()),
        with("\u{1b}", 10_000, json!(vec!["\n\u{202e}"; 10_000])),
        with("x", 3, nested(500)),
        with("x", 3, json!(12_345_678_901_234_567_890_u64)),
        with(&"\u{1b}".repeat(8_192), 64, json!("\u{1b}".repeat(8_192))),
        with(&"\"".repeat(300_000), 10_000, json!(vec!["\\".repeat(9_000); 30])),
        with(&"\u{e0041}".repeat(8_192), 65, json!(vec!["\u{e0041}".repeat(8_192); 3])),
    ]
}

#[test]
fn too_much_of_anything_is_recorded_marked_and_verified() {
    for much in too_much() {
        let mut log = Log::new();
        for mut event in shapes() {
            let mut visitor = &much;
            let Ok(()) = event.walk(&mut visitor);
            let original = serde_json::to_value(&event).unwrap();
            let marks = validate_event(&mut event, TextPolicy::Neutralise).unwrap();
            log.write(event, marks, original);
        }
        log.check();
    }
}

#[test]
fn too_much_in_a_line_is_recorded_marked_and_verified() {
    let digits = "1234567890".repeat(6);
    let values = [
        format!("{}\"\\u001b\"{}", "[".repeat(500), "]".repeat(500)),
        format!("{}1{}", r#"{"k":"#.repeat(500), "}".repeat(500)),
        format!("[{}]", vec!["\"\\n\""; 10_000].join(",")),
        format!(
            "{{{}}}",
            (0..9_000).map(|k| format!("\"\\u001b{k}\":{k}")).collect::<Vec<_>>().join(",")
        ),
        format!("\"{}\"", "\\u001b".repeat(8_192)),
    ];
    for value in values.into_iter().chain(cfg!(feature = "arbitrary-precision").then_some(digits)) {
        let mut log = Log::new();
        for shape in shapes() {
            let mut more = serde_json::to_string(&shape).unwrap();
            assert_eq!(more.pop(), Some('}'));
            let line = format!(r#"{more},"more\u0000":{value}}}"#);
            let decoded = decode_line(line.as_bytes(), TextPolicy::Neutralise).unwrap();
            assert_eq!(decoded.event.is_critical(), shape.is_critical());
            log.write_line(&line, decoded);
        }
        log.check();
    }
}

#[test]
fn what_does_not_fit_even_so_leaves_its_type_and_stays_critical() {
    let value = format!("\"{}\"", "\\u001b".repeat(8_192));
    let members = (0..12).map(|index| format!(r#","more{index}":{value}"#));
    let members = members.collect::<Vec<_>>().concat();
    let mut log = Log::new();
    for shape in shapes() {
        let mut more = serde_json::to_string(&shape).unwrap();
        assert_eq!(more.pop(), Some('}'));
        let line = format!("{more}{members}}}");
        let decoded = decode_line(line.as_bytes(), TextPolicy::Neutralise).unwrap();
        assert!(matches!(decoded.event, AuditEvent::Opaque(_)));
        assert_eq!(decoded.event.is_critical(), shape.is_critical());
        log.write_line(&line, decoded);
    }
    log.check();
}

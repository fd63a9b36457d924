//! What an event says, for a person: who, and the rest in the order in which it is stored.
//!
//! Nothing here knows the events that there are, so those of other versions and of other services
//! read as well.

use std::fmt::{self, Write as _};

use audit_core::event::json::value;
use audit_core::limits::RECORD_DEPTH_MAX;
use audit_core::{EventTime, is_hostile, write_neutral};
use serde_json::{Map, Value};

/// The type of the events that a service defines and names for itself.
const CUSTOM: &str = "custom";

/// The members of an event.
#[derive(Debug)]
pub(crate) struct Said {
    members: Map<String, Value>,
}

/// Who it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who<'s> {
    /// The actor.
    Actor(&'s str),
    /// A user that somebody claimed to be.
    Attempted(&'s str),
    /// The event does not say.
    Nobody,
}

impl Said {
    /// Takes an event apart, which a reader of the log has found to be a JSON object.
    pub(crate) fn new(event: &[u8]) -> Self {
        let text = String::from_utf8_lossy(event);
        match value(&text, RECORD_DEPTH_MAX) {
            Ok(Value::Object(members)) => Self { members },
            Ok(_) | Err(_) => Self { members: Map::new() },
        }
    }

    /// When it happened, as the caller says.
    pub(crate) fn time(&self) -> Option<EventTime> {
        EventTime::parse(self.text("timestamp")?)
    }

    /// What an event that a service defines for itself is called.
    pub(crate) fn name(&self) -> Option<&str> {
        self.text("name").filter(|_| self.text("event_type") == Some(CUSTOM))
    }

    /// The type; that of a custom event with its name.
    pub(crate) fn type_and_name(&self, event_type: &str) -> String {
        match self.name() {
            Some(name) => format!("{}:{}", Type(event_type), Type(name)),
            None => Type(event_type).to_string(),
        }
    }

    pub(crate) fn who(&self) -> Who<'_> {
        let actor = self.members.get("actor").and_then(|actor| actor.get("user_id"));
        match (actor.and_then(Value::as_str), self.text("attempted_user")) {
            (Some(actor), _) => Who::Actor(actor),
            (None, Some(user)) => Who::Attempted(user),
            (None, None) => Who::Nobody,
        }
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.members.get(member)?.as_str()
    }

    /// Everything but type, name, time and who, as `name=value`: first from where, then the rest.
    /// Whether it is critical stands elsewhere too.
    pub(crate) fn rest(&self, is_critical: bool) -> String {
        let mut rest = Rest::default();
        let who = self.who();
        let actor = self.members.get("actor").filter(|_| matches!(who, Who::Actor(_)));
        let others = actor.and_then(Value::as_object).into_iter().flatten();
        others.filter(|(name, _)| *name != "user_id").for_each(|(name, value)| {
            rest.member(name, value);
        });
        let ip = self.members.get_key_value("ip");
        if let Some((name, value)) = ip {
            rest.member(name, value);
        }
        for (name, value) in &self.members {
            let is_elsewhere = match (name.as_str(), value) {
                ("event_type" | "timestamp" | "ip", _) => true,
                ("critical", Value::Bool(critical)) => *critical == is_critical,
                ("name", Value::String(_)) => self.name().is_some(),
                ("attempted_user", _) => matches!(who, Who::Attempted(_)),
                ("actor", _) => actor.is_some(),
                _ => false,
            };
            if !is_elsewhere {
                rest.member(name, value);
            }
        }
        rest.0
    }
}

/// A type as one word, in quotes where it could be taken for a custom event and its name.
struct Type<'s>(&'s str);

impl fmt::Display for Type<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.contains(':') { write_quoted(f, self.0) } else { write_text(f, self.0) }
    }
}

/// A bare word, or `-` where the event says nothing of it; `NAME?` for one who was only claimed.
impl fmt::Display for Who<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Actor(name) => write_text(f, name),
            Self::Attempted(name) => {
                write_text(f, name)?;
                f.write_char('?')
            }
            Self::Nobody => f.write_char('-'),
        }
    }
}

/// Members, one after the other.
#[derive(Default)]
struct Rest(String);

impl Rest {
    fn member(&mut self, name: &str, value: &Value) {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        // Writing into a String does not fail.
        let written = write_member(&mut self.0, name, value);
        debug_assert!(written.is_ok());
    }
}

fn write_member(out: &mut impl fmt::Write, name: &str, value: &Value) -> fmt::Result {
    write_text(out, name)?;
    out.write_char('=')?;
    write_value(out, value)
}

fn write_value(out: &mut impl fmt::Write, value: &Value) -> fmt::Result {
    match value {
        Value::Null => out.write_str("null"),
        Value::Bool(value) => write!(out, "{value}"),
        Value::Number(number) => write!(out, "{number}"),
        Value::String(text) => write_text(out, text),
        Value::Array(items) => {
            out.write_char('[')?;
            for (index, item) in items.iter().enumerate() {
                out.write_str(if index > 0 { " " } else { "" })?;
                write_value(out, item)?;
            }
            out.write_char(']')
        }
        Value::Object(members) => {
            out.write_char('{')?;
            for (index, (name, value)) in members.iter().enumerate() {
                out.write_str(if index > 0 { " " } else { "" })?;
                write_member(out, name, value)?;
            }
            out.write_char('}')
        }
    }
}

/// Writes a text so that it is one word: in quotes where it could be taken for more, and with every
/// hostile code point made visible. What the writer of the log has made visible stays as it is
/// stored.
fn write_text(out: &mut impl fmt::Write, text: &str) -> fmt::Result {
    let is_syntax = |c: char| c.is_whitespace() || is_hostile(c) || "=\"\\{}[]".contains(c);
    if !text.is_empty() && text != "-" && !text.ends_with('?') && !text.contains(is_syntax) {
        return out.write_str(text);
    }
    write_quoted(out, text)
}

fn write_quoted(out: &mut impl fmt::Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(out, "\\{c}")?,
            '\n' => out.write_str("\\n")?,
            '\t' => out.write_str("\\t")?,
            c if is_hostile(c) => write_neutral(out, c)?,
            c => out.write_char(c)?,
        }
    }
    out.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(event: &str) -> String {
        Said::new(event.as_bytes()).rest(false)
    }

    #[test]
    fn members_keep_their_order_but_who_and_from_where_come_first() {
        let said = Said::new(
            br#"{"event_type":"t","timestamp":"2026-01-02T03:04:05Z","b":1,"actor":{"user_id":"mira","s":7},"a":[1,"x y"],"ip":"192.0.2.1","o":{"k":null,"l":{}}}"#,
        );
        assert_eq!(said.who(), Who::Actor("mira"));
        assert_eq!(said.rest(false), r#"s=7 ip=192.0.2.1 b=1 a=[1 "x y"] o={k=null l={}}"#);
        assert_eq!(said.time().unwrap().to_string(), "2026-01-02T03:04:05Z");
    }

    #[test]
    fn a_claimed_user_is_not_taken_for_an_actor() {
        let said = Said::new(br#"{"attempted_user":"root"}"#);
        assert_eq!((said.who().to_string(), said.rest(false)), ("root?".to_owned(), String::new()));
        let said = Said::new(br#"{"actor":{"user_id":"root?"},"attempted_user":"x"}"#);
        assert_eq!(said.who().to_string(), "\"root?\"");
        assert_eq!(said.rest(false), "attempted_user=x");
        assert_eq!(Said::new(br#"{"actor":{"user_id":"-"}}"#).who().to_string(), "\"-\"");
        assert_eq!(Said::new(b"{}").who().to_string(), "-");
    }

    #[test]
    fn an_actor_of_another_form_is_shown_as_it_is() {
        assert_eq!(rest(r#"{"actor":"root"}"#), "actor=root");
        assert_eq!(rest(r#"{"actor":{"id":7}}"#), "actor={id=7}");
        assert_eq!(rest(r#"{"attempted_user":7}"#), "attempted_user=7");
    }

    #[test]
    fn a_custom_event_has_its_name_beside_its_type_and_no_other_imitates_it() {
        let custom = Said::new(br#"{"event_type":"custom","name":"auth_success"}"#);
        assert_eq!(custom.type_and_name("custom"), "custom:auth_success");
        assert_eq!(custom.rest(false), "");
        let other = Said::new(br#"{"event_type":"x","name":"auth_success"}"#);
        assert_eq!((other.name(), other.type_and_name("x")), (None, "x".to_owned()));
        assert_eq!(other.rest(false), "name=auth_success");
        assert_eq!(other.type_and_name("custom:x"), "\"custom:x\"");
    }

    #[test]
    fn a_statement_of_criticality_is_shown_only_where_it_says_something_else() {
        assert_eq!(rest(r#"{"critical":false}"#), "");
        assert_eq!(rest(r#"{"critical":true}"#), "critical=true");
        assert_eq!(rest(r#"{"critical":"no"}"#), "critical=no");
    }

    #[test]
    fn no_text_imitates_another_member_or_another_line() {
        assert_eq!(rest(r#"{"a":"x actor=root","b c=d":""}"#), r#"a="x actor=root" "b c=d"="""#);
        assert_eq!(rest(r#"{"a":"one\ntwo\t\"\\"}"#), r#"a="one\ntwo\t\"\\""#);
        let hostile = rest("{\"k\u{202e}\":\"\\u001b[2J\u{9b}\u{2028}\"}");
        assert_eq!(
            hostile,
            "\"k\u{27e6}U+202E\u{27e7}\"=\"\u{27e6}U+001B\u{27e7}[2J\u{27e6}U+009B\u{27e7}\u{27e6}U+2028\u{27e7}\""
        );
        assert_eq!(rest("{\"a\":\"\u{27e6}U+001B\u{27e7}\"}"), "a=\u{27e6}U+001B\u{27e7}");
    }

    #[test]
    fn a_key_that_a_json_library_uses_inside_hides_nothing() {
        let key = "$serde_json::private::Number";
        for text in ["7", "no number"] {
            let event = serde_json::json!({ "a": { key: text }, "b": 1 }).to_string();
            let shown = if text == "7" { "7" } else { "\"no number\"" };
            assert_eq!(rest(&event), format!("a={{{key}={shown}}} b=1"));
        }
    }

    #[test]
    fn numbers_are_shown_as_they_are_stored() {
        assert_eq!(
            rest(r#"{"a":18446744073709551616,"b":1e+400,"c":-0.10}"#),
            "a=18446744073709551616 b=1e+400 c=-0.10"
        );
    }
}

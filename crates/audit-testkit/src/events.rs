//! Events: one of each type, made from the table, so that a new row is covered as soon as it is
//! there; and some as services really send them.

#![expect(
    clippy::expect_used,
    reason = "an event that cannot be made is a mistake of the test that asks for it"
)]

use std::borrow::Cow;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use audit_core::event::{
    ActorInfo, AuthMethod, EventName, EventRow, FieldKind, Json, Object, ResourceInfo, Text,
    TextList, TextVisitor,
};
use audit_core::marks::Pointer;
use audit_core::{AuditEvent, EventTime, ServiceId};
use serde_json::{Map, Value, json};

/// A text that stays as it is: longer than a word, with characters that JSON escapes and some that
/// are not ASCII.
pub const CLEAN_TEXT: &str = "m\u{fc}ller-7 \u{200d} C:\\models\\\"llama\" 7b/v2";

/// A text that does not: a terminal's escape, a forged line, a reversal, and an invisible letter.
pub const HOSTILE_TEXT: &str =
    "root\u{1b}[2K\r\n2026-01-14 auth_success root gpj.\u{202e}exe ad\u{200b}min";

/// The JSON of an event of a row with `text` wherever a caller may put text, every optional member
/// present.
#[must_use]
pub fn event_json(row: &EventRow, text: &str) -> Value {
    let members = row.fields.iter().map(|field| (field.name.to_owned(), member(field.kind, text)));
    let first = ("event_type".to_owned(), json!(row.event_type));
    Value::Object([first].into_iter().chain(members).collect())
}

fn member(kind: FieldKind, text: &str) -> Value {
    match kind {
        FieldKind::Text | FieldKind::Ip | FieldKind::Severity => json!(text),
        FieldKind::TextList => json!([text, "plain", text]),
        FieldKind::U32 | FieldKind::U64 => json!(7),
        FieldKind::U32List => json!([0, 1]),
        FieldKind::Bool => json!(true),
        FieldKind::Time => json!("2026-01-14T09:26:53.589Z"),
        FieldKind::Name => json!("billing.card_added"),
        FieldKind::Actor => {
            json!({ "user_id": text, "ip": text, "auth_method": text, "session_id": text })
        }
        FieldKind::Resource => {
            json!({ "resource_type": text, "resource_id": text, "parent_id": text })
        }
        FieldKind::Result => json!({ "failure": { "reason": text } }),
        FieldKind::Json => json!([text, { "plain": 1.5, text: [null, { "k": text }] }]),
        FieldKind::Object => json!({ "plain": 1.5, text: text, "list": [true, { text: text }] }),
    }
}

/// The same members under a type that the table does not have.
#[must_use]
pub fn unknown_event_json(row: &EventRow, text: &str) -> Value {
    let mut event = event_json(row, text);
    if let Value::Object(members) = &mut event {
        members.insert("event_type".to_owned(), json!(format!("unheard_of.{text}")));
        members.insert(text.to_owned(), json!(text));
    }
    event
}

/// The event that JSON says.
///
/// # Panics
///
/// It says none, or one that is too deep to be read whole.
#[must_use]
pub fn read(event: &Value) -> AuditEvent<'static> {
    let (event, marks) = AuditEvent::from_json(&event.to_string()).expect("JSON of an event");
    assert!(marks.is_empty(), "{event:?} is too deep");
    event
}

/// One event of every type that the table has, and an `opaque` one that it has not, each with its
/// name and with `text` wherever a caller may put text, every optional member present. All text is
/// borrowed, as callers do who want nothing to be allocated; it stays in memory as long as the
/// process lives.
#[must_use]
pub fn of_every_type(text: &str) -> Vec<(&'static str, AuditEvent<'static>)> {
    let known = AuditEvent::TABLE.iter().map(|row| (row.event_type, event_json(row, text)));
    let unknown = AuditEvent::TABLE.first().map(|row| ("opaque", unknown_event_json(row, text)));
    known.chain(unknown).map(|(name, json)| (name, borrowing(read(&json)))).collect()
}

fn borrowing(mut event: AuditEvent<'static>) -> AuditEvent<'static> {
    let Ok(()) = event.walk(&mut Lender);
    event
}

/// Puts a borrowed text in the place of each owned one.
struct Lender;

fn lend<B: ToOwned + ?Sized>(value: &mut Cow<'static, B>) {
    let kept: &'static Cow<'static, B> = Box::leak(Box::new(value.clone()));
    *value = Cow::Borrowed(kept);
}

impl TextVisitor<'static> for Lender {
    type Error = Infallible;

    fn text(&mut self, _: &Pointer<'_>, text: &mut Text<'static>) -> Result<(), Infallible> {
        lend(text);
        Ok(())
    }

    fn list(&mut self, _: &Pointer<'_>, list: &mut TextList<'static>) -> Result<(), Infallible> {
        list.to_mut().iter_mut().for_each(lend);
        lend(list);
        Ok(())
    }

    fn json(&mut self, _: &Pointer<'_>, value: &mut Json<'static>) -> Result<(), Infallible> {
        lend(value);
        Ok(())
    }

    fn object(&mut self, _: &Pointer<'_>, map: &mut Object<'static>) -> Result<(), Infallible> {
        lend(map);
        Ok(())
    }

    fn members(&mut self, members: &mut Object<'static>) -> Result<(), Infallible> {
        lend(members);
        Ok(())
    }
}

/// The service whose events they are.
#[must_use]
pub fn service_id() -> ServiceId {
    checked_service_id("bank.teller-1")
}

fn checked_service_id(name: &str) -> ServiceId {
    ServiceId::new(name).expect("a name")
}

/// When the events below happened.
fn time() -> EventTime {
    EventTime::parse("2026-01-14T09:26:53.589Z").expect("a time")
}

fn name() -> EventName<'static> {
    EventName::new("billing.card_added").expect("a name")
}

fn actor() -> ActorInfo<'static> {
    let mut actor = ActorInfo::new("svc-inference@prod.example", AuthMethod::MTls)
        .at(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 77)));
    actor.session_id = Some("sess_01J9ZQ4M8VX2T7".into());
    actor
}

/// A routine event of usual length.
#[must_use]
pub fn routine() -> AuditEvent<'static> {
    AuditEvent::AuthorizationGranted {
        timestamp: time(),
        actor: actor(),
        resource: ResourceInfo {
            resource_type: "model".into(),
            resource_id: "meta-llama/Llama-3.1-8B-Instruct".into(),
            parent_id: Some("pool-eu-central-1a".into()),
        },
        action: "inference.execute".into(),
    }
}

/// A critical event of usual length, from an address of the longer kind.
#[must_use]
pub fn critical() -> AuditEvent<'static> {
    let address = Ipv6Addr::new(0x2001, 0xdb8, 0, 0x17, 0, 0, 0, 0xbeef);
    AuditEvent::PathTraversalAttempt {
        timestamp: time(),
        actor: ActorInfo::new("mallory", AuthMethod::ApiKey).at(IpAddr::V6(address)),
        attempted_path: "../../../../../etc/passwd".into(),
        endpoint: "/v1/customers/4711/statements/download".into(),
    }
}

/// A short event.
#[must_use]
pub fn short() -> AuditEvent<'static> {
    AuditEvent::SealVerified {
        timestamp: time(),
        shard_id: "shard-0017".into(),
        worker_id: "worker-3".into(),
    }
}

/// An event that a service defines for itself, with attributes.
#[must_use]
pub fn custom() -> AuditEvent<'static> {
    static ATTRIBUTES: LazyLock<Map<String, Value>> = LazyLock::new(|| {
        let attributes = json!({
            "card_brand": "visa",
            "last_four": "4242",
            "amount_cents": 129_900,
            "rate": 1.0825,
            "tags": ["recurring", "eu"],
            "billing": { "country": "DE", "postcode": "10115" },
        });
        attributes.as_object().cloned().unwrap_or_default()
    });
    AuditEvent::Custom {
        name: name(),
        timestamp: time(),
        critical: false,
        actor: Some(actor()),
        resource: None,
        attributes: Cow::Borrowed(&ATTRIBUTES),
    }
}

/// The four of them with their names in reports.
#[must_use]
pub fn usual() -> [(&'static str, AuditEvent<'static>); 4] {
    [("short", short()), ("routine", routine()), ("critical", critical()), ("custom", custom())]
}

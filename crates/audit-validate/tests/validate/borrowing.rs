//! An event whose text is clean costs no allocation: everything in it stays borrowed.

use std::borrow::Cow;
use std::convert::Infallible;

use audit_core::event::{
    ActorInfo, AuthMethod, EventName, Json, Object, OpaqueEvent, ResourceInfo, Text, TextList,
    TextVisitor,
};
use audit_core::marks::Pointer;
use audit_core::{AuditEvent, EventTime, TextPolicy};
use audit_validate::{validate_event, validate_string_field};
use serde_json::{Map, Value, json};

/// Collects the names of the members that are owned.
#[derive(Default)]
struct Owned(Vec<String>);

impl Owned {
    #[expect(clippy::ptr_arg, reason = "which kind of Cow it is, is what is asked")]
    fn note<T: ToOwned + ?Sized>(&mut self, at: &Pointer<'_>, value: &Cow<'_, T>) {
        if matches!(value, Cow::Owned(_)) {
            self.0.push(at.to_string());
        }
    }
}

impl<'a> TextVisitor<'a> for Owned {
    type Error = Infallible;

    fn text(&mut self, at: &Pointer<'_>, text: &mut Text<'a>) -> Result<(), Infallible> {
        self.note(at, text);
        Ok(())
    }

    fn list(&mut self, at: &Pointer<'_>, list: &mut TextList<'a>) -> Result<(), Infallible> {
        self.note(at, list);
        Ok(())
    }

    fn json(&mut self, at: &Pointer<'_>, value: &mut Json<'a>) -> Result<(), Infallible> {
        self.note(at, value);
        Ok(())
    }

    fn object(&mut self, at: &Pointer<'_>, map: &mut Object<'a>) -> Result<(), Infallible> {
        self.note(at, map);
        Ok(())
    }

    fn members(&mut self, members: &mut Object<'a>) -> Result<(), Infallible> {
        self.note(&Pointer::member("members"), members);
        Ok(())
    }
}

fn owned(event: &mut AuditEvent<'_>) -> Vec<String> {
    let mut owned = Owned::default();
    let Ok(()) = event.walk(&mut owned);
    owned.0
}

fn time() -> EventTime {
    EventTime::parse("2026-01-14T09:26:53Z").unwrap()
}

fn actor(user_id: &str) -> ActorInfo<'_> {
    ActorInfo::new(user_id, AuthMethod::Other("smart card".into())).at("192.0.2.7")
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

#[test]
fn nothing_of_a_clean_event_is_copied() {
    let attributes = json!({ "amount": 1.5, "tags": ["a", null], "to": { "name": "m\u{fc}ller" } });
    let permissions = ["read".into(), "write".into()];
    let events = [
        AuditEvent::Custom {
            name: EventName::new("billing.card_added").unwrap(),
            timestamp: time(),
            critical: true,
            actor: Some(actor("alice")),
            resource: Some(ResourceInfo {
                resource_type: "card".into(),
                resource_id: "4711".into(),
                parent_id: Some("account-7".into()),
            }),
            attributes: Cow::Borrowed(object(&attributes)),
        },
        AuditEvent::PermissionChanged {
            timestamp: time(),
            actor: actor("alice"),
            subject: "bob".into(),
            old_permissions: Cow::Borrowed(&[]),
            new_permissions: Cow::Borrowed(&permissions),
        },
        AuditEvent::PoolModified {
            timestamp: time(),
            actor: actor("alice"),
            pool_id: "pool-1".into(),
            changes: Cow::Borrowed(&attributes),
        },
        AuditEvent::Opaque(
            OpaqueEvent::new("door_opened", Cow::Borrowed(object(&attributes))).unwrap(),
        ),
    ];
    for mut event in events {
        for policy in [TextPolicy::Neutralise, TextPolicy::Reject] {
            assert!(validate_event(&mut event, policy).unwrap().is_empty());
            assert_eq!(owned(&mut event), [""; 0]);
        }
    }
}

#[test]
fn only_what_has_to_change_is_copied() {
    let attributes = json!({ "amount": 1.5 });
    let mut event = AuditEvent::Custom {
        name: EventName::new("billing.card_added").unwrap(),
        timestamp: time(),
        critical: true,
        actor: Some(actor("alice\n")),
        resource: None,
        attributes: Cow::Borrowed(object(&attributes)),
    };
    let marks = validate_event(&mut event, TextPolicy::Neutralise).unwrap();
    assert_eq!(marks.iter().collect::<Vec<_>>(), ["/actor/user_id"]);
    assert_eq!(owned(&mut event), ["/actor/user_id"]);
}

#[test]
fn one_field_is_cleaned_as_its_name_asks() {
    let clean = |name: &str, text: &mut Text<'_>| {
        let marks = validate_string_field(&Pointer::member(name), text, TextPolicy::Neutralise);
        marks.unwrap().iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut text = Cow::Borrowed("a\nb");
    assert_eq!(clean("details", &mut text), [""; 0]);
    assert!(matches!(text, Cow::Borrowed("a\nb")));
    assert_eq!(clean("path", &mut text), ["/path"]);
    assert_eq!(text, "a\u{27e6}U+000A\u{27e7}b");

    let mut text = Cow::Borrowed("a\nb");
    let error = validate_string_field(&Pointer::member("path"), &mut text, TextPolicy::Reject);
    assert_eq!(error.unwrap_err().to_string(), "/path holds U+000A");
    assert_eq!(text, "a\nb");
}

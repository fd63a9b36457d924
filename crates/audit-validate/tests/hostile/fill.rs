//! Text put into every place of an event that has room for it, as the walk over its fields finds
//! them: a new field is filled without a word here.

use std::borrow::Cow;
use std::convert::Infallible;

use audit_core::AuditEvent;
use audit_core::event::{FieldKind, Json, Object, Text, TextList, TextVisitor};
use audit_core::lifecycle::is_lifecycle_type;
use audit_core::marks::Pointer;
use serde_json::{Map, Value, json};

use crate::sample::{event_json, read, unknown_event_json};

/// Fills an event with texts of a source.
struct Fill<'s> {
    next: &'s mut dyn FnMut() -> String,
    filled: usize,
}

impl Fill<'_> {
    fn text(&mut self) -> String {
        self.filled += 1;
        (self.next)()
    }

    fn map(&mut self, levels: usize) -> Map<String, Value> {
        let mut map = Map::new();
        // Of a text that comes twice the second one would take the first one's place, and an event
        // has one type.
        for _ in 0..2 {
            let key = self.text();
            if map.contains_key(&key) || key == "event_type" {
                continue;
            }
            let value = if levels == 0 {
                json!(self.text())
            } else {
                json!([self.text(), Value::Object(self.map(levels - 1)), 1])
            };
            map.insert(key, value);
        }
        map
    }
}

impl<'a> TextVisitor<'a> for Fill<'_> {
    type Error = Infallible;

    fn text(&mut self, at: &Pointer<'_>, text: &mut Text<'a>) -> Result<(), Infallible> {
        let mut given = Fill::text(self);
        // Such an event cannot be made.
        if at.name() == "event_type" && is_lifecycle_type(&given) {
            given.push('x');
        }
        *text = Cow::Owned(given);
        Ok(())
    }

    fn list(&mut self, _: &Pointer<'_>, list: &mut TextList<'a>) -> Result<(), Infallible> {
        *list = (0..3).map(|_| Cow::Owned(Fill::text(self))).collect();
        Ok(())
    }

    fn json(&mut self, _: &Pointer<'_>, value: &mut Json<'a>) -> Result<(), Infallible> {
        *value = Cow::Owned(json!([Fill::text(self), self.map(1)]));
        Ok(())
    }

    fn object(&mut self, _: &Pointer<'_>, map: &mut Object<'a>) -> Result<(), Infallible> {
        *map = Cow::Owned(self.map(1));
        Ok(())
    }

    fn members(&mut self, members: &mut Object<'a>) -> Result<(), Infallible> {
        let mut map = self.map(1);
        map.insert("timestamp".to_owned(), json!("2026-01-14T09:26:53Z"));
        *members = Cow::Owned(map);
        Ok(())
    }
}

/// Every shape of every event of the table, and one that the table does not know.
pub(crate) fn shapes() -> Vec<AuditEvent<'static>> {
    let mut shapes = vec![];
    for row in AuditEvent::TABLE {
        shapes.push(read(&event_json(row, "x")));
        for field in row.fields.iter().filter(|field| field.kind == FieldKind::Result) {
            let mut event = event_json(row, "x");
            event[field.name] = json!({ "partial_success": { "details": "x" } });
            shapes.push(read(&event));
        }
    }
    shapes.extend(AuditEvent::TABLE.first().map(|row| read(&unknown_event_json(row, "x"))));
    shapes
}

/// Fills an event; how many texts it took.
pub(crate) fn fill(event: &mut AuditEvent<'_>, next: &mut dyn FnMut() -> String) -> usize {
    let mut fill = Fill { next, filled: 0 };
    let Ok(()) = event.walk(&mut fill);
    fill.filled
}

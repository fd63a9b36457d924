//! Every text of an event, cleaned in place.

use std::borrow::Cow;
use std::fmt;
use std::mem;

use audit_core::event::json::oversized;
use audit_core::event::{self, Object, Text, TextList, TextVisitor};
use audit_core::limits::{JSON_BYTES_MAX, JSON_DEPTH_MAX, LIST_ITEMS_MAX};
use audit_core::marks::{Marks, Pointer};
use audit_core::{AuditEvent, Digest, TextPolicy};
use serde_json::{Map, Value};

use crate::error::{TextFault, ValidationError};
use crate::json::Json;
use crate::marker::Marker;
use crate::rule::{Kind, Origin, Rule};

/// Cleans every text of an event and tells which values were changed. A text that needs no change
/// stays borrowed, and then nothing is allocated.
///
/// A list keeps its first [`LIST_ITEMS_MAX`] items; one more tells the size and SHA-256 of the
/// others, as a compact JSON array. A JSON value that is too large or too deep leaves its size and
/// SHA-256, as compact JSON.
///
/// # Errors
///
/// Under [`TextPolicy::Neutralise`] none. Under [`TextPolicy::Reject`], [`ValidationError`] for the
/// first value that would be changed otherwise; the event is as it was.
pub fn validate_event(
    event: &mut AuditEvent<'_>,
    policy: TextPolicy,
) -> Result<Marks, ValidationError> {
    let mut cleaner = Cleaner::new(policy, Origin::Caller);
    event.walk(&mut cleaner)?;
    Ok(cleaner.marks)
}

/// Cleans one text, as [`validate_event`] does; whether it is free text follows from the name of
/// the member that `at` points to. The field is replaced only when its text has to change.
///
/// # Errors
///
/// Under [`TextPolicy::Neutralise`] none. Under [`TextPolicy::Reject`], [`ValidationError`] when
/// the text would be changed otherwise; it is as it was.
pub fn validate_string_field(
    at: &Pointer<'_>,
    field: &mut Cow<'_, str>,
    policy: TextPolicy,
) -> Result<Marks, ValidationError> {
    let mut cleaner = Cleaner::new(policy, Origin::Caller);
    cleaner.replace(at, field)?;
    Ok(cleaner.marks)
}

/// Walks through one event.
#[derive(Debug)]
pub(crate) struct Cleaner {
    policy: TextPolicy,
    origin: Origin,
    marks: Marks,
}

impl Cleaner {
    pub(crate) const fn new(policy: TextPolicy, origin: Origin) -> Self {
        Self { policy, origin, marks: Marks::none() }
    }

    pub(crate) fn into_marks(self) -> Marks {
        self.marks
    }

    /// Takes over what [`AuditEvent::from_json`] marked: members that were too deep to be read.
    /// Their names are still as the caller wrote them.
    pub(crate) fn note_too_deep(&mut self, found: &Marks) -> Result<(), ValidationError> {
        let fault = TextFault::TooDeep { depth_max: JSON_DEPTH_MAX };
        for pointer in found.iter() {
            if let Some(token) = pointer.strip_prefix('/') {
                let name = token.replace("~1", "/").replace("~0", "~");
                let clean = self.key(None, &name)?;
                self.touch(&Pointer::member(clean.as_ref().unwrap_or(&name)), fault)?;
            } else {
                self.permit(pointer, fault)?;
                self.marks = Marks::whole();
            }
        }
        Ok(())
    }

    /// Asks the policy whether a value may be changed for this reason.
    fn permit(&self, at: impl fmt::Display, fault: TextFault) -> Result<(), ValidationError> {
        match self.policy {
            TextPolicy::Neutralise => Ok(()),
            TextPolicy::Reject => Err(ValidationError { pointer: at.to_string(), fault }),
        }
    }

    /// As `permit`, and marks the value as changed.
    fn touch(&mut self, at: &Pointer<'_>, fault: TextFault) -> Result<(), ValidationError> {
        self.permit(at, fault)?;
        self.marks.add(at);
        Ok(())
    }

    /// The text as it has to be; `None` when it is so already.
    fn clean(
        &mut self,
        at: &Pointer<'_>,
        kind: Kind,
        text: &str,
    ) -> Result<Option<String>, ValidationError> {
        let rule = Rule::new(kind, self.origin);
        let Err(fault) = rule.check(text) else { return Ok(None) };
        self.touch(at, fault)?;
        Ok(Some(rule.rewrite(text)))
    }

    fn replace(&mut self, at: &Pointer<'_>, text: &mut Text<'_>) -> Result<(), ValidationError> {
        if let Some(clean) = self.clean(at, Kind::of_member(at.name()), text)? {
            *text = Cow::Owned(clean);
        }
        Ok(())
    }

    /// The items beyond the limit become one.
    fn shorten(
        &mut self,
        at: &Pointer<'_>,
        list: &mut TextList<'_>,
    ) -> Result<(), ValidationError> {
        let Some((kept, rest)) = list.split_at_checked(LIST_ITEMS_MAX) else { return Ok(()) };
        if rest.is_empty() {
            return Ok(());
        }
        let items_max = LIST_ITEMS_MAX;
        self.permit(at, TextFault::TooManyItems { items: list.len(), items_max })?;
        self.marks.add(&at.item(LIST_ITEMS_MAX));
        // A list of texts always has its JSON.
        let rest = serde_json::to_string(rest).unwrap_or_default();
        let rest = self.origin.original(&rest);
        let marker = Marker::Rest { bytes: rest.len(), sha256: Digest::of(&rest) };
        let marker = Cow::Owned(marker.to_string());
        *list = kept.iter().cloned().chain([marker]).collect();
        Ok(())
    }

    /// A JSON value that has the limits to itself; `None` when it may stay as it is.
    fn whole(
        &mut self,
        at: &Pointer<'_>,
        json: Json<'_>,
    ) -> Result<Option<Value>, ValidationError> {
        if json.is_deeper(JSON_DEPTH_MAX) {
            return self.oversize(at, json, TextFault::TooDeep { depth_max: JSON_DEPTH_MAX });
        }
        // What is marked inside counts only if the value stays.
        let outside = mem::take(&mut self.marks);
        let clean = self.part(at, json)?;
        let inside = mem::replace(&mut self.marks, outside);
        let bytes_max = JSON_BYTES_MAX;
        match clean.as_ref().map_or(json, Json::from).encoded_bytes() {
            bytes if bytes > bytes_max => {
                self.oversize(at, json, TextFault::TooLong { bytes, bytes_max })
            }
            _ => {
                self.marks.merge(inside);
                Ok(clean)
            }
        }
    }

    fn oversize(
        &mut self,
        at: &Pointer<'_>,
        json: Json<'_>,
        fault: TextFault,
    ) -> Result<Option<Value>, ValidationError> {
        self.touch(at, fault)?;
        let compact = json.compact();
        let compact = String::from_utf8_lossy(&compact);
        Ok(Some(Value::Object(oversized(&self.origin.original(&compact)))))
    }

    /// A JSON value within another. Recurses no deeper than the limit, which `whole` checked.
    fn part(&mut self, at: &Pointer<'_>, json: Json<'_>) -> Result<Option<Value>, ValidationError> {
        match json {
            Json::Scalar(Value::String(text)) => {
                Ok(self.clean(at, Kind::FreeText, text)?.map(Value::String))
            }
            Json::Scalar(_) => Ok(None),
            Json::Array(items) => Ok(self.items(at, items)?.map(Value::Array)),
            Json::Object(map) => Ok(self.entries(Some(at), map)?.map(Value::Object)),
        }
    }

    fn items(
        &mut self,
        at: &Pointer<'_>,
        items: &[Value],
    ) -> Result<Option<Vec<Value>>, ValidationError> {
        let mut changed: Option<Vec<Value>> = None;
        for (index, item) in items.iter().enumerate() {
            let clean = self.part(&at.item(index), item.into())?;
            if changed.is_none() && clean.is_some() {
                changed = Some(items.iter().take(index).cloned().collect());
            }
            if let Some(changed) = &mut changed {
                changed.push(clean.unwrap_or_else(|| item.clone()));
            }
        }
        Ok(changed)
    }

    /// The members of an object or, without a place, of the event itself: of these each value has
    /// the limits to itself.
    fn entries(
        &mut self,
        at: Option<&Pointer<'_>>,
        map: &Map<String, Value>,
    ) -> Result<Option<Map<String, Value>>, ValidationError> {
        let mut changed: Option<Map<String, Value>> = None;
        for (index, (key, value)) in map.iter().enumerate() {
            let clean_key = self.key(at, key)?;
            let place = child(at, clean_key.as_ref().unwrap_or(key));
            let clean = match at {
                Some(_) => self.part(&place, value.into())?,
                None => self.whole(&place, value.into())?,
            };
            if changed.is_none() && (clean_key.is_some() || clean.is_some()) {
                let before = map.iter().take(index);
                changed = Some(before.map(|(key, value)| (key.clone(), value.clone())).collect());
            }
            if let Some(changed) = &mut changed {
                let key = clean_key.unwrap_or_else(|| key.clone());
                changed.insert(key, clean.unwrap_or_else(|| value.clone()));
            }
        }
        Ok(changed)
    }

    /// A key as it has to be. Its value is marked, under the new name: a key has no pointer.
    /// Different keys stay different, since neutralising is one-to-one and a shortened key has its
    /// digest.
    fn key(
        &mut self,
        at: Option<&Pointer<'_>>,
        key: &str,
    ) -> Result<Option<String>, ValidationError> {
        let rule = Rule::new(Kind::Text, self.origin);
        let Err(fault) = rule.check(key) else { return Ok(None) };
        let clean = rule.rewrite(key);
        self.touch(&child(at, &clean), fault)?;
        Ok(Some(clean))
    }
}

fn child<'p>(at: Option<&'p Pointer<'p>>, name: &'p str) -> Pointer<'p> {
    at.map_or(Pointer::member(name), |at| at.child(name))
}

impl<'a> TextVisitor<'a> for Cleaner {
    type Error = ValidationError;

    fn text(&mut self, at: &Pointer<'_>, text: &mut Text<'a>) -> Result<(), Self::Error> {
        self.replace(at, text)
    }

    fn list(&mut self, at: &Pointer<'_>, list: &mut TextList<'a>) -> Result<(), Self::Error> {
        let kind = Kind::of_member(at.name());
        for index in 0..list.len().min(LIST_ITEMS_MAX) {
            let Some(item) = list.get(index) else { break };
            let Some(clean) = self.clean(&at.item(index), kind, item)? else { continue };
            if let Some(item) = list.to_mut().get_mut(index) {
                *item = Cow::Owned(clean);
            }
        }
        self.shorten(at, list)
    }

    fn json(&mut self, at: &Pointer<'_>, value: &mut event::Json<'a>) -> Result<(), Self::Error> {
        if let Some(clean) = self.whole(at, Json::from(&**value))? {
            *value = Cow::Owned(clean);
        }
        Ok(())
    }

    fn object(&mut self, at: &Pointer<'_>, map: &mut Object<'a>) -> Result<(), Self::Error> {
        if let Some(Value::Object(clean)) = self.whole(at, Json::Object(map))? {
            *map = Cow::Owned(clean);
        }
        Ok(())
    }

    fn members(&mut self, members: &mut Object<'a>) -> Result<(), Self::Error> {
        if let Some(clean) = self.entries(None, members)? {
            *members = Cow::Owned(clean);
        }
        Ok(())
    }
}

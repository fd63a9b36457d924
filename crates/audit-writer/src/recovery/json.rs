//! Strict JSON, walked once: RFC 8259 without white space, duplicate keys and unpaired surrogates.
//!
//! Nothing is built but a stack of keys. Depth is limited, so recursion is. Anything that JSON allows
//! and the format does not is no JSON here.

mod text;
mod walk;

pub(super) use text::Text;
use walk::Walk;

/// An event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event<'t> {
    pub(super) event_type: Text<'t>,
    /// The object.
    pub(super) json: &'t [u8],
}

/// Takes the event at the beginning of a text, and what follows it.
pub(super) fn event(text: &str) -> Option<(Event<'_>, &[u8])> {
    let text = without_controls(text)?;
    let mut walk = Walk::with_room(text);
    let event_type = walk.event()?;
    let rest = walk.rest();
    let json = text.get(..text.len().checked_sub(rest.len())?)?;
    Some((Event { event_type, json }, rest))
}

/// The texts of a list. `None` where it is anything else.
pub(super) fn texts(list: &[u8]) -> Option<Vec<Text<'_>>> {
    items(list)?.into_iter().map(text).collect()
}

/// A value that is a text.
pub(super) fn text(value: &[u8]) -> Option<Text<'_>> {
    let mut walk = Walk::new(value);
    let text = walk.text()?;
    walk.is_done().then_some(text)
}

/// The items of a value that is a list.
pub(super) fn items(value: &[u8]) -> Option<Vec<&[u8]>> {
    let mut items = Vec::new();
    let mut walk = Walk::new(value);
    walk.list(1, |item| items.push(item))?;
    walk.is_done().then_some(items)
}

/// The members of a value that is an object, with their keys.
pub(super) fn members(value: &[u8]) -> Option<Vec<(Text<'_>, &[u8])>> {
    let mut members = Vec::new();
    let mut walk = Walk::new(value);
    walk.object(1, |key, value| members.push((key, value)))?;
    walk.is_done().then_some(members)
}

/// Control characters have no place in JSON without white space. To look for them first is quicker
/// than to look for them in each text.
fn without_controls(text: &str) -> Option<&[u8]> {
    let least = text.bytes().fold(u8::MAX, u8::min);
    (least >= b' ').then_some(text.as_bytes())
}

#[cfg(test)]
mod tests;

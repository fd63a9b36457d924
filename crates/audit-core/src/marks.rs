//! The `sanitized` list of a record: JSON Pointers (RFC 6901) to the values that were changed.

use std::fmt::{self, Write as _};

use serde::Serialize;

use crate::limits::{MARKS_BYTES_MAX, MARKS_MAX};

/// Where a value stands in an event, as a chain of tokens on the stack: nothing is allocated until
/// a value turns out to need a mark.
#[derive(Clone, Copy, Debug)]
pub struct Pointer<'p> {
    parent: Option<&'p Pointer<'p>>,
    token: Token<'p>,
}

#[derive(Clone, Copy, Debug)]
enum Token<'p> {
    Name(&'p str),
    Index(usize),
}

impl<'p> Pointer<'p> {
    /// A member of the event itself.
    #[must_use]
    pub const fn member(name: &'p str) -> Self {
        Self { parent: None, token: Token::Name(name) }
    }

    /// A member of the value that this pointer names.
    #[must_use]
    pub const fn child(&'p self, name: &'p str) -> Self {
        Self { parent: Some(self), token: Token::Name(name) }
    }

    /// An item of the list that this pointer names.
    #[must_use]
    pub const fn item(&'p self, index: usize) -> Self {
        Self { parent: Some(self), token: Token::Index(index) }
    }

    /// The name of the member it points to, or that of the list it points into.
    #[must_use]
    pub fn name(&self) -> &str {
        match self.token {
            Token::Name(name) => name,
            Token::Index(_) => self.parent.map_or("", |list| list.name()),
        }
    }
}

/// RFC 6901 section 3: `~` is written `~0` and `/` is written `~1`.
impl fmt::Display for Pointer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        f.write_char('/')?;
        match self.token {
            Token::Index(index) => write!(f, "{index}"),
            Token::Name(name) => name.chars().try_for_each(|c| match c {
                '~' => f.write_str("~0"),
                '/' => f.write_str("~1"),
                c => f.write_char(c),
            }),
        }
    }
}

/// The values of an event that were neutralised or shortened: unique pointers, or a single `""`
/// (the whole event) when there were more than can be listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Marks {
    pointers: Vec<String>,
    #[serde(skip)]
    bytes: usize,
}

impl Marks {
    /// No marks. Allocates nothing.
    #[must_use]
    pub const fn none() -> Self {
        Self { pointers: Vec::new(), bytes: 0 }
    }

    /// The mark of the whole event.
    #[must_use]
    pub fn whole() -> Self {
        Self { pointers: vec![String::new()], bytes: 0 }
    }

    /// Marks a value as changed.
    pub fn add(&mut self, at: &Pointer<'_>) {
        self.push(at.to_string());
    }

    /// Marks what another list marks, too.
    pub fn merge(&mut self, other: Self) {
        other.pointers.into_iter().for_each(|pointer| self.push(pointer));
    }

    fn push(&mut self, pointer: String) {
        if self.is_whole() || self.pointers.contains(&pointer) {
            return;
        }
        if pointer.is_empty() {
            *self = Self::whole();
            return;
        }
        // A quote, a backslash or a control takes up to six bytes; pointers hold no controls.
        self.bytes = self.bytes.saturating_add(pointer.len().saturating_mul(2));
        if self.pointers.len() >= MARKS_MAX || self.bytes > MARKS_BYTES_MAX {
            *self = Self::whole();
        } else {
            self.pointers.push(pointer);
        }
    }

    /// Whether nothing was changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pointers.is_empty()
    }

    /// Whether the single `""` stands for everything.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.pointers.first().is_some_and(String::is_empty)
    }

    /// The pointers.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.pointers.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_written_as_rfc_6901_says() {
        let attributes = Pointer::member("attributes");
        let odd = attributes.child("a/b~c");
        assert_eq!(odd.item(7).to_string(), "/attributes/a~1b~0c/7");
        assert_eq!(odd.item(7).name(), "a/b~c");
    }

    #[test]
    fn a_value_is_marked_once() {
        let mut marks = Marks::none();
        marks.add(&Pointer::member("path"));
        marks.add(&Pointer::member("path"));
        assert_eq!(marks.iter().collect::<Vec<_>>(), ["/path"]);
    }

    #[test]
    fn more_than_the_limit_becomes_the_whole() {
        let list = Pointer::member("scope");
        let mut marks = Marks::none();
        (0..MARKS_MAX).for_each(|index| marks.add(&list.item(index)));
        assert_eq!(marks.iter().count(), MARKS_MAX);
        marks.add(&Pointer::member("path"));
        assert_eq!(marks, Marks::whole());
        marks.add(&Pointer::member("actor"));
        assert_eq!(marks, Marks::whole());
    }

    #[test]
    fn merging_keeps_both_and_the_whole_wins() {
        let mut marks = Marks::none();
        marks.add(&Pointer::member("path"));
        let mut more = marks.clone();
        more.add(&Pointer::member("actor"));
        marks.merge(more);
        assert_eq!(marks.iter().collect::<Vec<_>>(), ["/path", "/actor"]);
        marks.merge(Marks::whole());
        assert_eq!(marks, Marks::whole());
    }

    #[test]
    fn long_pointers_become_the_whole_too() {
        let long = "k".repeat(MARKS_BYTES_MAX);
        let mut marks = Marks::none();
        marks.add(&Pointer::member(&long));
        assert!(marks.is_whole());
    }
}

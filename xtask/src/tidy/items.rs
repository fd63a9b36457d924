//! Finds functions, attributes and test-only items in blanked code, by their brackets.

use std::ops::Range;

use super::search::{
    before, bracketed_len, find_unenclosed, from, has_word, leading_word, line_at, words,
};

/// A function, as far as the rules look at it.
#[derive(Debug)]
pub(crate) struct Function<'c> {
    pub(crate) name: &'c str,
    /// The offset of the word `fn`.
    pub(crate) at: usize,
    /// Generics, parameters, result and bounds.
    pub(crate) signature: &'c str,
    /// From the line of `fn` to that of the closing brace; one for a function without a body.
    pub(crate) line_count: usize,
    /// Whether the visibility is a plain `pub`.
    pub(crate) is_public: bool,
}

/// All functions of the code, those inside of others included.
pub(crate) fn functions(code: &str) -> impl Iterator<Item = Function<'_>> {
    words(code, "fn").filter_map(|at| function(code, at))
}

/// `None` for the `fn` of a pointer type, which has no name.
fn function(code: &str, at: usize) -> Option<Function<'_>> {
    let spaced = code.get(at..)?.strip_prefix("fn")?;
    let name = leading_word(spaced.trim_start());
    if name.is_empty() {
        return None;
    }
    let (_, named) = spaced.split_once(name)?;
    let signature_end = find_unenclosed(named, |c| c == '{' || c == ';')?;
    let body_len = bracketed_len(from(named, signature_end)).unwrap_or(0);
    let end = signature_end.saturating_add(body_len);
    let line_count = line_at(named, end);
    let signature = before(named, signature_end);
    Some(Function { name, at, signature, line_count, is_public: is_public(before(code, at)) })
}

/// Whether the word before `fn`, and before words such as `const`, is `pub`.
fn is_public(before_fn: &str) -> bool {
    let mut words = before_fn.split_whitespace().rev();
    words.find(|word| !["const", "async", "unsafe", "extern"].contains(word)) == Some("pub")
}

/// An attribute, outer or inner.
#[derive(Debug)]
pub(crate) struct Attribute<'c> {
    pub(crate) at: usize,
    /// What stands between the square brackets.
    pub(crate) content: &'c str,
    /// The offset just after the closing bracket.
    pub(crate) end: usize,
}

impl Attribute<'_> {
    /// Whether it keeps what follows out of every production build.
    ///
    /// `cfg(any(test, ...))` does not: what it guards can be built without the tests.
    fn is_test_only(&self) -> bool {
        let is_one_of_all = self.content.starts_with("cfg(all(")
            && has_word(self.content, "test")
            && !["any(", "not("].iter().any(|word| has_word(self.content, word));
        self.content == "cfg(test)" || is_one_of_all
    }
}

pub(crate) fn attributes(code: &str) -> impl Iterator<Item = Attribute<'_>> {
    code.match_indices('#').filter_map(|(at, _)| {
        let opened = from(code, at).strip_prefix('#')?;
        let bracket = opened.strip_prefix('!').unwrap_or(opened);
        let start = code.len().saturating_sub(bracket.len());
        let end = start.checked_add(bracketed_len(bracket)?)?;
        let content = code.get(start..end)?.strip_prefix('[')?.strip_suffix(']')?;
        Some(Attribute { at, content, end })
    })
}

/// An item under `#[cfg(test)]`.
#[derive(Debug)]
pub(crate) struct TestItem<'c> {
    pub(crate) span: Range<usize>,
    /// The item without its attributes.
    pub(crate) item: &'c str,
}

impl<'c> TestItem<'c> {
    /// The name, if the item is a module.
    pub(crate) fn module(&self) -> Option<&'c str> {
        let end = find_unenclosed(self.item, |c| c == '{' || c == ';')?;
        let mut words = before(self.item, end).split_whitespace().rev();
        let name = words.next()?;
        (words.next()? == "mod").then_some(name)
    }

    /// Whether the body is here rather than in a file of its own.
    pub(crate) fn has_body(&self) -> bool {
        self.item.ends_with('}')
    }
}

/// Everything under `#[cfg(test)]`; an item ends at its semicolon or its closing brace.
pub(crate) fn test_items(code: &str) -> impl Iterator<Item = TestItem<'_>> {
    attributes(code).filter(Attribute::is_test_only).map(|attribute| {
        let start = past_attributes(code, attribute.end);
        let item = from(code, start);
        let len = item_len(item).unwrap_or(item.len());
        let end = start.saturating_add(len);
        TestItem { span: attribute.at..end, item: before(item, len) }
    })
}

/// The offset of the item that follows, over further attributes.
fn past_attributes(code: &str, at: usize) -> usize {
    let start = code.len().saturating_sub(from(code, at).trim_start().len());
    match attributes(from(code, start)).next().filter(|next| next.at == 0) {
        Some(next) => past_attributes(code, start.saturating_add(next.end)),
        None => start,
    }
}

fn item_len(item: &str) -> Option<usize> {
    let head = find_unenclosed(item, |c| c == '{' || c == ';')?;
    head.checked_add(bracketed_len(from(item, head)).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_with_their_extent() {
        let code = "pub const fn a<const N: usize>(x: [u8; 3]) -> u8 {\n {\n }\n}\nfn b();";
        let found: Vec<_> = functions(code).map(|f| (f.name, f.line_count, f.is_public)).collect();
        assert_eq!(found, [("a", 4, true), ("b", 1, false)]);
    }

    #[test]
    fn pointer_types_and_restricted_visibility() {
        let code = "type F = fn(u8) -> u8; pub(crate) fn c() { fn d() {} }";
        let found: Vec<_> = functions(code).map(|f| (f.name, f.is_public)).collect();
        assert_eq!(found, [("c", false), ("d", false)]);
    }

    #[test]
    fn attributes_may_be_inner_and_span_lines() {
        let code = "#![a]\n#[b(\n[c])] x # y";
        let contents: Vec<_> = attributes(code).map(|attribute| attribute.content).collect();
        assert_eq!(contents, ["a", "b(\n[c])"]);
    }

    #[test]
    fn test_items_end_where_the_item_does() {
        let code = "#[cfg(test)]\n#[path]\nmod a { b; }\n#[cfg(all(test, unix))] use c::{d}; e\n\
                    #[cfg(not(test))] mod f; #[cfg(test)] pub(crate) mod g;\n\
                    #[cfg(any(test, feature = \"h\"))] mod h;";
        let found: Vec<_> = test_items(code).map(|i| (i.item, i.module(), i.has_body())).collect();
        assert_eq!(
            found,
            [
                ("mod a { b; }", Some("a"), true),
                ("use c::{d}", None, true),
                ("pub(crate) mod g;", Some("g"), false),
            ]
        );
    }
}

//! Rust source with everything that is not code blanked out.
//!
//! Not a lexer of Rust: it knows exactly as much as is needed to tell comments, strings, raw
//! strings, characters and lifetimes apart.

use super::search::{before, is_word};

/// The text with each byte of a comment or literal turned into a space.
///
/// Line breaks stay, and so does the length, so an offset means the same in both. The result is
/// ASCII: other characters become spaces too.
pub(crate) fn code_only(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let piece = next_piece(rest);
        let (taken, left) = rest.split_at_checked(piece.len()).unwrap_or((rest, ""));
        code.extend(taken.bytes().map(|byte| piece.shown(byte)));
        rest = left;
    }
    code
}

/// The next stretch of text, by its length in bytes, which is never zero.
enum Piece {
    Code(usize),
    Blank(usize),
}

impl Piece {
    fn len(&self) -> usize {
        match *self {
            Self::Code(len) | Self::Blank(len) => len,
        }
    }

    fn shown(&self, byte: u8) -> char {
        match self {
            _ if byte == b'\n' => '\n',
            Self::Code(_) if byte.is_ascii() => char::from(byte),
            Self::Code(_) | Self::Blank(_) => ' ',
        }
    }
}

fn next_piece(rest: &str) -> Piece {
    comment(rest)
        .or_else(|| raw_string(rest))
        .or_else(|| rest.starts_with('"').then(|| quoted(rest)))
        .or_else(|| character(rest))
        .map_or_else(|| Piece::Code(word(rest)), Piece::Blank)
}

fn comment(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    rest.starts_with("/*").then(|| block_comment(rest))
}

/// Block comments nest. One that is never closed reaches to the end.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut left = rest;
    while !left.is_empty() {
        if let Some(inside) = left.strip_prefix("/*") {
            depth = depth.saturating_add(1);
            left = inside;
        } else if let Some(outside) = left.strip_prefix("*/") {
            depth = depth.saturating_sub(1);
            left = outside;
            if depth == 0 {
                break;
            }
        } else {
            left = without_first(left);
        }
    }
    rest.len().saturating_sub(left.len())
}

/// `r"..."`, `br##"..."##`, `cr"..."`; but not the raw identifier `r#type`.
fn raw_string(rest: &str) -> Option<usize> {
    let prefixed = ["br", "cr", "r"].iter().find_map(|prefix| rest.strip_prefix(prefix))?;
    let quote = prefixed.find(|c| c != '#')?;
    let hashes = before(prefixed, quote);
    let content = prefixed.strip_prefix(hashes)?.strip_prefix('"')?;
    let after = content.split_once(&format!("\"{hashes}")).map_or("", |(_, after)| after);
    Some(rest.len().saturating_sub(after.len()))
}

/// A literal between the quote that the text starts with and the next one that is not escaped.
fn quoted(rest: &str) -> usize {
    let mut characters = rest.chars();
    let quote = characters.next();
    while let Some(character) = characters.next() {
        if character == '\\' {
            characters.next();
        } else if Some(character) == quote {
            break;
        }
    }
    rest.len().saturating_sub(characters.as_str().len())
}

/// `'x'` and `'\n'`; a lifetime has no second quote after one character and no backslash.
fn character(rest: &str) -> Option<usize> {
    let content = rest.strip_prefix('\'')?;
    let is_literal = content.starts_with('\\') || without_first(content).starts_with('\'');
    is_literal.then(|| quoted(rest))
}

/// A whole word at once, so that the `r` in `for"` is not taken for a prefix.
fn word(rest: &str) -> usize {
    match rest.find(|c| !is_word(c)) {
        None => rest.len(),
        Some(0) => rest.chars().next().map_or(1, char::len_utf8),
        Some(end) => end,
    }
}

fn without_first(text: &str) -> &str {
    let mut characters = text.chars();
    characters.next();
    characters.as_str()
}

#[cfg(test)]
mod tests {
    use super::code_only;

    #[track_caller]
    fn becomes(text: &str, code: &str) {
        let blanked = code_only(text);
        assert_eq!(blanked.len(), text.len());
        assert_eq!(blanked.split_whitespace().collect::<Vec<_>>().join(" "), code);
    }

    #[test]
    fn comments_are_blank() {
        becomes("a // b\nc /* d /* e */ f */ g", "a c g");
        becomes("a /* never closed", "a");
        becomes("/// `fn x() {`\nb", "b");
    }

    #[test]
    fn strings_are_blank() {
        becomes(r#"a("b // { \" c", d)"#, "a( , d)");
        becomes(r##"a(r#"b " c"#, br"\", d)"##, "a( , , d)");
        becomes("b\"x\" c\"y\" z", "b c z");
        becomes("\"never closed", "");
    }

    #[test]
    fn characters_are_blank_and_lifetimes_are_not() {
        becomes(r"['{', '\'', b'}', '\\', '\u{e9}']", "[ , , b , , ]");
        becomes(
            "fn f<'a>(x: &'a str, y: &'_ T) -> &'a T",
            "fn f<'a>(x: &'a str, y: &'_ T) -> &'a T",
        );
        becomes("'outer: loop { break 'outer }", "'outer: loop { break 'outer }");
    }

    #[test]
    fn raw_identifiers_are_code() {
        becomes("r#type + br + for_r", "r#type + br + for_r");
    }

    #[test]
    fn offsets_and_lines_survive_other_alphabets() {
        becomes("a /* \u{e9}\n\u{e9} */ b '\u{1f600}' c", "a b c");
        assert_eq!(code_only("\"\u{e9}\n\" x").matches('\n').count(), 1);
    }
}

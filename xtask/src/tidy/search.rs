//! Searching text by byte offset: whole words, line numbers, matching brackets.

/// Whether the character can be part of a Rust word.
pub(crate) fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Offsets of `needle` where it is not a part of a longer word.
///
/// An end of the needle that is itself punctuation needs no boundary: `todo!(` ends anywhere.
pub(crate) fn words(text: &str, needle: &str) -> impl Iterator<Item = usize> {
    let open_start = needle.starts_with(is_word);
    let open_end = needle.ends_with(is_word);
    let found = text.match_indices(needle).filter(move |&(at, word)| {
        let joined_before = open_start && before(text, at).ends_with(is_word);
        let joined_after = open_end && after(text, at, word).starts_with(is_word);
        !joined_before && !joined_after
    });
    found.map(|(at, _)| at)
}

pub(crate) fn has_word(text: &str, needle: &str) -> bool {
    words(text, needle).next().is_some()
}

/// The text up to an offset.
pub(crate) fn before(text: &str, at: usize) -> &str {
    text.get(..at).unwrap_or_default()
}

/// The text from an offset on.
pub(crate) fn from(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default()
}

/// The text after the word that was found at an offset.
pub(crate) fn after<'t>(text: &'t str, at: usize, word: &str) -> &'t str {
    from(text, at.saturating_add(word.len()))
}

/// The number, counted from one, of the line that an offset is on.
pub(crate) fn line_at(text: &str, at: usize) -> usize {
    before(text, at).matches('\n').count().saturating_add(1)
}

/// The Rust word that the text starts with; `$` lets a name in a macro be one.
pub(crate) fn leading_word(text: &str) -> &str {
    let end = text.find(|c| !is_word(c) && c != '$').unwrap_or(text.len());
    before(text, end)
}

/// How long the bracketed text is that starts here, both brackets included.
///
/// `None` if the text does not start with a bracket or the bracket is never closed. Comments and
/// literals must have been blanked out.
pub(crate) fn bracketed_len(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        match character {
            '(' | '[' | '{' => depth = depth.saturating_add(1),
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at.checked_add(1).filter(|_| at > 0);
        }
    }
    None
}

/// The offset of the first character for which `stop` holds and that no bracket encloses.
///
/// The search ends at a closing bracket that was not opened here: what follows is another item's.
pub(crate) fn find_unenclosed(text: &str, stop: impl Fn(char) -> bool) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        if depth == 0 && stop(character) {
            return Some(at);
        }
        match character {
            '(' | '[' | '{' => depth = depth.saturating_add(1),
            ')' | ']' | '}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_do_not_match_inside_longer_words() {
        assert_eq!(words("fs fsync _fs std::fs", "fs").collect::<Vec<_>>(), [0, 18]);
        assert!(has_word("x.todo!(1)", "todo!(") && !has_word("nottodo!(1)", "todo!("));
    }

    #[test]
    fn brackets_nest_and_may_be_unbalanced() {
        assert_eq!(bracketed_len("(a[1]{}) rest"), Some(8));
        assert_eq!(bracketed_len("(a"), None);
        assert_eq!(bracketed_len("a)"), None);
    }

    #[test]
    fn the_search_skips_brackets_and_stops_where_they_end() {
        assert_eq!(find_unenclosed("([;];) ;", |c| c == ';'), Some(7));
        assert_eq!(find_unenclosed(") ;", |c| c == ';'), None);
    }

    #[test]
    fn lines_count_from_one() {
        assert_eq!((line_at("a\nb", 0), line_at("a\nb", 2)), (1, 2));
    }
}

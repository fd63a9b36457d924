//! Spells out the paths that `use` declarations bring in, one by one.
//!
//! `use std::{fs, io}` never contains the text `std::fs`; a rule that looks for a path has to look
//! here as well.

use super::search::{before, bracketed_len, find_unenclosed, from, words};

/// One `use` declaration.
#[derive(Debug)]
pub(crate) struct Import {
    /// The offset of the word `use`.
    pub(crate) at: usize,
    pub(crate) paths: Vec<String>,
}

/// The declarations of blanked code, and the code with each of them blanked out as well.
pub(crate) fn split_off(code: &str) -> (Vec<Import>, String) {
    let mut imports = Vec::new();
    let mut remainder = String::with_capacity(code.len());
    for at in words(code, "use") {
        let declaration = before(from(code, at), from(code, at).find(';').unwrap_or(0));
        let tree = declaration.strip_prefix("use").unwrap_or_default();
        if tree.starts_with('<') {
            continue; // `impl Trait + use<'a>` captures a lifetime and imports nothing.
        }
        imports.push(Import { at, paths: flatten("", tree) });
        remainder.push_str(from(before(code, at), remainder.len()));
        remainder.extend(declaration.chars().map(|c| if c == '\n' { c } else { ' ' }));
    }
    remainder.push_str(from(code, remainder.len()));
    (imports, remainder)
}

/// `a::{b, c::{d, self}}` as `a::b`, `a::c::d` and `a::c::self`.
fn flatten(prefix: &str, tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        return vec![format!("{prefix}{tree}")];
    };
    let prefix = format!("{prefix}{}", before(tree, open));
    let braced = from(tree, open);
    let inside = before(braced, bracketed_len(braced).unwrap_or(0)).trim_matches(['{', '}']);
    branches(inside).into_iter().flat_map(|branch| flatten(&prefix, branch)).collect()
}

/// The parts between commas that no brace encloses.
fn branches(inside: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut left = inside;
    while let Some(comma) = find_unenclosed(left, |c| c == ',') {
        parts.push(before(left, comma));
        left = from(left, comma).trim_start_matches(',');
    }
    parts.push(left);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_spelled_out() {
        let code = "use a::{b,\n c::{d, self as e},\n};\nuse f::g; h()";
        let (imports, remainder) = split_off(code);
        let paths: Vec<_> = imports.iter().flat_map(|import| &import.paths).collect();
        assert_eq!(paths, ["a::b", "a::c::d", "a::c::self as e", "f::g"]);
        assert_eq!(remainder.len(), code.len());
        assert_eq!(remainder.split_whitespace().collect::<Vec<_>>(), [";", ";", "h()"]);
    }

    #[test]
    fn captured_lifetimes_are_not_imports() {
        let code = "fn f() -> impl T + use<'_> { g(); }";
        let (imports, remainder) = split_off(code);
        assert!(imports.is_empty());
        assert_eq!(remainder, code);
    }
}

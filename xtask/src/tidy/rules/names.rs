//! Names that say nothing, and parameters that say nothing where they are called.

use crate::tidy::items::{Function, functions};
use crate::tidy::rust_file::{RustFile, is_library};
use crate::tidy::search::{after, before, leading_word, words};
use crate::tidy::violation::Violation;

const RULE: &str = "names";

const HOLLOW_ENDINGS: [&str; 5] = ["Manager", "Handler", "Util", "Utils", "Helper"];

const TYPE_WORDS: [&str; 5] = ["struct", "enum", "trait", "type", "union"];

pub(crate) fn check(rust: &RustFile<'_>) -> Vec<Violation> {
    let production = functions(&rust.code).filter(|function| rust.is_production(function.at));
    let of_functions = production.flat_map(|function| {
        let complaints = [complain_about_getter(&function), complain_about_flag(rust, &function)];
        complaints.into_iter().flatten().map(move |message| (function.at, message))
    });
    let of_types = TYPE_WORDS.iter().flat_map(|word| {
        rust.production_words(word)
            .filter_map(|at| Some((at, complain_about_type(after(&rust.code, at, word))?)))
    });
    of_functions.chain(of_types).map(|(at, message)| rust.violation(at, RULE, message)).collect()
}

fn complain_about_getter(function: &Function<'_>) -> Option<String> {
    let field = function.name.strip_prefix("get_")?;
    Some(format!("`{}` says get; name it `{field}`, or after what it does", function.name))
}

/// A caller of `f(true)` reads nothing; only a plain `pub fn` of a library is public API.
fn complain_about_flag(rust: &RustFile<'_>, function: &Function<'_>) -> Option<String> {
    let is_api = function.is_public && is_library(rust.package());
    let has_flag =
        words(function.signature, "bool").any(|at| is_parameter(before(function.signature, at)));
    (is_api && has_flag)
        .then(|| format!("`{}` takes a bool; take an enum of two named variants", function.name))
}

/// Whether a type that stands here is a parameter's own: after its colon and at most a reference.
fn is_parameter(before_type: &str) -> bool {
    let before_type = before_type.trim_end();
    let before_type = before_type.strip_suffix("mut").unwrap_or(before_type);
    before_type.trim_end().trim_end_matches('&').trim_end().ends_with(':')
}

fn complain_about_type(after_word: &str) -> Option<String> {
    let name = leading_word(after_word.trim_start());
    let ending = HOLLOW_ENDINGS.iter().find(|ending| name.ends_with(**ending))?;
    Some(format!("the type `{name}` ends in {ending}; name it after what it is"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::rust_file::judge;
    use crate::tidy::violation::lines;

    const LIBRARY: &str = "crates/audit-core/src/a.rs";

    #[test]
    fn getters_and_hollow_types_are_found() {
        let code = "fn get_x() {}\npub struct FileManager;\nenum Utils {}\ntrait ErrorHandler {}\n\
                    type StringUtil = u8;\nfn forget_x() {}\nstruct Utility;\n";
        let mut found = lines(&judge(check, LIBRARY, code));
        found.sort_unstable();
        assert_eq!(found, [1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_flag_in_the_public_api_is_found() {
        for parameters in
            ["(&self, on: bool)", "<T>(x: T, on: &mut bool) -> u8", "(\n on: bool,\n)"]
        {
            let code = format!("impl A {{\npub const fn f{parameters} {{}}\n}}");
            assert_eq!(lines(&judge(check, LIBRARY, &code)), [2], "{parameters}");
        }
    }

    #[test]
    fn other_uses_of_bool_pass() {
        for code in [
            "pub fn f(x: u8) -> bool {}",
            "pub fn f(keep: impl Fn(&u8) -> bool) {}",
            "pub fn f<I>(flags: I) where I: Iterator<Item = bool> {}",
            "pub(crate) fn f(on: bool) {}",
            "fn f(on: bool) {}",
        ] {
            assert!(judge(check, LIBRARY, code).is_empty(), "{code}");
        }
        assert!(judge(check, "crates/audit-cli/src/a.rs", "pub fn f(on: bool) {}").is_empty());
    }

    #[test]
    fn tests_may_name_things_as_they_like() {
        assert!(judge(check, LIBRARY, "#[cfg(test)] mod tests { fn get_x() {} }").is_empty());
        assert!(judge(check, "crates/audit-core/tests/a.rs", "struct Helper;").is_empty());
    }
}

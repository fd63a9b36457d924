//! Files and functions that still fit in a head.

use crate::tidy::items::{functions, test_items};
use crate::tidy::rust_file::RustFile;
use crate::tidy::search::line_at;
use crate::tidy::violation::Violation;

const RULE: &str = "sizes";

const FILE_LINES_MAX: usize = 600;
const TEST_FILE_LINES_MAX: usize = 1_000;
const LIB_RS_LINES_MAX: usize = 100;
const FUNCTION_LINES_MAX: usize = 70;
const INLINE_TESTS_LINES_MAX: usize = 100;

pub(crate) fn check(rust: &RustFile<'_>) -> Vec<Violation> {
    let mut violations = long_test_modules(rust);
    violations.extend(long_functions(rust));
    violations.extend(long_file(rust));
    violations
}

/// The lines of each module of tests that is written out inside of the file.
fn inline_tests(rust: &RustFile<'_>) -> impl Iterator<Item = (usize, usize)> {
    let modules = test_items(&rust.code).filter(|item| item.module().is_some() && item.has_body());
    modules.map(|item| (item.span.start, line_at(item.item, item.item.len())))
}

fn long_file(rust: &RustFile<'_>) -> Option<Violation> {
    let tests: usize = inline_tests(rust).map(|(_, lines)| lines).sum();
    let lines = rust.file.text.lines().count().saturating_sub(tests);
    let (max, to_do) = match () {
        () if rust.is_test => (TEST_FILE_LINES_MAX, "split it by what goes wrong"),
        () if rust.file.is_lib_rs() => (LIB_RS_LINES_MAX, "leave a table of contents here"),
        () => (FILE_LINES_MAX, "split it by duty"),
    };
    (lines > max).then(|| {
        let message = format!("{lines} lines where {max} are allowed; {to_do}");
        Violation::new(&rust.file.path, max, RULE, message)
    })
}

fn long_functions(rust: &RustFile<'_>) -> impl Iterator<Item = Violation> {
    let long = functions(&rust.code).filter(|function| function.line_count > FUNCTION_LINES_MAX);
    long.map(|function| {
        let (name, lines) = (function.name, function.line_count);
        let message = format!(
            "`{name}` has {lines} lines where {FUNCTION_LINES_MAX} are allowed; name its parts"
        );
        rust.violation(function.at, RULE, message)
    })
}

fn long_test_modules(rust: &RustFile<'_>) -> Vec<Violation> {
    let long = inline_tests(rust).filter(|(_, lines)| *lines > INLINE_TESTS_LINES_MAX);
    long.map(|(at, lines)| {
        let message = format!("{lines} lines of tests inside; move them to a sibling tests.rs");
        rust.violation(at, RULE, message)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::rust_file::judge;

    /// What is said about a file of so many lines.
    fn judge_lines(path: &str, lines: usize) -> Vec<String> {
        let found = judge(check, path, &"\n".repeat(lines));
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn long_files_are_found_by_kind() {
        for (path, max) in [
            ("crates/a/src/b.rs", 600),
            ("crates/a/src/lib.rs", 100),
            ("crates/a/tests/b.rs", 1_000),
            ("crates/a/benches/b.rs", 1_000),
            ("crates/a/src/b/tests.rs", 1_000),
        ] {
            assert!(judge_lines(path, max).is_empty(), "{path}");
            let found = judge_lines(path, max.saturating_add(1));
            assert!(found[0].starts_with(&format!("{path}:{max}: sizes:")), "{found:?}");
        }
    }

    #[test]
    fn inline_tests_do_not_count_for_the_file_but_for_themselves() {
        let module = |lines| format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(lines));
        let code = |lines| format!("{}{}", "\n".repeat(599), module(lines));
        assert!(judge(check, "crates/a/src/b.rs", &code(98)).is_empty());
        let found = judge(check, "crates/a/src/b.rs", &code(99));
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().contains("b.rs:600: sizes: 101 lines of tests inside"));
    }

    #[test]
    fn long_functions_are_found_even_in_tests() {
        let function = |lines| format!("fn f() {{\n{}}}\n", "\"}\";\n".repeat(lines));
        assert!(judge(check, "crates/a/tests/b.rs", &function(68)).is_empty());
        let found = judge(check, "crates/a/tests/b.rs", &format!("\n{}", function(69)));
        assert!(found[0].to_string().contains("b.rs:2: sizes: `f` has 71 lines"), "{found:?}");
    }
}

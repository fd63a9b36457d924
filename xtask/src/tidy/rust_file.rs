//! A Rust file as the rules see it: its code without comments and literals, and what is a test.

use std::collections::BTreeSet;
use std::ops::Range;

use super::code::code_only;
use super::file::File;
use super::items::test_items;
use super::search::{line_at, words};
use super::violation::Violation;

/// The crates that other people's programs link; the rest are programs and test support.
const LIBRARIES: [&str; 6] = [
    "audit-core",
    "audit-validate",
    "audit-checkpoint",
    "audit-writer",
    "audit-verify",
    "audit-log",
];

pub(crate) fn is_library(package: &str) -> bool {
    LIBRARIES.contains(&package)
}

#[derive(Debug)]
pub(crate) struct RustFile<'f> {
    pub(crate) file: &'f File,
    /// The text with comments and literals blanked out; offsets are the same as in the text.
    pub(crate) code: String,
    /// Whether the whole file is only compiled for tests or benchmarks.
    pub(crate) is_test: bool,
    test_spans: Vec<Range<usize>>,
}

impl<'f> RustFile<'f> {
    /// All Rust files; a file that another declares under `#[cfg(test)]` is a test.
    pub(crate) fn all_of(files: &'f [File]) -> Vec<Self> {
        let mut all: Vec<Self> = files.iter().filter(|f| f.is_rust()).map(Self::new).collect();
        let declared: BTreeSet<String> = all.iter().flat_map(Self::test_modules).collect();
        for rust in &mut all {
            rust.is_test |= declared.contains(&rust.file.path);
        }
        all
    }

    pub(crate) fn new(file: &'f File) -> Self {
        let code = code_only(&file.text);
        let test_spans = test_items(&code).map(|item| item.span).collect();
        let is_test =
            file.name() == "tests.rs" || file.is_below("tests") || file.is_below("benches");
        Self { file, code, is_test, test_spans }
    }

    /// The two paths at which each `#[cfg(test)] mod name;` of this file may live.
    fn test_modules(&self) -> Vec<String> {
        let stem = match self.file.path.strip_suffix(".rs").and_then(|p| p.rsplit_once('/')) {
            Some((directory, "lib" | "main" | "mod")) => directory.to_owned(),
            Some((directory, name)) => format!("{directory}/{name}"),
            None => return Vec::new(),
        };
        test_items(&self.code)
            .filter(|item| !item.has_body())
            .filter_map(|item| item.module())
            .flat_map(|name| [format!("{stem}/{name}.rs"), format!("{stem}/{name}/mod.rs")])
            .collect()
    }

    pub(crate) fn package(&self) -> &str {
        self.file.package()
    }

    /// Whether the code at an offset ends up in a production build.
    pub(crate) fn is_production(&self, at: usize) -> bool {
        !self.is_test && !self.test_spans.iter().any(|span| span.contains(&at))
    }

    /// Offsets of a word in production code.
    pub(crate) fn production_words(&self, needle: &str) -> impl Iterator<Item = usize> {
        words(&self.code, needle).filter(|&at| self.is_production(at))
    }

    pub(crate) fn violation(
        &self,
        at: usize,
        rule: &'static str,
        message: impl Into<String>,
    ) -> Violation {
        Violation::new(&self.file.path, line_at(&self.code, at), rule, message)
    }
}

/// Runs one rule on one made-up file.
#[cfg(test)]
pub(crate) fn judge(
    rule: fn(&RustFile<'_>) -> Vec<Violation>,
    path: &str,
    text: &str,
) -> Vec<Violation> {
    rule(&RustFile::new(&File::new(path, text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_code_is_known_by_path_by_attribute_and_by_declaration() {
        let files = [
            File::new("crates/a/src/lib.rs", "fn x() {}\n#[cfg(test)] mod tests { fn x() {} }"),
            File::new("crates/a/src/b/mod.rs", "#[cfg(test)] mod c;\n#[cfg(test)] mod d;"),
            File::new("crates/a/src/b/c.rs", ""),
            File::new("crates/a/src/b/d/mod.rs", ""),
            File::new("crates/a/src/c.rs", ""),
            File::new("crates/a/benches/speed.rs", ""),
        ];
        let all = RustFile::all_of(&files);
        let are_tests: Vec<bool> = all.iter().map(|rust| rust.is_test).collect();
        assert_eq!(are_tests, [false, false, true, true, false, true]);
        assert_eq!(all[0].production_words("x").collect::<Vec<_>>(), [3]);
    }
}

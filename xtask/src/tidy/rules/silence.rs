//! A lint is silenced by an expectation with a reason, which fails once it is no longer needed.

use crate::tidy::items::attributes;
use crate::tidy::rust_file::RustFile;
use crate::tidy::search::has_word;
use crate::tidy::violation::Violation;

const RULE: &str = "silence";

pub(crate) fn check(rust: &RustFile<'_>) -> Vec<Violation> {
    let complaints = attributes(&rust.code)
        .filter_map(|attribute| Some((attribute.at, complaint(attribute.content)?)));
    complaints.map(|(at, message)| rust.violation(at, RULE, message)).collect()
}

fn complaint(attribute: &str) -> Option<&'static str> {
    if has_word(attribute, "allow(") {
        Some("a lint is allowed; use `#[expect(..., reason = \"...\")]`")
    } else if has_word(attribute, "expect(") && !has_word(attribute, "reason") {
        Some("an expectation without a reason; add `reason = \"...\"`")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::rust_file::judge;
    use crate::tidy::violation::lines;

    const PATH: &str = "crates/audit-core/tests/a.rs";

    #[test]
    fn allowing_and_unexplained_expecting_are_found() {
        let code = "#![allow(dead_code)]\n#[allow(\n dead_code)]\nfn f() {}\n#[expect(dead_code)]\n\
                    #[cfg_attr(test, allow(dead_code))]\n";
        assert_eq!(lines(&judge(check, PATH, code)), [1, 2, 5, 6]);
    }

    #[test]
    fn an_explained_expectation_passes() {
        let code = "#![expect(\n  clippy::panic,\n  reason = \"a test\",\n)]\n#[should_panic(expected = \"x\")]\n\
                    // #[allow(x)]\nlet x = \"#[allow(x)]\"; y.expect(\"z\");\n";
        assert!(judge(check, PATH, code).is_empty());
    }
}

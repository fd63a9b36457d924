//! Traces of how the work was done do not belong in its result.

use crate::tidy::file::File;
use crate::tidy::markdown::prose;
use crate::tidy::rust_file::RustFile;
use crate::tidy::search::{after, before, has_word, words};
use crate::tidy::violation::Violation;

const RULE: &str = "residue";

/// This file has to name what it looks for.
const THIS_FILE: &str = "xtask/src/tidy/rules/residue.rs";

/// Words that stand for work that was not done.
const MARKERS: [&str; 4] = ["TODO", "FIXME", "XXX", "HACK"];

/// Code that stands for work that was not done.
const STUBS: [&str; 3] = ["todo!(", "unimplemented!(", "#[ignore]"];

/// What people write and other people read. Logs and recorded rows say what they say.
const WRITTEN: [&str; 8] = ["rs", "toml", "md", "sh", "yml", "yaml", "txt", "html"];

pub(crate) fn check(file: &File) -> Vec<Violation> {
    let is_written = WRITTEN.contains(&file.extension()) || file.text.starts_with("#!/");
    if !is_written || file.path == THIS_FILE {
        return Vec::new();
    }
    let mut violations = markers(file);
    violations.extend(file.complain_by_line(RULE, |line| complain_about_reference(file, line)));
    if file.is_rust() {
        violations.extend(stubs(&RustFile::new(file)));
    }
    violations
}

/// A document may name the words in backticks, to say that they are not wanted.
fn markers(file: &File) -> Vec<Violation> {
    let text = if file.is_markdown() { prose(&file.text) } else { file.text.clone() };
    File::new(file.path.as_str(), text).complain_by_line(RULE, |line| {
        let marker = MARKERS.iter().find(|marker| has_word(line, marker))?;
        Some(format!("{marker} is left behind; do it, or say in a sentence why it is as it is"))
    })
}

fn stubs(rust: &RustFile<'_>) -> Vec<Violation> {
    let found = STUBS.iter().flat_map(|stub| words(&rust.code, stub).map(move |at| (at, stub)));
    let to_do = "finish it, take it out, or give an ignored test its reason";
    found.map(|(at, stub)| rust.violation(at, RULE, format!("`{stub}` is left; {to_do}"))).collect()
}

fn complain_about_reference(file: &File, line: &str) -> Option<String> {
    let lower = line.to_ascii_lowercase();
    let what = if numbered(&lower, "phase") {
        "a numbered phase"
    } else if numbered(&lower, "issue") {
        "a numbered issue"
    } else if lower.contains("closing note") {
        "a closing note"
    } else if line.contains("../shared") && !may_use_shared_data(file) {
        "a path out of the repository"
    } else if names_work_directory(line) {
        "a path of one machine"
    } else {
        return None;
    };
    Some(format!("{what} is of no use to a later reader; say what it stands for"))
}

/// `word 1`, and `word #1`.
fn numbered(lower: &str, word: &str) -> bool {
    words(lower, word).any(|at| {
        let rest = after(lower, at, word);
        let number = rest.strip_prefix(' ').map(|rest| rest.strip_prefix('#').unwrap_or(rest));
        number.is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// Whether the line has the directory at the beginning of a path rather than inside of one.
fn names_work_directory(line: &str) -> bool {
    let inside = |character: char| character.is_alphanumeric() || "._-".contains(character);
    line.match_indices("/work/").any(|(at, _)| !before(line, at).ends_with(inside))
}

/// Tests and tools use the data beside the checkout when it is there.
fn may_use_shared_data(file: &File) -> bool {
    file.is_below("tests") || file.path.starts_with("xtask/") || file.path == ".ci/run"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::violation::lines;

    fn judge(path: &str, text: &str) -> Vec<usize> {
        let mut found = lines(&check(&File::new(path, text)));
        found.sort_unstable();
        found
    }

    #[test]
    fn work_left_behind_is_found() {
        let code = "// TODO: x\n/* FIXME */\nfn f() { todo!() }\nfn g() { unimplemented!(\"x\") }\n\
                    #[ignore]\n\"XXX\" // HACK\n";
        assert_eq!(judge("crates/a/src/b.rs", code), [1, 2, 3, 4, 5, 6]);
        assert_eq!(judge("Cargo.toml", "# TODO\n"), [1]);
        assert_eq!(judge("README.md", "TODO\n"), [1]);
    }

    #[test]
    fn references_to_the_process_are_found() {
        let text =
            "In Phase 2\nsee issue #12\nIssue 3\na Closing Note\n(/work/main/x)\n../shared/a\n";
        for path in ["docs/a.md", "crates/a/src/b.rs", "Cargo.toml", ".github/a.yml"] {
            assert_eq!(judge(path, text), [1, 2, 3, 4, 5, 6], "{path}");
        }
    }

    #[test]
    fn similar_words_pass() {
        let text = "phases 2, a phase of 3, issued 3, tissue 4, network/work/x, mktemp a.XXXXXX\n\
                    issue: 5\n";
        assert_eq!(judge("docs/a.md", text), [0; 0]);
        assert_eq!(
            judge("crates/a/src/b.rs", "#[ignore = \"slow\"] // mastodons, \"todo!()\""),
            [0; 0]
        );
        assert_eq!(judge("CONTRIBUTING.md", "no `TODO` in code\n"), [0; 0]);
    }

    #[test]
    fn shared_data_is_for_tests_and_tools() {
        for path in ["crates/a/tests/b.rs", "xtask/src/c.rs"] {
            assert_eq!(judge(path, "../shared/data\n"), [0; 0], "{path}");
        }
        assert_eq!(judge(".ci/run", "#!/bin/bash\n../shared/data\n"), [0; 0]);
    }

    #[test]
    fn data_says_what_it_says() {
        assert_eq!(judge("crates/a/tests/old.jsonl", "TODO in phase 2\n"), [0; 0]);
    }
}

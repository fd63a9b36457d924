//! The documents at the root are there and short, and what links and paths in documents name exists.

use std::collections::BTreeSet;

use crate::tidy::file::File;
use crate::tidy::markdown::{links, prose};
use crate::tidy::violation::Violation;

const RULE: &str = "documents";

/// The documents at the root, each with how long it may be.
const BUDGETS: [(&str, Option<usize>); 5] = [
    ("README.md", Some(120)),
    ("ARCHITECTURE.md", Some(250)),
    ("SECURITY.md", Some(150)),
    ("CONTRIBUTING.md", None),
    ("CHANGELOG.md", None),
];

pub(crate) fn check(files: &[File]) -> Vec<Violation> {
    let places = places(files);
    let documents = files.iter().filter(|file| file.is_markdown());
    let budgets = BUDGETS.iter().filter_map(|(path, max)| over_budget(path, *max, files));
    budgets.chain(documents.flat_map(|file| check_document(file, &places))).collect()
}

fn over_budget(path: &str, lines_max: Option<usize>, files: &[File]) -> Option<Violation> {
    let Some(file) = files.iter().find(|file| file.path == path) else {
        return Some(Violation::new(path, 1, RULE, "there is no such document; write it"));
    };
    let (lines, max) = (file.text.lines().count(), lines_max?);
    (lines > max).then(|| {
        let message =
            format!("{lines} lines where {max} are enough; cut it, or move parts to docs/");
        Violation::new(path, max, RULE, message)
    })
}

/// Every file and every directory: what a link may point at.
fn places(files: &[File]) -> BTreeSet<&str> {
    let mut places = BTreeSet::from([""]);
    for file in files {
        let mut place = file.path.as_str();
        while places.insert(place) {
            place = parent(place);
        }
    }
    places
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

fn check_document(file: &File, places: &BTreeSet<&str>) -> Vec<Violation> {
    let broken = |target: &str| match resolve(parent(&file.path), target) {
        Some(path) => !places.contains(path.as_str()),
        None => true,
    };
    let prose = prose(&file.text);
    let violations = links(&prose).into_iter().filter_map(|link| {
        let path = local_path(link.target)?;
        let message = format!("nothing is at `{path}`; correct the link or add the file");
        broken(path).then(|| Violation::new(&file.path, link.line, RULE, message))
    });
    violations.chain(missing_sources(file, places)).chain(missing_heading(file)).collect()
}

/// Paths of sources, which documents write from the crate on, in backticks.
fn missing_sources<'f>(
    file: &'f File,
    places: &'f BTreeSet<&str>,
) -> impl Iterator<Item = Violation> + 'f {
    let quoted = |line: &'f str| line.split('`').skip(1).step_by(2);
    let named = (1..).zip(file.text.lines()).flat_map(move |(number, line)| {
        quoted(line).filter(|text| is_source(text)).map(move |path| (number, path))
    });
    let is_missing = |path: &str| {
        let path = format!("crates/{}", path.trim_end_matches('/'));
        !places.contains(path.as_str())
    };
    named.filter(move |(_, path)| is_missing(path)).map(|(line, path)| {
        let message = format!("nothing is at crates/{path}; correct the path");
        Violation::new(&file.path, line, RULE, message)
    })
}

/// Whether a text is a path within a crate: `audit-core/src/`.
fn is_source(text: &str) -> bool {
    let is_of_path = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    text.starts_with("audit-") && text.contains('/') && text.bytes().all(is_of_path)
}

/// The path of a link into this repository, without the anchor.
fn local_path(target: &str) -> Option<&str> {
    let path = target.split('#').next().filter(|path| !path.is_empty())?;
    let is_elsewhere = path.contains("://") || path.starts_with("mailto:");
    (!is_elsewhere).then_some(path)
}

/// The path from the root; `None` for one that leaves the repository.
fn resolve(directory: &str, target: &str) -> Option<String> {
    let mut names: Vec<&str> = directory.split('/').filter(|name| !name.is_empty()).collect();
    for name in target.trim_end_matches('/').split('/') {
        match name {
            "." => {}
            ".." => {
                names.pop()?;
            }
            "" => return None,
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}

fn missing_heading(file: &File) -> Option<Violation> {
    let is_page = parent(&file.path) == "docs";
    (is_page && !file.text.starts_with("# ")).then(|| {
        let message = "no heading; begin the page with a line `# Title`";
        Violation::new(&file.path, 1, RULE, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tidy set of root documents, followed by the files of interest.
    fn judge(extra: &[(&str, &str)]) -> Vec<String> {
        let mut files: Vec<File> = BUDGETS
            .iter()
            .filter(|(path, _)| extra.iter().all(|(other, _)| path != other))
            .map(|(path, _)| File::new(*path, "# Title\n"))
            .collect();
        files.extend(extra.iter().map(|(path, text)| File::new(*path, *text)));
        check(&files).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_missing_document_is_found() {
        let missing = check(&[]);
        assert_eq!(missing.len(), BUDGETS.len());
        assert!(missing[4].to_string().starts_with("CHANGELOG.md:1: documents: there is no such"));
    }

    #[test]
    fn a_long_document_is_found_at_its_first_line_too_many() {
        let found = judge(&[("README.md", &"line\n".repeat(121))]);
        assert!(found[0].starts_with("README.md:120: documents: 121 lines where 120"), "{found:?}");
        assert!(judge(&[("README.md", &"line\n".repeat(120))]).is_empty());
        assert!(judge(&[("CHANGELOG.md", &"line\n".repeat(1000))]).is_empty());
    }

    #[test]
    fn a_page_without_a_heading_is_found() {
        assert_eq!(judge(&[("docs/a.md", "Text.\n")]).len(), 1);
        assert!(judge(&[("docs/a.md", "# A\n"), ("crates/a/README.md", "Text.\n")]).is_empty());
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let page =
            "# A\n[b](b.md)\n[c](../crates/c#d)\n[e](../../e.md)\n[f](/README.md)\n[g]: h.md\n";
        let found = judge(&[("docs/a.md", page), ("crates/other/x.rs", "")]);
        let lines: Vec<_> = found.iter().filter_map(|line| line.split(':').nth(1)).collect();
        assert_eq!(lines, ["2", "3", "4", "5", "6"]);
    }

    #[test]
    fn paths_of_sources_that_are_not_there_are_found() {
        let page = "# A\n`audit-c/src/x.rs` `audit-c/src/`\n`audit-c/src/y.rs`\n`audit-d/`\n\
                    `audit-<service>/x` `audit-c`\n";
        let found = judge(&[("docs/a.md", page), ("crates/audit-c/src/x.rs", "")]);
        let lines: Vec<_> = found.iter().filter_map(|line| line.split(':').nth(1)).collect();
        assert_eq!(lines, ["3", "4"]);
    }

    #[test]
    fn links_to_files_directories_and_elsewhere_pass() {
        let page = "# A\n[b](../README.md#title) [c](../crates/) [d](https://e.f/g) [h](#a) [i](.)\n\
                    `[not](a-link.md)`\n";
        assert_eq!(judge(&[("docs/a.md", page), ("crates/c/x.rs", "")]), [""; 0]);
    }
}

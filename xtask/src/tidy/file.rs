//! A text file of the workspace, and what its path says about it.

use super::violation::Violation;

/// A file by its path from the workspace root, with forward slashes.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// What follows the last dot of the name, or nothing.
    pub(crate) fn extension(&self) -> &str {
        self.name().rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.extension() == "rs"
    }

    pub(crate) fn is_markdown(&self) -> bool {
        self.extension() == "md"
    }

    pub(crate) fn is_manifest(&self) -> bool {
        self.name() == "Cargo.toml"
    }

    pub(crate) fn is_lib_rs(&self) -> bool {
        self.path.ends_with("/src/lib.rs")
    }

    /// Whether a directory of that name is somewhere above the file.
    pub(crate) fn is_below(&self, directory: &str) -> bool {
        let mut names = self.path.split('/');
        names.next_back();
        names.any(|name| name == directory)
    }

    /// The name of the package that the path belongs to: a directory of `crates/`, or a top one.
    pub(crate) fn package(&self) -> &str {
        let inside = self.path.strip_prefix("crates/").unwrap_or(&self.path);
        inside.split_once('/').map_or("", |(package, _)| package)
    }

    /// One violation a line for which `complaint` has something to say.
    pub(crate) fn complain_by_line(
        &self,
        rule: &'static str,
        complaint: impl Fn(&str) -> Option<String>,
    ) -> Vec<Violation> {
        let numbered = (1..).zip(self.text.lines());
        let complaints = numbered.filter_map(|(line, text)| Some((line, complaint(text)?)));
        complaints.map(|(line, message)| Violation::new(&self.path, line, rule, message)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::File;

    #[test]
    fn a_path_says_whose_the_file_is() {
        let file = File::new("crates/audit-core/src/tests/lib.rs", "");
        assert_eq!((file.package(), file.name(), file.extension()), ("audit-core", "lib.rs", "rs"));
        assert!(file.is_below("tests") && !file.is_below("lib.rs") && !file.is_lib_rs());
        assert_eq!(File::new("xtask/src/main.rs", "").package(), "xtask");
        assert_eq!(File::new("README.md", "").package(), "");
        assert_eq!(File::new(".ci/run", "").extension(), "");
    }
}

//! Every source file begins with a caption, so that a listing of first lines is a map.

use crate::tidy::rust_file::RustFile;
use crate::tidy::violation::Violation;

const RULE: &str = "caption";

pub(crate) fn check(rust: &RustFile<'_>) -> Vec<Violation> {
    if !rust.file.is_below("src") {
        return Vec::new();
    }
    let docs = rust.file.text.lines().take_while(|line| line.starts_with("//!")).count();
    let message = match docs {
        0 => "no caption; begin the file with a `//!` line that says what is in it",
        1 if rust.file.is_lib_rs() => {
            "a crate needs more than a caption; say in the lines below it what it will not do"
        }
        _ => return Vec::new(),
    };
    vec![rust.violation(0, RULE, message)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::rust_file::judge;

    #[test]
    fn a_file_without_a_caption_is_found() {
        let found = judge(check, "crates/a/src/b.rs", "use c;\n//! Late.\n");
        assert!(found[0].to_string().starts_with("crates/a/src/b.rs:1: caption: no caption;"));
        assert_eq!(judge(check, "crates/a/src/empty.rs", "").len(), 1);
    }

    #[test]
    fn a_crate_says_more_than_its_caption() {
        assert_eq!(judge(check, "crates/a/src/lib.rs", "//! A.\nmod b;\n").len(), 1);
        assert!(judge(check, "crates/a/src/lib.rs", "//! A.\n//!\n//! Not B.\n").is_empty());
    }

    #[test]
    fn captioned_files_and_files_outside_of_src_pass() {
        assert!(judge(check, "crates/a/src/b.rs", "//! B.\nuse c;\n").is_empty());
        assert!(judge(check, "crates/a/build.rs", "fn main() {}\n").is_empty());
    }
}

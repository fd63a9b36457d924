//! Code is ASCII, so that what is read is what is compiled; documents have letters but no emoji.

use crate::tidy::file::File;
use crate::tidy::violation::Violation;

const RULE: &str = "ascii";

pub(crate) fn check(file: &File) -> Vec<Violation> {
    if is_code(file) {
        file.complain_by_line(RULE, complain_about_code)
    } else if file.is_markdown() {
        file.complain_by_line(RULE, complain_about_document)
    } else {
        Vec::new()
    }
}

/// Rust, TOML and shell; a script may have no extension.
fn is_code(file: &File) -> bool {
    ["rs", "toml", "sh"].contains(&file.extension()) || file.text.starts_with("#!/")
}

fn complain_about_code(line: &str) -> Option<String> {
    let foreign = line.chars().find(|c| !c.is_ascii())?;
    let escape = foreign.escape_unicode();
    Some(format!("a character that is not ASCII; write it as {escape}, or in words"))
}

fn complain_about_document(line: &str) -> Option<String> {
    let emoji = line.chars().find(|&c| is_emoji(c))?;
    let escape = emoji.escape_unicode();
    Some(format!("the emoji {escape}; say it in words, or leave it out"))
}

/// The blocks that are pictures, and the selector that turns a symbol into one.
fn is_emoji(character: char) -> bool {
    matches!(character,
        '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::violation::lines;

    #[test]
    fn code_with_another_letter_is_found() {
        for path in ["a.rs", "a.toml", "a.sh"] {
            assert_eq!(lines(&check(&File::new(path, "a\n\u{e9}\n\u{200b}b"))), [2, 3], "{path}");
        }
        let script = File::new(".ci/run", "#!/bin/sh\n# \u{2014}\n");
        assert!(check(&script)[0].to_string().contains(r"write it as \u{2014}"));
    }

    #[test]
    fn a_document_has_letters_but_no_emoji() {
        let document = File::new("a.md", "\u{e9} \u{2192} \u{27e6}\n\u{1f600}\n\u{2705}\n");
        assert_eq!(lines(&check(&document)), [2, 3]);
    }

    #[test]
    fn ascii_code_and_data_of_any_kind_pass() {
        assert!(check(&File::new("a.rs", "let x = '\\u{e9}';\n")).is_empty());
        assert!(check(&File::new("a.jsonl", "\u{1f600}\n")).is_empty());
    }
}

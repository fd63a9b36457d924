//! Reads Markdown as far as the rules need it: prose apart from code, and links.

use super::search::{before, from};

/// The text with code blanked out, both fenced blocks and spans between backticks.
///
/// Lines stay where they are, columns do not.
pub(crate) fn prose(text: &str) -> String {
    let mut unfenced = String::with_capacity(text.len());
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        let marker = fence_marker(line);
        match fence {
            Some(open) if marker.starts_with(open) => fence = None,
            None if !marker.is_empty() => fence = Some(marker),
            None => unfenced.push_str(line),
            Some(_) => {}
        }
        unfenced.push('\n');
    }
    without_spans(&unfenced)
}

/// The three or more backticks or tildes that a line starts with.
fn fence_marker(line: &str) -> &str {
    let line = line.trim_start();
    let Some(first) = line.chars().next().filter(|c| ['`', '~'].contains(c)) else {
        return "";
    };
    let run = before(line, line.find(|c| c != first).unwrap_or(line.len()));
    if run.len() < 3 { "" } else { run }
}

/// Blanks what stands between two equally long runs of backticks in one paragraph.
fn without_spans(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut left = text;
    while let Some(start) = left.find('`') {
        let opened = from(left, start);
        let run = before(opened, opened.find(|c| c != '`').unwrap_or(opened.len()));
        let content = from(opened, run.len());
        let paragraph = before(content, content.find("\n\n").unwrap_or(content.len()));
        kept.push_str(before(left, start));
        left = content;
        if let Some(end) = closing_run(paragraph, run) {
            let span = before(content, end);
            kept.extend(span.chars().map(|c| if c == '\n' { c } else { ' ' }));
            left = from(content, end.saturating_add(run.len()));
        }
    }
    kept.push_str(left);
    kept
}

fn closing_run(paragraph: &str, run: &str) -> Option<usize> {
    let mut candidates = paragraph.match_indices(run).map(|(at, _)| at);
    candidates.find(|&at| {
        let after = from(paragraph, at.saturating_add(run.len()));
        !before(paragraph, at).ends_with('`') && !after.starts_with('`')
    })
}

/// Where a link points, and the line that it is on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Link<'t> {
    pub(crate) line: usize,
    pub(crate) target: &'t str,
}

/// The links of prose: `[text](target)`, and definitions `[label]: target`.
pub(crate) fn links(prose: &str) -> Vec<Link<'_>> {
    let numbered = (1..).zip(prose.lines());
    numbered
        .flat_map(|(line, text)| {
            let inline =
                text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap_or(rest));
            inline.chain(definition(text)).map(move |target| Link { line, target: bare(target) })
        })
        .collect()
}

/// A footnote looks like a definition and is not one.
fn definition(line: &str) -> Option<&str> {
    let (label, target) = line.trim_start().strip_prefix('[')?.split_once("]:")?;
    (!label.starts_with('^') && !label.contains(']')).then_some(target)
}

/// A target without its title and angle brackets.
fn bare(target: &str) -> &str {
    target.split_whitespace().next().unwrap_or_default().trim_matches(['<', '>'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_not_prose_and_lines_stay() {
        let text = "a `b` c ``d ` e``\n```text\nf\n```\ng `h\n\ni` j\n~~~~\n~~~\n```\n~~~~\nk";
        let prose = prose(text);
        assert_eq!(prose.lines().count(), text.lines().count());
        let words: Vec<_> = prose.split_whitespace().collect();
        assert_eq!(words, ["a", "c", "g", "h", "i", "j", "k"]);
    }

    #[test]
    fn both_kinds_of_links_are_found() {
        let found = links("[a](b.md) [c](<d.md#e> \"t\")\n[f]: g.md\n[^1]: note\n[h](#i)");
        let targets: Vec<_> = found.iter().map(|link| (link.line, link.target)).collect();
        assert_eq!(targets, [(1, "b.md"), (1, "d.md#e"), (2, "g.md"), (4, "#i")]);
    }
}

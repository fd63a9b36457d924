//! A figure of speed or time in a document has a recorded run behind it.

use crate::tidy::file::File;
use crate::tidy::markdown::{Link, links, prose};
use crate::tidy::search::{from, is_word};
use crate::tidy::violation::Violation;

const RULE: &str = "figures";

/// Where runs are recorded, each in a directory whose name begins with its day; a paragraph with a
/// figure has a link into one.
const RUNS: &str = "bench-runs/";

const UNITS: [&str; 29] = [
    "ns",
    "us",
    "\u{b5}s",
    "ms",
    "s",
    "nanoseconds",
    "microseconds",
    "milliseconds",
    "seconds",
    "kB/s",
    "MB/s",
    "GB/s",
    "KiB/s",
    "MiB/s",
    "GiB/s",
    "events/s",
    "records/s",
    "M/s",
    "k/s",
    "/s",
    "a second",
    "per second",
    "events a second",
    "events per second",
    "records a second",
    "records per second",
    "million a second",
    "million events a second",
    "million records a second",
];

/// The changelog tells history, and the runs are what the links point at.
pub(crate) fn check(file: &File) -> Vec<Violation> {
    if !file.is_markdown() || file.name() == "CHANGELOG.md" || file.is_below("bench-runs") {
        return Vec::new();
    }
    let prose = prose(&file.text);
    let links = links(&prose);
    let unproven = paragraphs(&prose).into_iter().filter(|paragraph| !has_run(paragraph, &links));
    unproven
        .flatten()
        .filter_map(|(line, text)| {
            let message = format!(
                "the figure `{}` has no run; link to one in {RUNS} from this paragraph, or put it \
                 in backticks if it is a setting",
                figure(text)?
            );
            Some(Violation::new(&file.path, line, RULE, message))
        })
        .collect()
}

/// The numbered lines of the text, in groups between empty lines.
fn paragraphs(text: &str) -> Vec<Vec<(usize, &str)>> {
    let numbered: Vec<(usize, &str)> = (1..).zip(text.lines()).collect();
    numbered.split(|(_, line)| line.trim().is_empty()).map(<[_]>::to_vec).collect()
}

fn has_run(paragraph: &[(usize, &str)], links: &[Link<'_>]) -> bool {
    let has_line = |number| paragraph.iter().any(|(line, _)| *line == number);
    links.iter().any(|link| is_run(link.target) && has_line(link.line))
}

fn is_run(target: &str) -> bool {
    let run = target.split_once(RUNS).map(|(_, run)| run);
    run.is_some_and(|run| run.starts_with(|c: char| c.is_ascii_digit()))
}

/// The first number of the line that has a unit.
fn figure(line: &str) -> Option<&str> {
    let mut previous = ' ';
    for (at, character) in line.char_indices() {
        if character.is_ascii_digit() && !is_word(previous) {
            let text = from(line, at);
            if let Some(len) = figure_len(text) {
                return text.get(..len);
            }
        }
        previous = character;
    }
    None
}

/// How long the figure is that the text starts with, from the first digit to the end of the unit.
fn figure_len(text: &str) -> Option<usize> {
    let spaced = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ',');
    let unit = spaced.strip_prefix(' ').unwrap_or(spaced);
    let unit = ["M ", "k "].iter().find_map(|times| unit.strip_prefix(times)).unwrap_or(unit);
    let rest = UNITS.iter().find_map(|name| {
        unit.strip_prefix(name).filter(|rest| !rest.starts_with(|c| is_word(c) || c == '/'))
    })?;
    Some(text.len().saturating_sub(rest.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::violation::lines;

    fn judge(text: &str) -> Vec<Violation> {
        check(&File::new("docs/performance.md", text))
    }

    #[test]
    fn figures_of_every_unit_are_found() {
        for unit in UNITS {
            for text in [format!("It does 1,234.5 {unit}."), format!("(7 {unit})")] {
                assert_eq!(lines(&judge(&text)), [1], "{text}");
            }
        }
        assert_eq!(lines(&judge("up to\n1.2 M events/s")), [2]);
        assert_eq!(lines(&judge("it takes 7ms, or up to\n0.5us")), [1, 2]);
        assert!(judge("about 12 us each")[0].to_string().contains("figure `12 us` has no run"));
    }

    #[test]
    fn a_link_counts_for_its_own_paragraph_only() {
        let run = "| 5 ms |\n| [run](../bench-runs/2026-01-14-first/README.md) |\n";
        assert!(judge(run).is_empty());
        assert_eq!(lines(&judge(&format!("{run}\nand 6 ms\n"))), [4]);
    }

    #[test]
    fn a_link_to_the_place_of_all_runs_proves_nothing() {
        for target in ["../bench-runs/", "../bench-runs", "../bench-runs/README.md", "runs/1.md"] {
            assert_eq!(lines(&judge(&format!("5 ms, see [runs]({target})\n"))), [1], "{target}");
        }
    }

    #[test]
    fn settings_code_and_other_words_pass() {
        assert!(judge("flush every `100 ms`\n\n```\ntook 5 ms\n```\n").is_empty());
        assert!(judge("3 msgs, 4 users, x86 ms, 5 MB, 12 use, 3  ms, 7 segments").is_empty());
        assert!(judge("1 second, 5 seconded, the 7 secondary").is_empty());
    }

    #[test]
    fn history_and_the_runs_themselves_pass() {
        assert!(check(&File::new("CHANGELOG.md", "5 ms")).is_empty());
        assert!(check(&File::new("bench-runs/day/README.md", "5 ms")).is_empty());
    }
}

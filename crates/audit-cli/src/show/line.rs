//! A record, or a fault, on one line of a terminal.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use audit_core::{EventCategory, EventTime};
use audit_verify::{Finding, Notice, RecordView};
use unicode_width::UnicodeWidthChar as _;

use super::said::Said;
use crate::output::{BAD, FAULT};

/// Columns from which there is room for the category, and for the longest types.
const WIDE_COLUMNS: usize = 110;

/// What a text ends with that was cut.
const CUT: char = '\u{2026}';

/// How lines are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// Columns that there are; `None` when lines are not cut.
    pub(crate) columns: Option<usize>,
    /// Whether colour is taken.
    pub(crate) colour: bool,
}

/// A time, and whose word it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Time {
    /// The one that was asked for.
    Asked(EventTime),
    /// The record's, since the event has none.
    Recorded(EventTime),
    /// None that can be read.
    Unknown,
}

/// What is to be thought of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Its hash is right and it links.
    Good,
    /// Something speaks against it.
    Faulty,
}

impl Layout {
    /// A record.
    pub(crate) fn record(
        &self,
        record: &RecordView<'_>,
        said: &Said,
        time: Time,
        trust: Trust,
    ) -> String {
        let category = EventCategory::of_type(&record.event_type);
        let (styles, seq) = match trust {
            Trust::Good => (Styles::of(category, record.is_critical), format!("{:>6}", record.seq)),
            Trust::Faulty => (Styles::FAULTY, format!("{:!>6}", record.seq)),
        };
        let mut line = Line { text: String::new(), layout: *self, used: 0 };
        line.put(&seq, styles.seq);
        line.put(" ", Style::new());
        line.put(&time.text(self.is_wide()), styles.time(time));
        line.put(if record.is_critical { " * " } else { "   " }, styles.mark);
        if self.is_wide() {
            line.column(category.as_str(), 15, styles.what);
        }
        let event_type = said.type_and_name(&record.event_type);
        let who = said.who().to_string();
        let (type_columns, who_columns) = if self.is_wide() { (25, 14) } else { (20, 0) };
        line.column(&event_type, type_columns, styles.what);
        let rest = said.rest(record.is_critical);
        line.put(&pad(&who, who_columns), styles.who);
        line.put(" ", Style::new());
        line.put(&rest, styles.rest);
        line.text.truncate(line.text.trim_end_matches(' ').len());
        line.text
    }

    /// A fault.
    pub(crate) fn fault(&self, finding: &Finding) -> String {
        let mut text = format!("!!!!!! {}", describe(finding));
        if let Some(expected) = &finding.expected {
            // Writing into a String does not fail.
            let written = write!(text, " Expected: {expected}.");
            debug_assert!(written.is_ok());
        }
        if let Some(found) = &finding.found {
            let written = write!(text, " Found: {found}.");
            debug_assert!(written.is_ok());
        }
        let mut line = Line { text: String::new(), layout: *self, used: 0 };
        // As a bar across the whole terminal, it is seen while scrolling past.
        let bar = if self.colour { self.columns.unwrap_or_default() } else { 0 };
        line.put(&pad(&text, bar), FAULT);
        line.text
    }

    /// Bytes that are not shown.
    pub(crate) fn skipped(&self, notice: &Notice) -> String {
        let place = place(notice.file.as_deref(), notice.line);
        let text = format!("------ {place}{}: {}", notice.code.as_str(), notice.message);
        let mut line = Line { text: String::new(), layout: *self, used: 0 };
        line.put(&text, Style::new().dimmed());
        line.text
    }

    fn is_wide(&self) -> bool {
        self.columns.is_none_or(|columns| columns >= WIDE_COLUMNS)
    }
}

/// A fault in words, its place first.
pub(crate) fn describe(finding: &Finding) -> String {
    let place = place(finding.file.as_deref(), finding.line);
    let byte = finding.offset.map(|offset| format!(" at byte {offset}")).unwrap_or_default();
    format!("{place}{}{byte}: {}", finding.code, finding.message)
}

/// `FILE:LINE`, as compilers and `grep -n` write it.
fn place(file: Option<&str>, line: Option<u64>) -> String {
    match (file, line) {
        (Some(file), Some(line)) => format!("{file}:{line} "),
        (Some(file), None) => format!("{file} "),
        (None, _) => String::new(),
    }
}

impl Time {
    pub(crate) fn instant(self) -> Option<EventTime> {
        match self {
            Self::Asked(time) | Self::Recorded(time) => Some(time),
            Self::Unknown => None,
        }
    }

    /// To the second.
    fn text(self, is_wide: bool) -> String {
        let Some(time) = self.instant() else {
            return pad("unknown", if is_wide { 20 } else { 19 });
        };
        let time = time.to_string().replace('T', " ");
        let seconds = time.get(..19).unwrap_or(&time);
        if is_wide { format!("{seconds}Z") } else { seconds.to_owned() }
    }
}

/// The style of each part of a line.
#[derive(Clone, Copy, Debug)]
struct Styles {
    seq: Style,
    mark: Style,
    what: Style,
    who: Style,
    rest: Style,
    own_time: Style,
    other_time: Style,
}

impl Styles {
    const FAULTY: Self = Self::all(BAD);

    const fn all(style: Style) -> Self {
        Self {
            seq: style,
            mark: style,
            what: style,
            who: style,
            rest: style,
            own_time: style,
            other_time: style,
        }
    }

    fn of(category: EventCategory, is_critical: bool) -> Self {
        let plain = Style::new();
        let what = category_style(category);
        Self {
            mark: AnsiColor::Yellow.on_default().bold(),
            what: if is_critical { what.bold() } else { what },
            who: if is_critical { plain.bold() } else { plain },
            other_time: plain.dimmed(),
            ..Self::all(plain)
        }
    }

    fn time(&self, time: Time) -> Style {
        match time {
            Time::Asked(_) => self.own_time,
            Time::Recorded(_) | Time::Unknown => self.other_time,
        }
    }
}

fn category_style(category: EventCategory) -> Style {
    let colour = match category {
        EventCategory::Authentication => AnsiColor::Cyan,
        EventCategory::Authorization => AnsiColor::BrightBlue,
        EventCategory::Resource => AnsiColor::Green,
        EventCategory::Vram => AnsiColor::Magenta,
        EventCategory::Security => AnsiColor::Yellow,
        EventCategory::DataAccess => AnsiColor::BrightGreen,
        EventCategory::Compliance => AnsiColor::BrightCyan,
        EventCategory::Lifecycle => return Style::new().dimmed(),
        EventCategory::Custom | _ => return Style::new(),
    };
    colour.on_default()
}

/// A line that is being written, no wider than the terminal.
struct Line {
    text: String,
    layout: Layout,
    used: usize,
}

impl Line {
    /// A text in a column of its own, cut to it and with a space behind it.
    fn column(&mut self, text: &str, columns: usize, style: Style) {
        let text = fit(text, columns.saturating_sub(1));
        self.put(&pad(&text, columns), style);
    }

    fn put(&mut self, text: &str, style: Style) {
        let free = self.layout.columns.map(|columns| columns.saturating_sub(self.used));
        let text = free.map_or_else(|| text.to_owned(), |free| fit(text, free));
        self.used = self.used.saturating_add(columns_of(&text));
        if self.layout.colour && style != Style::new() {
            let written = write!(self.text, "{style}{text}{style:#}");
            debug_assert!(written.is_ok());
        } else {
            self.text.push_str(&text);
        }
    }
}

/// Columns that a text takes.
fn columns_of(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or_default()).sum()
}

/// A text in so many columns, with a mark where it was cut. What takes no column counts as one, or a
/// heap of marks on one letter would have no end.
fn fit(text: &str, columns: usize) -> String {
    let mut used = 0_usize;
    let mut keep = 0;
    for (at, c) in text.char_indices() {
        let room = columns.saturating_sub(used);
        let needs = c.width().unwrap_or_default().max(1);
        if needs > room {
            let mut cut = text.get(..keep).unwrap_or_default().to_owned();
            if columns > 0 {
                cut.push(CUT);
            }
            return cut;
        }
        used = used.saturating_add(needs);
        if used < columns {
            keep = at.saturating_add(c.len_utf8());
        }
    }
    text.to_owned()
}

/// A text with as many spaces as a column needs.
fn pad(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(columns_of(text));
    format!("{text}{}", " ".repeat(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_cut_with_a_mark() {
        assert_eq!(fit("abcd", 4), "abcd");
        assert_eq!(fit("abcde", 4), "abc\u{2026}");
        assert_eq!(fit("abcde", 1), "\u{2026}");
        assert_eq!(fit("abcde", 0), "");
        assert_eq!(fit("", 0), "");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let two = "\u{65e5}\u{672c}";
        assert_eq!(columns_of(two), 4);
        assert_eq!(fit(two, 4), two);
        assert_eq!(fit(two, 3), "\u{65e5}\u{2026}");
        assert_eq!(fit(two, 2), "\u{2026}");
        assert_eq!(pad(two, 6), format!("{two}  "));
    }

    #[test]
    fn a_heap_of_marks_on_a_letter_is_cut_too() {
        let heap = format!("a{}", "\u{301}".repeat(1_000));
        assert!(fit(&heap, 10).chars().count() <= 10);
    }
}

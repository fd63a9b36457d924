//! The newest records, where only those are to be shown.

use std::collections::VecDeque;

/// Faults that are held back between records. With more of them, records are shown that would not
/// have to be, so that memory stays bounded whatever the log holds.
const FAULTS_MAX: usize = 1_000;

#[derive(Debug)]
struct Held {
    text: String,
    is_record: bool,
}

/// Holds lines back until it is known which records are the last. No fault is ever dropped.
#[derive(Debug)]
pub(crate) struct Last {
    records_max: usize,
    records: usize,
    held: VecDeque<Held>,
}

impl Last {
    pub(crate) fn new(records_max: usize) -> Self {
        Self { records_max, records: 0, held: VecDeque::new() }
    }

    /// Takes the line of a record.
    pub(crate) fn record(&mut self, text: String) {
        self.held.push_back(Held { text, is_record: true });
        self.records = self.records.saturating_add(1);
        if self.records > self.records_max
            && let Some(first) = self.held.iter().position(|held| held.is_record)
        {
            self.held.remove(first);
            self.records = self.records.saturating_sub(1);
        }
    }

    /// Takes a line that is shown in any case.
    pub(crate) fn fault(&mut self, text: String) {
        self.held.push_back(Held { text, is_record: false });
    }

    /// The first line, if it is shown whatever comes.
    pub(crate) fn due(&mut self) -> Option<String> {
        let is_crowded = self.held.len().saturating_sub(self.records) > FAULTS_MAX;
        self.held.pop_front_if(|held| is_crowded || !held.is_record).map(|held| {
            self.records = self.records.saturating_sub(usize::from(held.is_record));
            held.text
        })
    }

    /// Every line that is left.
    pub(crate) fn finish(self) -> impl Iterator<Item = String> {
        self.held.into_iter().map(|held| held.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown of lines, where `!` begins a fault.
    fn shown(records_max: usize, lines: &[&str]) -> (Vec<String>, Vec<String>) {
        let mut last = Last::new(records_max);
        let mut at_once = Vec::new();
        for &line in lines {
            if line.starts_with('!') {
                last.fault(line.to_owned());
            } else {
                last.record(line.to_owned());
            }
            at_once.extend(std::iter::from_fn(|| last.due()));
        }
        (at_once, last.finish().collect())
    }

    #[test]
    fn the_last_records_are_kept_and_every_fault() {
        let (at_once, at_end) = shown(2, &["1", "!a", "2", "!b", "3", "4", "!c", "5"]);
        assert_eq!(
            (at_once, at_end),
            (
                vec!["!a".to_owned(), "!b".to_owned()],
                vec!["4".to_owned(), "!c".to_owned(), "5".to_owned()],
            )
        );
        let (at_once, at_end) = shown(0, &["1", "!a", "2"]);
        assert_eq!((at_once, at_end), (vec!["!a".to_owned()], Vec::new()));
    }

    #[test]
    fn a_flood_of_faults_is_not_held_back() {
        let faults = vec!["!"; 5_000];
        let (at_once, at_end) = shown(2, &[["1", "2"].as_slice(), &faults].concat());
        assert_eq!((at_once.len(), at_end.len()), (5_002, 0));
    }
}

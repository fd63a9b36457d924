//! Lines deleted, repeated, moved, exchanged, forged.

use crate::builder::{Builder, Files, lines_of};
use crate::bytes::ends_whole;
use crate::forms::Line;
use crate::hunt::{Level, Mutant};
use crate::logs::Log;
use crate::mutants::seal_from;

impl Log {
    /// The lines of each segment.
    fn lines(&self) -> Vec<(&str, Vec<Vec<u8>>)> {
        self.segments().into_iter().map(|file| (file, lines_of(&self.files[file]))).collect()
    }

    pub(crate) fn line_count(&self) -> usize {
        self.lines().iter().map(|(_, lines)| lines.len()).sum()
    }

    /// The segment and the place in it of a line.
    pub(crate) fn line(&self, mut number: usize) -> (&str, usize) {
        for (file, lines) in self.lines() {
            if number < lines.len() {
                return (file, number);
            }
            number -= lines.len();
        }
        panic!("no such line")
    }

    /// The files with the lines of one of them changed.
    pub(crate) fn with_lines(&self, file: &str, change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Files {
        self.with(file, |bytes| {
            let mut lines = lines_of(bytes);
            change(&mut lines);
            *bytes = lines.concat();
        })
    }
}

/// A first and a last one, of all lines.
pub(crate) fn pairs(log: &Log) -> usize {
    log.line_count().pow(2)
}

fn pair(log: &Log, way: usize) -> ((&str, usize), (&str, usize)) {
    (log.line(way / log.line_count()), log.line(way % log.line_count()))
}

pub(crate) fn delete_run(log: &Log, way: usize) -> Option<Mutant> {
    let ((file, first), (other, last)) = pair(log, way);
    if file != other || first > last {
        return None;
    }
    let files = log.with_lines(file, |lines| drop(lines.drain(first..=last)));
    let level = if ends_whole(log, file, &files) { log.level_of_its_end() } else { Level::Chain };
    Mutant::found_by(level, files)
}

/// Before any line, or behind the last one of its segment.
pub(crate) fn repetitions(log: &Log) -> usize {
    2 * pairs(log)
}

pub(crate) fn repeat(log: &Log, way: usize) -> Option<Mutant> {
    let ((from, line), (to, at)) = pair(log, way / 2);
    let repeated = lines_of(&log.files[from])[line].clone();
    let files = log.with_lines(to, |lines| lines.insert(at + way % 2, repeated));
    Mutant::found_by(Level::Chain, files)
}

pub(crate) fn move_line(log: &Log, way: usize) -> Option<Mutant> {
    let ((from, line), (to, at)) = pair(log, way);
    let mut moved = Vec::new();
    let mut files = log.with_lines(from, |lines| moved = lines.remove(line));
    let bytes = files.get_mut(to).unwrap();
    let mut lines = lines_of(bytes);
    lines.insert(at.min(lines.len()), moved);
    *bytes = lines.concat();
    Mutant::found_by(Level::Chain, files)
}

pub(crate) fn exchange(log: &Log, way: usize) -> Option<Mutant> {
    let ((one, first), (other, second)) = pair(log, way);
    if one == other {
        let files = log.with_lines(one, |lines| lines.swap(first, second));
        return Mutant::found_by(Level::Chain, files);
    }
    let line = |file: &str, at: usize| lines_of(&log.files[file])[at].clone();
    let mut files = log.with_lines(one, |lines| lines[first] = line(other, second));
    let exchanged = log.with_lines(other, |lines| lines[second] = line(one, first));
    files.insert(other.to_owned(), exchanged[other].clone());
    Mutant::found_by(Level::Chain, files)
}

/// What a forged line says: what a writer may say, to excuse a deletion or to end a segment, too.
const FORGED: [&str; 9] = [
    r#"{"event_type":"forged"}"#,
    r#"{"event_type":"log_closed"}"#,
    r#"{"event_type":"format_changed","to":2}"#,
    r#"{"event_type":"log_opened","writer":"x","flush_mode":"immediate","unsynced_max_bytes":99999999}"#,
    r#"{"event_type":"log_recovered","file":"00000000000000000000.2026-01-02.audit.jsonl","offset":900,"bytes":400,"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","valid_records":1,"kind":"torn"}"#,
    r#"{"event_type":"events_lost","count":3,"critical_count":1,"reason":"queue_full","first":"2026-01-02T03:04:05.000000006Z","last":"2026-01-02T03:04:06.000000006Z"}"#,
    r#"{"event_type":"segments_pruned","first_seq":0,"last_seq":0,"last_hash":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","merkle_frontier":["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],"files":[],"reason":"x"}"#,
    r#"{"event_type":"segment_missing","file":"00000000000000000000.2026-01-02.audit.jsonl","first_seq":0,"last_seq":3,"last_hash":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","reason":"unlinked"}"#,
    r#"{"event_type":"damage_found","file":"00000000000000000000.2026-01-02.audit.jsonl","offset":7,"code":"x"}"#,
];

/// In place of each line, behind it, and in its place with those after it linked to it.
pub(crate) fn forgeries(log: &Log) -> usize {
    3 * FORGED.len() * log.line_count()
}

pub(crate) fn forge(log: &Log, way: usize) -> Option<Mutant> {
    let (way, event) = (way / FORGED.len(), FORGED[way % FORGED.len()]);
    let ((file, at), is_behind, is_linked) = (log.line(way / 3), way % 3 == 1, way % 3 == 2);
    let honest = Line::read(&lines_of(&log.files[file])[at])?;
    let (seq, prev_hash) =
        if is_behind { (honest.seq + 1, honest.hash) } else { (honest.seq, honest.prev_hash) };
    let forged = Builder::line(seq, event, prev_hash).0.into_bytes();
    let mut is_newest = is_linked;
    let files = log.with_lines(file, |lines| {
        let at = at + usize::from(is_behind);
        lines.splice(at..at + usize::from(!is_behind), [forged]);
        is_newest |= at + 1 == lines.len();
        if is_linked {
            seal_from(lines, at);
        }
    });
    // The newest records of a log that nobody vouches for can be any that fit.
    let is_free = is_newest && log.is_last(file);
    Mutant::found_by(if is_free { log.level_of_its_end() } else { Level::Chain }, files)
}

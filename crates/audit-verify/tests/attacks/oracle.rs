//! What has to be said of a mutant at the least, told without the verifier: by comparing its bytes
//! with those of the honest log, and by what docs/format.md says that a crash leaves.

use audit_core::record::HASH_FIELD_BYTES;
use audit_core::seal::split_seal;
use audit_verify::Verdict;

use crate::builder::{Files, is_whole, lines_of};
use crate::honest::Honest;

/// Bytes that the writer of every log here leaves unsynced at most.
pub(crate) const UNSYNCED_MAX_BYTES: usize = 4_096;

const BLOCK_BYTES: usize = 512;

/// How the segments stand to those of the honest log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Records {
    /// Its first records and nothing else: what it was earlier.
    First(u64),
    /// The same, and behind them what a crash may leave.
    Torn(u64),
    /// What no writer and no crash leaves.
    Broken,
}

/// The mildest verdict that may be given on a mutant made by somebody who computes no hashes;
/// `None` where it is what the honest log was earlier, which a chain alone accepts, or where the
/// checkpoints were touched too and the records alone do not tell.
pub(crate) fn least(honest: &Honest, files: &Files) -> Option<Verdict> {
    let (records, mildest) = match compare(honest, files) {
        Records::Broken => return Some(Verdict::Tampered),
        Records::First(0) => (0, Some(Verdict::Unverifiable)),
        Records::First(records) => (records, None),
        Records::Torn(records) => (records, Some(Verdict::Torn)),
    };
    if notes(honest).any(|(name, bytes)| files.get(name) != Some(bytes)) {
        return None;
    }
    let beyond = notes(honest).any(|(name, _)| size_of(name) > records);
    mildest.max(beyond.then_some(Verdict::Truncated))
}

pub(crate) fn segments(files: &Files) -> impl DoubleEndedIterator<Item = (&String, &Vec<u8>)> {
    files.iter().filter(|(name, _)| name.ends_with(".audit.jsonl"))
}

pub(crate) fn notes(honest: &Honest) -> impl DoubleEndedIterator<Item = (&String, &Vec<u8>)> {
    honest.files.iter().filter(|(name, _)| is_note(name))
}

pub(crate) fn is_note(name: &str) -> bool {
    name.starts_with("checkpoints/")
}

/// How many records a checkpoint covers, as its name says.
pub(crate) fn size_of(note: &str) -> u64 {
    note["checkpoints/".len()..][..20].parse().unwrap()
}

fn compare(honest: &Honest, files: &Files) -> Records {
    let Some((newest, newest_bytes)) = segments(files).next_back() else {
        return Records::First(0);
    };
    let mut whole = segments(&honest.files);
    for (name, bytes) in segments(files) {
        let Some((due, due_bytes)) = whole.next() else { return Records::Broken };
        if name != due || (name != newest && bytes != due_bytes) {
            return Records::Broken;
        }
    }
    let due = lines_of(&honest.files[newest]);
    let lines = kept(&due, newest_bytes);
    let (opening, counted) = (opening_of(&due), counted(&due, lines));
    let (end, counted_end) = (bytes_of(&due[..lines]), bytes_of(&due[..counted]));
    let older = segments(files).filter(|(name, _)| *name != newest);
    let is_accounted_for = |bytes: &[u8]| holds(bytes, "segments_pruned");
    let before = &newest_bytes[..counted_end];
    let is_declared =
        is_accounted_for(before) || older.into_iter().any(|it| is_accounted_for(it.1));
    if counted < opening || (honest.is_pruned() && !is_declared) {
        return Records::Broken;
    }
    let first_seq: u64 = newest[..20].parse().unwrap();
    let tail = &newest_bytes[counted_end..];
    let is_closed = holds(before, "log_closed");
    match &newest_bytes[end..] {
        [] if tail.len() <= UNSYNCED_MAX_BYTES => Records::First(first_seq + lines as u64),
        rest if is_closed || tail.len() > UNSYNCED_MAX_BYTES || !is_left_by_a_crash(rest, end) => {
            Records::Broken
        }
        _ => Records::Torn(first_seq + counted as u64),
    }
}

/// How many whole lines of the honest segment are still there, one after the other.
fn kept(due: &[Vec<u8>], bytes: &[u8]) -> usize {
    let mut rest = bytes;
    let is_there = |line: &&Vec<u8>| {
        let after = rest.strip_prefix(line.as_slice()).filter(|_| is_whole(line));
        rest = after.unwrap_or(rest);
        after.is_some()
    };
    due.iter().take_while(is_there).count()
}

fn bytes_of(lines: &[Vec<u8>]) -> usize {
    lines.iter().map(Vec::len).sum()
}

/// How many of the first lines of a segment count: of one that is sealed, those up to the last seal.
fn counted(due: &[Vec<u8>], lines: usize) -> usize {
    if !is_of_sealed(due) {
        return lines;
    }
    due[..lines].iter().rposition(|line| is_sealed(line)).map_or(0, |last| last + 1)
}

/// The lines of a segment that count.
pub(crate) fn records_of(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = lines_of(bytes);
    lines.truncate(counted(&lines, kept(&lines, bytes)));
    lines
}

/// Whether a segment with these lines names a key.
fn is_of_sealed(lines: &[Vec<u8>]) -> bool {
    let names_a_key = |line: &Vec<u8>| memchr::memmem::find(line, b",\"key\":{").is_some();
    lines.first().is_some_and(names_a_key)
}

/// Whether a whole line has a seal.
pub(crate) fn is_sealed(line: &[u8]) -> bool {
    is_whole(line) && split_seal(&line[..line.len() - HASH_FIELD_BYTES - 1]).is_some()
}

/// How many records have to stand in a segment before it has its name.
pub(crate) fn opening_of(lines: &[Vec<u8>]) -> usize {
    if is_of_sealed(lines) {
        return lines.iter().position(|line| is_sealed(line)).map_or(lines.len(), |at| at + 1);
    }
    let is_opening = |line: &&Vec<u8>| {
        ["segment_opened", "log_recovered", "log_opened"].iter().any(|event| holds(line, event))
    };
    lines.iter().take_while(is_opening).count()
}

fn holds(bytes: &[u8], event_type: &str) -> bool {
    let found = format!("{{\"event_type\":\"{event_type}\"");
    memchr::memmem::find(bytes, found.as_bytes()).is_some()
}

/// The rule of docs/format.md, "Tail".
fn is_left_by_a_crash(tail: &[u8], offset: usize) -> bool {
    let lines = lines_of(tail);
    let mut blocks_were_lost = false;
    let are_possible = lines.iter().all(|line| {
        let is_lost = line.contains(&0);
        blocks_were_lost |= is_lost;
        match line.last() {
            _ if is_lost => true,
            Some(b'\n') => blocks_were_lost && is_whole(line),
            _ => !goes_on_after_a_record(line),
        }
    });
    are_possible && runs_are_of_blocks(tail, offset)
}

fn goes_on_after_a_record(line: &[u8]) -> bool {
    memchr::memmem::find_iter(line, b"\"}").any(|at| {
        let mut record = line[..at + 2].to_vec();
        record.push(b'\n');
        at + 2 < line.len() && is_whole(&record)
    })
}

fn runs_are_of_blocks(tail: &[u8], offset: usize) -> bool {
    let at_block = |at: usize| (offset + at).is_multiple_of(BLOCK_BYTES);
    (0..tail.len()).all(|at| {
        let before = at.checked_sub(1).map_or(b'\n', |before| tail[before]);
        match (before == 0, tail[at] == 0) {
            (false, true) => before == b'\n' || at_block(at),
            (true, false) => at_block(at),
            _ => true,
        }
    })
}

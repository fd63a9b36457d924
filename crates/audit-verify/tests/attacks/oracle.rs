//! What has to be said of a mutant at the least, told without the verifier: by comparing its bytes
//! with those of the honest log, and by what docs/format.md says that a crash leaves.

use audit_verify::Verdict;

use crate::builder::{Files, is_whole, lines_of};
use crate::honest::Honest;

/// Bytes that the writer of every log here leaves unsynced at most.
const UNSYNCED_MAX_BYTES: usize = 4_096;

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
    let lines = lines_of(&honest.files[newest]);
    let mut kept = 0;
    let mut at = 0;
    for line in lines.iter().take_while(|line| is_whole(line)) {
        if !newest_bytes[at..].starts_with(line) {
            break;
        }
        kept += 1;
        at += line.len();
    }
    let first_seq: u64 = newest[..20].parse().unwrap();
    let (before, tail) = newest_bytes.split_at(at);
    let opening = lines.iter().take_while(|line| is_opening(line)).count() as u64;
    if kept < opening || (honest.is_pruned() && !holds(before, "segments_pruned")) {
        return Records::Broken;
    }
    match tail {
        [] => Records::First(first_seq + kept),
        _ if holds(before, "log_closed") || !is_left_by_a_crash(tail, at) => Records::Broken,
        _ => Records::Torn(first_seq + kept),
    }
}

/// Whether a record is one that has to stand in a segment before it has its name.
pub(crate) fn is_opening(line: &[u8]) -> bool {
    ["segment_opened", "log_recovered", "log_opened"].iter().any(|event| holds(line, event))
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
    tail.len() <= UNSYNCED_MAX_BYTES && are_possible && runs_are_of_blocks(tail, offset)
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

//! What is done to the end of a log that seals, and to its seals, by somebody without its key. They
//! cannot be told from right ones, so only their form and their places are left to the chain.

use audit_verify::Verdict;

use crate::builder::{is_whole, seal_bytes, seal_from};
use crate::chain::{signed, unsigned};
use crate::family::{Choices, Family, Level, Mutant, product};
use crate::goes_on::{open, resumed};
use crate::honest::Honest;
use crate::lines::{files, lines, newest};
use crate::oracle::{UNSYNCED_MAX_BYTES, is_note, is_sealed, segments, size_of};
use crate::sealing::CLOSED;

pub(crate) const FAMILIES: [Family; 9] = [
    Family {
        name: "record of the writer's own forged behind the last seal, and events",
        level: Level::Chain,
        places: |honest| sealed(honest, product(&[OWN.len(), FORGED_MAX, FORGED_MAX])),
        mutant: |honest, place| {
            let mut choices = Choices(place);
            let own = OWN[choices.of(OWN.len())];
            let mut log = resumed(honest, honest.files.clone());
            log.events(choices.of(FORGED_MAX));
            log.record(own);
            log.events(choices.of(FORGED_MAX));
            Some(Mutant { files: log.files, least: Verdict::Tampered })
        },
    },
    Family {
        name: "more forged behind the last seal than a writer leaves unsynced",
        level: Level::Chain,
        places: |honest| sealed(honest, product(&[20])),
        mutant: |honest, place| {
            let mut log = resumed(honest, honest.files.clone());
            let before = log.files[&log.file].len();
            while log.files[&log.file].len() - before <= UNSYNCED_MAX_BYTES {
                log.event();
            }
            log.events(Choices(place).of(20));
            Some(Mutant { files: log.files, least: Verdict::Tampered })
        },
    },
    Family {
        name: "events forged behind the last seal, the log signed",
        level: Level::Key,
        places: |honest| sealed(honest, signed(honest, FORGED_MAX)),
        mutant: |honest, place| Some(append(honest, place)),
    },
    Family {
        name: "events forged behind the last seal",
        level: Level::Elsewhere,
        places: |honest| sealed(honest, unsigned(honest, FORGED_MAX)),
        mutant: |honest, place| Some(append(honest, place)),
    },
    Family {
        name: "cut back to an earlier seal, events forged behind it, the log signed",
        level: Level::Key,
        places: |honest| sealed(honest, signed(honest, seals(honest) * FORGED_MAX)),
        mutant: |honest, place| cut_back(honest, place, End::Open, Verdict::Unverifiable),
    },
    Family {
        name: "cut back to an earlier seal, events forged behind it",
        level: Level::Elsewhere,
        places: |honest| sealed(honest, unsigned(honest, seals(honest) * FORGED_MAX)),
        mutant: |honest, place| cut_back(honest, place, End::Open, Verdict::Truncated),
    },
    Family {
        name: "cut back to an earlier seal, events forged behind it and declared, the log signed",
        level: Level::Key,
        places: |honest| sealed(honest, signed(honest, seals(honest) * FORGED_MAX)),
        mutant: |honest, place| cut_back(honest, place, End::Declared, Verdict::Unverifiable),
    },
    Family {
        name: "seal taken off, forged or put on in the newest segment, the log signed",
        level: Level::Chain,
        places: |honest| sealed(honest, signed(honest, newest(honest).len() * SEALS.len())),
        mutant: |honest, place| edit_seal(honest, place),
    },
    Family {
        name: "seal taken off, forged or put on in the newest segment",
        level: Level::Elsewhere,
        places: |honest| sealed(honest, unsigned(honest, newest(honest).len() * SEALS.len())),
        mutant: |honest, place| edit_seal(honest, place),
    },
];

/// What only a writer says, in a record of its own that it seals.
const OWN: [&str; 4] = [
    CLOSED,
    r#"{"event_type":"disk_full","available_bytes":1}"#,
    r#"{"event_type":"clock_stepped","from":"2026-01-02T00:00:00.000000000Z","to":"2027-01-02T00:00:00.000000000Z"}"#,
    r#"{"event_type":"format_changed","to":2}"#,
];

/// Events that are forged at most: fewer than a writer may leave unsynced.
const FORGED_MAX: usize = 6;

fn sealed(honest: &Honest, places: u64) -> u64 {
    if honest.is_sealed { places } else { 0 }
}

/// Records with a seal in all segments.
fn seals(honest: &Honest) -> usize {
    lines(&honest.files).iter().filter(|(_, line)| is_sealed(line)).count()
}

fn append(honest: &Honest, place: u64) -> Mutant {
    let mut log = resumed(honest, honest.files.clone());
    log.events(Choices(place).of(FORGED_MAX) + 1);
    Mutant { files: log.files, least: Verdict::Unverifiable }
}

/// How a forged end ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// As a writer leaves it that is at work.
    Open,
    /// As the next writer leaves it, which declared it.
    Declared,
}

/// Cuts the log off behind a seal, with the checkpoints of what is gone, and forges events that have
/// no seal yet.
fn cut_back(honest: &Honest, place: u64, end: End, least: Verdict) -> Option<Mutant> {
    let mut choices = Choices(place);
    let (seal, forged) = (choices.of(seals(honest)), choices.of(FORGED_MAX) + 1);
    let mut all = lines(&honest.files);
    let at = all.iter().enumerate().filter(|(_, (_, line))| is_sealed(line)).nth(seal)?.0;
    if at + 1 == all.len() {
        return None;
    }
    all.truncate(at + 1);
    let mut files = files(honest, all);
    let mut log = resumed(honest, files.clone());
    files.retain(|name, _| !is_note(name) || size_of(name) <= log.seq);
    log.files = files;
    log.events(forged);
    if end == End::Declared {
        let (seq, prev_hash) = (log.seq - forged as u64, log.prev_hash);
        log = resumed(honest, log.files);
        assert!(log.seq == seq && log.prev_hash != prev_hash, "none of them counts");
        open(&mut log);
        log.record_own(&log.event_text());
    }
    Some(Mutant { files: log.files, least })
}

/// What is done to the seal of a line, if it is one of that kind.
type EditSeal = fn(&mut Vec<u8>);

const SEALS: [EditSeal; 3] = [
    |line| drop(line.splice(field(line), [])),
    |line| {
        let first = field(line).start + b",\"seal\":\"".len();
        line[first..first + 21].copy_from_slice(b"ABCDEFGHIJKLMNOPQRSTU");
    },
    |line| {
        let field = *b",\"seal\":\"ABCDEFGHIJKLMNOPQRSTUA\"";
        let end = line.len() - 76;
        drop(line.splice(end..end, field));
    },
];

/// Where the field of a seal is in a line that has one.
fn field(line: &[u8]) -> std::ops::Range<usize> {
    let end = line.len() - 76;
    end - seal_bytes(line)..end
}

/// Edits one in the newest segment, and computes the chain anew from there on.
fn edit_seal(honest: &Honest, place: u64) -> Option<Mutant> {
    let mut choices = Choices(place);
    let mut lines = newest(honest);
    let (line, edit) = (choices.of(lines.len()), choices.of(SEALS.len()));
    let puts_one_on = edit == 2;
    if !is_whole(&lines[line]) || is_sealed(&lines[line]) == puts_one_on {
        return None;
    }
    // Records whose last seal is gone are not sealed yet, and do not count.
    let is_last = edit == 0 && line + 1 == lines.len();
    let least = if is_last { Verdict::Truncated } else { Verdict::Tampered };
    SEALS[edit](&mut lines[line]);
    seal_from(&mut lines, line);
    let mut files = honest.files.clone();
    let name = segments(&honest.files).next_back()?.0;
    files.insert(name.clone(), lines.concat());
    Some(Mutant { files, least })
}

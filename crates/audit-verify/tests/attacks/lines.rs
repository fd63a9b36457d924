//! Lines taken out, repeated, moved, exchanged, written otherwise, by somebody who computes no
//! hashes; and JSON that no writer writes, by somebody who does.

use audit_testkit::dice::Dice;
use audit_verify::Verdict;

use crate::builder::{Files, is_whole, lines_of, seal_from};
use crate::bytes::of_bytes;
use crate::family::{Choices, Family, Level, Mutant, product};
use crate::honest::Honest;
use crate::oracle::segments;

pub(crate) const FAMILIES: [Family; 8] = [
    Family {
        name: "run of lines taken out",
        level: Level::Chain,
        places: |honest| pairs(honest, 0),
        mutant: |honest, place| {
            by_lines(honest, place, 0, |lines, from, to| {
                if from > to {
                    return false;
                }
                drop(lines.drain(from..=to));
                true
            })
        },
    },
    Family {
        name: "line repeated anywhere",
        level: Level::Chain,
        places: |honest| pairs(honest, 1),
        mutant: |honest, place| {
            by_lines(honest, place, 1, |lines, line, at| {
                let (file, bytes) = lines[line].clone();
                let file = lines.get(at).map_or(file, |(file, _)| *file);
                lines.insert(at, (file, bytes));
                true
            })
        },
    },
    Family {
        name: "line moved anywhere",
        level: Level::Chain,
        places: |honest| pairs(honest, 0),
        mutant: |honest, place| {
            by_lines(honest, place, 0, |lines, from, to| {
                let file = lines[to].0;
                let (_, bytes) = lines.remove(from);
                lines.insert(to, (file, bytes));
                from != to
            })
        },
    },
    Family {
        name: "two lines exchanged",
        level: Level::Chain,
        places: |honest| pairs(honest, 0),
        mutant: |honest, place| {
            by_lines(honest, place, 0, |lines, one, other| {
                let bytes = lines[one].1.clone();
                lines[one].1 = std::mem::replace(&mut lines[other].1, bytes);
                one < other
            })
        },
    },
    Family {
        name: "line in another's place",
        level: Level::Chain,
        places: |honest| pairs(honest, 0),
        mutant: |honest, place| {
            by_lines(honest, place, 0, |lines, one, other| {
                lines[other].1 = lines[one].1.clone();
                one != other
            })
        },
    },
    Family {
        name: "JSON written otherwise, its hash left",
        level: Level::Chain,
        places: |honest| product(&[lines(&honest.files).len(), FORMS.len()]),
        mutant: |honest, place| {
            let mut choices = Choices(place);
            let mut lines = lines(&honest.files);
            let line = choices.of(lines.len());
            let form = FORMS[choices.of(FORMS.len())];
            lines[line].1 = write_otherwise(&lines[line].1, form)?;
            of_bytes(honest, files(honest, lines))
        },
    },
    Family {
        name: "JSON that no writer writes, the chain computed anew",
        level: Level::Chain,
        places: |honest| product(&[newest(honest).len(), IMPROPER]),
        mutant: |honest, place| {
            let mut choices = Choices(place);
            let mut lines = newest(honest);
            let line = choices.of(lines.len());
            let form = FORMS[choices.of(IMPROPER)];
            lines[line] = write_otherwise(&lines[line], form)?;
            with_newest(honest, lines, line)
        },
    },
    Family {
        name: "what a record says of others falsified, the chain computed anew",
        level: Level::Chain,
        places: |honest| product(&[newest(honest).len(), SAYINGS.len(), 64]),
        mutant: |honest, place| {
            let mut choices = Choices(place);
            let mut lines = newest(honest);
            let line = choices.of(lines.len());
            let saying = SAYINGS[choices.of(SAYINGS.len())];
            // Where all segments before it are deleted, nothing else names the log or the last one.
            if segments(&honest.files).count() == 1 && OF_THE_SEGMENT_BEFORE.contains(&saying.1) {
                return None;
            }
            falsify(&mut lines[line], saying, choices.of(64))?;
            with_newest(honest, lines, line)
        },
    },
];

/// What a record says that has to agree with others: the event that says it, or of any, and what
/// stands before the text that is falsified.
const SAYINGS: [(&str, &str); 21] = [
    ("", "\"audit_id\":\"audit-"),
    ("", "\"service_id\":\""),
    ("", "\"prev_hash\":\""),
    ("segment_opened", "\"log_id\":\""),
    ("segment_opened", "\"merkle_frontier\":[\""),
    ("segment_opened", "\"last_seq\":"),
    ("segment_opened", "\"last_hash\":\""),
    ("segment_opened", "\"file\":\""),
    ("log_recovered", "\"offset\":"),
    ("log_recovered", "\"bytes\":"),
    ("log_recovered", "\"sha256\":\""),
    ("log_recovered", "\"valid_records\":"),
    ("checkpoint_signed", "\"root\":\""),
    ("segments_pruned", "\"last_hash\":\""),
    ("segment_opened", "\"key\":{\"vkey\":\""),
    ("segment_opened", "\"since\":"),
    ("segment_opened", "\"sealed_from\":"),
    ("segment_opened", "\"pruned\":{\"seq\":"),
    ("records_adopted", "\"last_seq\":"),
    ("records_adopted", "\"begins\":"),
    ("key_changed", "\"new_vkey\":\""),
];

const OF_THE_SEGMENT_BEFORE: [&str; 2] = ["\"log_id\":\"", "\"file\":\""];

/// Falsifies one character; `None` where the line does not say it.
fn falsify(line: &mut [u8], (event, said): (&str, &str), nth: usize) -> Option<()> {
    let event = format!("{{\"event_type\":\"{event}");
    memchr::memmem::find(line, event.as_bytes()).filter(|_| is_whole(line))?;
    let at = memchr::memmem::find(line, said.as_bytes())? + said.len();
    let text = line[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric());
    let length = text.count();
    let byte = line.get_mut(at + nth).filter(|_| nth < length)?;
    *byte = if *byte == b'1' { b'2' } else { b'1' };
    Some(())
}

/// The newest segment with these lines, linked and sealed anew from one on.
fn with_newest(honest: &Honest, mut lines: Vec<Vec<u8>>, changed: usize) -> Option<Mutant> {
    seal_from(&mut lines, changed);
    let mut files = honest.files.clone();
    let name = segments(&honest.files).next_back()?.0;
    files.insert(name.clone(), lines.concat());
    Some(Mutant { files, least: Verdict::Tampered })
}

/// What is written otherwise: what there is, and what it becomes. `#` is a digit.
type Form = (&'static str, &'static str);

/// How many of the forms no writer writes, so that they are found under a right hash too.
const IMPROPER: usize = 17;

const FORMS: [Form; 20] = [
    ("{\"v\":1", "{ \"v\":1"),
    ("\"v\":1,", "\"v\": 1,"),
    ("\"v\":1,", "\"v\":1, "),
    ("\"v\":1,", "\"v\":1,\"v\":1,"),
    ("\"v\":1,", "\"v\":1.0,"),
    ("\"v\":1,", "\"v\":01,"),
    ("\"v\":1,", "\"v\":2,"),
    ("\"v\":1,", "\"v\":0,"),
    ("\"v\":1,", "\"v\":\"1\","),
    ("\"v\":1,", "\"v\":1,\"more\":null,"),
    ("\"seq\":", "\"seq\":0"),
    ("\"seq\":", "\"\\u0073eq\":"),
    ("\"event\":{", "\"event\":{\"event_type\":\"x\","),
    ("\"event\":{\"event_type\"", "\"event\":{\"a\":1,\"event_type\""),
    ("\"event\":{", "\"event\":[{"),
    ("},\"prev_hash\"", ",\"a\":{\"b\":1,\"\\u0062\":2}},\"prev_hash\""),
    ("},\"prev_hash\"", ",\"a\":\"\\ud800\"},\"prev_hash\""),
    ("\"event_type\":\"", "\"event_type\":\"\\u0061"),
    ("\"hash\":\"", "\"hash\":\"0"),
    ("}\n", "}\r\n"),
];

fn write_otherwise(line: &[u8], (from, to): Form) -> Option<Vec<u8>> {
    let at = memchr::memmem::find(line, from.as_bytes()).filter(|_| is_whole(line))?;
    Some([&line[..at], to.as_bytes(), &line[at + from.len()..]].concat())
}

/// The lines of all segments, each with the number of its segment.
pub(crate) fn lines(files: &Files) -> Vec<(usize, Vec<u8>)> {
    let of = |(number, bytes): (usize, &Vec<u8>)| {
        lines_of(bytes).into_iter().map(move |line| (number, line))
    };
    segments(files).map(|(_, bytes)| bytes).enumerate().flat_map(of).collect()
}

/// The lines of the newest segment.
pub(crate) fn newest(honest: &Honest) -> Vec<Vec<u8>> {
    segments(&honest.files).next_back().map(|(_, bytes)| lines_of(bytes)).unwrap()
}

/// The directory with these lines in its segments; those that have none are gone.
pub(crate) fn files(honest: &Honest, lines: Vec<(usize, Vec<u8>)>) -> Files {
    let mut files = honest.files.clone();
    set_lines(&mut files, lines);
    files
}

fn set_lines(files: &mut Files, lines: Vec<(usize, Vec<u8>)>) {
    let names: Vec<_> = segments(files).map(|(name, _)| name.clone()).collect();
    files.retain(|name, _| !names.contains(name));
    for (number, line) in lines {
        files.entry(names[number].clone()).or_default().extend(line);
    }
}

fn pairs(honest: &Honest, more: usize) -> u64 {
    let count = lines(&honest.files).len();
    product(&[count, count + more])
}

/// Does something to two places among the lines, if it says so.
fn by_lines(
    honest: &Honest,
    place: u64,
    more: usize,
    act: impl Fn(&mut Vec<(usize, Vec<u8>)>, usize, usize) -> bool,
) -> Option<Mutant> {
    let mut choices = Choices(place);
    let mut lines = lines(&honest.files);
    let (one, other) = (choices.of(lines.len()), choices.of(lines.len() + more));
    if !act(&mut lines, one, other) {
        return None;
    }
    of_bytes(honest, files(honest, lines))
}

/// Does something to the lines.
pub(crate) fn change_lines(files: &mut Files, dice: &mut Dice) {
    let mut lines = lines(files);
    if lines.len() < 2 {
        return;
    }
    let (one, other) = (dice.index(lines.len()), dice.index(lines.len()));
    match dice.index(4) {
        0 => drop(lines.drain(one.min(other)..one.max(other))),
        1 => {
            let line = (lines[other].0, lines[one].1.clone());
            lines.insert(other, line);
        }
        2 => {
            let bytes = lines[one].1.clone();
            lines[one].1 = std::mem::replace(&mut lines[other].1, bytes);
        }
        _ => {
            let form = FORMS[dice.index(FORMS.len())];
            if let Some(line) = write_otherwise(&lines[one].1, form) {
                lines[one].1 = line;
            }
        }
    }
    set_lines(files, lines);
}

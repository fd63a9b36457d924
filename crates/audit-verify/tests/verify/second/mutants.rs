//! What can be done to a stored log, drawn by dice.

use audit_testkit::dice::Dice;

use crate::builder::{Files, lines_of, seal_from};

/// What may be put into a record, to see whether both parse alike.
const MORSELS: [&str; 25] = [
    " ",
    "0",
    "-0",
    "1e999",
    "00",
    "null",
    "true",
    ",\"x\":1",
    ",\"pid\":null",
    "\\u0041",
    "\\ud800",
    "\\ud83d\\ude00",
    "\\/",
    "\\x",
    "\u{e9}",
    "\u{feff}",
    "\u{7f}",
    "\u{1}",
    "[[[[",
    "]",
    "{",
    "}",
    "[\"\"]",
    ",\"sanitized\":[\"\"]",
    ",\"sanitized\":[\"/event_type\"]",
];

/// Does one or two things, and says what.
pub(crate) fn change(files: &mut Files, dice: &mut Dice) -> String {
    let mut told = change_once(files, dice);
    if dice.once_in(4) {
        told += ", ";
        told += &change_once(files, dice);
    }
    told
}

fn change_once(files: &mut Files, dice: &mut Dice) -> String {
    let names: Vec<_> = files.keys().filter(|name| name.ends_with("jsonl")).cloned().collect();
    if names.is_empty() {
        return "nothing".into();
    }
    let name = names[dice.index(names.len())].clone();
    match dice.index(14) {
        0 => drop(files.remove(&name)),
        1 => return rename(files, &name, dice),
        2 => swap_files(files, &name, &names[dice.index(names.len())]),
        kind @ 3..=6 => {
            change_lines(files.get_mut(&name).unwrap(), kind, dice);
            return format!("lines of {name}, {kind}");
        }
        7 | 8 => return reseal(files.get_mut(&names[names.len() - 1]).unwrap(), dice),
        kind => return change_bytes(&name, files.get_mut(&name).unwrap(), kind, dice),
    }
    format!("{name} deleted or swapped")
}

fn rename(files: &mut Files, name: &str, dice: &mut Dice) -> String {
    let mut to = name.as_bytes().to_vec();
    let at = dice.index(31);
    to[at] = if to[at].is_ascii_digit() { b'0' + (to[at] - b'0' + 1) % 10 } else { b'_' };
    let bytes = files.remove(name).unwrap();
    let to = String::from_utf8(to).unwrap();
    files.insert(to.clone(), bytes);
    format!("{name} renamed to {to}")
}

fn swap_files(files: &mut Files, name: &str, other: &str) {
    let bytes = files[name].clone();
    let others = files.insert(other.to_owned(), bytes).unwrap();
    files.insert(name.to_owned(), others);
}

fn change_lines(bytes: &mut Vec<u8>, kind: usize, dice: &mut Dice) {
    let mut lines = lines_of(bytes);
    if lines.is_empty() {
        return;
    }
    let (at, other) = (dice.index(lines.len()), dice.index(lines.len()));
    match kind {
        3 => drop(lines.remove(at)),
        4 => lines.insert(at, lines[other].clone()),
        5 => lines.swap(at, other),
        _ => lines.truncate(at),
    }
    *bytes = lines.concat();
}

fn change_bytes(name: &str, bytes: &mut Vec<u8>, kind: usize, dice: &mut Dice) -> String {
    if bytes.is_empty() {
        return format!("{name} is empty");
    }
    let at = dice.index(bytes.len());
    match kind {
        9 => bytes[at] ^= 1 << dice.index(8),
        10 => {
            let inserted = [b'\0', b'\n', b'"', dice.index(256).to_le_bytes()[0]][dice.index(4)];
            bytes.insert(at, inserted);
        }
        11 => drop(bytes.drain(at..bytes.len().min(at + 1 + dice.index(9)))),
        12 => bytes.truncate(at),
        _ => lose_blocks(bytes, at, dice),
    }
    format!("{name}, bytes {kind} at {at}")
}

/// Zeros where a crash may leave them, or one beside.
fn lose_blocks(bytes: &mut Vec<u8>, at: usize, dice: &mut Dice) {
    let begin = at - at % 512 + usize::from(dice.once_in(4));
    let end = begin + 512 - usize::from(dice.once_in(4));
    bytes.resize(bytes.len().max(end), 0);
    bytes[begin..end].fill(0);
}

/// A record changed by somebody who can compute hashes, and all records after it in this segment.
fn reseal(bytes: &mut Vec<u8>, dice: &mut Dice) -> String {
    let mut lines = lines_of(bytes);
    let at = dice.index(lines.len());
    let Some(body) = lines.get(at).and_then(|line| line.len().checked_sub(155)) else {
        return "nothing".into();
    };
    let place = dice.index(body + 1);
    let told = if dice.once_in(2) {
        lines[at][place.min(body - 1)] ^= 1 << dice.index(7);
        format!("bit of byte {place} of line {at} flipped and sealed")
    } else {
        // Mostly where an event ends, since elsewhere a morsel is seldom well formed.
        let place = if dice.once_in(2) { body - usize::from(dice.once_in(2)) } else { place };
        let morsel = MORSELS[dice.index(MORSELS.len())];
        lines[at].splice(place..place, morsel.bytes());
        format!("{morsel:?} put into line {at} at {place} and sealed")
    };
    seal_from(&mut lines, at);
    *bytes = lines.concat();
    told
}

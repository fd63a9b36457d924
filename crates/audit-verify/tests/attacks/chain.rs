//! Records forged, and the chain computed anew from there on, by somebody who computes hashes.

use audit_core::Digest;
use audit_verify::Verdict;

use crate::accounts::{Account, Pruned};
use crate::builder::{is_whole, seal_bytes, seal_from, seal_line};
use crate::family::{Choices, Family, Level, Mutant, product};
use crate::goes_on::{first_seq, open, resumed};
use crate::honest::{Honest, pruned};
use crate::lines::{files, lines, newest};
use crate::oracle::{is_note, notes, opening_of, segments, size_of};
use crate::player::{Signer, account, open_segment};
use crate::sealing::OPENED;

pub(crate) const FAMILIES: [Family; 12] = [
    Family {
        name: "line forged with a right hash of itself",
        level: Level::Chain,
        places: |honest| product(&[lines(&honest.files).len() - 1, 200]),
        mutant: |honest, place| forge(honest, place, Links::Left),
    },
    Family {
        name: "chain computed anew to the end of a segment",
        level: Level::Chain,
        places: |honest| product(&[older_lines(honest), 200]),
        mutant: |honest, place| forge(honest, place, Links::OfSegment),
    },
    Family {
        name: "chain computed anew to the end, what segments say of each other left",
        level: Level::Chain,
        places: |honest| product(&[older_lines(honest), 200]),
        mutant: |honest, place| forge(honest, place, Links::All),
    },
    Family {
        name: "rewritten from any event, or from genesis",
        level: Level::Elsewhere,
        places: |honest| unsigned(honest, honest.steps.len()),
        mutant: |honest, place| rewrite(honest, place, Signer::Nobody, Verdict::Tampered),
    },
    Family {
        name: "rewritten from any event, without checkpoints",
        level: Level::Key,
        places: |honest| signed(honest, honest.steps.len()),
        mutant: |honest, place| rewrite(honest, place, Signer::Nobody, Verdict::Unverifiable),
    },
    Family {
        name: "rewritten from any event, its seals forged, without checkpoints",
        level: Level::Key,
        places: |honest| if honest.is_sealed { signed(honest, honest.steps.len()) } else { 0 },
        mutant: |honest, place| rewrite(honest, place, Signer::Forger, Verdict::Unverifiable),
    },
    Family {
        name: "rewritten from any event, signed by another key",
        level: Level::Key,
        places: |honest| signed(honest, honest.steps.len()),
        mutant: |honest, place| rewrite(honest, place, Signer::Another, Verdict::Unverifiable),
    },
    Family {
        name: "rewritten from any event, signed by the stolen key",
        level: Level::Elsewhere,
        places: |honest| signed(honest, honest.steps.len()),
        mutant: |honest, place| rewrite(honest, place, Signer::Owner, Verdict::Tampered),
    },
    Family {
        name: "rewritten from any event, the checkpoints left",
        level: Level::Chain,
        places: |honest| signed(honest, honest.steps.len()),
        mutant: |honest, place| {
            let mut mutant = rewrite(honest, place, Signer::Another, Verdict::Tampered)?;
            mutant.files.extend(notes(honest).map(|(name, note)| (name.clone(), note.clone())));
            Some(mutant)
        },
    },
    Family {
        name: "events_lost or log_recovered put at the end, to excuse that lines are gone",
        level: Level::Chain,
        places: |honest| product(&[middle(honest), middle(honest), 2]),
        mutant: excuse_lines,
    },
    Family {
        name: "records or a damaged record declared a tail by log_recovered",
        level: Level::Chain,
        places: |honest| product(&[newest(honest).len(), 700]),
        mutant: declare_a_tail,
    },
    Family {
        name: "segments_pruned forged, false in one place, to excuse that segments are gone",
        level: Level::Chain,
        places: |honest| product(&[segments(&honest.files).count() - 1, FALSIFY.len()]),
        mutant: |honest, place| {
            let mut choices = Choices(place);
            let kept_from = choices.of(segments(&honest.files).count() - 1) + 1;
            let falsify = FALSIFY[choices.of(FALSIFY.len())];
            prune(honest, kept_from, falsify, Verdict::Tampered)
        },
    },
];

/// Those that only signatures or something kept elsewhere find, since each record is right.
pub(crate) const CONSISTENT: [Family; 8] = [
    Family {
        name: "last records cut off, and an events_lost that is to excuse it",
        level: Level::Elsewhere,
        places: |honest| unsigned(honest, lines(&honest.files).len()),
        mutant: |honest, place| excuse_tail(honest, place, Left::OfWhatIsLeft, Verdict::Truncated),
    },
    Family {
        name: "last records cut off with their checkpoints, and an events_lost, the log signed",
        level: Level::Key,
        places: |honest| signed(honest, lines(&honest.files).len()),
        mutant: |honest, place| {
            excuse_tail(honest, place, Left::OfWhatIsLeft, Verdict::Unverifiable)
        },
    },
    Family {
        name: "last records cut off, and an events_lost, the checkpoints left",
        level: Level::Chain,
        places: |honest| signed(honest, lines(&honest.files).len()),
        mutant: |honest, place| excuse_tail(honest, place, Left::All, Verdict::Truncated),
    },
    Family {
        name: "a format_changed forged, so that what follows is of an unknown version",
        level: Level::Chain,
        places: |_| 250,
        mutant: |honest, place| Some(change_format(honest, place + 2)),
    },
    Family {
        name: "segments_pruned forged as it would have to be, the log signed",
        level: Level::Key,
        places: |honest| signed(honest, segments(&honest.files).count() - 1),
        mutant: |honest, place| {
            let kept_from = Choices(place).of(segments(&honest.files).count() - 1) + 1;
            prune(honest, kept_from, |_| (), Verdict::Unverifiable)
        },
    },
    Family {
        name: "segments_pruned forged as it would have to be",
        level: Level::Elsewhere,
        places: |honest| {
            let older = segments(&honest.files).count() - 1;
            if honest.is_pruned() { 0 } else { unsigned(honest, older) }
        },
        mutant: |honest, place| {
            let kept_from = Choices(place).of(segments(&honest.files).count() - 1) + 1;
            prune(honest, kept_from, |_| (), Verdict::Unverifiable)
        },
    },
    Family {
        name: "last records damaged as by a crash, and the writer made to recover over it",
        level: Level::Elsewhere,
        places: |honest| unsigned(honest, 2 * newest_bytes(honest)),
        mutant: |honest, place| recover_over(honest, place, Verdict::Truncated),
    },
    Family {
        name: "last records damaged as by a crash, and recovered over, the checkpoints left",
        level: Level::Chain,
        places: |honest| signed(honest, 2 * newest_bytes(honest)),
        mutant: |honest, place| recover_over(honest, place, Verdict::Truncated),
    },
];

pub(crate) fn signed(honest: &Honest, places: usize) -> u64 {
    if honest.is_signed() { product(&[places]) } else { 0 }
}

pub(crate) fn unsigned(honest: &Honest, places: usize) -> u64 {
    if honest.is_signed() { 0 } else { product(&[places]) }
}

fn older_lines(honest: &Honest) -> usize {
    lines(&honest.files).len() - newest(honest).len()
}

fn newest_bytes(honest: &Honest) -> usize {
    segments(&honest.files).next_back().map(|(_, bytes)| bytes.len()).unwrap()
}

/// Lines that have others before and behind them.
fn middle(honest: &Honest) -> usize {
    lines(&honest.files).len() - 2
}

/// Which records are linked to a forged one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Links {
    Left,
    OfSegment,
    All,
}

/// Changes a byte within the text of an event, and seals the line, and what follows.
fn forge(honest: &Honest, place: u64, links: Links) -> Option<Mutant> {
    let mut choices = Choices(place);
    let mut all = lines(&honest.files);
    let of = if links == Links::Left { all.len() - 1 } else { older_lines(honest) };
    let forged = choices.of(of);
    let (segment, line) = &mut all[forged];
    let event = memchr::memmem::find(line, b"\"event\":").filter(|_| is_whole(line))?;
    let at = event + choices.of(200);
    let is_text = |byte: &u8| byte.is_ascii_alphanumeric();
    let body = line.len() - 155 - seal_bytes(line);
    let byte = line[..body].get_mut(at).filter(|byte| is_text(byte))?;
    *byte = if *byte == b'9' { b'8' } else { *byte ^ 1 };
    let segment = *segment;
    let until = match links {
        Links::Left => forged + 1,
        Links::OfSegment => all.iter().filter(|(number, _)| *number <= segment).count(),
        Links::All => all.len(),
    };
    seal_from(all.iter_mut().take(until).map(|(_, line)| line), forged);
    Some(Mutant { files: files(honest, all), least: Verdict::Tampered })
}

fn rewrite(honest: &Honest, place: u64, signer: Signer, least: Verdict) -> Option<Mutant> {
    let at = Choices(place).of(honest.steps.len());
    Some(Mutant { files: honest.rewritten(at, signer)?.files, least })
}

const EVENTS_LOST: &str = r#"{"event_type":"events_lost","count":9,"critical_count":1,"reason":"io_error","first":"2026-01-02T00:00:00.000000000Z","last":"2026-01-02T00:00:01.000000000Z"}"#;

fn excuse_lines(honest: &Honest, place: u64) -> Option<Mutant> {
    let mut choices = Choices(place);
    let count = middle(honest);
    let (from, to) = (choices.of(count) + 1, choices.of(count) + 1);
    let mut log = resumed(honest, honest.files.clone());
    let account = Account {
        file: segments(&honest.files).next().unwrap().0.clone(),
        offset: 700,
        bytes: 400,
        sha256: Digest::of(b"gone").to_string(),
        valid_records: 0,
        kind: "torn",
    };
    if choices.of(2) == 0 {
        open(&mut log);
        log.record_own(EVENTS_LOST);
    } else {
        open_segment(&mut log, &[account.event(), OPENED.to_owned()]);
    }
    let mut kept = lines(&log.files);
    if from > to || kept[from..=to].iter().all(|(_, line)| !is_whole(line)) {
        return None;
    }
    drop(kept.drain(from..=to));
    let mut attacked = honest.clone();
    attacked.files = log.files;
    Some(Mutant { files: files(&attacked, kept), least: Verdict::Tampered })
}

/// Bytes from a line of the newest segment on are said to be what a crash left: all whole, or with a
/// byte changed so that they are not.
fn declare_a_tail(honest: &Honest, place: u64) -> Option<Mutant> {
    let mut choices = Choices(place);
    let lines = newest(honest);
    let from_line = choices.of(lines.len());
    let changed = choices.of(700);
    let offset: usize = lines[..from_line].iter().map(Vec::len).sum();
    let name = segments(&honest.files).next_back().unwrap().0.clone();
    let mut kept = honest.files.clone();
    let bytes = kept.get_mut(&name).unwrap();
    let tail = bytes.split_off(offset);
    let mut log = resumed(honest, kept);
    let mut declared = tail.clone();
    let valid_records = lines[from_line..].len() as u64;
    let is_changed = declared.get_mut(changed).is_some_and(|byte| {
        let is_letter = byte.is_ascii_alphabetic();
        *byte ^= u8::from(is_letter);
        is_letter
    });
    if changed > 0 && !is_changed {
        return None;
    }
    log.append(&declared);
    let account = account(&log, offset);
    let account = Account { valid_records: valid_records - u64::from(is_changed), ..account };
    open_segment(&mut log, &[account.event(), OPENED.to_owned()]);
    Some(Mutant { files: log.files, least: Verdict::Tampered })
}

/// Which checkpoints are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    OfWhatIsLeft,
    All,
}

/// Cuts the log off after a record, and has a writer go on that speaks of lost events.
fn excuse_tail(honest: &Honest, place: u64, left: Left, least: Verdict) -> Option<Mutant> {
    let mut all = lines(&honest.files);
    let kept = Choices(place).of(all.len());
    let cut = all.split_off(kept);
    if kept < 2 || honest.is_pruned() || !all.iter().all(|(_, line)| is_whole(line)) {
        return None;
    }
    // A segment without its opening records would be found by the chain alone.
    if is_within_opening(&all, &cut) {
        return None;
    }
    let mut files = files(honest, all);
    files.retain(|name, _| left == Left::All || !is_note(name) || size_of(name) <= kept as u64);
    let mut log = resumed(honest, files);
    open(&mut log);
    log.record_own(EVENTS_LOST);
    Some(Mutant { files: log.files, least })
}

/// Whether a cut behind these lines leaves a part of a segment's opening records.
fn is_within_opening(kept: &[(usize, Vec<u8>)], cut: &[(usize, Vec<u8>)]) -> bool {
    let newest = kept.last().map(|(segment, _)| *segment);
    let of_newest = |lines: &[(usize, Vec<u8>)]| -> Vec<Vec<u8>> {
        let lines = lines.iter().filter(|(segment, _)| Some(*segment) == newest);
        lines.map(|(_, line)| line.clone()).collect()
    };
    let kept = of_newest(kept);
    kept.len() < opening_of(&[&kept[..], &of_newest(cut)].concat())
}

/// Ends a log as one ends that goes on in another version, and goes on with records of that.
fn change_format(honest: &Honest, version: u64) -> Mutant {
    let mut log = resumed(honest, honest.files.clone());
    open(&mut log);
    log.record_own(&format!(r#"{{"event_type":"format_changed","to":{version}}}"#));
    log.open_segment();
    let line = log.files[&log.file].clone();
    let mut line = [format!("{{\"v\":{version}").as_bytes(), &line["{\"v\":1".len()..]].concat();
    seal_line(&mut line);
    log.files.insert(log.file, line);
    Mutant { files: log.files, least: Verdict::Unverifiable }
}

type Falsify = fn(&mut Pruned);

const FALSIFY: [Falsify; 6] = [
    |pruned| pruned.last_hash = Digest::of(b"another"),
    |pruned| pruned.roots[0] = Digest::of(b"another"),
    |pruned| pruned.roots.push(Digest::of(b"another")),
    |pruned| pruned.last_seq += 1,
    |pruned| pruned.last_seq -= 1,
    |pruned| pruned.last_seq = 7_000,
];

/// Deletes the segments before one, and has a record at the end say that this was done for a reason.
fn prune(honest: &Honest, kept_from: usize, falsify: Falsify, least: Verdict) -> Option<Mutant> {
    let names: Vec<_> = segments(&honest.files).map(|(name, _)| name.clone()).collect();
    let first_kept = names.get(kept_from)?;
    let leaves = honest.leaves(first_seq(first_kept));
    let mut pruned = pruned(leaves, names[..kept_from].to_vec());
    falsify(&mut pruned);
    let mut log = resumed(honest, honest.files.clone());
    open(&mut log);
    log.record_own(&pruned.event());
    names[..kept_from].iter().for_each(|name| drop(log.files.remove(name)));
    Some(Mutant { files: log.files, least })
}

/// Cuts the newest segment off at a byte or takes the block away that its line begins in, and has a
/// writer account for what is left.
fn recover_over(honest: &Honest, place: u64, least: Verdict) -> Option<Mutant> {
    let mut choices = Choices(place);
    let (at, is_cut) = (choices.of(newest_bytes(honest)), choices.of(2) == 0);
    let lines = newest(honest);
    let opening: usize = lines[..opening_of(&lines)].iter().map(Vec::len).sum();
    let offset = line_at(&lines, at);
    if offset < opening || (at == offset) == is_cut {
        return None;
    }
    let mut files = honest.files.clone();
    let bytes = files.get_mut(segments(&honest.files).next_back().unwrap().0).unwrap();
    if is_cut {
        bytes.truncate(at);
    } else {
        let end = bytes.len().min((offset + 1).next_multiple_of(512));
        bytes[offset..end].fill(0);
    }
    let mut log = resumed(honest, files);
    open(&mut log);
    Some(Mutant { files: log.files, least })
}

/// Where the line begins that a byte is in.
fn line_at(lines: &[Vec<u8>], at: usize) -> usize {
    let ends = lines.iter().scan(0, |end, line| {
        *end += line.len();
        Some(*end)
    });
    ends.take_while(|end| *end <= at).last().unwrap_or_default()
}

//! What is said of a log with what was kept elsewhere, and what must not be said any more once
//! something was added to it.

use audit_checkpoint::{Checkpoint, Note, Policy, VerifyingKey};
use audit_core::{Digest, Receipt};
use audit_verify::{MemorySource, Report, Verdict, VerifyOptions, verify_source};

use crate::given::{KEPT, Kept, SEALED};
use crate::log::{Files, UNSYNCED_MAX_BYTES, assert_safe, log_of_files};
use crate::oracle;
use crate::script::log_of_script;

/// Bytes of an addition that are put in at once, at most.
const ADDED_BYTES_MAX: usize = 255;

/// Something that is added to a log.
enum Addition {
    File {
        name: String,
        bytes: Vec<u8>,
    },
    /// In the file of this number.
    Bytes {
        file: u8,
        at: usize,
        bytes: Vec<u8>,
    },
}

/// A log, what is given of it, and what is added to it then.
struct Case {
    files: Files,
    options: VerifyOptions,
    additions: Vec<Addition>,
}

/// Verifies a log, and once more with additions. What is not honoured is not called good, what is
/// called covered is, and nothing that is added makes a log that was tampered with any better,
/// unless it makes something whole.
///
/// # Panics
///
/// It is not so.
pub fn decide(data: &[u8]) {
    let Case { files, options, additions } = case(data);
    let report = verify(&files, &options);
    check_coverage(&files, &options, &report);
    if report.verdict != Verdict::Tampered {
        return;
    }
    let mut more = files.clone();
    let mut is_at_end = false;
    for addition in additions {
        is_at_end |= add(&mut more, addition);
    }
    let again = verify(&more, &options);
    check_coverage(&more, &options, &again);
    // Within what no sync had reached, a forged crash is a crash.
    let is_crash = again.verdict == Verdict::Torn && is_at_end;
    let is_still = again.verdict == Verdict::Tampered;
    assert!(is_still || is_crash || is_mended(&files, &more), "before: {report}\nafter: {again}");
}

fn verify(files: &Files, options: &VerifyOptions) -> Report {
    let source = MemorySource::new(files.clone());
    let report = verify_source(&source, options, &mut |_| ()).unwrap();
    assert_safe(&report);
    report
}

/// What the report says is trusted is so: told by the offsets of the lines and the tree over them.
fn check_coverage(files: &Files, options: &VerifyOptions, report: &Report) {
    if report.verdict > Verdict::Torn {
        return;
    }
    let chain = oracle::chain(files);
    // A log whose first records were deleted, as it says itself, is known from there on only.
    if report.first_seq != Some(0) {
        return;
    }
    assert_eq!(records(report), u64::try_from(chain.len()).unwrap(), "{report}");
    let of_policy = options.policy.iter().flat_map(Policy::keys);
    let keys: Vec<VerifyingKey> = options.keys.iter().cloned().chain(of_policy).collect();
    let mut covered = None;
    for pin in options.pins.iter().chain(&options.since) {
        let claim = oracle::vouched(pin, &keys);
        let honoured = claim.filter(|claim| oracle::holds(&chain, claim));
        let claim = honoured.unwrap_or_else(|| panic!("a pin that is not honoured: {report}"));
        covered = covered.max(claim.size().checked_sub(1));
    }
    for head in &options.heads {
        assert!(oracle::holds_head(&chain, head), "a head that is not there: {report}");
        covered = covered.max(Some(head.seq));
    }
    let signed = if keys.is_empty() { None } else { signed(files, &keys, &chain) };
    if options.policy.is_none() {
        assert_eq!(report.covered_up_to, covered, "{report}");
    }
    assert_eq!(report.signed_up_to, signed, "{report}");
    // What witnesses saw at any time excludes no rollback to that time.
    let seen = options.not_before_secs.and(report.witnessed_up_to);
    check_level(report, covered.max(seen), signed);
}

/// The newest record that a checkpoint beside the log covers which one of the keys has signed.
fn signed(files: &Files, keys: &[VerifyingKey], chain: &[Digest]) -> Option<u64> {
    let notes = files.iter().filter(|(name, _)| is_checkpoint(name));
    let notes = notes.filter_map(|(_, bytes)| Note::parse(bytes).ok());
    let claims = notes.filter_map(|note| oracle::vouched(&note, keys));
    let held = claims.filter(|claim: &Checkpoint| oracle::holds(chain, claim));
    held.filter_map(|claim| claim.size().checked_sub(1)).max()
}

fn is_checkpoint(name: &str) -> bool {
    name.strip_prefix("checkpoints/").is_some_and(|name| name.strip_suffix(".note").is_some())
}

/// How many records there are, also of those that are not sealed yet.
fn records(report: &Report) -> u64 {
    report.records.saturating_add(report.unsealed_records)
}

/// The good words are said where they are deserved, and nowhere else.
fn check_level(report: &Report, covered: Option<u64>, signed: Option<u64>) {
    let last = records(report).checked_sub(1);
    let due = if covered >= last {
        Verdict::Intact
    } else if signed >= last {
        Verdict::Signed
    } else {
        Verdict::Consistent
    };
    assert!(report.verdict == Verdict::Torn || report.verdict == due, "{due}: {report}");
}

/// Adds to a log; whether that is where a crash may have been.
fn add(files: &mut Files, addition: Addition) -> bool {
    match addition {
        Addition::File { name, bytes } => {
            files.entry(name).or_insert(bytes);
            false
        }
        Addition::Bytes { file, at, bytes } => {
            let newest = files.keys().rfind(|name| oracle::is_segment(name)).cloned();
            let Some((name, old)) = of_number(files, file) else { return false };
            let at = at.checked_rem(old.len().saturating_add(1)).unwrap_or(0);
            old.splice(at..at, bytes);
            let reach = old.len().saturating_sub(at);
            newest == Some(name) && reach <= usize::try_from(UNSYNCED_MAX_BYTES).unwrap()
        }
    }
}

fn of_number(files: &mut Files, number: u8) -> Option<(String, &mut Vec<u8>)> {
    let number = usize::from(number).checked_rem(files.len())?;
    files.iter_mut().nth(number).map(|(name, bytes)| (name.clone(), bytes))
}

/// Whether something is whole that was not: a record, a checkpoint, or the tail of a segment that
/// a record gives the digest of.
fn is_mended(before: &Files, after: &Files) -> bool {
    let is_new_record = !oracle::hashes(after).is_subset(&oracle::hashes(before));
    is_new_record
        || after.iter().any(|(name, bytes)| {
            let changed = before.get(name).filter(|old| *old != bytes);
            changed.is_some_and(|old| {
                is_checkpoint(name) && Note::parse(old).is_err() && Note::parse(bytes).is_ok()
                    || oracle::is_segment(name) && is_tail_of_digest(bytes, after)
            })
        })
}

/// Whether the end of a segment, from one of its lines on, is one whose digest is told.
fn is_tail_of_digest(bytes: &[u8], files: &Files) -> bool {
    let all: Vec<u8> = files.values().flatten().copied().collect();
    let all = String::from_utf8_lossy(&all);
    let feeds = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    feeds.filter_map(|(at, _)| bytes.get(at.saturating_add(1)..)).any(|tail| {
        let digest = Digest::of(tail).to_string();
        !tail.is_empty() && all.contains(&digest)
    })
}

/// The first byte tells what the others are: the files of a log and of an auditor, what a writer did,
/// or what is done to an honest log and given with it.
fn case(data: &[u8]) -> Case {
    match data.split_first() {
        Some((b'f', data)) => case_of_files(data),
        Some((b's', data)) => case_of_script(data),
        _ => case_of_edits(data),
    }
}

/// What a writer did, up to a separator, and bytes that are added to the first of its files.
fn case_of_script(data: &[u8]) -> Case {
    let end = data.windows(2).position(|two| two == b"\xff\xff").unwrap_or(data.len());
    let (script, added) = data.split_at(end);
    let mut added = added.get(2..).unwrap_or_default();
    let [file, high, low] = take(&mut added);
    let at = usize::from(u16::from_be_bytes([high, low]));
    let additions = vec![Addition::Bytes { file, at, bytes: added.to_vec() }];
    Case { files: log_of_script(script), options: VerifyOptions::default(), additions }
}

/// Files as [`log_of_files`] has them; their folder tells what some are besides.
fn case_of_files(data: &[u8]) -> Case {
    let (mut files, mut options, mut additions) = (Files::new(), VerifyOptions::default(), vec![]);
    for (path, bytes) in log_of_files(data) {
        let text = || std::str::from_utf8(&bytes).unwrap_or_default().trim_end();
        match path.split_once('/') {
            Some(("pins", _)) => options.pins.extend(Note::parse(&bytes)),
            Some(("since", _)) => options.since = Note::parse(&bytes).ok(),
            Some(("heads", _)) => options.heads.extend(text().parse::<Receipt>()),
            Some(("keys", _)) => options.keys.extend(text().parse::<VerifyingKey>()),
            Some(("policies", _)) => options.policy = Policy::parse(&bytes).ok(),
            Some(("added", name)) => {
                additions.push(Addition::File { name: name.to_owned(), bytes });
            }
            _ => drop(files.insert(path, bytes)),
        }
    }
    Case { files, options, additions }
}

/// Takes bytes from the front of the data; zeros where there are none any more.
fn take<const N: usize>(data: &mut &[u8]) -> [u8; N] {
    let (taken, rest) = data.split_at(N.min(data.len()));
    *data = rest;
    let mut bytes = [0; N];
    bytes.iter_mut().zip(taken).for_each(|(byte, taken)| *byte = *taken);
    bytes
}

fn case_of_edits(mut data: &[u8]) -> Case {
    let [bits, asked] = take(&mut data);
    let kept: &Kept = if asked & 8 == 0 { &KEPT } else { &SEALED };
    let (mut files, options) = (kept.files.clone(), kept.asked(bits, asked));
    let mut additions = vec![];
    while !data.is_empty() {
        let [kind, file, high, low, length] = take(&mut data);
        let at = usize::from(u16::from_be_bytes([high, low]));
        let length = usize::from(length);
        if kind < 128 {
            edit(&mut files, &mut data, kind, file, (at, length));
            continue;
        }
        let (bytes, rest) = data.split_at(length.min(ADDED_BYTES_MAX).min(data.len()));
        data = rest;
        additions.extend(addition(&files, &kept.files, (kind, file, at), bytes.to_vec()));
    }
    Case { files, options, additions }
}

/// Bytes, a file with a name that the data gives, or a copy of one of the honest log's files, as
/// one of them or under another number.
fn addition(
    files: &Files,
    honest: &Files,
    (kind, file, at): (u8, u8, usize),
    bytes: Vec<u8>,
) -> Option<Addition> {
    let number = usize::from(file).checked_rem(honest.len())?;
    let (honest, copied) = honest.iter().nth(number)?;
    Some(match kind % 5 {
        0 => Addition::Bytes { file, at, bytes },
        1 => Addition::Bytes { file, at: files.values().map(Vec::len).max()?, bytes },
        2 => Addition::File { name: format!("{at:020}.1970-01-01.audit.jsonl"), bytes },
        3 => Addition::File { name: format!("checkpoints/{at:020}.note"), bytes: copied.clone() },
        _ => {
            Addition::File { name: format!("{at:020}{}", honest.get(20..)?), bytes: copied.clone() }
        }
    })
}

/// Changes a file of the log in one of seven ways.
fn edit(files: &mut Files, data: &mut &[u8], kind: u8, file: u8, (at, length): (usize, usize)) {
    let Some((name, bytes)) = of_number(files, file) else { return };
    let at = at.checked_rem(bytes.len().saturating_add(1)).unwrap_or(0);
    let end = at.saturating_add(length).min(bytes.len());
    match kind % 7 {
        0 => drop(bytes.drain(at..end)),
        1 => bytes.truncate(at),
        2 => {
            let (put_in, rest) = data.split_at(length.min(data.len()));
            bytes.splice(at..at, put_in.iter().copied());
            *data = rest;
        }
        3 => bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= u8::try_from(length).unwrap()),
        4 => bytes.get_mut(at..end).into_iter().for_each(|hole| hole.fill(0)),
        5 => drop(files.remove(&name)),
        _ => {
            let removed = files.remove(&name).unwrap_or_default();
            let other = format!("{at:020}{}", name.get(20..).unwrap_or_default());
            files.insert(other, removed);
        }
    }
}

//! A writer makes no log worse and none better: what is said of the records that it finds is said of
//! them afterwards, and what it signs is the past that the key vouches for.

use audit_checkpoint::Note;
use audit_core::{Digest, OnDamage};
use audit_verify::{Code, Finding, MemorySource, Report, Verdict, verify_source};

use audit_writer::segment::SegmentName;

use crate::attacks::{frontier, note_name};
use crate::builder::{Files, lines_of};
use crate::going_on::{Course, Outcome, Word};
use crate::oracle::{is_note, segments};
use crate::past::{Levels, Past, Placed, is_so};

/// What became of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Refused,
    /// It was opened, and nothing was to be written or could be.
    Idle,
    /// What was said of it by itself before.
    WentOn(Verdict),
}

pub(crate) fn judged(files: &Files, levels: &Levels) -> [Report; 3] {
    let source = MemorySource::new(files.clone());
    levels.each_ref().map(|options| verify_source(&source, options, &mut |_| ()).unwrap())
}

/// Lets a writer go on with a log that was touched, and judges it before and after.
///
/// # Errors
///
/// What does not hold.
pub(crate) fn check(past: &Past, found: &Files, course: &Course) -> Result<Answer, String> {
    let before = judged(found, &past.levels);
    let now = match course.take(past, found) {
        Outcome::Refused(why) => {
            may_refuse(past, found, course, &before[0], &why)?;
            return Ok(Answer::Refused);
        }
        Outcome::Spoiled(why) => return Err(format!("refused, and changed: {why}")),
        Outcome::Idle => return Ok(Answer::Idle),
        Outcome::WentOn(now) => now,
    };
    let after = judged(&now, &past.levels);
    may_go_on(found, course)?;
    keeps_every_byte(found, &now, course)?;
    if course.word == Word::Key {
        signs_what_was(past, found, &now)?;
    }
    let end = recovered(found, &now);
    let loses_key = past.is_rekeyed(course);
    let declares = course.on_damage == OnDamage::ContinueInNewSegment && declares(found, &now);
    for (level, (before, after)) in before.iter().zip(&after).enumerate() {
        if level > 0 && loses_key {
            break;
        }
        compare(course, end.as_ref(), [before, after], declares)
            .and_then(|()| covers_no_more(past, &now, course, [before, after]))
            .map_err(|why| format!("L{level}: {why}\nbefore: {before}\nafter: {after}"))?;
    }
    Ok(Answer::WentOn(before[0].verdict))
}

/// A log that nothing is wrong with, of which no key has anything to say, is opened.
fn may_refuse(
    past: &Past,
    found: &Files,
    course: &Course,
    before: &Report,
    why: &str,
) -> Result<(), String> {
    let is_open_to_all = past.seed.is_none() && course.word == Word::Nothing;
    let is_its_own =
        *found == past.files && course.word == Word::Key && past.seed.is_some() && past.is_vouched;
    let is_of_another_version = why.contains("in version ");
    let is_open = (is_open_to_all || is_its_own) && !is_of_another_version;
    if is_open && before.verdict <= Verdict::Torn {
        return Err(format!("refused: {why}\n{before}"));
    }
    Ok(())
}

/// What is wrong with the newest segment by itself is refused.
fn may_go_on(found: &Files, course: &Course) -> Result<(), String> {
    if course.on_damage != OnDamage::Refuse {
        return Ok(());
    }
    let is_segment = |(name, _): &(&String, _)| SegmentName::parse(name).is_some();
    let Some((name, bytes)) = segments(found).rfind(is_segment) else { return Ok(()) };
    let alone = Files::from([(name.clone(), bytes.clone())]);
    let report = &judged(&alone, &Levels::default())[0];
    // What the log declares of itself is no fault of the segment.
    let of_others = [Code::HeadMissing, Code::DamageFound];
    let fault = report
        .findings
        .iter()
        .find(|finding| finding.verdict == Verdict::Tampered && !of_others.contains(&finding.code));
    fault.map_or(Ok(()), |fault| Err(format!("it went on behind {fault:?}")))
}

/// Segments only become more; those that are pruned are named by the log.
fn keeps_every_byte(found: &Files, now: &Files, course: &Course) -> Result<(), String> {
    for (name, bytes) in segments(found) {
        match now.get(name) {
            Some(kept) if kept == bytes => {}
            None if course.prunes() && (is_named(now, name) || begins_behind(now, name)) => {}
            _ => return Err(format!("{name} was changed")),
        }
    }
    Ok(())
}

/// Whether a `segments_pruned` names a file.
fn is_named(files: &Files, name: &str) -> bool {
    segments(files).flat_map(|(_, bytes)| lines_of(bytes)).any(|line| {
        let has = |text: &str| memchr::memmem::find(&line, text.as_bytes()).is_some();
        has("\"event_type\":\"segments_pruned\"") && has(name)
    })
}

/// Whether the log begins behind a file: the record that named it may be pruned, too.
fn begins_behind(files: &Files, name: &str) -> bool {
    segments(files).next().is_some_and(|(first, _)| first.as_str() > name)
}

/// The lines that a writer added.
fn added<'f>(found: &'f Files, now: &'f Files) -> impl Iterator<Item = Vec<u8>> + 'f {
    let new = segments(now).filter(|(name, _)| !found.contains_key(*name));
    new.flat_map(|(_, bytes)| lines_of(bytes))
}

fn declares(found: &Files, now: &Files) -> bool {
    added(found, now)
        .any(|line| memchr::memmem::find(&line, b"\"event_type\":\"damage_found\"").is_some())
}

/// A writer with the key goes on behind a record that there was, and each of its notes is over what
/// there was and what it wrote itself.
fn signs_what_was(past: &Past, found: &Files, now: &Files) -> Result<(), String> {
    let mut leaves: Option<Vec<Digest>> = None;
    let first = segments(now).next().map(|(name, _)| name);
    let begins_at_0 = |name: &String| name.starts_with(&format!("{:020}.", 0));
    if first.is_some_and(|first| !found.contains_key(first) && !begins_at_0(first)) {
        // The first segments that it wrote are pruned already.
        return Ok(());
    }
    for line in added(found, now) {
        let placed = Placed::of(&line).ok_or("it wrote what is no record")?;
        let leaves = leaves.get_or_insert_with(|| {
            let kept = usize::try_from(placed.seq).unwrap().min(past.leaves.len());
            past.leaves[..kept].to_vec()
        });
        let last = leaves.last().copied().unwrap_or(Digest::ZERO);
        if (placed.seq, placed.prev) != (leaves.len() as u64, last) {
            return Err(format!("record {} is linked to one that was forged", placed.seq));
        }
        leaves.push(placed.hash);
    }
    let leaves = leaves.unwrap_or_else(|| past.leaves.clone());
    let is_new = |(name, bytes): &(&String, &Vec<u8>)| found.get(*name) != Some(*bytes);
    for (name, bytes) in now.iter().filter(is_new) {
        let Some(size) = size_of(name) else { continue };
        let note = Note::parse(bytes).map_err(|error| format!("{name}: {error}"))?;
        let root = leaves.get(..size).map(|leaves| frontier(leaves).root());
        let said: audit_checkpoint::Checkpoint = note.text().parse().unwrap();
        if root != Some(*said.root()) {
            return Err(format!("{name} is signed over records that there never were"));
        }
    }
    Ok(())
}

/// How many records a note of a writer covers; none where the file is not called like one, as what
/// was in its way is.
fn size_of(name: &str) -> Option<usize> {
    let size = name.strip_prefix("checkpoints/")?.strip_suffix(".note")?.parse().ok()?;
    (note_name(size) == *name).then(|| usize::try_from(size).unwrap())
}

/// How bad a verdict is, in what a writer can neither mend nor do.
pub(crate) fn badness(verdict: Verdict) -> u8 {
    u8::from(verdict == Verdict::Truncated) + 2 * u8::from(verdict == Verdict::Tampered)
}

fn compare(
    course: &Course,
    end: Option<&(String, u64)>,
    [before, after]: [&Report; 2],
    declares: bool,
) -> Result<(), String> {
    let (was, is) = (badness(before.verdict), badness(after.verdict));
    let prunes = course.prunes() && after.pruned_up_to > before.pruned_up_to;
    let wrong = || before.findings.iter().filter(|it| it.verdict == Verdict::Tampered);
    let is_undecided = prunes && after.verdict == Verdict::Unverifiable;
    // What is deleted is compared with no note any more, and a note that is lacking is made.
    let may_go = |it: &Finding| {
        (prunes && is_of_a_note(it)) || (course.word == Word::Key && lacks_notes(it))
    };
    let mut bad = before.findings.iter().filter(|it| badness(it.verdict) > 0);
    if is < was && !(is_undecided || bad.all(may_go)) {
        return Err("it was made better".to_owned());
    }
    if is > was && was == 0 && !declares {
        return Err("it was made worse".to_owned());
    }
    for finding in wrong() {
        let is_of_gone = prunes && is_of_a_note(finding);
        let is_recovered = end.is_some_and(|(file, offset)| {
            finding.file.as_ref() == Some(file) && finding.offset >= Some(*offset)
        });
        let is_signed = course.word == Word::Key && lacks_notes(finding);
        let is_settled = declares || is_of_gone || is_recovered || is_signed;
        if !(says(after, finding) || is_settled) {
            return Err(format!("it says no more: {finding:?}"));
        }
    }
    Ok(())
}

/// Whether a note, a pin or a head is what it speaks of, which can be told of no longer once the
/// records that it covers are deleted.
fn is_of_a_note(finding: &Finding) -> bool {
    finding.file.as_ref().is_none_or(|file| is_note(file))
        || [Code::HeadMismatch, Code::PinMismatch].contains(&finding.code)
}

/// The end of a segment that a writer left out of the log: where it begins. Each says so in a
/// `log_recovered`.
fn recovered(found: &Files, now: &Files) -> Option<(String, u64)> {
    added(found, now).find_map(|line| {
        let line: serde_json::Value = serde_json::from_slice(&line).ok()?;
        let event = line.get("event").filter(|it| it["event_type"] == "log_recovered")?;
        Some((event["file"].as_str()?.to_owned(), event["offset"].as_u64()?))
    })
}

/// Whether what is wrong is only that no note covers what seals do, or what a lost one did: a writer
/// with the key signs that anew.
fn lacks_notes(finding: &Finding) -> bool {
    [Code::CheckpointMissing, Code::PruneNotAttested, Code::NoCheckpointByKey]
        .contains(&finding.code)
}

pub(crate) fn says(report: &Report, finding: &Finding) -> bool {
    // What was kept elsewhere is compared with the record that has its seq now.
    let is_kept = [Code::HeadMismatch, Code::PinMismatch].contains(&finding.code);
    // What is in the way of a note is moved aside.
    let is_aside = |other: &Finding| {
        let is_of_note = |it: &Finding| it.file.as_ref().is_some_and(|file| is_note(file));
        is_of_note(finding) && is_of_note(other)
    };
    let is_same = |other: &&Finding| {
        other.code == finding.code
            && (is_kept
                || is_aside(other)
                || (&other.file, other.line) == (&finding.file, finding.line))
    };
    report.findings.iter().any(|other| is_same(&other))
        || report.finding_counts.get(&finding.code).is_some_and(|count| *count > 20)
}

/// Without the key no more is covered than was; but of a log whose damage was told less of before, it
/// may be known.
fn covers_no_more(
    past: &Past,
    now: &Files,
    course: &Course,
    [before, after]: [&Report; 2],
) -> Result<(), String> {
    let is_wider = |before: Option<u64>, after: Option<u64>| {
        after.filter(|_| after > before).is_some_and(|seq| !is_so(past, now, seq))
    };
    if course.word != Word::Key && is_wider(before.signed_up_to, after.signed_up_to) {
        return Err("more is signed, by nobody".to_owned());
    }
    if is_wider(before.covered_up_to, after.covered_up_to) {
        return Err("more is covered than was kept elsewhere".to_owned());
    }
    Ok(())
}

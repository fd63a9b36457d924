//! What must hold of a log that is found after a crash.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use audit_core::{Digest, FlushMode, Receipt};
use audit_verify::{Report, Verdict};
use audit_writer::SimDisk;
use audit_writer::segment::{NEW_SEGMENT, SegmentName};
use audit_writer::store::Fate;

use crate::common::{clock_at, open, verify_with_heads};
use crate::run::Run;
use crate::signed;
use crate::workload::{Weight, event};

/// What is known of a log that was found after a crash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged {
    /// The seq of its newest record.
    pub(crate) head: Option<u64>,
    /// The identity of the log that went on after it.
    pub(crate) went_on: u64,
}

/// What tells one state of a disk from another.
pub(crate) fn identity(disk: &SimDisk) -> u64 {
    let mut hasher = DefaultHasher::new();
    disk.files().hash(&mut hasher);
    hasher.finish()
}

pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Judges a disk as it was found after the power went at an operation of a run; lets a writer go on
/// with the log, and judges it again.
///
/// # Errors
///
/// What does not hold.
pub(crate) fn check(run: &Run, operation: u64, found: &SimDisk) -> Result<Judged, String> {
    let files = found.files();
    let promised = run.promised_at(operation);
    let before = verify_with_heads(files.clone(), promised.as_slice());
    is_as_a_crash_leaves_it(&files, &before, promised)?;
    let head = before.head.map(|head| head.seq);
    holds_what_was_emitted(run, &before)?;

    let calm = found.after_crash(|_| Fate::Kept);
    let receipt = go_on(run, operation, &calm)?;
    let heads: Vec<_> = promised.into_iter().chain(before.head).chain([receipt]).collect();
    let now = calm.files();
    let after = verify_with_heads(now.clone(), &heads);
    if (after.verdict, after.covered_up_to) != (Verdict::Consistent, Some(receipt.seq)) {
        return Err(format!("the log that went on is {}: {after}", after.verdict.as_str()));
    }
    if after.events != before.events + 1 {
        return Err(format!("{} events became {}", before.events, after.events));
    }
    keeps_every_byte(&files, &now)?;
    accounts_for_the_tail(&before, &files, &now)?;
    if run.workload.signs {
        signed::check(run, operation, files, now, receipt)?;
    }
    Ok(Judged { head, went_on: identity(&calm) })
}

fn is_as_a_crash_leaves_it(
    files: &Files,
    before: &Report,
    promised: Option<Receipt>,
) -> Result<(), String> {
    let has_segment = files.keys().any(|name| SegmentName::parse(name).is_some());
    let is_empty = before.verdict == Verdict::Unverifiable && !has_segment && promised.is_none();
    let is_mild = before.verdict <= Verdict::Torn || is_empty;
    if is_mild { Ok(()) } else { Err(format!("a crash made it {before}")) }
}

/// Every record that was found is one that the run wrote, none is missing before the last, and what
/// was lost before one is declared.
fn holds_what_was_emitted(run: &Run, before: &Report) -> Result<(), String> {
    let Some(head) = before.head else { return Ok(()) };
    if run.chain.get(head.seq as usize) != Some(&head.hash) {
        return Err(format!("{head} is there, and nobody wrote it"));
    }
    let events = run.events_up_to(head.seq);
    if before.events != events {
        return Err(format!("there are {} events up to {head}, not {events}", before.events));
    }
    let losses = run.declared_up_to(head.seq)..=run.counted;
    if !losses.contains(&before.events_lost) {
        return Err(format!(
            "{} losses are declared up to {head}, not {losses:?}",
            before.events_lost
        ));
    }
    Ok(())
}

/// Opens the log and records one event.
fn go_on(run: &Run, operation: u64, disk: &SimDisk) -> Result<Receipt, String> {
    let clock = clock_at("2026-02-02T04:00:00Z");
    let writer = open(disk, &clock, run.workload.rotation, FlushMode::Immediate);
    let mut writer = writer.map_err(|error| format!("the log does not open: {error}"))?;
    if run.workload.signs {
        signed::begin(&mut writer, run.key_at(operation))?;
    }
    let written = writer.write_event(&event(99_999, Weight::Routine, 0));
    written.map_err(|error| format!("the log does not go on: {error}"))
}

fn keeps_every_byte(before: &Files, now: &Files) -> Result<(), String> {
    let changed = before.iter().find(|(name, bytes)| {
        !name.ends_with(NEW_SEGMENT) && now.get(*name).is_none_or(|now| now != *bytes)
    });
    changed.map_or(Ok(()), |(name, _)| Err(format!("{name} was changed")))
}

/// The new segments tell of the tail that was found, exactly and once, and of no other.
fn accounts_for_the_tail(before: &Report, files: &Files, now: &Files) -> Result<(), String> {
    let new = now.iter().filter(|(name, _)| !files.contains_key(*name));
    let new: Vec<u8> = new.flat_map(|(_, bytes)| bytes.iter().copied()).collect();
    let account = memchr::memmem::Finder::new(br#""event":{"event_type":"log_recovered","#);
    let accounts = account.find_iter(&new).count();
    let expected = match (before.verdict, before.head) {
        (Verdict::Torn, Some(head)) => Some(tail(files, head)?),
        _ => None,
    };
    let is_exact =
        expected.as_ref().is_none_or(|text| memchr::memmem::find(&new, text.as_bytes()).is_some());
    if accounts != usize::from(expected.is_some()) || !is_exact {
        return Err(format!("{accounts} accounts of the tail, and not just {expected:?}"));
    }
    Ok(())
}

/// What has to be said of everything behind the newest whole record.
fn tail(files: &Files, head: Receipt) -> Result<String, String> {
    let newest = files.iter().rev().find(|(name, _)| SegmentName::parse(name).is_some());
    let (name, bytes) = newest.ok_or("a tail without a segment")?;
    let ending = format!("\"hash\":\"{}\"}}\n", head.hash);
    let at = memchr::memmem::find(bytes, ending.as_bytes()).ok_or("the head is elsewhere")?;
    let offset = at + ending.len();
    let tail = &bytes[offset..];
    let (length, sha256) = (tail.len(), Digest::of(tail));
    Ok(format!(r#""file":"{name}","offset":{offset},"bytes":{length},"sha256":"{sha256}""#))
}

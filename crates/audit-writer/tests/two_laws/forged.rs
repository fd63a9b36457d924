//! Records, lives and whole logs that anybody can make who can compute hashes.

use audit_core::lifecycle::LogId;
use audit_core::record::HASH_FIELD_BYTES;
use audit_core::seal::{SEAL_FIELD_BYTES, seal_record, split_seal};
use audit_core::{Digest, Frontier, SealKey};
use audit_testkit::dice::Dice;
use audit_testkit::hostile_lines::{HostileLine, Spot, hostile_lines, own_events};

use crate::attacks::{change_notes, newest};
use crate::builder::{Files, is_whole, lines_of, seal_line};
use crate::common::service;
use crate::oracle::{is_note, segments};
use crate::past::{Past, Placed, key};

/// Bytes of the hash of a line, and its line feed.
const ENDING: usize = HASH_FIELD_BYTES + 1;

/// The newest record that a forged one can stand behind.
pub(crate) fn end(files: &Files) -> Option<Placed> {
    segments(files)
        .rev()
        .flat_map(|(_, bytes)| lines_of(bytes).into_iter().rev())
        .find_map(|line| Placed::of(&line))
}

/// A record with this event behind another, which anybody can make.
pub(crate) fn record(after: &Placed, event: &str) -> (Vec<u8>, Placed) {
    let (seq, service) = (after.seq + 1, service());
    let (service, prev) = (service.as_str(), after.hash);
    let text = format!(
        r#"{{"v":1,"seq":{seq},"audit_id":"audit-{service}-{seq:016x}","timestamp":"2026-01-09T00:00:00.000000000Z","service_id":"{service}","event":{event},"prev_hash":"{prev}""#
    );
    let mut line = text.into_bytes();
    line.extend_from_slice(&[b'x'; ENDING]);
    let hash = seal_line(&mut line).unwrap();
    (line, Placed { seq, prev, hash })
}

/// An event of a caller that never was.
pub(crate) fn event(dice: &mut Dice) -> &'static str {
    FORGED[dice.index(2)]
}

const FORGED: [&str; 3] = [
    r#"{"event_type":"forged"}"#,
    r#"{"event_type":"seal_verified","timestamp":"2026-01-02T03:04:05Z","shard_id":"forged","worker_id":"w"}"#,
    r#"{"event_type":"log_opened","writer":"x","flush_mode":"immediate","unsynced_max_bytes":1048576}"#,
];

pub(crate) fn append_records(files: &mut Files, events: &[String]) {
    let Some(mut after) = end(files) else { return };
    for event in events {
        let (line, placed) = record(&after, event);
        newest(files).extend(line);
        after = placed;
    }
}

pub(crate) fn append_forged(files: &mut Files, past: &Past, dice: &mut Dice) -> &'static str {
    let count = dice.between(1, 4);
    let events: Vec<_> = (0..count).map(|_| FORGED[dice.index(2)].to_owned()).collect();
    append_records(files, &events);
    if dice.once_in(4) {
        change_notes(files, past, dice);
    }
    "forged lines behind the end"
}

pub(crate) fn append_own_event(files: &mut Files, dice: &mut Dice) -> &'static str {
    let own = own_events();
    let mut events = vec![own[dice.index(own.len())].event.clone()];
    if dice.once_in(3) {
        events.insert(0, FORGED[dice.index(3)].to_owned());
    }
    if dice.once_in(3) {
        events.push(FORGED[dice.index(3)].to_owned());
    }
    append_records(files, &events);
    "an event of the writer's own forged behind the end"
}

pub(crate) fn append_hostile(files: &mut Files, dice: &mut Dice) -> &'static str {
    let Some(after) = end(files) else { return "nothing" };
    let table = hostile_lines();
    let hostile: &HostileLine = &table[dice.index(table.len())];
    let service_id = service();
    let spot = Spot { seq: after.seq + 1, service_id: service_id.as_str(), prev_hash: after.hash };
    let line = hostile.bytes(&spot);
    let next =
        Placed::of(&line).map(|placed| record(&Placed { seq: spot.seq, ..placed }, FORGED[0]).0);
    newest(files).extend(line);
    if dice.once_in(2) {
        newest(files).extend(next.unwrap_or_default());
    }
    "a line of the table of hostile ones"
}

pub(crate) fn append_unfinished(files: &mut Files, dice: &mut Dice) -> &'static str {
    let Some(after) = end(files) else { return "nothing" };
    let length = match dice.index(40) {
        0 => 1_000_000,
        1..=4 => 100_000,
        _ => dice.index(2_000),
    };
    let text = [r#""hash":"}"#, "x", "\u{0}", r#"\"hash\":\""#][dice.index(4)];
    let event = format!(r#"{{"event_type":"x","a":"{}"}}"#, text.repeat(length / text.len()));
    let (line, _) = record(&after, &event);
    newest(files).extend_from_slice(&line[..line.len() - dice.index(100) - 1]);
    "an unfinished line"
}

/// The members that tie a segment to the ones before it.
fn opening(files: &Files, more: &str) -> Option<String> {
    let after = end(files)?;
    let (name, _) = segments(files).next_back()?;
    let frontier = frontier_at_end(files)?;
    let roots = serde_json::to_string(frontier.roots()).unwrap();
    let log_id = member(segments(files).next_back()?.1, "\"log_id\":\"")?;
    Some(format!(
        r#"{{"event_type":"segment_opened","log_id":"{log_id}","merkle_frontier":{roots},"previous":{{"file":"{name}","last_seq":{},"last_hash":"{}"}}{more}}}"#,
        after.seq, after.hash
    ))
}

/// The text of a member, up to its closing quote.
fn member(bytes: &[u8], name: &str) -> Option<String> {
    let at = memchr::memmem::find(bytes, name.as_bytes())? + name.len();
    let text: Vec<u8> = bytes[at..].iter().copied().take_while(|byte| *byte != b'"').collect();
    String::from_utf8(text).ok()
}

/// The frontier over all records, from what the first one that is there says of those before it.
fn frontier_at_end(files: &Files) -> Option<Frontier> {
    let mut frontier: Option<Frontier> = None;
    for (_, bytes) in segments(files) {
        for line in lines_of(bytes) {
            let Some(placed) = Placed::of(&line) else { continue };
            let known = frontier.take().or_else(|| stated_frontier(&line, placed.seq));
            let mut known = known?;
            known.push(placed.hash);
            frontier = Some(known);
        }
    }
    frontier
}

fn stated_frontier(line: &[u8], seq: u64) -> Option<Frontier> {
    let text = str::from_utf8(line).ok()?;
    let (_, rest) = text.split_once("\"merkle_frontier\":")?;
    let (roots, _) = rest.trim_start_matches('[').split_once(']')?;
    let roots = roots.split(',').map(|root| root.trim_matches('"')).filter(|root| !root.is_empty());
    let roots: Option<Vec<Digest>> = roots.map(|root| Digest::from_hex(root.as_bytes())).collect();
    let roots = roots?;
    Frontier::from_roots(seq, &roots)
}

/// A whole life of another writer: without a key, or as if with one.
pub(crate) fn append_life(files: &mut Files, dice: &mut Dice) -> &'static str {
    append_segment(files, dice).unwrap_or("nothing")
}

pub(crate) fn append_segment(files: &mut Files, dice: &mut Dice) -> Option<&'static str> {
    let after = end(files)?;
    let sealed_from = first_sealed(files);
    let (more, unsigned) = match (sealed_from, dice.index(3)) {
        (Some(from), 0) => (
            format!(r#","unsynced_max_bytes":1048576,"sealed_from":{from}"#),
            r#","unsigned":true"#,
        ),
        (Some(from), 1) => {
            let vkey = key(200).verifying_key().to_string();
            let since = after.seq + 1;
            let more = format!(
                r#","unsynced_max_bytes":1048576,"key":{{"vkey":"{vkey}","since":{since}}},"sealed_from":{from}"#
            );
            (more, "")
        }
        _ => (String::new(), ""),
    };
    let opening = opening(files, &more)?;
    let opened = format!(
        r#"{{"event_type":"log_opened","writer":"x","flush_mode":"immediate","unsynced_max_bytes":1048576{unsigned}}}"#
    );
    let mut events = vec![opening, opened, FORGED[dice.index(2)].to_owned()];
    if dice.once_in(2) {
        events.push(r#"{"event_type":"log_closed"}"#.to_owned());
    }
    let name = format!("{:020}.2026-01-09.audit.jsonl", after.seq + 1);
    files.insert(name, Vec::new());
    let mut after = after;
    for event in events {
        let (line, placed) = record(&after, &event);
        newest(files).extend(line);
        after = placed;
    }
    Some("a forged life behind the end")
}

fn first_sealed(files: &Files) -> Option<u64> {
    let (_, bytes) = segments(files).next_back()?;
    let at = memchr::memmem::find(bytes, b"\"sealed_from\":")? + 14;
    let digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit());
    digits.map(|byte| char::from(*byte)).collect::<String>().parse().ok()
}

/// What is made of the seals of what is computed anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seals {
    Keep,
    Strip,
}

/// Changes an event, and computes everything that follows anew, to the end of the log.
pub(crate) fn rewrite(files: &mut Files, seals: Seals, dice: &mut Dice) -> &'static str {
    let count: usize = segments(files).map(|(_, bytes)| lines_of(bytes).len()).sum();
    let changed = dice.index(count.max(1));
    rechain(files, changed, seals, |text| {
        let forged = text.replacen("shard-", "forge-", 1);
        if forged == text { text.replacen("worker-1", "worker-2", 1) } else { forged }
    });
    match seals {
        Seals::Keep => "rewritten from an event on, seals left",
        Seals::Strip => "rewritten from an event on, without seals",
    }
}

pub(crate) fn rewrite_as_never_signed(files: &mut Files, dice: &mut Dice) -> &'static str {
    if dice.once_in(2) {
        files.retain(|name, _| !is_note(name));
    }
    rechain(files, 0, Seals::Strip, |text| {
        let text = without(&text, ",\"key\":{", "}");
        let text = without_number(&text, ",\"sealed_from\":");
        if dice.once_in(2) { text.replacen("shard-", "forge-", 1) } else { text }
    });
    "rewritten as a log that never signed"
}

fn without(text: &str, start: &str, end: &str) -> String {
    let Some((before, rest)) = text.split_once(start) else { return text.to_owned() };
    let after = rest.split_once(end).map_or("", |(_, after)| after);
    format!("{before}{after}")
}

fn without_number(text: &str, start: &str) -> String {
    let Some((before, rest)) = text.split_once(start) else { return text.to_owned() };
    format!("{before}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// Takes the seals of the newest lines away.
pub(crate) fn strip_newest(files: &mut Files, dice: &mut Dice) -> &'static str {
    let count: usize = segments(files).map(|(_, bytes)| lines_of(bytes).len()).sum();
    let from = count.saturating_sub(dice.index(6) + 1);
    rechain(files, from, Seals::Strip, |text| text);
    "seals of the newest records stripped"
}

/// Links all records from one on anew, each as edited, with what segments say of each other.
fn rechain(files: &mut Files, from: usize, seals: Seals, mut edit: impl FnMut(String) -> String) {
    let names: Vec<_> = segments(files).map(|(name, _)| name.clone()).collect();
    let (mut number, mut before): (usize, Option<(Digest, Frontier)>) = (0, None);
    for name in names {
        let mut lines = lines_of(&files[&name]);
        for line in &mut lines {
            let Some(placed) = Placed::of(line) else { continue };
            let known =
                before.take().or_else(|| Some((placed.prev, stated_frontier(line, placed.seq)?)));
            let Some((prev, mut frontier)) = known else { return };
            if number >= from {
                *line = relinked(line, prev, &frontier, seals, &mut edit);
            }
            number += 1;
            let hash = Placed::of(line).map_or(placed.hash, |placed| placed.hash);
            frontier.push(hash);
            before = Some((hash, frontier));
        }
        files.insert(name, lines.concat());
    }
}

fn relinked(
    line: &[u8],
    prev: Digest,
    frontier: &Frontier,
    seals: Seals,
    edit: &mut impl FnMut(String) -> String,
) -> Vec<u8> {
    let body = &line[..line.len() - ENDING];
    let (rest, seal) = match split_seal(body) {
        Some(_) => body.split_at(body.len() - SEAL_FIELD_BYTES),
        None => (body, &b""[..]),
    };
    let text = String::from_utf8_lossy(&rest[..rest.len() - 79]).into_owned();
    let mut text = edit(text);
    if text.contains("\"event_type\":\"segment_opened\"") {
        let roots = serde_json::to_string(frontier.roots()).unwrap();
        if let Some((before, after)) = text.split_once("\"merkle_frontier\":[")
            && let Some((_, after)) = after.split_once(']')
        {
            text = format!("{before}\"merkle_frontier\":{roots}{after}");
        }
        if let Some((before, after)) = text.split_once("\"last_hash\":\"") {
            text = format!("{before}\"last_hash\":\"{prev}{}", &after[64..]);
        }
    }
    let mut line = format!("{text},\"prev_hash\":\"{prev}\"").into_bytes();
    if seals == Seals::Keep {
        line.extend_from_slice(seal);
    }
    line.extend_from_slice(&[b'x'; ENDING]);
    seal_line(&mut line).unwrap();
    debug_assert!(is_whole(&line));
    line
}

/// A record with a seal that is of another key, or that of another record.
pub(crate) fn append_sealed(files: &mut Files, dice: &mut Dice) -> &'static str {
    let Some(after) = end(files) else { return "nothing" };
    let (mut line, placed) = record(&after, FORGED[dice.index(2)]);
    if dice.once_in(2) {
        let stranger = SealKey::derive(&[9; 32], LogId::from_bytes([9; 16]));
        seal_record(&mut line, 0, &placed.hash, &stranger);
    } else {
        let of = |line: &Vec<u8>| Some(split_seal(line.get(..line.len() - ENDING)?)?.1);
        let lines: Vec<_> = segments(files).flat_map(|(_, bytes)| lines_of(bytes)).collect();
        let seals: Vec<_> = lines.iter().filter(|line| is_whole(line)).filter_map(of).collect();
        if seals.is_empty() {
            return "nothing";
        }
        let seal = seals[dice.index(seals.len())].to_text();
        line.truncate(line.len() - ENDING);
        line.extend_from_slice(b",\"seal\":\"");
        line.extend_from_slice(&seal);
        line.push(b'"');
        line.extend_from_slice(&[b'x'; ENDING]);
        seal_line(&mut line).unwrap();
    }
    newest(files).extend(line);
    "a record with a seal that is not its own"
}

//! Whatever somebody without the key does, one thing after the other: a writer that opens the log
//! with its key vouches for nothing of it, and makes no verdict milder.

use audit_core::OnDamage;
use audit_core::seal::seal_record;
use audit_testkit::dice::Dice;
use audit_verify::{Code, Report, Verdict};
use audit_writer::segment::SegmentName;
use audit_writer::{Signing, SimDisk};

use crate::common::routine;
use crate::log::{
    bare, files, forged, forged_all, key, kill, lines, receipt, signed, signed_as, strangers_seal,
    write,
};
use crate::said::{FORGED, Files, Kept, records_say};

const ROUNDS: u64 = 2_000;

/// A log of a few lives, some of them closed, and its last writer killed.
fn lives(dice: &mut Dice) -> SimDisk {
    let disk = SimDisk::default();
    let mut log = signed(&disk).unwrap();
    write(&mut log, 1);
    log.checkpoint().unwrap();
    for _ in 0..dice.index(3) {
        if dice.once_in(2) {
            log.close().unwrap();
        } else {
            kill(&disk, log);
        }
        log = signed(&disk).unwrap();
        write(&mut log, dice.between(1, 3));
        if dice.once_in(2) {
            log.checkpoint().unwrap();
        }
    }
    kill(&disk, log);
    disk
}

fn segments(disk: &SimDisk) -> Vec<String> {
    disk.files().into_keys().filter(|name| SegmentName::parse(name).is_some()).collect()
}

/// Does something to one segment, its notes, or all of the log.
fn attack(disk: &SimDisk, dice: &mut Dice) {
    let names = segments(disk);
    let newest = names.len().checked_sub(1);
    let Some(at) =
        newest.map(|newest| if dice.once_in(4) { dice.index(newest + 1) } else { newest })
    else {
        return;
    };
    let name = &names[at];
    let all = lines(&disk.files()[name]);
    let whole = all.iter().take_while(|line| line.ends_with(b"\"}\n")).count();
    match dice.index(9) {
        0 => disk.replace(name, all[..=dice.index(all.len())].concat()),
        1 => rewrite(disk, name, &all[..=dice.index(whole.max(1))], dice),
        2 => disk.unlink(name),
        3 => remove_notes(disk, dice),
        4 => disk.replace(name, [all.concat(), tail(dice)].concat()),
        5 => replay(disk, name, &all[..whole], dice.index(whole.max(1)), Seals::Left),
        6 => replay(disk, name, &all[..whole], dice.index(whole.max(1)), Seals::TakenOff),
        7 => live_without_key(disk, dice),
        _ => rewrite(disk, name, &all[..whole], dice),
    }
}

/// Forged events behind these lines, with seals of another log or without.
fn rewrite(disk: &SimDisk, name: &str, kept: &[Vec<u8>], dice: &mut Dice) {
    let Some(after) = kept.last().filter(|line| line.ends_with(b"\"}\n")).map(|it| receipt(it))
    else {
        return;
    };
    let mut made = kept.concat();
    let start = made.len();
    if dice.once_in(4) {
        let (line, forged) = forged(&after, FORGED);
        made.extend(line);
        seal_record(&mut made, start, &forged.hash, &strangers_seal());
    } else {
        let count = usize::try_from(dice.between(1, 4)).unwrap();
        made.extend(forged_all(&after, &[FORGED; 4][..count]));
    }
    disk.replace(name, made);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seals {
    Left,
    TakenOff,
}

/// One record forged, and all behind it linked anew, with what seals they had or with none.
fn replay(disk: &SimDisk, name: &str, all: &[Vec<u8>], at: usize, seals: Seals) {
    if at == 0 || at >= all.len() {
        return;
    }
    let mut made = all[..at].concat();
    let mut after = receipt(&all[at - 1]);
    for (number, line) in all[at..].iter().enumerate() {
        let record: serde_json::Value = serde_json::from_slice(line).unwrap();
        let event = if number == 0 { FORGED.to_owned() } else { record["event"].to_string() };
        let (mut line, mut made_of) = forged(&after, &event);
        if let Some(seal) = record["seal"].as_str().filter(|_| seals == Seals::Left) {
            let body = line.len() - 76;
            line.truncate(body);
            line.extend(format!(",\"seal\":\"{seal}\"").into_bytes());
            made_of.hash = audit_core::digest::leaf_hash(&line);
            line.extend(format!(",\"hash\":\"{}\"}}\n", made_of.hash).into_bytes());
        }
        made.extend(line);
        after = made_of;
    }
    disk.replace(name, made);
}

fn remove_notes(disk: &SimDisk, dice: &mut Dice) {
    let notes = disk.files().into_keys().filter(|name| name.starts_with("checkpoints/"));
    for note in notes.collect::<Vec<_>>().into_iter().rev() {
        disk.unlink(&note);
        if dice.once_in(2) {
            break;
        }
    }
}

/// What a crash may leave, or not.
fn tail(dice: &mut Dice) -> Vec<u8> {
    match dice.index(3) {
        0 => br#"{"v":1,"seq":"#.to_vec(),
        1 => vec![0; 512],
        _ => b"junk\n".to_vec(),
    }
}

/// Somebody runs the writer without the key, where it goes on at all.
fn live_without_key(disk: &SimDisk, dice: &mut Dice) {
    let Ok(mut log) = bare(disk, OnDamage::Refuse) else { return };
    log.go_without_key(audit_core::Keyless::Unsigned);
    if dice.once_in(2) && log.write_event(&routine(666)).is_ok() {
        drop(log.close());
    }
}

/// What is found where a note was removed or a line is torn, and nothing else was done.
const MENDED: [Code; 3] = [Code::CheckpointMissing, Code::NoCheckpointByKey, Code::TornTail];

/// How the verdict on a log may change by what the next writer does, other than becoming worse.
fn may_become(before: &Report, after: Verdict) -> bool {
    let is_mild = |verdict| matches!(verdict, Verdict::Consistent | Verdict::Signed);
    let mut codes = before.findings.iter().map(|finding| finding.code);
    match before.verdict {
        // What a crash leaves is accounted for, and what is vouched for is signed.
        Verdict::Torn | Verdict::Consistent | Verdict::Signed | Verdict::Intact => true,
        // A key is given of which no checkpoint is left, until there is one again.
        Verdict::Unverifiable => after >= Verdict::Unverifiable || is_mild(after),
        // A note that was removed is missed until there is a newer one; a torn line is accounted for.
        Verdict::Truncated if codes.all(|code| MENDED.contains(&code)) => true,
        Verdict::Truncated | Verdict::Tampered => after >= before.verdict,
        _ => false,
    }
}

#[derive(Debug, Default)]
struct Counts {
    refused: u32,
    went_on: u32,
    mild: u32,
}

fn round(seed: u64, counts: &mut Counts) {
    let mut dice = Dice::new(seed);
    let disk = lives(&mut dice);
    let kept = Kept::of(&disk);
    let had_forged = records_say(&files(&disk), "forged");
    assert!(!had_forged);
    for _ in 0..dice.between(1, 3) {
        attack(&disk, &mut dice);
    }
    let attacked = files(&disk);
    let on_damage = [OnDamage::Refuse, OnDamage::ContinueInNewSegment][dice.index(2)];
    let before = kept.said(&attacked);
    let Ok(mut log) = signed_as(&disk, Signing::new(key()), on_damage) else {
        assert_eq!(files(&disk), attacked, "{seed}: a refused open changes nothing");
        counts.refused += 1;
        return;
    };
    log.write_event(&routine(999)).unwrap();
    log.close().unwrap();
    let went_on = files(&disk);
    counts.went_on += 1;
    for (level, (before, after)) in before.iter().zip(kept.said(&went_on)).enumerate() {
        let told = format!("{seed}, L{level}\n{before}\n{after}");
        assert!(may_become(before, after.verdict), "{told}");
        let is_mild = after.verdict.exit_code() == 0;
        assert!(!is_mild || !records_say(&went_on, "forged"), "forged records count: {told}");
        counts.mild += u32::from(is_mild);
        assert!(level < 2 || !is_mild || holds(&went_on, &kept), "the receipt is gone: {told}");
    }
}

/// Whether the log has the record of the receipt that was kept.
fn holds(files: &Files, kept: &Kept) -> bool {
    records_say(files, &format!("\"hash\":\"{}\"", kept.head.hash))
}

#[test]
fn whatever_is_done_without_the_key_is_vouched_for_by_no_writer_and_made_no_milder() {
    let mut counts = Counts::default();
    for seed in 0..ROUNDS {
        round(seed, &mut counts);
    }
    assert!(counts.refused > 100 && counts.went_on > 100 && counts.mild > 100, "{counts:?}");
}

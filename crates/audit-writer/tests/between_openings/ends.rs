//! The end of the log rewritten, cut off, or made longer.

use audit_core::lifecycle::LogId;
use audit_core::seal::seal_record;
use audit_core::{OnDamage, Receipt, SealKey};
use audit_verify::Verdict;
use audit_writer::{AuditFileWriter, SimDisk};

use crate::log::{
    bare, files, forged, kill, lines, newest, receipt, rewrite, signed, strangers_seal, text,
    unsigned, write,
};
use crate::said::{Due, FORGED, Kept, hold, honest, newest_note, records_say};

use Verdict::{Consistent, Signed, Tampered, Truncated, Unverifiable};

/// What the writer does that opens the log next.
#[derive(Clone, Copy)]
enum Writer {
    /// It does not open it, and says why.
    Refuses(&'static str),
    /// It goes on, declares what it found, and leaves it out of the chain.
    LeavesOut,
    /// It goes on and cannot tell.
    GoesOn,
    /// It is opened and closed without an event.
    OpensAndCloses,
    /// It is asked for a checkpoint, and leaves out what it declares first.
    Signs,
}

struct Attack {
    name: &'static str,
    act: fn(&SimDisk),
    writer: Writer,
    /// Of the log alone, with its key, with what was kept elsewhere.
    due: [Due; 3],
}

const NEW_END: &str = "head_mismatch";
const NOT_SEALED: &str = "not sealed yet";
const ALONE: Due = (Consistent, "rewrite of the whole log cannot be excluded");
const BY_KEY: Due = (Signed, "A rollback to an older copy of log and checkpoints");
/// What is behind the newest checkpoint.
const BEHIND: Due = (Consistent, "nor can records that were rewritten after the last checkpoint");

/// What was kept covers the log up to it, and the key what follows.
const BEHIND_HEAD: Due =
    (Signed, "Records up to seq 6 are covered by a given head: a rollback went no further back");

const ATTACKS: [Attack; 17] = [
    Attack {
        name: "the last events replaced",
        act: |disk| rewrite(disk, 5, &[FORGED; 2]),
        writer: Writer::LeavesOut,
        due: [ALONE, BY_KEY, (Tampered, NEW_END)],
    },
    Attack {
        name: "the seals of the last events taken off",
        act: |disk| without_seals(disk, 5),
        writer: Writer::LeavesOut,
        due: [ALONE, BY_KEY, (Tampered, NEW_END)],
    },
    Attack {
        name: "all seals taken off",
        act: |disk| without_seals(disk, 0),
        writer: Writer::Refuses("first records"),
        due: [(Tampered, "seal_missing"), (Tampered, "seal_missing"), (Tampered, NEW_END)],
    },
    Attack {
        name: "cut back to an earlier seal with its checkpoint, and events forged behind it",
        act: |disk| {
            disk.unlink(&newest_note(disk).0);
            rewrite(disk, 3, &[FORGED; 3]);
        },
        writer: Writer::LeavesOut,
        due: [ALONE, BY_KEY, (Tampered, NEW_END)],
    },
    Attack {
        name: "cut back to an earlier seal, the checkpoint left, and events forged behind it",
        act: |disk| rewrite(disk, 3, &[FORGED; 3]),
        writer: Writer::Refuses("a record that a checkpoint covers is not whole any more"),
        due: [(Truncated, "checkpoint_beyond_end"); 3],
    },
    Attack {
        name: "the last events replaced by others with seals of another key",
        act: |disk| rewrite_sealed(disk, &strangers_seal()),
        writer: Writer::Refuses("seal"),
        due: [ALONE, BEHIND, (Tampered, NEW_END)],
    },
    Attack {
        name: "the last events replaced by others with seals of another log of the key",
        act: |disk| rewrite_sealed(disk, &of_another_log()),
        writer: Writer::Refuses("seal"),
        due: [ALONE, BEHIND, (Tampered, NEW_END)],
    },
    Attack {
        name: "a log_closed forged behind the end",
        act: |disk| rewrite(disk, 7, &[r#"{"event_type":"log_closed"}"#]),
        writer: Writer::Refuses("seal"),
        due: [(Tampered, "seal_missing"); 3],
    },
    Attack {
        name: "events forged behind the end",
        act: |disk| rewrite(disk, 7, &[FORGED; 2]),
        writer: Writer::LeavesOut,
        due: [ALONE, BY_KEY, BEHIND_HEAD],
    },
    Attack {
        name: "events forged behind the end, and no event before the log is closed",
        act: |disk| rewrite(disk, 7, &[FORGED; 2]),
        writer: Writer::OpensAndCloses,
        due: [(Consistent, NOT_SEALED), (Consistent, NOT_SEALED), (Consistent, NOT_SEALED)],
    },
    Attack {
        name: "the last events replaced, and no event before the log is closed",
        act: |disk| rewrite(disk, 5, &[FORGED; 3]),
        writer: Writer::OpensAndCloses,
        due: [(Consistent, NOT_SEALED), (Consistent, NOT_SEALED), (Truncated, "head_beyond_end")],
    },
    Attack {
        name: "the last events replaced, and a checkpoint asked for",
        act: |disk| rewrite(disk, 5, &[FORGED; 3]),
        writer: Writer::Signs,
        due: [ALONE, BY_KEY, (Tampered, NEW_END)],
    },
    Attack {
        name: "a life of its own forged, without the key",
        act: |disk| live_without_key(disk),
        writer: Writer::Refuses("a writer without the key made them"),
        due: [
            (Consistent, "unsigned_opening"),
            (Consistent, "unsigned_opening"),
            (Consistent, "After it, a cut tail or rewritten records cannot be excluded"),
        ],
    },
    Attack {
        name: "written anew as a log that never signed",
        act: |disk| put(disk, &never_signed()),
        writer: Writer::Refuses("the log had no key until now"),
        due: [ALONE, (Unverifiable, "no_checkpoint_by_key"), (Tampered, "pin_mismatch")],
    },
    Attack {
        name: "written anew as a log of another key",
        act: |disk| put(disk, &of_another_key()),
        writer: Writer::Refuses("sealed with another key"),
        due: [ALONE, (Unverifiable, "no_checkpoint_by_key"), (Tampered, "pin_mismatch")],
    },
    Attack {
        name: "an older copy of the log put in its place",
        act: |disk| {
            disk.unlink(&newest_note(disk).0);
            cut(disk, 4);
        },
        writer: Writer::GoesOn,
        due: [ALONE, BY_KEY, (Tampered, NEW_END)],
    },
    Attack {
        name: "another end of the log, which its writer sealed before a rollback",
        act: |disk| put(disk, &another_end(disk)),
        writer: Writer::GoesOn,
        due: [ALONE, BY_KEY, (Tampered, NEW_END)],
    },
];

#[test]
fn what_is_done_between_two_openings_is_refused_or_left_out_and_said() {
    for Attack { name, act, writer, due } in ATTACKS {
        let disk = honest();
        let kept = Kept::of(&disk);
        act(&disk);
        let attacked = files(&disk);
        go_on(name, &disk, writer);
        let is_refused = matches!(writer, Writer::Refuses(_) | Writer::OpensAndCloses);
        assert_eq!(files(&disk) == attacked, is_refused, "{name}");
        hold(name, &kept, &disk.files(), due);
    }
}

fn go_on(name: &str, disk: &SimDisk, writer: Writer) {
    let opened = signed(disk);
    match writer {
        Writer::Refuses(why) => {
            let error = opened.map(drop).unwrap_err().to_string();
            assert!(error.contains(why), "{name}: {error}");
            return;
        }
        Writer::OpensAndCloses => drop(opened.unwrap().close().unwrap()),
        Writer::Signs => {
            let mut log = opened.unwrap();
            let signed = log.checkpoint().unwrap().size();
            assert!(records_say(&disk.files(), r#""kind":"unsealed""#), "{name}");
            let declared = lines(&newest(disk).1)[1].clone();
            assert!(signed > receipt(&declared).seq, "{name}: it covers what is declared");
            log.close().unwrap();
        }
        Writer::LeavesOut | Writer::GoesOn => {
            let mut log = opened.unwrap();
            write(&mut log, 1);
            log.close().unwrap();
        }
    }
    assert!(!records_say(&disk.files(), "forged"), "{name}: a forged record counts");
    let is_declared = text(disk).contains(r#""kind":"unsealed""#);
    assert_eq!(is_declared, matches!(writer, Writer::LeavesOut | Writer::Signs), "{name}");
}

fn cut(disk: &SimDisk, kept: usize) {
    let (name, bytes) = newest(disk);
    disk.replace(&name, lines(&bytes)[..kept].concat());
}

/// Makes all but the first records anew, as they were but for their seals.
fn without_seals(disk: &SimDisk, kept: usize) {
    let (name, bytes) = newest(disk);
    let all = lines(&bytes);
    let kept = kept.max(1);
    let mut made = all[..kept].concat();
    let mut after = receipt(&all[kept - 1]);
    for line in &all[kept..] {
        let line: serde_json::Value = serde_json::from_slice(line).unwrap();
        let (line, receipt) = forged(&after, &line["event"].to_string());
        made.extend(line);
        after = receipt;
    }
    disk.replace(&name, made);
}

/// What the seed of the log's key seals with in a log of another id.
fn of_another_log() -> SealKey {
    SealKey::derive(&[7; 32], LogId::from_bytes([9; 16]))
}

fn rewrite_sealed(disk: &SimDisk, key: &SealKey) {
    let (name, bytes) = newest(disk);
    let all = lines(&bytes);
    let mut after: Receipt = receipt(&all[4]);
    let mut made = all[..5].concat();
    for _ in 0..2 {
        let start = made.len();
        let (line, receipt) = forged(&after, FORGED);
        made.extend(line);
        let hash = seal_record(&mut made, start, &receipt.hash, key);
        after = Receipt { hash, ..receipt };
    }
    disk.replace(&name, made);
}

/// Somebody runs the writer without the key, as an operator may.
fn live_without_key(disk: &SimDisk) {
    let mut log = unsigned(disk);
    write(&mut log, 3);
    log.close().unwrap();
}

fn never_signed() -> SimDisk {
    let disk = SimDisk::default();
    let mut log: AuditFileWriter<_, _> = bare(&disk, OnDamage::Refuse).unwrap();
    write(&mut log, 6);
    log.close().unwrap();
    disk
}

fn of_another_key() -> SimDisk {
    let disk = SimDisk::default();
    let mut log = bare(&disk, OnDamage::Refuse).unwrap();
    log.sign(audit_writer::Signing::new(crate::log::of_seed(8))).unwrap();
    write(&mut log, 6);
    log.close().unwrap();
    disk
}

/// The log as it went on from its beginning, in a life that an operator rolled back.
fn another_end(disk: &SimDisk) -> SimDisk {
    let other = SimDisk::with_files(disk.files());
    cut(&other, 5);
    let mut log = signed(&other).unwrap();
    write(&mut log, 3);
    kill(&other, log);
    other
}

/// Puts the files of another log in the place of these.
fn put(disk: &SimDisk, other: &SimDisk) {
    disk.files().keys().for_each(|name| disk.unlink(name));
    other.files().into_iter().for_each(|(name, bytes)| disk.replace(&name, bytes));
}

#[test]
fn the_honest_log_is_what_the_attacks_are_done_to() {
    let disk = honest();
    let kept = Kept::of(&disk);
    let verdicts = kept.said(&disk.files()).map(|report| report.verdict);
    assert_eq!(verdicts, [Consistent, Consistent, Verdict::Intact]);
    let mut log = signed(&disk).unwrap();
    write(&mut log, 1);
    log.close().unwrap();
    hold("honest", &kept, &disk.files(), [ALONE, BY_KEY, BEHIND_HEAD]);
}

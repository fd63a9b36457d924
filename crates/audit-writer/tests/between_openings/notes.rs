//! Checkpoints planted beside a log, and what a sink has when the writer has gone on.

use std::io;
use std::sync::{Arc, Mutex};

use audit_checkpoint::{Checkpoint, Note, SignedCheckpoint};
use audit_core::{Frontier, OnDamage};
use audit_verify::Verdict;
use audit_writer::{CheckpointSink, OpenError, Signing, SimDisk};

use crate::log::{key, lines, newest, of_seed, receipt, signed_as, write};
use crate::said::{Due, Kept, hold, honest, newest_note};

use Verdict::{Consistent, Signed, Tampered};

/// What is kept elsewhere, all of it.
#[derive(Clone, Debug, Default)]
struct Memory(Arc<Mutex<Vec<String>>>);

impl CheckpointSink for Memory {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    fn newest(&mut self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.lock().unwrap().last().map(|note| note.clone().into_bytes()))
    }

    fn put(&mut self, note: &str) -> io::Result<()> {
        self.0.lock().unwrap().push(note.to_owned());
        Ok(())
    }
}

/// The text of the checkpoint over all records.
fn checkpoint(disk: &SimDisk) -> Checkpoint {
    let all = lines(&newest(disk).1);
    let mut frontier = Frontier::new();
    for line in &all {
        frontier.push(receipt(line).hash);
    }
    Checkpoint::new(key().name(), all.len() as u64, frontier.root())
}

/// What is planted, under the true root where that is possible.
type Plant = fn(&SimDisk) -> Vec<u8>;

fn by_another_key(disk: &SimDisk) -> Vec<u8> {
    checkpoint(disk).sign(&of_seed(8)).unwrap().to_string().into_bytes()
}

/// The same with another line behind its root.
fn with_a_line(disk: &SimDisk) -> Vec<u8> {
    let note = checkpoint(disk).sign(&of_seed(8)).unwrap();
    let mut note = Note::new(format!("{}a line more\n", note.text())).unwrap();
    note.sign(&of_seed(8)).unwrap();
    note.to_string().into_bytes()
}

fn junk(_: &SimDisk) -> Vec<u8> {
    vec![0xff; 700]
}

/// The log's own note, which says that it covers fewer records than its name does.
fn of_another_size(disk: &SimDisk) -> Vec<u8> {
    newest_note(disk).1
}

const BEYOND: Due = (Signed, "a rollback went no further back");
const NONE: Due = (Tampered, "checkpoint_malformed");
const MISNAMED: Due = (Tampered, "checkpoint_name_mismatch");

const PLANTS: [(&str, Plant, [Due; 3]); 4] = [
    (
        "by another key of the name",
        by_another_key,
        [
            (Consistent, "checkpoints_not_verified"),
            (Signed, "1 of 3 checkpoints are not signed by a given key"),
            BEYOND,
        ],
    ),
    ("with a line behind its root", with_a_line, [NONE; 3]),
    ("junk", junk, [NONE; 3]),
    ("the log's own under another name", of_another_size, [MISNAMED; 3]),
];

/// How many records the honest log has, of which no checkpoint covers the last.
const PLANTED_SIZE: u64 = 7;

#[test]
fn a_planted_checkpoint_gets_nowhere_and_no_sink_has_it() {
    for (name, plant, due) in PLANTS {
        let disk = honest();
        let kept = Kept::of(&disk);
        let (planted, bytes) = (format!("checkpoints/{PLANTED_SIZE:020}.note"), plant(&disk));
        disk.replace(&planted, bytes.clone());
        let sink = Memory::default();
        let signing = Signing::new(key()).to(sink.clone());
        let mut log = signed_as(&disk, signing, OnDamage::Refuse).unwrap();
        write(&mut log, 1);
        assert_eq!(log.notes_beside().foreign, 1, "{name}");
        log.close().unwrap();
        assert_eq!(disk.files()[&planted], bytes, "{name}: it is left where it lies");
        let held = sink.0.lock().unwrap().clone();
        assert!(!held.is_empty(), "{name}");
        for note in &held {
            let parsed = Note::parse(note.as_bytes()).unwrap();
            let own = SignedCheckpoint::open(parsed, &[key().verifying_key().clone()]).unwrap();
            assert_eq!(own.checkpoint().origin(), key().name().as_str(), "{name}");
            assert_ne!(own.checkpoint().size(), PLANTED_SIZE, "{name}");
        }
        hold(name, &kept, &disk.files(), due);
    }
}

/// The sink knows more than the log, which is an older copy with all that it had then.
#[test]
fn an_older_copy_is_refused_where_a_sink_knows_better_and_no_verdict_says_more_than_it_may() {
    let disk = honest();
    let sink = Memory::default();
    let live = |disk: &SimDisk| -> Result<(), OpenError> {
        let signing = Signing::new(key()).to(sink.clone());
        let mut log = signed_as(disk, signing, OnDamage::Refuse)?;
        write(&mut log, 1);
        log.close().unwrap();
        Ok(())
    };
    live(&disk).unwrap();
    let older = SimDisk::with_files(disk.files());
    live(&disk).unwrap();
    let kept = Kept::of(&disk);
    let (before, held) = (older.files(), sink.0.lock().unwrap().clone());
    let error = live(&older).unwrap_err();
    assert!(matches!(error, OpenError::RolledBack { .. }), "{error}");
    assert_eq!(older.files(), before);
    assert_eq!(*sink.0.lock().unwrap(), held, "what the sink has stays");
    let rollback = (Signed, "A rollback to an older copy of log and checkpoints");
    let beyond = (Verdict::Truncated, "pin_beyond_end");
    hold("older copy", &kept, &before, [(Consistent, "rollback"), rollback, beyond]);
}

/// Names of as many kinds as there are to flood a report with.
const JUNK: [&str; 4] = ["{}.audit.jsonl", "{}.txt", "checkpoints/{}.note", "checkpoints/{}.txt"];

#[test]
fn a_flood_of_names_hides_nothing_that_was_done_between_two_openings() {
    for count in [60, 1_000] {
        let disk = honest();
        let kept = Kept::of(&disk);
        let (name, mut bytes) = newest(&disk);
        let second = lines(&bytes)[0].len() + 200;
        bytes[second] ^= 1;
        disk.replace(&name, bytes);
        for junk in JUNK {
            for number in 0..count {
                disk.replace(&junk.replace("{}", &format!("a{number:04}")), b"junk".to_vec());
            }
        }
        let attacked = disk.files();
        let error = signed_as(&disk, Signing::new(key()), OnDamage::Refuse).map(drop).unwrap_err();
        assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
        assert_eq!(disk.files(), attacked);
        for report in kept.said(&attacked) {
            assert_eq!(report.verdict, Tampered, "{report}");
            let first = report.first_fault.as_ref().unwrap();
            assert_eq!((&first.file, first.line), (&name, 2), "{report}");
            let text = report.to_string();
            assert!(text.contains("\n  hash_mismatch  "), "{text}");
            let more = format!("and {} more of segment_name_invalid", count - 20);
            assert!(text.contains(&more) && text.lines().count() < 400, "{text}");
        }
    }
}

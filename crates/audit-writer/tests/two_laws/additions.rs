//! What anybody can add to a log: files, names, lines, bytes, notes, signatures, obstacles.

use std::collections::BTreeMap;

use audit_checkpoint::{KeyKind, KeyName, Note, SignedCheckpoint, SigningKey, cosign};
use audit_testkit::dice::Dice;
use audit_writer::segment::NEW_SEGMENT;

use crate::attacks::{newest, note_name, stranger, strangers_note};
use crate::builder::{Files, lines_of};
use crate::forged::{
    append_hostile, append_own_event, append_records, append_segment, append_unfinished, end,
    event, record,
};
use crate::oracle::{is_note, segments};
use crate::past::{Past, key_called};
use crate::shelf::Obstacle;

/// A log and what was added to it.
#[derive(Clone, Debug)]
pub(crate) struct More {
    pub(crate) files: Files,
    pub(crate) obstacles: BTreeMap<String, Obstacle>,
    pub(crate) done: Vec<&'static str>,
    /// Whether no segment was added or changed.
    pub(crate) is_beside: bool,
    /// Whether a file of the log is made unreadable, so that what it holds is not known any more.
    pub(crate) hides: bool,
}

/// Adds one thing, or several.
pub(crate) fn added(found: &Files, past: &Past, others: &[Past], dice: &mut Dice) -> More {
    let (files, obstacles) = (found.clone(), BTreeMap::new());
    let mut more = More { files, obstacles, done: Vec::new(), is_beside: true, hides: false };
    for _ in 0..dice.between(1, 3) {
        let done = more.add(past, others, dice);
        more.done.push(done);
    }
    more
}

impl More {
    fn add(&mut self, past: &Past, others: &[Past], dice: &mut Dice) -> &'static str {
        match dice.index(14) {
            0 => self.add_file(dice),
            1 => self.add_segment(others, dice),
            2 => self.add_obstacle(past, dice),
            3 => self.hide(dice),
            4 => self.add_note(past, others, dice),
            5 => self.add_signature(past, dice),
            6 => self.copy_note(past, dice),
            7 => self.at_end(dice, |files, dice| {
                append_records(files, &[event(dice).to_owned()]);
                "forged lines"
            }),
            8 => self.at_end(dice, append_own_event),
            9 => self.at_end(dice, append_hostile),
            10 => self.at_end(dice, append_unfinished),
            11 => self.at_end(dice, |files, dice| append_segment(files, dice).unwrap_or("nothing")),
            12 => self.at_end(dice, append_version),
            _ => self.at_end(dice, append_hole),
        }
    }

    fn at_end(
        &mut self,
        dice: &mut Dice,
        append: impl FnOnce(&mut Files, &mut Dice) -> &'static str,
    ) -> &'static str {
        if segments(&self.files).next().is_none() {
            return "nothing";
        }
        self.is_beside = false;
        append(&mut self.files, dice)
    }

    /// A name that nothing has yet.
    fn put(&mut self, name: String, bytes: Vec<u8>) {
        if !self.obstacles.contains_key(&name) {
            self.files.entry(name).or_insert(bytes);
        }
    }

    fn add_file(&mut self, dice: &mut Dice) -> &'static str {
        let names =
            ["unknown", "a.new", "checkpoints/a", "checkpoints/b.note", "lost+found", ".prune"];
        let bytes = vec![b'x'; dice.index(100)];
        self.put(names[dice.index(names.len())].to_owned(), bytes);
        "a file of another name"
    }

    fn add_segment(&mut self, others: &[Past], dice: &mut Dice) -> &'static str {
        self.is_beside = false;
        let name = segment_name(dice);
        let bytes = match dice.index(4) {
            0 => Vec::new(),
            1 => vec![b'x'; dice.index(2_000)],
            2 => {
                let others = &others[dice.index(others.len())].files;
                segments(others).next().unwrap().1.clone()
            }
            _ => {
                let count = segments(&self.files).count();
                let own = segments(&self.files).nth(dice.index(count));
                own.map(|(_, bytes)| bytes.clone()).unwrap_or_default()
            }
        };
        self.put(name, bytes);
        "a file with the name of a segment"
    }

    fn add_obstacle(&mut self, past: &Past, dice: &mut Dice) -> &'static str {
        let name = match dice.index(3) {
            0 => "unknown".to_owned(),
            1 => {
                self.is_beside = false;
                segment_name(dice)
            }
            _ => note_name(size(past, dice)),
        };
        if !self.files.contains_key(&name) {
            self.obstacles.insert(name, obstacle(dice));
        }
        "a name that cannot be read"
    }

    fn hide(&mut self, dice: &mut Dice) -> &'static str {
        if let Some(name) = self.files.keys().nth(dice.index(self.files.len())) {
            let name = name.clone();
            self.files.remove(&name);
            self.obstacles.insert(name, obstacle(dice));
            self.hides = true;
            self.is_beside = false;
        }
        "a file of the log made unreadable"
    }

    fn add_note(&mut self, past: &Past, others: &[Past], dice: &mut Dice) -> &'static str {
        let size = size(past, dice);
        let bytes = match dice.index(4) {
            0 => b"junk\n".to_vec(),
            1 => Vec::new(),
            2 => note_of_another(past, others, dice),
            _ => strangers_note(past, size, dice),
        };
        self.put(note_name(size), bytes);
        "a note by somebody else"
    }

    /// Another signature or cosignature on a note that is there.
    fn add_signature(&mut self, past: &Past, dice: &mut Dice) -> &'static str {
        let names: Vec<_> = self.files.keys().filter(|name| is_note(name)).cloned().collect();
        if !names.is_empty() {
            let bytes = self.files.get_mut(&names[dice.index(names.len())]).unwrap();
            if let Ok(mut note) = Note::parse(bytes)
                && sign(&mut note, past, dice).is_some()
            {
                *bytes = note.to_string().into_bytes();
            }
        }
        "a signature by somebody else"
    }

    /// A note of the log, once more.
    fn copy_note(&mut self, past: &Past, dice: &mut Dice) -> &'static str {
        // One that a crash left without a name is none of them: putting it back is a repair.
        let is_named = |name: &str| is_note(name) && !name.ends_with(NEW_SEGMENT);
        let notes: Vec<_> = self.files.iter().filter(|(name, _)| is_named(name)).collect();
        if !notes.is_empty() {
            let bytes = notes[dice.index(notes.len())].1.clone();
            self.put(note_name(size(past, dice) + dice.between(0, 5)), bytes);
        }
        "a note under another name"
    }
}

/// How many records a note is over.
fn size(past: &Past, dice: &mut Dice) -> u64 {
    dice.between(0, past.leaves.len() as u64)
}

/// Lets somebody whom the log does not know sign or cosign a note.
fn sign(note: &mut Note, past: &Past, dice: &mut Dice) -> Option<()> {
    if dice.once_in(2) {
        return note.sign(&stranger()).ok();
    }
    let name = KeyName::new("stranger.example/witness").ok()?;
    let witness = SigningKey::from_seed(name, KeyKind::Cosignature, &[200; 32]).ok()?;
    let key = key_called(past.origin, past.seed?).verifying_key().clone();
    let signed = SignedCheckpoint::open(note.clone(), &[key]).ok()?;
    let signed = cosign(&signed, &witness, dice.between(1, 2_000_000_000)).ok()?;
    note.add(signed).ok()
}

/// A note of another log; an empty one where that has none.
fn note_of_another(past: &Past, others: &[Past], dice: &mut Dice) -> Vec<u8> {
    let other = &others[dice.index(others.len())];
    let mut notes = other.files.iter().filter(|(name, _)| is_note(name));
    let is_another = other.origin != past.origin;
    notes.next().filter(|_| is_another).map(|(_, bytes)| bytes.clone()).unwrap_or_default()
}

fn obstacle(dice: &mut Dice) -> Obstacle {
    [Obstacle::Denied, Obstacle::Leased, Obstacle::Other][dice.index(3)]
}

fn segment_name(dice: &mut Dice) -> String {
    let (seq, day) = (dice.between(0, 40), dice.between(1, 9));
    format!("{seq:020}.2026-01-0{day}.audit.jsonl")
}

/// The log goes on in a version of the format that nobody knows, in this segment or the next.
fn append_version(files: &mut Files, dice: &mut Dice) -> &'static str {
    let Some(after) = end(files) else { return "nothing" };
    let (line, after) = record(&after, r#"{"event_type":"format_changed","to":2}"#);
    newest(files).extend(line);
    if dice.once_in(2) {
        files.insert(format!("{:020}.2026-01-09.audit.jsonl", after.seq + 1), Vec::new());
    }
    let (line, _) = record(&after, event(dice));
    let mut line =
        String::from_utf8(line).unwrap().replacen("\"v\":1,", "\"v\":2,", 1).into_bytes();
    crate::builder::seal_line(&mut line);
    newest(files).extend(line);
    "records of another version"
}

/// Zeros behind the end of a segment, as a hole reads.
fn append_hole(files: &mut Files, dice: &mut Dice) -> &'static str {
    let bytes = newest(files);
    let to_block = bytes.len().next_multiple_of(512) - bytes.len();
    let length = if dice.once_in(2) { to_block + 512 } else { dice.index(3_000) };
    bytes.extend(vec![0; length]);
    if dice.once_in(3)
        && let Some(line) = lines_of(bytes).first().cloned()
    {
        bytes.extend(line);
    }
    "a hole at the end"
}

//! Checkpoints edited, stripped, replayed, forged.

use audit_checkpoint::{Note, SigningKey};
use audit_core::Digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::builder::Files;
use crate::history::rewritten;
use crate::hunt::{Level, Mutant};
use crate::logs::{ANOTHER_KEY, Hand, KEY, Log};
use crate::signed::key;

/// What is put into a checkpoint.
const PUT_IN: [u8; 7] = [0, b'\n', b' ', b'0', b'A', b'+', 0xff];

/// Bits flipped, bytes put in, taken out, and all from there cut off.
const EDITS: usize = 8 + PUT_IN.len() + 2;

pub(crate) fn edits(log: &Log) -> usize {
    EDITS * log.notes().iter().map(|note| log.files[*note].len()).sum::<usize>()
}

pub(crate) fn edit(log: &Log, way: usize) -> Option<Mutant> {
    let (mut at, kind) = (way / EDITS, way % EDITS);
    let name = log.notes().into_iter().find(|note| {
        let length = log.files[*note].len();
        let is_here = at < length;
        at -= if is_here { 0 } else { length };
        is_here
    })?;
    let files = log.with(name, |bytes| match (kind, PUT_IN.get(kind.wrapping_sub(8))) {
        (..8, _) => bytes[at] ^= 1 << kind,
        (_, Some(byte)) => bytes.insert(at, *byte),
        (EDITS_CUT, None) => bytes.truncate(at),
        (_, None) => drop(bytes.remove(at)),
    });
    // An older one may be absent, so it may as well be one that counts for nothing.
    let is_newest = log.newest.as_deref() == Some(name);
    let counts = || !is_by_another(&log.files[name], &files[name]);
    (is_newest || counts()).then_some(Mutant { level: Level::Key, files })
}

const EDITS_CUT: usize = EDITS - 1;

/// Whether a checkpoint still says the same, signed by nobody who is known.
fn is_by_another(honest: &[u8], edited: &[u8]) -> bool {
    let (Ok(honest), Ok(edited)) = (Note::parse(honest), Note::parse(edited)) else { return false };
    let id = |note: &Note| {
        let first = &note.signatures()[0];
        (first.name().clone(), first.id())
    };
    honest.text() == edited.text() && id(&honest) != id(&edited)
}

/// Each under the name of each, and two exchanged.
pub(crate) fn pairs(log: &Log) -> usize {
    2 * log.notes().len().pow(2)
}

pub(crate) fn replay(log: &Log, way: usize) -> Option<Mutant> {
    let notes = log.notes();
    let (one, other) = (notes[way / 2 / notes.len()], notes[way / 2 % notes.len()]);
    let mut files = log.files.clone();
    files.insert(other.to_owned(), log.files[one].clone());
    if way % 2 == 1 {
        files.insert(one.to_owned(), log.files[other].clone());
    }
    Mutant::found_by(Level::Chain, files)
}

/// Any of them, but not none.
pub(crate) fn subsets(log: &Log) -> usize {
    (1 << log.notes().len()) - 1
}

/// Those without the newest may be absent.
pub(crate) fn strip(log: &Log, way: usize) -> Option<Mutant> {
    let mut files = log.files.clone();
    for (number, note) in log.notes().into_iter().enumerate() {
        if (way + 1) >> number & 1 == 1 {
            files.remove(note);
        }
    }
    let is_newest_gone = !files.contains_key(log.newest.as_deref()?);
    is_newest_gone.then_some(Mutant { level: Level::Key, files })
}

/// Those of another service, and of another history of this one, each in place of its like.
pub(crate) fn others(log: &Log) -> usize {
    3 * log.notes().len()
}

pub(crate) fn exchange(log: &Log, way: usize) -> Option<Mutant> {
    let signer = if way.is_multiple_of(3) { ANOTHER_KEY } else { KEY };
    let mut hand = Hand { signer: Some(signer), ..Hand::honest(true) };
    if way % 3 == 1 {
        hand.log_id = "f".repeat(32);
    } else {
        hand.changed = Some(2);
    }
    let name = log.notes()[way / 3];
    // One over deleted records cannot be compared, and may be absent.
    if name.trim_start_matches("checkpoints/") < log.segments()[0] {
        return None;
    }
    let note = rewritten(log, &hand).get(name)?.clone();
    let mut files = log.files.clone();
    files.insert(name.to_owned(), note);
    Mutant::found_by(Level::Chain, files)
}

/// Points whose order is at most eight, and other encodings of them.
const SMALL_ORDER: [&str; 8] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
];

/// Signatures by keys of each type, by keys of small order, and none.
pub(crate) fn signatures(log: &Log) -> usize {
    if log.is_signed() { 2 * 256 + SMALL_ORDER.len() + 3 } else { 0 }
}

/// The newest one says the same, signed otherwise.
pub(crate) fn sign_otherwise(log: &Log, way: usize) -> Option<Mutant> {
    let newest = log.newest.as_deref()?;
    let honest = Note::parse(&log.files[newest]).unwrap();
    let (text, signature) = (honest.text(), &honest.signatures()[0]);
    let signer = log.last_key();
    let public = *signer.verifying_key().public_bytes();
    let (name, good) = (signature.name().as_str(), signature.bytes());
    let line =
        |kind: u8, public: &[u8; 32], bytes: &[u8]| signature_line(name, kind, public, bytes);
    let lines = match way {
        0..256 if way == 1 => return None, // The honest one.
        0..256 => line(u8::try_from(way).unwrap(), &public, good),
        256..512 => line(u8::try_from(way - 256).unwrap(), &public, &[0; 64]),
        512 => String::new(),
        513 => "\n".to_owned(),
        514 => line(1, &public, &[good, good].concat()),
        _ => {
            let point = Digest::from_hex(SMALL_ORDER[way - 515].as_bytes()).unwrap();
            line(1, point.as_bytes(), &[point.as_bytes().as_slice(), &[0; 32]].concat())
        }
    };
    let mut files: Files = log.files.clone();
    files.insert(newest.to_owned(), format!("{text}\n{lines}").into_bytes());
    Mutant::found_by(Level::Key, files)
}

/// A signature line by this key (c2sp.org/signed-note, "Signatures").
fn signature_line(name: &str, kind: u8, public: &[u8; 32], bytes: &[u8]) -> String {
    let hashed = [name.as_bytes(), b"\n", &[kind], public].concat();
    let id = Digest::of(&hashed);
    let told = STANDARD.encode([&id.as_bytes()[..4], bytes].concat());
    format!("\u{2014} {name} {told}\n")
}

impl Log {
    fn last_key(&self) -> SigningKey {
        let changes = self.steps.iter().filter(|step| **step == crate::logs::Step::ChangeKey);
        key(KEY + u8::try_from(changes.count()).unwrap())
    }
}

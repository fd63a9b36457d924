//! The checkpoints that lie beside a log: their names, and what each says.
//!
//! They are read before the segments are listed. A checkpoint covers records that are on disk before
//! it is, so a log that is being written never looks cut off.

use std::ffi::{OsStr, OsString};
use std::io;

use audit_checkpoint::{Checkpoint, Note};
use audit_core::limits::NOTE_BYTES_MAX;

use crate::finding::{Code, Finding, Ledger, Notice, NoticeCode};
use crate::source::{CHECKPOINTS, LogFile, LogSource, OpenError};

/// What the name of every checkpoint ends with.
const SUFFIX: &str = ".note";

/// What a checkpoint is called while it is being made.
const LEFTOVER: &str = ".new-segment";

/// A checkpoint in the folder. Nobody has asked yet who signed it.
#[derive(Debug)]
pub(crate) struct Lying {
    /// Its name in the folder.
    pub(crate) name: String,
    pub(crate) note: Note,
    pub(crate) checkpoint: Checkpoint,
}

/// Why a file of the folder was not taken.
enum Refused {
    /// It is gone again: the writer keeps only the newest of many.
    Gone,
    NotAFile(&'static str),
    Unreadable(io::Error),
    Malformed(String),
}

/// The path of a file of the folder, as a report has it.
pub(crate) fn path_of(name: &str) -> String {
    format!("{CHECKPOINTS}/{name}")
}

/// Shows every checkpoint in the folder, in the order of their names, and reports everything else.
/// Returns the size that a checkpoint may have which lies there and cannot be read.
pub(crate) fn read(
    source: &impl LogSource,
    ledger: &mut Ledger,
    visit: &mut dyn FnMut(Lying, &mut Ledger),
) -> Option<u64> {
    let names = match names(source) {
        Ok(names) => names,
        Err(error) => {
            ledger.find(not_read(CHECKPOINTS, "a folder", &error));
            return matches!(error, OpenError::Io(_)).then_some(u64::MAX);
        }
    };
    let mut unreadable = None;
    for name in names {
        let shown = name.to_string_lossy();
        if !name.as_encoded_bytes().ends_with(SUFFIX.as_bytes()) {
            ledger.note(other_file(&shown));
            continue;
        }
        match read_one(source, &shown) {
            Ok(lying) => {
                let due = name_of(lying.checkpoint.size());
                if due != lying.name {
                    ledger.find(finding(Code::CheckpointNameMismatch, &shown).expected(due));
                }
                visit(lying, ledger);
            }
            Err(Refused::Gone) => {}
            Err(Refused::NotAFile(kind)) => {
                let finding = finding(Code::CheckpointNotAFile, &shown);
                ledger.find(finding.expected("a file").found(kind));
            }
            Err(Refused::Unreadable(error)) => {
                ledger.find(finding(Code::CheckpointUnreadable, &shown).found(error));
                unreadable = unreadable.max(size_of(&shown));
            }
            Err(Refused::Malformed(why)) => {
                ledger.find(finding(Code::CheckpointMalformed, &shown).found(why));
            }
        }
    }
    unreadable
}

/// Reads one checkpoint again.
pub(crate) fn read_again(source: &impl LogSource, name: &str) -> Option<Lying> {
    read_one(source, name).ok()
}

/// Whether a checkpoint over at least so many records lies there by now.
pub(crate) fn has_since(source: &impl LogSource, size: u64) -> bool {
    let names = names(source).unwrap_or_default();
    names.iter().filter_map(|name| name.to_str()).any(|name| {
        size_of(name) >= Some(size)
            && read_again(source, name).is_some_and(|lying| lying.checkpoint.size() >= size)
    })
}

fn names(source: &impl LogSource) -> Result<Vec<OsString>, OpenError> {
    let mut names = Vec::new();
    source.visit_checkpoints(&mut |name: &OsStr| names.push(name.to_owned()))?;
    names.sort_unstable();
    Ok(names)
}

fn read_one(source: &impl LogSource, name: &str) -> Result<Lying, Refused> {
    let file = source.open_checkpoint(name).map_err(|error| match error {
        OpenError::NotAFile(kind) => Refused::NotAFile(kind),
        OpenError::Io(error) if error.kind() == io::ErrorKind::NotFound => Refused::Gone,
        OpenError::Io(error) => Refused::Unreadable(error),
    })?;
    let bytes = read_whole(&file).map_err(Refused::Unreadable)?;
    let note = Note::parse(&bytes).map_err(|error| Refused::Malformed(error.to_string()))?;
    let checkpoint = note.text().parse::<Checkpoint>();
    let checkpoint = checkpoint.map_err(|error| Refused::Malformed(error.to_string()))?;
    Ok(Lying { name: name.to_owned(), note, checkpoint })
}

/// All bytes of a file, or one more than a note may have.
fn read_whole(file: &impl LogFile) -> io::Result<Vec<u8>> {
    let most = NOTE_BYTES_MAX.saturating_add(1);
    let size = usize::try_from(file.size()?).unwrap_or(most).min(most);
    let mut bytes = vec![0; size];
    let mut length = 0_usize;
    while let Some(room) = bytes.get_mut(length..).filter(|room| !room.is_empty()) {
        let offset = u64::try_from(length).unwrap_or(u64::MAX);
        match file.read_at(offset, room)? {
            0 => break,
            more => length = length.saturating_add(more),
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}

/// `<size, 20 digits>.note`.
pub(crate) fn name_of(size: u64) -> String {
    format!("{size:020}{SUFFIX}")
}

fn size_of(name: &str) -> Option<u64> {
    let size = name.strip_suffix(SUFFIX)?.parse().ok()?;
    (name_of(size) == name).then_some(size)
}

fn finding(code: Code, name: &str) -> Finding {
    Finding::new(code, code.meaning()).in_file(&path_of(name))
}

fn not_read(path: &str, due: &str, error: &OpenError) -> Finding {
    let finding = |code: Code| Finding::new(code, code.meaning()).in_file(path);
    match error {
        OpenError::NotAFile(kind) => finding(Code::CheckpointNotAFile).expected(due).found(kind),
        OpenError::Io(error) => finding(Code::CheckpointUnreadable).found(error),
    }
}

fn other_file(name: &str) -> Notice {
    let (code, message) = if name == LEFTOVER {
        (NoticeCode::LeftoverCheckpoint, "a checkpoint that was never completed")
    } else {
        (NoticeCode::UnknownFile, "not a file of the log, and not looked at")
    };
    Notice::new(code, message).in_file(&path_of(name))
}

//! The checkpoints that lie beside a log: their names, and what each says.
//!
//! They are read before the segments are listed. A checkpoint covers records that are on disk before
//! it is, so a log that is being written never looks cut off. They are read one at a time, and
//! nothing of one is kept here.

use std::ffi::OsStr;
use std::io;
use std::ops::ControlFlow;

use audit_checkpoint::{Checkpoint, Note};
use audit_core::limits::NOTE_BYTES_MAX;

use crate::broken::{self, Broken};
use crate::finding::{Code, Finding, FirstNames, Ledger, Notice, NoticeCode};
use crate::scan::unknown_file;
use crate::source::{CHECKPOINTS, LogFile, LogSource, ManyNames, OpenError};

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
pub(crate) fn read(
    source: &impl LogSource,
    ledger: &mut Ledger,
    visit: &mut dyn FnMut(Lying, &mut Ledger),
) {
    let (names, others) = match names(source) {
        Ok(names) => names,
        Err(error) => return ledger.find(not_read(CHECKPOINTS, "a folder", &error)),
    };
    let more = others.show(&mut |name| ledger.note(other_file(name)));
    ledger.note_unlisted(NoticeCode::UnknownFile, more);
    let mut many_names = ManyNames::default();
    for name in names {
        match read_one(source, &name, &mut many_names) {
            Ok((lying, is_linked)) => {
                if is_linked {
                    ledger.note(Notice::hard_linked(&path_of(&name)));
                }
                let due = name_of(lying.checkpoint.size());
                if due != lying.name {
                    ledger.find(finding(Code::CheckpointNameMismatch, &name).expected(due));
                }
                visit(lying, ledger);
            }
            Err(refused) => refused.report(&name, ledger),
        }
    }
}

impl From<OpenError> for Refused {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::NotAFile(kind) => Self::NotAFile(kind),
            OpenError::Io(error) if error.kind() == io::ErrorKind::NotFound => Self::Gone,
            OpenError::Io(error) => Self::Unreadable(error),
        }
    }
}

impl Refused {
    fn report(self, name: &str, ledger: &mut Ledger) {
        match self {
            Self::Gone => {}
            Self::Unreadable(_) if broken::is(Broken::NoteUnread) => {}
            Self::NotAFile(kind) => {
                let finding = finding(Code::CheckpointNotAFile, name);
                ledger.find(finding.expected("a file").found(kind));
            }
            Self::Unreadable(error) => {
                ledger.find(finding(Code::CheckpointUnreadable, name).found(error));
            }
            Self::Malformed(why) => {
                ledger.find(finding(Code::CheckpointMalformed, name).found(why));
            }
        }
    }
}

/// Reads one checkpoint again.
pub(crate) fn read_again(source: &impl LogSource, name: &str) -> Option<Lying> {
    read_one(source, name, &mut ManyNames::default()).ok().map(|(lying, _)| lying)
}

/// Shows the checkpoints over at least so many records that lie there by now, the newest first,
/// until one is enough.
pub(crate) fn visit_since(
    source: &impl LogSource,
    size: u64,
    visit: &mut dyn FnMut(&Lying) -> ControlFlow<()>,
) {
    let Ok((names, _)) = names(source) else { return };
    let mut many_names = ManyNames::default();
    for name in names.iter().rev().filter(|name| size_of(name) >= Some(size)) {
        let lying = read_one(source, name, &mut many_names).ok().map(|(lying, _)| lying);
        let lying = lying.filter(|lying| lying.checkpoint.size() >= size);
        if lying.is_some_and(|lying| visit(&lying).is_break()) {
            return;
        }
    }
}

/// The names of checkpoints, in order, and all others.
fn names(source: &impl LogSource) -> Result<(Vec<String>, FirstNames), OpenError> {
    let (mut names, mut others) = (Vec::new(), FirstNames::default());
    source.visit_checkpoints(&mut |name: &OsStr| match name.to_str() {
        Some(text) if text.ends_with(SUFFIX) => names.push(text.to_owned()),
        Some(_) | None => others.add(name),
    })?;
    names.sort_unstable();
    Ok((names, others))
}

/// A checkpoint, and whether its file has several names.
fn read_one(
    source: &impl LogSource,
    name: &str,
    many_names: &mut ManyNames,
) -> Result<(Lying, bool), Refused> {
    let file = source.open_checkpoint(name)?;
    let is_linked = many_names.first_of(&file)?;
    let bytes = read_whole(&file).map_err(Refused::Unreadable)?;
    let note = Note::parse(&bytes).map_err(|error| Refused::Malformed(error.to_string()))?;
    let checkpoint = note.text().parse::<Checkpoint>();
    let checkpoint = checkpoint.map_err(|error| Refused::Malformed(error.to_string()))?;
    // What a log signs has none, so that its size and its root are all that it says.
    let line = broken::unless(Broken::NoteExtended, checkpoint.extensions().next());
    if let Some(line) = line {
        return Err(Refused::Malformed(format!("a line behind the root: {line}")));
    }
    Ok((Lying { name: name.to_owned(), note, checkpoint }, is_linked))
}

/// All bytes of a file, or one more than a note may have.
fn read_whole(file: &impl LogFile) -> io::Result<Vec<u8>> {
    let most = NOTE_BYTES_MAX.saturating_add(1);
    file.read_up_to(0, if broken::is(Broken::NoteUnbounded) { usize::MAX } else { most })
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
    let path = path_of(name);
    if name != LEFTOVER {
        return unknown_file(&path);
    }
    let message = "a checkpoint that was never completed";
    Notice::new(NoticeCode::LeftoverCheckpoint, message).in_file(&path)
}

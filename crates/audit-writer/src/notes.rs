//! The checkpoints beside a log, each a signed note in a file of its own.
//!
//! Anybody who can write the directory can put files there. A writer's own are those that its key, or
//! one whose place it took, has signed; nothing else there is read as a checkpoint, recorded, sent
//! anywhere, or a reason not to open the log.

use std::io::{self, ErrorKind};

use audit_checkpoint::{Checkpoint, Note, SignedCheckpoint, VerifyingKey};
use audit_core::limits::NOTE_BYTES_MAX;
use rustix::io::Errno;

use crate::broken::{self, Broken};
use crate::store::{SegmentFile, Store};
use crate::writer::put;

/// The folder that they are in.
pub(crate) const FOLDER: &str = "checkpoints";

const SUFFIX: &str = ".note";

/// Bytes of a number with the line feeds before and after it, at most.
const SIZE_LINE_BYTES_MAX: usize = 22;

/// `<size, 20 digits>.note`: names sort by size.
pub(crate) fn note_name(size: u64) -> String {
    format!("{size:020}{SUFFIX}")
}

/// The folder of a log's checkpoints, once there is one.
#[derive(Debug)]
pub(crate) struct Notes<S>(Option<S>);

/// A checkpoint that a log's own key has signed, and its note, which others may have signed too.
#[derive(Clone, Debug)]
pub(crate) struct OwnNote {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) note: String,
}

/// What is found in the folder.
#[derive(Clone, Debug, Default)]
pub(crate) struct Own {
    /// The own checkpoint over the most records.
    pub(crate) newest: Option<OwnNote>,
    /// Files called like a checkpoint over more records that are no own checkpoints.
    pub(crate) others: u64,
}

impl<S: Store> Notes<S> {
    /// Opens the folder, where there is one. What is no folder has no checkpoints.
    pub(crate) fn find(store: &S) -> io::Result<Self> {
        match store.folder(FOLDER) {
            Ok(folder) => Ok(Self(folder)),
            Err(error) if is_no_folder(&error) => Ok(Self(None)),
            Err(error) => Err(error),
        }
    }

    /// Whether a file there is called like a checkpoint, whoever made it.
    pub(crate) fn any(&self) -> io::Result<bool> {
        let Some(folder) = &self.0 else { return Ok(false) };
        Ok(folder.names()?.iter().any(|name| size_of(name).is_some()))
    }

    /// Makes the folder where there is none yet.
    pub(crate) fn make(&mut self, store: &mut S) -> io::Result<()> {
        if self.0.is_none() {
            self.0 = Some(store.make_folder(FOLDER)?);
        }
        Ok(())
    }

    /// Looks for the own checkpoint over the most records: one of these keys has signed it. What
    /// cannot be read is no own checkpoint. Of what is called as it is not, only the beginning is read.
    pub(crate) fn newest_own(&self, keys: &[VerifyingKey]) -> io::Result<Own> {
        let mut own = Own::default();
        let Some(folder) = &self.0 else { return Ok(own) };
        let mut sizes: Vec<_> = folder.names()?.iter().filter_map(|name| size_of(name)).collect();
        sizes.sort_unstable();
        // The first two lines: an own one begins with the name of its key, and with its size.
        let longest = keys.iter().map(|key| key.name().as_str().len()).max().unwrap_or_default();
        let beginning = longest.saturating_add(SIZE_LINE_BYTES_MAX);
        for size in sizes.into_iter().rev() {
            own.newest = read_of_size(folder, size, beginning)
                .and_then(|bytes| OwnNote::open(&bytes, keys))
                .filter(|own| own.checkpoint.size() == size);
            if own.newest.is_some() {
                break;
            }
            own.others = own.others.saturating_add(1);
        }
        Ok(own)
    }

    /// Keeps an own checkpoint, durably. An own one of this name that says the same is as good. What
    /// somebody else put there makes way: it is no reason not to sign, and where it contradicts the log
    /// it is moved aside, since it may be all that tells of records that are gone.
    pub(crate) fn keep(&mut self, own: &OwnNote, keys: &[VerifyingKey]) -> io::Result<()> {
        let folder = self.0.as_mut().ok_or(ErrorKind::NotFound)?;
        let name = note_name(own.checkpoint.size());
        let there = folder.open(&name);
        let is_taken = !there.is_err_and(|error| error.kind() == ErrorKind::NotFound);
        if is_taken && broken::is(Broken::ForeignKept) {
            return Ok(());
        }
        if is_taken {
            let there = read(folder, &name)?;
            if let Some(kept) = OwnNote::open(&there, keys) {
                if kept.checkpoint != own.checkpoint {
                    return Err(ErrorKind::AlreadyExists.into());
                }
                return folder.sync_dir();
            }
            if !says_the_same(&there, &own.checkpoint) && !broken::is(Broken::NoteOverwritten) {
                let aside = free_name(&folder.names()?, own.checkpoint.size());
                write(folder, &there)?;
                folder.publish(&aside)?;
                folder.sync_dir()?;
            }
        }
        write(folder, own.note.as_bytes())?;
        if is_taken {
            folder.remove(&name)?;
        }
        folder.publish(&name)?;
        broken::unless(Broken::NoteNameUnsynced, || folder.sync_dir())
    }

    /// The note of a checkpoint as it is now: others may have signed it too.
    pub(crate) fn read(&self, size: u64) -> io::Result<Vec<u8>> {
        let folder = self.0.as_ref().ok_or(ErrorKind::NotFound)?;
        read(folder, &note_name(size))
    }
}

impl OwnNote {
    /// Reads a note; `None` where it is no checkpoint that one of these keys has signed, or has lines
    /// that no writer adds.
    pub(crate) fn open(bytes: &[u8], keys: &[VerifyingKey]) -> Option<Self> {
        let note = Note::parse(bytes).ok()?;
        if broken::is(Broken::NoteByAnyone) {
            return Some(Self { checkpoint: note.text().parse().ok()?, note: note.to_string() });
        }
        let signed = SignedCheckpoint::open(note, keys).ok()?;
        let checkpoint = signed.checkpoint().clone();
        let is_plain = checkpoint.extensions().next().is_none() || broken::is(Broken::NoteExtended);
        is_plain.then(|| Self { checkpoint, note: signed.note().to_string() })
    }
}

/// Whether a note is over the same records, whoever signed it.
fn says_the_same(note: &[u8], own: &Checkpoint) -> bool {
    let text = Note::parse(note).ok().and_then(|note| note.text().parse::<Checkpoint>().ok());
    text.is_some_and(|said| (said.size(), said.root()) == (own.size(), own.root()))
}

/// A name under which what was in the way of a checkpoint is kept: still that of a note, so that a
/// verifier reads it, and of no size.
fn free_name(names: &[String], size: u64) -> String {
    let aside = |number: u64| format!("{size:020}.{number}{SUFFIX}");
    (1..u64::MAX).map(aside).find(|name| !names.contains(name)).unwrap_or_else(|| aside(0))
}

/// Writes a new file that has no name yet, durably.
fn write<S: Store>(folder: &mut S, bytes: &[u8]) -> io::Result<()> {
    let mut file = folder.create()?;
    if let (_, Some(cause)) = put(&mut file, bytes) {
        return Err(io::Error::new(cause.kind(), cause));
    }
    broken::unless(Broken::NoteUnsynced, || file.sync())
}

/// Reads a note that says in its second line, which is within so many bytes, that it is over as many
/// records as its name says; `None` for any other.
fn read_of_size<S: Store>(folder: &S, size: u64, beginning: usize) -> Option<Vec<u8>> {
    let file = folder.open(&note_name(size)).ok()?;
    let beginning = read_up_to(&file, beginning).ok()?;
    let said = beginning.split(|byte| *byte == b'\n').nth(1)?;
    let is_named_so = said == size.to_string().as_bytes();
    (is_named_so || broken::is(Broken::NoteReadWhole)).then(|| read_note(&file).ok()).flatten()
}

fn read<S: Store>(folder: &S, name: &str) -> io::Result<Vec<u8>> {
    read_note(&folder.open(name)?)
}

/// Reads a note, or one byte more than one may have, so that a longer one is none.
fn read_note(file: &impl SegmentFile) -> io::Result<Vec<u8>> {
    read_up_to(file, NOTE_BYTES_MAX.saturating_add(1))
}

/// Reads the beginning of a file.
fn read_up_to(file: &impl SegmentFile, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; most];
    let mut length = 0_usize;
    while let Some(rest) = bytes.get_mut(length..).filter(|rest| !rest.is_empty()) {
        let offset = u64::try_from(length).unwrap_or(u64::MAX);
        match file.read_at(offset, rest)? {
            0 => break,
            more => length = length.saturating_add(more),
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}

fn size_of(name: &str) -> Option<u64> {
    let size = name.strip_suffix(SUFFIX)?.parse().ok()?;
    (note_name(size) == name).then_some(size)
}

/// Whether something else than a folder has its name.
fn is_no_folder(error: &io::Error) -> bool {
    let errno = error.raw_os_error();
    [Errno::NOTDIR, Errno::LOOP].iter().any(|no_folder| errno == Some(no_folder.raw_os_error()))
}

//! Checkpoints in files: one that was kept, or the newest beside a log.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use audit_core::Inert;
use audit_core::limits::{NOTE_BYTES_MAX, POLICY_BYTES_MAX};
use audit_log::checkpoint::{Checkpoint, CheckpointError, Note, NoteError, Policy, PolicyError};
use audit_verify::{DirSource, LogFile as _, LogSource as _, OpenError};

/// Bytes in which the first two lines of a checkpoint are: its origin and its size.
const BEGINNING_BYTES: usize = 4_096;

/// Why a file gives no checkpoint.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoteFileError {
    #[error("cannot read {path}: {source}")]
    Read { path: String, source: io::Error },
    #[error("{path} is no signed note: {source}")]
    Note { path: String, source: NoteError },
    #[error("{path} is no policy: {source}")]
    Policy { path: String, source: Box<PolicyError> },
    #[error("{path} is no checkpoint: {source}")]
    Checkpoint { path: String, source: CheckpointError },
}

/// A checkpoint as a file says it. Nobody has checked a signature yet.
#[derive(Debug)]
pub(crate) struct Stated {
    pub(crate) note: Note,
    pub(crate) checkpoint: Checkpoint,
}

/// Reads a file of at most so many bytes; of a longer one, one byte more.
pub(crate) fn read_bounded(path: &Path, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let bytes_max = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    File::open(path)?.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a checkpoint.
pub(crate) fn read(path: &Path) -> Result<Stated, NoteFileError> {
    let shown = Inert(&path.to_string_lossy()).to_string();
    match read_bounded(path, NOTE_BYTES_MAX) {
        Ok(bytes) => Stated::parse(&bytes, shown),
        Err(source) => Err(NoteFileError::Read { path: shown, source }),
    }
}

impl Stated {
    fn parse(bytes: &[u8], path: String) -> Result<Self, NoteFileError> {
        let note = match Note::parse(bytes) {
            Ok(note) => note,
            Err(source) => return Err(NoteFileError::Note { path, source }),
        };
        match note.text().parse() {
            Ok(checkpoint) => Ok(Self { note, checkpoint }),
            Err(source) => Err(NoteFileError::Checkpoint { path, source }),
        }
    }
}

/// Reads a tlog-policy.
pub(crate) fn read_policy(path: &Path) -> Result<Policy, NoteFileError> {
    let path_text = || Inert(&path.to_string_lossy()).to_string();
    let bytes = read_bounded(path, POLICY_BYTES_MAX)
        .map_err(|source| NoteFileError::Read { path: path_text(), source })?;
    let policy = Policy::parse(&bytes).map_err(Box::new);
    policy.map_err(|source| NoteFileError::Policy { path: path_text(), source })
}

/// The checkpoint beside a log that covers most records, if there is any. What is called like one and
/// is none is passed over: anybody may have put it there.
pub(crate) fn newest(dir: &Path) -> Result<Option<Stated>, NoteFileError> {
    let Some(beside) = Beside::open(dir)? else { return Ok(None) };
    let mut sizes = Vec::new();
    beside.visit_sizes(&mut |size| sizes.push(size))?;
    sizes.sort_unstable();
    Ok(sizes.into_iter().rev().find_map(|size| beside.read(size)))
}

/// The most records that a checkpoint beside a log covers, as the names of these say.
pub(crate) fn newest_size(dir: &Path) -> Result<Option<u64>, NoteFileError> {
    let Some(beside) = Beside::open(dir)? else { return Ok(None) };
    let mut newest = None;
    beside.visit_sizes(&mut |size| newest = newest.max(Some(size)))?;
    Ok(newest)
}

/// What a checkpoint over so many records is called.
fn name_of(size: u64) -> String {
    format!("{size:020}.note")
}

/// The folder of the checkpoints beside a log. Whoever can write it may have put anything into it.
struct Beside {
    source: DirSource,
    shown: String,
}

impl Beside {
    /// `None` where there is no directory.
    fn open(dir: &Path) -> Result<Option<Self>, NoteFileError> {
        let shown = Inert(&dir.join("checkpoints").to_string_lossy()).to_string();
        match DirSource::open_dir(dir) {
            Ok(source) => Ok(Some(Self { source, shown })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(NoteFileError::Read { path: shown, source }),
        }
    }

    fn failed(&self, error: OpenError) -> NoteFileError {
        let source = match error {
            OpenError::Io(error) => error,
            error @ (OpenError::NotAFile(_) | _) => io::Error::other(error.to_string()),
        };
        NoteFileError::Read { path: self.shown.clone(), source }
    }

    /// Shows how many records each checkpoint covers, as its name says.
    fn visit_sizes(&self, visit: &mut dyn FnMut(u64)) -> Result<(), NoteFileError> {
        let visited = self.source.visit_checkpoints(&mut |name| {
            let digits = name.to_str().and_then(|name| name.strip_suffix(".note"));
            let size = digits.and_then(|digits| digits.parse::<u64>().ok());
            if let Some(size) = size.filter(|size| name.to_str() == Some(&name_of(*size))) {
                visit(size);
            }
        });
        visited.map_err(|error| self.failed(error))
    }

    /// The checkpoint over so many records, if that is what has its name. Of anything else only the
    /// beginning is read.
    fn read(&self, size: u64) -> Option<Stated> {
        let file = self.source.open_checkpoint(&name_of(size)).ok()?;
        let beginning = file.read_up_to(0, BEGINNING_BYTES).ok()?;
        let said = beginning.split(|byte| *byte == b'\n').nth(1)?;
        if said != size.to_string().as_bytes() {
            return None;
        }
        let bytes = file.read_up_to(0, NOTE_BYTES_MAX.saturating_add(1)).ok()?;
        let stated = Stated::parse(&bytes, self.shown.clone()).ok()?;
        (stated.checkpoint.size() == size).then_some(stated)
    }
}

//! Checkpoints in files: one that was kept, or the newest beside a log.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use audit_core::Inert;
use audit_core::limits::{NOTE_BYTES_MAX, POLICY_BYTES_MAX};
use audit_log::checkpoint::{Checkpoint, CheckpointError, Note, NoteError, Policy, PolicyError};

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
    let path_text = || Inert(&path.to_string_lossy()).to_string();
    let bytes = read_bounded(path, NOTE_BYTES_MAX)
        .map_err(|source| NoteFileError::Read { path: path_text(), source })?;
    let note =
        Note::parse(&bytes).map_err(|source| NoteFileError::Note { path: path_text(), source })?;
    let checkpoint = note.text().parse();
    let checkpoint =
        checkpoint.map_err(|source| NoteFileError::Checkpoint { path: path_text(), source })?;
    Ok(Stated { note, checkpoint })
}

/// Reads a tlog-policy.
pub(crate) fn read_policy(path: &Path) -> Result<Policy, NoteFileError> {
    let path_text = || Inert(&path.to_string_lossy()).to_string();
    let bytes = read_bounded(path, POLICY_BYTES_MAX)
        .map_err(|source| NoteFileError::Read { path: path_text(), source })?;
    let policy = Policy::parse(&bytes).map_err(Box::new);
    policy.map_err(|source| NoteFileError::Policy { path: path_text(), source })
}

/// The checkpoint beside a log that covers most records, if there is any.
pub(crate) fn newest(dir: &Path) -> Result<Option<Stated>, NoteFileError> {
    named(dir)?.map(|(_, path)| read(&path)).transpose()
}

/// The most records that a checkpoint beside a log covers, as the names of these say.
pub(crate) fn newest_size(dir: &Path) -> Result<Option<u64>, NoteFileError> {
    Ok(named(dir)?.map(|(size, _)| size))
}

/// How many records the newest checkpoint covers, and where it lies.
fn named(dir: &Path) -> Result<Option<(u64, PathBuf)>, NoteFileError> {
    let folder = dir.join("checkpoints");
    let failed = |source| {
        let path = Inert(&folder.to_string_lossy()).to_string();
        NoteFileError::Read { path, source }
    };
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        entries => entries.map_err(failed)?,
    };
    let mut newest = None;
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let size = path.file_stem().and_then(|digits| digits.to_str()?.parse::<u64>().ok());
        newest = newest.max(
            size.filter(|size| path.ends_with(format!("{size:020}.note"))).map(|size| (size, path)),
        );
    }
    Ok(newest)
}

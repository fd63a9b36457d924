//! The checkpoints beside a log, each a signed note in a file of its own.

use std::io;

use audit_core::limits::NOTE_BYTES_MAX;

use crate::broken::{self, Broken};
use crate::store::{SegmentFile, Store};
use crate::writer::put;

/// The folder that they are in.
pub(crate) const FOLDER: &str = "checkpoints";

const SUFFIX: &str = ".note";

/// `<size, 20 digits>.note`: names sort by size.
pub(crate) fn note_name(size: u64) -> String {
    format!("{size:020}{SUFFIX}")
}

/// The folder of a log's checkpoints.
#[derive(Debug)]
pub(crate) struct Notes<S>(S);

impl<S: Store> Notes<S> {
    pub(crate) fn new(folder: S) -> Self {
        Self(folder)
    }

    /// The checkpoint over the most records: that number, as the name has it, and its bytes.
    pub(crate) fn newest(&self) -> io::Result<Option<(u64, Vec<u8>)>> {
        let sizes = self.0.names()?.into_iter().filter_map(|name| size_of(&name)).max();
        sizes.map(|size| Ok((size, self.read(&note_name(size))?))).transpose()
    }

    /// Keeps a checkpoint, durably. One of this name that says the same is as good.
    pub(crate) fn keep(&mut self, size: u64, note: &str) -> io::Result<()> {
        let name = note_name(size);
        if self.0.names()?.contains(&name) {
            if self.read(&name)? != note.as_bytes() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            return self.0.sync_dir();
        }
        let mut file = self.0.create()?;
        if let (_, Some(cause)) = put(&mut file, note.as_bytes()) {
            return Err(io::Error::new(cause.kind(), cause));
        }
        broken::unless(Broken::NoteUnsynced, || file.sync())?;
        self.0.publish(&name)?;
        broken::unless(Broken::NoteNameUnsynced, || self.0.sync_dir())
    }

    pub(crate) fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let file = self.0.open(name)?;
        // One byte more than a note may have, so that a longer one is none.
        let mut bytes = vec![0; NOTE_BYTES_MAX.saturating_add(1)];
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
}

fn size_of(name: &str) -> Option<u64> {
    let size = name.strip_suffix(SUFFIX)?.parse().ok()?;
    (note_name(size) == name).then_some(size)
}

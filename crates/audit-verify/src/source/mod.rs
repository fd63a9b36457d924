//! Where a log's bytes come from: a directory, or memory.

mod dir;
mod memory;

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fmt::Debug;
use std::io;

use crate::broken::{self, Broken};

pub use dir::{DirFile, DirSource};
pub use memory::{MemoryFile, MemorySource};

/// The files of one log. Nothing in them is trusted.
pub trait LogSource: Debug {
    /// An open file.
    type File<'s>: LogFile
    where
        Self: 's;

    /// Shows every name in the log's directory, once each, in any order.
    ///
    /// # Errors
    ///
    /// The directory cannot be listed.
    fn visit_names(&self, visit: &mut dyn FnMut(&OsStr)) -> io::Result<()>;

    /// Opens a file for reading, following no link and waiting for nobody.
    ///
    /// # Errors
    ///
    /// [`OpenError::NotAFile`] when something else has the name, [`OpenError::Io`] when the file
    /// cannot be opened.
    fn open(&self, name: &str) -> Result<Self::File<'_>, OpenError>;

    /// Shows every name in the folder `checkpoints` of that directory, once each, in any order. Where
    /// there is no such folder, there is none to show.
    ///
    /// # Errors
    ///
    /// [`OpenError::NotAFile`] when something else than a folder has its name, [`OpenError::Io`]
    /// when it cannot be listed.
    fn visit_checkpoints(&self, visit: &mut dyn FnMut(&OsStr)) -> Result<(), OpenError>;

    /// Opens a file of that folder, as [`open`](Self::open) does one of the directory.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    fn open_checkpoint(&self, name: &str) -> Result<Self::File<'_>, OpenError>;
}

/// The folder of the checkpoints.
pub(crate) const CHECKPOINTS: &str = "checkpoints";

/// An open file of a log, which several threads may read.
pub trait LogFile: Debug + Sync {
    /// How many bytes it has now.
    ///
    /// # Errors
    ///
    /// That cannot be told.
    fn size(&self) -> io::Result<u64>;

    /// Reads bytes from `offset` into the beginning of `buffer`, and returns how many: 0 at the end
    /// of the file.
    ///
    /// # Errors
    ///
    /// They cannot be read. A signal is no error.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// All bytes from `offset` on, or as many as asked for.
    ///
    /// # Errors
    ///
    /// They cannot be read.
    fn read_up_to(&self, offset: u64, most: usize) -> io::Result<Vec<u8>> {
        let left = usize::try_from(self.size()?.saturating_sub(offset)).unwrap_or(most);
        let mut bytes = vec![0; left.min(most)];
        let mut length = 0_usize;
        while let Some(room) = bytes.get_mut(length..).filter(|room| !room.is_empty()) {
            let at = offset.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
            match self.read_at(at, room)? {
                0 => break,
                more => length = length.saturating_add(more),
            }
        }
        bytes.truncate(length);
        Ok(bytes)
    }

    /// Which file it is; `None` where files are told by their names alone.
    fn identity(&self) -> Option<FileIdentity> {
        None
    }

    /// Where, from `offset` on, there is something to read: all before it is a hole, which reads as
    /// NULs and takes no room on the disk. Who cannot tell says that there is something everywhere.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    fn data_from(&self, offset: u64) -> io::Result<u64> {
        Ok(offset)
    }
}

/// Which file one is, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    /// The number of its device.
    pub device: u64,
    /// The number of its inode, which no other file of the device has.
    pub inode: u64,
    /// Whether it has more than one name (hard links), here or elsewhere.
    pub is_linked: bool,
}

/// Files of several names, each of which is to be read once.
#[derive(Debug, Default)]
pub(crate) struct ManyNames(HashSet<(u64, u64)>);

impl ManyNames {
    /// Whether a file has several names. It was not read yet.
    ///
    /// # Errors
    ///
    /// It was read already, under another name of the log: one of both is false.
    pub(crate) fn first_of(&mut self, file: &impl LogFile) -> Result<bool, OpenError> {
        let Some(FileIdentity { device, inode, is_linked: true }) = file.identity() else {
            return Ok(false);
        };
        if self.0.insert((device, inode)) || broken::is(Broken::LinkReadAgain) {
            return Ok(true);
        }
        Err(OpenError::NotAFile("another name of a file that was read"))
    }
}

/// A file was not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The name belongs to a link, a pipe, a directory or a device, or is a second one of a file; that
    /// of a folder belongs to anything else.
    #[error("it is {0}, which is not read")]
    NotAFile(&'static str),
    /// Opening it failed.
    #[error("it cannot be opened: {0}")]
    Io(#[from] io::Error),
}

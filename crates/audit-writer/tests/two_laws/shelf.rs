//! A directory in memory, in which some names are no files that can be read.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;

use audit_verify::{LogSource, MemoryFile, MemorySource, OpenError};

use crate::builder::Files;

/// What stands under a name that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// Its mode lets nobody read it.
    Denied,
    /// Another process holds a lease on it.
    Leased,
    /// A link, a pipe or a directory.
    Other,
}

/// Files, and names that something else has.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    files: MemorySource,
    obstacles: BTreeMap<String, Obstacle>,
}

impl Shelf {
    pub(crate) fn new(mut files: Files, obstacles: BTreeMap<String, Obstacle>) -> Self {
        // They are listed like files.
        files.extend(obstacles.keys().map(|name| (name.clone(), Vec::new())));
        Self { files: MemorySource::new(files), obstacles }
    }

    fn pass(&self, path: &str) -> Result<(), OpenError> {
        match self.obstacles.get(path) {
            None => Ok(()),
            Some(Obstacle::Denied) => Err(OpenError::Io(io::ErrorKind::PermissionDenied.into())),
            Some(Obstacle::Leased) => Err(OpenError::Io(io::ErrorKind::WouldBlock.into())),
            Some(Obstacle::Other) => Err(OpenError::NotAFile("a symbolic link")),
        }
    }
}

impl LogSource for Shelf {
    type File<'s> = MemoryFile<'s>;

    fn visit_names(&self, visit: &mut dyn FnMut(&OsStr)) -> io::Result<()> {
        self.files.visit_names(visit)
    }

    fn open(&self, name: &str) -> Result<MemoryFile<'_>, OpenError> {
        self.pass(name).and_then(|()| self.files.open(name))
    }

    fn visit_checkpoints(&self, visit: &mut dyn FnMut(&OsStr)) -> Result<(), OpenError> {
        self.files.visit_checkpoints(visit)
    }

    fn open_checkpoint(&self, name: &str) -> Result<MemoryFile<'_>, OpenError> {
        self.pass(&format!("checkpoints/{name}")).and_then(|()| self.files.open_checkpoint(name))
    }
}

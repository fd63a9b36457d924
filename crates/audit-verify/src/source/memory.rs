//! A log in memory.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;

use super::{CHECKPOINTS, LogFile, LogSource, OpenError};

/// The files of a log by their names: what a simulated disk holds, or what came over a network. A
/// checkpoint has the name of its folder before its own: `checkpoints/00000000000000000008.note`.
#[derive(Clone, Debug, Default)]
pub struct MemorySource {
    files: BTreeMap<String, Vec<u8>>,
}

/// A file of a [`MemorySource`].
#[derive(Clone, Copy, Debug)]
pub struct MemoryFile<'s>(&'s [u8]);

impl MemorySource {
    /// Takes the files.
    #[must_use]
    pub fn new(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self { files }
    }
}

impl LogSource for MemorySource {
    type File<'s> = MemoryFile<'s>;

    fn visit_names(&self, visit: &mut dyn FnMut(&OsStr)) -> io::Result<()> {
        let mut last = "";
        for path in self.files.keys() {
            let name = path.split_once('/').map_or(path.as_str(), |(folder, _)| folder);
            // A file and a folder of one name cannot be, but in memory.
            if name != last {
                visit(OsStr::new(name));
            }
            last = name;
        }
        Ok(())
    }

    fn open(&self, name: &str) -> Result<MemoryFile<'_>, OpenError> {
        let bytes = self.files.get(name).ok_or(io::ErrorKind::NotFound);
        Ok(MemoryFile(bytes.map_err(io::Error::from)?))
    }

    fn visit_checkpoints(&self, visit: &mut dyn FnMut(&OsStr)) -> Result<(), OpenError> {
        if self.files.contains_key(CHECKPOINTS) {
            return Err(OpenError::NotAFile("a file"));
        }
        let paths = self.files.keys().filter_map(|path| path.split_once('/'));
        for (_, name) in paths.filter(|(folder, _)| *folder == CHECKPOINTS) {
            visit(OsStr::new(name));
        }
        Ok(())
    }

    fn open_checkpoint(&self, name: &str) -> Result<MemoryFile<'_>, OpenError> {
        self.open(&format!("{CHECKPOINTS}/{name}"))
    }
}

impl LogFile for MemoryFile<'_> {
    fn size(&self) -> io::Result<u64> {
        u64::try_from(self.0.len()).map_err(io::Error::other)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.0.get(from..).unwrap_or_default();
        let taken = rest.len().min(buffer.len());
        let (bytes, room) = (rest.get(..taken), buffer.get_mut(..taken));
        if let (Some(bytes), Some(room)) = (bytes, room) {
            room.copy_from_slice(bytes);
        }
        Ok(taken)
    }
}

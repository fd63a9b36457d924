//! A log in memory that notes who reads how much of it, and of which one file cannot be read, or
//! changes meanwhile.

use std::ffi::OsStr;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, ThreadId};

use audit_verify::{LogFile, LogSource, MemoryFile, MemorySource, OpenError};

use crate::builder::Files;

/// What becomes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// It cannot be opened, or if it is the folder of the checkpoints, listed.
    Denied,
    /// It cannot be read from this byte on.
    Unreadable(usize),
    /// It had more bytes than this when it was asked.
    Shrinks(usize),
    /// It had this many bytes when it was first asked, and all of them later.
    Grows(usize),
}

#[derive(Debug)]
pub(crate) struct Watched {
    files: MemorySource,
    fault: Fault,
    /// The file that it befalls.
    name: String,
    reads: Mutex<Vec<(ThreadId, usize)>>,
}

impl Watched {
    /// Nothing befalls it.
    pub(crate) fn new(files: Files) -> Self {
        let (files, name) = (MemorySource::new(files), String::new());
        Self { files, fault: Fault::None, name, reads: Mutex::default() }
    }

    pub(crate) fn with(self, fault: Fault, name: &str) -> Self {
        Self { fault, name: name.to_owned(), ..self }
    }

    /// What befalls a file, unless it cannot be looked at.
    fn fault_of(&self, name: &str) -> Result<Fault, OpenError> {
        let fault = if name == self.name { self.fault } else { Fault::None };
        if fault == Fault::Denied {
            return Err(io::Error::from(io::ErrorKind::PermissionDenied).into());
        }
        Ok(fault)
    }

    /// Each read, by whom and of how many bytes.
    pub(crate) fn reads(&self) -> Vec<(ThreadId, usize)> {
        self.reads.lock().unwrap().clone()
    }
}

#[derive(Debug)]
pub(crate) struct WatchedFile<'s> {
    file: MemoryFile<'s>,
    fault: Fault,
    was_asked: AtomicBool,
    source: &'s Watched,
}

impl LogSource for Watched {
    type File<'s> = WatchedFile<'s>;

    fn visit_names(&self, visit: &mut dyn FnMut(&OsStr)) -> io::Result<()> {
        self.files.visit_names(visit)
    }

    fn open(&self, name: &str) -> Result<WatchedFile<'_>, OpenError> {
        let fault = self.fault_of(name)?;
        let was_asked = AtomicBool::new(false);
        Ok(WatchedFile { file: self.files.open(name)?, fault, was_asked, source: self })
    }

    fn visit_checkpoints(&self, visit: &mut dyn FnMut(&OsStr)) -> Result<(), OpenError> {
        self.fault_of("checkpoints")?;
        self.files.visit_checkpoints(visit)
    }

    fn open_checkpoint(&self, name: &str) -> Result<WatchedFile<'_>, OpenError> {
        self.open(&format!("checkpoints/{name}"))
    }
}

impl LogFile for WatchedFile<'_> {
    fn size(&self) -> io::Result<u64> {
        match self.fault {
            Fault::Grows(at) if !self.was_asked.swap(true, Relaxed) => {
                Ok(u64::try_from(at).unwrap())
            }
            Fault::None
            | Fault::Denied
            | Fault::Unreadable(_)
            | Fault::Shrinks(_)
            | Fault::Grows(_) => self.file.size(),
        }
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let at = usize::try_from(offset).unwrap();
        let room = match self.fault {
            Fault::Unreadable(end) if at >= end => return Err(io::Error::other("a bad block")),
            Fault::Unreadable(end) | Fault::Shrinks(end) => end.saturating_sub(at),
            Fault::None | Fault::Denied | Fault::Grows(_) => buffer.len(),
        };
        let room = room.min(buffer.len());
        let read = self.file.read_at(offset, &mut buffer[..room])?;
        self.source.reads.lock().unwrap().push((thread::current().id(), read));
        Ok(read)
    }
}

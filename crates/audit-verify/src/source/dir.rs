//! A log in a directory of this machine.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{self, FileType, Mode, OFlags, SeekFrom};
use rustix::io::{Errno, retry_on_intr};

use super::{CHECKPOINTS, FileIdentity, LogFile, LogSource, OpenError};
use crate::broken::{self, Broken};

/// A directory, held by its descriptor: whoever moves or replaces its path while the log is being
/// verified does not lead the verifier elsewhere.
#[derive(Debug)]
pub struct DirSource {
    dir: OwnedFd,
}

/// A file of a [`DirSource`].
#[derive(Debug)]
pub struct DirFile {
    file: OwnedFd,
    identity: FileIdentity,
}

impl DirSource {
    /// Opens a directory. Nothing is locked, made or changed.
    ///
    /// # Errors
    ///
    /// There is none at `path`, or it cannot be read.
    pub fn open_dir(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = retry_on_intr(|| fs::open(path, flags, Mode::empty()))?;
        Ok(Self { dir })
    }

    /// The folder of the checkpoints, which no link leads to.
    fn checkpoints(&self) -> rustix::io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        retry_on_intr(|| fs::openat(&self.dir, CHECKPOINTS, flags, Mode::empty()))
    }
}

impl LogSource for DirSource {
    type File<'s> = DirFile;

    fn visit_names(&self, visit: &mut dyn FnMut(&OsStr)) -> io::Result<()> {
        visit_names_of(&self.dir, visit)
    }

    fn open(&self, name: &str) -> Result<DirFile, OpenError> {
        open_in(&self.dir, name)
    }

    fn visit_checkpoints(&self, visit: &mut dyn FnMut(&OsStr)) -> Result<(), OpenError> {
        match self.checkpoints() {
            Ok(folder) => Ok(visit_names_of(&folder, visit)?),
            Err(Errno::NOENT) => Ok(()),
            Err(Errno::NOTDIR | Errno::LOOP) => Err(OpenError::NotAFile("no folder")),
            Err(error) => Err(OpenError::Io(error.into())),
        }
    }

    fn open_checkpoint(&self, name: &str) -> Result<DirFile, OpenError> {
        open_in(&self.checkpoints().map_err(io::Error::from)?, name)
    }
}

fn visit_names_of(dir: &OwnedFd, visit: &mut dyn FnMut(&OsStr)) -> io::Result<()> {
    for entry in fs::Dir::read_from(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            visit(OsStr::from_bytes(name));
        }
    }
    Ok(())
}

fn open_in(dir: &OwnedFd, name: &str) -> Result<DirFile, OpenError> {
    // Without NONBLOCK, opening a pipe would wait for someone to write to it.
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let unset = if broken::is(Broken::LinkFollowed) { OFlags::NOFOLLOW } else { OFlags::empty() };
    let flags = flags.difference(unset);
    let file = match retry_on_intr(|| fs::openat(dir, name, flags, Mode::empty())) {
        Ok(file) => file,
        Err(Errno::LOOP) => return Err(OpenError::NotAFile("a symbolic link")),
        Err(Errno::NXIO) => return Err(OpenError::NotAFile("a socket or a device")),
        Err(error) => return Err(OpenError::Io(error.into())),
    };
    let stat = fs::fstat(&file).map_err(io::Error::from)?;
    let (device, inode, is_linked) = (stat.st_dev, stat.st_ino, stat.st_nlink > 1);
    let identity = FileIdentity { device, inode, is_linked };
    match broken::unless(Broken::KindUnasked, other_kind(FileType::from_raw_mode(stat.st_mode))) {
        None => Ok(DirFile { file, identity }),
        Some(kind) => Err(OpenError::NotAFile(kind)),
    }
}

/// What something is that is no regular file.
fn other_kind(file_type: FileType) -> Option<&'static str> {
    match file_type {
        FileType::RegularFile => None,
        FileType::Directory => Some("a directory"),
        FileType::Symlink => Some("a symbolic link"),
        FileType::Fifo => Some("a pipe"),
        FileType::Socket => Some("a socket"),
        FileType::CharacterDevice | FileType::BlockDevice => Some("a device"),
        FileType::Unknown => Some("of a kind that nobody knows"),
    }
}

impl LogFile for DirFile {
    fn size(&self) -> io::Result<u64> {
        u64::try_from(fs::fstat(&self.file)?.st_size).map_err(io::Error::other)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(retry_on_intr(|| rustix::io::pread(&self.file, &mut *buffer, offset))?)
    }

    fn identity(&self) -> Option<FileIdentity> {
        Some(self.identity)
    }

    fn data_from(&self, offset: u64) -> io::Result<u64> {
        match fs::seek(&self.file, SeekFrom::Data(offset)) {
            Ok(data) => Ok(data),
            // Nothing follows but a hole.
            Err(Errno::NXIO) => self.size(),
            Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok(offset),
            Err(error) => Err(error.into()),
        }
    }
}

//! A directory of this machine.

mod file_system;

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use audit_core::RecordTime;
use audit_core::lifecycle::FileId;
use chrono::DateTime;
use rustix::fs::{
    self, Advice, AtFlags, FallocateFlags, FlockOperation, Mode, OFlags, RenameFlags, StatxFlags,
};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::Resource;

use super::{Identity, Link, SegmentFile, Sight, Store};
use crate::broken::{self, Broken};
use crate::segment::NEW_SEGMENT;
pub use file_system::FileSystemKind;

const DIR_MODE: Mode = Mode::RWXU;
const FILE_MODE: Mode = Mode::from_raw_mode(0o600);
const SEALED_MODE: Mode = Mode::from_raw_mode(0o400);

/// A log's directory, held by its descriptor: renaming or replacing the path while the log is open
/// does not lead the writer elsewhere.
#[derive(Debug)]
pub struct RealStore {
    dir: OwnedFd,
    /// The process that opened it, which alone may let its lock go.
    pid: u32,
}

/// A file in such a directory.
#[derive(Debug)]
pub struct RealSegment {
    file: OwnedFd,
}

impl RealStore {
    /// Opens a directory that exists, without locking it.
    ///
    /// # Errors
    ///
    /// It is not there, is no directory, or cannot be opened.
    pub fn open_existing(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = retry_on_intr(|| fs::open(path, flags, Mode::empty()))?;
        Ok(Self { dir, pid: std::process::id() })
    }

    /// Opens a directory without locking it, making it (mode 0700) if only its last component is
    /// missing.
    ///
    /// # Errors
    ///
    /// It cannot be made or opened.
    pub fn open_dir(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let open = || retry_on_intr(|| fs::open(path, flags, Mode::empty()));
        let dir = match open() {
            Err(Errno::NOENT) => {
                match fs::mkdir(path, DIR_MODE) {
                    Err(error) if error != Errno::EXIST => return Err(error.into()),
                    Ok(()) | Err(_) => {}
                }
                sync_parent(path)?;
                open()?
            }
            opened => opened?,
        };
        Ok(Self { dir, pid: std::process::id() })
    }

    /// On what kind of file system the directory is.
    ///
    /// # Errors
    ///
    /// The system does not say.
    pub fn file_system(&self) -> io::Result<FileSystemKind> {
        let about = retry_on_intr(|| fs::fstatfs(&self.dir))?;
        Ok(FileSystemKind::from_magic(about.f_type))
    }

    /// Takes the lock that keeps other writers out, without waiting; whether it was free. The lock
    /// is on the directory itself and ends with this store, or with the process and its forks, so
    /// nobody can delete it and a crash does not leave it behind.
    ///
    /// # Errors
    ///
    /// The file system has no locks.
    pub fn try_lock(&self) -> io::Result<bool> {
        match retry_on_intr(|| fs::flock(&self.dir, FlockOperation::NonBlockingLockExclusive)) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(broken::is(Broken::LockIgnored)),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for RealStore {
    /// A child that was forked has the descriptor too, if only until it runs another program, so
    /// closing that would not always free the lock. The child must not: the lock is one.
    fn drop(&mut self) {
        if std::process::id() == self.pid {
            retry_on_intr(|| fs::flock(&self.dir, FlockOperation::Unlock)).unwrap_or_default();
        }
    }
}

/// A directory that was just made is itself an entry that a power cut can take away.
fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let parent = retry_on_intr(|| fs::open(parent, flags, Mode::empty()))?;
    Ok(retry_on_intr(|| fs::fsync(&parent))?)
}

impl Store for RealStore {
    type Segment = RealSegment;

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::Dir::read_from(&self.dir)? {
            if let Ok(name) = entry?.file_name().to_str() {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    fn open(&self, name: &str) -> io::Result<RealSegment> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = retry_on_intr(|| fs::openat(&self.dir, name, flags, Mode::empty()))?;
        let kind = fs::FileType::from_raw_mode(fs::fstat(&file)?.st_mode);
        if !kind.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok(RealSegment { file })
    }

    fn folder(&self, name: &str) -> io::Result<Option<Self>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match retry_on_intr(|| fs::openat(&self.dir, name, flags, Mode::empty())) {
            Ok(dir) => Ok(Some(Self { dir, pid: self.pid })),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn make_folder(&mut self, name: &str) -> io::Result<Self> {
        match fs::mkdirat(&self.dir, name, DIR_MODE) {
            Ok(()) => retry_on_intr(|| fs::fsync(&self.dir))?,
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        self.folder(name)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn create(&mut self) -> io::Result<RealSegment> {
        match fs::unlinkat(&self.dir, NEW_SEGMENT, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
        let flags = OFlags::WRONLY
            | OFlags::APPEND
            | OFlags::CREATE
            | OFlags::EXCL
            | OFlags::NOFOLLOW
            | OFlags::CLOEXEC;
        let file = retry_on_intr(|| fs::openat(&self.dir, NEW_SEGMENT, flags, FILE_MODE))?;
        Ok(RealSegment { file })
    }

    fn publish(&mut self, name: &str) -> io::Result<()> {
        let renamed =
            fs::renameat_with(&self.dir, NEW_SEGMENT, &self.dir, name, RenameFlags::NOREPLACE);
        match renamed {
            // Some file systems cannot rename without replacing; a link never replaces.
            Err(Errno::INVAL | Errno::NOSYS) => {
                fs::linkat(&self.dir, NEW_SEGMENT, &self.dir, name, AtFlags::empty())?;
                Ok(fs::unlinkat(&self.dir, NEW_SEGMENT, AtFlags::empty())?)
            }
            renamed => Ok(renamed?),
        }
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        Ok(fs::unlinkat(&self.dir, name, AtFlags::empty())?)
    }

    fn look(&self, name: &str, file: &RealSegment) -> io::Result<Sight> {
        let open = fs::fstat(&file.file)?;
        let link = match fs::statat(&self.dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(named) if (named.st_dev, named.st_ino) == (open.st_dev, open.st_ino) => Link::Same,
            Ok(_) => Link::Other,
            Err(Errno::NOENT) => Link::Gone,
            Err(error) => return Err(error.into()),
        };
        Ok(Sight { bytes: u64::try_from(open.st_size).unwrap_or_default(), link })
    }

    fn release(&mut self, name: &str) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = retry_on_intr(|| fs::openat(&self.dir, name, flags, Mode::empty()))?;
        let length = u64::try_from(fs::fstat(&file)?.st_size).unwrap_or_default();
        Ok(retry_on_intr(|| fs::ftruncate(&file, length))?)
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let free = retry_on_intr(|| fs::fstatvfs(&self.dir))?;
        Ok(free.f_bavail.saturating_mul(free.f_frsize))
    }

    fn file_bytes_max(&self) -> Option<u64> {
        rustix::process::getrlimit(Resource::Fsize).current
    }

    fn sync_dir(&mut self) -> io::Result<()> {
        Ok(retry_on_intr(|| fs::fsync(&self.dir))?)
    }

    fn random(&mut self) -> io::Result<[u8; 16]> {
        let mut bits = [0; 16];
        let flags = rustix::rand::GetRandomFlags::empty();
        // Requests of up to 256 bytes are answered whole: getrandom(2).
        retry_on_intr(|| rustix::rand::getrandom(&mut bits, flags))?;
        Ok(bits)
    }

    fn identity(&self) -> Identity {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let host = audit_core::Inert(&host).to_string();
        let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
        Identity {
            host: Some(host),
            pid: u32::try_from(rustix::process::getpid().as_raw_nonzero().get()).ok(),
            boot_id: boot_id.map(|id| id.trim_end().to_owned()),
        }
    }

    fn id(&self) -> Option<FileId> {
        self.file_system().ok().filter(|kind| kind.keeps_inodes())?;
        file_id(&self.dir)
    }
}

/// statx(2) says when a file was made, where its file system knows that.
fn file_id(file: &OwnedFd) -> Option<FileId> {
    let wanted = StatxFlags::INO | StatxFlags::BTIME;
    let seen = retry_on_intr(|| fs::statx(file, c"", AtFlags::EMPTY_PATH, wanted)).ok()?;
    if !StatxFlags::from_bits_retain(seen.stx_mask).contains(wanted) {
        return None;
    }
    let born = DateTime::from_timestamp(seen.stx_btime.tv_sec, seen.stx_btime.tv_nsec)?;
    Some(FileId { inode: seen.stx_ino, born: RecordTime::new(born) })
}

impl SegmentFile for RealSegment {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(retry_on_intr(|| rustix::io::write(&self.file, bytes))?)
    }

    fn allocate(&mut self, from: u64, end: u64) -> io::Result<()> {
        let bytes = end.saturating_sub(from);
        if bytes == 0 {
            return Ok(());
        }
        let flags = FallocateFlags::KEEP_SIZE;
        Ok(retry_on_intr(|| fs::fallocate(&self.file, flags, from, bytes))?)
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(retry_on_intr(|| fs::fdatasync(&self.file))?)
    }

    fn drop_cache(&mut self) -> io::Result<()> {
        Ok(fs::fadvise(&self.file, 0, None, Advice::DontNeed)?)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(retry_on_intr(|| rustix::io::pread(&self.file, &mut *buffer, offset))?)
    }

    fn length(&self) -> io::Result<u64> {
        u64::try_from(fs::fstat(&self.file)?.st_size).map_err(io::Error::other)
    }

    fn seal(&mut self) -> io::Result<()> {
        Ok(fs::fchmod(&self.file, SEALED_MODE)?)
    }

    fn id(&self) -> Option<FileId> {
        file_id(&self.file)
    }
}

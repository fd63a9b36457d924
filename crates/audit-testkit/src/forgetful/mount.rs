//! The file system in the tree of this machine, by FUSE.
//!
//! Nothing is cached by the kernel: reads and writes are direct, and names and attributes are valid
//! for no time at all.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{
    BackgroundSession, BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem,
    FopenFlags, Generation, INodeNo, LockOwner, MountOption, OpenFlags, RenameFlags, ReplyAttr,
    ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs,
    ReplyWrite, Request, Session, TimeOrNow, WriteFlags,
};

use super::disk::{ForgetfulDisk, Refusal};

/// For how long the kernel may believe what it is told.
const TTL: Duration = Duration::ZERO;

/// What the file system says to have left, in blocks: more than any test writes.
const BLOCKS: u64 = 1 << 28;
const BLOCK_BYTES: u32 = 4_096;

/// A disk that is mounted. Dropping it unmounts it; what is open there must be closed before.
#[derive(Debug)]
pub struct Mounted {
    session: Option<BackgroundSession>,
}

impl Mounted {
    /// Mounts a disk on a directory that exists. Needs `/dev/fuse` and, without `fusermount`, the
    /// right to mount.
    ///
    /// # Errors
    ///
    /// It cannot be mounted here.
    pub fn new(disk: &ForgetfulDisk, dir: &Path) -> io::Result<Self> {
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("forgetful".to_owned())];
        let session = Session::new(Served(disk.clone()), dir, &config)?.spawn()?;
        Ok(Self { session: Some(session) })
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            // A directory that stays mounted shows when it cannot be removed.
            session.umount_and_join().unwrap_or_default();
        }
    }
}

#[derive(Debug)]
struct Served(ForgetfulDisk);

fn errno(refusal: Refusal) -> Errno {
    match refusal {
        Refusal::NoPower => Errno::EIO,
        Refusal::NotFound => Errno::ENOENT,
        Refusal::Exists => Errno::EEXIST,
        Refusal::Invalid => Errno::EINVAL,
        Refusal::CannotAllocate => Errno::EOPNOTSUPP,
    }
}

fn text(name: &OsStr) -> Result<&str, Refusal> {
    name.to_str().ok_or(Refusal::Invalid)
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn attributes(inode: u64, kind: FileType, mode: u32, bytes: usize) -> FileAttr {
    let size = u64::try_from(bytes).unwrap_or(u64::MAX);
    FileAttr {
        ino: INodeNo(inode),
        size,
        blocks: size.div_ceil(512),
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind,
        perm: u16::try_from(mode & 0o777).unwrap_or_default(),
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: BLOCK_BYTES,
        flags: 0,
    }
}

impl Served {
    fn attributes(&self, inode: INodeNo) -> Result<FileAttr, Refusal> {
        if inode == INodeNo::ROOT {
            self.0.list()?;
            return Ok(attributes(inode.0, FileType::Directory, 0o700, 0));
        }
        let (bytes, mode) = self.0.about(inode.0)?;
        Ok(attributes(inode.0, FileType::RegularFile, mode, bytes))
    }
}

fn answer(done: Result<(), Refusal>, reply: ReplyEmpty) {
    match done {
        Ok(()) => reply.ok(),
        Err(refusal) => reply.error(errno(refusal)),
    }
}

impl Filesystem for Served {
    fn lookup(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        match text(name).and_then(|name| self.0.find(name)) {
            Ok((inode, file)) => {
                let found = attributes(inode, FileType::RegularFile, file.mode, file.bytes.len());
                reply.entry(&TTL, &found, Generation(0));
            }
            Err(refusal) => reply.error(errno(refusal)),
        }
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.attributes(inode) {
            Ok(found) => reply.attr(&TTL, &found),
            Err(refusal) => reply.error(errno(refusal)),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        inode: INodeNo,
        mode: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let changed = self.0.change(inode.0, mode, size.map(count));
        match changed.and_then(|()| self.attributes(inode)) {
            Ok(found) => reply.attr(&TTL, &found),
            Err(refusal) => reply.error(errno(refusal)),
        }
    }

    fn unlink(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        answer(text(name).and_then(|name| self.0.remove(name)), reply);
    }

    fn rename(
        &self,
        _: &Request,
        _: INodeNo,
        name: &OsStr,
        _: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let renamed = match (text(name), text(new_name)) {
            (Ok(from), Ok(to)) if flags == RenameFlags::RENAME_NOREPLACE => self.0.rename(from, to),
            _ => Err(Refusal::Invalid),
        };
        answer(renamed, reply);
    }

    fn open(&self, _: &Request, inode: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        match self.attributes(inode) {
            Ok(_) => reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO),
            Err(refusal) => reply.error(errno(refusal)),
        }
    }

    fn create(
        &self,
        _: &Request,
        _: INodeNo,
        name: &OsStr,
        mode: u32,
        _: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        match text(name).and_then(|name| self.0.create(name, mode)) {
            Ok(inode) => {
                let new = attributes(inode, FileType::RegularFile, mode, 0);
                let direct = FopenFlags::FOPEN_DIRECT_IO;
                reply.created(&TTL, &new, Generation(0), FileHandle(0), direct);
            }
            Err(refusal) => reply.error(errno(refusal)),
        }
    }

    fn read(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.0.read(inode.0, count(offset), count(size.into())) {
            Ok(bytes) => reply.data(&bytes),
            Err(refusal) => reply.error(errno(refusal)),
        }
    }

    fn write(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.0.append(inode.0, count(offset), data) {
            Ok(()) => reply.written(u32::try_from(data.len()).unwrap_or_default()),
            Err(refusal) => reply.error(errno(refusal)),
        }
    }

    /// A close keeps nothing and tells nothing.
    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, inode: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        answer(self.0.sync(inode.0), reply);
    }

    fn fsyncdir(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        answer(self.0.sync_dir(), reply);
    }

    fn readdir(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        match self.0.list() {
            Ok(names) => {
                for ((name, inode), next) in names.into_iter().zip(1..).skip(count(offset)) {
                    if reply.add(INodeNo(inode), next, FileType::RegularFile, name) {
                        break;
                    }
                }
                reply.ok();
            }
            Err(refusal) => reply.error(errno(refusal)),
        }
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        match self.0.list() {
            Ok(_) => {
                reply.statfs(BLOCKS, BLOCKS, BLOCKS, BLOCKS, BLOCKS, BLOCK_BYTES, 255, BLOCK_BYTES);
            }
            Err(refusal) => reply.error(errno(refusal)),
        }
    }

    fn fallocate(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        _: u64,
        _: u64,
        _: i32,
        reply: ReplyEmpty,
    ) {
        answer(self.0.allocate(inode.0), reply);
    }
}

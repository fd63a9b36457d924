//! The operations of a store, on a simulated disk.

use std::fmt;
use std::io;

use audit_core::lifecycle::FileId;

use super::disk::Disk;
use super::fault::Failure;
use super::file::length;
use super::{Now, SimDisk};
use crate::segment::NEW_SEGMENT;
use crate::store::{Identity, Link, SegmentFile, Sight, Store};

/// A directory on a simulated disk: a log's, or a folder of it.
#[derive(Debug)]
pub struct SimStore {
    disk: SimDisk,
    /// What the names of its files begin with on the disk.
    prefix: String,
    random: u8,
}

/// A file on a simulated disk.
#[derive(Debug)]
pub struct SimSegment {
    disk: SimDisk,
    index: usize,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Names,
    Open(String),
    Create,
    Publish(String),
    Remove(String),
    Look(String),
    Release(String),
    FreeBytes,
    SyncDir,
    Append(usize),
    Allocate(usize),
    Sync(usize),
    DropCache(usize),
    Read(usize),
    Seal(usize),
}

/// What an operation does to what the disk holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It makes something durable.
    Sync,
    /// It does something that a crash can undo.
    Change,
    /// No crash tells whether it was done.
    Neither,
}

impl Operation {
    /// The file whose bytes it makes durable.
    pub(super) fn synced_file(&self) -> Option<usize> {
        if let Self::Sync(file) = *self { Some(file) } else { None }
    }

    pub(super) fn effect(&self) -> Effect {
        match self {
            Self::SyncDir | Self::Sync(_) => Effect::Sync,
            Self::Create | Self::Publish(_) | Self::Remove(_) | Self::Append(_) => Effect::Change,
            Self::Names
            | Self::Open(_)
            | Self::Look(_)
            | Self::Release(_)
            | Self::FreeBytes
            | Self::Allocate(_)
            | Self::DropCache(_)
            | Self::Read(_)
            | Self::Seal(_) => Effect::Neither,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Names => f.write_str("names"),
            Self::Open(name) => write!(f, "open {name}"),
            Self::Create => f.write_str("create"),
            Self::Publish(name) => write!(f, "publish {name}"),
            Self::Remove(name) => write!(f, "remove {name}"),
            Self::Look(name) => write!(f, "look {name}"),
            Self::Release(name) => write!(f, "release {name}"),
            Self::FreeBytes => f.write_str("free_bytes"),
            Self::SyncDir => f.write_str("sync_dir"),
            Self::Append(file) => write!(f, "append file {file}"),
            Self::Allocate(file) => write!(f, "allocate file {file}"),
            Self::Sync(file) => write!(f, "sync file {file}"),
            Self::DropCache(file) => write!(f, "drop_cache file {file}"),
            Self::Read(file) => write!(f, "read file {file}"),
            Self::Seal(file) => write!(f, "seal file {file}"),
        }
    }
}

impl SimStore {
    pub(super) fn new(disk: SimDisk, prefix: String) -> Self {
        Self { disk, prefix, random: 0 }
    }

    fn path(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

impl Store for SimStore {
    type Segment = SimSegment;

    fn names(&self) -> io::Result<Vec<String>> {
        self.disk.operate(Operation::Names, |disk, _| Ok(disk.names(&self.prefix)))
    }

    fn open(&self, name: &str) -> io::Result<SimSegment> {
        let name = self.path(name);
        let index =
            self.disk.operate(Operation::Open(name.clone()), |disk, _| disk.index(&name))?;
        Ok(SimSegment { disk: self.disk.clone(), index })
    }

    fn folder(&self, name: &str) -> io::Result<Option<Self>> {
        Ok(Some(self.disk.folder(name)))
    }

    fn make_folder(&mut self, name: &str) -> io::Result<Self> {
        Ok(self.disk.folder(name))
    }

    fn create(&mut self) -> io::Result<SimSegment> {
        let name = self.path(NEW_SEGMENT);
        let created = |disk: &mut Disk, now: Now| Ok(disk.create(name, now.operation));
        let index = self.disk.operate(Operation::Create, created)?;
        Ok(SimSegment { disk: self.disk.clone(), index })
    }

    fn publish(&mut self, name: &str) -> io::Result<()> {
        let (from, to) = (self.path(NEW_SEGMENT), self.path(name));
        let operation = Operation::Publish(to.clone());
        let renamed = |disk: &mut Disk, now: Now| disk.publish(&from, &to, now.operation);
        self.disk.operate(operation, renamed)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        let name = self.path(name);
        let operation = Operation::Remove(name.clone());
        let removed = |disk: &mut Disk, now: Now| {
            let index = disk.remove(&name, now.operation).ok_or(io::ErrorKind::NotFound)?;
            disk.file_mut(index)?.allocated = 0;
            Ok(())
        };
        self.disk.operate(operation, removed)
    }

    fn look(&self, name: &str, file: &SimSegment) -> io::Result<Sight> {
        let name = self.path(name);
        let operation = Operation::Look(name.clone());
        let seen = |disk: &mut Disk, _| {
            let link = match disk.index(&name) {
                Ok(index) if index == file.index => Link::Same,
                Ok(_) => Link::Other,
                Err(_) => Link::Gone,
            };
            Ok(Sight { bytes: length(disk.file(file.index)?.bytes.len()), link })
        };
        self.disk.operate(operation, seen)
    }

    fn release(&mut self, name: &str) -> io::Result<()> {
        let name = self.path(name);
        let operation = Operation::Release(name.clone());
        let released = |disk: &mut Disk, _| {
            let index = disk.index(&name)?;
            let file = disk.file_mut(index)?;
            file.allocated = length(file.bytes.len());
            Ok(())
        };
        self.disk.operate(operation, released)
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.disk.operate(Operation::FreeBytes, |disk, _| Ok(disk.free_bytes()))
    }

    fn sync_dir(&mut self) -> io::Result<()> {
        let synced = |disk: &mut Disk, _| {
            disk.sync_entries(&self.prefix);
            Ok(())
        };
        self.disk.operate(Operation::SyncDir, synced)
    }

    fn random(&mut self) -> io::Result<[u8; 16]> {
        self.random = self.random.wrapping_add(1);
        Ok([self.random; 16])
    }

    fn identity(&self) -> Identity {
        Identity { host: Some("sim".to_owned()), pid: Some(1), boot_id: None }
    }

    fn id(&self) -> Option<FileId> {
        Some(self.disk.lock().disk.id())
    }
}

impl SegmentFile for SimSegment {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let index = self.index;
        let appended = |disk: &mut Disk, now: Now| {
            let old = disk.file(index)?.bytes.len();
            let most = Failure::share(now.failure, bytes.len());
            let end = disk.grow(index, length(old.saturating_add(most)))?;
            let room = usize::try_from(end).unwrap_or(usize::MAX).saturating_sub(old);
            let taken = disk.writable_at(old, room.min(most));
            let written = bytes.get(..taken).unwrap_or_default();
            disk.writable = disk.writable.map(|left| left.saturating_sub(length(written.len())));
            if written.is_empty() && !bytes.is_empty() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            disk.file_mut(index)?.append(written, now.operation);
            Ok(written.len())
        };
        self.disk.operate(Operation::Append(index), appended)
    }

    fn allocate(&mut self, _from: u64, end: u64) -> io::Result<()> {
        let index = self.index;
        let allocated = |disk: &mut Disk, _| {
            let reached = disk.grow(index, end)?;
            if reached >= end { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
        };
        self.disk.operate(Operation::Allocate(index), allocated)
    }

    fn sync(&mut self) -> io::Result<()> {
        let index = self.index;
        let synced = |disk: &mut Disk, _| {
            disk.file_mut(index)?.sync();
            Ok(())
        };
        self.disk.operate(Operation::Sync(index), synced)
    }

    fn drop_cache(&mut self) -> io::Result<()> {
        let index = self.index;
        let dropped = |disk: &mut Disk, _| {
            disk.file_mut(index)?.drop_cache();
            Ok(())
        };
        self.disk.operate(Operation::DropCache(index), dropped)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let (offset, index) = (usize::try_from(offset).unwrap_or(usize::MAX), self.index);
        let read = |disk: &mut Disk, _| {
            let rest = disk.file(index)?.bytes.get(offset..).unwrap_or_default();
            let taken = rest.len().min(buffer.len());
            if let (Some(from), Some(to)) = (rest.get(..taken), buffer.get_mut(..taken)) {
                to.copy_from_slice(from);
            }
            Ok(taken)
        };
        self.disk.operate(Operation::Read(index), read)
    }

    fn length(&self) -> io::Result<u64> {
        let index = self.index;
        let read = |disk: &mut Disk, _| Ok(length(disk.file(index)?.bytes.len()));
        self.disk.operate(Operation::Read(index), read)
    }

    fn seal(&mut self) -> io::Result<()> {
        self.disk.operate(Operation::Seal(self.index), |_, _| Ok(()))
    }

    fn id(&self) -> Option<FileId> {
        self.disk.lock().disk.file(self.index).ok()?.id
    }
}

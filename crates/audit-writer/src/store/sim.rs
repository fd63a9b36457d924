//! A directory in memory that forgets what was not synced.
//!
//! Every operation of a [`SimStore`] is counted. At a chosen one the power goes: that operation
//! and all later ones fail, and [`SimDisk::after_crash`] gives the disk as it may be found then.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Identity, Link, SegmentFile, Sight, Store};
use crate::segment::NEW_SEGMENT;

/// What a disk loses at once, in bytes.
const BLOCK_BYTES: usize = 512;

/// What a crash makes of bytes that were appended and not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// They reached the disk.
    Kept,
    /// They did not.
    Lost,
    /// Their size did, and each block of them or did not, as the seed says: NULs stand in the place
    /// of a lost one.
    Zeroed {
        /// Chooses the blocks.
        seed: u64,
    },
    /// Those before some byte did, as the seed says.
    Torn {
        /// Chooses the byte.
        seed: u64,
    },
}

#[derive(Clone, Debug, Default)]
struct File {
    bytes: Vec<u8>,
    synced: usize,
    /// Where the space that it has ends; never before its last byte.
    allocated: u64,
}

#[derive(Clone, Debug, Default)]
struct Disk {
    files: Vec<File>,
    entries: BTreeMap<String, usize>,
    synced_entries: BTreeMap<String, usize>,
    operations: u64,
    crash_at: Option<u64>,
    trace: Vec<String>,
    /// Bytes that all files together may have; `None` for any number.
    capacity: Option<u64>,
}

/// A simulated disk, shared by the stores opened on it.
#[derive(Clone, Debug, Default)]
pub struct SimDisk {
    disk: Arc<Mutex<Disk>>,
}

/// A log's directory on a simulated disk.
#[derive(Debug)]
pub struct SimStore {
    disk: SimDisk,
    random: u8,
}

/// A file on a simulated disk.
#[derive(Debug)]
pub struct SimSegment {
    disk: SimDisk,
    index: usize,
}

impl SimDisk {
    /// A disk that holds these files, all durable.
    #[must_use]
    pub fn with_files(files: BTreeMap<String, Vec<u8>>) -> Self {
        let mut disk = Disk::default();
        for (name, bytes) in files {
            disk.entries.insert(name, disk.files.len());
            let (synced, allocated) = (bytes.len(), length(bytes.len()));
            disk.files.push(File { bytes, synced, allocated });
        }
        disk.synced_entries = disk.entries.clone();
        Self { disk: Arc::new(Mutex::new(disk)) }
    }

    /// Opens the directory. Locking is the caller's affair.
    #[must_use]
    pub fn store(&self) -> SimStore {
        SimStore { disk: self.clone(), random: 0 }
    }

    /// Cuts the power at the operation of this number, counted from 0.
    pub fn crash_at(&self, operation: u64) {
        self.lock().crash_at = Some(operation);
    }

    /// Limits the disk to so many bytes; `None` for any number.
    pub fn limit(&self, bytes: Option<u64>) {
        self.lock().capacity = bytes;
    }

    /// Bytes that are left on it.
    #[must_use]
    pub fn free_bytes(&self) -> u64 {
        self.lock().free_bytes()
    }

    /// Removes a file, as somebody else might; who has it open does not notice.
    pub fn unlink(&self, name: &str) {
        self.lock().entries.remove(name);
    }

    /// Puts these bytes in the place of a file, as somebody else might, in a file of their own.
    pub fn replace(&self, name: &str, bytes: Vec<u8>) {
        let mut disk = self.lock();
        let allocated = length(bytes.len());
        let index = disk.files.len();
        disk.files.push(File { synced: bytes.len(), bytes, allocated });
        disk.entries.insert(name.to_owned(), index);
    }

    /// Sets the length of a file, as somebody else might: NULs are added, or bytes are lost.
    pub fn resize(&self, name: &str, bytes: usize) {
        let mut disk = self.lock();
        let index = disk.entries.get(name).copied();
        if let Some(file) = index.and_then(|index| disk.files.get_mut(index)) {
            file.bytes.resize(bytes, 0);
            file.synced = file.synced.min(bytes);
            file.allocated = file.allocated.max(length(bytes));
        }
    }

    /// How many operations there were.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// What was done, an operation a line.
    #[must_use]
    pub fn trace(&self) -> Vec<String> {
        self.lock().trace.clone()
    }

    /// The files as a process sees them now.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let disk = self.lock();
        let bytes = |&index: &usize| disk.files.get(index).map(|file| file.bytes.clone());
        let named = disk.entries.iter();
        named.filter_map(|(name, index)| Some((name.clone(), bytes(index)?))).collect()
    }

    /// A disk as it may be found after the power went: with `entries` [`Fate::Kept`] the directory
    /// is as it was, otherwise as it was synced; unsynced bytes meet their fate, each file by a
    /// seed of its own.
    #[must_use]
    pub fn after_crash(&self, entries: Fate, bytes: Fate) -> Self {
        let disk = self.lock();
        let found = if entries == Fate::Kept { &disk.entries } else { &disk.synced_entries };
        let survivor = |(name, &index): (&String, &usize)| {
            let file = disk.files.get(index)?;
            Some((name.clone(), file.after_crash(bytes, index)))
        };
        Self::with_files(found.iter().filter_map(survivor).collect())
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an operation. What it does is done first when the power goes at it, since whether it
    /// was done before the power went is then decided by the fate of what is not synced; a sync at
    /// that moment is not done.
    fn operate<T>(
        &self,
        what: impl FnOnce() -> String,
        act: impl FnOnce(&mut Disk) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut disk = self.lock();
        let now = disk.operations;
        disk.operations = now.saturating_add(1);
        let gone = || io::Error::other("the power is gone");
        match disk.crash_at {
            Some(crash) if now > crash => Err(gone()),
            crash => {
                disk.trace.push(what());
                let done = act(&mut disk);
                if crash == Some(now) { Err(gone()) } else { done }
            }
        }
    }

    fn is_crash_point(disk: &Disk) -> bool {
        disk.crash_at.is_some_and(|crash| disk.operations == crash.saturating_add(1))
    }
}

impl Disk {
    /// What no file has. A file without a name has what it has until the power goes, as an open
    /// one has.
    fn free_bytes(&self) -> u64 {
        let used = self.files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.allocated));
        self.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(used))
    }

    /// Gives a file space up to `end`, or as far as there is some; where that ends.
    fn grow(&mut self, index: usize, end: u64) -> u64 {
        let free = self.free_bytes();
        let Some(file) = self.files.get_mut(index) else { return 0 };
        file.allocated = file.allocated.max(end.min(file.allocated.saturating_add(free)));
        file.allocated
    }

    fn named(&mut self, name: &str) -> io::Result<&mut File> {
        let index = *self.entries.get(name).ok_or(io::ErrorKind::NotFound)?;
        self.files.get_mut(index).ok_or(io::ErrorKind::NotFound.into())
    }
}

impl File {
    fn after_crash(&self, fate: Fate, index: usize) -> Vec<u8> {
        let salt = u64::try_from(index).unwrap_or_default();
        let mut left = self.bytes.clone();
        match fate {
            Fate::Kept => {}
            Fate::Lost => left.truncate(self.synced),
            Fate::Torn { seed } => {
                let unsynced = self.bytes.len().saturating_sub(self.synced);
                let kept = choose(seed ^ salt, unsynced);
                left.truncate(self.synced.saturating_add(kept));
            }
            Fate::Zeroed { seed } => {
                for (at, byte) in left.iter_mut().enumerate().skip(self.synced) {
                    let block = u64::try_from(at / BLOCK_BYTES).unwrap_or_default();
                    if choose(seed ^ salt ^ mix(block), 1) == 0 {
                        *byte = 0;
                    }
                }
            }
        }
        left
    }
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// A number from 0 to `most`, by a seed.
fn choose(seed: u64, most: usize) -> usize {
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    usize::try_from(mix(seed).checked_rem(most.saturating_add(1)).unwrap_or_default())
        .unwrap_or_default()
}

/// The finaliser of splitmix64: every bit of the seed reaches every bit of the result.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Store for SimStore {
    type Segment = SimSegment;

    fn names(&self) -> io::Result<Vec<String>> {
        let names = |disk: &mut Disk| Ok(disk.entries.keys().cloned().collect());
        self.disk.operate(|| "names".to_owned(), names)
    }

    fn open(&self, name: &str) -> io::Result<SimSegment> {
        let found = |disk: &mut Disk| {
            disk.entries.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
        };
        let index = self.disk.operate(|| format!("open {name}"), found)?;
        Ok(SimSegment { disk: self.disk.clone(), index })
    }

    fn create(&mut self) -> io::Result<SimSegment> {
        let made = |disk: &mut Disk| {
            let index = disk.files.len();
            disk.files.push(File::default());
            disk.entries.insert(NEW_SEGMENT.to_owned(), index);
            Ok(index)
        };
        let index = self.disk.operate(|| "create".to_owned(), made)?;
        Ok(SimSegment { disk: self.disk.clone(), index })
    }

    fn publish(&mut self, name: &str) -> io::Result<()> {
        let renamed = |disk: &mut Disk| {
            if disk.entries.contains_key(name) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            let index = disk.entries.remove(NEW_SEGMENT).ok_or(io::ErrorKind::NotFound)?;
            disk.entries.insert(name.to_owned(), index);
            Ok(())
        };
        self.disk.operate(|| format!("publish {name}"), renamed)
    }

    fn discard(&mut self) -> io::Result<()> {
        let removed = |disk: &mut Disk| {
            let index = disk.entries.remove(NEW_SEGMENT).ok_or(io::ErrorKind::NotFound)?;
            if let Some(file) = disk.files.get_mut(index) {
                file.allocated = 0;
            }
            Ok(())
        };
        self.disk.operate(|| "discard".to_owned(), removed)
    }

    fn look(&self, name: &str, file: &SimSegment) -> io::Result<Sight> {
        let seen = |disk: &mut Disk| {
            let open = disk.files.get(file.index).ok_or(io::ErrorKind::NotFound)?;
            let link = match disk.entries.get(name) {
                Some(&index) if index == file.index => Link::Same,
                Some(_) => Link::Other,
                None => Link::Gone,
            };
            Ok(Sight { bytes: length(open.bytes.len()), link })
        };
        self.disk.operate(|| format!("look {name}"), seen)
    }

    fn release(&mut self, name: &str) -> io::Result<()> {
        let released = |disk: &mut Disk| {
            let file = disk.named(name)?;
            file.allocated = length(file.bytes.len());
            Ok(())
        };
        self.disk.operate(|| format!("release {name}"), released)
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.disk.operate(|| "free_bytes".to_owned(), |disk| Ok(disk.free_bytes()))
    }

    fn sync_dir(&mut self) -> io::Result<()> {
        let synced = |disk: &mut Disk| {
            if !SimDisk::is_crash_point(disk) {
                disk.synced_entries = disk.entries.clone();
            }
            Ok(())
        };
        self.disk.operate(|| "sync_dir".to_owned(), synced)
    }

    fn random(&mut self) -> io::Result<[u8; 16]> {
        self.random = self.random.wrapping_add(1);
        Ok([self.random; 16])
    }

    fn identity(&self) -> Identity {
        Identity { host: Some("sim".to_owned()), pid: Some(1), boot_id: None }
    }
}

impl SimSegment {
    fn operate<T>(
        &self,
        what: &str,
        act: impl FnOnce(&mut File) -> io::Result<T>,
    ) -> io::Result<T> {
        let index = self.index;
        self.disk.operate(
            || format!("{what} file {index}"),
            |disk| disk.files.get_mut(index).ok_or(io::ErrorKind::NotFound.into()).and_then(act),
        )
    }
}

impl SegmentFile for SimSegment {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let index = self.index;
        let appended = |disk: &mut Disk| {
            let old = disk.files.get(index).map_or(0, |file| file.bytes.len());
            let end = disk.grow(index, length(old.saturating_add(bytes.len())));
            let room = usize::try_from(end).unwrap_or(usize::MAX).saturating_sub(old);
            let written = bytes.get(..room.min(bytes.len())).unwrap_or_default();
            if written.is_empty() && !bytes.is_empty() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            if let Some(file) = disk.files.get_mut(index) {
                file.bytes.extend_from_slice(written);
            }
            Ok(written.len())
        };
        self.disk.operate(|| format!("append file {index}"), appended)
    }

    fn allocate(&mut self, _from: u64, end: u64) -> io::Result<()> {
        let index = self.index;
        let allocated = |disk: &mut Disk| {
            let reached = disk.grow(index, end);
            if reached >= end { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
        };
        self.disk.operate(|| format!("allocate file {index}"), allocated)
    }

    fn sync(&mut self) -> io::Result<()> {
        let index = self.index;
        let synced = |disk: &mut Disk| {
            let done = !SimDisk::is_crash_point(disk);
            if let Some(file) = disk.files.get_mut(index).filter(|_| done) {
                file.synced = file.bytes.len();
            }
            Ok(())
        };
        self.disk.operate(|| format!("sync file {index}"), synced)
    }

    fn drop_cache(&mut self) -> io::Result<()> {
        self.operate("drop_cache", |_| Ok(()))
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        self.operate("read", |file| {
            let rest = file.bytes.get(offset..).unwrap_or_default();
            let length = rest.len().min(buffer.len());
            for (to, from) in buffer.iter_mut().zip(rest) {
                *to = *from;
            }
            Ok(length)
        })
    }

    fn seal(&mut self) -> io::Result<()> {
        self.operate("seal", |_| Ok(()))
    }
}

//! The disk as the writer sees it: one directory of append-only files.
//!
//! [`RealStore`] is a directory of this machine. [`SimStore`] is one in memory that forgets what
//! was not synced, for tests of what a crash leaves.

mod real;
mod sim;

use std::io;

use audit_core::lifecycle::FileId;

pub use real::{FileSystemKind, RealSegment, RealStore};
pub use sim::{
    Change, Failure, Fate, Fault, Lasting, Moment, SimDisk, SimSegment, SimStore, Unsynced,
};

/// Who writes: stated in `log_opened`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The machine's name.
    pub host: Option<String>,
    /// The process.
    pub pid: Option<u32>,
    /// The boot of the machine.
    pub boot_id: Option<String>,
}

/// What is seen of a file that is open for appending, and of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The length of the open file.
    pub bytes: u64,
    /// What stands under its name.
    pub link: Link,
}

/// What stands under the name of a file that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The file itself: device and inode are the same.
    Same,
    /// Another one.
    Other,
    /// Nothing.
    Gone,
}

/// A log's directory, locked for one writer.
///
/// Every method returns the error of the operation it is named after; what state that leaves is the
/// writer's to judge.
pub trait Store {
    /// A file of the directory.
    type Segment: SegmentFile;

    /// The names in the directory, in any order. Names that are not UTF-8 are left out: they are
    /// none of a log's.
    ///
    /// # Errors
    ///
    /// The directory cannot be listed.
    fn names(&self) -> io::Result<Vec<String>>;

    /// Opens a file that exists, for reading and syncing.
    ///
    /// # Errors
    ///
    /// It is not there, is no regular file, or cannot be opened.
    fn open(&self, name: &str) -> io::Result<Self::Segment>;

    /// A folder of the directory; `None` where it is absent.
    ///
    /// # Errors
    ///
    /// It cannot be opened; a link of its name is not followed.
    fn folder(&self, name: &str) -> io::Result<Option<Self>>
    where
        Self: Sized;

    /// A folder of the directory, which is made (mode 0700), durably, where it is absent.
    ///
    /// # Errors
    ///
    /// It cannot be made or opened; a link of its name is not followed.
    fn make_folder(&mut self, name: &str) -> io::Result<Self>
    where
        Self: Sized;

    /// Makes [`crate::segment::NEW_SEGMENT`] anew and opens it for appending; a leftover of that
    /// name is removed.
    ///
    /// # Errors
    ///
    /// It cannot be made; a leftover may be gone.
    fn create(&mut self) -> io::Result<Self::Segment>;

    /// Gives the new segment its name, which no file may have.
    ///
    /// # Errors
    ///
    /// The name is taken, or the rename failed: it may or may not have happened.
    fn publish(&mut self, name: &str) -> io::Result<()>;

    /// Removes a file: what [`create`](Self::create) made, where it gets no name, or a segment that
    /// retention deletes. Nothing else ever is.
    ///
    /// # Errors
    ///
    /// It stays.
    fn remove(&mut self, name: &str) -> io::Result<()>;

    /// Looks at a file that is open, and at the name it was given.
    ///
    /// # Errors
    ///
    /// Neither can be told.
    fn look(&self, name: &str, file: &Self::Segment) -> io::Result<Sight>;

    /// Gives back the space that is allocated beyond the end of a file. None of its bytes changes.
    ///
    /// # Errors
    ///
    /// The space stays allocated.
    fn release(&mut self, name: &str) -> io::Result<()>;

    /// Bytes that the file system has left for this process.
    ///
    /// # Errors
    ///
    /// It does not say.
    fn free_bytes(&self) -> io::Result<u64>;

    /// How large in bytes a file may become for this process, where that is limited. A write beyond it
    /// would end the process: setrlimit(2), `RLIMIT_FSIZE`.
    fn file_bytes_max(&self) -> Option<u64> {
        None
    }

    /// Makes the directory's entries durable.
    ///
    /// # Errors
    ///
    /// They may or may not be.
    fn sync_dir(&mut self) -> io::Result<()>;

    /// 128 random bits for the identity of a new log.
    ///
    /// # Errors
    ///
    /// The machine has none to give.
    fn random(&mut self) -> io::Result<[u8; 16]>;

    /// Who writes.
    fn identity(&self) -> Identity;

    /// What tells the directory from a copy of it; `None` where its file system does not say when a
    /// file was made, or gives it another inode after a boot.
    fn id(&self) -> Option<FileId>;
}

/// A file of a log.
pub trait SegmentFile {
    /// Appends at the end; may write less than all. Interruption by a signal is no error.
    ///
    /// # Errors
    ///
    /// Nothing was written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Allocates space for the bytes `from..end`, so that the file can grow to `end` whatever
    /// happens to the disk. Its length stays.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::StorageFull`] or [`io::ErrorKind::QuotaExceeded`] when there is not so much
    /// left: a part of it may be allocated. [`io::ErrorKind::Unsupported`] when the file system
    /// allocates nothing ahead.
    fn allocate(&mut self, from: u64, end: u64) -> io::Result<()>;

    /// Makes every byte appended durable. Interruption by a signal is no error.
    ///
    /// # Errors
    ///
    /// They may or may not be, and trying again proves nothing.
    fn sync(&mut self) -> io::Result<()>;

    /// Lets the next read come from the disk. Only what is synced can be dropped from the cache,
    /// so sync first.
    ///
    /// # Errors
    ///
    /// The cache was kept.
    fn drop_cache(&mut self) -> io::Result<()>;

    /// Reads into `buffer` from `offset`; 0 at the end.
    ///
    /// # Errors
    ///
    /// The bytes cannot be read.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// How many bytes it has, holes included.
    ///
    /// # Errors
    ///
    /// That cannot be told.
    fn length(&self) -> io::Result<u64>;

    /// Takes away the permission to write.
    ///
    /// # Errors
    ///
    /// It stays.
    fn seal(&mut self) -> io::Result<()>;

    /// What tells it from a copy of it; `None` as for [`Store::id`].
    fn id(&self) -> Option<FileId>;
}

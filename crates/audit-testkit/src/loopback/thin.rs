//! A disk that has promised more than it has: the kernel finds out when it writes back.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{AS_LOOP, FileSystem, Mount, SmallMemory};

/// What the file system believes to have.
const DISK_BYTES: u64 = 64 << 20;

/// No journal, so that it writes in place and never gives up; blocks of a page; nothing that it
/// would write later by itself.
const OPTIONS: [&str; 8] =
    ["-O", "^has_journal", "-b", "4096", "-N", "64", "-E", "lazy_itable_init=0"];

/// ext4 without a journal on a sparse image, in a small memory. While there is room, whatever is
/// synced is on the image. When it is used up, a write still reaches the cache, and the sync fails
/// with `ENOSPC`: of the file's blocks of 4,096 bytes, those that the image had before are written,
/// and the others stay as they were, though the cache shows what was written until it is dropped.
#[derive(Debug)]
pub struct ThinDisk {
    /// Until the mount goes.
    small_writes: Option<SmallWrites>,
    mount: Mount,
    memory: SmallMemory,
}

impl ThinDisk {
    /// Makes and mounts one whose image has room for so much, some 80 KiB of it for the file
    /// system's own use.
    ///
    /// # Errors
    ///
    /// That cannot be done here: why, in a line.
    pub fn new(room_bytes: u64) -> io::Result<Self> {
        let memory = SmallMemory::new(room_bytes)?;
        let image = image(&memory);
        FileSystem::Ext4.make(&image, DISK_BYTES, &OPTIONS)?;
        let mount = Mount::new(&AS_LOOP, &image)?;
        let small_writes = Some(SmallWrites::on(mount.point.path())?);
        Ok(Self { small_writes, mount, memory })
    }

    /// Where it is mounted.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.mount.point.path()
    }

    /// Gives the image room for all that the file system believes to have.
    ///
    /// # Errors
    ///
    /// It has no more than before.
    pub fn make_room(&self) -> io::Result<()> {
        self.memory.resize(DISK_BYTES << 1)
    }

    /// Mounts it again, by what the image has: nothing is cached.
    ///
    /// # Errors
    ///
    /// Somebody still has a file open, or what is left cannot be mounted.
    pub fn remount(&mut self) -> io::Result<()> {
        self.small_writes = None;
        self.mount.unmount()?;
        self.mount.again(&AS_LOOP, &image(&self.memory))?;
        self.small_writes = Some(SmallWrites::on(self.dir())?);
        Ok(())
    }
}

fn image(memory: &SmallMemory) -> PathBuf {
    memory.dir().join("image")
}

/// Lets a block device write one page at a time until it is dropped. The driver of loop devices
/// takes a write that was short for one that succeeded (`lo_complete_rq` in Linux 6.18), which makes
/// a liar of the sync above it; one page is written or not.
#[derive(Debug)]
struct SmallWrites {
    limit: PathBuf,
}

impl SmallWrites {
    /// Limits the device that is mounted on a directory.
    fn on(dir: &Path) -> io::Result<Self> {
        let device = fs::metadata(dir)?.dev();
        let (major, minor) = (libc::major(device), libc::minor(device));
        let limit = PathBuf::from(format!("/sys/dev/block/{major}:{minor}/queue/max_sectors_kb"));
        fs::write(&limit, "4")?;
        Ok(Self { limit })
    }
}

impl Drop for SmallWrites {
    fn drop(&mut self) {
        // 0 is the limit that the driver has by itself. Where this one stays, whoever has the device
        // next is slower and no worse.
        fs::write(&self.limit, "0").unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{File, OpenOptions};
    use std::io::{ErrorKind, Write as _};

    use super::*;

    /// Bytes of an append: more than one block.
    const APPEND_BYTES: usize = 5 * 4_096;

    /// Appends and syncs until that fails; how many appends were synced.
    fn fill(file: &mut File) -> usize {
        let some = vec![b'a'; APPEND_BYTES];
        let append = |_: &usize| {
            file.write_all(&some).unwrap();
            let synced = file.sync_data();
            synced.map_err(|error| assert_eq!(error.kind(), ErrorKind::StorageFull)).is_ok()
        };
        (0..100).take_while(append).count()
    }

    #[test]
    #[expect(clippy::print_stdout, reason = "a test says why it was skipped")]
    fn what_was_synced_is_there_and_what_was_not_is_in_the_cache_alone() {
        let mut disk = match ThinDisk::new(256 << 10) {
            Ok(disk) => disk,
            Err(error) => {
                println!("skipped: no thin disk can be mounted here: {error}");
                return;
            }
        };
        let path = disk.dir().join("file");
        let mut file = OpenOptions::new().append(true).create(true).open(&path).unwrap();
        let synced = fill(&mut file) * APPEND_BYTES;
        assert!(synced > 0, "the first append did not fit");
        let written = vec![b'a'; synced + APPEND_BYTES];
        assert!(fs::read(&path).unwrap() == written, "the cache has lost something");
        // The kernel tells of a lost block once or, where it found another one lost after the first
        // report, once more. Which of the two happens is up to its timing.
        if let Err(error) = file.sync_data() {
            assert_eq!(error.kind(), ErrorKind::StorageFull);
        }
        drop(file);
        disk.make_room().unwrap();
        disk.remount().unwrap();
        let found = fs::read(&path).unwrap();
        assert_eq!(found.len(), written.len());
        assert!(found.starts_with(&written[..synced]), "what was synced is lost");
        assert!(found.ends_with(&[0; 4_096]), "what no sync covered is there");
        let limit = disk.small_writes.take().unwrap().limit.clone();
        assert_ne!(fs::read_to_string(limit).unwrap(), "4\n");
        let point = disk.dir().to_owned();
        drop(disk);
        assert!(!point.exists());
    }
}

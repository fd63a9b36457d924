//! File systems of the kernel on image files, whose power can be cut or whose images have no room,
//! and ones in memory that are small. Mounting needs root.

mod thin;

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

pub use thin::ThinDisk;

/// What is made on an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileSystem {
    /// ext4 as it usually is.
    Ext4,
    /// XFS.
    Xfs,
}

impl FileSystem {
    const fn program(self) -> &'static str {
        match self {
            Self::Ext4 => "mkfs.ext4",
            Self::Xfs => "mkfs.xfs",
        }
    }

    const fn options(self) -> &'static [&'static str] {
        match self {
            // No blocks are kept for root, who runs the tests.
            Self::Ext4 => &["-q", "-F", "-m", "0"],
            Self::Xfs => &["-q", "-f"],
        }
    }

    /// Makes one of so many bytes on a sparse image, with further options.
    fn make(self, image: &Path, bytes: u64, options: &[&str]) -> io::Result<()> {
        File::create(image)?.set_len(bytes)?;
        run(Command::new(self.program()).args(self.options()).args(options).arg(image))
    }
}

/// How often an unmount is tried while somebody still has a file open, and how long between.
const TRIES: u32 = 100;
const BETWEEN: Duration = Duration::from_millis(20);

/// A directory of its own that something is mounted on. Dropping it unmounts that, at once or, where
/// somebody still has a file open, when that is closed.
#[derive(Debug)]
struct Mount {
    point: TempDir,
    is_mounted: bool,
}

impl Mount {
    fn new(words: &[&str], what: &Path) -> io::Result<Self> {
        let mut mount = Self { point: tempfile::tempdir()?, is_mounted: false };
        mount.again(words, what)?;
        Ok(mount)
    }

    fn again(&mut self, words: &[&str], what: &Path) -> io::Result<()> {
        run(Command::new("mount").args(words).arg(what).arg(self.point.path()))?;
        self.is_mounted = true;
        Ok(())
    }

    /// Unmounts, waiting for processes that are about to end.
    fn unmount(&mut self) -> io::Result<()> {
        let mut unmounted = self.try_unmount(&[]);
        for _ in 0..TRIES {
            if unmounted.is_ok() {
                break;
            }
            thread::sleep(BETWEEN);
            unmounted = self.try_unmount(&[]);
        }
        unmounted
    }

    fn try_unmount(&mut self, words: &[&str]) -> io::Result<()> {
        if self.is_mounted {
            run(Command::new("umount").args(words).arg(self.point.path()))?;
            self.is_mounted = false;
        }
        Ok(())
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // A mount that stays all the same shows when its directory cannot be removed.
        self.try_unmount(&[]).or_else(|_| self.try_unmount(&["--lazy"])).unwrap_or_default();
    }
}

/// A file system on an image, mounted on a directory of its own. Dropping it unmounts it, which lets
/// its loop device go.
#[derive(Debug)]
pub struct LoopDisk {
    mount: Mount,
    image: PathBuf,
    /// Where the image is. Removed after the mount.
    _home: TempDir,
}

/// What makes the kernel attach a loop device, and let it go at the unmount.
const AS_LOOP: [&str; 2] = ["-o", "loop"];

impl LoopDisk {
    /// Makes a file system of so many bytes on a sparse image, with further options for its `mkfs`,
    /// and mounts it.
    ///
    /// # Errors
    ///
    /// That cannot be done here: why, in a line.
    pub fn new(kind: FileSystem, bytes: u64, options: &[&str]) -> io::Result<Self> {
        let home = tempfile::tempdir()?;
        let image = home.path().join("image");
        kind.make(&image, bytes, options)?;
        let mount = Mount::new(&AS_LOOP, &image)?;
        Ok(Self { mount, image, _home: home })
    }

    /// Where it is mounted.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.mount.point.path()
    }

    /// Cuts the power: what the file system has not handed to the disk is gone, its journal
    /// included, and every later operation fails.
    ///
    /// # Errors
    ///
    /// The file system cannot be shut down, and works on.
    pub fn cut(&self) -> io::Result<()> {
        /// `EXT4_IOC_SHUTDOWN`, and by the same number `XFS_IOC_GOINGDOWN`.
        const SHUTDOWN: libc::Ioctl = libc::_IOR::<u32>(b'X' as u32, 125);
        /// `EXT4_GOING_FLAGS_NOLOGFLUSH`, and the same of XFS.
        const NO_LOG_FLUSH: u32 = 2;
        let root = File::open(self.dir())?;
        let how = NO_LOG_FLUSH;
        // SAFETY: The call reads an integer, which lives as long as it lasts, and changes no memory
        // of this process.
        #[expect(unsafe_code, reason = "the system call is unsafe")]
        let done = unsafe { libc::ioctl(root.as_raw_fd(), SHUTDOWN, &raw const how) };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Mounts it again, by what the disk has: the journal is replayed, and nothing is cached.
    ///
    /// # Errors
    ///
    /// Somebody still has a file open, or what is left cannot be mounted.
    pub fn power_on(&mut self) -> io::Result<()> {
        self.mount.unmount()?;
        self.mount.again(&AS_LOOP, &self.image)
    }
}

/// A file system in memory with room for so much, mounted on a directory of its own. Dropping it
/// unmounts it.
#[derive(Debug)]
pub struct SmallMemory {
    mount: Mount,
}

impl SmallMemory {
    /// Makes and mounts it.
    ///
    /// # Errors
    ///
    /// That cannot be done here: why, in a line.
    pub fn new(bytes: u64) -> io::Result<Self> {
        let size = format!("size={bytes}");
        let mount = Mount::new(&["-t", "tmpfs", "-o", &size], Path::new("audit-testkit"))?;
        Ok(Self { mount })
    }

    /// Gives it room for so much, of which it must not have more in use.
    ///
    /// # Errors
    ///
    /// It has, or it is not mounted any more. Its room stays as it is.
    pub fn resize(&self, bytes: u64) -> io::Result<()> {
        let size = format!("remount,size={bytes}");
        run(Command::new("mount").args(["-o", &size]).arg(self.dir()))
    }

    /// Where it is mounted.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.mount.point.path()
    }
}

/// Runs a command to its end; its complaint, in a line, where it fails.
fn run(command: &mut Command) -> io::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let ended = command.output();
    let ended = ended.map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
    if ended.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&ended.stderr);
    let told = told.lines().find(|line| !line.is_empty()).unwrap_or("it does not say why");
    Err(io::Error::other(format!("{name}: {told}")))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_cut_takes_what_was_not_synced_and_a_drop_leaves_no_mount() {
        for (kind, mebibytes) in [(FileSystem::Ext4, 32), (FileSystem::Xfs, 320)] {
            let mut disk = match LoopDisk::new(kind, mebibytes << 20, &[]) {
                Ok(disk) => disk,
                Err(error) => {
                    disk_is_missing(kind, &error);
                    continue;
                }
            };
            let [kept, lost] = ["kept", "lost"].map(|name| disk.dir().join(name));
            fs::write(&kept, "a").unwrap();
            File::open(&kept).unwrap().sync_all().unwrap();
            File::open(disk.dir()).unwrap().sync_all().unwrap();
            fs::write(&lost, "b").unwrap();
            disk.cut().unwrap();
            assert!(fs::write(&kept, "c").is_err(), "{kind:?} works without power");
            disk.power_on().unwrap();
            assert_eq!((fs::read(&kept).unwrap(), lost.exists()), (b"a".to_vec(), false));
            let point = disk.dir().to_owned();
            drop(disk);
            assert!(!point.exists(), "{kind:?}");
        }
    }

    #[expect(clippy::print_stdout, reason = "a test says why it was skipped")]
    fn disk_is_missing(kind: FileSystem, error: &io::Error) {
        println!("skipped: no {kind:?} can be mounted here: {error}");
    }
}

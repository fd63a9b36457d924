//! Kinds of file systems: which are known to be of this machine.

use std::fmt;

/// The kind of a file system, as statfs(2) tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSystemKind {
    magic: u32,
}

/// Whether a lock and a sync are this machine's own business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Local,
    /// Another machine, or a program that nobody can vouch for.
    Elsewhere,
}

use Place::{Elsewhere, Local};

const OVERLAY: u32 = 0x794c_7630;

/// Magic numbers from statfs(2) and the kernel's `linux/magic.h`.
const KINDS: [(u32, &str, Place); 26] = [
    (0xef53, "ext2, ext3 or ext4", Local),
    (0x5846_5342, "xfs", Local),
    (0x9123_683e, "btrfs", Local),
    (0x2fc1_2fc1, "zfs", Local),
    (0xca45_1a4e, "bcachefs", Local),
    (0xf2f5_2010, "f2fs", Local),
    (0x3153_464a, "jfs", Local),
    (0x3434, "nilfs", Local),
    (0x5265_4973, "reiserfs", Local),
    (0x2405_1905, "ubifs", Local),
    (0x4d44, "fat", Local),
    (0x2011_bab0, "exfat", Local),
    (0x7366_746e, "ntfs3", Local),
    (0xf15f, "ecryptfs", Local),
    // Of a container: its upper layer is on this machine.
    (OVERLAY, "overlayfs", Local),
    (0x0102_1994, "tmpfs", Local),
    (0x8584_58f6, "ramfs", Local),
    (0x6969, "nfs", Elsewhere),
    (0x517b, "smb", Elsewhere),
    (0xff53_4d42, "cifs", Elsewhere),
    (0xfe53_4d42, "smb2", Elsewhere),
    (0x00c3_6400, "ceph", Elsewhere),
    (0x0102_1997, "9p", Elsewhere),
    (0x0bd0_0bd0, "lustre", Elsewhere),
    (0x5346_414f, "afs", Elsewhere),
    (0x6573_5546, "fuse", Elsewhere),
];

impl FileSystemKind {
    /// The kind with the magic number that statfs(2) gave, whose width depends on the machine.
    pub(super) fn from_magic(magic: impl Into<i128>) -> Self {
        let magic: i128 = magic.into();
        let low = magic.rem_euclid(1 << 32);
        Self { magic: u32::try_from(low).unwrap_or_default() }
    }

    /// Whether it is known to be of this machine.
    #[must_use]
    pub fn is_local(self) -> bool {
        self.known().is_some_and(|(_, _, place)| *place == Local)
    }

    /// Whether a file has the same inode after a boot. A directory of an overlay may get another one
    /// each time that it is mounted: the kernel's `filesystems/overlayfs.rst`, "Inode properties".
    pub(super) fn keeps_inodes(self) -> bool {
        self.magic != OVERLAY
    }

    fn known(self) -> Option<&'static (u32, &'static str, Place)> {
        KINDS.iter().find(|(magic, ..)| *magic == self.magic)
    }
}

/// Its name, or its magic number.
impl fmt::Display for FileSystemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.known() {
            Some((_, name, _)) => f.write_str(name),
            None => write!(f, "a file system of the kind {:#x}", self.magic),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_that_nobody_knows_is_not_taken_for_local() {
        assert!(FileSystemKind::from_magic(0xef53_i64).is_local());
        let nfs = FileSystemKind::from_magic(0x6969_i64);
        assert!(!nfs.is_local());
        assert_eq!(nfs.to_string(), "nfs");
        let unknown = FileSystemKind::from_magic(0x1234_5678_i64);
        assert!(!unknown.is_local());
        assert_eq!(unknown.to_string(), "a file system of the kind 0x12345678");
    }

    #[test]
    fn a_magic_number_is_the_same_however_wide_the_machine_has_it() {
        // Where the field has 32 bits, the higher half of these is negative.
        let narrow = FileSystemKind::from_magic(0x9123_683e_u32.cast_signed());
        assert_eq!(narrow, FileSystemKind::from_magic(0x9123_683e_i64));
        assert!(narrow.is_local());
    }
}

//! The file system that forgets, mounted: system calls reach it, and the kernel hides nothing.

#![cfg(feature = "fuse")]
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a helper fails where it stands, and a test says why it was skipped"
)]

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use audit_testkit::dice::Dice;
use audit_testkit::forgetful::{Allocation, ForgetfulDisk, Mounted};

const EIO: Option<i32> = Some(libc::EIO);

fn append(path: &Path) -> File {
    let mut options = OpenOptions::new();
    options.append(true).create_new(true).mode(0o600).open(path).unwrap()
}

#[test]
fn what_was_synced_outlives_the_cut_and_everything_between_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let disk = ForgetfulDisk::new(Allocation::Supported);
    let mounted = match Mounted::new(&disk, dir.path()) {
        Ok(mounted) => mounted,
        Err(error) => return println!("skipped: FUSE cannot be mounted here: {error}"),
    };
    let (kept, lost) = (dir.path().join("kept"), dir.path().join("lost"));
    let mut file = append(&kept);
    file.write_all(b"durable").unwrap();
    file.sync_data().unwrap();
    File::open(dir.path()).unwrap().sync_all().unwrap();
    file.write_all(b", and not").unwrap();
    drop(append(&lost));
    assert_eq!(fs::read(&kept).unwrap(), b"durable, and not");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);

    disk.cut();
    assert_eq!(file.write_all(b"late").unwrap_err().raw_os_error(), EIO);
    assert_eq!(file.sync_data().unwrap_err().raw_os_error(), EIO);
    assert_eq!(fs::read(&kept).unwrap_err().raw_os_error(), EIO);

    // Of the dice that lose everything.
    let mut losing =
        (0..1_000).map(Dice::new).find(|dice| dice.clone().between(0, 8) == 0).unwrap();
    disk.power_on(&mut losing);
    assert!(fs::read(&kept).unwrap().starts_with(b"durable"));
    assert!(!lost.exists());
    assert_eq!(file.write_all(b"late").unwrap_err().raw_os_error(), EIO);
    drop(file);
    drop(mounted);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "it is not mounted any more");
}

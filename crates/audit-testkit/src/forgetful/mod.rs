//! A real file system that forgets what was not synced when its power is cut.
//!
//! [`ForgetfulDisk`] is its state, in memory, and knows nothing of mounts; [`Mounted`] puts it into
//! the tree of this machine by FUSE, so that the system calls of a program reach it. It is one
//! directory of files that are appended to, and refuses what a log does not need.

mod crash;
mod disk;
mod file;
mod mount;

pub use disk::{Allocation, Cut, ForgetfulDisk};
pub use mount::Mounted;

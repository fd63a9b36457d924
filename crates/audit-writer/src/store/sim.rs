//! A directory in memory that forgets what was not synced.
//!
//! Every operation of a [`SimStore`] is counted. One can be made to [fail](SimDisk::inject), and at
//! one the power can [go](SimDisk::crash_at). What a disk may hold after a power cut is made by
//! [`SimDisk::after_crash`], which decides of each operation that no sync has covered what became
//! of it; a disk that [remembers](SimDisk::remember) can be asked so for every moment of a run.

mod change;
mod disk;
mod fault;
mod file;
mod operations;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use change::{Change, Fate, Unsynced};
pub use fault::{Failure, Fault, Lasting};
pub use operations::{SimSegment, SimStore};

use disk::Disk;
use file::{BLOCK_BYTES, length};
use operations::{Effect, Operation};

/// A simulated disk, shared by the stores opened on it.
#[derive(Clone, Debug, Default)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

/// A disk as it was at one moment of a run.
#[derive(Clone, Debug)]
pub struct Moment {
    /// The operation that was under way, counted from 0.
    pub operation: u64,
    /// How many lines of the [trace](SimDisk::trace) there were, that of this operation the last.
    pub traced: usize,
    /// The disk at that moment.
    pub disk: SimDisk,
}

#[derive(Debug, Default)]
struct State {
    disk: Disk,
    operations: u64,
    crash_at: Option<u64>,
    fault: Option<Fault>,
    trace: Vec<Operation>,
    moments: Option<Vec<(u64, usize, Disk)>>,
}

impl SimDisk {
    /// A disk that holds these files, all durable.
    #[must_use]
    pub fn with_files(files: BTreeMap<String, Vec<u8>>) -> Self {
        let mut disk = Disk::default();
        for (name, bytes) in files {
            disk.place(name, Arc::new(bytes), None);
        }
        Self::of(disk)
    }

    /// A disk with the same files in a directory to which they were copied, all durable.
    #[must_use]
    pub fn copied(&self) -> Self {
        Self::of(self.lock().disk.copied())
    }

    /// Opens the directory. Locking is the caller's affair.
    #[must_use]
    pub fn store(&self) -> SimStore {
        SimStore::new(self.clone(), String::new())
    }

    /// Opens a folder of the directory, which is there from the beginning.
    #[must_use]
    pub fn folder(&self, name: &str) -> SimStore {
        SimStore::new(self.clone(), format!("{name}/"))
    }

    /// Cuts the power at the operation of this number, counted from 0: it is begun, and it and all
    /// later ones fail. What the disk held before is still in its cache, and a number that is not
    /// reached brings the power back.
    pub fn crash_at(&self, operation: u64) {
        self.lock().crash_at = Some(operation);
    }

    /// Lets operations fail; `None` ends that.
    pub fn inject(&self, fault: Option<Fault>) {
        self.lock().fault = fault;
    }

    /// Lets the next operation fail, once.
    pub fn fail_next(&self, failure: Failure) {
        let mut state = self.lock();
        state.fault = Some(Fault { at: state.operations, failure, lasting: Lasting::Once });
    }

    /// Limits the disk to so many bytes; `None` for any number.
    pub fn limit(&self, bytes: Option<u64>) {
        let mut state = self.lock();
        state.disk.capacity = bytes;
        state.disk.grain = 1;
        state.disk.writable = None;
    }

    /// Leaves so many bytes that can be written, whatever is allocated: as on a file system that
    /// writes each block to a new place.
    pub fn leave_writable(&self, bytes: u64) {
        let mut state = self.lock();
        state.disk.writable = Some(bytes);
        state.disk.grain = 1;
    }

    /// Leaves so many bytes that can be written, whatever is allocated, in whole blocks: an append that
    /// finds too few of them ends where a block of its file ends.
    pub fn leave_writable_blocks(&self, bytes: u64) {
        self.leave_writable(bytes);
        self.lock().disk.grain = length(BLOCK_BYTES);
    }

    /// Leaves room for so many bytes beyond what the files have, given out in whole blocks: an append that finds too little
    /// of it ends where a block of its file ends, as on file systems of disks.
    pub fn leave_blocks(&self, bytes: u64) {
        let used = self.lock().disk.used_bytes();
        self.limit(Some(used.saturating_add(bytes)));
        self.lock().disk.grain = length(BLOCK_BYTES);
    }

    /// Bytes that are left on it.
    #[must_use]
    pub fn free_bytes(&self) -> u64 {
        self.lock().disk.free_bytes()
    }

    /// Removes a file, as somebody else might; who has it open does not notice.
    pub fn unlink(&self, name: &str) {
        let mut state = self.lock();
        let operation = state.operations;
        state.disk.remove(name, operation);
    }

    /// Puts these bytes in the place of a file, as somebody else might, in a durable file of their
    /// own.
    pub fn replace(&self, name: &str, bytes: Vec<u8>) {
        self.lock().disk.place(name.to_owned(), Arc::new(bytes), None);
    }

    /// Sets the length of a file, as somebody else might: NULs are added, or bytes are lost. That
    /// is durable at once.
    pub fn resize(&self, name: &str, bytes: usize) {
        self.lock().disk.resize(name, bytes);
    }

    /// How many operations there were.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// What was done, an operation a line.
    #[must_use]
    pub fn trace(&self) -> Vec<String> {
        self.lock().trace.iter().map(ToString::to_string).collect()
    }

    /// The files as a process sees them now.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.lock().disk.files()
    }

    /// Keeps the disk as it is at each operation from now on that changes it.
    pub fn remember(&self) {
        self.lock().moments.get_or_insert_default();
    }

    /// The disk at each operation since it remembers, and now. Where an operation was a sync, that
    /// is not done yet; where it was a change, that is not synced.
    #[must_use]
    pub fn moments(&self) -> Vec<Moment> {
        let state = self.lock();
        let now = (state.operations, state.trace.len(), state.disk.clone());
        let moments = state.moments.iter().flatten().cloned().chain([now]);
        let moment = |(operation, traced, disk)| Moment { operation, traced, disk: Self::of(disk) };
        moments.map(moment).collect()
    }

    /// What no sync has covered: of the directory first, then of each file, in the order of the
    /// operations.
    #[must_use]
    pub fn unsynced(&self) -> Vec<Unsynced> {
        self.lock().disk.unsynced()
    }

    /// A disk as it may be found after the power went. What is not synced meets its fate, an
    /// operation each, in the order of [`unsynced`](Self::unsynced).
    #[must_use]
    pub fn after_crash(&self, fate: impl FnMut(&Unsynced) -> Fate) -> Self {
        Self::of(self.lock().disk.after_crash(fate))
    }

    fn of(disk: Disk) -> Self {
        Self { state: Arc::new(Mutex::new(State { disk, ..State::default() })) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an operation, and does it unless the power is gone or it is to fail. When the power
    /// goes at it, a change is done all the same: whether it reached the disk is for its fate to
    /// say. A sync is not.
    fn operate<T>(
        &self,
        operation: Operation,
        act: impl FnOnce(&mut Disk, Now) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.lock();
        let number = state.operations;
        state.operations = number.saturating_add(1);
        if state.crash_at.is_some_and(|crash| number > crash) {
            return Err(power_is_gone());
        }
        let effect = operation.effect();
        let failure = state.fault.and_then(|fault| fault.strikes(number));
        let refusal = failure.and_then(|failure| failure.prevents(&operation));
        let synced = operation.synced_file();
        state.trace.push(operation);
        if effect == Effect::Sync {
            state.keep_moment(number);
        }
        let is_crash = state.crash_at == Some(number);
        let done = match refusal {
            _ if is_crash && effect == Effect::Sync => Err(power_is_gone()),
            Some(error) => {
                if let Some(file) = synced {
                    state.disk.give_up(file);
                }
                Err(error)
            }
            None => act(&mut state.disk, Now { operation: number, failure }),
        };
        if effect == Effect::Change {
            state.keep_moment(number);
        }
        match failure {
            _ if is_crash => Err(power_is_gone()),
            Some(Failure::Late(errno)) => done.and(Err(io::Error::from_raw_os_error(errno))),
            Some(Failure::Errno(_) | Failure::Short) | None => done,
        }
    }
}

/// What an operation that is done knows of itself.
#[derive(Clone, Copy, Debug)]
struct Now {
    operation: u64,
    failure: Option<Failure>,
}

fn power_is_gone() -> io::Error {
    io::Error::other("the power is gone")
}

impl State {
    fn keep_moment(&mut self, operation: u64) {
        if let Some(moments) = &mut self.moments {
            moments.push((operation, self.trace.len(), self.disk.clone()));
        }
    }
}

#[cfg(test)]
mod tests;

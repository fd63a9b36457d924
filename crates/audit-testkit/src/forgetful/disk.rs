//! The state of the file system, what each operation does to it, and the cut.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::crash::{self, NameChange, Names};
use super::file::File;
use crate::dice::Dice;

/// Why an operation is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    NoPower,
    NotFound,
    Exists,
    /// Nothing that a log needs.
    Invalid,
    CannotAllocate,
}

/// Whether space can be allocated ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocation {
    /// It can.
    Supported,
    /// The call is not supported.
    Unsupported,
}

/// What becomes of the operation at which the power is cut. Its caller gets an error either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It is not done.
    Before,
    /// It is done, and nobody is told.
    After,
}

/// A disk with one directory of files. Clones are the same disk.
#[derive(Clone, Debug)]
pub struct ForgetfulDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Debug)]
struct State {
    files: BTreeMap<u64, File>,
    names: Names,
    durable_names: Names,
    unsynced_names: Vec<NameChange>,
    next_inode: u64,
    allocation: Allocation,
    /// Operations that changed or synced something, or were to.
    operations: u64,
    cut: Option<(u64, Cut)>,
    has_power: bool,
}

/// The first inode after that of the directory.
const FIRST_INODE: u64 = 2;

impl ForgetfulDisk {
    /// An empty disk with its power on.
    #[must_use]
    pub fn new(allocation: Allocation) -> Self {
        let state = State {
            files: BTreeMap::new(),
            names: Names::new(),
            durable_names: Names::new(),
            unsynced_names: Vec::new(),
            next_inode: FIRST_INODE,
            allocation,
            operations: 0,
            cut: None,
            has_power: true,
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many operations have changed or synced something since it was made.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Cuts the power at an operation, counted as [`operations`](Self::operations) does: from it
    /// on, everything is an I/O error.
    pub fn cut_at(&self, operation: u64, cut: Cut) {
        self.state().cut = Some((operation, cut));
    }

    /// Cuts the power now.
    pub fn cut(&self) {
        self.state().has_power = false;
    }

    /// Whether the power is off.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        !self.state().has_power
    }

    /// Power again. What no sync had covered was kept, lost or torn as the dice say, each operation
    /// by itself; whatever is found now is durable. What was open before stays an error.
    pub fn power_on(&self, dice: &mut Dice) {
        let state = &mut *self.state();
        // One cut takes nearly everything, another nearly nothing.
        let kept_in_eight = dice.between(0, 8);
        let names =
            crash::after_cut(&state.durable_names, &state.unsynced_names, kept_in_eight, dice);
        let mut files = BTreeMap::new();
        let mut found = Names::new();
        for (name, inode) in names {
            if let Some(file) = state.files.get(&inode) {
                files.insert(state.next_inode, file.after_cut(kept_in_eight, dice));
                found.insert(name, state.next_inode);
                state.next_inode = state.next_inode.saturating_add(1);
            }
        }
        state.files = files;
        state.names.clone_from(&found);
        state.durable_names = found;
        state.unsynced_names.clear();
        state.cut = None;
        state.has_power = true;
    }

    /// An empty disk in the place of this one. What was open before stays an error.
    pub fn format(&self, allocation: Allocation) {
        let state = &mut *self.state();
        let (next_inode, operations) = (state.next_inode, state.operations);
        *state = State { next_inode, operations, ..Self::new(allocation).state().clone() };
    }

    /// Looks at something.
    fn look<T>(&self, look: impl FnOnce(&State) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let state = self.state();
        if state.has_power { look(&state) } else { Err(Refusal::NoPower) }
    }

    /// Changes or syncs something, unless the power is cut at it.
    fn act<T>(&self, act: impl FnOnce(&mut State) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let state = &mut *self.state();
        if !state.has_power {
            return Err(Refusal::NoPower);
        }
        let operation = state.operations;
        state.operations = operation.saturating_add(1);
        match state.cut.filter(|(at, _)| *at <= operation) {
            None => act(state),
            Some((_, cut)) => {
                if cut == Cut::After {
                    // Nobody is told what came of it.
                    drop(act(state));
                }
                state.has_power = false;
                Err(Refusal::NoPower)
            }
        }
    }

    pub(super) fn list(&self) -> Result<Vec<(String, u64)>, Refusal> {
        self.look(|state| {
            Ok(state.names.iter().map(|(name, inode)| (name.clone(), *inode)).collect())
        })
    }

    pub(super) fn find(&self, name: &str) -> Result<(u64, File), Refusal> {
        self.look(|state| {
            let inode = *state.names.get(name).ok_or(Refusal::NotFound)?;
            Ok((inode, state.file(inode)?.clone()))
        })
    }

    /// The length and the mode of a file.
    pub(super) fn about(&self, inode: u64) -> Result<(usize, u32), Refusal> {
        self.look(|state| state.file(inode).map(|file| (file.bytes.len(), file.mode)))
    }

    pub(super) fn read(&self, inode: u64, offset: usize, most: usize) -> Result<Vec<u8>, Refusal> {
        self.look(|state| {
            let rest = state.file(inode)?.bytes.get(offset..).unwrap_or_default();
            Ok(rest.get(..most).unwrap_or(rest).to_vec())
        })
    }

    pub(super) fn create(&self, name: &str, mode: u32) -> Result<u64, Refusal> {
        self.act(|state| {
            if state.names.contains_key(name) {
                return Err(Refusal::Exists);
            }
            let inode = state.next_inode;
            state.next_inode = inode.saturating_add(1);
            state.files.insert(inode, File::new(mode));
            state.names.insert(name.to_owned(), inode);
            state.unsynced_names.push(NameChange::Created { name: name.to_owned(), inode });
            Ok(inode)
        })
    }

    pub(super) fn append(&self, inode: u64, offset: usize, bytes: &[u8]) -> Result<(), Refusal> {
        self.act(|state| {
            let file = state.file_mut(inode)?;
            if offset != file.bytes.len() {
                return Err(Refusal::Invalid);
            }
            file.append(bytes);
            Ok(())
        })
    }

    pub(super) fn allocate(&self, inode: u64) -> Result<(), Refusal> {
        self.act(|state| match state.allocation {
            Allocation::Supported => state.file(inode).map(drop),
            Allocation::Unsupported => Err(Refusal::CannotAllocate),
        })
    }

    pub(super) fn sync(&self, inode: u64) -> Result<(), Refusal> {
        self.act(|state| state.file_mut(inode).map(File::sync))
    }

    pub(super) fn sync_dir(&self) -> Result<(), Refusal> {
        self.act(|state| {
            state.durable_names.clone_from(&state.names);
            state.unsynced_names.clear();
            Ok(())
        })
    }

    /// Renames without replacing.
    pub(super) fn rename(&self, from: &str, to: &str) -> Result<(), Refusal> {
        self.act(|state| {
            if state.names.contains_key(to) {
                return Err(Refusal::Exists);
            }
            let inode = state.names.remove(from).ok_or(Refusal::NotFound)?;
            state.names.insert(to.to_owned(), inode);
            let (from, to) = (from.to_owned(), to.to_owned());
            state.unsynced_names.push(NameChange::Renamed { from, to, inode });
            Ok(())
        })
    }

    pub(super) fn remove(&self, name: &str) -> Result<(), Refusal> {
        self.act(|state| {
            state.names.remove(name).ok_or(Refusal::NotFound)?;
            state.unsynced_names.push(NameChange::Removed { name: name.to_owned() });
            Ok(())
        })
    }

    /// Sets the mode of a file, or its length to what it is.
    pub(super) fn change(
        &self,
        inode: u64,
        mode: Option<u32>,
        length: Option<usize>,
    ) -> Result<(), Refusal> {
        self.act(|state| {
            let file = state.file_mut(inode)?;
            if length.is_some_and(|length| length != file.bytes.len()) {
                return Err(Refusal::Invalid);
            }
            file.mode = mode.unwrap_or(file.mode);
            Ok(())
        })
    }
}

impl State {
    /// A file of before a cut is none any more.
    fn file(&self, inode: u64) -> Result<&File, Refusal> {
        self.files.get(&inode).ok_or(Refusal::NoPower)
    }

    fn file_mut(&mut self, inode: u64) -> Result<&mut File, Refusal> {
        self.files.get_mut(&inode).ok_or(Refusal::NoPower)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk() -> ForgetfulDisk {
        ForgetfulDisk::new(Allocation::Supported)
    }

    #[test]
    fn from_the_cut_on_everything_is_an_error_and_counts_no_more() {
        for (cut, length) in [(Cut::Before, 0), (Cut::After, 5)] {
            let disk = disk();
            let file = disk.create("a", 0o600).unwrap();
            disk.append(file, 0, b"first").unwrap();
            disk.sync_dir().unwrap();
            disk.cut_at(3, cut);
            assert_eq!(disk.sync(file), Err(Refusal::NoPower));
            assert_eq!(disk.append(file, 5, b"second"), Err(Refusal::NoPower));
            assert_eq!(disk.list(), Err(Refusal::NoPower));
            assert!(disk.is_cut());
            assert_eq!(disk.operations(), 4);
            // Of the dice that lose everything.
            let mut losing = (0..1_000).map(Dice::new).find(|dice| dice.clone().between(0, 8) == 0);
            disk.power_on(losing.as_mut().unwrap());
            let (_, found) = disk.find("a").unwrap();
            assert!(found.bytes.starts_with(&b"first"[..length]), "{found:?}");
        }
    }

    #[test]
    fn a_name_is_durable_when_the_directory_is_synced_and_not_before() {
        let names = |sync: bool| -> Vec<usize> {
            let mut dice = Dice::new(5);
            let found = (0..100).map(|_| {
                let disk = disk();
                let file = disk.create("a", 0o600).unwrap();
                disk.sync(file).unwrap();
                if sync {
                    disk.sync_dir().unwrap();
                }
                disk.power_on(&mut dice);
                disk.list().unwrap().len()
            });
            found.collect()
        };
        assert!(names(true).iter().all(|&count| count == 1));
        assert!(names(false).contains(&0) && names(false).contains(&1));
    }

    #[test]
    fn what_was_open_before_the_cut_is_an_error_after_it() {
        let disk = disk();
        let file = disk.create("a", 0o600).unwrap();
        disk.sync_dir().unwrap();
        disk.cut();
        disk.power_on(&mut Dice::new(1));
        assert_eq!(disk.append(file, 0, b"late"), Err(Refusal::NoPower));
        assert_ne!(disk.find("a").unwrap().0, file);
    }

    #[test]
    fn what_a_log_does_not_need_is_refused() {
        let disk = ForgetfulDisk::new(Allocation::Unsupported);
        let file = disk.create("a", 0o600).unwrap();
        disk.append(file, 0, b"bytes").unwrap();
        assert_eq!(disk.append(file, 2, b"over"), Err(Refusal::Invalid));
        assert_eq!(disk.change(file, None, Some(2)), Err(Refusal::Invalid));
        assert_eq!(disk.change(file, Some(0o400), Some(5)), Ok(()));
        assert_eq!(disk.about(file), Ok((5, 0o400)));
        assert_eq!(disk.create("a", 0o600), Err(Refusal::Exists));
        assert_eq!(disk.allocate(file), Err(Refusal::CannotAllocate));
        disk.create("b", 0o600).unwrap();
        assert_eq!(disk.rename("b", "a"), Err(Refusal::Exists));
        assert_eq!(disk.read(file, 3, 9), Ok(b"es".to_vec()));
        disk.format(Allocation::Supported);
        assert_eq!(disk.list(), Ok(Vec::new()));
    }
}

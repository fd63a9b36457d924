//! The files, their names, and which of both are durable.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use audit_core::lifecycle::FileId;

use super::change::{Change, Fate, Unsynced};
use super::file::{Append, File, Standing, file_id};

type Entries = BTreeMap<String, usize>;

/// What a disk holds. Clones share the bytes of files until one of them changes these.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    files: Vec<File>,
    entries: Arc<Entries>,
    durable_entries: Arc<Entries>,
    /// What was done to the names since the directory was synced.
    changes: Vec<Unsynced>,
    /// Bytes that all files together may have; `None` for any number.
    pub(super) capacity: Option<u64>,
    /// Bytes that can still be written where allocation gives no claim to any; `None` elsewhere.
    pub(super) writable: Option<u64>,
    /// What a file's space is a multiple of, where it is less than was asked for.
    pub(super) grain: u64,
    /// How many directories and files were made before this directory.
    made_before: u64,
    /// How many files were made in it.
    made: u64,
}

impl Disk {
    /// Puts a durable file in the place of what has this name.
    pub(super) fn place(&mut self, name: String, bytes: Arc<Vec<u8>>, id: Option<FileId>) {
        let index = self.files.len();
        self.files.push(File { id, ..File::durable(bytes) });
        Arc::make_mut(&mut self.durable_entries).insert(name.clone(), index);
        Arc::make_mut(&mut self.entries).insert(name, index);
    }

    /// What tells the directory from a copy of it.
    pub(super) fn id(&self) -> FileId {
        file_id(self.made_before)
    }

    /// The files in another directory, to which they were copied.
    pub(super) fn copied(&self) -> Self {
        let made_before = self.made_before.saturating_add(self.made).saturating_add(1);
        let mut copy = Self { made_before, ..Self::default() };
        for (name, bytes) in self.files() {
            let id = copy.next_id();
            copy.place(name, Arc::new(bytes), Some(id));
        }
        copy
    }

    fn next_id(&mut self) -> FileId {
        self.made = self.made.saturating_add(1);
        file_id(self.made_before.saturating_add(self.made))
    }

    /// The names in a directory, by what they begin with on the disk.
    pub(super) fn names(&self, prefix: &str) -> Vec<String> {
        let within = self.entries.keys().filter(|name| is_within(name, prefix));
        within.filter_map(|name| name.strip_prefix(prefix).map(str::to_owned)).collect()
    }

    pub(super) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let bytes = |&index: &usize| Some(self.files.get(index)?.bytes.to_vec());
        let named = self.entries.iter();
        named.filter_map(|(name, index)| Some((name.clone(), bytes(index)?))).collect()
    }

    pub(super) fn index(&self, name: &str) -> io::Result<usize> {
        self.entries.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn file(&self, index: usize) -> io::Result<&File> {
        self.files.get(index).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn file_mut(&mut self, index: usize) -> io::Result<&mut File> {
        self.files.get_mut(index).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn create(&mut self, name: String, operation: u64) -> usize {
        let file = self.files.len();
        let id = Some(self.next_id());
        self.files.push(File { id, ..File::default() });
        Arc::make_mut(&mut self.entries).insert(name.clone(), file);
        self.changed(operation, Change::Create { name, file });
        file
    }

    pub(super) fn publish(&mut self, from: &str, to: &str, operation: u64) -> io::Result<()> {
        if self.entries.contains_key(to) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let entries = Arc::make_mut(&mut self.entries);
        let file = entries.remove(from).ok_or(io::ErrorKind::NotFound)?;
        entries.insert(to.to_owned(), file);
        let (from, to) = (from.to_owned(), to.to_owned());
        self.changed(operation, Change::Rename { from, to, file });
        Ok(())
    }

    /// Removes a name; the file that had it, if one did.
    pub(super) fn remove(&mut self, name: &str, operation: u64) -> Option<usize> {
        let file = Arc::make_mut(&mut self.entries).remove(name)?;
        self.changed(operation, Change::Remove { name: name.to_owned() });
        Some(file)
    }

    pub(super) fn resize(&mut self, name: &str, bytes: usize) {
        let index = self.entries.get(name).copied();
        if let Some(file) = index.and_then(|index| self.files.get_mut(index)) {
            file.resize(bytes);
        }
    }

    /// Makes the names in a directory durable, by what they begin with on the disk, and no others.
    pub(super) fn sync_entries(&mut self, prefix: &str) {
        let elsewhere = |change: &Unsynced| !is_within(change.change.name(), prefix);
        self.changes.retain(elsewhere);
        if self.changes.is_empty() {
            self.durable_entries = Arc::clone(&self.entries);
            return;
        }
        let durable = Arc::make_mut(&mut self.durable_entries);
        durable.retain(|name, _| !is_within(name, prefix));
        let within = self.entries.iter().filter(|(name, _)| is_within(name, prefix));
        durable.extend(within.map(|(name, file)| (name.clone(), *file)));
    }

    /// Gives up what a sync of a file that fails was to cover.
    pub(super) fn give_up(&mut self, index: usize) {
        if let Some(file) = self.files.get_mut(index) {
            file.sync_failed();
        }
    }

    fn changed(&mut self, operation: u64, change: Change) {
        self.changes.push(Unsynced { operation, change });
    }

    pub(super) fn used_bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum: u64, file| sum.saturating_add(file.allocated))
    }

    /// What no file has. A file without a name has what it has until the power goes, as an open
    /// one has.
    pub(super) fn free_bytes(&self) -> u64 {
        self.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(self.used_bytes()))
    }

    /// Gives a file space up to `end`, or as far as there is some; where that ends.
    pub(super) fn grow(&mut self, index: usize, end: u64) -> io::Result<u64> {
        let (free, grain) = (self.free_bytes(), self.grain);
        let file = self.file_mut(index)?;
        let most = file.allocated.saturating_add(free);
        let whole = most.saturating_sub(most.checked_rem(grain).unwrap_or_default());
        file.allocated = file.allocated.max(if most < end { whole } else { end });
        Ok(file.allocated)
    }

    /// How many of so many bytes can be written at an offset of a file.
    pub(super) fn writable_at(&self, offset: usize, wanted: usize) -> usize {
        let left = self.writable.and_then(|left| usize::try_from(left).ok());
        let Some(left) = left.filter(|left| *left < wanted) else { return wanted };
        let (end, grain) = (offset.saturating_add(left), usize::try_from(self.grain).ok());
        let beyond = grain.and_then(|grain| end.checked_rem(grain)).unwrap_or_default();
        end.saturating_sub(beyond).saturating_sub(offset)
    }

    pub(super) fn unsynced(&self) -> Vec<Unsynced> {
        let appends = self.files.iter().enumerate().flat_map(|(index, file)| {
            let unsynced =
                file.appends.iter().filter(|append| append.standing != Standing::Durable);
            unsynced.map(move |append| of_append(index, append))
        });
        self.changes.iter().cloned().chain(appends).collect()
    }

    /// The disk as it is found after a crash, where every unsynced operation meets its fate.
    pub(super) fn after_crash(&self, mut fate: impl FnMut(&Unsynced) -> Fate) -> Self {
        let mut entries = Entries::clone(&self.durable_entries);
        for change in &self.changes {
            meet(&mut entries, &change.change, fate(change));
        }
        let met = self.files.iter().enumerate().map(|(index, file)| {
            (file.after_crash(|append| fate(&of_append(index, append))), file.id)
        });
        let files: Vec<_> = met.collect();
        let Self { made_before, made, .. } = *self;
        let mut found = Self { made_before, made, ..Self::default() };
        for (name, index) in entries {
            if let Some((bytes, id)) = files.get(index) {
                found.place(name, Arc::clone(bytes), *id);
            }
        }
        found
    }
}

/// Whether a file is in the directory itself whose files have names that begin so.
fn is_within(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|rest| !rest.contains('/'))
}

fn of_append(file: usize, append: &Append) -> Unsynced {
    let Append { operation, start, end, .. } = *append;
    Unsynced { operation, change: Change::Append { file, start, end } }
}

/// Does to the names on disk what a change is fated to have done.
fn meet(entries: &mut Entries, change: &Change, fate: Fate) {
    match (change, fate) {
        (_, Fate::Lost) | (Change::Append { .. }, _) => {}
        (Change::Create { name, file }, _) => {
            entries.insert(name.clone(), *file);
        }
        (Change::Rename { from, to, file }, _) => {
            if fate != Fate::Doubled && entries.get(from) == Some(file) {
                entries.remove(from);
            }
            if fate != Fate::Nameless {
                entries.insert(to.clone(), *file);
            }
        }
        (Change::Remove { name }, _) => {
            entries.remove(name);
        }
    }
}

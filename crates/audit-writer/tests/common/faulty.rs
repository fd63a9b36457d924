//! A simulated disk on which chosen operations fail.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use audit_writer::store::{Identity, SegmentFile, Sight, SimSegment, Store};
use audit_writer::{SimDisk, SimStore};

/// What goes wrong, shared with the store that it happens to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Rc<RefCell<Plan>>);

#[derive(Debug, Default)]
struct Plan {
    /// The operation, counted from 0, that fails.
    fail_at: Option<u64>,
    /// Whether all later ones fail too.
    fail_on: bool,
    operations: u64,
    /// Bytes that can still be appended.
    room: Option<usize>,
}

impl Faults {
    /// Lets the operation of this number fail, counted from 0; and all after it, if told so.
    pub(crate) fn fail_at(&self, operation: u64, fail_on: bool) {
        let mut plan = self.0.borrow_mut();
        (plan.fail_at, plan.fail_on) = (Some(operation), fail_on);
    }

    /// Lets the next operation fail.
    pub(crate) fn fail_next(&self) {
        self.fail_at(self.operations(), false);
    }

    /// Leaves room for so many bytes; `None` for any number.
    pub(crate) fn leave_room(&self, bytes: Option<usize>) {
        self.0.borrow_mut().room = bytes;
    }

    pub(crate) fn operations(&self) -> u64 {
        self.0.borrow().operations
    }

    fn meet(&self) -> io::Result<()> {
        let mut plan = self.0.borrow_mut();
        let now = plan.operations;
        plan.operations += 1;
        let fails = plan.fail_at.is_some_and(|at| now == at || (plan.fail_on && now > at));
        if fails { Err(io::Error::other("a fault of the disk")) } else { Ok(()) }
    }
}

#[derive(Debug)]
pub(crate) struct FaultyStore {
    store: SimStore,
    faults: Faults,
}

#[derive(Debug)]
pub(crate) struct FaultySegment {
    file: SimSegment,
    faults: Faults,
}

impl FaultyStore {
    pub(crate) fn new(disk: &SimDisk, faults: &Faults) -> Self {
        Self { store: disk.store(), faults: faults.clone() }
    }

    fn wrap(&self, file: SimSegment) -> FaultySegment {
        FaultySegment { file, faults: self.faults.clone() }
    }
}

impl Store for FaultyStore {
    type Segment = FaultySegment;

    fn names(&self) -> io::Result<Vec<String>> {
        self.faults.meet()?;
        self.store.names()
    }

    fn open(&self, name: &str) -> io::Result<FaultySegment> {
        self.faults.meet()?;
        Ok(self.wrap(self.store.open(name)?))
    }

    fn create(&mut self) -> io::Result<FaultySegment> {
        self.faults.meet()?;
        let file = self.store.create()?;
        Ok(self.wrap(file))
    }

    fn publish(&mut self, name: &str) -> io::Result<()> {
        self.faults.meet()?;
        self.store.publish(name)
    }

    fn discard(&mut self) -> io::Result<()> {
        self.faults.meet()?;
        self.store.discard()
    }

    fn look(&self, name: &str, file: &FaultySegment) -> io::Result<Sight> {
        self.faults.meet()?;
        self.store.look(name, &file.file)
    }

    fn release(&mut self, name: &str) -> io::Result<()> {
        self.faults.meet()?;
        self.store.release(name)
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.faults.meet()?;
        self.store.free_bytes()
    }

    fn sync_dir(&mut self) -> io::Result<()> {
        self.faults.meet()?;
        self.store.sync_dir()
    }

    fn random(&mut self) -> io::Result<[u8; 16]> {
        self.faults.meet()?;
        self.store.random()
    }

    fn identity(&self) -> Identity {
        self.store.identity()
    }
}

impl SegmentFile for FaultySegment {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.faults.meet()?;
        let mut plan = self.faults.0.borrow_mut();
        let room = plan.room.unwrap_or(usize::MAX).min(bytes.len());
        if room == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if let Some(left) = &mut plan.room {
            *left -= room;
        }
        self.file.append(&bytes[..room])
    }

    fn allocate(&mut self, from: u64, end: u64) -> io::Result<()> {
        self.faults.meet()?;
        self.file.allocate(from, end)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.faults.meet()?;
        self.file.sync()
    }

    fn drop_cache(&mut self) -> io::Result<()> {
        self.faults.meet()?;
        self.file.drop_cache()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.faults.meet()?;
        self.file.read_at(offset, buffer)
    }

    fn seal(&mut self) -> io::Result<()> {
        self.faults.meet()?;
        self.file.seal()
    }
}

//! A simulated disk whose operations are steps of the model, and of which one sync may fail.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use audit_core::lifecycle::FileId;

use crate::SimDisk;
use crate::store::{Identity, SegmentFile, Sight, SimSegment, SimStore, Store};
use crate::sync::{Arc, thread};

const EVENT: &[u8] = b"\"event_type\":\"seal_verified\"";

/// What is known about the disk without asking the queue.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The sync that fails, counted from 1; none with 0.
    pub(crate) failing_sync: usize,
    pub(crate) syncs: AtomicUsize,
    pub(crate) operations: AtomicUsize,
    pub(crate) appended: AtomicUsize,
    /// Events that are durable.
    pub(crate) synced: AtomicUsize,
}

pub(crate) struct ModelStore(pub(crate) SimStore, pub(crate) Arc<Facts>);

pub(crate) struct ModelSegment(SimSegment, Arc<Facts>);

impl ModelStore {
    pub(crate) fn new(disk: &SimDisk, facts: &Arc<Facts>) -> Self {
        Self(disk.store(), Arc::clone(facts))
    }
}

impl Facts {
    fn step(&self) {
        thread::yield_now();
        self.operations.fetch_add(1, Ordering::SeqCst);
    }
}

impl Store for ModelStore {
    type Segment = ModelSegment;

    fn names(&self) -> io::Result<Vec<String>> {
        self.0.names()
    }

    fn open(&self, name: &str) -> io::Result<ModelSegment> {
        Ok(ModelSegment(self.0.open(name)?, Arc::clone(&self.1)))
    }

    fn folder(&self, name: &str) -> io::Result<Option<Self>> {
        Ok(self.0.folder(name)?.map(|folder| Self(folder, Arc::clone(&self.1))))
    }

    fn make_folder(&mut self, name: &str) -> io::Result<Self> {
        Ok(Self(self.0.make_folder(name)?, Arc::clone(&self.1)))
    }

    fn create(&mut self) -> io::Result<ModelSegment> {
        self.1.step();
        Ok(ModelSegment(self.0.create()?, Arc::clone(&self.1)))
    }

    fn publish(&mut self, name: &str) -> io::Result<()> {
        self.0.publish(name)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.0.remove(name)
    }

    fn look(&self, name: &str, file: &ModelSegment) -> io::Result<Sight> {
        self.0.look(name, &file.0)
    }

    fn release(&mut self, name: &str) -> io::Result<()> {
        self.0.release(name)
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.0.free_bytes()
    }

    fn sync_dir(&mut self) -> io::Result<()> {
        self.0.sync_dir()
    }

    fn random(&mut self) -> io::Result<[u8; 16]> {
        self.0.random()
    }

    fn identity(&self) -> Identity {
        self.0.identity()
    }

    fn id(&self) -> Option<FileId> {
        self.0.id()
    }
}

impl SegmentFile for ModelSegment {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.step();
        let events = bytes.windows(EVENT.len()).filter(|window| *window == EVENT).count();
        self.1.appended.fetch_add(events, Ordering::SeqCst);
        self.0.append(bytes)
    }

    fn allocate(&mut self, from: u64, end: u64) -> io::Result<()> {
        self.0.allocate(from, end)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.1.step();
        let sync = self.1.syncs.fetch_add(1, Ordering::SeqCst) + 1;
        if sync == self.1.failing_sync {
            return Err(io::Error::other("the disk is broken"));
        }
        self.1.synced.store(self.1.appended.load(Ordering::SeqCst), Ordering::SeqCst);
        self.0.sync()
    }

    fn drop_cache(&mut self) -> io::Result<()> {
        self.0.drop_cache()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, buffer)
    }

    fn length(&self) -> io::Result<u64> {
        self.0.length()
    }

    fn seal(&mut self) -> io::Result<()> {
        self.0.seal()
    }

    fn id(&self) -> Option<FileId> {
        self.0.id()
    }
}

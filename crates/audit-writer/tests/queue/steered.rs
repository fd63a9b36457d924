//! A simulated disk that a test steers from another thread: it hangs, fails, fills up or panics.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use audit_core::lifecycle::FileId;
use audit_writer::store::{Identity, SegmentFile, Sight, SimSegment, Store};
use audit_writer::{SimDisk, SimStore};

/// What every event of these tests has in its line, and nothing else has.
const EVENT: &[u8] = b"\"event_type\":\"seal_verified\"";
const CRITICAL_EVENT: &[u8] = b"\"event_type\":\"invalid_token_used\"";

type Watch = Arc<dyn Fn(&Plan) + Send + Sync>;

#[derive(Clone, Default)]
pub(crate) struct Steering(Arc<(Mutex<Plan>, Condvar)>);

#[derive(Default)]
pub(crate) struct Plan {
    hangs: bool,
    is_hanging: bool,
    fails_sync: Option<usize>,
    panics: bool,
    room: Option<usize>,
    watch: Option<Watch>,
    /// Events that were appended, and how many of them were synced.
    appended: usize,
    pub(crate) synced: usize,
    operations: Vec<&'static str>,
}

impl Steering {
    /// From now on nothing is answered.
    pub(crate) fn hang(&self) {
        self.lock().hangs = true;
    }

    /// Answers again.
    pub(crate) fn answer(&self) {
        self.lock().hangs = false;
        self.0.1.notify_all();
    }

    /// Whether an operation waits for an answer.
    pub(crate) fn is_hanging(&self) -> bool {
        self.lock().is_hanging
    }

    /// Lets the sync of this number fail, counted from 1.
    pub(crate) fn fail_sync(&self, number: usize) {
        self.lock().fails_sync = Some(number);
    }

    /// Lets the next operation panic.
    pub(crate) fn panic_next(&self) {
        self.lock().panics = true;
    }

    /// Leaves room for so many bytes; `None` for any number.
    pub(crate) fn leave_room(&self, bytes: Option<usize>) {
        self.lock().room = bytes;
    }

    /// Calls this at every operation.
    pub(crate) fn watch(&self, watch: impl Fn(&Plan) + Send + Sync + 'static) {
        self.lock().watch = Some(Arc::new(watch));
    }

    /// Events that are durable.
    pub(crate) fn synced(&self) -> usize {
        self.lock().synced
    }

    /// What was done.
    pub(crate) fn operations(&self) -> Vec<&'static str> {
        self.lock().operations.clone()
    }

    /// How often this was done.
    pub(crate) fn count(&self, operation: &str) -> usize {
        self.lock().operations.iter().filter(|done| **done == operation).count()
    }

    fn lock(&self) -> MutexGuard<'_, Plan> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn meet(&self, operation: &'static str) -> io::Result<MutexGuard<'_, Plan>> {
        let mut plan = self.lock();
        plan.operations.push(operation);
        if let Some(watch) = plan.watch.clone() {
            watch(&plan);
        }
        plan.is_hanging = plan.hangs;
        while plan.hangs {
            plan = self.0.1.wait(plan).unwrap();
        }
        plan.is_hanging = false;
        assert!(!std::mem::take(&mut plan.panics), "the store panics");
        let syncs = plan.operations.iter().filter(|done| **done == "sync").count();
        if operation == "sync" && plan.fails_sync == Some(syncs) {
            return Err(io::Error::other("the disk is broken"));
        }
        Ok(plan)
    }
}

pub(crate) struct SteeredStore {
    store: SimStore,
    steering: Steering,
}

pub(crate) struct SteeredSegment {
    file: SimSegment,
    steering: Steering,
}

impl SteeredStore {
    pub(crate) fn new(disk: &SimDisk, steering: &Steering) -> Self {
        Self { store: disk.store(), steering: steering.clone() }
    }

    fn wrap(&self, file: SimSegment) -> SteeredSegment {
        SteeredSegment { file, steering: self.steering.clone() }
    }
}

impl Store for SteeredStore {
    type Segment = SteeredSegment;

    fn names(&self) -> io::Result<Vec<String>> {
        self.store.names()
    }

    fn open(&self, name: &str) -> io::Result<SteeredSegment> {
        Ok(self.wrap(self.store.open(name)?))
    }

    fn folder(&self, name: &str) -> io::Result<Option<Self>> {
        let wrap = |store| Self { store, steering: self.steering.clone() };
        Ok(self.store.folder(name)?.map(wrap))
    }

    fn make_folder(&mut self, name: &str) -> io::Result<Self> {
        Ok(Self { store: self.store.make_folder(name)?, steering: self.steering.clone() })
    }

    fn create(&mut self) -> io::Result<SteeredSegment> {
        drop(self.steering.meet("create")?);
        let file = self.store.create()?;
        Ok(self.wrap(file))
    }

    fn publish(&mut self, name: &str) -> io::Result<()> {
        drop(self.steering.meet("publish")?);
        self.store.publish(name)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.store.remove(name)
    }

    fn look(&self, name: &str, file: &SteeredSegment) -> io::Result<Sight> {
        self.store.look(name, &file.file)
    }

    fn release(&mut self, name: &str) -> io::Result<()> {
        self.store.release(name)
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.store.free_bytes()
    }

    fn sync_dir(&mut self) -> io::Result<()> {
        drop(self.steering.meet("sync_dir")?);
        self.store.sync_dir()
    }

    fn random(&mut self) -> io::Result<[u8; 16]> {
        self.store.random()
    }

    fn identity(&self) -> Identity {
        self.store.identity()
    }

    fn id(&self) -> Option<FileId> {
        self.store.id()
    }
}

fn events_in(bytes: &[u8]) -> usize {
    let is_event = |line: &[u8]| {
        [EVENT, CRITICAL_EVENT].iter().any(|name| line.windows(name.len()).any(|w| w == *name))
    };
    bytes.split(|&byte| byte == b'\n').filter(|line| is_event(line)).count()
}

impl SegmentFile for SteeredSegment {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut plan = self.steering.meet("append")?;
        let room = plan.room.unwrap_or(usize::MAX).min(bytes.len());
        if room == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if let Some(left) = &mut plan.room {
            *left -= room;
        }
        plan.appended += events_in(&bytes[..room]);
        self.file.append(&bytes[..room])
    }

    fn allocate(&mut self, from: u64, end: u64) -> io::Result<()> {
        self.file.allocate(from, end)
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut plan = self.steering.meet("sync")?;
        plan.synced = plan.appended;
        self.file.sync()
    }

    fn drop_cache(&mut self) -> io::Result<()> {
        self.file.drop_cache()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(offset, buffer)
    }

    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn seal(&mut self) -> io::Result<()> {
        self.file.seal()
    }

    fn id(&self) -> Option<FileId> {
        self.file.id()
    }
}

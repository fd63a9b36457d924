//! What an open would find at the end of a log, without changing anything.

use std::io;
use std::path::Path;

use audit_core::lifecycle::{FileId, LifecycleEvent, LogId, TailKind};
use audit_core::limits::UNSYNCED_BYTES_MAX;
use audit_core::{Digest, OnDamage, Receipt, ServiceId};

use super::copied::Copied;
use super::damage::Damage;
use super::holder::open_beside;
use super::read::{digest_from, read_records};
use super::scan::Opened;
use super::{Scan, recover, segments};
use crate::error::OpenError;
use crate::store::{Identity, SegmentFile, Sight, Store};

/// The end of a log, as an open would find it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Inspection {
    /// What the writer that has the log open said of itself. While there is one, an open is
    /// refused, and the end may have moved on since.
    pub holder: Option<String>,
    /// Whose log it is, where that could be read.
    pub service_id: Option<ServiceId>,
    /// The identity of the log, where that could be read.
    pub log_id: Option<LogId>,
    /// The newest segment. Without one an open begins the log.
    pub segment: Option<String>,
    /// Its last whole, linked record.
    pub head: Option<Receipt>,
    /// Whether that is `log_closed`.
    pub closed: bool,
    /// Where its whole records end and its tail begins, in bytes.
    pub tail_offset: u64,
    /// Bytes of its tail; 0 where it has none.
    pub tail_bytes: u64,
    /// SHA-256 of its tail, if it is no longer than an open would read.
    pub tail_sha256: Option<Digest>,
    /// What its tail looks like, where it looks like a crash: an open would declare it so, and go
    /// on in a new segment.
    pub tail_kind: Option<TailKind>,
    /// Why an open would refuse the log as damaged, unless it is told to go on.
    pub damage: Option<Damage>,
    /// Where it was copied from, where the log is a copy that no writer has opened since.
    pub copied: Option<Copied>,
}

/// Looks at the end of a log as an open does, and changes nothing: neither a byte nor a time of
/// change, and it syncs nothing.
///
/// The newest segment is read as the system gives it. An open syncs it first and reads it from the
/// disk, so where the disk fails, that may find less. To tell whether a writer has the log, its
/// lock is tried and let go at once; a writer that opens it in that moment finds it locked.
///
/// # Errors
///
/// [`OpenError::Io`] when the directory or its newest segment cannot be read. An open would fail
/// likewise, but for a directory that is missing: it would make that.
pub fn inspect(dir: impl AsRef<Path>) -> Result<Inspection, OpenError> {
    let (store, holder) = open_beside(dir.as_ref())?;
    let mut inspection = look(&mut ReadOnly(store))?;
    inspection.holder = holder;
    Ok(inspection)
}

fn look<S: Store>(store: &mut ReadOnly<S>) -> Result<Inspection, OpenError> {
    let Some(newest) = segments(store)?.pop() else { return Ok(Inspection::default()) };
    let name = newest.to_string();
    let file = store.open(&name).map_err(OpenError::io("open the newest segment"))?;
    let mut scan = Scan::new(newest);
    let bytes = read_records(&file, |line| scan.take(line))?;
    let end = scan.end().unwrap_or(&scan.known);
    let tail_bytes = bytes.saturating_sub(end.offset);
    let (mut tail_kind, mut damage) = (None, None);
    let stated = scan.opened.as_ref().and_then(|opened| opened.event.place);
    let copied = Copied::found(store, &file, stated);
    match recover(store, OnDamage::Refuse) {
        Ok(None) => {}
        Ok(Some(recovered)) => {
            if let Some(LifecycleEvent::LogRecovered { kind, .. }) = recovered.account {
                tail_kind = Some(kind);
            }
        }
        Err(OpenError::Damaged { damage: found, .. }) => damage = Some(found),
        Err(error) => return Err(error),
    }
    // What is damaged may be as long as somebody likes.
    let is_short = tail_bytes > 0 && (damage.is_none() || tail_bytes <= UNSYNCED_BYTES_MAX);
    Ok(Inspection {
        holder: None,
        service_id: scan.opened.as_ref().map(|opened| opened.service_id),
        log_id: scan.opened.as_ref().map(Opened::log_id),
        segment: Some(name),
        head: scan.opened.as_ref().and_then(|_| end.chain.head()),
        closed: end.closed,
        tail_offset: end.offset,
        tail_bytes,
        tail_sha256: is_short.then(|| digest_from(&file, end.offset)).transpose()?,
        tail_kind,
        damage,
        copied,
    })
}

/// A store that recovery can read, and in which it can change nothing.
struct ReadOnly<S>(S);

fn refused<T>() -> io::Result<T> {
    Err(io::ErrorKind::ReadOnlyFilesystem.into())
}

impl<S: Store> Store for ReadOnly<S> {
    type Segment = ReadOnly<S::Segment>;

    fn names(&self) -> io::Result<Vec<String>> {
        self.0.names()
    }

    fn open(&self, name: &str) -> io::Result<Self::Segment> {
        self.0.open(name).map(ReadOnly)
    }

    fn folder(&self, name: &str) -> io::Result<Option<Self>> {
        Ok(self.0.folder(name)?.map(ReadOnly))
    }

    fn make_folder(&mut self, _: &str) -> io::Result<Self> {
        refused()
    }

    fn create(&mut self) -> io::Result<Self::Segment> {
        refused()
    }

    fn publish(&mut self, _: &str) -> io::Result<()> {
        refused()
    }

    fn remove(&mut self, _: &str) -> io::Result<()> {
        refused()
    }

    fn look(&self, name: &str, file: &Self::Segment) -> io::Result<Sight> {
        self.0.look(name, &file.0)
    }

    fn release(&mut self, _: &str) -> io::Result<()> {
        refused()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.0.free_bytes()
    }

    fn sync_dir(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn random(&mut self) -> io::Result<[u8; 16]> {
        refused()
    }

    fn identity(&self) -> Identity {
        self.0.identity()
    }

    fn id(&self) -> Option<FileId> {
        self.0.id()
    }
}

impl<F: SegmentFile> SegmentFile for ReadOnly<F> {
    fn append(&mut self, _: &[u8]) -> io::Result<usize> {
        refused()
    }

    fn allocate(&mut self, _: u64, _: u64) -> io::Result<()> {
        refused()
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn drop_cache(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, buffer)
    }

    fn length(&self) -> io::Result<u64> {
        self.0.length()
    }

    fn seal(&mut self) -> io::Result<()> {
        refused()
    }

    fn id(&self) -> Option<FileId> {
        self.0.id()
    }
}

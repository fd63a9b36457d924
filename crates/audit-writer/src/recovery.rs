//! Where a log ends: the newest segment is read from the disk, and its tail accounted for.
//!
//! The tail of a segment is everything after its longest prefix of whole, linked records. A tail
//! that a crash leaves is declared in the next segment and never touched; any other is damage, and
//! going on after it would bury evidence.

mod inspect;
mod line;
mod tail;

use audit_core::lifecycle::{LifecycleEvent, LogId, PreviousSegment};
use audit_core::limits::RECORD_BYTES_MAX;
use audit_core::{Digest, Frontier, ServiceId};

use crate::chain::Chain;
use crate::error::OpenError;
use crate::segment::SegmentName;
use crate::store::{SegmentFile, Store};
pub use inspect::{Inspection, inspect};
use line::Line;

/// Bytes read at a time: the longest record fits, and most logs end within a few of these.
const READ_BYTES: usize = 1 << 17;

/// Longest tail that is looked at, in bytes, whatever its writer stated: bounds memory.
const TAIL_BYTES_MAX: u64 = 16 << 20;

/// What a writer needs to go on after a log.
#[derive(Debug)]
pub(crate) struct Recovered<F> {
    pub(crate) service_id: ServiceId,
    pub(crate) log_id: LogId,
    pub(crate) chain: Chain,
    pub(crate) previous: PreviousSegment,
    /// The newest segment, to be sealed when the next one is there.
    pub(crate) file: F,
    /// The record that accounts for its tail.
    pub(crate) tail: Option<LifecycleEvent>,
}

/// Reads the end of a log; `None` when it has no segment.
pub(crate) fn recover<S: Store>(store: &mut S) -> Result<Option<Recovered<S::Segment>>, OpenError> {
    let segments = segments(store)?;
    let Some((newest, older)) = segments.split_last() else { return Ok(None) };
    // A writer that was killed between naming a segment and syncing the directory leaves a name
    // that a power cut takes away.
    store.sync_dir().map_err(OpenError::io("sync the directory"))?;
    let name = newest.to_string();
    let mut file = store.open(&name).map_err(OpenError::io("open the newest segment"))?;
    // Bytes that a crash left in the cache alone must not be taken for durable: sync, then read
    // what the disk has.
    file.sync().map_err(OpenError::io("sync the newest segment"))?;
    file.drop_cache().map_err(OpenError::io("drop the newest segment from the cache"))?;

    let mut scan = Scan::new(*newest);
    let end = read_records(&file, |line| scan.take(line))?;
    let damaged = |reason| OpenError::Damaged { file: name.clone(), offset: scan.offset, reason };
    let Some(Opened { service_id, log_id, .. }) = scan.opened else {
        return Err(damaged("it does not begin with a whole record of its own"));
    };
    if scan.owes_log_opened {
        return Err(damaged("its first records, which were written at once, are not whole"));
    }
    let head = scan.chain.head().ok_or_else(|| damaged("it has no record"))?;
    let mut tail = None;
    if end > scan.offset {
        let stated = match scan.unsynced_bytes_max {
            Some(stated) => stated,
            None => newest_log_opened(store, older)?.map_or(0, |opened| opened.unsynced_bytes_max),
        };
        if scan.closed {
            return Err(damaged("bytes follow log_closed"));
        }
        let bytes = end.saturating_sub(scan.offset);
        if bytes > stated.min(TAIL_BYTES_MAX) {
            return Err(damaged("its tail is longer than its writer left unsynced"));
        }
        let found = read_range(&file, scan.offset, bytes)?;
        let kind = tail::examine(&found, scan.offset).map_err(damaged)?;
        tail = Some(LifecycleEvent::LogRecovered {
            file: name.clone(),
            offset: scan.offset,
            bytes,
            sha256: Digest::of(&found),
            valid_records: kind.valid_records,
            kind: kind.looks,
        });
    }
    let previous = PreviousSegment { file: name, last_seq: head.seq, last_hash: head.hash };
    Ok(Some(Recovered { service_id, log_id, chain: scan.chain, previous, file, tail }))
}

/// Who holds the log, as the newest `log_opened` says; for the error of the one who does not. Where
/// that writer has closed the log, the holder is another one, which has not written yet.
pub(crate) fn holder<S: Store>(store: &S) -> String {
    let opened = segments(store).and_then(|segments| {
        if is_closed(store, &segments)? { Ok(None) } else { newest_log_opened(store, &segments) }
    });
    match opened {
        Ok(Some(LogOpened { holder, .. })) => holder,
        Ok(None) | Err(_) => "it has not said who it is".to_owned(),
    }
}

fn is_closed<S: Store>(store: &S, segments: &[SegmentName]) -> Result<bool, OpenError> {
    let Some(newest) = segments.last() else { return Ok(false) };
    let open = store.open(&newest.to_string());
    let file = open.map_err(OpenError::io("open the newest segment"))?;
    let mut scan = Scan::new(*newest);
    read_records(&file, |line| scan.take(line))?;
    Ok(scan.closed)
}

fn segments<S: Store>(store: &S) -> Result<Vec<SegmentName>, OpenError> {
    let names = store.names().map_err(OpenError::io("list the directory"))?;
    let mut segments: Vec<_> = names.iter().filter_map(|name| SegmentName::parse(name)).collect();
    segments.sort_unstable();
    Ok(segments)
}

/// What the newest `log_opened` of some segments says.
#[derive(Clone, Debug)]
struct LogOpened {
    unsynced_bytes_max: u64,
    holder: String,
}

/// A `log_opened` stands among the first records of a segment, if it is there at all.
fn newest_log_opened<S: Store>(
    store: &S,
    segments: &[SegmentName],
) -> Result<Option<LogOpened>, OpenError> {
    for segment in segments.iter().rev() {
        let name = segment.to_string();
        let file = store.open(&name).map_err(OpenError::io("open an older segment"))?;
        let mut found = None;
        read_records(&file, |line| {
            let line = Line::parse(line)?;
            if !line.is("segment_opened") && !line.is("log_recovered") {
                found = line.log_opened();
                return None;
            }
            Some(())
        })?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The first record of a segment.
#[derive(Clone, Copy, Debug)]
struct Opened {
    service_id: ServiceId,
    log_id: LogId,
}

/// The walk over a segment's records.
#[derive(Debug)]
struct Scan {
    name: SegmentName,
    chain: Chain,
    offset: u64,
    opened: Option<Opened>,
    unsynced_bytes_max: Option<u64>,
    /// Whether the opening records say that a writer opened the log, and not yet which.
    owes_log_opened: bool,
    closed: bool,
}

impl Scan {
    fn new(name: SegmentName) -> Self {
        Self {
            name,
            chain: Chain::new(),
            offset: 0,
            opened: None,
            unsynced_bytes_max: None,
            owes_log_opened: false,
            closed: false,
        }
    }

    /// Takes the next line (without its line feed) if it is a whole record linked to the one before.
    fn take(&mut self, bytes: &[u8]) -> Option<()> {
        let line = Line::parse(bytes)?;
        if let Some(opened) = self.opened {
            let linked = line.prev_hash == *self.chain.prev_hash()
                && Some(line.seq) == self.chain.next_seq()
                && line.service_id == opened.service_id.as_str();
            if !linked || self.closed {
                return None;
            }
        } else {
            self.open(&line)?;
        }
        if let Some(opened) = line.log_opened() {
            self.unsynced_bytes_max = Some(opened.unsynced_bytes_max);
            self.owes_log_opened = false;
        } else if line.seq == 0 || line.is("log_recovered") {
            self.owes_log_opened = true;
        }
        self.closed = line.is("log_closed");
        self.chain.push(line.hash);
        let length = u64::try_from(bytes.len()).ok()?.checked_add(1)?;
        self.offset = self.offset.checked_add(length)?;
        Some(())
    }

    fn open(&mut self, line: &Line<'_>) -> Option<()> {
        let (log_id, roots) = line.segment_opened()?;
        let frontier = Frontier::from_roots(line.seq, &roots)?;
        if line.seq != self.name.first_seq || (line.seq == 0 && line.prev_hash != Digest::ZERO) {
            return None;
        }
        self.chain = Chain::after(line.prev_hash, frontier);
        self.opened = Some(Opened { service_id: ServiceId::new(line.service_id).ok()?, log_id });
        Some(())
    }
}

/// Hands each line that ends with a line feed to `take`, until it returns `None` or a line is too
/// long to be a record. Returns the length of the file.
fn read_records(
    file: &impl SegmentFile,
    mut take: impl FnMut(&[u8]) -> Option<()>,
) -> Result<u64, OpenError> {
    let mut buffer = Vec::new();
    let mut at: u64 = 0;
    let mut taking = true;
    loop {
        let read = read_more(file, at, &mut buffer)?;
        if read == 0 {
            return Ok(at);
        }
        at = at.saturating_add(read);
        let mut used = 0;
        while taking {
            let rest = buffer.get(used..).unwrap_or_default();
            let Some(length) = memchr::memchr(b'\n', rest) else {
                taking = rest.len() <= RECORD_BYTES_MAX;
                break;
            };
            taking = take(rest.get(..length).unwrap_or_default()).is_some();
            used = used.saturating_add(length).saturating_add(1);
        }
        if taking {
            buffer.drain(..used);
        } else {
            // Only the length of the file is still of interest.
            buffer.clear();
        }
    }
}

fn read_more(file: &impl SegmentFile, at: u64, buffer: &mut Vec<u8>) -> Result<u64, OpenError> {
    let kept = buffer.len();
    buffer.resize(kept.saturating_add(READ_BYTES), 0);
    let free = buffer.get_mut(kept..).unwrap_or_default();
    let read = file.read_at(at, free).map_err(OpenError::io("read a segment"))?;
    buffer.truncate(kept.saturating_add(read));
    Ok(u64::try_from(read).unwrap_or(u64::MAX))
}

fn read_range(file: &impl SegmentFile, offset: u64, bytes: u64) -> Result<Vec<u8>, OpenError> {
    let mut found = Vec::new();
    let mut at = offset;
    while read_more(file, at, &mut found)? > 0 {
        at = offset.saturating_add(u64::try_from(found.len()).unwrap_or(u64::MAX));
    }
    found.truncate(usize::try_from(bytes).unwrap_or(usize::MAX));
    Ok(found)
}

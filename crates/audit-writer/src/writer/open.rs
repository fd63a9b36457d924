//! How a segment comes to be.
//!
//! Sync the segment before; write `.new-segment` with its opening records in one write; sync it;
//! rename it without replacing; sync the directory; seal the segment before. At every moment the
//! chain on disk rests on bytes that are durable, and a segment with a name begins with whole
//! records.

use std::io;
use std::sync::Arc;

use audit_checkpoint::SigningKey;
use audit_core::lifecycle::{
    LifecycleEvent, LogId, LogOpened, PreviousSegment, SegmentKey, SegmentOpened, write_audit_id,
};
use audit_core::record::{RecordHead, write_hashed, write_lifecycle_payload};
use audit_core::seal::seal_hashed;
use audit_core::{RecordTime, ServiceId};

use super::close::seal;
use super::durable::Pending;
use super::lines::{length, put};
use super::rekey::key_changed;
use super::vouch::Sealing;
use super::{AuditFileWriter, Current, Log};
use crate::broken::{self, Broken};
use crate::chain::Chain;
use crate::clock::Clock;
use crate::error::WriteError;
use crate::recovery::place_of;
use crate::segment::{NEW_SEGMENT, SegmentName};
use crate::store::{SegmentFile, Store};

/// What `log_opened` says this writer is.
const WRITER: &str = concat!("audit-writer ", env!("CARGO_PKG_VERSION"));

impl<S: Store, C: Clock> AuditFileWriter<S, C> {
    /// Begins a segment: the first one of this writer, or the next.
    ///
    /// Until the new segment has its name, an error leaves everything as it was.
    pub(super) fn open_segment(
        &mut self,
        service_id: ServiceId,
        now: RecordTime,
    ) -> Result<(), WriteError> {
        self.open_segment_with(service_id, now, None)
    }

    /// Begins a segment, from which on the log has another key where one is given.
    pub(super) fn open_segment_with(
        &mut self,
        service_id: ServiceId,
        now: RecordTime,
        new_key: Option<&SigningKey>,
    ) -> Result<(), WriteError> {
        self.has_its_key()?;
        broken::unless(Broken::RotationUnsynced, || self.sync())?;
        if self.current.is_some() {
            self.sign_quietly();
        }
        self.know_newest_prune().map_err(WriteError::reading)?;
        let first_seq = self.chain.next_seq().ok_or(WriteError::SeqExhausted)?;
        let name = SegmentName { first_seq, date: now.date() };
        let log_id = self.log_id()?;
        let mut opening = self.opening(first_seq, log_id, new_key);

        let Made { mut file, chain, bytes, allocated } =
            self.make_segment(&mut opening, service_id, now)?;
        let synced = broken::unless(Broken::SegmentUnsynced, || file.sync());
        synced.map_err(|error| self.poison("sync a new segment", error))?;
        let file_name = name.to_string();
        let published = self.store.publish(&file_name);
        published.map_err(|error| self.poison("name a new segment", error))?;
        let synced = broken::unless(Broken::DirectoryUnsynced, || self.store.sync_dir());
        synced.map_err(|error| self.poison("sync the directory", error))?;

        self.chain = chain;
        self.durable = self.chain.head();
        self.pending = Pending::default();
        self.accounts.clear();
        self.continues = None;
        self.announced = true;
        self.found = None;
        if opening.sealing.is_some() {
            self.sealed_from = self.sealed_from.or(Some(first_seq));
        }
        self.sealing = opening.sealing;
        self.checkpoint_was_recorded();
        if let Some((_, mut previous)) = self.previous.take() {
            seal(&mut previous);
        }
        let current = Current { file, name, file_name, bytes, records: 0, allocated };
        if let Some(mut previous) = self.current.replace(current) {
            self.release(&previous);
            seal(&mut previous.file);
        }
        Ok(())
    }

    /// Makes a new segment and writes its opening records. Until it has its name, it means nothing.
    fn make_segment(
        &mut self,
        opening: &mut Opening,
        service_id: ServiceId,
        now: RecordTime,
    ) -> Result<Made<S::Segment>, WriteError> {
        let failed = |action| move |error| WriteError::Io { action, cause: Arc::new(error) };
        let mut file = self.store.create().map_err(|error| {
            // Only a directory that is gone has no place for a file.
            if error.kind() == io::ErrorKind::NotFound {
                self.poison("find the directory", error)
            } else {
                failed("make a new segment")(error)
            }
        })?;
        opening.opened.place = place_of(&self.store, &file);
        let mut chain = self.chain.clone();
        let lines = opening.lines(&mut chain, service_id, now).and_then(|lines| {
            let allocated = self.make_room_in_new(&mut file, lines.len())?;
            Ok((lines, allocated))
        });
        let (lines, allocated) = lines.inspect_err(|_| {
            // A leftover that cannot be removed means nothing, and the next one replaces it.
            self.store.remove(NEW_SEGMENT).unwrap_or_default();
        })?;
        if let (_, Some(cause)) = put(&mut file, &lines) {
            return Err(WriteError::Io { action: "write a new segment", cause });
        }
        Ok(Made { file, chain, bytes: length(lines.len()), allocated })
    }

    /// The identity of the log; a new one has none yet.
    fn log_id(&mut self) -> Result<LogId, WriteError> {
        if let Some(Log { log_id: Some(log_id), .. }) = self.log {
            return Ok(log_id);
        }
        let bits = self.store.random().map_err(|error| WriteError::Io {
            action: "draw the identity of the log",
            cause: Arc::new(error),
        })?;
        let log_id = LogId::from_bytes(bits);
        if let Some(log) = &mut self.log {
            log.log_id = Some(log_id);
        }
        Ok(log_id)
    }

    /// The opening records of a segment, in their order: `segment_opened`; the tail of the segment
    /// before; where this writer opens the log, who it is; what else is to be said of what is before;
    /// and a change of the key.
    fn opening(&self, first_seq: u64, log_id: LogId, new_key: Option<&SigningKey>) -> Opening {
        let mut events = self.accounts.clone();
        events.extend(self.unrecorded());
        if !self.announced {
            events.push(LifecycleEvent::LogOpened(self.log_opened()));
        }
        events.sort_by_key(place);
        let old_key = self.signing_key();
        let mut sealing = old_key.map(|key| Sealing::new(key, log_id));
        if let Some(sealing) = &mut sealing {
            let known = self.sealing.as_ref().and_then(|sealing| sealing.since);
            sealing.since = known.or(Some(first_seq));
        }
        if let (Some(old), Some(new)) = (old_key, new_key) {
            let before = length(events.len()).saturating_add(1);
            let seq = first_seq.saturating_add(before);
            events.push(key_changed(old, new, log_id, seq));
            sealing = Some(Sealing { since: Some(seq), ..Sealing::new(new, log_id) });
        }
        let key = sealing.as_ref().map(|sealing| SegmentKey {
            vkey: sealing.vkey.clone(),
            since: sealing.since.unwrap_or(first_seq),
        });
        let opened = SegmentOpened {
            previous: self.previous_segment(),
            continues: self.continues,
            unsynced_max_bytes: Some(self.flush_mode.unsynced_bytes_max()),
            sealed_from: self.sealed_from.or(key.as_ref().map(|_| first_seq)),
            key,
            pruned: self.pruned,
            ..SegmentOpened::new(log_id, self.chain.frontier().roots().to_vec())
        };
        Opening { opened, events, sealing }
    }

    fn log_opened(&self) -> LogOpened {
        let identity = self.store.identity();
        let (mode, unsynced) = (self.flush_mode.name(), self.flush_mode.unsynced_bytes_max());
        LogOpened {
            host: identity.host,
            pid: identity.pid,
            boot_id: identity.boot_id,
            vkey: self.vkey(),
            unsigned: self.signs_without_key() && !broken::is(Broken::UnsignedUnsaid),
            ..LogOpened::new(WRITER.to_owned(), mode.to_owned(), unsynced)
        }
    }

    fn previous_segment(&self) -> Option<PreviousSegment> {
        match (&self.current, self.chain.head()) {
            (Some(current), Some(head)) => Some(PreviousSegment {
                file: current.file_name.clone(),
                last_seq: head.seq,
                last_hash: head.hash,
            }),
            _ => self.previous.as_ref().map(|(previous, _)| previous.clone()),
        }
    }
}

/// A new segment, which has no name yet.
struct Made<F> {
    file: F,
    /// The chain up to its last opening record.
    chain: Chain,
    bytes: u64,
    /// Where the space that it has for certain ends.
    allocated: u64,
}

/// The opening records of a segment, and what the segment is sealed with.
struct Opening {
    opened: SegmentOpened,
    /// Those behind it.
    events: Vec<LifecycleEvent>,
    sealing: Option<Sealing>,
}

impl Opening {
    /// Their lines, linked to the chain, the last one sealed.
    fn lines(
        &self,
        chain: &mut Chain,
        service_id: ServiceId,
        timestamp: RecordTime,
    ) -> Result<Vec<u8>, WriteError> {
        let mut lines = Vec::new();
        let mut audit_id = String::new();
        let mut payload = Vec::new();
        let opened = LifecycleEvent::SegmentOpened(self.opened.clone());
        let events = std::iter::once(&opened).chain(&self.events);
        for (index, event) in events.enumerate() {
            let seq = chain.next_seq().ok_or(WriteError::SeqExhausted)?;
            payload.clear();
            write_lifecycle_payload(&mut payload, event);
            write_audit_id(&mut audit_id, service_id, seq);
            let head = RecordHead { seq, audit_id: &audit_id, timestamp, service_id };
            let (mut hash, hasher) = write_hashed(&mut lines, &head, &payload, chain.prev_hash());
            if let Some(sealing) = self.sealing.as_ref().filter(|_| index == self.events.len())
                && !broken::is(Broken::OpeningUnsealed)
            {
                hash = seal_hashed(&mut lines, hasher, &hash, &sealing.key);
            }
            chain.push(hash);
        }
        Ok(lines)
    }
}

/// Where an event is among the opening records.
fn place(event: &LifecycleEvent) -> u8 {
    match event {
        LifecycleEvent::LogRecovered { .. } => 0,
        LifecycleEvent::LogOpened(_) => 1,
        LifecycleEvent::RecordsAdopted { .. } => 2,
        LifecycleEvent::LogCopied { .. } => 3,
        LifecycleEvent::DamageFound { .. } => 4,
        LifecycleEvent::SegmentMissing { .. } => 5,
        LifecycleEvent::CheckpointSigned { .. } => 6,
        LifecycleEvent::SegmentOpened(_)
        | LifecycleEvent::EventsLost { .. }
        | LifecycleEvent::SegmentsPruned { .. }
        | LifecycleEvent::ClockStepped { .. }
        | LifecycleEvent::DiskFull { .. }
        | LifecycleEvent::KeyChanged { .. }
        | LifecycleEvent::LogClosed
        | _ => 7,
    }
}

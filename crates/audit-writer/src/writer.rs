//! The writer: one thread, unbuffered.

mod append;
mod close;
mod durable;
mod lines;
mod open;
mod prune;
mod rekey;
mod sign;
mod space;
mod vouch;
mod watch;

use std::path::Path;
use std::time::Duration;

use audit_core::lifecycle::{ContinuedLog, LifecycleEvent, LogId, NewestPrune, PreviousSegment};
use audit_core::limits::{AUDIT_ID_BYTES_MAX, RECORD_BYTES_MAX};
use audit_core::record::write_payload;
use audit_core::{
    AuditEventEnvelope, Copies, FileSystems, FlushMode, Keyless, OnDamage, OpenPolicy, Receipt,
    RecordTime, RotationPolicy, ServiceId,
};

use crate::broken::{self, Broken};
use crate::chain::Chain;
use crate::clock::{Clock, SystemClock};
use crate::error::{OpenError, WriteError};
use crate::flush;
use crate::loss::{Loss, LossTally, Losses};
use crate::recovery::{Copied, Found, Recovered};
use crate::segment::SegmentName;
use crate::store::{RealStore, Store};
use durable::Pending;
use lines::Lines;
pub(crate) use lines::put;
use sign::Signer;
pub(crate) use space::{Claim, Space, is_full};
use vouch::Sealing;

/// Appends records to a log, for one thread.
///
/// Opening takes the log's lock and reads its end; the first segment is made at the first write.
/// Dropping it closes it as [`close`](Self::close) does, but has nobody to tell of an error. In a
/// process that was forked from the one that opened the log, every call is [`WriteError::Forked`],
/// and dropping it does nothing.
#[derive(Debug)]
pub struct AuditFileWriter<S: Store = RealStore, C: Clock = SystemClock> {
    store: S,
    clock: C,
    rotation_policy: RotationPolicy,
    flush_mode: FlushMode,
    log: Option<Log>,
    chain: Chain,
    /// The segment before the one this writer will make first: named by that one, then sealed.
    previous: Option<(PreviousSegment, S::Segment)>,
    /// What that one must say of the segment before.
    accounts: Vec<LifecycleEvent>,
    /// Where the log was copied from.
    copied: Option<Copied>,
    /// The log that this one takes over from, until that is said.
    continues: Option<ContinuedLog>,
    /// Whether this writer has said in the log who it is.
    announced: bool,
    current: Option<Current<S::Segment>>,
    pending: Pending,
    space: Space,
    durable: Option<Receipt>,
    losses: Losses,
    fault: Option<WriteError>,
    signer: Option<Signer<S>>,
    /// What the newest segment was found to say, until the next one is there.
    found: Option<Found>,
    /// Whether the log that was found signs.
    signs_log: bool,
    /// What to do where it does and there is no key.
    keyless: Keyless,
    on_damage: OnDamage,
    /// What records are sealed with, in a log that signs.
    sealing: Option<Sealing>,
    /// Seq of the first sealed `segment_opened`.
    sealed_from: Option<u64>,
    /// The newest prune of the log.
    pruned: Option<NewestPrune>,
    /// What is left of a line that was written in part.
    unfinished: Vec<u8>,
    closed: bool,
    /// The process that opened the log: a fork of it has a copy of this writer, and no log.
    pid: u32,
    audit_id: String,
    payload: Vec<u8>,
    lines: Lines,
    placed: Vec<Receipt>,
}

/// What every record of a log has in common. Without an identity there is no record yet.
#[derive(Clone, Copy, Debug)]
struct Log {
    service_id: ServiceId,
    log_id: Option<LogId>,
}

/// The segment that is appended to.
#[derive(Debug)]
struct Current<F> {
    file: F,
    name: SegmentName,
    /// The name as the directory has it, so that looking at it takes no memory.
    file_name: String,
    bytes: u64,
    /// Records beside the opening ones.
    records: u64,
    /// Where the space that it has for certain ends.
    allocated: u64,
}

impl AuditFileWriter {
    /// Opens the log in a directory, which is made (mode 0700) if only its last component is
    /// missing, and locks it.
    ///
    /// # Errors
    ///
    /// [`OpenError::Io`] when an operation fails, [`OpenError::NotLocal`] when the file system is
    /// not local, [`OpenError::Locked`] when another writer has the log open,
    /// [`OpenError::Damaged`] when its newest segment does not end as a crash leaves it,
    /// [`OpenError::OtherVersion`] when it goes on in a version of the format that is not known here.
    /// The log is unchanged in each case.
    pub fn new(
        dir: impl AsRef<Path>,
        rotation_policy: RotationPolicy,
        flush_mode: FlushMode,
    ) -> Result<Self, OpenError> {
        Self::open(dir, rotation_policy, flush_mode, OpenPolicy::default())
    }

    /// As [`new`](Self::new), but for what a policy puts up with.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new), and [`OpenError::Copied`] when the log is a copy and the policy is
    /// to refuse one.
    pub fn open(
        dir: impl AsRef<Path>,
        rotation_policy: RotationPolicy,
        flush_mode: FlushMode,
        open_policy: OpenPolicy,
    ) -> Result<Self, OpenError> {
        let OpenPolicy { on_damage, file_systems, keyless, copies } = open_policy;
        let store =
            RealStore::open_dir(dir.as_ref()).map_err(OpenError::io("open the directory"))?;
        let file_system =
            store.file_system().map_err(OpenError::io("ask for the kind of file system"))?;
        if file_systems == FileSystems::Local && !file_system.is_local() {
            return Err(OpenError::NotLocal { file_system });
        }
        if !store.try_lock().map_err(OpenError::io("lock the directory"))? {
            return Err(OpenError::Locked { holder: crate::recovery::holder(&store) });
        }
        let clock = SystemClock::default();
        let mut writer = Self::with(store, clock, rotation_policy, flush_mode, on_damage)?;
        if let Some(copied) = writer.copied.filter(|_| copies == Copies::Refuse) {
            return Err(OpenError::Copied(Box::new(copied)));
        }
        writer.go_without_key(keyless);
        Ok(writer)
    }
}

impl<S: Store, C: Clock> AuditFileWriter<S, C> {
    /// Opens the log in a directory that the caller has locked.
    ///
    /// # Errors
    ///
    /// [`OpenError::Io`], [`OpenError::Damaged`] and [`OpenError::OtherVersion`], as for
    /// [`new`](AuditFileWriter::new).
    pub fn with(
        mut store: S,
        clock: C,
        rotation_policy: RotationPolicy,
        flush_mode: FlushMode,
        on_damage: OnDamage,
    ) -> Result<Self, OpenError> {
        let recovered = crate::recovery::recover(&mut store, on_damage)?;
        let records = flush::window_records(flush_mode);
        let mut writer = Self {
            store,
            clock,
            rotation_policy,
            flush_mode,
            log: None,
            chain: Chain::new(),
            previous: None,
            accounts: Vec::new(),
            copied: None,
            continues: None,
            announced: false,
            current: None,
            pending: Pending::default(),
            space: Space::default(),
            durable: None,
            losses: Losses::default(),
            fault: None,
            signer: None,
            found: None,
            signs_log: false,
            keyless: Keyless::Refuse,
            on_damage,
            sealing: None,
            sealed_from: None,
            pruned: None,
            unfinished: Vec::new(),
            closed: false,
            pid: std::process::id(),
            audit_id: String::with_capacity(AUDIT_ID_BYTES_MAX),
            payload: Vec::with_capacity(RECORD_BYTES_MAX),
            lines: Lines::with_capacity(records),
            placed: Vec::with_capacity(records),
        };
        if let Some(recovered) = recovered {
            let Recovered { service_id, chain, previous, file, account, copied, found } = recovered;
            writer.log = Some(Log { service_id, log_id: Some(found.opened.log_id) });
            writer.durable = chain.head();
            writer.chain = chain;
            // What a writer that did not close had allocated ahead is space for this one. A sealed
            // segment was given back already, and refuses.
            writer.store.release(&previous.file).unwrap_or_default();
            writer.previous = Some((previous, file));
            writer.accounts.extend(account);
            writer.accounts.extend(copied.map(Copied::event));
            writer.copied = copied;
            writer.sealed_from = found.opened.sealed_from;
            writer.pruned = found.pruned.as_ref().map(|(newest, _)| *newest);
            writer.pruned = writer.pruned.or(found.opened.pruned);
            writer.signs_log = found.is_signed();
            writer.found = Some(found);
        }
        Ok(writer)
    }

    /// What to do where the log signs and no key is given: by default the first record is refused.
    pub fn go_without_key(&mut self, keyless: Keyless) {
        self.keyless = keyless;
    }

    /// Where the log was copied from, where it was a copy when it was opened.
    pub(crate) fn copied(&self) -> Option<Copied> {
        self.copied
    }

    /// Whether a copy of the log could be told from it.
    pub(crate) fn tells_copies(&self) -> bool {
        self.store.id().is_some()
    }

    /// Whether the log signs, and has neither its key nor the word to continue without.
    pub(crate) fn lacks_key(&self) -> bool {
        self.signs_log && self.signer.is_none() && self.keyless == Keyless::Refuse
    }

    fn has_its_key(&self) -> Result<(), WriteError> {
        let is_lacking = self.lacks_key() && !broken::is(Broken::KeyUnasked);
        if is_lacking { Err(WriteError::KeyMissing) } else { Ok(()) }
    }

    /// Whether the log signs, and continues without its key.
    fn signs_without_key(&self) -> bool {
        self.signs_log && self.signer.is_none()
    }

    /// Begins a log that takes over from another: as where a backup was restored, which must not go
    /// on itself, since its lost records would be written anew. Its first record says so, durably.
    ///
    /// # Errors
    ///
    /// [`WriteError::Begun`] when the log has records; otherwise [`WriteError`] as for an event.
    pub fn begin(
        &mut self,
        service_id: ServiceId,
        continues: ContinuedLog,
    ) -> Result<(), WriteError> {
        self.usable()?;
        self.check_service(service_id)?;
        if self.chain.head().is_some() {
            return Err(WriteError::Begun);
        }
        self.continues = Some(continues);
        self.open_segment(service_id, RecordTime::new(self.clock.now()))
    }

    /// Records an event, as durably as the flush mode says for it.
    ///
    /// Takes service, event and marks of the envelope and assigns the rest. Allocates nothing in
    /// steady state.
    ///
    /// Clean the event first (`audit_validate::validate_event`). The writer does not: of an event
    /// that nobody cleaned, the record is one line of JSON within the limits of the format all the
    /// same, and a hostile code point stands in it as its JSON escape; but whoever decodes that
    /// gets it back, no mark says so, a text can imitate a marker, and what is too long costs the
    /// whole event but its type, time and digest.
    ///
    /// # Errors
    ///
    /// [`WriteError`]; each variant says whether the event is in the log. With
    /// [`WriteError::Poisoned`] it may be.
    pub fn write_event(
        &mut self,
        envelope: &AuditEventEnvelope<'_>,
    ) -> Result<Receipt, WriteError> {
        self.usable()?;
        self.check_service(envelope.service_id)?;
        let mut payload = std::mem::take(&mut self.payload);
        payload.clear();
        write_payload(&mut payload, &envelope.event, &envelope.sanitized);
        let written =
            self.write_payload(envelope.service_id, &payload, envelope.event.is_critical());
        self.payload = payload;
        written
    }

    /// Counts an event that will not be in the log. It is declared in the log before the next
    /// event, or when the log is closed.
    ///
    /// # Errors
    ///
    /// [`WriteError::ServiceMismatch`], [`WriteError::Poisoned`] and [`WriteError::Forked`]: it is
    /// not counted then.
    pub fn record_loss(&mut self, service_id: ServiceId, loss: Loss) -> Result<(), WriteError> {
        self.usable()?;
        self.check_service(service_id)?;
        let now = RecordTime::new(self.clock.now());
        self.losses.add(now, loss);
        Ok(())
    }

    /// Counts losses again whose declaration will not be in the log.
    pub(crate) fn restore_losses(&mut self, tallies: &[LossTally]) {
        for lost in tallies {
            self.losses.absorb(lost);
        }
    }

    /// Makes every record durable.
    ///
    /// # Errors
    ///
    /// [`WriteError::Io`] when a line that was written in part cannot be finished,
    /// [`WriteError::Poisoned`] when the sync fails now or one did before, [`WriteError::Forked`] in
    /// a forked process.
    pub fn flush(&mut self) -> Result<(), WriteError> {
        self.usable()?;
        self.finish_line()?;
        self.sync()
    }

    /// Makes every record durable if the interval of the flush mode has passed, and says how long
    /// until it will have; `None` when nothing waits. The writer starts no thread, so whoever owns
    /// it calls this in time.
    ///
    /// # Errors
    ///
    /// As for [`flush`](Self::flush).
    pub fn flush_if_due(&mut self) -> Result<Option<Duration>, WriteError> {
        self.usable()?;
        let unsynced = self.unsynced();
        if flush::due(self.flush_mode, unsynced) {
            self.flush()?;
            return Ok(None);
        }
        Ok(flush::due_in(self.flush_mode, unsynced))
    }

    /// Declares what was lost, records `log_closed`, makes everything durable and seals the
    /// segment. Returns the head of the log; a log without a record has none. Where nothing was
    /// recorded, nothing is written.
    ///
    /// # Errors
    ///
    /// [`WriteError`]: the log is as after a crash, and the next open goes on after it.
    pub fn close(mut self) -> Result<Option<Receipt>, WriteError> {
        self.shut()
    }

    /// Events written since the last sync. The writer's own records are not counted.
    #[must_use]
    pub fn events_since_sync(&self) -> u32 {
        self.pending.events
    }

    /// The newest record, durable or not.
    #[must_use]
    pub fn head(&self) -> Option<Receipt> {
        self.chain.head()
    }

    /// The newest durable record.
    #[must_use]
    pub fn durable(&self) -> Option<Receipt> {
        self.durable
    }

    /// The log's service, once it has one.
    #[must_use]
    pub fn service_id(&self) -> Option<ServiceId> {
        self.log.map(|log| log.service_id)
    }

    /// When it syncs of its own.
    pub(crate) fn flush_mode(&self) -> FlushMode {
        self.flush_mode
    }

    /// Its clock.
    pub(crate) fn clock(&self) -> &C {
        &self.clock
    }

    /// Puts the writer out of use: neither a later call nor its end touches the log any more.
    pub(crate) fn abandon(&mut self, fault: WriteError) {
        self.fault.get_or_insert(fault);
    }

    fn write_payload(
        &mut self,
        service_id: ServiceId,
        payload: &[u8],
        critical: bool,
    ) -> Result<Receipt, WriteError> {
        self.finish_line()?;
        let mut appended = self.append_declared(service_id, Claim::Routine, payload);
        if critical && appended.as_ref().is_err_and(WriteError::is_refused_for_space) {
            // A declaration of losses may be what is unfinished.
            appended = self
                .finish_line()
                .and_then(|()| self.declare_full(service_id))
                .and_then(|()| self.append_declared(service_id, Claim::Critical, payload));
        }
        // A record that is written in part has its place too, and is as critical.
        if matches!(appended, Ok(_) | Err(WriteError::Unfinished { .. })) {
            self.pending.events = self.pending.events.saturating_add(1);
            self.pending.critical |= critical;
        }
        let receipt = appended?;
        if flush::due(self.flush_mode, self.unsynced()) {
            self.sync()?;
        }
        Ok(receipt)
    }

    fn usable(&self) -> Result<(), WriteError> {
        if std::process::id() != self.pid {
            return Err(WriteError::Forked);
        }
        self.fault.clone().map_or(Ok(()), Err)
    }

    /// The first event or loss of a new log decides whose it is.
    fn check_service(&mut self, given: ServiceId) -> Result<(), WriteError> {
        let log = self.log.get_or_insert(Log { service_id: given, log_id: None }).service_id;
        if log == given { Ok(()) } else { Err(WriteError::ServiceMismatch { log, given }) }
    }
}

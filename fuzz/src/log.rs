//! Logs in memory, made of what libFuzzer made.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use audit_core::digest::leaf_hash;
use audit_core::lifecycle::{
    LifecycleEvent, LogId, LogOpened, PreviousSegment, SegmentKey, SegmentOpened, TailKind,
    write_audit_id,
};
use audit_core::limits::PAYLOAD_BYTES_MAX;
use audit_core::record::{RecordHead, write_lifecycle_payload, write_record};
use audit_core::seal::{SealKey, seal_record};
use audit_core::{
    AuditEvent, AuditEventEnvelope, Digest, EventTime, FlushMode, Frontier, OnDamage, RecordTime,
    RotationPolicy, ServiceId,
};
use audit_verify::{MemorySource, Report, Verdict, VerifyOptions, View, Viewer, verify_source};
use audit_writer::{AuditFileWriter, Clock, SimDisk};
use chrono::{DateTime, Utc};

use crate::hostile::is_hostile;
use crate::script::log_of_script;
use crate::text::assert_escapes_only;

pub(crate) type Files = BTreeMap<String, Vec<u8>>;

const SEGMENT: &str = "00000000000000000000.1970-01-01.audit.jsonl";

/// An event of a caller.
pub(crate) const PAYLOAD: &[u8] = br#"{"event_type":"x","k":"abcdefghijklmnopqrstuvwxyz"}"#;

/// The seed of the key that sealed logs are sealed with.
pub(crate) const SEED: [u8; 32] = [1; 32];

/// How long the tail of a torn log may be.
pub(crate) const UNSYNCED_MAX_BYTES: u64 = 4_096;

fn service_id() -> ServiceId {
    ServiceId::new("s").unwrap()
}

/// Whether a record is given a seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sealing {
    None,
    Sealed,
}

/// A log as a writer begins it, open for more records.
pub(crate) struct Begun {
    /// The segments that are not written to any more.
    done: Files,
    /// The segment before the newest one.
    pub(crate) previous: String,
    /// The name of the newest segment, and its lines.
    pub(crate) name: String,
    pub(crate) lines: Vec<u8>,
    pub(crate) seq: u64,
    pub(crate) prev_hash: Digest,
    pub(crate) frontier: Frontier,
    hashes: Vec<Digest>,
    /// The key of a sealed log, in words.
    vkey: Option<String>,
    seal_key: SealKey,
}

impl Begun {
    /// A log without a key.
    pub(crate) fn new() -> Self {
        Self::opened(None)
    }

    /// One that is sealed.
    pub(crate) fn sealed() -> Self {
        Self::sealed_by("vkey")
    }

    pub(crate) fn sealed_by(vkey: &str) -> Self {
        Self::opened(Some(vkey.to_owned()))
    }

    fn opened(vkey: Option<String>) -> Self {
        let sealing = if vkey.is_some() { Sealing::Sealed } else { Sealing::None };
        let mut begun = Self {
            done: Files::new(),
            previous: String::new(),
            name: String::new(),
            lines: Vec::new(),
            seq: 0,
            prev_hash: Digest::ZERO,
            frontier: Frontier::new(),
            hashes: Vec::new(),
            vkey,
            seal_key: SealKey::derive(&SEED, LogId::from_bytes([7; 16])),
        };
        begun.open_segment(Sealing::None);
        begun.log_opened(sealing);
        begun
    }

    /// Begins a segment.
    pub(crate) fn open_segment(&mut self, sealing: Sealing) {
        let opened = self.segment_opened();
        self.open_segment_with(opened, sealing);
    }

    /// What the first record of a next segment says.
    pub(crate) fn segment_opened(&self) -> SegmentOpened {
        let mut opened =
            SegmentOpened::new(LogId::from_bytes([7; 16]), self.frontier.roots().to_vec());
        opened.previous = self.seq.checked_sub(1).map(|last_seq| PreviousSegment {
            file: self.name.clone(),
            last_seq,
            last_hash: self.prev_hash,
        });
        if let Some(vkey) = &self.vkey {
            opened.unsynced_max_bytes = Some(UNSYNCED_MAX_BYTES);
            opened.key = Some(SegmentKey { vkey: vkey.clone(), since: 0 });
            opened.sealed_from = Some(0);
        }
        opened
    }

    /// Begins a segment of which this is said.
    pub(crate) fn open_segment_with(&mut self, opened: SegmentOpened, sealing: Sealing) {
        let name = format!("{:020}.1970-01-01.audit.jsonl", self.seq);
        self.previous = std::mem::replace(&mut self.name, name);
        if self.seq > 0 {
            self.done.insert(self.previous.clone(), std::mem::take(&mut self.lines));
        }
        self.push_lifecycle(&LifecycleEvent::SegmentOpened(opened), sealing);
    }

    pub(crate) fn log_opened(&mut self, sealing: Sealing) {
        let opened = LogOpened::new("fuzz".to_owned(), "immediate".to_owned(), UNSYNCED_MAX_BYTES);
        self.push_lifecycle(&LifecycleEvent::LogOpened(opened), sealing);
    }

    /// So many records that are not sealed yet, and bytes behind them, that a next segment accounts
    /// for.
    pub(crate) fn lose(&mut self, records: u8, torn: &[u8], kind: TailKind) {
        let (seq, prev_hash, frontier) = (self.seq, self.prev_hash, self.frontier.clone());
        let (start, kept) = (self.lines.len(), self.hashes.len());
        (0..records).for_each(|_| self.push(PAYLOAD, Sealing::None));
        self.lines.extend_from_slice(torn);
        (self.seq, self.prev_hash, self.frontier) = (seq, prev_hash, frontier);
        self.hashes.truncate(kept);
        let tail = self.lines.get(start..).unwrap_or_default();
        let recovered = LifecycleEvent::LogRecovered {
            file: self.name.clone(),
            offset: u64::try_from(start).unwrap(),
            bytes: u64::try_from(tail.len()).unwrap(),
            sha256: Digest::of(tail),
            valid_records: records.into(),
            kind,
        };
        self.open_segment(Sealing::None);
        self.push_lifecycle(&recovered, Sealing::None);
        let sealing = if self.vkey.is_some() { Sealing::Sealed } else { Sealing::None };
        self.log_opened(sealing);
    }

    pub(crate) fn push_lifecycle(&mut self, event: &LifecycleEvent, sealing: Sealing) {
        let mut payload = Vec::new();
        write_lifecycle_payload(&mut payload, event);
        self.push(&payload, sealing);
    }

    pub(crate) fn push(&mut self, payload: &[u8], sealing: Sealing) {
        let mut audit_id = String::new();
        write_audit_id(&mut audit_id, service_id(), self.seq);
        let timestamp = RecordTime::new(DateTime::UNIX_EPOCH);
        let head =
            RecordHead { seq: self.seq, audit_id: &audit_id, timestamp, service_id: service_id() };
        let start = self.lines.len();
        let hash = write_record(&mut self.lines, &head, payload, &self.prev_hash);
        self.prev_hash = match sealing {
            Sealing::None => hash,
            Sealing::Sealed => seal_record(&mut self.lines, start, &hash, &self.seal_key),
        };
        self.frontier.push(self.prev_hash);
        self.hashes.push(self.prev_hash);
        self.seq = self.seq.saturating_add(1);
    }

    /// The hash of a record, or zeros.
    pub(crate) fn hash_of(&self, seq: u64) -> Digest {
        let hash = usize::try_from(seq).ok().and_then(|seq| self.hashes.get(seq));
        hash.copied().unwrap_or(Digest::ZERO)
    }

    /// The frontier when there were so many records.
    pub(crate) fn frontier_at(&self, size: u64) -> Vec<Digest> {
        let mut frontier = Frontier::new();
        for hash in self.hashes.iter().take(usize::try_from(size).unwrap_or(usize::MAX)) {
            frontier.push(*hash);
        }
        frontier.roots().to_vec()
    }

    pub(crate) fn files(mut self) -> Files {
        self.done.insert(self.name, self.lines);
        self.done
    }
}

/// A log whose last record has a payload, whatever that is; one that no encoder would make as long
/// is cut.
#[must_use]
pub fn log_of_payload(payload: &[u8]) -> Files {
    let mut begun = Begun::new();
    begun.push(payload.get(..PAYLOAD_BYTES_MAX).unwrap_or(payload), Sealing::None);
    begun.files()
}

/// A log whose last record is some bytes with the hash that they ought to have.
#[must_use]
pub fn log_of_record(body: &[u8]) -> Files {
    let mut begun = Begun::new();
    begun.lines.extend_from_slice(body);
    begun.lines.extend_from_slice(format!(",\"hash\":\"{}\"}}\n", leaf_hash(body)).as_bytes());
    begun.files()
}

/// A log of any files: the name of one on a line, then its bytes up to the next separator.
#[must_use]
pub fn log_of_files(data: &[u8]) -> Files {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut files = Files::new();
    let mut rest = data;
    while !rest.is_empty() {
        let end = rest.windows(4).position(|four| four == b"\xff\xff\xff\n").unwrap_or(rest.len());
        let (file, after) = rest.split_at(end);
        let name_end = file.iter().position(|&byte| byte == b'\n').unwrap_or(file.len());
        let (name, bytes) = file.split_at(name_end);
        // An empty name stands for that of a first segment.
        let name = if name.is_empty() { SEGMENT.to_owned() } else { text(name) };
        files.insert(name, bytes.get(1..).unwrap_or_default().to_vec());
        rest = after.get(4..).unwrap_or_default();
    }
    files
}

/// Verifies a log, and views it. What is said of it is safe to print, in every form.
///
/// # Panics
///
/// It is not so.
#[must_use]
pub fn judge(files: Files) -> Report {
    let source = MemorySource::new(files);
    let report = verify_source(&source, &VerifyOptions::default(), &mut |_| ()).unwrap();
    assert_safe(&report);
    assert_eq!(report.verdict == Verdict::Consistent, report.findings_total == 0, "{report}");
    view(source);
    report
}

/// A report is safe to print, in every form.
pub(crate) fn assert_safe(report: &Report) {
    let (text, json) = (report.to_string(), serde_json::to_string(report).unwrap());
    assert!(!text.replace('\n', "").chars().any(is_hostile), "{text}");
    assert!(!json.chars().any(is_hostile), "{json}");
    assert_escapes_only(&json, br#""\"#);
}

/// Views a log. What is said of faults is safe to print, and a record that is shown is a line.
fn view(source: MemorySource) {
    let mut viewer = Viewer::new(source);
    let mut visit = |view: View<'_>| {
        match view {
            View::Record(record) => assert!(!record.line.contains(&b'\n')),
            View::Faulty { findings, .. } => {
                let json = serde_json::to_string(findings).unwrap();
                assert!(!json.chars().any(is_hostile), "{json}");
                assert_escapes_only(&json, br#""\"#);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    };
    assert!(viewer.read(&mut visit).unwrap().is_continue());
    viewer.finish(&mut visit);
}

pub(crate) fn verdict(files: Files) -> Verdict {
    judge(files).verdict
}

/// A clock that stands still.
#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

/// Opens a log that a whole writer left, but for what the data does to it, and goes on: it is
/// refused with an error, or what was not tampered with before is not so afterwards.
///
/// # Panics
///
/// It is not so.
pub fn recover(data: &[u8]) {
    let files = damaged(data);
    let before = verdict(files.clone());
    let disk = SimDisk::with_files(files);
    let flush = FlushMode::Immediate;
    let opened =
        AuditFileWriter::with(disk.store(), Still, RotationPolicy::Daily, flush, OnDamage::Refuse);
    let Ok(mut writer) = opened else { return };
    let event = AuditEvent::SealVerified {
        timestamp: EventTime::from(DateTime::UNIX_EPOCH),
        shard_id: "shard".into(),
        worker_id: "worker".into(),
    };
    let service_id = writer.service_id().unwrap_or_else(service_id);
    if writer.write_event(&AuditEventEnvelope::new(service_id, event)).is_err() {
        return;
    }
    writer.close().unwrap();
    let after = judge(disk.files());
    assert!(before == Verdict::Tampered || after.verdict != Verdict::Tampered, "{after}");
}

/// The first byte tells what the others are: the files of a log; what its writer did; a record, or
/// the payload of one, at the end of a sound log; or where a sound log is cut, and what follows there.
fn damaged(data: &[u8]) -> Files {
    let Some((&kind, data)) = data.split_first() else { return Files::new() };
    match kind {
        b'f' => log_of_files(data),
        b's' => log_of_script(data),
        b'r' => log_of_record(data),
        b'p' => log_of_payload(data),
        _ => {
            let Some((cut, rest)) = data.split_at_checked(2) else { return Files::new() };
            let cut = cut.iter().fold(0, |cut, &byte| cut << 8 | usize::from(byte));
            let mut begun = Begun::new();
            (0..usize::from(kind) % 8).for_each(|_| begun.push(PAYLOAD, Sealing::None));
            begun.lines.truncate(cut.min(begun.lines.len()));
            begun.lines.extend_from_slice(rest);
            begun.files()
        }
    }
}

//! Logs by what is in them: their bytes are made from that, so that hashes, links, names and seals
//! are right whatever the events say.

use audit_core::digest::leaf_hash;
use audit_core::lifecycle::LogId;
use audit_core::seal::{SealKey, seal_record};
use audit_core::{Digest, Frontier};
use serde_json::{Value, json};

use crate::builder::{Builder, Files, LOG_ID, segment_name};
use crate::signed::{key, public};

/// What each segment of a log holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) segments: Vec<Segment>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Segment {
    pub(crate) records: Vec<Planned>,
    /// Whole records behind them that are no part of the chain, as the next segment says.
    pub(crate) lost: Vec<Planned>,
    /// What a crash left behind those.
    pub(crate) torn: Vec<u8>,
    pub(crate) is_deleted: bool,
}

/// A record. What is `null` in its event is filled in when its bytes are made.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) event: Value,
    pub(crate) seal: Seal,
}

/// Whether a record has a seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seal {
    None,
    Right,
}

/// The key of these logs.
pub(crate) fn vkey() -> String {
    public(&key(1)).to_string()
}

/// The key that takes its place.
pub(crate) fn next_vkey() -> String {
    public(&key(2)).to_string()
}

/// A time, as records have it.
pub(crate) const TIME: &str = "2026-01-02T00:00:00.000000002Z";

/// A place on a file system.
pub(crate) fn place(inode: u32) -> Value {
    json!({
        "dir": { "inode": inode, "born": TIME },
        "file": { "inode": inode + 1, "born": TIME },
    })
}

impl Plan {
    /// Begins a segment, of which `more` is said.
    pub(crate) fn open(&mut self, more: Value) -> &mut Self {
        let mut event = json!({
            "event_type": "segment_opened", "log_id": LOG_ID, "merkle_frontier": null,
        });
        if !self.segments.is_empty() {
            event["previous"] = Value::Null;
        }
        extend(&mut event, more);
        self.segments.push(Segment::default());
        self.push(event, Seal::None)
    }

    /// Begins a segment that is sealed with a key which a record of this seq named first.
    pub(crate) fn open_sealed(&mut self, vkey: &str, since: u64, more: Value) -> &mut Self {
        let mut event = json!({
            "unsynced_max_bytes": 4096, "key": { "vkey": vkey, "since": since }, "sealed_from": 0,
        });
        extend(&mut event, more);
        self.open(event)
    }

    /// A writer opens the log.
    pub(crate) fn log_opened(&mut self, seal: Seal) -> &mut Self {
        self.own("log_opened", log_opened(), seal)
    }

    /// A record of the writer's own.
    pub(crate) fn own(&mut self, event_type: &str, members: Value, seal: Seal) -> &mut Self {
        let mut event = json!({ "event_type": event_type });
        extend(&mut event, members);
        self.push(event, seal)
    }

    /// So many events in one write, which is sealed.
    pub(crate) fn write(&mut self, events: usize) -> &mut Self {
        for left in (0..events).rev() {
            self.push(event(), if left == 0 { Seal::Right } else { Seal::None });
        }
        self
    }

    /// So many events, none of which is sealed.
    pub(crate) fn events(&mut self, events: usize) -> &mut Self {
        (0..events).for_each(|_| _ = self.push(event(), Seal::None));
        self
    }

    /// So many events that are lost with their seal, and what a crash left behind them.
    pub(crate) fn lose(&mut self, events: usize, torn: &[u8]) -> &mut Self {
        let segment = self.newest();
        segment.lost.extend((0..events).map(|_| Planned { event: event(), seal: Seal::None }));
        segment.torn = torn.to_vec();
        self
    }

    /// What the next segment says of that.
    pub(crate) fn recovered(&mut self, kind: &str) -> &mut Self {
        let members = json!({
            "file": null, "offset": null, "bytes": null, "sha256": null, "valid_records": null,
            "kind": kind,
        });
        self.own("log_recovered", members, Seal::None)
    }

    fn push(&mut self, event: Value, seal: Seal) -> &mut Self {
        self.newest().records.push(Planned { event, seal });
        self
    }

    fn newest(&mut self) -> &mut Segment {
        self.segments.last_mut().unwrap()
    }

    /// The seq that is due.
    pub(crate) fn next_seq(&self) -> u64 {
        self.segments.iter().map(|segment| segment.records.len() as u64).sum()
    }

    /// A deletion of these segments, up to the end of the last one, after the one before.
    pub(crate) fn prune(&mut self, segments: std::ops::Range<usize>) -> &mut Self {
        let first_of = |number: usize| -> u64 {
            self.segments[..number].iter().map(|segment| segment.records.len() as u64).sum()
        };
        let file = |number: usize| {
            json!({
                "name": segment_name(first_of(number)), "size": 512,
                "sha256": Digest::of(b"it is gone").to_string(),
                "last_seq": first_of(number + 1) - 1,
            })
        };
        let mut members = json!({
            "first_seq": 0, "last_seq": first_of(segments.end) - 1, "last_hash": null,
            "merkle_frontier": null, "files": segments.clone().map(file).collect::<Vec<_>>(),
            "reason": "age",
        });
        if segments.start > 0 {
            let last_seq = first_of(segments.start) - 1;
            members["after"] = json!({ "last_seq": last_seq, "last_hash": null });
        }
        members["before"] = TIME.into();
        self.own("segments_pruned", members, Seal::Right)
    }

    /// The files of the log.
    pub(crate) fn files(&self) -> Files {
        let mut maker = Maker::new();
        for segment in &self.segments {
            maker.segment(segment);
        }
        maker.files
    }
}

/// An event of a caller.
fn event() -> Value {
    json!({ "event_type": "seal_verified", "timestamp": "2026-01-02T03:04:05Z", "shard_id": "s", "worker_id": "w" })
}

/// What a writer says of itself at the least.
pub(crate) fn log_opened() -> Value {
    json!({ "writer": "by hand", "flush_mode": "immediate", "unsynced_max_bytes": 4096 })
}

fn extend(event: &mut Value, more: Value) {
    let Value::Object(more) = more else { return };
    event.as_object_mut().unwrap().extend(more);
}

/// The key that seals records beside this signing key.
fn seal_key(seed: u8) -> SealKey {
    SealKey::derive(&[seed; 32], LogId::from_hex(LOG_ID).unwrap())
}

/// Makes the bytes of a log.
struct Maker {
    files: Files,
    hashes: Vec<Digest>,
    /// The newest segment and its bytes, of which so many count.
    file: String,
    bytes: Vec<u8>,
    counted: usize,
    /// Whole lines in its tail.
    valid_records: usize,
    key: SealKey,
}

impl Maker {
    fn new() -> Self {
        Self {
            files: Files::new(),
            hashes: Vec::new(),
            file: String::new(),
            bytes: Vec::new(),
            counted: 0,
            valid_records: 0,
            key: seal_key(1),
        }
    }

    fn segment(&mut self, segment: &Segment) {
        let opened = segment.records.first();
        let by_next = opened.is_some_and(|it| it.event["key"]["vkey"] == next_vkey());
        self.key = seal_key(if by_next { 2 } else { 1 });
        let file = segment_name(self.next_seq());
        let mut bytes = Vec::new();
        for planned in &segment.records {
            let hash = self.record(planned, &mut bytes);
            self.hashes.push(hash);
        }
        self.counted = bytes.len();
        let whole = self.hashes.len();
        for planned in &segment.lost {
            let hash = self.record(planned, &mut bytes);
            self.hashes.push(hash);
        }
        self.hashes.truncate(whole);
        bytes.extend_from_slice(&segment.torn);
        self.valid_records = segment.lost.len();
        if !segment.is_deleted {
            self.files.insert(file.clone(), bytes.clone());
        }
        (self.file, self.bytes) = (file, bytes);
    }

    fn next_seq(&self) -> u64 {
        self.hashes.len() as u64
    }

    /// Appends a record, and returns its hash.
    fn record(&self, planned: &Planned, bytes: &mut Vec<u8>) -> Digest {
        let mut event = planned.event.clone();
        self.fill(&mut event, None);
        let prev_hash = self.hashes.last().copied().unwrap_or(Digest::ZERO);
        let (line, hash) = Builder::line(self.next_seq(), &event.to_string(), prev_hash);
        let start = bytes.len();
        bytes.extend_from_slice(line.as_bytes());
        match planned.seal {
            Seal::None => hash,
            Seal::Right => seal_record(bytes, start, &hash, &self.key),
        }
    }

    /// Fills in what is `null` in an event, or in a part of it.
    fn fill(&self, part: &mut Value, kind: Option<&str>) {
        let Value::Object(members) = part else { return };
        let named = members.get("event_type").and_then(Value::as_str).map(str::to_owned);
        let kind = named.as_deref().or(kind).unwrap_or_default().to_owned();
        let last_seq = members.get("last_seq").and_then(Value::as_u64);
        for (name, value) in members {
            if value.is_null() {
                *value = self.filling(&kind, name, last_seq);
            }
            self.fill(value, Some(&kind));
        }
    }

    fn filling(&self, kind: &str, name: &str, last_seq: Option<u64>) -> Value {
        let seq = self.next_seq();
        let tail = self.bytes.get(self.counted..).unwrap_or_default();
        match (kind, name) {
            (_, "previous") => json!({
                "file": self.file, "last_seq": seq.saturating_sub(1),
                "last_hash": self.hash(seq.checked_sub(1)),
            }),
            (_, "last_hash") => self.hash(last_seq),
            ("segments_pruned", "merkle_frontier") => {
                self.frontier(last_seq.unwrap_or_default().saturating_add(1))
            }
            (_, "merkle_frontier") => self.frontier(seq),
            (_, "file") => self.file.as_str().into(),
            (_, "offset") => self.counted.into(),
            (_, "bytes") => tail.len().into(),
            (_, "sha256") => Digest::of(tail).to_string().into(),
            (_, "valid_records") => self.valid_records.into(),
            _ => Value::Null,
        }
    }

    /// The hash of a record, or of nothing.
    fn hash(&self, seq: Option<u64>) -> Value {
        let hash = seq.and_then(|seq| self.hashes.get(usize::try_from(seq).ok()?));
        hash.copied().unwrap_or(leaf_hash(b"")).to_string().into()
    }

    fn frontier(&self, size: u64) -> Value {
        let mut frontier = Frontier::new();
        for hash in self.hashes.iter().take(usize::try_from(size).unwrap()) {
            frontier.push(*hash);
        }
        frontier.roots().iter().map(ToString::to_string).collect::<Vec<_>>().into()
    }
}

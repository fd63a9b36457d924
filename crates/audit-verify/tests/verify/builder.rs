//! Logs made by hand: from the text of the format alone, with nothing of the code that writes logs.

use std::collections::BTreeMap;

use audit_checkpoint::SigningKey;
use audit_core::digest::leaf_hash;
use audit_core::lifecycle::LogId;
use audit_core::seal::{SEAL_FIELD_BYTES, split_seal};
use audit_core::{Digest, Frontier, Receipt, SealKey};
use audit_verify::{Finding, MemorySource, Report, Verdict, VerifyOptions, verify_source};

pub(crate) type Files = BTreeMap<String, Vec<u8>>;

pub(crate) const LOG_ID: &str = "0123456789abcdef0123456789abcdef";
const SERVICE: &str = "bank.teller-1";

/// A log that is being written.
#[derive(Clone)]
pub(crate) struct Builder {
    pub(crate) files: Files,
    pub(crate) seq: u64,
    pub(crate) prev_hash: Digest,
    pub(crate) frontier: Frontier,
    pub(crate) log_id: String,
    /// The newest segment.
    pub(crate) file: String,
    /// What its segments are sealed with, from the next one on.
    pub(crate) sealing: Option<Sealing>,
    /// Seq of the first `segment_opened` of a sealed segment.
    pub(crate) sealed_from: Option<u64>,
    /// What the next segments say of the newest prune.
    pub(crate) pruned: Option<(u64, u64, Digest)>,
}

/// What a log is sealed with.
#[derive(Clone)]
pub(crate) struct Sealing {
    pub(crate) key: SealKey,
    pub(crate) vkey: String,
    /// Seq of the record that first names the key; `None` until that is written.
    pub(crate) since: Option<u64>,
}

impl Sealing {
    /// By a key that is made of a seed of one repeated byte.
    pub(crate) fn by(key: &SigningKey, seed: u8) -> Self {
        let log_id = LogId::from_hex(LOG_ID).unwrap();
        let vkey = key.verifying_key().to_string();
        Self { key: SealKey::derive(&[seed; 32], log_id), vkey, since: None }
    }
}

impl Builder {
    /// No segment yet.
    pub(crate) fn empty() -> Self {
        Self {
            files: Files::new(),
            seq: 0,
            prev_hash: Digest::ZERO,
            frontier: Frontier::new(),
            log_id: LOG_ID.to_owned(),
            file: String::new(),
            sealing: None,
            sealed_from: None,
            pruned: None,
        }
    }

    /// A log that a writer has just opened.
    pub(crate) fn new() -> Self {
        let mut log = Self::empty();
        log.open_segment();
        log.log_opened();
        log
    }

    /// The line of a record.
    pub(crate) fn line(seq: u64, event: &str, prev_hash: Digest) -> (String, Digest) {
        let time = timestamp(seq);
        let body = format!(
            r#"{{"v":1,"seq":{seq},"audit_id":"audit-{SERVICE}-{seq:016x}","timestamp":"{time}","service_id":"{SERVICE}","event":{event},"prev_hash":"{prev_hash}""#
        );
        seal(&body)
    }

    /// Appends the record of an event.
    pub(crate) fn record(&mut self, event: &str) {
        let (line, hash) = Self::line(self.seq, event, self.prev_hash);
        self.append(line.as_bytes());
        self.advance(hash);
    }

    /// Appends the record of an event, sealed.
    pub(crate) fn record_sealed(&mut self, event: &str) {
        let (line, unsealed) = Self::line(self.seq, event, self.prev_hash);
        let seal = self.sealing.as_ref().unwrap().key.seal(&unsealed).to_text();
        let seal = str::from_utf8(&seal).unwrap().to_owned();
        let body = &line[..line.len() - HASH_FIELD_BYTES];
        let (line, hash) = self::seal(&format!("{body},\"seal\":\"{seal}\""));
        self.append(line.as_bytes());
        self.advance(hash);
    }

    /// Appends a record of another version of the format.
    pub(crate) fn foreign(&mut self, version: u64) {
        let (line, hash) = self.foreign_line(version);
        self.append(line.as_bytes());
        self.advance(hash);
    }

    /// The line of such a record.
    pub(crate) fn foreign_line(&self, version: u64) -> (String, Digest) {
        let (line, _) = Self::line(self.seq, r#"{"event_type":"x"}"#, self.prev_hash);
        let body = line[..line.len() - HASH_FIELD_BYTES].replacen(
            r#""v":1,"#,
            &format!(r#""v":{version},"#),
            1,
        );
        seal(&body.replace("audit_id", "another_member"))
    }

    /// Announces another version, and begins a segment for its records.
    pub(crate) fn change_format(&mut self, version: u64) {
        self.record(&format!(r#"{{"event_type":"format_changed","to":{version}}}"#));
        self.file = segment_name(self.seq);
        self.files.insert(self.file.clone(), Vec::new());
    }

    /// Appends bytes to the newest segment.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        self.files.get_mut(&self.file).unwrap().extend_from_slice(bytes);
    }

    fn advance(&mut self, hash: Digest) {
        self.seq += 1;
        self.prev_hash = hash;
        self.frontier.push(hash);
    }

    pub(crate) fn event(&mut self) {
        self.record(&self.event_text());
    }

    /// An event that a caller reports.
    pub(crate) fn event_text(&self) -> String {
        let number = self.seq;
        format!(
            r#"{{"event_type":"seal_verified","timestamp":"2026-01-02T03:04:05Z","shard_id":"s @ {number}","worker_id":"w"}}"#
        )
    }

    pub(crate) fn events(&mut self, count: usize) {
        (0..count).for_each(|_| self.event());
    }

    /// Begins a segment.
    pub(crate) fn open_segment(&mut self) {
        let previous = std::mem::replace(&mut self.file, segment_name(self.seq));
        self.files.insert(self.file.clone(), Vec::new());
        let (seq, is_sealed) = (self.seq, self.sealing.is_some());
        self.sealed_from = self.sealed_from.or(is_sealed.then_some(seq));
        if let Some(sealing) = &mut self.sealing {
            sealing.since.get_or_insert(seq);
        }
        let event = self.segment_opened(&previous);
        self.record(&event);
    }

    /// The event that begins a segment.
    pub(crate) fn segment_opened(&self, previous: &str) -> String {
        let roots: Vec<_> =
            self.frontier.roots().iter().map(|root| format!("\"{root}\"")).collect();
        let previous = match self.seq.checked_sub(1) {
            None => String::new(),
            Some(last_seq) => format!(
                r#","previous":{{"file":"{previous}","last_seq":{last_seq},"last_hash":"{}"}}"#,
                self.prev_hash
            ),
        };
        format!(
            r#"{{"event_type":"segment_opened","log_id":"{}","merkle_frontier":[{}]{previous}{}}}"#,
            self.log_id,
            roots.join(","),
            self.of_seals()
        )
    }

    /// The members of that event which logs have that sign.
    fn of_seals(&self) -> String {
        let Some(sealed_from) = self.sealed_from else { return String::new() };
        let key = self.sealing.as_ref().map_or_else(String::new, |sealing| {
            let since = sealing.since.unwrap_or(self.seq);
            format!(r#","key":{{"vkey":"{}","since":{since}}}"#, sealing.vkey)
        });
        let pruned = self.pruned.map_or_else(String::new, |(seq, last_seq, hash)| {
            format!(r#","pruned":{{"seq":{seq},"last_seq":{last_seq},"last_hash":"{hash}"}}"#)
        });
        format!(r#","unsynced_max_bytes":4096{key},"sealed_from":{sealed_from}{pruned}"#)
    }

    pub(crate) fn log_opened(&mut self) {
        self.record(
            r#"{"event_type":"log_opened","writer":"by hand","flush_mode":"immediate","unsynced_max_bytes":4096}"#,
        );
    }

    pub(crate) fn close(&mut self) {
        self.record(r#"{"event_type":"log_closed"}"#);
    }

    pub(crate) fn head(&self) -> Receipt {
        Receipt { seq: self.seq - 1, hash: self.prev_hash }
    }
}

/// A body with its hash field and its line feed.
pub(crate) fn seal(body: &str) -> (String, Digest) {
    let hash = leaf_hash(body.as_bytes());
    (format!("{body}{}", hash_field(hash)), hash)
}

/// The end of a record's line.
fn hash_field(hash: Digest) -> String {
    format!(",\"hash\":\"{hash}\"}}\n")
}

/// Bytes of the end of a record's line, and of the field before it.
const HASH_FIELD_BYTES: usize = 76;
const PREV_HASH_FIELD_BYTES: usize = 79;

/// The hash that a line has to have; `None` where there is no room for it.
pub(crate) fn hash_of(line: &[u8]) -> Option<Digest> {
    let body = line.len().checked_sub(HASH_FIELD_BYTES)?;
    Some(leaf_hash(&line[..body]))
}

/// Whether a line is a record with a right hash.
pub(crate) fn is_whole(line: &[u8]) -> bool {
    hash_of(line).is_some_and(|hash| line.ends_with(hash_field(hash).as_bytes()))
}

/// Gives a line the hash that it has to have.
pub(crate) fn seal_line(line: &mut Vec<u8>) -> Option<Digest> {
    let hash = hash_of(line)?;
    line.truncate(line.len() - HASH_FIELD_BYTES);
    line.extend_from_slice(hash_field(hash).as_bytes());
    Some(hash)
}

/// Seals a line anew, and links and seals all records that follow it, as somebody does who can
/// compute hashes. Where a tail stands among them, it is left.
pub(crate) fn seal_from<'l>(lines: impl IntoIterator<Item = &'l mut Vec<u8>>, first: usize) {
    let mut before: Option<Digest> = None;
    for line in lines.into_iter().skip(first) {
        match before {
            Some(_) if !is_whole(line) || !has_link(line) => continue,
            Some(hash) => link(line, hash),
            None => {}
        }
        before = seal_line(line);
    }
}

fn has_link(line: &[u8]) -> bool {
    line.len() >= HASH_FIELD_BYTES + seal_bytes(line) + PREV_HASH_FIELD_BYTES
}

/// Bytes of the seal that a line has.
pub(crate) fn seal_bytes(line: &[u8]) -> usize {
    let body = line.get(..line.len() - HASH_FIELD_BYTES).unwrap_or_default();
    if split_seal(body).is_some() { SEAL_FIELD_BYTES } else { 0 }
}

/// Names another record as the one before.
fn link(line: &mut [u8], hash: Digest) {
    let end = line.len() - HASH_FIELD_BYTES - seal_bytes(line) - 1;
    line[end - 64..end].copy_from_slice(hash.to_string().as_bytes());
}

fn timestamp(seq: u64) -> String {
    format!("2026-01-02T00:{:02}:{:02}.00000000{}Z", seq / 60 % 60, seq % 60, seq % 10)
}

pub(crate) fn segment_name(seq: u64) -> String {
    format!("{seq:020}.2026-01-02.audit.jsonl")
}

/// Twenty records in three segments, closed.
pub(crate) fn twenty_records() -> Builder {
    let mut log = Builder::new();
    log.events(5);
    log.open_segment();
    log.events(6);
    log.open_segment();
    log.events(4);
    log.close();
    assert_eq!((log.seq, log.files.len()), (20, 3));
    log
}

pub(crate) fn verify(files: &Files) -> Report {
    verify_with(files, &[])
}

pub(crate) fn verify_with(files: &Files, heads: &[Receipt]) -> Report {
    let options = VerifyOptions { heads: heads.to_vec(), ..VerifyOptions::default() };
    verify_source(&MemorySource::new(files.clone()), &options, &mut |_| ()).unwrap()
}

/// File and line of a finding.
pub(crate) fn place(finding: &Finding) -> (&str, u64) {
    (finding.file.as_deref().unwrap_or_default(), finding.line.unwrap_or_default())
}

/// The codes of a report that must say `verdict`.
pub(crate) fn codes(files: &Files, verdict: Verdict) -> Vec<&'static str> {
    let report = verify(files);
    assert_eq!(report.verdict, verdict, "{report}");
    report.findings.iter().map(|finding| finding.code.as_str()).collect()
}

/// Where the lines of a file begin, and where it ends.
pub(crate) fn line_starts(bytes: &[u8]) -> Vec<usize> {
    let feeds = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    [0].into_iter().chain(feeds.map(|(at, _)| at + 1)).collect()
}

/// The lines of a file, each with its line feed.
pub(crate) fn lines_of(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect()
}

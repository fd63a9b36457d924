//! Logs made by hand: from the text of the format alone, with nothing of the code that writes logs.

use std::collections::BTreeMap;

use audit_core::digest::leaf_hash;
use audit_core::{Digest, Frontier, Receipt};
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
        let number = self.seq;
        self.record(&format!(
            r#"{{"event_type":"seal_verified","timestamp":"2026-01-02T03:04:05Z","shard_id":"s @ {number}","worker_id":"w"}}"#
        ));
    }

    pub(crate) fn events(&mut self, count: usize) {
        (0..count).for_each(|_| self.event());
    }

    /// Begins a segment.
    pub(crate) fn open_segment(&mut self) {
        let previous = std::mem::replace(&mut self.file, segment_name(self.seq));
        self.files.insert(self.file.clone(), Vec::new());
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
            r#"{{"event_type":"segment_opened","log_id":"{}","merkle_frontier":[{}]{previous}}}"#,
            self.log_id,
            roots.join(",")
        )
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
    line.len() >= HASH_FIELD_BYTES + PREV_HASH_FIELD_BYTES
}

/// Names another record as the one before.
fn link(line: &mut [u8], hash: Digest) {
    let end = line.len() - HASH_FIELD_BYTES - 1;
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

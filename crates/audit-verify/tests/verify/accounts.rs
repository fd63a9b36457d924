//! What a log says of bytes that no longer count, and of segments that are no longer there.

use audit_core::Digest;

use crate::builder::Builder;

/// What a `log_recovered` says.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) file: String,
    pub(crate) offset: usize,
    pub(crate) bytes: usize,
    pub(crate) sha256: String,
    pub(crate) valid_records: u64,
    pub(crate) kind: &'static str,
}

impl Account {
    /// The truth about the tail that begins at `offset` of the newest segment.
    pub(crate) fn of(log: &Builder, offset: usize) -> Self {
        let tail = &log.files[&log.file][offset..];
        let sha256 = Digest::of(tail).to_string();
        let (file, bytes) = (log.file.clone(), tail.len());
        Self { file, offset, bytes, sha256, valid_records: 0, kind: "torn" }
    }

    pub(crate) fn event(&self) -> String {
        let Self { file, offset, bytes, sha256, valid_records, kind } = self;
        format!(
            r#"{{"event_type":"log_recovered","file":"{file}","offset":{offset},"bytes":{bytes},"sha256":"{sha256}","valid_records":{valid_records},"kind":"{kind}"}}"#
        )
    }
}

/// What a `segments_pruned` says.
#[derive(Clone)]
pub(crate) struct Pruned {
    pub(crate) last_seq: u64,
    pub(crate) last_hash: Digest,
    pub(crate) roots: Vec<Digest>,
    pub(crate) files: Vec<String>,
}

impl Pruned {
    /// All segments of a log so far.
    pub(crate) fn all_of(log: &Builder) -> Self {
        Self {
            last_seq: log.seq - 1,
            last_hash: log.prev_hash,
            roots: log.frontier.roots().to_vec(),
            files: log.files.keys().filter(|name| name.ends_with("jsonl")).cloned().collect(),
        }
    }

    pub(crate) fn event(&self) -> String {
        let sha256 = Digest::of(b"");
        let quoted = |root: &Digest| format!("\"{root}\"");
        let roots: Vec<_> = self.roots.iter().map(quoted).collect();
        let file = |name: &String| format!(r#"{{"name":"{name}","size":1,"sha256":"{sha256}"}}"#);
        let files: Vec<_> = self.files.iter().map(file).collect();
        format!(
            r#"{{"event_type":"segments_pruned","first_seq":0,"last_seq":{},"last_hash":"{}","merkle_frontier":[{}],"files":[{}],"reason":"older than 2555 days"}}"#,
            self.last_seq,
            self.last_hash,
            roots.join(","),
            files.join(",")
        )
    }
}

/// A log whose first segment has a tail, and what is true of it.
pub(crate) fn torn(tail: &[u8]) -> (Builder, Account) {
    let mut log = Builder::new();
    log.events(4);
    let offset = log.files[&log.file].len();
    log.append(tail);
    let account = Account::of(&log, offset);
    (log, account)
}

/// Goes on after it with an account.
pub(crate) fn resumed(mut log: Builder, account: &Account) -> Builder {
    log.open_segment();
    log.record(&account.event());
    log.log_opened();
    log.events(2);
    log
}

pub(crate) const TAIL: &[u8] = br#"{"v":1,"seq":6,"audit_id":"audit-"#;

/// A log with a tail that is accounted for.
pub(crate) fn recovered_log() -> Builder {
    let (log, account) = torn(TAIL);
    resumed(log, &account)
}

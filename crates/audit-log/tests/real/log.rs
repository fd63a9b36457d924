//! The log that killed processes leave: what must hold of it, life after life.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use audit_log::{AuditEventEnvelope, AuditFileWriter, FlushMode, Receipt};
use audit_verify::{Report, Verdict, VerifyOptions, verify_dir};
use serde_json::Value;

use crate::emitter::{Task, event, on_any_file_system, service};
use crate::life::Life;

/// A log and what is known of it. Its directory is kept when something does not hold.
#[derive(Debug)]
pub(crate) struct Log {
    dir: PathBuf,
    /// Segments whose records were judged; the kill of a later writer changes none of them.
    judged: BTreeSet<PathBuf>,
    /// The newest record that was there, or was said to be: the chain binds all earlier ones.
    newest: Option<Receipt>,
}

/// What a kill left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Left {
    /// Accepted events that are not in the log.
    pub(crate) lost: usize,
    pub(crate) is_torn: bool,
}

impl Log {
    /// A log in a directory that is there.
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), judged: BTreeSet::new(), newest: None }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Judges the log after a life.
    ///
    /// # Errors
    ///
    /// What does not hold.
    pub(crate) fn judge(&mut self, task: &Task, life: &Life) -> Result<Left, String> {
        let kept = self.new_events(task)?;
        for (number, receipt) in &life.durable {
            if kept.get(number) != Some(receipt) {
                let found = kept.get(number);
                return Err(format!("event {number} was durable as {receipt}, and is {found:?}"));
            }
        }
        let lost = life.accepted.iter().filter(|number| !kept.contains_key(number)).count();
        if lost > task.mode().window {
            return Err(format!("{lost} accepted events are lost in {}", task.mode().name));
        }
        let durable = life.durable.values().copied().max_by_key(|receipt| receipt.seq);
        let heads: Vec<_> = self.newest.into_iter().chain(durable).collect();
        let report = self.verified(heads.clone())?;
        let is_empty = report.verdict == Verdict::Unverifiable && self.segments().is_empty();
        if report.verdict > Verdict::Torn && !(is_empty && heads.is_empty()) {
            return Err(format!("the kill left {report}"));
        }
        self.newest = report.head;
        Ok(Left { lost, is_torn: report.verdict == Verdict::Torn })
    }

    /// Opens the log, records an event, closes it, and judges it.
    ///
    /// # Errors
    ///
    /// What does not hold.
    pub(crate) fn go_on(&mut self, task: &Task) -> Result<(), String> {
        let before = self.verified(self.newest.into_iter().collect())?;
        let head = self.record_one(task).map_err(|error| format!("it does not go on: {error}"))?;
        let after = self.verified(self.newest.into_iter().chain([head]).collect())?;
        // With a head that was kept elsewhere, consistent is intact.
        if after.verdict != Verdict::Intact || after.events != before.events + 1 {
            return Err(format!("after {} events, the log that went on is {after}", before.events));
        }
        self.newest = Some(head);
        self.judged.extend(self.segments());
        Ok(())
    }

    /// Opens the log, records an event and closes it; its head.
    ///
    /// # Errors
    ///
    /// One of these failed.
    pub(crate) fn record_one(&self, task: &Task) -> Result<Receipt, Box<dyn std::error::Error>> {
        let immediate = FlushMode::Immediate;
        let rotation = task.rotation();
        let mut writer =
            AuditFileWriter::open(&self.dir, rotation, immediate, on_any_file_system())?;
        writer.write_event(&AuditEventEnvelope::new(service(), event("goes-on", true)))?;
        Ok(writer.close()?.ok_or("no head")?)
    }

    /// What a verifier that was given these heads says.
    ///
    /// # Errors
    ///
    /// It cannot look.
    pub(crate) fn verified(&self, heads: Vec<Receipt>) -> Result<Report, String> {
        let report = verify_dir(&self.dir, &VerifyOptions { heads, ..VerifyOptions::default() });
        report.map_err(|error| format!("the directory cannot be listed: {error}"))
    }

    /// The numbered events in the segments that were not judged before.
    fn new_events(&mut self, task: &Task) -> Result<BTreeMap<u64, Receipt>, String> {
        let mut events = BTreeMap::new();
        for segment in self.segments() {
            if !self.judged.insert(segment.clone()) {
                continue;
            }
            let bytes = fs::read(segment).unwrap();
            for (number, receipt) in bytes.split(|&byte| byte == b'\n').filter_map(numbered) {
                let is_its_own = (task.first..task.first + task.events).contains(&number);
                if !is_its_own || events.insert(number, receipt).is_some() {
                    return Err(format!("event {number} is there, and was not recorded just once"));
                }
            }
        }
        Ok(events)
    }

    /// Its segments, oldest first.
    pub(crate) fn segments(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.dir).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.to_str().unwrap().ends_with(".audit.jsonl"));
        paths.sort();
        paths
    }
}

/// The number and the receipt of a record, if the line is that of a numbered event.
fn numbered(line: &[u8]) -> Option<(u64, Receipt)> {
    let record: Value = serde_json::from_slice(line).ok()?;
    let event = &record["event"];
    let name = event["shard_id"].as_str().or(event["token_prefix"].as_str())?;
    let number = name.strip_prefix('n')?.parse().ok()?;
    let receipt = format!("{}:{}", record["seq"], record["hash"].as_str()?);
    Some((number, receipt.parse().ok()?))
}

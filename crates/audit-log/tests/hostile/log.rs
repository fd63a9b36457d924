//! A log on a simulated disk, and what every log must be whatever was written into it.

use audit_core::{AuditEvent, Marks, OnDamage, is_hostile};
use audit_log::validate::Decoded;
use audit_log::writer::{SimDisk, SimStore, SystemClock};
use audit_log::{AuditEventEnvelope, AuditFileWriter, FlushMode, RotationPolicy, ServiceId};
use audit_verify::{MemorySource, Report, Verdict, VerifyOptions, verify_source};
use serde_json::Value;

use crate::read_back::events;
use crate::sample::assert_inert;
use crate::says::assert_tells;

/// A log that is being written, and what was written into it.
pub(crate) struct Log {
    disk: SimDisk,
    writer: AuditFileWriter<SimStore, SystemClock>,
    written: Vec<Written>,
}

/// An event as the caller had it.
struct Written {
    original: Value,
    event_type: String,
    critical: bool,
}

pub(crate) fn service() -> ServiceId {
    ServiceId::new("bank.teller-1").unwrap()
}

impl Log {
    pub(crate) fn new() -> Self {
        let disk = SimDisk::default();
        let rotation = RotationPolicy::SizeLimit { bytes_max: 2_000_000 };
        let flush = FlushMode::Batched { size: 1_000, interval_secs: 3_600 };
        let writer = AuditFileWriter::with(
            disk.store(),
            SystemClock::default(),
            rotation,
            flush,
            OnDamage::Refuse,
        )
        .unwrap();
        Self { disk, writer, written: Vec::new() }
    }

    pub(crate) fn write(&mut self, event: AuditEvent<'_>, marks: Marks, original: Value) {
        let event_type = event.event_type().to_owned();
        let critical = event.is_critical();
        self.written.push(Written { original, event_type, critical });
        let envelope = AuditEventEnvelope::new(service(), event).with_marks(marks);
        self.writer.write_event(&envelope).unwrap();
    }

    /// Writes what a line of input became. What was replaced when the line was read cannot be
    /// compared with it, so the original is the event as it was read.
    pub(crate) fn write_line(&mut self, line: &str, decoded: Decoded) {
        let (read, _) = AuditEvent::from_json(line).unwrap();
        let original = serde_json::to_value(&read).unwrap();
        self.write(decoded.event, decoded.sanitized, original);
    }

    /// Closes the log. Every event is in it, in order, and says what the caller's said; nothing
    /// hostile is in a line of it or of a report; it verifies, with the criticality of each event.
    pub(crate) fn check(self) {
        let Self { disk, writer, written } = self;
        let head = writer.close().unwrap().unwrap();
        let files = disk.files();
        let options = VerifyOptions { heads: vec![head], ..VerifyOptions::default() };
        let source = MemorySource::new(files.clone());
        let report = verify_source(&source, &options, &mut |_| ()).unwrap();
        assert_eq!(report.verdict, Verdict::Intact, "{report}");
        assert_report_is_inert(&report);
        assert_eq!(report.events, u64::try_from(written.len()).unwrap());
        let critical = written.iter().filter(|written| written.critical).count();
        assert_eq!(report.critical, u64::try_from(critical).unwrap());

        let mut events = files.values().flat_map(|bytes| events(bytes));
        for written in &written {
            let (event, marks) = events.next().unwrap();
            written.check(&event, &marks);
        }
        assert_eq!(events.next(), None);
    }
}

impl Written {
    fn check(&self, event: &Value, marks: &Value) {
        assert_inert(event);
        assert_inert(marks);
        assert_eq!(event["event_type"], self.event_type);
        if marks[0] == "" && event.get("oversized").is_some() {
            return;
        }
        assert_tells(event, &self.original);
        for pointer in marks.as_array().into_iter().flatten() {
            assert!(event.pointer(pointer.as_str().unwrap()).is_some(), "{pointer} {event:.200}");
        }
        assert_eq!(marks.is_null(), *event == self.original, "{event:.200}");
    }
}

/// Nothing hostile is in the text of a report, but the ends of its lines, nor in its JSON.
#[track_caller]
pub(crate) fn assert_report_is_inert(report: &Report) {
    let (text, json) = (report.to_string(), serde_json::to_string(report).unwrap());
    assert!(!text.replace('\n', "").chars().any(is_hostile), "{text}");
    assert!(!json.chars().any(is_hostile), "{json}");
    assert_inert(&serde_json::from_str(&json).unwrap());
}

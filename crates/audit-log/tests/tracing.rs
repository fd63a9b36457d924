//! What subscribers of `tracing` are told, and what they can break.

#![expect(clippy::expect_used, reason = "a helper of tests fails where it stands")]

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audit_log::core::is_hostile;
use audit_log::validate::decode_line;
use audit_log::{AuditConfig, AuditLogger, TextPolicy};
use audit_testkit::events::{of_every_type, service_id};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Keeps what it is told, or panics.
#[derive(Clone, Default)]
struct Listener {
    told: Arc<Mutex<Vec<(Level, String)>>>,
    panics: bool,
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{}={value:?} ", field.name()).expect("a text");
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "audit"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        assert!(!self.panics, "a subscriber panics");
        let mut text = Text(String::new());
        event.record(&mut text);
        self.told.lock().expect("whole").push((*event.metadata().level(), text.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn opened(parent: &tempfile::TempDir, text_policy: TextPolicy) -> AuditLogger {
    let config = AuditConfig::local(service_id(), parent.path().join("audit"));
    AuditLogger::open(Arc::new(AuditConfig { text_policy, ..config })).expect("a new log")
}

#[test]
fn every_accepted_event_is_told_once_and_nothing_hostile_is_in_it() {
    let parent = tempfile::tempdir().expect("a directory");
    let log = opened(&parent, TextPolicy::Neutralise);
    let listener = Listener::default();
    let events = of_every_type("a\u{1b}[2J\u{202e}\n\u{9b}b");
    tracing::subscriber::with_default(listener.clone(), || {
        for (_, event) in &events {
            log.emit(event.clone()).expect("a disk");
            log.try_emit(event.clone()).expect("room");
            log.emit_with_receipt(event.clone()).expect("a disk");
        }
        let line = b"{\"event_type\":\"odd\\u001b\\u202e\",\"more\\u0000\":\"\\u009b\"}";
        let decoded = decode_line(line, TextPolicy::Neutralise).expect("an event");
        log.emit_decoded(&decoded).expect("a disk");
        log.emit_decoded_with_receipt(&decoded).expect("a disk");
    });
    let told = listener.told.lock().expect("whole");
    assert_eq!(told.len(), events.len() * 3 + 2);
    for (index, (level, text)) in told.iter().enumerate() {
        let critical = events.get(index / 3).is_some_and(|(_, event)| event.is_critical());
        assert_eq!(*level, if critical { Level::WARN } else { Level::INFO }, "{text}");
        assert!(text.starts_with(&format!("critical={critical} category=")), "{text}");
        let (_, record) = text.split_once("record=").expect("one");
        let record: serde_json::Value = serde_json::from_str(record).expect("JSON");
        assert!(record["sanitized"].is_array(), "{text}");
        assert!(record["event"]["event_type"].is_string(), "{text}");
        assert!(!text.chars().any(is_hostile), "{text:?}");
    }
    log.shutdown(Duration::from_mins(1)).expect("a disk");
}

#[test]
fn what_was_not_accepted_is_not_told() {
    let parent = tempfile::tempdir().expect("a directory");
    let log = opened(&parent, TextPolicy::Reject);
    let listener = Listener::default();
    let [refused, clean] = ["bad\u{1b}", "good"].map(|text| of_every_type(text).remove(0).1);
    tracing::subscriber::with_default(listener.clone(), || {
        log.emit(refused).expect_err("refused");
        log.shutdown(Duration::from_mins(1)).expect("a disk");
        log.emit(clean).expect_err("closed");
    });
    assert!(listener.told.lock().expect("whole").is_empty());
}

#[test]
fn a_subscriber_that_panics_costs_no_event() {
    let parent = tempfile::tempdir().expect("a directory");
    let log = opened(&parent, TextPolicy::Neutralise);
    let listener = Listener { panics: true, ..Listener::default() };
    tracing::subscriber::with_default(listener, || {
        for (_, event) in of_every_type("text") {
            log.emit(event).expect("a disk");
        }
    });
    let health = log.health().expect("enabled");
    assert_eq!(health.accepted, of_every_type("text").len() as u64);
    log.shutdown(Duration::from_mins(1)).expect("a disk");
}

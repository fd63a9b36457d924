//! What a program can do that leaves out the cleaning, and hands the writer an event as it came.

use std::borrow::Cow;

use audit_core::{AuditEvent, Marks, OnDamage, is_hostile};
use audit_log::writer::{SimDisk, SystemClock};
use audit_log::{AuditEventEnvelope, AuditFileWriter, FlushMode, OpaqueEvent, RotationPolicy};
use audit_verify::{MemorySource, Verdict, VerifyOptions, verify_source};
use serde_json::{Value, json};

use crate::corpus;
use crate::fill::{fill, shapes};
use crate::log::{assert_report_is_inert, service};

/// Writes events that nobody cleaned. The log verifies, each event is a line of it, and nothing
/// hostile stands raw in it.
fn written(events: Vec<AuditEvent<'_>>) -> String {
    let disk = SimDisk::default();
    let mut writer = AuditFileWriter::with(
        disk.store(),
        SystemClock::default(),
        RotationPolicy::Daily,
        FlushMode::Batched { size: 1_000, interval_secs: 3_600 },
        OnDamage::Refuse,
    )
    .unwrap();
    let count = events.len();
    for event in events {
        let envelope = AuditEventEnvelope::new(service(), event).with_marks(Marks::none());
        writer.write_event(&envelope).unwrap();
    }
    writer.close().unwrap();
    let files = disk.files();
    let source = MemorySource::new(files.clone());
    let report = verify_source(&source, &VerifyOptions::default(), &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Consistent, "{report}");
    assert_eq!(report.events, u64::try_from(count).unwrap());
    assert_report_is_inert(&report);
    let text =
        files.into_values().map(|bytes| String::from_utf8(bytes).unwrap()).collect::<String>();
    assert_eq!(text.lines().count(), count + 3);
    let raw = text.chars().find(|&c| is_hostile(c) && c != '\n');
    assert_eq!(raw, None);
    text
}

#[test]
fn hostile_text_that_nobody_cleaned_stays_in_its_line_and_shows_nothing_raw() {
    for text in corpus::texts() {
        let mut copies = 0;
        let events = shapes().into_iter().take(3).chain(shapes().pop()).map(|mut event| {
            fill(&mut event, &mut || {
                copies += 1;
                format!("{text}{copies}")
            });
            event
        });
        written(events.collect());
    }
}

#[test]
fn an_event_of_any_size_that_nobody_shortened_leaves_a_log_that_verifies() {
    let deep = (0..100).fold(json!([]), |inner, _| json!([inner]));
    let wide: Value = (0..50_000).map(|key| (key.to_string(), json!(key))).collect();
    for members in [json!({ "k": deep }), wide] {
        for event_type in ["x".to_owned(), "y\u{202e}".repeat(100_000)] {
            let members = Cow::Borrowed(members.as_object().unwrap());
            let event = AuditEvent::Opaque(OpaqueEvent::new(event_type, members).unwrap());
            assert!(written(vec![event]).contains(r#""oversized":{"bytes":"#));
        }
    }
}

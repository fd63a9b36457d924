//! Metrics that say something else than the log does.

#![expect(clippy::expect_used, clippy::panic, reason = "a helper of tests fails where it stands")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use audit_log::metrics::{
    EVENTS_ACCEPTED, EVENTS_DURABLE, EVENTS_LOST, EVENTS_LOST_CRITICAL, OLDEST_UNSYNCED_SECONDS,
    QUEUE_BYTES, QUEUE_RECORDS, SERVICE,
};
use audit_log::{AuditConfig, AuditLogger, AuditMode, FlushMode, TextPolicy};
use audit_testkit::events::{CLEAN_TEXT, of_every_type, service_id};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

/// The values by name. Reading them sets counters back.
fn values(snapshotter: &Snapshotter) -> BTreeMap<String, f64> {
    let read = snapshotter.snapshot().into_vec().into_iter().map(|(key, unit, about, value)| {
        let (_, key) = key.into_parts();
        assert!(unit.is_some() && about.is_some(), "{key} is not described");
        let labels: Vec<_> = key.labels().map(|label| (label.key(), label.value())).collect();
        assert_eq!(labels, [(SERVICE, service_id().as_str())]);
        let value = match value {
            DebugValue::Counter(count) => f64::from(u32::try_from(count).expect("few")),
            DebugValue::Gauge(value) => value.into_inner(),
            DebugValue::Histogram(_) => panic!("there is none"),
        };
        (key.name().to_owned(), value)
    });
    read.collect()
}

fn assert_counters(values: &BTreeMap<String, f64>, expected: [f64; 4]) {
    let names = [EVENTS_ACCEPTED, EVENTS_DURABLE, EVENTS_LOST, EVENTS_LOST_CRITICAL];
    for (name, expected) in names.into_iter().zip(expected) {
        assert!((values[name] - expected).abs() < 0.5, "{name}: {} not {expected}", values[name]);
    }
}

#[test]
fn what_is_recorded_is_what_the_log_says() {
    let parent = tempfile::tempdir().expect("a directory");
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let mut config = AuditConfig::local(service_id(), parent.path().join("audit"));
    config.flush_mode = FlushMode::Batched { size: 1_000, interval_secs: 3_600 };
    config.text_policy = TextPolicy::Reject;
    let log = AuditLogger::open(Arc::new(config)).expect("a new log");
    let all: Vec<_> = of_every_type(CLEAN_TEXT).into_iter().map(|(_, event)| event).collect();
    let critical = all.iter().find(|event| event.is_critical()).expect("one").event_type();
    let events = u32::try_from(all.len()).expect("few");

    metrics::with_local_recorder(&recorder, || {
        for event in &all {
            log.emit(event.clone()).expect("clean");
        }
        let mut hostile = of_every_type("bad\u{1b}").into_iter();
        let (_, hostile) = hostile.find(|(_, event)| event.event_type() == critical).expect("one");
        log.emit(hostile).expect_err("refused");
        std::thread::sleep(Duration::from_millis(2));
        log.record_metrics();
        let now = values(&snapshotter);
        assert_counters(&now, [f64::from(events), 0.0, 1.0, 1.0]);
        assert!((now[QUEUE_RECORDS] - f64::from(events)).abs() < 0.5, "{now:?}");
        assert!(now[QUEUE_BYTES] > 20.0 * f64::from(events), "{now:?}");
        assert!(now[OLDEST_UNSYNCED_SECONDS] > 0.001, "{now:?}");

        log.flush().expect("a disk");
        log.emit(all[0].clone()).expect("clean");
        log.shutdown(Duration::from_mins(1)).expect("a disk");
        log.record_metrics();
        // A clone records for the same log: what is counted is not counted twice.
        log.clone().record_metrics();
        let now = values(&snapshotter);
        assert_counters(&now, [1.0, f64::from(events) + 1.0, 0.0, 0.0]);
        for name in [QUEUE_RECORDS, QUEUE_BYTES, OLDEST_UNSYNCED_SECONDS] {
            assert!(now[name].abs() < f64::EPSILON, "{now:?}");
        }
    });
}

#[test]
fn a_disabled_log_records_none() {
    let recorder = DebuggingRecorder::new();
    let mut config = AuditConfig::local(service_id(), "nowhere");
    config.mode = AuditMode::Disabled;
    let log = AuditLogger::open(Arc::new(config)).expect("nothing to open");
    metrics::with_local_recorder(&recorder, || log.record_metrics());
    assert!(values(&recorder.snapshotter()).is_empty());
}

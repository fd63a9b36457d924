//! The logger as a service uses it, with the verifier as judge.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper of tests fails where it stands"
)]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use audit_log::core::Digest;
use audit_log::core::lifecycle::LossReason;
use audit_log::validate::decode_line;
use audit_log::writer::Loss;
use audit_log::{
    AuditConfig, AuditEvent, AuditLogger, AuditMode, EmitError, EventTime, FlushMode, OpenError,
    Receipt, RotationPolicy, ServiceId, TextPolicy,
};
use audit_verify::{Report, Verdict, VerifyOptions, verify_dir};

/// Longer than any disk that a test runs on needs.
const PATIENCE: Duration = Duration::from_mins(1);

fn config(dir: &Path) -> AuditConfig {
    AuditConfig::local(ServiceId::new("bank.teller-1").unwrap(), dir)
}

fn opened(config: AuditConfig) -> AuditLogger {
    AuditLogger::open(Arc::new(config)).unwrap()
}

fn time() -> EventTime {
    EventTime::parse("2026-01-02T03:04:05Z").unwrap()
}

fn routine(shard: &str) -> AuditEvent<'_> {
    AuditEvent::SealVerified {
        timestamp: time(),
        shard_id: shard.into(),
        worker_id: "worker-1".into(),
    }
}

fn critical(token: &str) -> AuditEvent<'_> {
    AuditEvent::InvalidTokenUsed {
        timestamp: time(),
        ip: "192.0.2.7".into(),
        token_prefix: token.into(),
        endpoint: "/accounts".into(),
    }
}

fn verified(dir: &Path, heads: Vec<Receipt>) -> Report {
    verify_dir(dir, &VerifyOptions { heads, ..VerifyOptions::default() }).unwrap()
}

/// The records of a log, a line each.
fn records(dir: &Path) -> Vec<serde_json::Value> {
    let mut paths: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let text: String = paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of_type(dir: &Path, event_type: &str) -> Vec<serde_json::Value> {
    let mut records = records(dir);
    records.retain(|record| record["event"]["event_type"] == event_type);
    records
}

#[test]
fn a_disabled_log_writes_nothing_and_says_ok() {
    let parent = tempfile::tempdir().unwrap();
    let config = AuditConfig { mode: AuditMode::Disabled, ..config(parent.path()) };
    let log = opened(AuditConfig { text_policy: TextPolicy::Reject, ..config });
    log.emit(routine("shard-1")).unwrap();
    log.emit(critical("hostile\u{1b}")).unwrap();
    log.flush().unwrap();
    assert_eq!(
        log.emit_with_receipt(routine("shard-1")).unwrap().outcome().unwrap().unwrap().seq,
        0
    );
    assert!(log.health().is_none());
    assert_eq!(log.shutdown(PATIENCE).unwrap(), None);
    log.emit(routine("shard-2")).unwrap();
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
}

#[test]
fn events_of_many_threads_become_one_chain() {
    let dir = tempfile::tempdir().unwrap();
    let rotation_policy = RotationPolicy::SizeLimit { bytes_max: 20_000 };
    let log = opened(AuditConfig { rotation_policy, ..config(dir.path()) });
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let log = log.clone();
            thread::spawn(move || {
                for number in 0..50 {
                    let name = format!("{thread}-{number}");
                    let event = if number % 10 == 9 { critical(&name) } else { routine(&name) };
                    log.emit(event).unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let head = log.shutdown(PATIENCE).unwrap().unwrap();

    let report = verified(dir.path(), vec![head]);
    assert_eq!(report.verdict, Verdict::Intact, "{report}");
    assert_eq!((report.events, report.critical, report.first_seq), (400, 40, Some(0)));
    assert_eq!(report.records, head.seq + 1);
    assert!(report.segments > 5, "{report}");
    // Every event is there once, those of a thread in its order.
    for thread in 0..8 {
        let mine: Vec<_> = records(dir.path())
            .iter()
            .filter_map(|record| {
                let event = &record["event"];
                let name = event["shard_id"].as_str().or(event["token_prefix"].as_str())?;
                name.strip_prefix(&format!("{thread}-"))?.parse::<u32>().ok()
            })
            .collect();
        assert_eq!(mine, (0..50).collect::<Vec<_>>(), "thread {thread}");
    }
}

#[test]
fn a_hostile_event_is_recorded_neutralised_and_marked() {
    let dir = tempfile::tempdir().unwrap();
    let log = opened(config(dir.path()));
    log.emit(critical("ok\u{1b}[2K\u{202e}\n{\"seq\":7}")).unwrap();
    log.emit(critical("harmless")).unwrap();
    let head = log.shutdown(PATIENCE).unwrap().unwrap();
    let recorded = of_type(dir.path(), "invalid_token_used");
    assert_eq!(recorded.len(), 2);
    assert_eq!(recorded[0]["sanitized"], serde_json::json!(["/token_prefix"]));
    let text = recorded[0]["event"]["token_prefix"].as_str().unwrap();
    assert!(text.contains("ok") && text.contains("{\"seq\":7}"), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{202e}', '\n']), "{text}");
    assert_eq!(recorded[1].get("sanitized"), None);
    assert_eq!(verified(dir.path(), vec![head]).verdict, Verdict::Intact);
}

#[test]
fn a_refused_event_is_an_error_and_counted_as_lost() {
    let dir = tempfile::tempdir().unwrap();
    let log = opened(AuditConfig { text_policy: TextPolicy::Reject, ..config(dir.path()) });
    log.emit(routine("shard-1")).unwrap();
    let error = log.emit(critical("bad\u{1b}")).unwrap_err();
    let EmitError::Refused(refusal) = &error else { panic!("{error}") };
    assert_eq!(refusal.pointer, "/token_prefix");
    assert!(matches!(log.emit(routine("bad\u{7f}")), Err(EmitError::Refused(_))));
    log.emit(routine("shard-2")).unwrap();
    assert!(matches!(log.emit(routine("bad\u{0}")), Err(EmitError::Refused(_))));
    log.shutdown(PATIENCE).unwrap();

    let report = verified(dir.path(), Vec::new());
    assert_eq!(report.verdict, Verdict::Consistent, "{report}");
    assert_eq!((report.events, report.events_lost), (2, 3));
    let lost = of_type(dir.path(), "events_lost");
    let told: Vec<_> = lost
        .iter()
        .map(|record| {
            let event = &record["event"];
            assert_eq!(event["reason"], "refused");
            (event["count"].as_u64().unwrap(), event["critical_count"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(told, [(2, 1), (1, 0)]);
}

#[test]
fn shutting_down_twice_is_shutting_down_once() {
    let dir = tempfile::tempdir().unwrap();
    let log = opened(config(dir.path()));
    let clone = log.clone();
    log.emit(routine("shard-1")).unwrap();
    let head = log.shutdown(PATIENCE).unwrap();
    assert!(head.is_some());
    let before = records(dir.path());
    assert_eq!(clone.shutdown(PATIENCE).unwrap(), head);
    assert_eq!(log.shutdown(PATIENCE).unwrap(), head);
    for log in [&log, &clone] {
        assert!(matches!(log.emit(routine("shard-2")), Err(EmitError::Closed)));
        assert!(matches!(log.flush(), Err(EmitError::Closed)));
        assert!(matches!(log.try_emit(routine("shard-2")), Err(EmitError::Closed)));
    }
    assert_eq!(records(dir.path()), before);
    let next = opened(config(dir.path()));
    next.emit(routine("shard-3")).unwrap();
    drop((log, clone));
    next.shutdown(PATIENCE).unwrap();
    assert_eq!(verified(dir.path(), head.into_iter().collect()).verdict, Verdict::Consistent);
}

#[test]
fn a_second_logger_on_the_same_directory_is_told_who_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let first = opened(config(dir.path()));
    first.emit(critical("token-1")).unwrap();
    let error = AuditLogger::open(Arc::new(config(dir.path()))).unwrap_err();
    let OpenError::Locked { holder } = error else { panic!("{error}") };
    assert!(holder.contains(&std::process::id().to_string()), "{holder}");
    first.emit(critical("token-2")).unwrap();
    first.shutdown(PATIENCE).unwrap();
    opened(config(dir.path()));
}

#[test]
fn a_logger_dropped_without_a_shutdown_closes_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let log = opened(config(dir.path()));
    let clone = log.clone();
    log.emit(routine("shard-1")).unwrap();
    drop(log);
    clone.emit(routine("shard-2")).unwrap();
    drop(clone);
    let report = verified(dir.path(), Vec::new());
    assert_eq!((report.verdict, report.events), (Verdict::Consistent, 2), "{report}");
    assert_eq!(of_type(dir.path(), "log_closed").len(), 1);
}

#[test]
fn what_was_emitted_is_in_the_file_as_the_flush_mode_says() {
    let dir = tempfile::tempdir().unwrap();
    let flush_mode = FlushMode::Batched { size: 100, interval_secs: 3_600 };
    let log = opened(AuditConfig { flush_mode, ..config(dir.path()) });
    log.emit(routine("shard-1")).unwrap();
    assert_eq!(records(dir.path()).len(), 0, "it waits for its interval");
    log.flush().unwrap();
    assert_eq!(of_type(dir.path(), "seal_verified").len(), 1);
    log.emit(routine("shard-2")).unwrap();
    assert_eq!(of_type(dir.path(), "seal_verified").len(), 1);
    let opened = &of_type(dir.path(), "log_opened")[0]["event"];
    assert_eq!(opened["flush_mode"], "batched");
}

#[test]
fn a_receipt_is_resolved_where_the_mode_says_durable_and_resolves_later_where_not() {
    let dir = tempfile::tempdir().unwrap();
    let flush_mode =
        FlushMode::Hybrid { batch_size: 100, batch_interval_secs: 3_600, critical_immediate: true };
    let log = opened(AuditConfig { flush_mode, ..config(dir.path()) });
    let routine = log.emit_with_receipt(routine("shard-1")).unwrap();
    assert!(routine.outcome().is_none());
    let critical = log.emit_with_receipt(critical("token-1")).unwrap();
    let heads = [&routine, &critical].map(|receipt| receipt.outcome().unwrap().unwrap());
    log.shutdown(PATIENCE).unwrap();
    assert_eq!(verified(dir.path(), heads.to_vec()).verdict, Verdict::Consistent);
}

#[test]
fn an_event_read_from_a_line_keeps_its_markers_and_its_marks() {
    let dir = tempfile::tempdir().unwrap();
    let log = opened(config(dir.path()));
    let line = br#"{"event_type":"seal_verified","timestamp":"2026-01-02T03:04:05Z","shard_id":"s\u001b","worker_id":"w"}"#;
    let decoded = decode_line(line, TextPolicy::Neutralise).unwrap();
    log.emit_decoded(&decoded).unwrap();
    let receipt = log.emit_decoded_with_receipt(&decoded).unwrap();
    let sha256 = Digest::of(b"no event");
    log.record_loss(Loss { reason: LossReason::Refused, critical: false, sha256: Some(sha256) })
        .unwrap();
    log.shutdown(PATIENCE).unwrap();
    let recorded = of_type(dir.path(), "seal_verified");
    assert_eq!(recorded.len(), 2);
    for record in recorded {
        assert_eq!(record["sanitized"], serde_json::json!(["/shard_id"]));
        assert_eq!(record["event"]["shard_id"], "s\u{27e6}U+001B\u{27e7}");
    }
    let lost = &of_type(dir.path(), "events_lost")[0]["event"];
    assert_eq!(lost["sha256"], sha256.to_string());
    let receipt = receipt.outcome().unwrap().unwrap();
    assert_eq!(verified(dir.path(), vec![receipt]).verdict, Verdict::Consistent);
}

//! What becomes of caller JSON, good and bad.

use super::*;

fn read(text: &str) -> AuditEvent<'static> {
    AuditEvent::from_json(text).unwrap().0
}

fn refused(text: &str) -> String {
    AuditEvent::from_json(text).unwrap_err().to_string()
}

#[test]
fn a_known_event_is_written_as_it_was_read() {
    let text = concat!(
        r#"{"event_type":"auth_failure","timestamp":"2017-12-10T06:55:48Z","#,
        r#""attempted_user":"webmaster","reason":"invalid user","ip":"173.234.31.186","#,
        r#""path":"ssh://LabSZ/24200","service_id":"sshd.LabSZ"}"#
    );
    let event = read(text);
    assert!(matches!(event, AuditEvent::AuthFailure { .. }));
    assert_eq!(serde_json::to_string(&event).unwrap(), text);
}

#[test]
fn members_come_in_any_order_and_leave_in_that_of_the_table() {
    let text = r#" { "worker_id":"w", "timestamp":"2017-12-10T06:55:48Z","shard_id":"s","event_type":"seal_verified"} "#;
    assert_eq!(
        serde_json::to_string(&read(text)).unwrap(),
        r#"{"event_type":"seal_verified","timestamp":"2017-12-10T06:55:48Z","shard_id":"s","worker_id":"w"}"#
    );
}

#[test]
fn an_event_that_says_more_than_its_row_is_kept_whole_and_stays_critical() {
    let more = r#"{"event_type":"invalid_token_used","timestamp":"2017-12-10T06:55:48Z","ip":"::1","token_prefix":"x","endpoint":"/","extra":1.50e3}"#;
    let nested = r#"{"event_type":"path_traversal_attempt","timestamp":"2017-12-10T06:55:48Z","actor":{"user_id":"u","ip":7,"auth_method":"none"},"attempted_path":"..","endpoint":"/"}"#;
    for text in [more, nested] {
        let event = read(text);
        assert!(matches!(event, AuditEvent::Opaque(_)), "{text}");
        assert!(event.is_critical());
        assert!(event.timestamp().is_some());
        let kept = serde_json::to_string(&event).unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(&kept).unwrap(),
            serde_json::from_str::<Value>(text).unwrap()
        );
    }
}

#[test]
fn an_unknown_event_is_kept_in_its_order_with_its_type_first() {
    let event = read(r#"{"b":1,"a":{"z":[],"y":null},"event_type":"door_opened"}"#);
    assert!(!event.is_critical());
    assert_eq!(
        serde_json::to_string(&event).unwrap(),
        r#"{"event_type":"door_opened","b":1,"a":{"z":[],"y":null}}"#
    );
}

#[test]
fn a_required_member_that_is_missing_or_mistyped_is_named() {
    let missing = r#"{"event_type":"seal_verified","timestamp":"2017-12-10T06:55:48Z","shard_id":"s","more":1}"#;
    assert_eq!(
        refused(missing),
        r#"the member "worker_id" of "seal_verified" is missing or mistyped"#
    );
    let mistyped =
        r#"{"event_type":"seal_verified","timestamp":"noon","shard_id":"s","worker_id":"w"}"#;
    assert_eq!(
        refused(mistyped),
        r#"the member "timestamp" of "seal_verified" is missing or mistyped"#
    );
    let behind_an_inexact_one = r#"{"event_type":"auth_failure","timestamp":"2017-12-10T06:55:48Z","attempted_user":5,"reason":"r","ip":"i","path":"p"}"#;
    assert_eq!(
        refused(behind_an_inexact_one),
        r#"the member "service_id" of "auth_failure" is missing or mistyped"#
    );
}

#[test]
fn what_only_the_writer_records_is_refused() {
    assert_eq!(
        refused(r#"{"event_type":"log_closed"}"#),
        r#""log_closed" is recorded by the writer alone"#
    );
}

#[test]
fn what_is_no_event_is_refused() {
    for text in ["[]", "1", "{}", r#"{"event_type":7}"#, r#"{"event_type":"a","event_type":"b"}"#] {
        assert!(AuditEvent::from_json(text).is_err(), "{text}");
    }
}

#[test]
fn a_value_nested_too_deep_leaves_its_digest() {
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let text = format!(r#"{{"event_type":"x","deep":{deep},"flat":1}}"#);
    let (event, marks) = AuditEvent::from_json(&text).unwrap();
    assert_eq!(marks.iter().collect::<Vec<_>>(), ["/deep"]);
    let digest = crate::Digest::of(deep.as_bytes());
    assert_eq!(
        serde_json::to_string(&event).unwrap(),
        format!(
            r#"{{"event_type":"x","deep":{{"oversized":{{"bytes":1000,"sha256":"{digest}"}}}},"flat":1}}"#
        )
    );
}

#[test]
fn results_and_custom_events_read_back() {
    for text in [
        r#"{"event_type":"task_completed","timestamp":"2017-12-10T06:55:48Z","task_id":"t","worker_id":"w","tokens_generated":1,"duration_ms":2,"result":"success"}"#,
        r#"{"event_type":"task_completed","timestamp":"2017-12-10T06:55:48Z","task_id":"t","worker_id":"w","tokens_generated":1,"duration_ms":2,"result":{"failure":{"reason":"r"}}}"#,
        r#"{"event_type":"task_completed","timestamp":"2017-12-10T06:55:48Z","task_id":"t","worker_id":"w","tokens_generated":1,"duration_ms":2,"result":{"partial_success":{"details":"d"}}}"#,
        r#"{"event_type":"custom","name":"a.b","timestamp":"2017-12-10T06:55:48Z","critical":true,"resource":{"resource_type":"t","resource_id":"i"},"attributes":{"k":[1,2]}}"#,
    ] {
        let event = read(text);
        assert!(!matches!(event, AuditEvent::Opaque(_)), "{text}");
        assert_eq!(serde_json::to_string(&event).unwrap(), text);
    }
}

#[test]
fn a_custom_event_of_a_name_that_the_table_cannot_hold_is_kept_whole() {
    for name in ["Login Failed", "a\\u001b[2J", ""] {
        let text = format!(
            r#"{{"event_type":"custom","name":"{name}","timestamp":"2017-12-10T06:55:48Z","critical":true,"attributes":{{}}}}"#
        );
        let event = read(&text);
        assert!(matches!(event, AuditEvent::Opaque(_)), "{text}");
        assert!(event.is_critical());
        assert_eq!(serde_json::to_string(&event).unwrap(), text);
    }
    assert!(refused(r#"{"event_type":"custom","name":7,"timestamp":"2017-12-10T06:55:48Z","critical":true,"attributes":{}}"#).contains("\"name\""));
}

#[test]
fn a_number_that_the_table_cannot_hold_is_kept_whole_and_other_types_are_refused() {
    let with = |limit: &str| {
        format!(
            r#"{{"event_type":"rate_limit_exceeded","timestamp":"2017-12-10T06:55:48Z","ip":"::1","endpoint":"/","limit":{limit},"actual":1,"window_seconds":2}}"#
        )
    };
    for number in ["4294967296", "-1", "1.5"] {
        let event = read(&with(number));
        assert!(matches!(event, AuditEvent::Opaque(_)), "{number}");
        assert_eq!(serde_json::to_string(&event).unwrap(), with(number));
    }
    for other in ["\"7\"", "null", "[7]", "true"] {
        assert!(refused(&with(other)).contains("\"limit\""), "{other}");
    }
    let devices = |list: &str| {
        format!(
            r#"{{"event_type":"pool_created","timestamp":"2017-12-10T06:55:48Z","actor":{{"user_id":"u","auth_method":"none"}},"pool_id":"p","model_ref":"m","node_id":"n","replicas":1,"gpu_devices":{list}}}"#
        )
    };
    assert!(matches!(read(&devices("[0,4294967295]")), AuditEvent::PoolCreated { .. }));
    assert!(matches!(read(&devices("[0,4294967296]")), AuditEvent::Opaque(_)));
    assert!(refused(&devices("[0,\"1\"]")).contains("\"gpu_devices\""));
}

#[test]
fn nesting_within_a_member_that_the_table_types_is_no_reason_to_refuse_the_event() {
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let text = format!(
        r#"{{"event_type":"path_traversal_attempt","timestamp":"2017-12-10T06:55:48Z","actor":{{"user_id":"u","auth_method":"none","more":{deep}}},"attempted_path":"..","endpoint":"/"}}"#
    );
    let (event, marks) = AuditEvent::from_json(&text).unwrap();
    assert_eq!(marks.iter().collect::<Vec<_>>(), ["/actor"]);
    assert!(event.is_critical());
    let kept: Value = serde_json::to_value(&event).unwrap();
    assert_eq!(kept["attempted_path"], "..");
    assert_eq!(kept["actor"]["oversized"]["bytes"], 1_000 + 44);

    let absent = text.replace("attempted_path", "attempted_way");
    assert!(refused(&absent).contains("\"attempted_path\""));
}

#[test]
fn a_program_cannot_make_an_event_of_the_writers_own() {
    for event_type in crate::lifecycle::LIFECYCLE_TYPES {
        assert_eq!(
            OpaqueEvent::new(event_type, Cow::Owned(Map::new())),
            Err(DecodeError::Lifecycle(event_type.to_owned()))
        );
    }
}

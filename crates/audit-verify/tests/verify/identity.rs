//! Whose log it is: what is demanded, and what vouches for it.

use audit_checkpoint::Policy;
use audit_core::lifecycle::LogId;
use audit_verify::{Identity, Report, Verdict, VerifyOptions};

use crate::builder::{Builder, Files, LOG_ID};
use crate::signed::{codes_of, key, key_called, named_log, note_path, pin, public, verify_by};

const ORIGIN: &str = crate::signed::ORIGIN;
const OTHER_ORIGIN: &str = "audit.example/teller-2";

fn other_log() -> Builder {
    named_log(&key_called(OTHER_ORIGIN, 2))
}

/// A policy that knows the logs of two hosts, and asks for no witness.
fn of_fleet() -> Policy {
    let [one, other] = [key(1), key_called(OTHER_ORIGIN, 2)].map(|key| public(&key));
    Policy::parse(format!("log {one}\nlog {other}\nquorum none\n").as_bytes()).unwrap()
}

fn origin(name: &str) -> Identity {
    Identity { origin: Some(name.to_owned()), ..Identity::default() }
}

fn by_fleet(files: &Files, identity: Identity) -> Report {
    let policy = Some(of_fleet());
    verify_by(files, &VerifyOptions { policy, identity, ..VerifyOptions::default() })
}

#[test]
fn the_report_names_the_origin_and_the_key_that_vouch_and_the_log() {
    let files = named_log(&key(1)).files;
    let report = by_fleet(&files, Identity::default());
    let vkey = public(&key(1)).to_string();
    assert_eq!(report.origin.as_deref(), Some(ORIGIN), "{report}");
    assert_eq!((report.vouched_by, report.log_id.as_deref()), (Some(vkey.clone()), Some(LOG_ID)));
    let text = by_fleet(&files, Identity::default()).to_string();
    assert!(text.contains(&format!("\n  origin    {ORIGIN}, by {vkey}\n")), "{text}");
    assert!(text.contains(LOG_ID), "{text}");

    let report = verify_by(&files, &VerifyOptions::default());
    assert_eq!((report.origin, report.vouched_by), (None, None));
    let pins = vec![pin(&files[&note_path(17)])];
    let report = verify_by(&files, &VerifyOptions { pins, ..VerifyOptions::default() });
    assert_eq!((report.origin.as_deref(), report.vouched_by), (Some(ORIGIN), None));
}

#[test]
fn two_logs_in_each_others_place_under_one_policy_are_found() {
    let logs = [(named_log(&key(1)), ORIGIN), (other_log(), OTHER_ORIGIN)];
    for (log, own) in &logs {
        for (_, demanded) in &logs {
            let report = by_fleet(&log.files, origin(demanded));
            if own == demanded {
                assert_eq!(report.verdict, Verdict::Signed, "{report}");
                continue;
            }
            assert_eq!(report.verdict, Verdict::Tampered, "{report}");
            assert!(codes_of(&report).contains(&"identity_mismatch"), "{report}");
            assert_eq!((report.signed_up_to, report.origin), (None, None));
            let found = report.findings.iter().find(|it| it.code.as_str() == "identity_mismatch");
            let found = found.unwrap();
            assert_eq!(found.expected, Some(format!("origin {demanded}")));
            assert_eq!(found.found, Some(format!("origin {own}")));
        }
    }
}

/// The key of one host is had, and a log of another is signed with it.
#[test]
fn a_log_that_keys_of_two_origins_vouch_for_is_found() {
    let mut log = named_log(&key(1));
    log.open_segment();
    log.log_opened();
    let policy = Some(of_fleet());
    let options = VerifyOptions { policy, ..VerifyOptions::default() };
    assert_eq!(verify_by(&log.files, &options).verdict, Verdict::Consistent);
    log.sign(&key_called(OTHER_ORIGIN, 2));
    let report = verify_by(&log.files, &options);
    assert_eq!(report.verdict, Verdict::Tampered, "{report}");
    assert_eq!(codes_of(&report), ["identity_mismatch"], "{report}");
    let report = by_fleet(&log.files, origin(ORIGIN));
    assert_eq!((report.verdict, report.signed_up_to), (Verdict::Tampered, Some(16)), "{report}");
}

#[test]
fn an_origin_that_nothing_trusted_shows_is_not_decided() {
    let files = named_log(&key(1)).files;
    let report =
        verify_by(&files, &VerifyOptions { identity: origin(ORIGIN), ..VerifyOptions::default() });
    assert_eq!(report.verdict, Verdict::Unverifiable, "{report}");
    assert_eq!(codes_of(&report), ["identity_not_shown"], "{report}");
    for (name, verdict) in [(ORIGIN, Verdict::Intact), (OTHER_ORIGIN, Verdict::Tampered)] {
        let options = VerifyOptions {
            pins: vec![pin(&files[&note_path(17)])],
            identity: origin(name),
            ..VerifyOptions::default()
        };
        assert_eq!(verify_by(&files, &options).verdict, verdict, "{name}");
    }
}

#[test]
fn a_service_and_a_log_id_are_those_that_the_records_have() {
    let files = named_log(&key(1)).files;
    let service =
        |name: &str| Identity { service_id: Some(name.to_owned()), ..Identity::default() };
    let log_id = |hex: &str| Identity { log_id: LogId::from_hex(hex), ..Identity::default() };
    let f = "f".repeat(32);
    for (identity, codes) in [
        (service("bank.teller-1"), vec![]),
        (log_id(LOG_ID), vec![]),
        (service("bank.teller-2"), vec!["identity_mismatch"]),
        (log_id(&f), vec!["identity_mismatch"]),
    ] {
        let options = VerifyOptions { identity: identity.clone(), ..VerifyOptions::default() };
        let report = verify_by(&files, &options);
        assert_eq!(codes_of(&report), codes, "{identity:?}\n{report}");
        let tampered = report.verdict == Verdict::Tampered;
        assert_eq!(tampered, !codes.is_empty(), "{report}");
    }
    let options = VerifyOptions { identity: log_id(LOG_ID), ..VerifyOptions::default() };
    let report = verify_by(&Files::new(), &options);
    assert_eq!(codes_of(&report), ["no_records", "identity_not_shown"], "{report}");
}

//! Checkpoints that witnesses have seen, by a policy.

use audit_checkpoint::{KeyKind, KeyName, Note, Policy, SignedCheckpoint, SigningKey, cosign};
use audit_core::Digest;
use audit_verify::{Report, Requirement, Verdict, VerifyOptions};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::builder::Builder;
use crate::signed::{codes_of, key, note_path, notices_of, pin, public, signed_log, verify_by};

pub(crate) fn witness(number: u8) -> SigningKey {
    let name = KeyName::new(&format!("witness.example/w{number}")).unwrap();
    SigningKey::from_seed(name, KeyKind::Cosignature, &[100 + number; 32]).unwrap()
}

/// Two of three witnesses, for the log of key 1.
pub(crate) fn two_of_three() -> Policy {
    let [w1, w2, w3] = [1, 2, 3].map(|number| public(&witness(number)));
    let text = format!(
        "log {}\nwitness w1 {w1}\nwitness w2 {w2}\nwitness w3 {w3}\ngroup two 2 w1 w2 w3\nquorum two\n",
        public(&key(1))
    );
    Policy::parse(text.as_bytes()).unwrap()
}

impl Builder {
    /// Has a witness see the checkpoint of this size at this time.
    pub(crate) fn cosign(&mut self, size: u64, number: u8, secs: u64) {
        let path = note_path(size);
        let mut note = Note::parse(&self.files[&path]).unwrap();
        let opened = SignedCheckpoint::open(note.clone(), &[public(&key(1))]).unwrap();
        note.add(cosign(&opened, &witness(number), secs).unwrap()).unwrap();
        self.files.insert(path, note.to_string().into_bytes());
    }
}

fn by_policy(log: &Builder, not_before_secs: Option<u64>) -> Report {
    let options =
        VerifyOptions { policy: Some(two_of_three()), not_before_secs, ..VerifyOptions::default() };
    verify_by(&log.files, &options)
}

/// The whole log, whose newest checkpoint two witnesses had seen.
fn seen_log() -> Builder {
    let mut log = signed_log(&key(1));
    log.cosign(20, 1, 1_700_000_000);
    log.cosign(20, 3, 1_700_000_060);
    log
}

#[test]
fn a_quorum_over_the_end_that_may_not_be_old_makes_it_intact_and_its_time_is_printed() {
    let report = by_policy(&seen_log(), Some(1_699_999_999));
    assert_eq!(report.verdict, Verdict::Intact, "{report}");
    assert_eq!((report.witnessed_up_to, report.covered_up_to), (Some(19), Some(19)), "{report}");
    assert_eq!(report.witnessed_at.as_deref(), Some("2023-11-14T22:13:20Z"));
    assert!(report.to_string().contains("up to seq 19, by 2023-11-14T22:13:20Z"), "{report}");
    assert!(report.coverage.contains("seen by 2023-11-14T22:13:20Z"), "{report}");
}

/// The checkpoints beside an old copy were cosigned, too.
#[test]
fn a_quorum_of_any_age_excludes_no_rollback_and_says_what_was_seen_and_when() {
    let report = by_policy(&seen_log(), None);
    assert_eq!((report.verdict, report.covered_up_to), (Verdict::Signed, None), "{report}");
    assert_eq!(report.witnessed_up_to, Some(19), "{report}");
    assert!(
        report.coverage.contains("had seen the first 20 records by 2023-11-14T22:13:20Z"),
        "{report}"
    );
    let required = VerifyOptions {
        policy: Some(two_of_three()),
        require: Requirement::Intact,
        ..VerifyOptions::default()
    };
    assert_eq!(verify_by(&seen_log().files, &required).verdict, Verdict::Unverifiable);

    // Nor after records that were added to what was seen.
    let mut log = seen_log();
    log.open_segment();
    log.log_opened();
    let report = by_policy(&log, None);
    assert_eq!(report.verdict, Verdict::Consistent, "{report}");
    assert!(report.coverage.contains("had seen the first 20 records by"), "{report}");
}

#[test]
fn a_cosigned_pin_counts_for_the_policy() {
    let seen = seen_log();
    let mut unseen = signed_log(&key(1));
    unseen.cosign(20, 2, 1_700_000_000);
    let kept = pin(&seen.files[&note_path(20)]);
    let given = VerifyOptions { policy: Some(two_of_three()), ..VerifyOptions::default() };
    for options in [
        VerifyOptions { pins: vec![kept.clone()], ..given.clone() },
        VerifyOptions { since: Some(kept.clone()), ..given.clone() },
    ] {
        let report = verify_by(&unseen.files, &options);
        assert_eq!(
            (report.verdict, report.witnessed_up_to),
            (Verdict::Intact, Some(19)),
            "{report}"
        );
    }
    // One that too few have seen does not.
    let few = VerifyOptions { pins: vec![pin(&unseen.files[&note_path(20)])], ..given };
    let report = verify_by(&unseen.files, &few);
    assert_eq!(codes_of(&report), ["quorum_not_met"], "{report}");
}

#[test]
fn cosignatures_of_the_future_do_not_count() {
    const DAY: u64 = 24 * 60 * 60;
    let mut log = signed_log(&key(1));
    log.cosign(20, 1, 1_700_000_000 + DAY);
    log.cosign(20, 2, 1_700_000_000 + DAY);
    let at = |now_secs| VerifyOptions {
        policy: Some(two_of_three()),
        not_before_secs: Some(1_700_000_000),
        now_secs,
        ..VerifyOptions::default()
    };
    for (now, verdict) in [
        (None, Verdict::Intact),
        (Some(1_700_000_000), Verdict::Intact),
        (Some(1_699_999_999), Verdict::Unverifiable),
    ] {
        assert_eq!(verify_by(&log.files, &at(now)).verdict, verdict, "{now:?}");
    }
    // They take nothing away from those of before.
    log.cosign(20, 1, 1_700_000_000);
    log.cosign(20, 2, 1_700_000_000);
    let report = verify_by(&log.files, &at(Some(1_699_999_999)));
    assert_eq!(report.verdict, Verdict::Intact, "{report}");
    assert_eq!(report.witnessed_at.as_deref(), Some("2023-11-14T22:13:20Z"), "{report}");
}

/// A policy with a witness of type 0x06, ML-DSA-44, beside one that is known.
fn with_ml_dsa(quorum: &str) -> Policy {
    let public_key = [&[6_u8], vec![7; 1_312].as_slice()].concat();
    let id = Digest::of(&[b"w.example\n", public_key.as_slice()].concat()).to_string();
    let vkey = format!("w.example+{}+{}", &id[..8], STANDARD.encode(public_key));
    let (log, w1) = (public(&key(1)), public(&witness(1)));
    let text = format!("log {log}\nwitness w1 {w1}\nwitness w6 {vkey}\n{quorum}\n");
    Policy::parse(text.as_bytes()).unwrap()
}

#[test]
fn a_witness_with_an_ml_dsa_key_is_one_that_cannot_be_met_yet() {
    let mut log = seen_log();
    let path = note_path(20);
    let line = format!("\u{2014} w.example {}\n", STANDARD.encode([6; 4 + 8 + 2_420]));
    log.files.get_mut(&path).unwrap().extend_from_slice(line.as_bytes());
    for (quorum, verdict) in [
        ("group g any w1 w6\nquorum g", Verdict::Intact),
        ("group g all w1 w6\nquorum g", Verdict::Unverifiable),
        ("quorum w6", Verdict::Unverifiable),
    ] {
        let options = VerifyOptions {
            policy: Some(with_ml_dsa(quorum)),
            not_before_secs: Some(1),
            ..VerifyOptions::default()
        };
        let report = verify_by(&log.files, &options);
        assert_eq!(report.verdict, verdict, "{quorum}\n{report}");
        assert_eq!(notices_of(&report), ["witness_key_not_known"], "{report}");
    }
}

#[test]
fn a_quorum_that_is_not_met_leaves_it_unverifiable() {
    let mut log = signed_log(&key(1));
    log.cosign(20, 2, 1_700_000_000);
    let report = by_policy(&log, None);
    assert_eq!(report.verdict, Verdict::Unverifiable, "{report}");
    assert_eq!(codes_of(&report), ["quorum_not_met"], "{report}");
}

#[test]
fn a_quorum_over_an_older_checkpoint_covers_no_more_than_that() {
    let mut log = signed_log(&key(1));
    log.cosign(14, 1, 1_700_000_000);
    log.cosign(14, 2, 1_700_000_000);
    log.cosign(20, 3, 1_700_000_000);
    let report = by_policy(&log, Some(1));
    assert_eq!((report.verdict, report.covered_up_to), (Verdict::Signed, Some(13)), "{report}");
    let options = VerifyOptions {
        policy: Some(two_of_three()),
        not_before_secs: Some(1),
        require: Requirement::Intact,
        ..VerifyOptions::default()
    };
    assert_eq!(verify_by(&log.files, &options).verdict, Verdict::Unverifiable);
}

#[test]
fn cosignatures_that_are_too_old_are_refused() {
    let mut log = signed_log(&key(1));
    log.cosign(20, 1, 1_700_000_000);
    log.cosign(20, 2, 1_700_000_060);
    for (not_before, verdict) in
        [(1_700_000_000, Verdict::Intact), (1_700_000_001, Verdict::Unverifiable)]
    {
        let report = by_policy(&log, Some(not_before));
        assert_eq!(report.verdict, verdict, "{report}");
    }
    log.cosign(20, 3, 1_700_000_030);
    assert_eq!(by_policy(&log, Some(1_700_000_030)).verdict, Verdict::Intact);
}

#[test]
fn a_false_cosignature_of_a_known_witness_is_tampering() {
    let mut log = signed_log(&key(1));
    log.cosign(20, 1, 1_700_000_000);
    log.cosign(20, 2, 1_700_000_000);
    let bytes = log.files.get_mut(&note_path(20)).unwrap();
    let at = bytes.len() - 20;
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    let report = by_policy(&log, None);
    assert_eq!(report.verdict, Verdict::Tampered, "{report}");
    assert!(codes_of(&report).contains(&"checkpoint_signature_false"), "{report}");
}

#[test]
fn a_given_key_counts_beside_those_of_the_policy() {
    let mut log = signed_log(&key(1));
    log.sign(&key(2));
    let mut note = Note::parse(&log.files[&note_path(20)]).unwrap();
    let opened = SignedCheckpoint::open(note.clone(), &[public(&key(2))]).unwrap();
    for number in [1, 2] {
        note.add(cosign(&opened, &witness(number), 1_700_000_000).unwrap()).unwrap();
    }
    log.files.insert(note_path(20), note.to_string().into_bytes());
    assert_eq!(by_policy(&log, None).verdict, Verdict::Unverifiable);
    let options = VerifyOptions {
        keys: vec![public(&key(2))],
        policy: Some(two_of_three()),
        not_before_secs: Some(1),
        ..VerifyOptions::default()
    };
    let report = verify_by(&log.files, &options);
    assert_eq!(report.verdict, Verdict::Intact, "{report}");
}

#[test]
fn a_policy_that_asks_for_nobody_is_met_and_covers_nothing() {
    let log = signed_log(&key(1));
    let text = format!("log {}\nquorum none\n", public(&key(1)));
    let policy = Some(Policy::parse(text.as_bytes()).unwrap());
    let options = VerifyOptions { policy, ..VerifyOptions::default() };
    let report = verify_by(&log.files, &options);
    assert_eq!((report.verdict, report.witnessed_up_to), (Verdict::Signed, None), "{report}");
}

#[test]
fn a_witness_is_no_key_of_a_log() {
    let log = signed_log(&key(1));
    let options = VerifyOptions { keys: vec![public(&witness(1))], ..VerifyOptions::default() };
    assert_eq!(verify_by(&log.files, &options).verdict, Verdict::Consistent);
}

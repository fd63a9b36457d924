//! Checkpoints that witnesses have seen, by a policy.

use audit_checkpoint::{KeyKind, KeyName, Note, Policy, SignedCheckpoint, SigningKey, cosign};
use audit_verify::{Report, Requirement, Verdict, VerifyOptions};

use crate::builder::Builder;
use crate::signed::{codes_of, key, note_path, public, signed_log, verify_by};

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

#[test]
fn a_quorum_over_the_end_makes_it_intact_and_its_time_is_printed() {
    let mut log = signed_log(&key(1));
    log.cosign(20, 1, 1_700_000_000);
    log.cosign(20, 3, 1_700_000_060);
    let report = by_policy(&log, None);
    assert_eq!(report.verdict, Verdict::Intact, "{report}");
    assert_eq!((report.witnessed_up_to, report.covered_up_to), (Some(19), Some(19)), "{report}");
    assert_eq!(report.witnessed_at.as_deref(), Some("2023-11-14T22:13:20Z"));
    assert!(report.to_string().contains("up to seq 19, by 2023-11-14T22:13:20Z"), "{report}");
    assert!(report.coverage.contains("seen by 2023-11-14T22:13:20Z"), "{report}");
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
    let report = by_policy(&log, None);
    assert_eq!((report.verdict, report.covered_up_to), (Verdict::Signed, Some(13)), "{report}");
    let options = VerifyOptions {
        policy: Some(two_of_three()),
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

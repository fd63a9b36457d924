//! Policies, what they ask for, and texts that are none.

use super::*;
use crate::cosignature::cosign;
use crate::key::{KeyError, KeyKind, SigningKey};
use crate::sample;
use audit_core::limits::{POLICY_BYTES_MAX, POLICY_ENTRIES_MAX};

fn witness(number: u8) -> SigningKey {
    sample::key(&format!("w{number}.example"), KeyKind::Cosignature, number)
}

/// The vkey of a witness.
fn vkey(number: u8) -> String {
    witness(number).verifying_key().to_string()
}

fn log_vkey() -> String {
    sample::log_key().verifying_key().to_string()
}

/// The policy of the specification's example, with witnesses 11, 12, 13 and 21, 22, 23.
fn two_levels() -> String {
    let [x1, x2, x3, y1, y2, y3] = [11, 12, 13, 21, 22, 23].map(vkey);
    format!(
        "# two levels\nlog {}\n\n\
         witness X1 {x1}\nwitness X2 {x2}\nwitness X3 {x3}\ngroup X 2 X1 X2\tX3\n\n\
         witness Y1 {y1}\nwitness Y2 {y2}\nwitness Y3 {y3}\ngroup Y any Y1 Y2 Y3\n\n\
         \x20\tgroup  X-and-Y all X Y\t\nquorum X-and-Y\n",
        log_vkey()
    )
}

/// The checkpoint, cosigned by these witnesses at these times and opened with all keys of a policy.
fn cosigned(policy: &Policy, by: &[(u8, u64)]) -> SignedCheckpoint {
    let mut note = sample::note();
    for (number, secs) in by {
        note.add(cosign(&sample::signed_checkpoint(), &witness(*number), *secs).unwrap()).unwrap();
    }
    let mut keys = policy.keys();
    keys.push(sample::log_key().verifying_key().clone());
    SignedCheckpoint::open(note, &keys).unwrap()
}

fn policy(text: &str) -> Policy {
    Policy::parse(text.as_bytes()).unwrap()
}

fn quorum(text: &str, by: &[(u8, u64)]) -> Quorum {
    let policy = policy(text);
    policy.evaluate(&cosigned(&policy, by)).quorum()
}

fn met(cosigned_secs: u64) -> Quorum {
    Quorum::Met { cosigned_secs }
}

#[test]
fn the_example_of_the_specification_is_read_and_asked() {
    let text = two_levels();
    assert_eq!(policy(&text).keys().len(), 7);
    for (by, expected) in [
        (&[][..], Quorum::NotMet),
        (&[(11, 5), (12, 5), (13, 5)], Quorum::NotMet),
        (&[(11, 5), (21, 5), (22, 5), (23, 5)], Quorum::NotMet),
        (&[(11, 5), (12, 6), (21, 7)], met(5)),
        (&[(11, 5), (12, 6), (13, 7), (22, 8)], met(6)),
        (&[(11, 9), (12, 9), (23, 1)], met(1)),
    ] {
        assert_eq!(quorum(&text, by), expected, "{by:?}");
    }
}

#[test]
fn a_quorum_is_a_witness_or_a_group_or_nobody() {
    let two = format!("witness a {}\nwitness b {}\n", vkey(1), vkey(2));
    for (rule, by, expected) in [
        ("quorum none\n", &[][..], Quorum::NotRequired),
        ("quorum a\n", &[(2, 5)], Quorum::NotMet),
        ("quorum a\n", &[(1, 5), (2, 9)], met(5)),
        ("group g any a b\nquorum g\n", &[(1, 5), (2, 9)], met(9)),
        ("group g all a b\nquorum g\n", &[(1, 5), (2, 9)], met(5)),
        ("group g all a b\nquorum g\n", &[(2, 9)], Quorum::NotMet),
        ("group g 1 a\ngroup h 1 g\nquorum h\n", &[(1, 5)], met(5)),
        ("group g 2 a b\nquorum g\n", &[(1, 0), (2, 0)], met(0)),
    ] {
        assert_eq!(quorum(&format!("{two}{rule}"), by), expected, "{rule:?} {by:?}");
    }
    assert_eq!(quorum("quorum none\n", &[]), Quorum::NotRequired);
}

/// The time is that for which leaving out everything before it changes nothing.
#[test]
fn a_quorum_is_as_old_as_the_last_cosignature_that_it_needs() {
    let text = two_levels();
    let all = [(11, 50), (12, 20), (13, 40), (21, 10), (22, 30), (23, 35)];
    let is_met_since = |secs| {
        let recent: Vec<_> = all.into_iter().filter(|(_, at)| *at >= secs).collect();
        quorum(&text, &recent) != Quorum::NotMet
    };
    let Quorum::Met { cosigned_secs } = quorum(&text, &all) else { panic!("not met") };
    assert!(is_met_since(cosigned_secs) && !is_met_since(cosigned_secs + 1), "{cosigned_secs}");
}

#[test]
fn witnesses_are_named_as_the_policy_names_them() {
    let text = format!("witness \u{e9}\u{2028} {} https://w.example/\nquorum none\n", vkey(1));
    let policy = policy(&text);
    let checkpoint = cosigned(&policy, &[(1, 5), (2, 5)]);
    let evaluation = policy.evaluate(&checkpoint);
    let [(witness, 5)] = evaluation.cosigned() else { panic!("{evaluation:?}") };
    assert_eq!(witness.name, "\u{e9}\u{2028}".as_bytes());
    assert_eq!(witness.url.as_deref(), Some(b"https://w.example/".as_slice()));
    assert_eq!(*witness, &policy.witnesses()[0]);
}

#[test]
fn a_checkpoint_of_a_log_that_is_not_listed_is_not_valid() {
    let listed = policy(&format!("log {} http://l\nquorum none\n", log_vkey()));
    assert_eq!(listed.logs()[0].url.as_deref(), Some(b"http://l".as_slice()));
    let other = sample::key("log.example/one", KeyKind::Ed25519, 9).verifying_key().to_string();
    let unlisted = policy(&format!("log {other}\nquorum none\n"));
    let unnamed = policy("quorum none\n");
    for (policy, knows_log) in [(&listed, true), (&unlisted, false), (&unnamed, true)] {
        let checkpoint = cosigned(policy, &[]);
        let evaluation = policy.evaluate(&checkpoint);
        assert_eq!((evaluation.knows_log(), evaluation.is_satisfied()), (knows_log, knows_log));
    }
    let unmet = policy(&format!("witness a {}\nquorum a\n", vkey(1)));
    assert!(!unmet.evaluate(&cosigned(&unmet, &[])).is_satisfied());
    assert!(unmet.evaluate(&cosigned(&unmet, &[(1, 5)])).is_satisfied());
}

#[test]
fn a_signature_that_was_not_verified_does_not_count() {
    let policy = policy(&format!("witness a {}\nquorum a\n", vkey(1)));
    let note = cosigned(&policy, &[(1, 5)]).note().clone();
    let keys = sample::public(&[&sample::log_key()]);
    let checkpoint = SignedCheckpoint::open(note, &keys).unwrap();
    assert_eq!(policy.evaluate(&checkpoint).quorum(), Quorum::NotMet);
}

#[test]
fn other_texts_are_no_policies() {
    let (a, b, log) = (vkey(1), vkey(2), log_vkey());
    let two = format!("witness a {a}\nwitness b {b}\n");
    let renamed = sample::key("other", KeyKind::Cosignature, 1).verifying_key().to_string();
    let moved = sample::key("other", KeyKind::Ed25519, 1).verifying_key().to_string();
    let wrong = log.replace("one", "two");
    let Err(KeyError::IdMismatch { stated, computed }) = wrong.parse::<VerifyingKey>() else {
        panic!("{wrong}")
    };
    let mismatch = PolicyFault::Key(KeyError::IdMismatch { stated, computed });
    let of_key = PolicyFault::Key;
    for (line, text, fault) in [
        (1, String::new(), PolicyFault::NoQuorum),
        (2, "\n#quorum none\n".to_owned(), PolicyFault::NoQuorum),
        (1, "quorum none".to_owned(), PolicyFault::Unterminated),
        (2, "quorum none\n#".to_owned(), PolicyFault::Unterminated),
        (2, "quorum none\nquorum none\n".to_owned(), PolicyFault::SecondQuorum),
        (1, "quorum none # none\n".to_owned(), PolicyFault::Form),
        (1, "quorum\n".to_owned(), PolicyFault::Form),
        (1, "Quorum none\n".to_owned(), PolicyFault::Form),
        (1, "quorum a\n".to_owned(), PolicyFault::UnknownName),
        (1, format!("quorum a\n{two}"), PolicyFault::UnknownName),
        (1, "quorum none\r\n".to_owned(), PolicyFault::Character(b'\r')),
        (1, "# \0\n".to_owned(), PolicyFault::Character(0)),
        (1, "#\u{7f}\n".to_owned(), PolicyFault::Character(0x7f)),
        (1, "log\n".to_owned(), PolicyFault::Form),
        (1, format!("log {log} a b\n"), PolicyFault::Form),
        (1, "log x\n".to_owned(), of_key(KeyError::Malformed)),
        (1, format!("log {wrong}\n"), mismatch),
        (1, format!("log {a}\n"), PolicyFault::WrongKind),
        (2, format!("log {log}\nlog {log} u\n"), PolicyFault::DuplicateKey),
        (1, format!("witness {a}\n"), PolicyFault::Form),
        (1, format!("witness a {a} u v\n"), PolicyFault::Form),
        (1, format!("witness a {moved}\n"), PolicyFault::WrongKind),
        (1, format!("witness none {a}\n"), PolicyFault::DuplicateName),
        (2, format!("witness a {a}\nwitness a {b}\n"), PolicyFault::DuplicateName),
        (2, format!("witness a {a}\nwitness b {renamed}\n"), PolicyFault::DuplicateKey),
        (3, format!("{two}group g all\n"), PolicyFault::Form),
        (3, format!("{two}group g a b\n"), PolicyFault::Threshold),
        (3, format!("{two}group g 0 a b\n"), PolicyFault::Threshold),
        (3, format!("{two}group g 3 a b\n"), PolicyFault::Threshold),
        (3, format!("{two}group g 01 a b\n"), PolicyFault::Threshold),
        (3, format!("{two}group g +1 a b\n"), PolicyFault::Threshold),
        (3, format!("{two}group g all a a\n"), PolicyFault::SecondMembership),
        (4, format!("{two}group g all a\ngroup h all a b\n"), PolicyFault::SecondMembership),
        (3, format!("{two}group g all a c\n"), PolicyFault::UnknownName),
        (3, format!("{two}group g all g\n"), PolicyFault::UnknownName),
        (3, format!("{two}group g all a none\n"), PolicyFault::UnknownName),
        (3, format!("{two}group a all b\n"), PolicyFault::DuplicateName),
        (3, format!("{two}group none all b\n"), PolicyFault::DuplicateName),
    ] {
        assert_eq!(Policy::parse(text.as_bytes()), Err(PolicyError { line, fault }), "{text:?}");
    }
    let error = Policy::parse(b"log \xff\n").unwrap_err();
    assert_eq!(error.fault, PolicyFault::Key(KeyError::Malformed));
}

/// A vkey of this type with so many bytes of key.
fn other_vkey(type_byte: u8, bytes: usize) -> String {
    use base64::Engine as _;
    let key = [&[type_byte], vec![7; bytes].as_slice()].concat();
    let digest = audit_core::Digest::of(&[b"w\n", key.as_slice()].concat()).to_string();
    format!("w+{}+{}", &digest[..8], base64::engine::general_purpose::STANDARD.encode(key))
}

#[test]
fn a_key_that_no_witness_here_can_have_is_named() {
    let text = format!("witness w {}\nquorum w\n", other_vkey(5, 32));
    let error = Policy::parse(text.as_bytes()).unwrap_err();
    assert_eq!(error.fault, PolicyFault::Key(KeyError::UnknownType(5)));
}

#[test]
fn a_witness_with_an_ml_dsa_key_is_one_that_has_not_cosigned() {
    let vkey = other_vkey(6, 1_312);
    let two = format!("witness a {}\nwitness w {vkey}\n", self::vkey(1));
    assert_eq!(quorum(&format!("{two}quorum w\n"), &[(1, 5)]), Quorum::NotMet);
    assert_eq!(quorum(&format!("{two}group g any a w\nquorum g\n"), &[(1, 5)]), met(5));
    assert_eq!(quorum(&format!("{two}group g all a w\nquorum g\n"), &[(1, 5)]), Quorum::NotMet);
    let policy = policy(&format!("{two}quorum a\n"));
    assert_eq!((policy.witnesses().len(), policy.keys().len()), (2, 1));
    let key = &policy.witnesses()[1].key;
    assert_eq!((key.to_string(), key.name().as_str()), (vkey.clone(), "w"));
    assert_eq!(key.verifying_key(), None);

    for (text, fault) in [
        (format!("{two}witness v {vkey}\n"), PolicyFault::DuplicateKey),
        (format!("log {vkey}\n"), PolicyFault::Key(KeyError::UnknownType(6))),
        (format!("witness w {}\n", other_vkey(6, 32)), PolicyFault::Key(KeyError::Malformed)),
    ] {
        assert_eq!(Policy::parse(text.as_bytes()).unwrap_err().fault, fault, "{text}");
    }
    let renamed = vkey.replacen("w+", "v+", 1);
    let error = Policy::parse(format!("witness w {renamed}\n").as_bytes()).unwrap_err();
    assert!(matches!(error.fault, PolicyFault::Key(KeyError::IdMismatch { .. })), "{error}");
}

#[test]
fn a_cosignature_of_after_a_time_does_not_count_and_hides_none_of_before() {
    let policy = policy(&format!("witness a {}\nquorum a\n", vkey(1)));
    for (times, until, due) in [
        (&[50][..], 50, met(50)),
        (&[50], 49, Quorum::NotMet),
        (&[50, 90], 60, met(50)),
        (&[90, 50], 60, met(50)),
        (&[50, 90], 90, met(90)),
    ] {
        let by: Vec<_> = times.iter().map(|secs| (1, *secs)).collect();
        let checkpoint = cosigned(&policy, &by);
        assert_eq!(policy.evaluate_until(&checkpoint, until).quorum(), due, "{times:?} {until}");
        assert_eq!(checkpoint.cosigned().len(), 1);
    }
}

#[test]
fn words_of_the_syntax_may_be_names() {
    let text = format!(
        "witness all {}\nwitness log {}\ngroup any 1 all log\nquorum any\n",
        vkey(1),
        vkey(2)
    );
    assert_eq!(quorum(&text, &[(2, 5)]), met(5));
}

#[test]
fn a_policy_is_bounded() {
    let groups = |count: usize| {
        let group = |number| format!("group g{number} all g{}\n", number - 1);
        let groups: String = (1..count).map(group).collect();
        format!("witness g0 {}\n{groups}quorum g{}\n", vkey(1), count - 1)
    };
    // The deepest nesting there can be.
    assert_eq!(quorum(&groups(POLICY_ENTRIES_MAX), &[(1, 5)]), met(5));
    let error = Policy::parse(groups(POLICY_ENTRIES_MAX + 1).as_bytes()).unwrap_err();
    assert_eq!(error.fault, PolicyFault::TooManyEntries);

    let rest = "\nquorum none\n";
    let longest = format!("{}{rest}", "#".repeat(POLICY_BYTES_MAX - rest.len()));
    assert!(Policy::parse(longest.as_bytes()).is_ok());
    let error = Policy::parse(format!("#{longest}").as_bytes()).unwrap_err();
    assert_eq!(error, PolicyError { line: 1, fault: PolicyFault::TooLong });
}

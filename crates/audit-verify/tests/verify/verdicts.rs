//! The table of what a log is called, by what was done to it, what is given, and what is asked.
//!
//! What is due is told from the table of the documents, in the numbers of records that are there, and
//! covered, by hand.

use std::collections::BTreeSet;

use audit_checkpoint::{KeyKind, Policy};
use audit_core::{Digest, Receipt};
use audit_verify::{Report, Requirement, Verdict, VerifyOptions, verify_source};

use crate::builder::{Builder, Files, line_starts};
use crate::signed::{key, note, note_path, pin, public, signed_log, strip, verify_by};
use crate::watched::{Fault, Watched};
use crate::witnesses::witness;

const COSIGNED_SECS: u64 = 1_700_000_000;
const REQUIREMENTS: [Requirement; 3] =
    [Requirement::Consistent, Requirement::Signed, Requirement::Intact];

/// A log with something done to it, and what is known of it by hand.
struct Case {
    called: &'static str,
    files: Files,
    unreadable: Option<String>,
    /// What is to be found in it, whatever is given.
    found: Option<Verdict>,
    /// Records that can be read.
    records: u64,
    /// Those that the newest checkpoint beside it covers; none where there is no checkpoint.
    signed: u64,
    /// The head and the root when the last record was written.
    end: (Receipt, Digest),
}

/// Ten records in two segments, with a checkpoint at the end of each, both seen by a witness.
fn whole() -> Builder {
    let mut log = Builder::new();
    log.events(3);
    log.sign(&key(1));
    log.open_segment();
    log.events(4);
    log.sign(&key(1));
    for size in [5, 10] {
        log.cosign(size, 1, COSIGNED_SECS);
    }
    log
}

/// A log as it stands, with its newest checkpoint over ten records.
fn case(called: &'static str, log: &Builder, found: Option<Verdict>) -> Case {
    let end = (log.head(), log.frontier.root());
    let files = log.files.clone();
    Case { called, files, unreadable: None, found, records: log.seq, signed: 10, end }
}

fn tear(files: &mut Files) {
    newest(files).extend_from_slice(b"{\"v\":1,\"seq\":");
}

/// Takes the last line away.
fn cut(files: &mut Files) {
    let bytes = newest(files);
    let starts = line_starts(bytes);
    bytes.truncate(starts[starts.len() - 2]);
}

/// Done twice, it is as if it was done once.
fn change(files: &mut Files) {
    files.values_mut().next().unwrap()[300] = b'#';
}

/// The newest segment, which was not closed.
fn newest(files: &mut Files) -> &mut Vec<u8> {
    let mut segments = files.iter_mut().filter(|(name, _)| name.starts_with('0'));
    segments.next_back().unwrap().1
}

fn cases() -> Vec<Case> {
    let log = whole();
    let mut later = whole();
    later.events(2);
    let done = |called, log: &Builder, found, damage: &[fn(&mut Files)]| {
        let mut case = case(called, log, Some(found));
        for damage in damage {
            damage(&mut case.files);
        }
        case
    };
    let tampered =
        |called, damage: &[fn(&mut Files)]| done(called, &log, Verdict::Tampered, damage);
    vec![
        case("whole", &log, None),
        case("with records after its checkpoint", &later, None),
        Case { found: None, signed: 0, ..done("unsigned", &log, Verdict::Torn, &[strip]) },
        done("torn", &later, Verdict::Torn, &[tear]),
        done("torn after its checkpoint", &log, Verdict::Torn, &[tear]),
        Case { records: 9, ..done("cut", &log, Verdict::Truncated, &[cut]) },
        Case {
            records: 0,
            signed: 0,
            ..done("empty", &log, Verdict::Unverifiable, &[Files::clear])
        },
        Case {
            records: 5,
            unreadable: Some(log.file.clone()),
            // Its checkpoint proves records that are not among those that can be read.
            ..done("unreadable", &log, Verdict::Truncated, &[])
        },
        tampered("tampered with", &[change]),
        tampered("tampered with and torn", &[change, tear]),
        tampered("tampered with and cut", &[change, cut]),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    None,
    Right,
    Another,
}

/// What was kept elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Nothing,
    PinOfEnd,
    EarlierPin,
    PinOfAnotherLog,
    HeadOfEnd,
    EarlierHead,
    HeadOfAnotherLog,
    PolicyMet,
    /// With a bound on the age of the cosignatures.
    PolicyMetInTime,
    PolicyNotMet,
    PolicyTooLate,
}

const KEPT: [Kept; 11] = [
    Kept::Nothing,
    Kept::PinOfEnd,
    Kept::EarlierPin,
    Kept::PinOfAnotherLog,
    Kept::HeadOfEnd,
    Kept::EarlierHead,
    Kept::HeadOfAnotherLog,
    Kept::PolicyMet,
    Kept::PolicyMetInTime,
    Kept::PolicyNotMet,
    Kept::PolicyTooLate,
];

/// The policy for the log of key 1 that asks for this witness.
fn policy(number: u8) -> Policy {
    let (log, witness) = (public(&key(1)), public(&witness(number)));
    assert_eq!(witness.kind(), KeyKind::Cosignature);
    Policy::parse(format!("log {log}\nwitness w {witness}\nquorum w\n").as_bytes()).unwrap()
}

fn options(case: &Case, key: Key, kept: Kept, require: Requirement) -> VerifyOptions {
    let (head, root) = case.end;
    let keys = match key {
        Key::None => vec![],
        Key::Right => vec![public(&self::key(1))],
        Key::Another => vec![public(&self::key(2))],
    };
    let mut options = VerifyOptions { keys, require, ..VerifyOptions::default() };
    let other = Digest::of(b"another");
    let pin_over = |size, root| vec![pin(&note(&self::key(1), size, root))];
    match kept {
        Kept::Nothing => {}
        Kept::PinOfEnd => options.pins = pin_over(head.seq + 1, root),
        Kept::EarlierPin => options.pins = vec![pin(&whole().files[&note_path(5)])],
        Kept::PinOfAnotherLog => options.pins = pin_over(5, other),
        Kept::HeadOfEnd => options.heads = vec![head],
        Kept::EarlierHead => options.heads = vec![earlier_head()],
        Kept::HeadOfAnotherLog => options.heads = vec![Receipt { seq: 4, hash: other }],
        Kept::PolicyMet => options.policy = Some(policy(1)),
        Kept::PolicyMetInTime => {
            options.policy = Some(policy(1));
            options.not_before_secs = Some(COSIGNED_SECS);
        }
        Kept::PolicyNotMet => options.policy = Some(policy(2)),
        Kept::PolicyTooLate => {
            options.policy = Some(policy(1));
            options.not_before_secs = Some(COSIGNED_SECS + 1);
        }
    }
    options
}

/// That of the first segment.
fn earlier_head() -> Receipt {
    let mut log = Builder::new();
    log.events(3);
    log.head()
}

/// What the documents say of a log.
fn due(case: &Case, key: Key, kept: Kept, require: Requirement) -> Verdict {
    let is_seen = matches!(kept, Kept::PolicyMet | Kept::PolicyMetInTime);
    let is_policy = is_seen || matches!(kept, Kept::PolicyNotMet | Kept::PolicyTooLate);
    let is_right = key == Key::Right || is_policy;
    let is_asked_who = key != Key::None || is_policy;
    let mut worst: Vec<Verdict> = case.found.into_iter().collect();
    // No checkpoint by the given key.
    if is_asked_who && !(is_right && case.signed > 0) {
        worst.push(Verdict::Unverifiable);
    }
    // Something kept of so many records, whether its bytes are those here.
    let (size, is_same) = match kept {
        Kept::PinOfEnd | Kept::HeadOfEnd => (case.end.0.seq + 1, true),
        Kept::EarlierPin | Kept::EarlierHead => (5, true),
        Kept::PinOfAnotherLog | Kept::HeadOfAnotherLog => (5, false),
        Kept::Nothing
        | Kept::PolicyMet
        | Kept::PolicyMetInTime
        | Kept::PolicyNotMet
        | Kept::PolicyTooLate => (0, true),
    };
    let is_pin = matches!(kept, Kept::PinOfEnd | Kept::EarlierPin | Kept::PinOfAnotherLog);
    if size > case.records {
        worst.push(Verdict::Truncated);
    } else if !is_same {
        worst.push(Verdict::Tampered);
    } else if is_pin && size > case.signed {
        // There was a checkpoint beside the log.
        worst.push(Verdict::Truncated);
    }
    // With a key, a pin counts only if that key signed it.
    let counts = !is_pin || !is_asked_who || is_right;
    if !counts || matches!(kept, Kept::PolicyNotMet | Kept::PolicyTooLate) {
        worst.push(Verdict::Unverifiable);
    }
    let elsewhere = if kept == Kept::PolicyMetInTime {
        case.signed
    } else if counts {
        size
    } else {
        0
    };
    let level = if elsewhere >= case.records {
        Verdict::Intact
    } else if is_right && case.signed >= case.records {
        Verdict::Signed
    } else {
        Verdict::Consistent
    };
    let is_met = match require {
        Requirement::Signed => level != Verdict::Consistent,
        Requirement::Intact => level == Verdict::Intact,
        Requirement::Consistent => true,
    };
    worst.extend((!is_met).then_some(Verdict::Unverifiable));
    let order = [Verdict::Tampered, Verdict::Truncated, Verdict::Unverifiable, Verdict::Torn];
    order.into_iter().find(|verdict| worst.contains(verdict)).unwrap_or(level)
}

fn judged(case: &Case, options: &VerifyOptions) -> Report {
    let source = Watched::new(case.files.clone());
    let source = match &case.unreadable {
        None => source,
        Some(name) => source.with(Fault::Denied, name),
    };
    verify_source(&source, options, &mut |_| ()).unwrap()
}

#[test]
fn the_verdict_is_that_of_the_table_for_every_log_and_all_that_is_given_and_asked() {
    let mut told = BTreeSet::new();
    for case in cases() {
        for key in [Key::None, Key::Right, Key::Another] {
            for (kept, require) in KEPT.into_iter().flat_map(|kept| REQUIREMENTS.map(|r| (kept, r)))
            {
                let report = judged(&case, &options(&case, key, kept, require));
                let due = due(&case, key, kept, require);
                let called = case.called;
                assert_eq!(report.verdict, due, "{called} {key:?} {kept:?} {require:?}\n{report}");
                told.insert(report.verdict);
            }
        }
    }
    assert_eq!(told.len(), 7, "all verdicts are told: {told:?}");
}

#[test]
fn what_is_done_besides_never_makes_a_verdict_milder() {
    let damage: [fn(&mut Files); 5] = [
        tear,
        cut,
        change,
        |files| drop(files.insert(note_path(40), note(&key(1), 40, Digest::of(b"any")))),
        |files| drop(files.insert("x.audit.jsonl".to_owned(), Vec::new())),
    ];
    let kept = [Kept::Nothing, Kept::PinOfEnd, Kept::EarlierHead, Kept::PolicyMetInTime];
    for order in 0..125 {
        let done = [order % 5, order / 5 % 5, order / 25].map(|number| damage[number]);
        for (kept, key) in
            kept.iter().flat_map(|kept| [Key::None, Key::Right].map(|key| (*kept, key)))
        {
            let mut case = case("whole", &whole(), None);
            let options = options(&case, key, kept, Requirement::Consistent);
            let mut before = judged(&case, &options).verdict;
            for damage in done {
                damage(&mut case.files);
                let report = judged(&case, &options);
                assert!(report.verdict >= before, "{before} {order} {key:?} {kept:?}\n{report}");
                before = report.verdict;
            }
            assert!(before > Verdict::Consistent);
        }
    }
}

#[test]
fn what_was_required_and_is_not_there_is_said() {
    let log = signed_log(&key(1));
    let options = VerifyOptions { require: Requirement::Signed, ..VerifyOptions::default() };
    let report = verify_by(&log.files, &options);
    assert_eq!(report.verdict, Verdict::Unverifiable, "{report}");
    let finding = &report.findings[0];
    assert_eq!(finding.code.as_str(), "requirement_not_met");
    assert_eq!(finding.expected.as_deref(), Some("signed"));
    assert_eq!(finding.found.as_deref(), Some("consistent"));
}

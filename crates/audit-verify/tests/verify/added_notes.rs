//! Adding never helps: no checkpoint that somebody without the log's keys and its witnesses' puts
//! beside a log makes a verdict milder or a coverage wider.

use std::ops::ControlFlow;

use audit_checkpoint::{KeyKind, KeyName, Note, SignedCheckpoint, SigningKey, cosign};
use audit_core::{Digest, Frontier};
use audit_testkit::dice::Dice;
use audit_testkit::soak::go_through;
use audit_verify::{Report, Requirement, UnsignedLimit, Verdict, VerifyOptions, verify_source};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::builder::{Builder, Files, hash_of, line_starts, lines_of, segment_name};
use crate::planted::extended;
use crate::signed::{Change, key, key_called, named_log, note, note_path, pin, public, strip};
use crate::watched::{Fault, Watched};
use crate::witnesses::two_of_three;

const COSIGNED_SECS: u64 = 1_700_000_000;
/// Logs with several additions.
const DRAWN: u64 = 4_000;

/// A log with checkpoints, of which the last two were seen by enough witnesses.
fn honest() -> Builder {
    let mut log = named_log(&key(1));
    for (size, number) in [(14, 1), (14, 2), (17, 1), (17, 3)] {
        log.cosign(size, number, COSIGNED_SECS);
    }
    log
}

/// The same, which goes over to key 2.
fn changed() -> Builder {
    let mut log = Builder::naming(&key(1));
    log.events(3);
    log.sign_and_record(&key(1));
    log.record(&Change::at(log.seq).event());
    log.event();
    log.sign_and_record(&key(2));
    log.open_segment();
    log.event();
    log.sign(&key(2));
    log
}

/// Logs that are whole, and that something was done to.
fn logs() -> Vec<(&'static str, Files)> {
    let whole = honest().files;
    let last = segment_name(10);
    let done = |act: &dyn Fn(&mut Files)| {
        let mut files = whole.clone();
        act(&mut files);
        files
    };
    let cut = |files: &mut Files| {
        let bytes = files.get_mut(&last).unwrap();
        bytes.truncate(line_starts(bytes)[3]);
    };
    let older_notes = |files: &mut Files| {
        files.remove(&note_path(14));
        files.remove(&note_path(17));
    };
    vec![
        ("whole", whole.clone()),
        ("changed", changed().files),
        ("without checkpoints", done(&|files| strip(files))),
        ("without the newest checkpoints", done(&older_notes)),
        ("cut", done(&|files| cut(files))),
        ("cut and without checkpoints", done(&|files| (cut(files), strip(files)).1)),
        ("rolled back", done(&|files| (cut(files), older_notes(files)).1)),
        ("torn", done(&|files| files.get_mut(&last).unwrap().extend(b"{"))),
        ("tampered", done(&|files| files.get_mut(&last).unwrap()[700] ^= 1)),
        ("gone", done(&|files| files.retain(|name, _| name.starts_with("check")))),
    ]
}

/// What is given of a log: nothing, its key, something that was kept.
fn given() -> Vec<(&'static str, VerifyOptions)> {
    let log = honest();
    let none = VerifyOptions::default;
    let kept = |size| vec![pin(&log.files[&note_path(size)])];
    let keys = || vec![public(&key(1))];
    let policy = || Some(two_of_three());
    vec![
        ("L0", none()),
        ("L1", VerifyOptions { keys: keys(), ..none() }),
        ("L1, signed", VerifyOptions { keys: keys(), require: Requirement::Signed, ..none() }),
        (
            "L1, limited",
            VerifyOptions { keys: keys(), max_unsigned: Some(UnsignedLimit::Records(2)), ..none() },
        ),
        ("L1, policy", VerifyOptions { policy: policy(), ..none() }),
        (
            "L1, policy in time",
            VerifyOptions { policy: policy(), not_before_secs: Some(COSIGNED_SECS), ..none() },
        ),
        ("L2, pin", VerifyOptions { pins: kept(14), ..none() }),
        ("L2, pin of the end", VerifyOptions { pins: kept(17), ..none() }),
        ("L2, pin and key", VerifyOptions { pins: kept(9), keys: keys(), ..none() }),
        ("L2, head", VerifyOptions { heads: vec![log.head()], ..none() }),
        ("L2, since", VerifyOptions { since: Some(kept(14).remove(0)), ..none() }),
    ]
}

/// What is added, each to a log that does not have it.
#[derive(Clone, Copy, Debug)]
enum Addition {
    Unreadable,
    Junk,
    /// Of the log's name, under the root that the records have.
    Stranger,
    OtherName,
    /// Under that root, with lines behind it.
    Extended,
    /// Under another root, or over more records than there are.
    OtherRoot,
    /// Under that root, with a signature that only claims to be by the log's key.
    Claimed,
    /// A cosignature of an unknown witness, below each checkpoint.
    ForeignCosignature,
    /// A signature of an unknown type, below each checkpoint.
    UnknownType,
}

use Addition::{
    Claimed, Extended, ForeignCosignature, Junk, OtherName, OtherRoot, Stranger, UnknownType,
    Unreadable,
};

const ADDITIONS: [Addition; 9] = [
    Unreadable,
    Junk,
    Stranger,
    OtherName,
    Extended,
    OtherRoot,
    Claimed,
    ForeignCosignature,
    UnknownType,
];

/// The roots that the records of a log have, by size, as somebody computes them who reads the lines.
fn roots(files: &Files) -> Vec<Digest> {
    let segments = files.iter().filter(|(name, _)| name.ends_with(".audit.jsonl"));
    let lines = segments.flat_map(|(_, bytes)| lines_of(bytes));
    let mut frontier = Frontier::new();
    let mut roots = vec![frontier.root()];
    for hash in lines.filter_map(|line| hash_of(&line)) {
        frontier.push(hash);
        roots.push(frontier.root());
    }
    roots
}

fn signed_as_claimed(size: u64, root: Digest) -> Vec<u8> {
    let unsigned = note(&key(1), size, root);
    let text = Note::parse(&unsigned).unwrap().text().to_owned();
    let claim = [key(1).id().as_bytes().as_slice(), &[7; 64]].concat();
    format!("{text}\n\u{2014} {} {}\n", key(1).name(), STANDARD.encode(claim)).into_bytes()
}

fn stranger(kind: KeyKind) -> SigningKey {
    SigningKey::from_seed(KeyName::new("witness.example/w9").unwrap(), kind, &[99; 32]).unwrap()
}

/// Adds a line below every checkpoint that is one.
fn below_each(files: &mut Files, line: impl Fn(&Note) -> Option<String>) {
    for (_, bytes) in files.iter_mut().filter(|(name, _)| name.starts_with("checkpoints/")) {
        if let Some(line) = Note::parse(bytes).ok().as_ref().and_then(&line) {
            bytes.extend_from_slice(line.as_bytes());
        }
    }
}

/// Adds something over so many records.
fn add(files: &mut Files, addition: Addition, size: u64) {
    let roots = roots(files);
    let root = usize::try_from(size).ok().and_then(|size| roots.get(size).copied());
    let root = root.unwrap_or(Digest::ZERO);
    let mut plant = |bytes: Vec<u8>| {
        files.entry(note_path(size)).or_insert(bytes);
    };
    match addition {
        Unreadable => plant(Vec::new()),
        Junk => plant(b"junk".to_vec()),
        Stranger => plant(note(&key(9), size, root)),
        OtherName => plant(note(&key_called("another.example", 9), size, root)),
        Extended => plant(extended(size, root, &key(9))),
        OtherRoot => plant(note(&key(9), size, Digest::of(b"another"))),
        Claimed => plant(signed_as_claimed(size, root)),
        ForeignCosignature => below_each(files, |note| {
            let keys = [public(&key(1)), public(&key(2))];
            let opened = SignedCheckpoint::open(note.clone(), &keys).ok()?;
            let secs = COSIGNED_SECS * 2;
            let line = cosign(&opened, &stranger(KeyKind::Cosignature), secs).unwrap();
            Some(format!("{line}\n"))
        }),
        UnknownType => below_each(files, |_| {
            let signature = STANDARD.encode([6; 4 + 8 + 2_420]);
            Some(format!("\u{2014} witness.example/w1 {signature}\n"))
        }),
    }
}

fn judged(files: &Files, unreadable: Option<&str>, options: &VerifyOptions) -> Report {
    let source = Watched::new(files.clone());
    let source = match unreadable {
        Some(name) => source.with(Fault::Denied, name),
        None => source,
    };
    verify_source(&source, options, &mut |_| ()).unwrap()
}

/// A log, what is given of it, and what is said of it then.
struct Case {
    called: String,
    files: Files,
    options: VerifyOptions,
    before: Report,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (called, files) in logs() {
        for (level, options) in given() {
            let (called, before) = (format!("{called}, {level}"), judged(&files, None, &options));
            cases.push(Case { called, files: files.clone(), options, before });
        }
    }
    cases
}

/// Judges a log once more with additions.
fn hold(case: &Case, added: &[(Addition, u64)]) {
    let Case { called, files, options, before } = case;
    let (mut more, mut unreadable) = (files.clone(), None);
    for (addition, size) in added {
        let is_new = !more.contains_key(&note_path(*size));
        add(&mut more, *addition, *size);
        if matches!(addition, Unreadable) && is_new {
            unreadable = Some(note_path(*size));
        }
    }
    let after = judged(&more, unreadable.as_deref(), options);
    let told = || format!("{called}, {added:?}\nbefore: {before}\nafter: {after}");
    assert!(after.verdict >= before.verdict, "{}", told());
    assert!(after.findings_total >= before.findings_total, "{}", told());
    assert!(after.signed_up_to <= before.signed_up_to, "{}", told());
    assert!(after.covered_up_to <= before.covered_up_to, "{}", told());
    assert!(after.witnessed_up_to <= before.witnessed_up_to, "{}", told());
    assert!(after.unsigned_records >= before.unsigned_records, "{}", told());
}

#[test]
fn the_logs_are_judged_as_they_are_made_to_be() {
    let verdict = |called: &str, level: &str| {
        let logs = logs();
        let (_, files) = logs.iter().find(|(name, _)| *name == called).unwrap();
        let given = given();
        let (_, options) = given.iter().find(|(name, _)| *name == level).unwrap();
        judged(files, None, options).verdict
    };
    for (called, at_l0, at_l1, at_l2) in [
        ("whole", Verdict::Consistent, Verdict::Signed, Verdict::Intact),
        ("without checkpoints", Verdict::Truncated, Verdict::Truncated, Verdict::Truncated),
        ("cut", Verdict::Truncated, Verdict::Truncated, Verdict::Truncated),
        ("rolled back", Verdict::Consistent, Verdict::Consistent, Verdict::Truncated),
        ("torn", Verdict::Tampered, Verdict::Tampered, Verdict::Tampered),
        ("tampered", Verdict::Tampered, Verdict::Tampered, Verdict::Tampered),
        ("gone", Verdict::Truncated, Verdict::Truncated, Verdict::Truncated),
    ] {
        assert_eq!(verdict(called, "L0"), at_l0, "{called}");
        assert_eq!(verdict(called, "L1"), at_l1, "{called}");
        assert_eq!(verdict(called, "L2, pin of the end"), at_l2, "{called}");
    }
    assert_eq!(verdict("changed", "L1"), Verdict::Signed);
}

#[test]
fn no_checkpoint_that_is_added_makes_a_verdict_milder_or_a_coverage_wider() {
    let cases = cases();
    go_through(0..cases.len() as u64, |number| {
        for addition in ADDITIONS {
            for size in [14, 16, 17, 1_000] {
                hold(&cases[usize::try_from(number).unwrap()], &[(addition, size)]);
            }
        }
        ControlFlow::Continue(())
    });
}

#[test]
fn no_checkpoints_that_are_added_together_do() {
    let cases = cases();
    go_through(0..DRAWN, |seed| {
        let mut dice = Dice::new(seed);
        let added: Vec<_> = (0..dice.between(2, 5))
            .map(|_| (ADDITIONS[dice.index(ADDITIONS.len())], dice.between(0, 20)))
            .collect();
        hold(&cases[dice.index(cases.len())], &added);
        ControlFlow::Continue(())
    });
}

//! The table of what a log is called, by what was found in it, what covers it, and what was asked.

use audit_verify::{Requirement, Verdict, VerifyOptions};

use crate::builder::Files;
use crate::signed::{key, note_path, public, signed_log, verify_by};

/// What is done to a log, and the verdict that it leads to at least.
type Damage = (fn(&mut Files), Option<Verdict>);

const DAMAGE: [Damage; 5] = [
    (|_| (), None),
    (|files| newest(files).extend_from_slice(b"{\"v\":1,\"seq\":"), Some(Verdict::Torn)),
    // A version that nobody knows.
    (
        |files| {
            let mut log = crate::builder::Builder::new();
            log.record(r#"{"event_type":"format_changed","to":2}"#);
            *files = log.files;
            let (line, _) = crate::builder::seal(r#"{"v":2"#);
            files.insert(crate::builder::segment_name(3), line.into_bytes());
        },
        Some(Verdict::Unverifiable),
    ),
    (
        |files| {
            let bytes = newest(files);
            bytes.truncate(crate::builder::line_starts(bytes)[3]);
            drop(files.insert(note_path(21), crate::signed::note(&key(1), 21, any())));
        },
        Some(Verdict::Truncated),
    ),
    (|files| newest(files)[300] ^= 1, Some(Verdict::Tampered)),
];

fn any() -> audit_core::Digest {
    audit_core::Digest::of(b"any")
}

/// The newest segment, which was not closed.
fn newest(files: &mut Files) -> &mut Vec<u8> {
    let name = files.keys().rfind(|name| !name.starts_with("checkpoints/")).cloned().unwrap();
    files.get_mut(&name).unwrap()
}

#[test]
fn the_verdict_is_the_worst_of_what_was_found_covered_and_asked() {
    let mut log = crate::builder::Builder::new();
    log.events(8);
    log.sign(&key(1));
    let kept = vec![log.head()];
    let key = vec![public(&key(1))];
    // What covers the last record, when the log is whole or torn.
    let covers = [
        (VerifyOptions::default(), Verdict::Consistent),
        (VerifyOptions { keys: key, ..VerifyOptions::default() }, Verdict::Signed),
        (VerifyOptions { heads: kept, ..VerifyOptions::default() }, Verdict::Intact),
    ];
    let requires = [
        (Requirement::Consistent, Verdict::Consistent),
        (Requirement::Signed, Verdict::Signed),
        (Requirement::Intact, Verdict::Intact),
    ];
    for (damage, found) in DAMAGE {
        for (options, level) in &covers {
            for (require, asked) in requires {
                let mut files = log.files.clone();
                damage(&mut files);
                let report = verify_by(&files, &VerifyOptions { require, ..options.clone() });
                let verdict = report.verdict;
                let case = format!("{found:?} {level:?} {require:?}\n{report}");
                let is_missed = *level > asked;
                let missed = is_missed.then_some(Verdict::Unverifiable);
                // A damaged log is never milder than its damage, and never better than asked.
                let expected = found.max(missed).unwrap_or(*level).max(*level);
                match found {
                    None | Some(Verdict::Torn) => assert_eq!(verdict, expected, "{case}"),
                    Some(found) => assert!(verdict >= found, "{case}"),
                }
            }
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

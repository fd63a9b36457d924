//! Reports that no number of other findings makes useless, and that say the same in whatever order a
//! directory shows its names.

use std::ffi::{OsStr, OsString};
use std::io;

use audit_testkit::dice::Dice;
use audit_verify::{
    Code, LogSource, MemoryFile, MemorySource, OpenError, Report, Verdict, VerifyOptions,
    verify_source,
};

use crate::builder::{Builder, Files, line_starts, segment_name, verify};
use crate::signed::{key, named_log, note, note_path, notices_of};
use crate::watched::{Fault, Watched};

/// Names of as many kinds as there are to flood a report with.
const JUNK: [&str; 5] =
    ["{}.audit.jsonl", "{}.txt", "checkpoints/{}.note", "checkpoints/{}.txt", ".{}"];

fn flooded(mut files: Files, count: usize) -> Files {
    for name in JUNK {
        for number in 0..count {
            files.insert(name.replace("{}", &format!("a{number:04}")), b"junk".to_vec());
        }
    }
    files
}

/// Flips a byte of the third record of the second segment.
fn flip(files: &mut Files) -> u64 {
    let bytes = files.get_mut(&segment_name(10)).unwrap();
    let third = line_starts(bytes)[2];
    bytes[third + 200] ^= 1;
    12
}

#[test]
fn a_real_finding_is_listed_and_its_place_comes_first_however_much_junk_lies_beside_it() {
    for count in [0, 60, 1_000] {
        let mut files = named_log(&key(1)).files;
        let seq = flip(&mut files);
        let report = verify(&flooded(files, count));
        let listed = |code: Code| report.findings.iter().filter(|it| it.code == code).count();
        assert_eq!(listed(Code::HashMismatch), 1, "{count}");
        assert_eq!(listed(Code::SegmentNameInvalid), count.min(20), "{count}");
        assert_eq!(listed(Code::CheckpointMalformed), count.min(20), "{count}");
        let counted = |code| report.finding_counts.get(&code).copied().unwrap_or(0);
        assert_eq!(counted(Code::SegmentNameInvalid), count as u64, "{count}");
        assert_eq!(counted(Code::CheckpointMalformed), count as u64, "{count}");
        assert_eq!(report.findings_total, 1 + 2 * count as u64, "{count}");
        assert_eq!(report.notice_counts.values().sum::<u64>(), report.notices_total, "{count}");
        let first = report.first_fault.as_ref().unwrap();
        assert_eq!((first.code, first.seq, first.line), (Code::HashMismatch, Some(seq), 3));
        let text = report.to_string();
        assert!(
            text.lines().nth(2).unwrap().starts_with("  first bad 00000000000000000010."),
            "{text}"
        );
        assert!(text.contains("\n  begins    at seq 0\n"), "{text}");
        assert!(text.lines().count() < 400, "{text}");
        if count > 20 {
            let more = format!("\n  and {} more of segment_name_invalid\n", count - 20);
            assert!(text.contains(&more), "{text}");
        }
    }
}

/// Though what cannot be read is found before anything else is.
#[test]
fn the_worst_findings_come_first() {
    let mut files = named_log(&key(1)).files;
    flip(&mut files);
    files.insert(note_path(40), note(&key(1), 40, audit_core::Digest::of(b"any")));
    files.insert(note_path(3), Vec::new());
    let source = Watched::new(files).with(Fault::Denied, &note_path(3));
    let report = verify_source(&source, &VerifyOptions::default(), &mut |_| ()).unwrap();
    let verdicts: Vec<_> = report.findings.iter().map(|finding| finding.verdict).collect();
    assert_eq!(
        verdicts,
        [Verdict::Tampered, Verdict::Truncated, Verdict::Unverifiable],
        "{report}"
    );
}

#[test]
fn what_was_pruned_is_shown_though_notices_are_many() {
    let mut log = Builder::naming(&key(1));
    log.events(2);
    let pruned = crate::accounts::Pruned::all_of(&log);
    log.open_segment();
    log.record(&pruned.event());
    log.files.retain(|name, _| !pruned.files.contains(name));
    let report = verify(&flooded(log.files, 1_000));
    assert!(notices_of(&report).contains(&"pruned_prefix"), "{report}");
    assert_eq!((report.first_seq, report.pruned_up_to), (Some(4), Some(3)), "{report}");
    let text = report.to_string();
    assert!(text.contains("\n  begins    at seq 4: records up to seq 3 were deleted"), "{text}");
}

/// A log whose names are shown in another order.
#[derive(Debug)]
struct Shuffled {
    files: MemorySource,
    seed: u64,
}

impl Shuffled {
    fn show(&self, names: Vec<OsString>, visit: &mut dyn FnMut(&OsStr)) {
        let (mut names, mut dice) = (names, Dice::new(self.seed));
        while !names.is_empty() {
            visit(&names.swap_remove(dice.index(names.len())));
        }
    }
}

impl LogSource for Shuffled {
    type File<'s> = MemoryFile<'s>;

    fn visit_names(&self, visit: &mut dyn FnMut(&OsStr)) -> io::Result<()> {
        let mut names = Vec::new();
        self.files.visit_names(&mut |name| names.push(name.to_owned()))?;
        self.show(names, visit);
        Ok(())
    }

    fn open(&self, name: &str) -> Result<MemoryFile<'_>, OpenError> {
        self.files.open(name)
    }

    fn visit_checkpoints(&self, visit: &mut dyn FnMut(&OsStr)) -> Result<(), OpenError> {
        let mut names = Vec::new();
        self.files.visit_checkpoints(&mut |name| names.push(name.to_owned()))?;
        self.show(names, visit);
        Ok(())
    }

    fn open_checkpoint(&self, name: &str) -> Result<MemoryFile<'_>, OpenError> {
        self.files.open_checkpoint(name)
    }
}

#[test]
fn a_report_is_the_same_in_whatever_order_a_directory_shows_its_names() {
    let mut files = named_log(&key(1)).files;
    flip(&mut files);
    files.insert(".new-segment".to_owned(), Vec::new());
    files.insert("checkpoints/.new-segment".to_owned(), Vec::new());
    for count in [3, 60] {
        let files = flooded(files.clone(), count);
        let said = |seed| {
            let source = Shuffled { files: MemorySource::new(files.clone()), seed };
            let report: Report =
                verify_source(&source, &VerifyOptions::default(), &mut |_| ()).unwrap();
            (serde_json::to_string(&report).unwrap(), report.to_string())
        };
        let first = said(0);
        assert!((1..20).all(|seed| said(seed) == first), "{}", first.1);
    }
}

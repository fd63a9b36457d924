//! A log read by several threads: what is said of it is the same, to the byte.

use std::collections::HashSet;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::thread;

use audit_core::{Digest, Receipt};
use audit_testkit::dice::Dice;
use audit_verify::{
    Jobs, LogSource, MemorySource, Requirement, Verdict, VerifyOptions, verify_dir, verify_source,
};

use crate::builder::{Builder, Files, codes, line_starts, lines_of, seal_from, seal_line, verify};
use crate::second::{logs, mutants};
use crate::signed::{key, note_path, pin, public};
use crate::watched::{Fault, Watched};
use crate::witnesses::two_of_three;

/// Events between two records of the writer's own.
const EVENTS: usize = 60;
const MUTANTS: usize = 1_000;

fn jobs(threads: usize, piece_bytes: usize) -> Jobs {
    let [threads, piece_bytes] =
        [threads, piece_bytes].map(|number| NonZeroUsize::new(number).unwrap());
    Jobs::new(threads).in_pieces_of(piece_bytes)
}

fn with_jobs(options: &VerifyOptions, jobs: Jobs) -> VerifyOptions {
    VerifyOptions { jobs, ..options.clone() }
}

fn said(source: &impl LogSource, options: &VerifyOptions) -> String {
    let report = verify_source(source, options, &mut |_| ()).unwrap();
    serde_json::to_string_pretty(&report).unwrap()
}

/// Compares what is said with several threads with what is said with one.
fn compare(source: &impl LogSource, options: &VerifyOptions, dice: &mut Dice, told: &str) {
    let expected = said(source, &with_jobs(options, Jobs::ONE));
    for threads in [2, 3, 8] {
        let jobs = jobs(threads, 1 + dice.index(3_000));
        let said = said(source, &with_jobs(options, jobs));
        assert_eq!(said, expected, "{jobs:?}: {told}");
    }
}

/// A log of three segments with what every part of a verification has something to do with.
fn long_log() -> Builder {
    let mut log = Builder::new();
    log.events(EVENTS);
    log.sign_and_record(&key(1));
    log.cosign(log.seq - 1, 1, 1_700_000_000);
    log.cosign(log.seq - 1, 2, 1_700_000_000);
    log.events(EVENTS);
    log.open_segment();
    log.events(EVENTS);
    log.sign_and_record(&key(1));
    log.record(
        r#"{"event_type":"events_lost","count":3,"critical_count":1,"reason":"queue_full","first":"2026-01-02T00:00:00.000000000Z","last":"2026-01-02T00:00:00.000000000Z"}"#,
    );
    log.record(r#"{"event_type":"auth_failure","timestamp":"2026-01-02T03:04:05Z"}"#);
    log.events(EVENTS);
    log.close();
    log.open_segment();
    log.log_opened();
    log.events(EVENTS);
    log.sign(&key(1));
    log
}

/// What may be given of that log, some of it false.
fn drawn_options(log: &Builder, dice: &mut Dice) -> VerifyOptions {
    let mut options = VerifyOptions::default();
    let notes: Vec<_> = log.files.keys().filter(|name| name.ends_with("note")).collect();
    let drawn_pin = |dice: &mut Dice| pin(&log.files[notes[dice.index(notes.len())]]);
    if dice.once_in(2) {
        options.keys.push(public(&key(1)));
    }
    if dice.once_in(3) {
        options.heads.push(log.head());
    }
    if dice.once_in(3) {
        let seq = dice.between(0, log.seq);
        options.heads.push(Receipt { seq, hash: Digest::of(b"another") });
    }
    if dice.once_in(2) {
        options.pins.push(drawn_pin(dice));
    }
    if dice.once_in(3) {
        let other = Builder::new();
        options.pins.push(pin(&crate::signed::note(&key(2), log.seq - 20, other.frontier.root())));
    }
    if dice.once_in(3) {
        options.since = Some(drawn_pin(dice));
    }
    if dice.once_in(3) {
        options.policy = Some(two_of_three());
    }
    options.require = [Requirement::Consistent, Requirement::Signed][dice.index(2)];
    options
}

#[test]
fn every_log_of_the_corpus_gets_the_same_report() {
    let dice = &mut Dice::new(1);
    for dir in logs() {
        let options = VerifyOptions::default();
        let expected = serde_json::to_string(&verify_dir(&dir, &options).unwrap()).unwrap();
        for threads in [2, 3, 8] {
            let piece_bytes = 1 + dice.index(5_000);
            let options = with_jobs(&options, jobs(threads, piece_bytes));
            let report = verify_dir(&dir, &options).unwrap();
            let said = serde_json::to_string(&report).unwrap();
            assert_eq!(said, expected, "{}, {threads} of {piece_bytes}", dir.display());
        }
    }
}

#[test]
fn a_thousand_logs_that_something_was_done_to_get_the_same_report() {
    let dice = &mut Dice::new(2);
    let log = long_log();
    assert_eq!(verify(&log.files).verdict, Verdict::Consistent);
    for _ in 0..MUTANTS {
        let mut files = log.files.clone();
        let done =
            if dice.once_in(5) { "nothing".to_owned() } else { mutants::change(&mut files, dice) };
        let options = drawn_options(&log, dice);
        compare(&MemorySource::new(files), &options, dice, &done);
    }
}

#[test]
fn pieces_of_every_size_get_the_same_report() {
    let log = long_log();
    let source = MemorySource::new(log.files.clone());
    let options = VerifyOptions { keys: vec![public(&key(1))], ..VerifyOptions::default() };
    let expected = said(&source, &options);
    for piece_bytes in 1..1_200 {
        let options = with_jobs(&options, jobs(2, piece_bytes));
        assert_eq!(said(&source, &options), expected, "{piece_bytes}");
    }
}

#[test]
fn lines_as_long_as_they_may_be_and_longer_get_the_same_report() {
    let dice = &mut Dice::new(3);
    for length in [65_534, 65_535, 65_536, 200_000] {
        let mut log = long_log();
        let files: &mut Files = &mut log.files;
        let (_, first) = files.iter_mut().next().unwrap();
        let mut line = vec![b'x'; length];
        line.push(b'\n');
        let middle = first.len() / 2;
        let at = middle + first[middle..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
        first.splice(at..at, line);
        let source = MemorySource::new(log.files);
        compare(&source, &VerifyOptions::default(), dice, &length.to_string());
    }
}

/// Its chain is whole, so that nothing else is wrong with what comes after.
#[test]
fn another_service_is_found_in_each_record_after_it() {
    let mut log = Builder::new();
    log.events(38);
    let bytes = log.files.get_mut(&log.file).unwrap();
    let mut lines = lines_of(bytes);
    for line in &mut lines[20..] {
        let text = String::from_utf8(std::mem::take(line)).unwrap();
        *line = text.replace("bank.teller-1", "bank.teller-2").into_bytes();
        seal_line(line).unwrap();
    }
    seal_from(&mut lines, 20);
    *bytes = lines.concat();
    assert_eq!(codes(&log.files, Verdict::Tampered), ["service_changed"; 20]);
    let source = MemorySource::new(log.files);
    compare(&source, &VerifyOptions::default(), &mut Dice::new(5), "another service");
}

#[test]
fn each_byte_of_a_whole_segment_is_read_once_and_by_two_threads() {
    let mut log = Builder::new();
    log.events(1_000);
    let segment = &log.files[&log.file];
    // The second piece begins with a line, and the others do not.
    let (bytes, piece_bytes) = (segment.len(), line_starts(segment)[50]);
    let source = Watched::new(log.files);
    let options = VerifyOptions { jobs: jobs(2, piece_bytes), ..VerifyOptions::default() };
    let report = verify_source(&source, &options, &mut |_| ()).unwrap();
    assert_eq!((report.verdict, report.events), (Verdict::Consistent, 1_000), "{report}");
    let reads = source.reads();
    let threads: HashSet<_> = reads.iter().map(|(thread, _)| *thread).collect();
    assert!(threads.len() == 2 && !threads.contains(&thread::current().id()), "{threads:?}");
    let read: usize = reads.iter().map(|(_, bytes)| bytes).sum();
    // Behind each piece, and before it, a little is read twice.
    assert!((bytes..bytes + bytes / 3).contains(&read), "{read} of {bytes}");
}

#[test]
fn a_segment_that_changes_while_it_is_read_gets_the_same_report() {
    let dice = &mut Dice::new(4);
    let log = long_log();
    for name in log.files.keys().filter(|name| name.ends_with("jsonl")) {
        let bytes = log.files[name].len();
        for _ in 0..40 {
            let at = dice.index(bytes);
            for fault in [Fault::Unreadable(at), Fault::Shrinks(at), Fault::Grows(at)] {
                let mut files = log.files.clone();
                // Only the newest one grows.
                if fault == Fault::Grows(at) {
                    files.retain(|other, _| other <= name);
                }
                let fault = (name.clone(), fault);
                let told = format!("{fault:?}");
                let source = Watched::new(files).with(fault.1, name);
                compare(&source, &VerifyOptions::default(), dice, &told);
            }
        }
    }
}

#[test]
fn a_segment_that_vanishes_gets_the_same_report() {
    let log = long_log();
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path();
    for (name, bytes) in log.files.iter().filter(|(name, _)| name.ends_with("jsonl")) {
        fs::write(dir.join(name), bytes).unwrap();
    }
    let says = |jobs| vanishing(dir, &log.file, jobs);
    let expected = says(Jobs::ONE);
    assert!(expected.contains("\"segments\":2,"), "{expected}");
    fs::write(dir.join(&log.file), &log.files[&log.file]).unwrap();
    assert_eq!(says(jobs(2, 700)), expected);
    assert!(log.files.contains_key(&note_path(log.seq)));
}

/// What is said of a directory whose newest segment is deleted when the first one was read.
fn vanishing(dir: &Path, newest: &str, jobs: Jobs) -> String {
    let source = audit_verify::DirSource::open_dir(dir).unwrap();
    let options = VerifyOptions { jobs, ..VerifyOptions::default() };
    let report = verify_source(&source, &options, &mut |progress| {
        if progress.segments_done == 1 {
            let _gone_before = fs::remove_file(dir.join(newest));
        }
    });
    serde_json::to_string(&report.unwrap()).unwrap()
}

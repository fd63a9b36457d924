//! Another process removes, renames, empties, replaces or grows the segment while four threads
//! write to it.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use audit_log::writer::QueueError;
use audit_log::{AuditLogger, EmitError, FlushMode, PendingReceipt, Receipt, WriteError};
use audit_verify::{Code, Verdict};

use super::{
    PATIENCE, PATIENT, Record, critical, opened, place, records_of, routine, segments, shell,
    verified,
};

const THREADS: u32 = 4;

/// What is done to the segment, `$0`, and what may then be said of it.
struct Deed {
    name: &'static str,
    script: &'static str,
    reasons: &'static [&'static str],
}

/// As people, log rotation and editors do it.
const DEEDS: [Deed; 7] = [
    Deed { name: "removed", script: "rm \"$0\"", reasons: &["unlinked"] },
    Deed { name: "renamed", script: "mv \"$0\" \"$0.1\"", reasons: &["unlinked"] },
    Deed {
        name: "renamed, and made anew",
        script: "mv \"$0\" \"$0.1\"; : > \"$0\"",
        reasons: &["unlinked", "replaced"],
    },
    Deed { name: "emptied", script: "truncate -s 0 \"$0\"", reasons: &["size_changed"] },
    Deed {
        name: "copied and emptied",
        script: "cp \"$0\" \"$0.1\"; truncate -s 0 \"$0\"",
        reasons: &["size_changed"],
    },
    Deed {
        name: "replaced by a copy",
        script: "cp \"$0\" \"$0.new\"; mv -f \"$0.new\" \"$0\"",
        reasons: &["replaced"],
    },
    Deed { name: "made longer", script: "printf x >> \"$0\"", reasons: &["size_changed"] },
];

/// An event that a thread has emitted, and what it got.
struct Emitted {
    name: String,
    /// Whether the deed was over before.
    after: bool,
    got: Result<PendingReceipt, EmitError>,
}

impl Emitted {
    /// What became of it in the end; the log is closed by now.
    fn outcome(self) -> Result<Receipt, WriteError> {
        let got = self.got.and_then(|receipt| Ok(receipt.wait(PATIENCE)?));
        got.map_err(|error| {
            let EmitError::Write(error) = error else { panic!("{}: {error}", self.name) };
            error
        })
    }
}

/// Emits from four threads, has the deed done in the midst of it, and goes on for a while after it.
fn emit_while(log: &AuditLogger, deed: impl FnOnce() + Send) -> Vec<Emitted> {
    const BEFORE: usize = 40;
    const AFTER: usize = 40;
    let (ready, is_done) = (AtomicU32::new(0), AtomicBool::new(false));
    let emit = |thread: u32| {
        let (mut emitted, mut emitted_after) = (Vec::new(), 0);
        while emitted_after < AFTER {
            let after = is_done.load(Ordering::SeqCst);
            let name = format!("{thread}-{}", emitted.len());
            let is_critical = emitted.len() % 4 == 3;
            let event = if is_critical { critical(&name) } else { routine(&name) };
            let got = log.emit_with_receipt(event);
            emitted.push(Emitted { name, after, got });
            emitted_after += usize::from(after);
            if emitted.len() == BEFORE {
                ready.fetch_add(1, Ordering::SeqCst);
            }
        }
        emitted
    };
    let emit = &emit;
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..THREADS).map(|thread| scope.spawn(move || emit(thread))).collect();
        while ready.load(Ordering::SeqCst) < THREADS {
            thread::yield_now();
        }
        let done = scope.spawn(deed).join();
        is_done.store(true, Ordering::SeqCst);
        done.unwrap();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// The error of a record of a segment that is not what it was.
fn is_missing(error: &WriteError, deed: &Deed, segment: &Path) -> bool {
    let WriteError::SegmentMissing { file, reason } = error else { return false };
    let reason = serde_json::to_value(reason).unwrap();
    segment.ends_with(file) && deed.reasons.contains(&reason.as_str().unwrap())
}

/// The segments after the lost one: one line of records that goes on behind it and says once, as
/// its second record, what happened.
fn later_records(dir: &Path, deed: &Deed, lost: &Path) -> Vec<Record> {
    let later = segments(dir).into_iter().filter(|segment| segment != lost);
    let records: Vec<_> = later.flat_map(|segment| records_of(&segment)).collect();
    let told: Vec<_> = records.iter().filter(|record| record.is("segment_missing")).collect();
    let [missing] = *told else { panic!("{}: {told:?}", deed.name) };
    let (first, missing) = (&records[0], (&missing.receipt, &missing.event));
    assert_eq!(missing.0.seq, first.receipt.seq + 1, "{}", deed.name);
    assert!(lost.ends_with(missing.1["file"].as_str().unwrap()));
    assert!(deed.reasons.contains(&missing.1["reason"].as_str().unwrap()), "{}", deed.name);
    assert_eq!(missing.1["last_seq"], first.receipt.seq - 1);
    assert_eq!(missing.1["last_hash"], first.prev_hash);
    for pair in records.windows(2) {
        assert_eq!(pair[1].receipt.seq, pair[0].receipt.seq + 1, "{}", deed.name);
        assert_eq!(pair[1].prev_hash, pair[0].receipt.hash.to_string(), "{}", deed.name);
    }
    records
}

/// The verifier misses the lost segment, finds nothing wrong with a later one, and has the head.
fn assert_judged(dir: &Path, deed: &Deed, lost: &Path, head: Receipt) {
    let report = verified(dir, &[head]);
    assert!(report.verdict >= Verdict::Truncated, "{}: {report}", deed.name);
    let codes: Vec<_> = report.findings.iter().map(|finding| finding.code).collect();
    assert!(codes.contains(&Code::SegmentMissing), "{}: {report}", deed.name);
    assert_eq!(report.head, Some(head), "{report}");
    // Where something of the lost segment is still there, nothing behind the gap in it is covered.
    assert!([None, Some(head.seq)].contains(&report.covered_up_to), "{report}");
    // At the seam a later segment says what is not so any more of the lost one.
    let first = segments(dir).into_iter().find(|segment| segment > &lost.to_path_buf()).unwrap();
    for finding in &report.findings {
        let file = finding.file.as_deref().unwrap_or_default();
        let is_seam = first.ends_with(file) && finding.line <= Some(2);
        assert!(lost.ends_with(file) || is_seam, "{}: {report}", deed.name);
    }
}

#[test]
fn a_segment_that_is_touched_under_load_is_missed_at_the_next_commit_and_the_chain_goes_on() {
    for deed in &DEEDS {
        let (_parent, dir) = place();
        let log = opened(&dir, FlushMode::default()).unwrap();
        log.emit(critical("first")).unwrap();
        let lost = segments(&dir).remove(0);
        let emitted = emit_while(&log, || shell(deed.script, &lost));
        let head = log.shutdown(PATIENCE).unwrap().unwrap();

        let later = later_records(&dir, deed, &lost);
        let first_seq = later[0].receipt.seq;
        let (mut acknowledged, mut refused) = (Vec::new(), 0);
        for event in emitted {
            let (name, after) = (event.name.clone(), event.after);
            match event.outcome() {
                Ok(receipt) if receipt.seq >= first_seq => acknowledged.push((receipt, name)),
                // What was durable before it was taken away.
                Ok(_) => assert!(!after, "{}: {name} was called durable", deed.name),
                Err(error) => {
                    assert!(is_missing(&error, deed, &lost), "{}: {error}", deed.name);
                    refused += 1;
                }
            }
        }
        assert!(refused > 0, "{}: the commit that found it had records", deed.name);
        acknowledged.sort_unstable_by_key(|(receipt, _)| receipt.seq);
        let kept =
            later.iter().filter_map(|record| Some((record.receipt, record.name()?.to_owned())));
        let kept: Vec<_> = kept.collect();
        assert_eq!(acknowledged, kept, "{}", deed.name);
        assert_judged(&dir, deed, &lost, head);
    }
}

#[test]
fn receipts_that_wait_while_the_segment_is_touched_have_the_error_of_the_next_critical_event() {
    for deed in &DEEDS {
        let (_parent, dir) = place();
        let log = opened(&dir, PATIENT).unwrap();
        log.emit(critical("first")).unwrap();
        let lost = segments(&dir).remove(0);
        let emit = |_| {
            let receipts = (0..20).map(|_| log.emit_with_receipt(routine("lost")).unwrap());
            receipts.collect::<Vec<_>>()
        };
        let emit_in_threads = || -> Vec<PendingReceipt> {
            thread::scope(|scope| {
                let emit = &emit;
                let threads: Vec<_> = (0..THREADS).map(|n| scope.spawn(move || emit(n))).collect();
                threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
            })
        };
        let mut waiting = emit_in_threads();
        shell(deed.script, &lost);
        waiting.extend(emit_in_threads());
        assert!(waiting.iter().all(|receipt| receipt.outcome().is_none()), "{}", deed.name);

        let error = log.emit(critical("lost")).unwrap_err();
        let EmitError::Write(error) = &error else { panic!("{}: {error}", deed.name) };
        assert!(is_missing(error, deed, &lost), "{}: {error}", deed.name);
        for receipt in waiting {
            let waited = receipt.wait(PATIENCE);
            let Err(QueueError::Write(error)) = &waited else {
                panic!("{}: {waited:?}", deed.name)
            };
            assert!(is_missing(error, deed, &lost), "{}: {error}", deed.name);
        }
        log.emit(critical("kept")).unwrap();
        let head = log.shutdown(PATIENCE).unwrap().unwrap();
        let later = later_records(&dir, deed, &lost);
        let names: Vec<_> = later.iter().filter_map(Record::name).collect();
        assert_eq!(names, ["kept"], "{}", deed.name);
        assert_judged(&dir, deed, &lost, head);
    }
}

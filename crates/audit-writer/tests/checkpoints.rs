//! Checkpoints: when they are signed, that no crash makes two contradict each other, and that a log
//! that is not the one they cover signs nothing.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a helper of tests fails where it stands"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audit_checkpoint::{Checkpoint, KeyKind, KeyName, Note, SignedCheckpoint, SigningKey};
use audit_core::digest::leaf_hash;
use audit_core::lifecycle::AdoptionReason;
use audit_core::{Digest, FlushMode, Frontier, Keyless, OverflowPolicy, RotationPolicy};
use audit_testkit::usage::Reads;
use audit_verify::Verdict;
use audit_writer::segment::{NEW_SEGMENT, SegmentName};
use audit_writer::store::{Failure, Fate, Fault, Lasting};
use audit_writer::{
    AuditFileWriter, CheckpointSink, Clock as _, Damage, OpenError, QueuedWriter, SignError,
    Signing, SimClock, SimDisk,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{
    SimWriter, clock_at, critical, open, routine, service, verify, verify_consistent, wait_until,
};

/// Three events a segment or so.
const FEW: RotationPolicy = RotationPolicy::SizeLimit { bytes_max: 2_700 };

fn key(name: &str) -> SigningKey {
    SigningKey::from_seed(KeyName::new(name).unwrap(), KeyKind::Ed25519, &[7; 32]).unwrap()
}

/// Another key for the log of [`signing`].
fn next() -> SigningKey {
    let name = KeyName::new("audit.example/host-1").unwrap();
    SigningKey::from_seed(name, KeyKind::Ed25519, &[8; 32]).unwrap()
}

fn signing_key() -> SigningKey {
    key("audit.example/host-1")
}

fn signing() -> Signing {
    Signing::new(signing_key())
}

fn opened(disk: &SimDisk, clock: &SimClock, rotation: RotationPolicy) -> SimWriter {
    let mut log = open(disk, clock, rotation, FlushMode::default()).unwrap();
    log.sign(signing()).unwrap();
    log
}

fn write(log: &mut SimWriter, mut numbers: Range<u64>) {
    assert!(numbers.all(|number| log.write_event(&routine(number)).is_ok()));
}

fn refusal(disk: &SimDisk, signing: Signing) -> OpenError {
    let clock = clock_at("2026-01-02T12:00:00Z");
    let mut log = open(disk, &clock, FEW, FlushMode::default()).unwrap();
    log.sign(signing).unwrap_err()
}

fn noon() -> (SimDisk, SimClock) {
    (SimDisk::default(), clock_at("2026-01-01T12:00:00Z"))
}

fn is_note(name: &str) -> bool {
    name.starts_with("checkpoints/") && !name.ends_with(NEW_SEGMENT)
}

/// The checkpoints on a disk, each signed by the key of the log.
fn checkpoints(files: &BTreeMap<String, Vec<u8>>) -> Vec<Checkpoint> {
    let keys = [key("audit.example/host-1").verifying_key().clone()];
    let notes = files.iter().filter(|(name, _)| is_note(name));
    notes
        .map(|(name, bytes)| {
            let signed = SignedCheckpoint::open(Note::parse(bytes).unwrap(), &keys).unwrap();
            let checkpoint = signed.checkpoint().clone();
            assert_eq!(*name, format!("checkpoints/{:020}.note", checkpoint.size()));
            checkpoint
        })
        .collect()
}

/// The hashes of a log's records, in order. A record that was written again after a crash is the
/// later one.
fn leaves(files: &BTreeMap<String, Vec<u8>>) -> Vec<Digest> {
    let segments = files.iter().filter(|(name, _)| SegmentName::parse(name).is_some());
    let lines = segments.flat_map(|(_, bytes)| bytes.split(|&byte| byte == b'\n'));
    let records = lines.filter_map(|line| {
        let (body, hash) = line.split_at_checked(line.len().checked_sub(75)?)?;
        let seq = body.strip_prefix(br#"{"v":1,"seq":"#)?;
        let seq = seq.split(|&byte| byte == b',').next()?;
        let seq: u64 = std::str::from_utf8(seq).ok()?.parse().ok()?;
        let hash = Digest::from_hex(&hash[9..73]).filter(|&hash| hash == leaf_hash(body))?;
        Some((seq, hash))
    });
    let by_seq: BTreeMap<_, _> = records.collect();
    assert!(by_seq.keys().copied().eq(0..u64::try_from(by_seq.len()).unwrap()));
    by_seq.into_values().collect()
}

/// Holds every checkpoint on a disk against its log.
#[track_caller]
fn assert_extends_all(files: &BTreeMap<String, Vec<u8>>) -> usize {
    let leaves = leaves(files);
    let found = checkpoints(files);
    for checkpoint in &found {
        let mut tree = Frontier::new();
        let size = usize::try_from(checkpoint.size()).unwrap();
        leaves[..size].iter().for_each(|&leaf| tree.push(leaf));
        assert_eq!(tree.root(), *checkpoint.root(), "size {size}");
    }
    found.len()
}

fn text(files: &BTreeMap<String, Vec<u8>>) -> String {
    files.values().map(|bytes| String::from_utf8_lossy(bytes)).collect()
}

#[test]
fn a_checkpoint_is_signed_at_each_rotation_and_at_the_end() {
    let (disk, clock) = noon();
    for _ in 0..2 {
        let mut log = opened(&disk, &clock, FEW);
        write(&mut log, 0..9);
        log.close().unwrap();
    }
    let files = disk.files();
    let segments: Vec<_> = files.keys().filter_map(|name| SegmentName::parse(name)).collect();
    let ends: Vec<_> = segments.iter().skip(1).map(|segment| segment.first_seq).collect();
    let total = u64::try_from(leaves(&files).len()).unwrap();
    let sizes: Vec<_> = checkpoints(&files).iter().map(Checkpoint::size).collect();
    assert!(segments.len() > 4, "{segments:?}");
    assert_eq!(sizes, [ends, vec![total]].concat(), "each segment is covered to its last byte");
    assert_extends_all(&files);

    let text = text(&files);
    for checkpoint in &checkpoints(&files)[..sizes.len() - 1] {
        let told = format!(
            r#""event":{{"event_type":"checkpoint_signed","size":{},"root":"{}","key_id":"#,
            checkpoint.size(),
            checkpoint.root_base64(),
        );
        assert_eq!(text.matches(&told).count(), 1, "{told}");
    }
    assert_eq!(text.matches(r#""pid":1,"vkey":"audit.example/host-1+"#).count(), 2);
    verify_consistent(files);
}

#[test]
fn a_checkpoint_on_demand_covers_all_and_is_told_of_at_once() {
    let (disk, clock) = noon();
    let mut log = opened(&disk, &clock, RotationPolicy::Daily);
    assert!(matches!(log.checkpoint(), Err(SignError::Empty)));
    log.write_event(&routine(1)).unwrap();
    let first = log.checkpoint().unwrap();
    assert_eq!(first.size(), 3, "segment_opened, log_opened, the event");
    assert_eq!(log.events_since_sync(), 0, "a checkpoint covers what is durable");
    assert_eq!(log.checkpoint().unwrap(), first, "nothing is new but what the log says of itself");
    log.write_event(&critical(2)).unwrap();
    assert_eq!(log.checkpoint().unwrap().size(), 5);
    assert_eq!(log.last_checkpoint().map(Checkpoint::size), Some(5));
    assert_eq!(text(&disk.files()).matches("checkpoint_signed").count(), 2);
    drop(log);
    assert_eq!(assert_extends_all(&disk.files()), 3);

    let (disk, clock) = noon();
    let mut log = open(&disk, &clock, FEW, FlushMode::default()).unwrap();
    log.write_event(&routine(1)).unwrap();
    assert!(matches!(log.checkpoint(), Err(SignError::NoKey)));
}

#[test]
fn what_a_log_did_not_tell_of_its_next_writer_tells() {
    let (disk, clock) = noon();
    let mut log = opened(&disk, &clock, FEW);
    log.write_event(&routine(1)).unwrap();
    log.close().unwrap();
    assert_eq!(text(&disk.files()).matches("checkpoint_signed").count(), 0);

    // One that writes nothing leaves it to the one after it.
    let mut log = opened(&disk, &clock, FEW);
    assert_eq!(log.checkpoint().unwrap().size(), 4);
    log.close().unwrap();
    let mut log = opened(&disk, &clock, FEW);
    log.write_event(&routine(2)).unwrap();
    log.close().unwrap();
    assert_eq!(text(&disk.files()).matches(r#"checkpoint_signed","size":4,"#).count(), 1);
    verify_consistent(disk.files());
}

#[test]
fn no_crash_makes_two_checkpoints_that_contradict_each_other() {
    let (disk, clock) = noon();
    disk.remember();
    let mut log = opened(&disk, &clock, FEW);
    for number in 0..5 {
        log.write_event(&routine(number)).unwrap();
        log.checkpoint().unwrap();
        log.write_event(&critical(number)).unwrap();
    }
    log.close().unwrap();
    let mut kept = 0;
    for moment in disk.moments() {
        for seed in 0..12 {
            let found = moment.disk.after_crash(|unsynced| match seed {
                0 => Fate::Kept,
                1 => Fate::Lost,
                seed => unsynced.fate(seed * 7_919 + moment.operation),
            });
            let before = checkpoints(&found.files());
            let verdict = verify(found.files()).verdict;
            let is_empty = verdict == Verdict::Unverifiable && leaves(&found.files()).is_empty();
            assert!(verdict <= Verdict::Torn || is_empty, "{verdict}");
            kept += before.len();
            let mut log = opened(&found, &clock, FEW);
            write(&mut log, 0..4);
            log.close().unwrap();
            let files = found.files();
            assert!(assert_extends_all(&files) > before.len());
            verify_consistent(files);
        }
    }
    assert!(kept > 1_000, "{kept}");
}

#[test]
fn whatever_fails_while_signing_the_log_goes_on_and_signs_later() {
    for failure in [Failure::Errno(5), Failure::Errno(28), Failure::Late(5), Failure::Short] {
        for at in 0..40 {
            let (disk, clock) = noon();
            let mut log = opened(&disk, &clock, FEW);
            log.write_event(&critical(1)).unwrap();
            let at = disk.operations() + at;
            disk.inject(Some(Fault { at, failure, lasting: Lasting::Once }));
            let signed = log.checkpoint();
            disk.inject(None);
            if let Err(SignError::Keep(_)) = &signed {
                assert!(log.checkpoint_failure().is_some());
                log.write_event(&critical(2)).unwrap();
                log.checkpoint().unwrap();
                assert!(log.checkpoint_failure().is_none());
            }
            drop(log);
            assert_extends_all(&disk.files());
            let mut log = opened(&disk, &clock, FEW);
            log.write_event(&critical(3)).unwrap();
            log.close().unwrap();
            assert_extends_all(&disk.files());
            verify_consistent(disk.files());
        }
    }
}

/// A log with its checkpoints after each of three lives.
fn lives() -> [BTreeMap<String, Vec<u8>>; 3] {
    lives_of([1, 2, 3])
}

fn lives_of(lives: [u64; 3]) -> [BTreeMap<String, Vec<u8>>; 3] {
    let (disk, clock) = noon();
    lives.map(|life| {
        let mut log = opened(&disk, &clock, FEW);
        write(&mut log, life * 100..life * 100 + 4);
        log.close().unwrap();
        disk.files()
    })
}

fn with_notes_of(log: &BTreeMap<String, Vec<u8>>, notes: &BTreeMap<String, Vec<u8>>) -> SimDisk {
    let log = log.iter().filter(|(name, _)| !is_note(name));
    let all = log.chain(notes.iter().filter(|(name, _)| is_note(name)));
    SimDisk::with_files(all.map(|(name, bytes)| (name.clone(), bytes.clone())).collect())
}

#[test]
fn an_older_copy_of_the_log_signs_nothing() {
    let [first, second, third] = lives();
    for older in [&first, &second] {
        let disk = with_notes_of(older, &third);
        let records = u64::try_from(leaves(older).len()).unwrap();
        let error = refusal(&disk, signing());
        assert!(
            matches!(error, OpenError::RolledBack { size, records: found }
                if size > records && found == records),
            "{error}"
        );
        assert!(error.to_string().contains("begin a new log that continues it"), "{error}");
        assert_eq!(disk.files(), with_notes_of(older, &third).files(), "nothing was changed");
    }
}

#[test]
fn another_history_of_the_log_signs_nothing() {
    let [first, _, _] = lives();
    let (disk, clock) = noon();
    for _ in 0..3 {
        let mut log = opened(&disk, &clock, FEW);
        write(&mut log, 999..1_003);
        log.close().unwrap();
    }
    let disk = with_notes_of(&disk.files(), &first);
    let error = refusal(&disk, signing());
    assert!(matches!(error, OpenError::RolledBack { size, records } if size < records), "{error}");
}

#[test]
fn a_log_whose_later_segments_are_of_another_history_signs_nothing() {
    let ([first, second, _], [_, other, _]) = (lives(), lives_of([4, 5, 6]));
    let spliced: BTreeMap<_, _> = other.into_iter().chain(first.clone()).collect();
    assert!(spliced.keys().filter(|name| !is_note(name)).eq(second.keys().filter(|n| !is_note(n))));
    let error = refusal(&with_notes_of(&spliced, &first), signing());
    assert!(matches!(error, OpenError::RolledBack { .. }), "{error}");
    let disk = with_notes_of(&second, &first);
    opened(&disk, &clock_at("2026-01-02T12:00:00Z"), FEW);
}

#[test]
fn the_key_of_another_log_signs_nothing_without_an_operators_word() {
    let [first, ..] = lives();
    let disk = with_notes_of(&first, &first);
    let error = refusal(&disk, Signing::new(key("audit.example/host-2")));
    let OpenError::Unvouched(unvouched) = error else { panic!("{error}") };
    assert_eq!((unvouched.first_seq, unvouched.begins), (0, 0));
    assert_eq!(unvouched.why, AdoptionReason::OtherKey);
    assert!(unvouched.to_string().contains("cut back"), "{unvouched}");
}

#[test]
fn what_others_put_beside_the_checkpoints_is_neither_signed_over_nor_in_the_way() {
    let [first, ..] = lives();
    let planted = "checkpoints/00000000000000000999.note";
    let newest = first.keys().rfind(|name| is_note(name)).unwrap();
    let strangers = Checkpoint::new(signing_key().name(), 999, Digest::ZERO);
    let strangers = strangers.sign(&next()).unwrap().to_string().into_bytes();
    let more = Checkpoint::new(signing_key().name(), 999, Digest::ZERO).to_string();
    let mut more = Note::new(format!("{more}a line of mine\n")).unwrap();
    more.sign(&signing_key()).unwrap();
    let more = more.to_string().into_bytes();
    let same = first[newest].clone();
    for bytes in [strangers, more, same, Vec::new(), vec![0xff], vec![b'\n'; 2_000_000]] {
        let disk = with_notes_of(&first, &first);
        disk.replace(planted, bytes.clone());
        let mut log = opened(&disk, &clock_at("2026-01-02T12:00:00Z"), FEW);
        write(&mut log, 0..1);
        let signed = log.checkpoint().unwrap();
        assert!(signed.size() < 999);
        log.close().unwrap();
        assert_eq!(disk.files()[planted], bytes);
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "a test says why it was skipped")]
fn of_a_note_that_is_called_as_it_is_not_only_the_beginning_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let live = || {
        let mut log = AuditFileWriter::new(dir.path(), FEW, FlushMode::Immediate).unwrap();
        log.sign(signing()).unwrap();
        log.write_event(&routine(1)).unwrap();
        log.close().unwrap();
    };
    live();
    let name = |size: u64| dir.path().join(format!("checkpoints/{size:020}.note"));
    fs::write(name(1_000), format!("audit.example/host-1\n7\n{}\n", "x".repeat(1_000_000)))
        .unwrap();
    for size in 1_001..1_050 {
        fs::hard_link(name(1_000), name(size)).unwrap();
    }
    let Some(before) = Reads::of_this_thread() else {
        println!("skipped: the system does not tell how many bytes a thread reads");
        return;
    };
    live();
    let read = Reads::of_this_thread().unwrap().bytes - before.bytes;
    assert!(read < 100_000, "{read} bytes");
}

#[test]
fn what_another_put_in_the_place_of_the_next_checkpoint_makes_way() {
    let [first, ..] = lives();
    let disk = with_notes_of(&first, &first);
    let sizes = first.keys().filter(|name| is_note(name)).count();
    for size in 0..40 {
        let name = format!("checkpoints/{size:020}.note");
        if !first.contains_key(&name) {
            disk.replace(&name, b"junk".to_vec());
        }
    }
    let mut log = opened(&disk, &clock_at("2026-01-02T12:00:00Z"), FEW);
    write(&mut log, 0..1);
    let signed = log.checkpoint().unwrap();
    assert!(signed.size() < 40 && log.last_note().unwrap().starts_with("audit.example/host-1\n"));
    assert!(sizes > 0);
    // It may be all that tells of records that are gone, so it is kept, and a verifier finds it.
    let aside = format!("checkpoints/{:020}.1.note", signed.size());
    assert_eq!(disk.files().get(&aside), Some(&b"junk".to_vec()));
    let found = verify(disk.files()).findings;
    assert!(found.iter().any(|finding| finding.file.as_ref() == Some(&aside)), "{found:?}");
}

#[test]
fn a_record_that_a_checkpoint_covers_is_not_taken_for_what_a_crash_lost() {
    let (disk, clock) = noon();
    let mut log = opened(&disk, &clock, RotationPolicy::Daily);
    log.write_event(&routine(1)).unwrap();
    log.checkpoint().unwrap();
    let files = disk.files();
    let (name, bytes) = files.iter().find(|(name, _)| !is_note(name)).unwrap();
    let disk = SimDisk::with_files(files.clone());
    // The event and the record of the checkpoint, of which a cut leaves a part.
    let lines: Vec<_> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
    disk.resize(name, lines[..2].concat().len() + 100);
    let error = refusal(&disk, signing());
    assert!(
        matches!(error, OpenError::Damaged { damage: Damage::CheckpointedRecordLost, .. }),
        "{error}"
    );
    disk.resize(name, lines[..2].concat().len());
    assert!(matches!(refusal(&disk, signing()), OpenError::RolledBack { .. }));
}

#[test]
fn nothing_is_noted_before_the_opening_is_durable_and_the_queue_tells_of_notes() {
    let (disk, clock) = noon();
    let mut log = opened(&disk, &clock, FEW);
    write(&mut log, 0..1);
    log.checkpoint().unwrap();
    log.close().unwrap();
    let trace = disk.trace();
    let first = |start: &str| trace.iter().position(|line| line.starts_with(start)).unwrap();
    assert!(first("sync_dir") < first("publish checkpoints/"), "{trace:#?}");
    assert!(first("publish 0") < first("sync_dir"));

    let stranger = key("stranger.example/1");
    let note = Checkpoint::new(stranger.name(), 900, Digest::ZERO).sign(&stranger).unwrap();
    disk.replace("checkpoints/00000000000000000900.note", note.to_string().into_bytes());
    let log = opened(&disk, &clock, FEW);
    let queue = QueuedWriter::start(log, service(), OverflowPolicy::default()).unwrap();
    assert_eq!(queue.health().notes_beside.foreign, 1);
    queue.emit(&routine(1).event, &routine(1).sanitized).unwrap();
    queue.flush().unwrap();
    disk.inject(Some(Fault {
        at: disk.operations(),
        failure: Failure::Errno(5),
        lasting: Lasting::FromThenOn,
    }));
    assert!(queue.checkpoint().is_err());
    assert!(queue.health().checkpoint_failure.is_some());
    disk.inject(None);
}

/// A sink that looks at the disk when it is given a checkpoint, and says whether that is durable.
#[derive(Debug)]
struct Looks {
    disk: SimDisk,
    seen: Arc<Mutex<Vec<bool>>>,
}

impl CheckpointSink for Looks {
    fn name(&self) -> String {
        "looks".to_owned()
    }

    fn newest(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        Ok(None)
    }

    fn put(&mut self, note: &str) -> std::io::Result<()> {
        // As after a power cut that took everything which no sync had covered.
        let kept = self.disk.after_crash(|_| Fate::Lost).files();
        let is_kept = kept.values().any(|bytes| bytes == note.as_bytes());
        self.seen.lock().unwrap().push(is_kept);
        Ok(())
    }
}

#[test]
fn a_note_is_durable_before_a_sink_gets_it() {
    let (disk, clock) = noon();
    let mut log = open(&disk, &clock, FEW, FlushMode::default()).unwrap();
    let seen = Arc::default();
    log.sign(signing().to(Looks { disk: disk.clone(), seen: Arc::clone(&seen) })).unwrap();
    for number in 0..20 {
        write(&mut log, number..number + 1);
        log.checkpoint().unwrap();
    }
    log.close().unwrap();
    let seen = seen.lock().unwrap();
    assert!(!seen.is_empty() && seen.iter().all(|is_durable| *is_durable), "{seen:?}");
}

#[test]
fn the_queue_signs_on_demand_and_when_the_interval_is_over() {
    let (disk, clock) = noon();
    let mut log = open(&disk, &clock, RotationPolicy::Daily, FlushMode::default()).unwrap();
    let interval = Duration::from_mins(5);
    log.sign(signing().every(interval)).unwrap();
    let queue = QueuedWriter::start(log, service(), OverflowPolicy::default()).unwrap();
    let emit = |number| {
        let envelope = routine(number);
        queue.emit(&envelope.event, &envelope.sanitized).unwrap();
    };
    assert!(matches!(queue.checkpoint(), Err(SignError::Empty)));
    emit(1);
    assert_eq!(queue.checkpoint().unwrap().size(), 3, "what was accepted before is covered");
    assert_eq!(queue.health().last_checkpoint.as_ref().map(Checkpoint::size), Some(3));

    emit(2);
    queue.flush().unwrap();
    // No event comes any more, and time passes until the worker has had enough of it.
    wait_until(|| {
        clock.pass(Duration::from_secs(1));
        queue.health().last_checkpoint.is_some_and(|newest| newest.size() == 5)
    });
    assert!(clock.monotonic() >= interval, "too early");
    queue.shutdown(Duration::from_mins(1)).unwrap();
    assert_extends_all(&disk.files());
    assert!(matches!(queue.checkpoint(), Err(SignError::Closed)));
    let newest = queue.health().last_checkpoint.unwrap();
    assert_eq!(usize::try_from(newest.size()).unwrap(), leaves(&disk.files()).len());
}

#[test]
fn a_changed_key_is_told_of_by_both_and_signs_from_there_on() {
    let (disk, clock) = noon();
    let mut log = opened(&disk, &clock, FEW);
    assert!(matches!(log.change_key(next()), Err(SignError::Empty)));
    log.write_event(&routine(1)).unwrap();
    let other = key("audit.example/host-2");
    assert!(matches!(log.change_key(other), Err(SignError::OtherKey { .. })));
    let checkpoint = log.change_key(next()).unwrap();
    log.write_event(&routine(2)).unwrap();
    log.close().unwrap();

    let files = disk.files();
    let text = text(&files);
    let line = text.lines().find(|line| line.contains("key_changed")).unwrap();
    let record: serde_json::Value = serde_json::from_str(line).unwrap();
    let (event, seq) = (&record["event"], &record["seq"]);
    let member = |name: &str| event[name].as_str().unwrap();
    let opened: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let log_id = opened["event"]["log_id"].as_str().unwrap();
    let (old, new) = (key("audit.example/host-1"), next());
    let signed = format!(
        "audit key change v1\n{log_id}\n{seq}\n{}\n{}\n",
        old.verifying_key(),
        new.verifying_key()
    );
    for (key, vkey, signature) in
        [(&old, "old_vkey", "old_signature"), (&new, "new_vkey", "new_signature")]
    {
        assert_eq!(member(vkey), key.verifying_key().to_string());
        let bytes = STANDARD.decode(member(signature)).unwrap();
        assert!(key.verifying_key().verifies(signed.as_bytes(), &bytes), "{signature}");
    }

    // Each checkpoint is signed by the key of its time.
    assert!(checkpoint.size() > seq.as_u64().unwrap());
    for (name, bytes) in files.iter().filter(|(name, _)| is_note(name)) {
        let note = Note::parse(bytes).unwrap();
        let size: u64 = note.text().lines().nth(1).unwrap().parse().unwrap();
        let by = if size <= seq.as_u64().unwrap() { &old } else { &new };
        SignedCheckpoint::open(note, &[by.verifying_key().clone()]).expect(name);
    }
    let mut log = open(&disk, &clock, FEW, FlushMode::default()).unwrap();
    log.sign(Signing::new(next())).unwrap();
    log.write_event(&routine(3)).unwrap();
    log.close().unwrap();
    verify_consistent(disk.files());
}

/// Opens the log with a key and records an event.
fn went_on(disk: &SimDisk, clock: &SimClock, key: SigningKey) -> Result<(), OpenError> {
    went_on_with(disk, clock, Signing::new(key))
}

fn went_on_with(disk: &SimDisk, clock: &SimClock, signing: Signing) -> Result<(), OpenError> {
    let mut log = open(disk, clock, FEW, FlushMode::default()).unwrap();
    log.sign(signing)?;
    log.write_event(&critical(9)).unwrap();
    log.close().unwrap();
    Ok(())
}

#[test]
fn a_change_of_the_key_that_a_crash_cut_short_says_with_which_key_the_log_goes_on() {
    let (disk, clock) = noon();
    let mut log = opened(&disk, &clock, FEW);
    log.write_event(&routine(1)).unwrap();
    disk.remember();
    log.change_key(next()).unwrap();
    let (mut refused, mut taken) = (0, 0);
    for moment in disk.moments() {
        for seed in 0..20 {
            let found = || moment.disk.after_crash(|unsynced| unsynced.fate(seed));
            let mut named = found().files();
            named.retain(|name, _| SegmentName::parse(name).is_some());
            let is_said = text(&named).contains("\"new_signature\":");
            let disk = found();
            match went_on(&disk, &clock, key("audit.example/host-1")) {
                Ok(()) => taken += 1,
                Err(OpenError::KeyChanged { vkey }) => {
                    assert!(is_said, "{}", text(&disk.files()));
                    assert_eq!(vkey, next().verifying_key().to_string());
                    refused += 1;
                }
                Err(error) => panic!("{error}"),
            }
            let disk = found();
            match went_on(&disk, &clock, next()) {
                Err(OpenError::Unvouched(unvouched)) if !is_said => {
                    let signing = Signing::new(next()).adopt(unvouched.head);
                    went_on_with(&disk, &clock, signing).unwrap();
                }
                went_on => went_on.unwrap(),
            }
            let newest = disk.files().into_iter().rfind(|(name, _)| is_note(name)).unwrap();
            let note = Note::parse(&newest.1).unwrap();
            SignedCheckpoint::open(note, &[next().verifying_key().clone()]).unwrap();
            verify_consistent(disk.files());
        }
    }
    assert!(refused > 20 && taken > 20, "{refused} {taken}");
}

#[test]
fn a_key_that_another_took_the_place_of_is_refused_from_then_on() {
    let (disk, clock) = noon();
    let mut log = opened(&disk, &clock, FEW);
    log.write_event(&routine(1)).unwrap();
    log.change_key(next()).unwrap();
    write(&mut log, 0..9);
    log.close().unwrap();
    // One that does not sign names no key in its segments.
    let mut log = open(&disk, &clock, FEW, FlushMode::default()).unwrap();
    log.go_without_key(Keyless::Unsigned);
    write(&mut log, 0..9);
    log.close().unwrap();
    let before = disk.files();
    let error = went_on(&disk, &clock, key("audit.example/host-1")).unwrap_err();
    let vkey = next().verifying_key().to_string();
    assert_eq!(
        error.to_string(),
        format!("the log goes on with another key, whose vkey is {vkey}")
    );
    assert_eq!(disk.files(), before, "nothing was changed");
    let adopted = |key: fn() -> SigningKey| {
        let error = went_on(&disk, &clock, key()).unwrap_err();
        let OpenError::Unvouched(unvouched) = error else { panic!("{error}") };
        went_on_with(&disk, &clock, Signing::new(key()).adopt(unvouched.head)).unwrap();
    };
    adopted(next);

    // One that the log never named takes an operator's word, too.
    adopted(|| {
        let name = KeyName::new("audit.example/host-1").unwrap();
        SigningKey::from_seed(name, KeyKind::Ed25519, &[9; 32]).unwrap()
    });
}

#[test]
fn a_change_of_the_key_that_is_written_in_part_is_finished_and_counts() {
    for room in (0..9_000).step_by(100) {
        let (disk, clock) = noon();
        let mut log = opened(&disk, &clock, FEW);
        log.write_event(&routine(1)).unwrap();
        disk.leave_writable(room);
        let changed = log.change_key(next());
        disk.limit(None);
        log.write_event(&critical(2)).unwrap();
        let signed = log.checkpoint().unwrap();
        let files = disk.files();
        let is_said = text(&files).contains("\"new_signature\":");
        let by = if is_said { next() } else { key("audit.example/host-1") };
        let note = &files[&format!("checkpoints/{:020}.note", signed.size())];
        let note = Note::parse(note).unwrap();
        SignedCheckpoint::open(note, &[by.verifying_key().clone()]).unwrap();
        if changed.is_ok() {
            return;
        }
        log.close().unwrap();
        verify_consistent(disk.files());
    }
    panic!("the change never succeeded");
}

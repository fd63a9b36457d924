//! `audit prune`: what it deletes, what it leaves, and what it says.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails where it stands")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use audit_log::checkpoint::SigningKey;
use audit_log::writer::{Clock as _, RealStore, SimClock};
use audit_log::{
    AuditEvent, AuditEventEnvelope, AuditFileWriter, EventTime, FlushMode, OnDamage,
    RotationPolicy, ServiceId, Signing,
};
use common::{Key, audit, can_trace, killed_at, told};
use serde_json::Value;
use tempfile::TempDir;

/// A log of the year 2000, with a segment for each event.
struct Old {
    parent: TempDir,
}

impl Old {
    fn new(events: u64) -> Self {
        Self::by(events, None)
    }

    /// The same, signed with a key.
    fn signed(events: u64, key: &Key) -> Self {
        let text = fs::read_to_string(&key.path).unwrap();
        Self::by(events, Some(SigningKey::parse(text.trim_end()).unwrap()))
    }

    fn by(events: u64, key: Option<SigningKey>) -> Self {
        let parent = tempfile::tempdir().unwrap();
        let store = RealStore::open_dir(&parent.path().join("log")).unwrap();
        let clock = SimClock::at(EventTime::parse("2000-01-01T00:00:00Z").unwrap().instant());
        let each = RotationPolicy::SizeLimit { bytes_max: 1 };
        let flush = FlushMode::Batched { size: 1_000, interval_secs: 60 };
        let mut log =
            AuditFileWriter::with(store, clock.clone(), each, flush, OnDamage::Refuse).unwrap();
        if let Some(key) = key {
            log.sign(Signing::new(key)).unwrap();
        }
        for number in 0..events {
            let event = AuditEvent::SealVerified {
                timestamp: clock.now().into(),
                shard_id: format!("shard-{number}").into(),
                worker_id: "worker-1".into(),
            };
            let service = ServiceId::new("web.shop-1").unwrap();
            log.write_event(&AuditEventEnvelope::new(service, event)).unwrap();
        }
        log.close().unwrap();
        Self { parent }
    }

    fn path(&self) -> String {
        self.parent.path().join("log").to_str().unwrap().to_owned()
    }

    fn segments(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path()).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.is_file());
        paths.sort();
        paths
    }

    fn verdict(&self) -> (i32, Value) {
        self.verdict_with(&[])
    }

    fn verdict_with(&self, more: &[&str]) -> (i32, Value) {
        let args = ["verify", &self.path(), "--format", "json"];
        let done = audit(&[&args, more].concat(), "");
        (done.status.code().unwrap(), serde_json::from_slice(&done.stdout).unwrap())
    }
}

fn prune(dir: &str, more: &[&str]) -> (i32, String, String) {
    // Their clock was 26 years behind, as far as this one can tell.
    let done = audit(&[&["prune", dir, "--trust-clock"], more].concat(), "");
    let said = String::from_utf8(done.stdout.clone()).unwrap();
    (done.status.code().unwrap(), said, told(&done))
}

#[test]
fn of_a_log_of_the_year_2000_all_goes_but_the_newest_segment() {
    let log = Old::new(300);
    let before = log.segments();
    assert_eq!(before.len(), 301);
    let (status, said, _) = prune(&log.path(), &["--older-than", "3000", "--dry-run"]);
    assert_eq!((status, said.lines().next()), (0, said.lines().next()));
    assert!(said.starts_with("would delete 300 segments, "), "{said}");
    assert_eq!(log.segments(), before, "--dry-run changes nothing");

    let args = ["--older-than", "3000", "--format", "json"];
    let (status, said, _) = prune(&log.path(), &args);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(status, 0);
    assert_eq!(said["segments"].as_array().unwrap().len(), 300);
    let left = log.segments();
    assert_eq!(left.len(), 2, "the newest, and the one that declares it");
    assert_eq!(left.first(), before.last());
    let (status, report) = log.verdict();
    assert_eq!((status, report["verdict"].as_str()), (0, Some("consistent")));

    // The newest of then is as old as the segment behind it, which was begun just now.
    let (status, said, _) = prune(&log.path(), &["--older-than", "3000"]);
    assert_eq!((status, &*said), (0, "no segment is older than 3000 days\n"));
}

#[test]
fn a_proof_outlives_the_deletion_of_its_record_and_none_is_made_afterwards() {
    let key = Key::new("audit.example/host-1");
    let log = Old::signed(3, &key);
    let out = tempfile::tempdir().unwrap();
    let prove = || audit(&["prove", &log.path(), "2", "--out", out.path().to_str().unwrap()], "");
    let proven = prove();
    assert_eq!(proven.status.code(), Some(0), "{}", told(&proven));
    let printed = String::from_utf8(proven.stdout).unwrap();
    let proof = printed.lines().last().unwrap();
    let (status, said, told_of) =
        prune(&log.path(), &["--older-than", "3000", "--key", key.path()]);
    assert_eq!(status, 0, "{said}{told_of}");
    let refused = prove();
    assert_ne!(refused.status.code(), Some(0));
    assert!(told(&refused).contains("deleted"), "{}", told(&refused));
    let checked = audit(&["check-proof", proof, "--vkey", &key.vkey], "");
    assert_eq!(checked.status.code(), Some(0), "{}", told(&checked));
}

#[test]
fn a_clock_that_jumped_makes_nothing_old_unless_it_is_believed() {
    let log = Old::new(3);
    let before = log.segments();
    let done = audit(&["prune", &log.path(), "--older-than", "3000"], "");
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(said.contains("--trust-clock") && said.contains("no segment is older"), "{said}");
    assert_eq!((done.status.code(), log.segments()), (Some(0), before));
}

#[test]
fn a_segment_deleted_by_hand_is_missed_and_a_pruned_one_is_not() {
    let log = Old::new(30);
    fs::remove_file(log.segments().remove(3)).unwrap();
    let (status, report) = log.verdict();
    assert_eq!((status, report["verdict"].as_str()), (1, Some("tampered")));
    let (status, _, told) = prune(&log.path(), &["--older-than", "3000"]);
    assert_eq!(status, 2);
    assert!(told.contains("is not whole, not what the next segment follows"), "{told}");
    assert_eq!(log.segments().len(), 30);

    let log = Old::new(30);
    fs::remove_file(log.segments().remove(0)).unwrap();
    assert_eq!(log.verdict().0, 1);
}

/// With any retention, with the key of the log, without it, and where it has none.
#[test]
fn an_ordinary_prune_covers_up_no_segment_that_was_removed() {
    let key = Key::new("audit.example/host-1");
    let with_key = ["--key", key.path()];
    let of_all: &[&str] = &["--older-than", "0", "--min-retention", "0"];
    let of_old: &[&str] = &["--older-than", "3000"];
    for (signs, keys) in [(true, &with_key[..]), (true, &[]), (false, &[])] {
        for retention in [of_all, of_old] {
            let log = if signs { Old::signed(8, &key) } else { Old::new(8) };
            let head = log.verdict().1["head"].as_str().unwrap().to_owned();
            log.segments()[..2].iter().for_each(|removed| fs::remove_file(removed).unwrap());
            let before = log.segments();
            let (status, _, told) = prune(&log.path(), &[retention, keys].concat());
            let why =
                if signs && keys.is_empty() { "without its key" } else { "no prune explains" };
            assert_eq!(status, 2, "{told}");
            assert!(told.contains(why), "{told}");
            assert_eq!(log.segments(), before);
            for more in [&[][..], &["--vkey", &key.vkey], &["--vkey", &key.vkey, "--head", &head]] {
                let (status, report) = log.verdict_with(more);
                assert_eq!((status, report["verdict"].as_str()), (1, Some("tampered")), "{report}");
                assert_eq!(report["finding_counts"]["head_missing"], 1, "{report}");
            }
        }
    }
}

#[test]
fn records_that_have_to_be_kept_are() {
    let log = Old::new(3);
    let (status, _, told) = prune(&log.path(), &["--older-than", "2554"]);
    assert_eq!(status, 2);
    assert!(told.contains("records have to be kept for 2555 days, not 2554"), "{told}");
    let args = ["--older-than", "365", "--min-retention", "365", "--dry-run"];
    assert_eq!(prune(&log.path(), &args).0, 0);
}

#[test]
fn a_log_that_is_open_is_not_pruned_and_a_missing_one_is_not_made() {
    let log = Old::new(3);
    let holder = RealStore::open_existing(Path::new(&log.path())).unwrap();
    assert!(holder.try_lock().unwrap());
    let (status, _, told) = prune(&log.path(), &["--older-than", "3000"]);
    assert_eq!(status, 2);
    assert!(told.contains("the log is open in another writer"), "{told}");
    assert_eq!(log.segments().len(), 4);

    let missing = format!("{}-missing", log.path());
    let (status, _, told) = prune(&missing, &["--older-than", "3000"]);
    assert_eq!(status, 2);
    assert!(told.contains("cannot open the directory"), "{told}");
    assert!(!Path::new(&missing).exists());
}

/// Killed at each system call with which it changes something, one after another.
#[test]
fn a_kill_at_any_point_of_a_prune_is_gone_on_after() {
    if !can_trace() {
        return;
    }
    let mut kills = 0;
    for call in ["unlink,unlinkat", "fsync", "fdatasync", "write", "rename,renameat2"] {
        for number in 1.. {
            let log = Old::new(6);
            let mut strace = killed_at(call, number);
            let done = strace
                .args(["prune", &log.path(), "--older-than", "3000", "--trust-clock"])
                .output()
                .unwrap();
            let (status, report) = log.verdict();
            assert!(status == 0 || status == 4, "{call} {number}: {report}");
            let (status, _, told) = prune(&log.path(), &["--older-than", "3000"]);
            assert_eq!(status, 0, "{call} {number}: {told}");
            assert_eq!(log.verdict().0, 0, "{call} {number}");
            if done.status.success() {
                break;
            }
            kills += 1;
        }
    }
    assert!(kills > 20, "{kills}");
}

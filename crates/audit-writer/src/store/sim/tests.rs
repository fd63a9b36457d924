//! What a crash and a fault leave on a simulated disk.

use super::*;
use crate::segment::NEW_SEGMENT;
use crate::store::{SegmentFile, Store};

const BROKEN: Failure = Failure::Errno(5);

/// A disk whose file `a` holds these appends, none of them durable.
fn appended(appends: &[&[u8]]) -> (SimDisk, SimStore, SimSegment) {
    let disk = SimDisk::default();
    let mut store = disk.store();
    let mut file = store.create().unwrap();
    store.publish("a").unwrap();
    store.sync_dir().unwrap();
    for bytes in appends {
        assert_eq!(file.append(bytes).unwrap(), bytes.len());
    }
    (disk, store, file)
}

/// What is in `a` after a crash that gives the appends these fates, in order.
fn found(disk: &SimDisk, fates: &[Fate]) -> Vec<u8> {
    let mut fates = fates.iter();
    disk.after_crash(|_| *fates.next().unwrap()).files().remove("a").unwrap()
}

#[test]
fn an_append_is_there_or_not_or_in_part() {
    let (disk, _, mut file) = appended(&[b"one\n"]);
    file.sync().unwrap();
    file.append(b"two\n").unwrap();
    assert_eq!(found(&disk, &[Fate::Kept]), b"one\ntwo\n");
    assert_eq!(found(&disk, &[Fate::Lost]), b"one\n");
    assert_eq!(found(&disk, &[Fate::Torn { bytes: 2 }]), b"one\ntw");
    let zeroed: Vec<_> = (0..8).map(|seed| found(&disk, &[Fate::Zeroed { seed }])).collect();
    assert!(zeroed.contains(&b"one\ntwo\n".to_vec()), "{zeroed:?}");
    assert!(zeroed.contains(&b"one\n\0\0\0\0".to_vec()), "{zeroed:?}");
    assert_eq!(disk.files()["a"], b"one\ntwo\n", "who looks before the crash sees all");
}

#[test]
fn an_append_may_be_lost_and_a_later_one_kept_but_a_block_is_one() {
    let (disk, ..) = appended(&[&[b'a'; 600], &[b'b'; 700]]);
    let left = found(&disk, &[Fate::Lost, Fate::Kept]);
    assert_eq!(left.len(), 1_300);
    assert_eq!(left[..512], [0; 512], "a block that only the first one wrote");
    assert_eq!(left[512..600], [b'a'; 88], "the second one wrote this block again");
    assert_eq!(left[600..], [b'b'; 700]);
    let left = found(&disk, &[Fate::Kept, Fate::Torn { bytes: 1 }]);
    assert_eq!((left.len(), left[600]), (601, b'b'));
}

#[test]
fn names_are_lost_each_by_itself() {
    let disk = SimDisk::default();
    let mut store = disk.store();
    let mut file = store.create().unwrap();
    file.append(b"x").unwrap();
    file.sync().unwrap();
    store.publish("a").unwrap();
    let names = |create: Fate, rename: Fate| {
        let fates = [create, rename];
        let mut fates = fates.iter();
        let found = disk.after_crash(|_| *fates.next().unwrap()).files();
        found.into_iter().map(|(name, bytes)| (name, bytes.len())).collect::<Vec<_>>()
    };
    let with = |found: &[&str]| -> Vec<_> { found.iter().map(|n| ((*n).into(), 1)).collect() };
    assert_eq!(names(Fate::Lost, Fate::Lost), with(&[]));
    assert_eq!(names(Fate::Kept, Fate::Lost), with(&[NEW_SEGMENT]));
    assert_eq!(names(Fate::Lost, Fate::Kept), with(&["a"]));
    assert_eq!(names(Fate::Kept, Fate::Kept), with(&["a"]));
    assert_eq!(names(Fate::Kept, Fate::Doubled), with(&[NEW_SEGMENT, "a"]));
    assert_eq!(names(Fate::Kept, Fate::Nameless), with(&[]));
    store.sync_dir().unwrap();
    assert_eq!(disk.unsynced(), []);
    store.create().unwrap();
    store.remove(NEW_SEGMENT).unwrap();
    let kept_name = disk.after_crash(|operation| match operation.change {
        Change::Remove { .. } => Fate::Lost,
        Change::Append { .. } | Change::Create { .. } | Change::Rename { .. } => Fate::Kept,
    });
    assert!(kept_name.files().contains_key(NEW_SEGMENT));
}

#[test]
fn what_a_failed_sync_gave_up_no_later_one_makes_durable() {
    let (disk, _, mut file) = appended(&[b"one\n"]);
    disk.fail_next(BROKEN);
    assert_eq!(file.sync().unwrap_err().raw_os_error(), Some(5));
    file.append(b"two\n").unwrap();
    file.sync().unwrap();
    let unsynced = disk.unsynced();
    assert_eq!(unsynced.len(), 1);
    assert_eq!(unsynced[0].change, Change::Append { file: 0, start: 0, end: 4 });
    assert_eq!(disk.files()["a"], b"one\ntwo\n");
    file.drop_cache().unwrap();
    assert_eq!(disk.files()["a"], b"one\ntwo\n", "the block was written again by the second");

    let (disk, _, mut file) = appended(&[b"one\n"]);
    disk.fail_next(BROKEN);
    file.sync().unwrap_err();
    file.sync().unwrap();
    file.drop_cache().unwrap();
    assert_eq!(disk.files()["a"], [0; 4], "the disk never had it");
}

#[test]
fn an_operation_fails_as_told() {
    let (disk, mut store, mut file) = appended(&[]);
    disk.fail_next(Failure::Short);
    assert_eq!(file.append(b"12345").unwrap(), 3);
    disk.fail_next(Failure::Late(28));
    assert_eq!(file.append(b"12345").unwrap_err().raw_os_error(), Some(28));
    assert_eq!(disk.files()["a"], b"123", "an append that fails wrote nothing");
    store.create().unwrap();
    disk.fail_next(Failure::Late(5));
    assert_eq!(store.publish("b").unwrap_err().raw_os_error(), Some(5));
    assert!(disk.files().contains_key("b"));
    let at = disk.operations() + 1;
    disk.inject(Some(Fault { at, failure: BROKEN, lasting: Lasting::FromThenOn }));
    store.names().unwrap();
    store.names().unwrap_err();
    file.sync().unwrap_err();
    disk.inject(None);
    file.sync().unwrap();
}

#[test]
fn a_disk_that_remembers_tells_what_each_crash_would_have_left() {
    let (disk, _, mut file) = appended(&[]);
    disk.remember();
    let begin = disk.operations();
    file.append(b"one\n").unwrap();
    file.sync().unwrap();
    file.append(b"two\n").unwrap();
    let lost: Vec<_> = disk
        .moments()
        .into_iter()
        .map(|moment| {
            let found = moment.disk.after_crash(|_| Fate::Lost).files();
            (moment.operation - begin, found["a"].len())
        })
        .collect();
    assert_eq!(lost, [(0, 0), (1, 0), (2, 4), (3, 4)], "a sync under way is not done");
}

#[test]
fn seeds_find_every_fate() {
    let append = Change::Append { file: 0, start: 100, end: 6_000 };
    let rename = Change::Rename { from: "a".into(), to: "b".into(), file: 0 };
    let drawn = |change: &Change| -> Vec<_> {
        let unsynced = Unsynced { operation: 3, change: change.clone() };
        (0..4_000).map(|seed| unsynced.fate(seed)).collect()
    };
    let (appends, renames) = (drawn(&append), drawn(&rename));
    for bytes in [0, 1, 511, 512, 513, 4_095, 4_096, 412, 924] {
        assert!(appends.contains(&Fate::Torn { bytes }), "{bytes}");
    }
    assert!(appends.iter().any(|fate| matches!(fate, Fate::Zeroed { .. })));
    for fates in [&appends, &renames] {
        assert!(fates.contains(&Fate::Kept) && fates.contains(&Fate::Lost));
    }
    assert!(renames.contains(&Fate::Doubled) && renames.contains(&Fate::Nameless));
}

//! `audit recover --dry-run`: what it says, and that it only looks.

#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a helper of tests fails where it stands"
)]

mod common;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use audit_core::{Digest, is_hostile};
use common::{Log, audit, events, told};
use serde_json::{Value, json};

/// Everything about the files of a directory, and itself, that a change would change.
fn state(dir: &Path) -> BTreeMap<OsString, (Vec<u8>, i64, i64, u32)> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let all = entries.chain([dir.to_path_buf()]).map(|path| {
        let about = fs::symlink_metadata(&path).unwrap();
        let bytes = if about.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        (path.into_os_string(), (bytes, about.mtime(), about.mtime_nsec(), about.mode()))
    });
    all.collect()
}

/// What the command says, with its exit status. It has to leave everything as it was, and to say
/// the same to a person.
fn looked(dir: &str) -> (i32, Value) {
    let before = state(Path::new(dir));
    let done = audit(&["recover", "--dry-run", dir, "--format", "json"], "");
    let page = audit(&["recover", "--dry-run", dir], "");
    assert_eq!(state(Path::new(dir)), before, "something was changed");
    let said: Value = serde_json::from_slice(&done.stdout).unwrap_or_else(|_| told(&done).into());
    let page = String::from_utf8(page.stdout).unwrap();
    let outcome = said["outcome"].as_str().unwrap().to_uppercase();
    assert!(page.starts_with(&format!("{outcome}: ")), "{page}");
    for member in ["service_id", "segment", "head", "damage", "holder"] {
        assert!(page.contains(said[member].as_str().unwrap_or_default()), "{member}: {page}");
    }
    assert!(page.contains(said["tail"]["sha256"].as_str().unwrap_or_default()), "{page}");
    (done.status.code().unwrap(), said)
}

/// A closed log of some events, with the length of its segment and the head.
fn closed(count: usize) -> (Log, u64, String) {
    let log = Log::new();
    let done = log.record(&events(count), &[]);
    let told = told(&done);
    let head = told.lines().find_map(|line| line.strip_prefix("head     ")).unwrap().to_owned();
    let bytes = fs::metadata(log.segments().first().unwrap()).unwrap().len();
    (log, bytes, head)
}

/// Replaces the newest segment of a log.
fn rewrite(log: &Log, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let path = log.segments().pop().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    change(&mut bytes);
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, &bytes).unwrap();
    bytes
}

/// Takes the last line of a segment away.
fn cut_last_line(bytes: &mut Vec<u8>) {
    bytes.pop();
    let end = bytes.iter().rposition(|&byte| byte == b'\n').unwrap();
    bytes.truncate(end + 1);
}

#[test]
fn a_closed_log_is_said_to_be_closed_with_its_head() {
    let (log, _, head) = closed(3);
    let (code, said) = looked(log.path());
    let segment = log.segments().pop().unwrap();
    let expected = json!({
        "schema_version": 1,
        "outcome": "closed",
        "service_id": "web.shop-1",
        "segment": segment.file_name().unwrap().to_str().unwrap(),
        "head": head,
        "closed": true,
        "copied": false,
        "tail": null,
        "damage": null,
        "holder": null,
    });
    assert_eq!((code, &said), (0, &expected));
    log.record(&events(1), &[]);
    assert_ne!(looked(log.path()).1["segment"], expected["segment"], "the newest one is looked at");
}

#[test]
fn a_log_that_was_not_closed_and_has_no_tail_is_told_apart() {
    let (log, ..) = closed(3);
    rewrite(&log, cut_last_line);
    let (code, said) = looked(log.path());
    assert_eq!((code, &said["outcome"]), (0, &json!("unclosed")));
    assert_eq!((&said["closed"], &said["tail"]), (&json!(false), &Value::Null));
}

#[test]
fn a_torn_line_and_zeros_are_what_the_next_open_declares() {
    for (kind, tail) in [("torn", b"{\"v\":1,\"seq\":6".to_vec()), ("zeros", vec![0; 700])] {
        let (log, ..) = closed(3);
        let mut offset = 0;
        rewrite(&log, |bytes| {
            cut_last_line(bytes);
            offset = bytes.len();
            bytes.extend(&tail);
        });
        let (code, said) = looked(log.path());
        assert_eq!((code, &said["outcome"]), (0, &json!("recovers")), "{said}");
        let sha256 = Digest::of(&tail).to_string();
        let expected =
            json!({ "offset": offset, "bytes": tail.len(), "sha256": sha256, "kind": kind });
        assert_eq!(said["tail"], expected);

        assert_eq!(log.record(&events(1), &[]).status.code(), Some(0));
        let text = log.text();
        let declared = text.lines().find(|line| line.contains("\"log_recovered\"")).unwrap();
        let declared: Value = serde_json::from_str(declared).unwrap();
        for member in ["offset", "bytes", "sha256", "kind"] {
            assert_eq!(declared["event"][member], expected[member], "{member}");
        }
        assert_eq!(declared["event"]["file"], said["segment"]);
    }
}

#[test]
fn damage_is_named_and_the_next_open_is_refused_for_it() {
    let (log, bytes, _) = closed(5);
    let changed = rewrite(&log, |bytes| {
        let middle = bytes.len() / 2;
        *bytes.get_mut(middle).unwrap() ^= 1;
    });
    let (code, said) = looked(log.path());
    assert_eq!((code, &said["outcome"]), (1, &json!("damaged")), "{said}");
    let offset = said["tail"]["offset"].as_u64().unwrap();
    assert_eq!(said["tail"]["bytes"], bytes - offset);
    let tail = changed.get(usize::try_from(offset).unwrap()..).unwrap();
    assert_eq!(said["tail"]["sha256"], Digest::of(tail).to_string());
    assert_eq!(said["tail"]["kind"], Value::Null);
    assert!(said["head"].is_string(), "the last whole record before the damage");
    let refused = log.record(&events(1), &[]);
    assert_eq!(refused.status.code(), Some(2));
    let damage = format!("damaged at byte {offset}: {}", said["damage"].as_str().unwrap());
    assert!(told(&refused).contains(&damage), "{}", told(&refused));
}

#[test]
fn a_segment_without_a_whole_record_is_damaged_and_has_no_head() {
    let (log, ..) = closed(1);
    rewrite(&log, |bytes| bytes.truncate(100));
    let (code, said) = looked(log.path());
    assert_eq!((code, &said["outcome"], &said["head"]), (1, &json!("damaged"), &Value::Null));
    assert_eq!((&said["tail"]["offset"], &said["tail"]["bytes"]), (&json!(0), &json!(100)));
}

#[test]
fn who_has_the_log_open_is_told_and_is_not_disturbed() {
    let log = Log::new();
    let (mut holder, mut stdin, receipt) = log.hold();
    let (code, said) = looked(log.path());
    assert_eq!((code, &said["outcome"]), (1, &json!("locked")));
    let process = format!("process {} on host", holder.id());
    assert!(said["holder"].as_str().unwrap().contains(&process), "{said}");
    assert_eq!(said["head"], *receipt);
    stdin.write_all(events(1).as_bytes()).unwrap();
    drop(stdin);
    assert!(holder.wait().unwrap().success());
    let (code, said) = looked(log.path());
    assert_eq!((code, &said["outcome"], &said["holder"]), (0, &json!("closed"), &Value::Null));
}

#[test]
fn an_empty_directory_is_a_new_log_and_a_missing_one_is_not_made() {
    let log = Log::new();
    let done = audit(&["recover", "--dry-run", log.path()], "");
    assert_eq!(done.status.code(), Some(2));
    assert!(told(&done).starts_with("audit: cannot look at "), "{}", told(&done));
    assert!(told(&done).contains("No such file or directory"), "{}", told(&done));
    assert!(!Path::new(log.path()).exists());
    fs::create_dir(log.path()).unwrap();
    let (code, said) = looked(log.path());
    assert_eq!((code, &said["outcome"], &said["segment"]), (0, &json!("new"), &Value::Null));
}

#[test]
fn hostile_names_are_left_alone_and_never_shown_raw() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("log\u{1b}[2J\u{202e}");
    let dir = dir.to_str().unwrap();
    let missing = audit(&["recover", "--dry-run", dir], "");
    assert_eq!(missing.status.code(), Some(2));
    assert!(!told(&missing).trim_end().contains(is_hostile), "{:?}", told(&missing));

    fs::create_dir(dir).unwrap();
    let dir = Path::new(dir);
    for name in [&b"\x1b[2J.audit.jsonl"[..], b"\xff\xfe", b"00000000000000000009.audit.jsonl"] {
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(dir.join(OsStr::from_bytes(name)))
            .unwrap();
    }
    assert_eq!(looked(dir.to_str().unwrap()).1["outcome"], "new");
    let segment = dir.join("00000000000000000009.2026-01-02.audit.jsonl");
    symlink("/etc/passwd", &segment).unwrap();
    let linked = audit(&["recover", "--dry-run", dir.to_str().unwrap()], "");
    assert_eq!(linked.status.code(), Some(2), "no link is followed");
    assert!(linked.stdout.is_empty());
    assert!(!told(&linked).trim_end().contains(is_hostile), "{:?}", told(&linked));
}

#[test]
fn without_dry_run_it_refuses_and_says_that_an_open_recovers() {
    let (log, ..) = closed(1);
    let before = state(Path::new(log.path()));
    let done = audit(&["recover", log.path()], "");
    assert_eq!(done.status.code(), Some(2));
    assert!(told(&done).contains("opening a log recovers it by itself"), "{}", told(&done));
    assert_eq!(state(Path::new(log.path())), before);
}

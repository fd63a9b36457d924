//! Keys and checkpoints: made, used and refused by the command.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails where it stands")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use common::{Log, audit, events, told};
use tempfile::TempDir;

/// A key in a directory of its own, and its public half.
struct Key {
    _dir: TempDir,
    path: PathBuf,
    vkey: String,
}

impl Key {
    fn new(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.key");
        let done = audit(&["keygen", "--name", name, "--out", path.to_str().unwrap()], "");
        assert_eq!((done.status.code(), told(&done)), (Some(0), String::new()));
        let vkey = String::from_utf8(done.stdout).unwrap();
        Self { _dir: dir, path, vkey: vkey.strip_suffix('\n').unwrap().to_owned() }
    }

    fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }
}

fn checkpoint(log: &Log, key: &Key) -> (i32, String, String) {
    let done = audit(&["checkpoint", log.path(), "--key", key.path()], "");
    let printed = String::from_utf8(done.stdout.clone()).unwrap();
    (done.status.code().unwrap(), printed, told(&done))
}

fn notes(log: &Log) -> Vec<PathBuf> {
    let folder = Path::new(log.path()).join("checkpoints");
    let mut notes: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    notes.sort();
    notes
}

/// The second line of a checkpoint.
fn size(note: &str) -> usize {
    note.lines().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_log_is_signed_to_its_last_byte_when_it_is_closed() {
    let (log, key) = (Log::new(), Key::new("audit.example/host-1"));
    let done = log.record(&events(7), &["--key", key.path()]);
    assert_eq!(done.status.code(), Some(0), "{}", told(&done));
    let records = log.text().lines().count();
    let said = format!("signed   {records} records of audit.example/host-1\n");
    assert!(told(&done).ends_with(&said), "{}", told(&done));
    let [note] = &notes(&log)[..] else { panic!("{:?}", notes(&log)) };
    let text = fs::read_to_string(note).unwrap();
    assert_eq!(size(&text), records);
    assert!(text.starts_with("audit.example/host-1\n"), "{text}");
    assert!(log.text().contains(&format!(r#""vkey":"{}""#, key.vkey)));

    // Nothing is new, so it is that checkpoint again.
    let before = log.text();
    assert_eq!(checkpoint(&log, &key), (0, text, String::new()));
    assert_eq!(log.text(), before);
}

#[test]
fn a_private_key_is_for_its_owner_alone_and_is_never_written_over() {
    let (log, key) = (Log::new(), Key::new("audit.example/host-1"));
    let secret = fs::read_to_string(&key.path).unwrap();
    assert_eq!(fs::metadata(&key.path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(secret.starts_with("PRIVATE+KEY+audit.example/host-1+"));

    let again = audit(&["keygen", "--name", "audit.example/host-2", "--out", key.path()], "");
    assert_eq!(again.status.code(), Some(2));
    assert!(told(&again).contains("File exists"), "{}", told(&again));
    assert_eq!(fs::read_to_string(&key.path).unwrap(), secret);

    for mode in [0o640, 0o604, 0o660] {
        fs::set_permissions(&key.path, fs::Permissions::from_mode(mode)).unwrap();
        let done = log.record(&events(1), &["--key", key.path()]);
        assert_eq!(done.status.code(), Some(2));
        assert!(told(&done).contains("chmod 600"), "{}", told(&done));
        assert!(!told(&done).contains("PRIVATE"));
    }
    assert!(
        !Path::new(log.path()).exists(),
        "nothing is recorded without the key that was asked for"
    );
}

#[test]
fn what_is_no_key_of_a_log_is_refused() {
    let log = Log::new();
    for name in ["a+b", "a b", ""] {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("k");
        let done = audit(&["keygen", "--name", name, "--out", out.to_str().unwrap()], "");
        assert_eq!(done.status.code(), Some(2), "{name:?}");
        assert!(!out.exists());
    }
    let key = Key::new("audit.example/host-1");
    let secret = fs::read_to_string(&key.path).unwrap();
    for text in [String::new(), key.vkey.clone(), secret.replace("host-1", "host-2")] {
        fs::write(&key.path, &text).unwrap();
        let done = log.record(&events(1), &["--key", key.path()]);
        assert_eq!(done.status.code(), Some(2), "{text}");
        assert!(told(&done).contains("holds no private key"), "{}", told(&done));
    }
}

#[test]
fn an_older_copy_of_a_log_is_not_signed_and_one_is_told_how_to_go_on() {
    let (log, key) = (Log::new(), Key::new("audit.example/host-1"));
    log.record(&events(3), &["--key", key.path()]);
    let older = Log::copy_of_segments(&log);
    log.record(&events(3), &["--key", key.path()]);
    fs::create_dir(Path::new(older.path()).join("checkpoints")).unwrap();
    for note in notes(&log) {
        let to = Path::new(older.path()).join("checkpoints").join(note.file_name().unwrap());
        fs::copy(note, to).unwrap();
    }
    let before = older.text();
    let (code, printed, said) = checkpoint(&older, &key);
    assert_eq!((code, printed.as_str()), (2, ""));
    assert!(said.contains("an older copy of it must not go on"), "{said}");
    let done = older.record(&events(1), &["--key", key.path()]);
    assert_eq!(done.status.code(), Some(2));
    assert!(told(&done).contains("begin a new log that continues it"), "{}", told(&done));
    assert_eq!(older.text(), before);
}

#[test]
fn a_log_is_not_signed_with_the_key_of_another() {
    let (log, key, other) =
        (Log::new(), Key::new("audit.example/host-1"), Key::new("audit.example/host-2"));
    log.record(&events(3), &["--key", key.path()]);
    let (code, _, said) = checkpoint(&log, &other);
    assert_eq!(code, 2);
    assert!(said.contains("is the checkpoint of another log than the key's"), "{said}");
}

#[test]
fn there_is_nothing_to_sign_where_there_is_no_log() {
    let (log, key) = (Log::new(), Key::new("audit.example/host-1"));
    let (code, _, said) = checkpoint(&log, &key);
    assert_eq!(code, 2);
    assert!(said.contains("is no directory"), "{said}");
    fs::create_dir(log.path()).unwrap();
    let (code, _, said) = checkpoint(&log, &key);
    assert_eq!(code, 2);
    assert!(said.contains("no record yet"), "{said}");

    let (mut child, stdin, _) = log.hold();
    let (code, _, said) = checkpoint(&log, &key);
    assert_eq!(code, 2);
    assert!(said.contains("is open in another writer"), "{said}");
    drop(stdin);
    assert!(child.wait().unwrap().success());
}
